/** Seats that hang on others: 前/后加签 and 委派, as a tree. */

import { isUndecided, roundOf, seatAt, setSeat } from "./open-round.ts";
import type { PlaceDraft } from "./place.ts";
import { proceed } from "./rounds.ts";
import { stopSeatTimers } from "./seat-timers.ts";
import { closeTask, endSeat, reopen } from "./seats.ts";
import type { Hanging, Seat } from "./types.ts";

/** A seat was decided, or has left: what follows for the seat it hangs on, or for the round. */
export function afterDecision(place: PlaceDraft, index: number, by: string): void {
  const { hangs } = seatAt(place, index);
  if (!hangs) proceed(place, by);
  else if (hangs.as === "delegate") giveBack(place, hangs.on);
  else settle(place, hangs, by);
}

/** An opinion never decides: the seat returns to the one who delegated. */
function giveBack(place: PlaceDraft, index: number): void {
  if (seatAt(place, index).status === "waiting") reopen(place, index);
}

function settle(place: PlaceDraft, hangs: Hanging, by: string): void {
  if (seatAt(place, hangs.on).status !== "waiting") return;
  const members = batchOf(place, hangs);
  const result = resultOf(
    members.map((index) => seatAt(place, index)),
    hangs,
  );
  if (result === "undecided") return;
  for (const index of members) endSeat(place, index, "superseded", by);
  if (result === "rejected") conclude(place, hangs.on, "rejected", by);
  else if (seatAt(place, hangs.on).approvedBefore) conclude(place, hangs.on, "approved", by);
  else reopen(place, hangs.on);
}

/** Indexes of those who were added together. */
function batchOf(place: PlaceDraft, { on, batch }: Hanging): number[] {
  return roundOf(place).seats.flatMap((seat, index) =>
    seat.hangs?.on === on && seat.hangs.batch === batch ? [index] : [],
  );
}

/** Advice does not reject. Nobody left is the same as nobody added. */
function resultOf(members: readonly Seat[], { all, as }: Hanging): "approved" | "rejected" | "undecided" {
  const has = (...statuses: readonly Seat["status"][]): boolean =>
    members.some(({ status }) => statuses.includes(status));
  if (as !== "advice" && has("rejected")) return "rejected";
  if (!all && has("approved", "handled", "rejected")) return "approved";
  return members.some(isUndecided) ? "undecided" : "approved";
}

/** The people who were added have decided the seat. */
function conclude(place: PlaceDraft, index: number, decision: "approved" | "rejected", by: string): void {
  closeTask(place, index, decision, by);
  stopSeatTimers(place, index);
  setSeat(place, index, { status: decision, decidedAt: place.draft.at });
  afterDecision(place, index, by);
}
