/** Reading and replacing the parts of a place's round. */
import type { Approval } from "../dsl/index.ts";
import type { PlaceDraft } from "./place.ts";
import type { Round, Seat } from "./types.ts";

/** Who decides where no person does. */
export const SYSTEM = "system";

export function roundOf({ now }: PlaceDraft): Round {
  return now.round!;
}

/** The approval of the state in which a round is open. */
export function approvalOf({ now: { round }, state }: PlaceDraft): Approval {
  return (round?.result === undefined ? round?.approval : undefined) ?? state.approval!;
}

export function setRound(place: PlaceDraft, parts: Partial<Round>): void {
  place.now.round = { ...roundOf(place), ...parts };
}

export function setSeat(place: PlaceDraft, index: number, parts: Partial<Seat>): void {
  const { seats } = roundOf(place);
  setRound(place, { seats: seats.with(index, { ...seats[index]!, ...parts }) });
}

export function seatAt(place: PlaceDraft, index: number): Seat {
  return roundOf(place).seats[index]!;
}

/** Neither decided nor ended. */
export function isUndecided({ status }: Seat): boolean {
  return status === "open" || status === "waiting";
}

/** Of a delegate, or advice: it decides nothing, and never stands for a seat. */
export function isOpinion({ hangs }: Seat): boolean {
  return hangs?.as === "delegate" || hangs?.as === "advice";
}
