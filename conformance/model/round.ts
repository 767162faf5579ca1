/** A round of the model: its seats, whose turn it is, and what it has come to. */
import { type Batch, change, familyOf, isUndecided, leave, outcomeOf, type Seat, supersede } from "./seat.ts";
import { groupSays, type Result, type Stage, stageTurns, vetoSays } from "./stage.ts";

export interface Task {
  readonly person: string;
  readonly seat: number;
  readonly status: string;
}

export interface Round {
  readonly stage: Stage;
  /** In the order of their places. */
  readonly seats: readonly Seat[];
  /** Results of the groups, once they have one. */
  readonly groups: readonly (Result | "skipped" | "held" | undefined)[];
  /** Certain, though the stage may stay open for every opinion. */
  readonly certain?: Result | undefined;
  readonly result?: Result | undefined;
  /** Every task that ever opened, oldest first. */
  readonly tasks: readonly Task[];
  readonly nextSeat: number;
}

export interface Refused {
  readonly refused: string;
}

export function open(stage: Stage): Round {
  const people = [...new Set(stage.groups.flatMap((group) => group.people))];
  const seats = people.map((holder, id): Seat => {
    const counts = stage.groups.flatMap((group, index) => (group.people.includes(holder) ? [index] : []));
    return { id, holder, counts, veto: stage.veto.includes(holder), weight: weightOf(stage, holder), hanging: [] };
  });
  const groups = stage.groups.map(() => undefined);
  return settle({ stage, seats, groups, tasks: [], nextSeat: seats.length });
}

export function weightOf({ weights }: Stage, person: string): number {
  return weights?.[person] ?? 1;
}

/** The round with one seat changed. */
export function withSeat(round: Round, id: number, how: (seat: Seat) => Seat): Round {
  return settle({ ...round, seats: change(round.seats, id, how) });
}

/** The batch that a seat hangs in. */
export function batchOf(round: Round, { id }: Seat): Batch | undefined {
  return round.seats
    .flatMap(familyOf)
    .flatMap(({ hanging }) => hanging)
    .find(({ seats }) => seats.some((one) => one.id === id));
}

// ------------------------------------------------------------------------------------------------------------------ //
// Tasks
// ------------------------------------------------------------------------------------------------------------------ //

/** The seat at which it is the actor's turn, else why there is none. */
export function turnOf(round: Round, actor: string): Seat | Refused {
  const seat = turns(round).find(({ holder }) => holder === actor);
  if (seat) return seat;
  const newest = round.tasks.findLast(({ person }) => person === actor)?.status;
  if (newest === undefined || newest === "waiting") return { refused: "not-your-task" };
  return { refused: newest === "superseded" ? "superseded" : "task-closed" };
}

/** Seats whose holders have an open task. */
export function turns({ result, stage, seats, groups }: Round): readonly Seat[] {
  if (result) return [];
  return stageTurns(
    stage,
    seats.filter((seat) => isAsked(seat, groups)),
  );
}

/** A seat is asked as long as one of its groups has no result. */
function isAsked({ counts }: Seat, groups: Round["groups"]): boolean {
  return counts.some((group) => groups[group] === undefined || groups[group] === "held");
}

/** How the newest task of a person stands. */
export function newestTask({ tasks }: Round, person: string): string | undefined {
  return tasks.findLast((task) => task.person === person)?.status;
}

/** Tasks open with turns, wait with seats that others decide first, and end as their seats do. */
function retask(round: Round): Round {
  const wanted = turns(round);
  const all = round.seats.flatMap(familyOf);
  const old = round.tasks.map((task): Task => {
    if (task.status !== "open" && task.status !== "waiting") return task;
    const seat = all.find(({ id }) => id === task.seat)!;
    if (wanted.some(({ id, holder }) => id === task.seat && holder === task.person)) return { ...task, status: "open" };
    return { ...task, status: endOf(round, seat, task) };
  });
  const isLive = (seat: Seat) =>
    old.some(({ person, seat: id, status }) => person === seat.holder && id === seat.id && status === "open");
  const fresh = wanted
    .filter((seat) => !isLive(seat))
    .map((seat): Task => ({ person: seat.holder, seat: seat.id, status: "open" }));
  return { ...round, tasks: [...old, ...fresh] };
}

function endOf({ result, groups, seats }: Round, seat: Seat, { person }: Task): string {
  if (seat.holder !== person || seat.out === "collapsed") return "transferred";
  if (seat.out) return seat.out;
  if (seat.opinion) return seat.opinion;
  // By somebody who was added before.
  if (outcomeOf(seat) === "rejected") return "rejected";
  if (result) return "superseded";
  const main = seats.find((one) => familyOf(one).includes(seat))!;
  return isAsked(main, groups) ? "waiting" : "superseded";
}

// ------------------------------------------------------------------------------------------------------------------ //
// Results
// ------------------------------------------------------------------------------------------------------------------ //

/** Counts again after something happened. Results stay once they are there. */
export function settle(before: Round): Round {
  let round: Round = { ...before, seats: before.seats.map(supersede) };
  if (!round.result) {
    const groups = round.groups.map((known, group) => known ?? groupResult(round, group));
    round = { ...round, groups };
    const certain = round.certain ?? stageResult(round);
    const isOpen = round.stage.collect && stageTurns(round.stage, round.seats).length > 0;
    round = { ...round, certain, result: isOpen ? undefined : certain };
  }
  return retask({ ...round, seats: closeSeats(round) });
}

function groupResult(round: Round, group: number): Round["groups"][number] {
  const { stage, seats } = round;
  const says = groupSays(stage, seats, group);
  if (says === "open" || stage.collect) return undefined;
  if (says !== "empty") return says === "approved" && vetoSays(seats) === "open" ? undefined : says;
  return stage.onEmpty === "hold" ? "held" : stage.onEmpty === "skip" ? "skipped" : "rejected";
}

function stageResult(round: Round): Result | undefined {
  const { stage, seats, groups } = round;
  if (vetoSays(seats) === "rejected") return "rejected";
  const says = stage.collect ? stage.groups.map((_, group) => collected(stage, seats, group)) : groups;
  if (says.includes("rejected")) return "rejected";
  const isApproved = says.every((one) => one === "approved" || one === "skipped");
  return isApproved && vetoSays(seats) !== "open" ? "approved" : undefined;
}

function collected(stage: Stage, seats: readonly Seat[], group: number): Result | undefined {
  const says = groupSays(stage, seats, group);
  if (says === "empty")
    return stage.onEmpty === "skip" ? "approved" : stage.onEmpty === "reject" ? "rejected" : undefined;
  return says === "open" ? undefined : says;
}

/** What is still undecided when the stage, or every group of a seat, has its result. */
function closeSeats({ result, seats, groups }: Round): readonly Seat[] {
  return seats.map((seat) => {
    const isOver = result !== undefined || !isAsked(seat, groups);
    return isOver && isUndecided(seat) ? leave(seat, "superseded") : seat;
  });
}
