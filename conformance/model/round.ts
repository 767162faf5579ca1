/** A round of the model: its seats, whose turn it is, and what it has come to. */
import {
  askedBy,
  change,
  dismiss,
  isUndecided,
  outcomeOf,
  placesOf,
  resultOf,
  type Seat,
  type Seats,
  seatOf,
  turnsOf,
} from "./seat.ts";
import { groupSays, type Result, type Stage, vetoSays } from "./stage.ts";

export interface Task {
  readonly person: string;
  readonly seat: number;
  readonly status: string;
  /** As which happening of the round. */
  readonly closedAt?: number;
}

export interface Round {
  readonly stage: Stage;
  /** In the order of their places. */
  readonly seats: Seats;
  /** Results of the groups, once they have one. */
  readonly groups: readonly (Result | "skipped" | "held" | undefined)[];
  /** Certain, though the stage may stay open for every opinion, and since which happening. */
  readonly certain?: { readonly result: Result; readonly since: number } | undefined;
  readonly result?: Result | undefined;
  /** Every task that ever opened, oldest first. */
  readonly tasks: readonly Task[];
  /** How much has happened. */
  readonly clock: number;
}

export interface Refused {
  readonly refused: string;
}

export function open(stage: Stage): Round {
  const people = [...new Set(stage.groups.flatMap((group) => group.people))];
  const seats = people.map((holder, id): Seat => {
    const counts = stage.groups.flatMap((group, index) => (group.people.includes(holder) ? [index] : []));
    return { id, holder, counts, veto: stage.veto.includes(holder), weight: weightOf(stage, holder), batches: [] };
  });
  return settle({ stage, seats, groups: stage.groups.map(() => undefined), tasks: [], clock: 0 });
}

export function weightOf({ weights }: Stage, person: string): number {
  return weights?.[person] ?? 1;
}

/** The round with one seat changed. */
export function withSeat(round: Round, id: number, how: (seat: Seat) => Seat): Round {
  return settle({ ...round, seats: change(round.seats, id, how) });
}

// ------------------------------------------------------------------------------------------------------------------ //
// Tasks
// ------------------------------------------------------------------------------------------------------------------ //

/** The seat at which it is the actor's turn, else why there is none. */
export function turnOf(round: Round, actor: string): Seat | Refused {
  return turns(round).find(({ holder }) => holder === actor) ?? refuseNoTurn(round, actor);
}

export function refuseNoTurn({ tasks }: Round, actor: string): Refused {
  const theirs = tasks.filter(({ person }) => person === actor);
  if (theirs.length === 0 || theirs.some(({ closedAt }) => closedAt === undefined)) return { refused: "not-your-task" };
  const newest = theirs.reduce((one, other) => (one.closedAt! > other.closedAt! ? one : other));
  return { refused: newest.status === "superseded" ? "superseded" : "task-closed" };
}

/** Seats whose holders have an open task. */
export function turns(round: Round): Seats {
  if (round.result) return [];
  const { stage, seats, groups } = round;
  const open = seats.filter((seat) => seat.counts.length > 0 && isUndecided(round, seat));
  const asked = open.filter(({ counts }) => counts.some((group) => isOpen(groups[group])));
  const inTurn = stage.groups[0]!.mode.kind === "sequence" ? asked.slice(0, 1) : asked;
  return [...new Set(inTurn.flatMap((seat) => turnsOf(round, seat)))];
}

function isOpen(group: Round["groups"][number]): boolean {
  return group === undefined || group === "held";
}

/** How the task stands that somebody got last. */
export function newestTask({ tasks }: Round, person: string): string | undefined {
  return tasks.findLast((task) => task.person === person)?.status;
}

/**
 * Tasks open with turns, wait with seats that others decide first, and end as their seats do.
 * @param again a seat that had a task gets that one back.
 */
function retask(round: Round, again: boolean): Round {
  const wanted = turns(round);
  let tasks = round.tasks.map((task): Task => {
    if (task.closedAt !== undefined) return task;
    if (wanted.some(({ id, holder }) => id === task.seat && holder === task.person)) return { ...task, status: "open" };
    const status = endOf(round, task);
    return status === "waiting" ? { ...task, status } : { ...task, status, closedAt: round.clock };
  });
  const given = again ? [...wanted, ...wanted.flatMap((seat) => waitingFor(round, seat))] : wanted;
  for (const { id, holder } of given) {
    const at = tasks.findLastIndex(({ person, seat }) => person === holder && seat === id);
    if (tasks[at] && tasks[at].closedAt === undefined) continue;
    const status = wanted.some((seat) => seat.id === id) ? "open" : "waiting";
    const task: Task = { person: holder, seat: id, status };
    if (again && at !== -1) tasks = tasks.with(at, task);
    else if (status === "open") tasks = [...tasks, task];
  }
  return { ...round, tasks };
}

/** Seats that would decide after this one, and have not. */
function waitingFor(round: Round, seat: Seat): Seats {
  const above = placesOf(round.seats, seat).flatMap(({ by }) => (isUndecided(round, by) && !by.opinion ? [by] : []));
  return above.flatMap((by) => [by, ...waitingFor(round, by)]);
}

function endOf(round: Round, { seat: id, person }: Task): string {
  const seat = seatOf(round.seats, id);
  if (seat.holder !== person || seat.out === "collapsed") return "transferred";
  if (seat.out) return seat.out;
  if (seat.opinion) return seat.opinion;
  // By somebody who was added before.
  if (outcomeOf(round, seat) === "rejected") return "rejected";
  return round.result ? "superseded" : "waiting";
}

// ------------------------------------------------------------------------------------------------------------------ //
// Results
// ------------------------------------------------------------------------------------------------------------------ //

/**
 * Counts again after something happened. Results stay once they are there.
 * @param again an approval was taken back: who got a task back gets the one that was theirs.
 */
export function settle(before: Round, again = false): Round {
  let round = sweep(before);
  if (!round.result) {
    round = { ...round, groups: round.groups.map((known, group) => known ?? groupResult(round, group)) };
    const result = stageResult(round);
    round = { ...round, certain: round.certain ?? (result && { result, since: round.clock }) };
    const isWaited = round.stage.collect && round.seats.some((one) => one.counts.length > 0 && isUndecided(round, one));
    round = { ...round, result: isWaited ? undefined : round.certain?.result };
  }
  return retask(sweep(putOff(close(round))), again);
}

/** Who has nobody left to decide for is out, until nothing changes any more. */
function sweep(round: Round): Round {
  for (const by of round.seats) {
    for (const seat of askedBy(round, by)) {
      const places = by.batches.filter(({ members }) => members.some((one) => one.seat === seat.id && !one.left));
      const isOver = !isUndecided(round, by) || places.every((batch) => resultOf(round, batch) !== "open");
      const isGone = by.out === "cancelled" || by.out === "collapsed";
      if (isOver) return sweep(release(round, seat.id, by.id, isGone ? "cancelled" : "superseded"));
    }
  }
  return round;
}

/** The seat is not asked by that one any more; one that nobody else asks, and that does not count, is out. */
export function release(round: Round, id: number, by: number, end: NonNullable<Seat["out"]>): Round {
  const left = dismiss(round.seats, id, by, end === "superseded" ? "over" : "gone");
  const seat = seatOf(left, id);
  const isNeeded = seat.counts.length > 0 || placesOf(left, seat).length > 0;
  return { ...round, seats: isNeeded ? left : change(round.seats, id, (one) => ({ ...one, out: end })) };
}

function groupResult(round: Round, group: number): Round["groups"][number] {
  const { stage } = round;
  const says = groupSays(round, group);
  if (says === "open" || stage.collect) return undefined;
  if (says !== "empty") return says === "approved" && vetoSays(round) === "open" ? undefined : says;
  return stage.onEmpty === "hold" ? "held" : stage.onEmpty === "skip" ? "skipped" : "rejected";
}

function stageResult(round: Round): Result | undefined {
  const { stage, groups } = round;
  if (vetoSays(round) === "rejected") return "rejected";
  const says = stage.collect ? stage.groups.map((_, group) => collected(round, group)) : groups;
  if (says.includes("rejected")) return "rejected";
  const isApproved = says.every((one) => one === "approved" || one === "skipped");
  return isApproved && vetoSays(round) !== "open" ? "approved" : undefined;
}

function collected(round: Round, group: number): Result | undefined {
  const { onEmpty } = round.stage;
  const says = groupSays(round, group);
  if (says === "empty") return onEmpty === "skip" ? "approved" : onEmpty === "reject" ? "rejected" : undefined;
  return says === "open" ? undefined : says;
}

/** What is still undecided when the stage, or every group of a seat, has its result; until nothing changes any more. */
function close(round: Round): Round {
  const { result, groups } = round;
  const isAsked = (seat: Seat): boolean =>
    seat.counts.some((group) => isOpen(groups[group])) ||
    placesOf(round.seats, seat).some(({ by }) => isUndecided(round, by));
  const moot = round.seats.find((seat) => isUndecided(round, seat) && (result !== undefined || !isAsked(seat)));
  if (!moot) return round;
  return close(sweep({ ...round, seats: change(round.seats, moot.id, (seat) => ({ ...seat, out: "superseded" })) }));
}

/** In a sequence, those wait again who come later; what they had asked of others ends. */
function putOff(round: Round): Round {
  if (round.stage.groups[0]!.mode.kind !== "sequence") return round;
  const waiting = round.seats.filter((seat) => seat.counts.length > 0 && isUndecided(round, seat)).slice(1);
  return waiting.reduce((now, { id, opinion }) => {
    const seat = seatOf(now.seats, id);
    if (opinion || placesOf(now.seats, seat).some(({ by }) => isUndecided(now, by))) return now;
    return askedBy(now, seat).reduce((left, one) => release(left, one.id, id, "cancelled"), now);
  }, round);
}
