/** 转办: a seat moves to another person for good. */
import { claim } from "./claims.ts";
import type { Draft } from "./draft.ts";
import type { CommandOf } from "./events.ts";
import { afterDecision } from "./hanging.ts";
import { approvalOf, roundOf, seatAt, setRound, setSeat } from "./open-round.ts";
import { isKnown } from "./people.ts";
import type { PlaceDraft } from "./place.ts";
import { refuse, type Stop } from "./refusal.ts";
import { countOf, groupsOf, proceed } from "./rounds.ts";
import { stopSeatTimers } from "./seat-timers.ts";
import { closeTask, endSeat, giveTask, hangingOn, putOff, standingSeatOf } from "./seats.ts";
import { peopleStage, stagesOf } from "./stages.ts";
import { decidedApart, neverApproves, type Sitter, takesOver } from "./standing-in.ts";
import { canPass, isFixed, votesOf } from "./tally.ts";
import { findTask, refuseOperation, refuseWithoutReason } from "./tasks.ts";
import type { Membership, Refusal, Seat } from "./types.ts";

export function transferTask(draft: Draft, command: CommandOf<"transfer">): Stop | undefined {
  const held = findTask(draft, command);
  if ("kind" in held) return held;
  const { place, index } = held;
  const { to, reason } = command;
  const stop = refuseOperation(place, "transfer") ?? refuseWithoutReason(approvalOf(place), "transfer", reason);
  if (stop) return stop;
  const target = findTarget(place, to, draft.actor);
  if ("kind" in target) return target;
  const below = refuseBelow(place, index, target.person);
  if (below) return below;
  const from = draft.actor!;
  claim(place, index, from);
  const { id: task } = seatAt(place, index).task!;
  draft.tell({ kind: "transferred", task, from, to: target.person, ...(reason !== undefined && { reason }) });
  moveSeat(place, index, target, { ends: "transferred", by: from });
  return undefined;
}

/**
 * Who would get what is given to this person: the deputy of one who is away, the successor of one who left.
 * @param from who gives it; it can't come back to them.
 */
export function findTarget(place: PlaceDraft, to: string, from: string | undefined): Sitter | Stop {
  const { draft } = place;
  const known = isKnown(place, to);
  const taker = takesOver(place, to);
  const never = taker && taker !== "left" ? neverApproves(place, taker.person) : false;
  const blocked = draft.blocked();
  if (blocked) return blocked;
  if (!known) return refuse("unknown-user", `Nobody here is called \`${to}\`.`, { user: to });
  if (!taker || taker === "left") return refuse("unknown-user", `\`${to}\` has left.`, { user: to });
  const { person } = taker;
  if (person === from) return refuse("same-person", "The task is yours already.", { user: to });
  if (decidedApart(place, person)) {
    return refuse("same-person", `\`${person}\` decided a state that other people must decide.`, { user: person });
  }
  if (never) return refuse("self-approval", `\`${person}\` may not approve here.`, { user: person });
  return taker;
}

/** Would moving the seat to this person, who sits already, leave too few for a fixed number of approvals? */
export function refuseBelow(place: PlaceDraft, index: number, to: string): Refusal | undefined {
  const { seats, rows, stage: number } = roundOf(place);
  const sitting = seats[standingSeatOf(place, to, index)];
  if (seats[index]!.hangs || !sitting || sitting.hangs) return undefined;
  const stage = peopleStage(stagesOf(place, rows)[number])!;
  const others = seats.map((seat, at): Seat => (at === index ? { ...seat, status: "cancelled" } : seat));
  const falls = groupsOf(seats[index]!).some((group) => {
    const count = countOf(place, stage, group);
    return isFixed(count) && groupsOf(sitting).includes(group) && !canPass(count, votesOf(others, group));
  });
  if (!falls) return undefined;
  return refuse("below-threshold", `\`${to}\` has a seat already; too few would be left to approve.`, { user: to });
}

export interface SeatMove {
  readonly ends: "transferred" | "expired";
  readonly by: string;
  /** People who were added, and delegates, go on for the new holder. */
  readonly keepsHanging?: boolean;
}

/**
 * Moves an open seat to another person; its deadline stays. If that person sits in the round already, the two seats become
 * one in the earlier place, and what the person decided stands for it.
 */
export function moveSeat(place: PlaceDraft, index: number, to: Sitter, { ends, by, keepsHanging }: SeatMove): void {
  const other = standingSeatOf(place, to.person, index);
  if (other !== -1) place.draft.tell({ kind: "collapsed", person: to.person, from: seatAt(place, index).person });
  const isTree = other !== -1 && (seatAt(place, index).hangs !== undefined || seatAt(place, other).hangs !== undefined);
  if (isTree && mergeInTree(place, index, other, { ends, by })) return;
  const { task, status, approvedBefore } = seatAt(place, index);
  const merges = other !== -1 && !isTree;
  const waits = keepsHanging && !merges && status === "waiting" && hangingOn(place, index).length > 0;
  if (!waits) endHanging(place, index, ends, by);
  closeTask(place, index, ends, by);
  const hasTurn = merges && (seatAt(place, other).status !== "waiting" || seatAt(place, other).task !== undefined);
  if (hasTurn) keepOther(place, index, other);
  else {
    if (merges) takeInto(place, index, other);
    setHolder(place, index, to);
    if (waits && approvedBefore) setSeat(place, index, { status, approvedBefore });
    else if (task) giveTask(place, index, task.dueAt, waits);
    if (waits && !approvedBefore) putOff(place, index);
  }
  if (isTree) afterDecision(place, other, by);
  else if (merges) proceed(place, by);
}

/**
 * One of the two hangs on a seat. What the person has decided stands for both; else the one that hangs goes, and nobody
 * waits for it any more. False: the seat is still to be moved.
 */
function mergeInTree(place: PlaceDraft, index: number, other: number, { ends, by }: SeatMove): boolean {
  const { status, decidedAt } = seatAt(place, other);
  if (status !== "open" && status !== "waiting") {
    endHanging(place, index, ends, by);
    closeTask(place, index, ends, by);
    setSeat(place, index, { status, ...(decidedAt !== undefined && { decidedAt }) });
    stopSeatTimers(place, index);
    afterDecision(place, index, by);
    return true;
  }
  if (!seatAt(place, index).hangs) {
    endSeat(place, other, "cancelled", by);
    return false;
  }
  closeTask(place, index, ends, by);
  endSeat(place, index, "cancelled", by);
  afterDecision(place, index, by);
  return true;
}

function endHanging(place: PlaceDraft, index: number, ends: SeatMove["ends"], by: string): void {
  for (const hanging of hangingOn(place, index)) {
    endSeat(place, hanging, ends === "expired" ? "expired" : "cancelled", by);
  }
}

function setHolder(place: PlaceDraft, index: number, { person, onBehalfOf }: Sitter): void {
  const { onBehalfOf: _, candidates: __, approvedBefore: ___, ...rest } = seatAt(place, index);
  const { seats } = roundOf(place);
  const seat = { ...rest, person, ...(onBehalfOf !== undefined && { onBehalfOf }) };
  setRound(place, { seats: seats.with(index, seat) });
}

/** The seat of one who had a turn already stays; it counts in both places' groups. */
function keepOther(place: PlaceDraft, index: number, other: number): void {
  const { counts, veto } = seatAt(place, index);
  const kept = seatAt(place, other);
  setSeat(place, index, { status: "cancelled" });
  stopSeatTimers(place, index);
  setSeat(place, other, { ...joined(kept.counts, counts), ...((veto || kept.veto) && { veto: true }) });
}

/** The seat of one who still waits moves up to this place. */
function takeInto(place: PlaceDraft, index: number, other: number): void {
  const { counts, veto } = seatAt(place, other);
  const seat = seatAt(place, index);
  setSeat(place, other, { status: "cancelled" });
  setSeat(place, index, { ...joined(counts, seat.counts), ...((veto || seat.veto) && { veto: true }) });
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
