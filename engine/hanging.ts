/** Seats that hang on others: 前/后加签 and 委派, as a tree. */

import { approvalOf, hangingsOf, isInBatch, isUndecided, roundOf, seatAt, setSeat } from "./open-round.ts";
import type { PlaceDraft } from "./place.ts";
import { proceed } from "./rounds.ts";
import { stopSeatTimers } from "./seat-timers.ts";
import { closeTask, endHangingOn, hangingOn, letGo, reopen } from "./seats.ts";
import type { Hanging, Seat } from "./types.ts";

/** A seat was decided, or has left: what follows for the seats it hangs on, and for the round. */
export function afterDecision(place: PlaceDraft, index: number, by: string): void {
  afterDecisions(place, [index], by);
}

/** The same for several at once. */
export function afterDecisions(place: PlaceDraft, indexes: readonly number[], by: string): void {
  const above = indexes.flatMap((index) => hangingsOf(seatAt(place, index)));
  afterChange(
    place,
    above.map(({ on }) => on),
    by,
  );
}

/** Something changed for those whom these seats have asked. */
export function afterChange(place: PlaceDraft, seats: readonly number[], by: string): void {
  const above = new Set(seats);
  // The innermost first: one decision counts in all its places, also where the outer would end the inner.
  for (let next = takeInnermost(place, above); next !== undefined; next = takeInnermost(place, above)) {
    if (settle(place, next, by)) for (const { on } of hangingsOf(seatAt(place, next))) above.add(on);
  }
  proceed(place, by); // Only now: it looks at all seats, and may close the round.
}

function takeInnermost(place: PlaceDraft, seats: Set<number>): number | undefined {
  let innermost: number | undefined;
  for (const index of seats) {
    if (innermost === undefined || depthOf(place, index) > depthOf(place, innermost)) innermost = index;
  }
  if (innermost !== undefined) seats.delete(innermost);
  return innermost;
}

function depthOf(place: PlaceDraft, index: number): number {
  const places = hangingsOf(seatAt(place, index)).filter(({ on }) => seatAt(place, on).status !== "cancelled");
  return places.reduce((depth, { on }) => Math.max(depth, 1 + depthOf(place, on)), 0);
}

/** What those have come to whom a waiting seat has asked. @returns whether the seat is decided by that. */
function settle(place: PlaceDraft, on: number, by: string): boolean {
  const { status, approvedBefore, task } = seatAt(place, on);
  if (status !== "waiting") return false;
  for (const hanging of batchesOn(place, on)) {
    // An opinion never decides; once the person has approved it is those after that count.
    if (hanging.as === "delegate" || (approvedBefore && hanging.as !== "after")) continue;
    const members = batchOf(place, hanging);
    const asked = members.map((index) => seatAt(place, index));
    const result = batchResult(asked, hanging, approvalOf(place).abstain);
    if (result === "undecided") continue;
    const isThis = (one: Hanging): boolean => one.on === on && one.batch === hanging.batch;
    for (const index of members) {
      if (isUndecided(seatAt(place, index))) letGo(place, index, isThis, "superseded", by);
    }
    if (result === "rejected") {
      conclude(place, on, result, by);
      return true;
    }
  }
  if (hangingOn(place, on).length > 0) return false;
  if (approvedBefore) conclude(place, on, "approved", by);
  else if (task) reopen(place, on); // Without a task it is asked anew, when its turn comes.
  return approvedBefore === true;
}

/** One of each batch that was asked there. */
function batchesOn(place: PlaceDraft, on: number): readonly Hanging[] {
  const batches = new Map<number, Hanging>();
  for (const seat of roundOf(place).seats) {
    for (const hanging of hangingsOf(seat)) if (hanging.on === on) batches.set(hanging.batch, hanging);
  }
  return [...batches.values()];
}

/** Indexes of those who were added together. */
function batchOf(place: PlaceDraft, hanging: Hanging): number[] {
  return roundOf(place).seats.flatMap((seat, index) => (isInBatch(seat, hanging) ? [index] : []));
}

/**
 * What those have decided who were added together. Advice does not reject. Nobody left, or everybody abstained, is the same
 * as nobody added; else an abstention counts as it does for the stage.
 */
export function batchResult(
  members: readonly Seat[],
  { all, as }: Hanging,
  abstain: "leaves" | "no",
): "approved" | "rejected" | "undecided" {
  const has = (...statuses: readonly Seat["status"][]): boolean =>
    members.some(({ status }) => statuses.includes(status));
  const isOpen = members.some(isUndecided);
  if (as !== "advice" && has("rejected")) return "rejected";
  const hasDecided = has("approved", "handled", "rejected");
  if (all && abstain === "no" && as !== "advice" && has("abstained") && (isOpen || hasDecided)) return "rejected";
  if (!all && hasDecided) return "approved";
  return isOpen ? "undecided" : "approved";
}

/** The people who were added have decided the seat. */
function conclude(place: PlaceDraft, index: number, decision: "approved" | "rejected", by: string): void {
  endHangingOn(place, index, "superseded", by);
  closeTask(place, index, decision, by);
  stopSeatTimers(place, index);
  setSeat(place, index, { status: decision, decidedAt: place.draft.at });
}
