/**
 * Two seats of one person become one (转办 and 离职转办 to somebody who sits): one task, one decision, in every place of
 * both. What the person has decided stands for both; what the other holder had asked of others has ended.
 */
import { archive } from "./closed-tasks.ts";
import { afterChange } from "./hanging.ts";
import { hangingsOf, hangsOn, isInBatch, isUndecided, roundOf, seatAt, setRound, setSeat } from "./open-round.ts";
import type { PlaceDraft } from "./place.ts";
import { startSeatTimers, stopSeatTimers } from "./seat-timers.ts";
import { closeTask, giveTask, hangAt, hangingOn, isThere, putOff } from "./seats.ts";
import { sharesSequence } from "./turns.ts";
import type { Hanging, Membership, Seat } from "./types.ts";

/**
 * @param index the seat that moves; its task is closed and nothing hangs on it any more.
 * @param other what the person it moves to has in the round already.
 */
export function joinSeats(place: PlaceDraft, index: number, other: number, by: string): void {
  const keeps = survivor(place, index, other);
  const goes = keeps === index ? other : index;
  const before = [...hangingsOf(seatAt(place, index)), ...hangingsOf(seatAt(place, other))];
  const hangings = hangingsOf(seatAt(place, goes));
  if (keeps === index) takeOver(place, index, other);
  join(place, keeps, goes);
  stopSeatTimers(place, goes);
  for (const hanging of hangings) alsoHang(place, keeps, hanging);
  const asking = [...before, ...hangingsOf(seatAt(place, keeps))].map(({ on }) => on);
  // The last one who was to decide after them may have been they themselves.
  afterChange(place, seatAt(place, keeps).approvedBefore ? [...asking, keeps] : asking, by);
}

/** The seats as they would be counted if the two were one. */
export function seatsAsOne(seats: readonly Seat[], index: number, other: number): readonly Seat[] {
  const [moves, sits] = [seats[index]!, seats[other]!];
  if (sits.hangs) return isUndecided(sits) ? seats : seats.with(index, { ...moves, status: sits.status });
  const kept = { ...sits, ...joined(sits.counts, moves.counts) };
  return seats.with(index, { ...moves, status: "cancelled" }).with(other, kept);
}

/** Which of the two stays: one that counts, and what its person has decided; in a sequence, the earlier place. */
function survivor(place: PlaceDraft, index: number, other: number): number {
  const [moves, sits] = [seatAt(place, index), seatAt(place, other)];
  if (moves.hangs) return other;
  if (sits.hangs) return index;
  if (!isUndecided(sits)) return other;
  if (sharesSequence(place, index, other)) return Math.min(index, other);
  return moves.task && !sits.task ? index : other;
}

/** At the place of the seat that moves, everything is as it was for its new holder: asked, waiting for others, decided. */
function takeOver(place: PlaceDraft, index: number, other: number): void {
  const apart = hangingsOf(seatAt(place, index)).filter(({ on }) => on !== other && !hasAsked(place, other, on));
  hangAt(place, index, apart); // Those whom they have asked do not wait for them.
  moveHanging(place, other, index);
  const {
    person,
    onBehalfOf,
    status,
    approvedBefore,
    task: own,
    decidedAt,
    reason,
    signature,
    auto,
  } = seatAt(place, other);
  const { candidates: _, onBehalfOf: __, approvedBefore: ___, ...rest } = seatAt(place, index);
  const { task } = rest;
  const seat: Seat = { ...rest, person, ...(onBehalfOf !== undefined && { onBehalfOf }) };
  setRound(place, { seats: roundOf(place).seats.with(index, seat) });
  if (approvedBefore || !isUndecided(seatAt(place, other))) {
    if (task) archive(place.draft, [task]);
    setSeat(place, index, {
      status,
      ...(own && { task: own }),
      ...(approvedBefore && { approvedBefore }),
      ...(decidedAt !== undefined && { decidedAt }),
      ...(reason !== undefined && { reason }),
      ...(signature !== undefined && { signature }),
      ...(auto !== undefined && { auto }),
    });
    if (!approvedBefore) stopSeatTimers(place, index);
    return;
  }
  closeTask(place, other, "cancelled");
  if (!task && !own) return;
  const waits = hangingOn(place, index).length > 0;
  giveTask(place, index, task ? task.dueAt : own!.dueAt, waits);
  if (!task) startSeatTimers(place, index);
  if (waits) putOff(place, index);
}

/** Those whom the person has asked, or who were added by them, go on at the other place. */
function moveHanging(place: PlaceDraft, from: number, to: number): void {
  const moved = (hanging: Hanging): Hanging => (hanging.on === from ? { ...hanging, on: to } : hanging);
  for (const [at, seat] of roundOf(place).seats.entries()) {
    if (seat.added?.seat === from) setSeat(place, at, { added: { ...seat.added, seat: to } });
    if (hangsOn(seat, from)) {
      const places = at === to ? hangingsOf(seat).filter(({ on }) => on !== from) : hangingsOf(seat).map(moved);
      hangAt(place, at, places);
    }
  }
}

/** One counts where both did, and with a veto if either had one. */
function join(place: PlaceDraft, keeps: number, goes: number): void {
  const [kept, gone] = [seatAt(place, keeps), seatAt(place, goes)];
  setSeat(place, goes, { status: "cancelled" });
  if (kept.hangs || gone.hangs) return;
  const { candidates: _, ...seat } = { ...kept, ...joined(kept.counts, gone.counts) };
  const veto = kept.veto || gone.veto ? ({ veto: true } as const) : undefined;
  setRound(place, { seats: roundOf(place).seats.with(keeps, { ...seat, ...veto }) });
}

/** In a group where both count, the first one's weight is kept. */
function joined(
  kept: readonly Membership[] | undefined,
  more: readonly Membership[] | undefined,
): { readonly counts?: readonly Membership[] } {
  if (!kept || !more) return kept ? { counts: kept } : {};
  const others = more.filter(({ group }) => !kept.some((one) => one.group === group));
  return { counts: [...kept, ...others] };
}

/** Others wait for the seat there too, but nobody waits for themselves, or for one that has gone. */
export function alsoHang(place: PlaceDraft, index: number, hanging: Hanging): void {
  const { on } = hanging;
  const isIn = isInBatch(seatAt(place, index), hanging);
  if (on === index || isIn || !isThere(seatAt(place, on)) || hasAsked(place, index, on)) return;
  hangAt(place, index, [...hangingsOf(seatAt(place, index)), hanging]);
}

/** Has the first seat's person asked the second, or somebody who has? Who was superseded may come back. */
function hasAsked(place: PlaceDraft, index: number, other: number): boolean {
  return roundOf(place).seats.some((seat, at) => {
    const isAsked = hangsOn(seat, index) && (isThere(seat) || seat.status === "superseded");
    return isAsked && (at === other || hasAsked(place, at, other));
  });
}
