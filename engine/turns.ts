/** Whose turn it is in the open round. */
import type { PeopleStage } from "../dsl/index.ts";
import { hangingsOf, isOpinion, isUndecided, roundOf, seatAt } from "./open-round.ts";
import type { PlaceDraft } from "./place.ts";
import { groupsOf } from "./results.ts";
import { restartSeatTimers, stopSeatTimers } from "./seat-timers.ts";
import { endHangingOn, endSeat, hangingOn, openSeat, openSeats, putOff, reopen } from "./seats.ts";
import { modeOf, peopleStage, stagesOf } from "./stages.ts";
import type { Verdict } from "./tally.ts";
import type { Round, Seat } from "./types.ts";
import { approveRepeated } from "./votes.ts";

/**
 * Opens the seats whose turn it is, and ends those that only counted in groups which have their result.
 * @returns whether a seat was approved without being asked, so that the round has to be counted again.
 */
export function openTurns(place: PlaceDraft, stage: PeopleStage, verdicts: readonly Verdict[], by: string): boolean {
  if (stage.groups.length > 1) endMoot(place, verdicts, by);
  const turns: number[] = [];
  const inOrder = stage.groups.some(({ mode }) => mode.kind === "sequence");
  roundOf(place).seats.forEach((one, index) => {
    if (one.hangs || !isUndecided(one)) return;
    const hasTurn = (group: number): boolean => verdicts[group] === "undecided" && isTurn(place, stage, group, index);
    if (isUnasked(place, index)) {
      if (one.alsoHangs || groupsOf(one).some(hasTurn)) turns.push(index);
    } else if (inOrder && !one.alsoHangs && !groupsOf(one).some(hasTurn)) letWait(place, index);
  });
  const asked = turns.filter((index) => !approveRepeated(place, index));
  if (asked.length < turns.length) return true;
  if (asked.every((index) => !seatAt(place, index).task)) openSeats(place, asked);
  else for (const index of asked) askSeat(place, index);
  return false;
}

/** Seats that only count in groups which have their result; what hung on one of them may be done with it, too. */
function endMoot(place: PlaceDraft, verdicts: readonly Verdict[], by: string): void {
  const isMoot = (seat: Seat): boolean =>
    !seat.hangs &&
    !seat.alsoHangs &&
    isUndecided(seat) &&
    !groupsOf(seat).some((group) => verdicts[group] === "undecided");
  for (;;) {
    const index = roundOf(place).seats.findIndex(isMoot);
    if (index === -1) return;
    endSeat(place, index, "superseded", by);
  }
}

/** It was not their turn yet, or is not any more because an approval before theirs was taken back. */
function isUnasked(place: PlaceDraft, index: number): boolean {
  const { status, task, approvedBefore } = seatAt(place, index);
  if (status !== "waiting" || approvedBefore) return false;
  return !task || (task.status === "waiting" && hangingOn(place, index).length === 0);
}

function askSeat(place: PlaceDraft, index: number): void {
  if (!seatAt(place, index).task) {
    openSeat(place, index);
    return;
  }
  reopen(place, index);
  restartSeatTimers(place, index, place.draft.at);
}

/** It is not the seat's turn any more; what its person has asked of others ends. */
function letWait(place: PlaceDraft, index: number): void {
  if (seatAt(place, index).approvedBefore) return;
  endHangingOn(place, index, "cancelled", place.draft.actor);
  stopSeatTimers(place, index);
  putOff(place, index);
}

/** Has somebody decided in a sequence who was asked after this seat, or whom they have added? */
export function isDecidedAfter(stage: PeopleStage, { seats, groups }: Round, index: number): boolean {
  const own = Math.min(...rootsOf(seats, index));
  const inSequence = groupsOf(seats[own]!).filter(
    (group) => modeOf(stage.groups[group]!, groups?.[group]).kind === "sequence",
  );
  if (inSequence.length === 0) return false;
  const isLater = (root: number): boolean =>
    root > own && groupsOf(seats[root]!).some((group) => inSequence.includes(group));
  return seats.some((one, at) => {
    const hasDecided = one.approvedBefore || (one.decidedAt !== undefined && one.auto === undefined);
    return hasDecided && !isOpinion(one) && rootsOf(seats, at).some(isLater);
  });
}

/** The seats that count on which this one hangs; of one that counts, itself. */
export function rootsOf(seats: readonly Seat[], index: number): readonly number[] {
  const seat = seats[index]!;
  const places = seat.hangs ? hangingsOf(seat).filter(({ on }) => seats[on]!.status !== "cancelled") : [];
  return places.length > 0 ? places.flatMap(({ on }) => rootsOf(seats, on)) : [index];
}

/** In a sequence everybody before must have decided. */
function isTurn(place: PlaceDraft, stage: PeopleStage, group: number, index: number): boolean {
  const { seats, groups } = roundOf(place);
  if (modeOf(stage.groups[group]!, groups?.[group]).kind !== "sequence") return true;
  return !seats.slice(0, index).some((one) => !one.hangs && isUndecided(one) && groupsOf(one).includes(group));
}

/** Are both asked one after the other? */
export function sharesSequence(place: PlaceDraft, index: number, other: number): boolean {
  const { seats, groups, rows, stage: number } = roundOf(place);
  const stage = peopleStage(stagesOf(place, rows)[number])!;
  const both = groupsOf(seats[index]!).filter((group) => groupsOf(seats[other]!).includes(group));
  return both.some((group) => modeOf(stage.groups[group]!, groups?.[group]).kind === "sequence");
}
