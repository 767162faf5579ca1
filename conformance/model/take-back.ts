/** 拿回 in the model: of a delegation, or of one's approval while the round has no result. */
import { join, standing } from "./move.ts";
import { type Refused, type Round, refuseNoTurn, release, settle, type Task } from "./round.ts";
import {
  askedBy,
  change,
  hasAsked,
  isIn,
  isOpinion,
  isUndecided,
  type Member,
  outcomeOf,
  placesOf,
  resultOf,
  type Seat,
  seatOf,
} from "./seat.ts";
import { groupSays, vetoSays } from "./stage.ts";

export function takeBack(round: Round, actor: string): Round | Refused {
  if (round.result) return { refused: "finished" };
  const mine = round.seats.filter((seat) => seat.holder === actor && isIn(seat));
  const delegated = mine.find((seat) => isUndecided(round, seat) && delegatesOf(round, seat).some(isAsked));
  if (delegated) return settle(endAsking(round, delegated), true);
  const approved = mine.filter(({ opinion }) => opinion === "approved").filter((seat) => isNotRejected(round, seat));
  if (approved.length === 0) return refuseNothing(round, actor);
  const seat = approved.reduce((one, other) => (one.saidAt! > other.saidAt! ? one : other));
  if (isBuiltOn(round, seat) || isDecidedAfter(round, seat)) return { refused: "not-possible-in-state" };
  return undo(round, seat);

  function isAsked(seat: Seat): boolean {
    return isUndecided(round, seat);
  }
}

function delegatesOf({ seats }: Round, { batches }: Seat): readonly Seat[] {
  const delegations = batches.filter(({ kind }) => kind === "delegate");
  return delegations.flatMap(({ members }) => members.flatMap((one) => (one.left ? [] : [seatOf(seats, one.seat)])));
}

function isNotRejected(round: Round, seat: Seat): boolean {
  return outcomeOf(round, seat) !== "rejected";
}

function refuseNothing(round: Round, actor: string): Refused {
  const hasTask = (seat: Seat) => round.tasks.some((task) => task.person === actor && task.seat === seat.id);
  const held = round.seats.find((seat) => seat.holder === actor && isUndecided(round, seat) && hasTask(seat));
  // They have yet to decide, or had delegated it before.
  if (held) return { refused: wasDelegated(round, held) ? "task-closed" : "not-your-task" };
  const theirs = round.tasks.filter(({ person }) => person === actor);
  const newest = theirs.reduce<(typeof theirs)[number] | undefined>(
    (one, other) => (one && one.closedAt! > other.closedAt! ? one : other),
    undefined,
  );
  return newest?.status === "approved" ? { refused: "not-possible-in-state" } : refuseNoTurn(round, actor);
}

function wasDelegated({ seats }: Round, { batches }: Seat): boolean {
  const delegations = batches.filter(({ kind }) => kind === "delegate");
  return delegations.some(({ members }) => members.some(({ seat, left }) => !left || !isIn(seatOf(seats, seat))));
}

// ------------------------------------------------------------------------------------------------------------------ //
// Who has decided since
// ------------------------------------------------------------------------------------------------------------------ //

/** Has somebody decided who was to do so after this seat, in its tree or its sequence? */
function isBuiltOn(round: Round, seat: Seat): boolean {
  return placesOf(round.seats, seat).some(({ by, batch }) => {
    if (batch.kind !== "after") return !isUndecided(round, by) || by.opinion !== undefined;
    if (isUndecided(round, by)) return false;
    return !isIn(by) || outcomeOf(round, by) !== "approved" || isBuiltOn(round, by);
  });
}

function isDecidedAfter(round: Round, seat: Seat): boolean {
  const after = seat.batches.filter(({ kind }) => kind === "after");
  if (
    after.some((batch) => batch.members.some((one) => !one.left && holdsDecision(round, seatOf(round.seats, one.seat))))
  ) {
    return true;
  }
  if (round.stage.groups[0]!.mode.kind !== "sequence") return false;
  const places = round.seats.filter(({ counts }) => counts.length > 0);
  const own = Math.min(...rootsOf(round, seat).map((root) => places.indexOf(root)));
  return round.seats.some((one) => {
    const isDecision = one.opinion && one.out !== "cancelled" && !isOpinion(round.seats, one);
    return isDecision && rootsOf(round, one).some((root) => places.indexOf(root) > own);
  });
}

/** Opinions are no decisions. */
function holdsDecision(round: Round, seat: Seat): boolean {
  if (seat.out === "cancelled") return false;
  if (seat.opinion && !isOpinion(round.seats, seat)) return true;
  const below = seat.batches.flatMap(({ members }) => members.filter(({ left }) => !left));
  return below.some((one) => holdsDecision(round, seatOf(round.seats, one.seat)));
}

/** The seats that count for which it decides; of one that counts, itself. */
function rootsOf(round: Round, seat: Seat): readonly Seat[] {
  return seat.counts.length > 0 ? [seat] : placesOf(round.seats, seat).flatMap(({ by }) => rootsOf(round, by));
}

// ------------------------------------------------------------------------------------------------------------------ //
// As it was before
// ------------------------------------------------------------------------------------------------------------------ //

function undo(before: Round, { id, saidAt, counts, batches, holder }: Seat): Round {
  const isLate = before.certain !== undefined && saidAt! > before.certain.since;
  const certain = isLate ? before.certain : undefined;
  const after = batches.filter(({ kind }) => kind === "after");
  const ended = endAsking({ ...before, certain }, { ...seatOf(before.seats, id), batches: after });
  const seats = change(ended.seats, id, ({ opinion: _, saidAt: __, ...seat }): Seat => seat);
  const asked = askAround({ ...ended, seats }, before, id);
  const other = standing(asked, holder, id);
  const back = other ? join(asked, seatOf(asked.seats, id), other) : { ...asked, tasks: openAgain(asked, id) };
  return settle(askSuperseded(back, rootGroups(before, id, counts)), true);
}

/** The task of the approval is the one that is open again. */
function openAgain({ tasks, seats }: Round, id: number): readonly Task[] {
  const at = tasks.findLastIndex(({ seat, person }) => seat === id && person === seatOf(seats, id).holder);
  return tasks.with(at, { person: tasks[at]!.person, seat: id, status: "open" });
}

/** Groups in which the seat, or those it decides for, count. */
function rootGroups(round: Round, id: number, counts: Seat["counts"]): Seat["counts"] {
  const above = placesOf(round.seats, seatOf(round.seats, id));
  return [...counts, ...above.flatMap(({ by }) => rootGroups(round, by.id, by.counts))];
}

function endAsking(round: Round, seat: Seat): Round {
  return askedBy(round, seat).reduce((now, one) => release(now, one.id, seat.id, "cancelled"), round);
}

/** Who was asked together with this seat is asked again; so it is with a seat that those after it had completed. */
function askAround(round: Round, before: Round, id: number): Round {
  return placesOf(before.seats, seatOf(before.seats, id)).reduce((now, { by, batch }) => {
    const asked = askBatch(now, by.id, by.batches.indexOf(batch));
    const wasDone = batch.kind === "after" && outcomeOf(before, by) === "approved";
    return wasDone ? askAround(asked, before, by.id) : asked;
  }, round);
}

/** Those who were superseded together, unless the others have decided; who sits elsewhere too had only been let go. */
function askBatch(before: Round, by: number, index: number): Round {
  const asked = change(before.seats, by, (seat) => ({
    ...seat,
    batches: seat.batches.map((batch, at) =>
      at === index ? { ...batch, members: batch.members.map((one) => comeBackTo(before, one, by)) } : batch,
    ),
  }));
  const { members } = seatOf(asked, by).batches[index]!;
  const ended = members.flatMap(({ seat, left }) => (left ? [] : [seatOf(asked, seat)])).filter(isSuperseded);
  const hanging = ended.filter(({ counts }) => counts.length === 0);
  const back = hanging.reduce((now, { id }) => askAgain(now, id), { ...before, seats: asked });
  return resultOf(back, seatOf(back.seats, by).batches[index]!) === "open" ? back : { ...before, seats: asked };
}

function comeBackTo({ seats }: Round, { left, ...member }: Member, by: number): Member {
  const isGone = left === "gone" || (left && hasAsked(seats, seatOf(seats, member.seat), by));
  return isGone ? { ...member, left } : member;
}

function isSuperseded({ out }: Seat): boolean {
  return out === "superseded";
}

function comeBack({ out: _, ...seat }: Seat): Seat {
  return seat;
}

/** With what it had asked itself. Somebody who has another seat by now has one in both places. */
function askAgain(round: Round, id: number): Round {
  const seat = seatOf(round.seats, id);
  const other = standing(round, seat.holder, id);
  if (other && seat.counts.length === 0) return round;
  const back = { ...round, seats: change(round.seats, id, comeBack) };
  if (other) return join(back, seatOf(back.seats, id), other);
  return seat.batches.reduce((now, _, index) => askBatch(now, id, index), back);
}

/** Seats that the result of their group had superseded, where it has none any more. */
function askSuperseded(round: Round, which: readonly number[]): Round {
  const ended = round.seats.filter((seat) => isSuperseded(seat) && seat.counts.length > 0);
  const asBefore = ended.reduce((now, { id }) => askAgain(now, id), round);
  const says = round.stage.groups.map((_, group) => groupSays(asBefore, group));
  const isOpen = (group: number) =>
    says[group] === "open" || (says[group] === "approved" && vetoSays(asBefore) === "open");
  const groups = round.groups.map((known, group) => {
    return which.includes(group) &&
      (isOpen(group) || says[group] !== "approved") &&
      known !== "skipped" &&
      known !== "held"
      ? undefined
      : known;
  });
  return ended
    .filter(({ counts }) => counts.some((group) => groups[group] === undefined && isOpen(group)))
    .reduce<Round>((now, { id }) => askAgain(now, id), { ...round, groups });
}
