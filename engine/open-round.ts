/** Reading and replacing the parts of a place's round. */
import type { Approval } from "../dsl/index.ts";
import type { PlaceDraft } from "./place.ts";
import type { GroupMark, Hanging, HangingKind, Round, Seat } from "./types.ts";

/** Who decides where no person does. */
export const SYSTEM = "system";

export function roundOf({ now }: PlaceDraft): Round {
  return now.round!;
}

/** The approval of the state in which a round is open. */
export function approvalOf({ now: { round }, state }: PlaceDraft): Approval {
  return (round?.result === undefined ? round?.approval : undefined) ?? state.approval!;
}

/** Is this the round still? What was decided may have closed it and opened the next. */
export function isStillIn({ now }: PlaceDraft, { state, stage, number }: Round): boolean {
  const { round } = now;
  return round?.number === number && round.stage === stage && round.state === state;
}

export function setRound(place: PlaceDraft, parts: Partial<Round>): void {
  place.now.round = { ...roundOf(place), ...parts };
}

export function markGroup(place: PlaceDraft, group: number, parts: GroupMark): void {
  const { groups } = roundOf(place);
  setRound(place, { groups: { ...groups, [group]: { ...groups?.[group], ...parts } } });
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
export function isOpinion(seat: Seat): boolean {
  return seat.hangs !== undefined && hangingsOf(seat).every(({ as }) => as === "delegate" || as === "advice");
}

/** Everywhere the seat hangs. */
export function hangingsOf({ hangs, alsoHangs }: Seat): readonly Hanging[] {
  if (!alsoHangs) return hangs ? [hangs] : NOWHERE;
  return hangs ? [hangs, ...alsoHangs] : alsoHangs;
}

const NOWHERE: readonly Hanging[] = [];

/** Does it hang on that seat? @param as in this way; absent: in any. */
export function hangsOn({ hangs, alsoHangs }: Seat, on: number, as?: HangingKind): boolean {
  if (hangs?.on === on && (as === undefined || hangs.as === as)) return true;
  return alsoHangs?.some((one) => one.on === on && (as === undefined || one.as === as)) ?? false;
}

/** Was it asked there, with those of this batch? */
export function isInBatch(seat: Seat, { on, batch }: Hanging): boolean {
  return hangingsOf(seat).some((one) => one.on === on && one.batch === batch);
}
