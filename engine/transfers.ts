/** 转办: a seat moves to another person for good. */
import { claimAsOne } from "./claims.ts";
import type { Draft } from "./draft.ts";
import type { CommandOf } from "./events.ts";
import { joinSeats, seatsAsOne } from "./joined-seats.ts";
import { approvalOf, roundOf, seatAt, setRound } from "./open-round.ts";
import { isKnown } from "./people.ts";
import type { PlaceDraft } from "./place.ts";
import { refuse, type Stop } from "./refusal.ts";
import { countOf, groupsOf } from "./results.ts";
import { proceed } from "./rounds.ts";
import { closeTask, endHangingOn, giveTask, hangingOn, putOff, standingSeatOf } from "./seats.ts";
import { peopleStage, stagesOf } from "./stages.ts";
import { decidedApart, neverApproves, type Sitter, takesOver } from "./standing-in.ts";
import { canPass, isFixed, votesOf } from "./tally.ts";
import { findTask, refuseOperation, refuseWithoutReason } from "./tasks.ts";
import type { Refusal } from "./types.ts";

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
  claimAsOne(place, index, from);
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
  const other = standingSeatOf(place, to, index);
  if (seats[index]!.hangs || other === -1) return undefined;
  const stage = peopleStage(stagesOf(place, rows)[number])!;
  const joined = seatsAsOne(seats, index, other);
  const falls = groupsOf(seats[index]!).some((group) => {
    const count = countOf(place, stage, group);
    return isFixed(count) && !canPass(count, votesOf(joined, group));
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
 * one.
 */
export function moveSeat(place: PlaceDraft, index: number, to: Sitter, move: SeatMove): void {
  const { ends, by } = move;
  if (standingSeatOf(place, to.person, index) !== -1) {
    endHangingOn(place, index, ends === "expired" ? "expired" : "cancelled", by);
  }
  const other = standingSeatOf(place, to.person, index); // That one may have hung on this.
  if (other === -1) {
    passOn(place, index, to, move);
    proceed(place, by);
    return;
  }
  place.draft.tell({ kind: "collapsed", person: to.person, from: seatAt(place, index).person });
  closeTask(place, index, ends, by);
  joinSeats(place, index, other, by);
}

function passOn(place: PlaceDraft, index: number, to: Sitter, { ends, by, keepsHanging }: SeatMove): void {
  const { task } = seatAt(place, index);
  const waits = keepsHanging === true && hangingOn(place, index).length > 0;
  if (!waits) endHangingOn(place, index, ends === "expired" ? "expired" : "cancelled", by);
  closeTask(place, index, ends, by);
  setHolder(place, index, to);
  if (task) giveTask(place, index, task.dueAt, waits);
  if (waits) putOff(place, index);
}

function setHolder(place: PlaceDraft, index: number, { person, onBehalfOf }: Sitter): void {
  const { onBehalfOf: _, candidates: __, approvedBefore: ___, ...rest } = seatAt(place, index);
  const { seats } = roundOf(place);
  const seat = { ...rest, person, ...(onBehalfOf !== undefined && { onBehalfOf }) };
  setRound(place, { seats: seats.with(index, seat) });
}
