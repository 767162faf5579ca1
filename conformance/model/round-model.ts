/**
 * A slow and obvious model of rounds and seats, written from the specification and apart from the engine: a state is the
 * fold of everything that happened. It covers one stage and what people may do in it; where the specification leaves a
 * choice open it says so with {@link UNSAID}, and nothing is compared.
 */

import { batchOf, newestTask, type Refused, type Round, settle, turnOf, turns, weightOf, withSeat } from "./round.ts";
import {
  type Batch,
  change,
  familyOf,
  isIn,
  isUndecided,
  leave,
  type Opinion,
  outcomeOf,
  resultOf,
  type Seat,
} from "./seat.ts";
import { type Result, votesOf } from "./stage.ts";

export type Happening =
  | { readonly kind: "decide"; readonly actor: string; readonly opinion: Opinion }
  | { readonly kind: "transfer"; readonly actor: string; readonly to: string }
  | { readonly kind: "delegate"; readonly actor: string; readonly to: string }
  | {
      readonly kind: "add";
      readonly actor: string;
      readonly where: "before" | "after" | "beside";
      readonly people: readonly string[];
      readonly all: boolean;
      readonly advisory: boolean;
    }
  | { readonly kind: "remove"; readonly actor: string; readonly person: string }
  | { readonly kind: "admin-remove"; readonly person: string }
  | { readonly kind: "take-back"; readonly actor: string }
  | { readonly kind: "override"; readonly result: Result }
  | { readonly kind: "hand-over"; readonly from: string; readonly to: string };

/** The specification does not say; a test leaves such a command out. */
export const UNSAID = Symbol("unsaid");

export type Answer = Round | Refused | typeof UNSAID;

export function happen(round: Round, what: Happening): Answer {
  switch (what.kind) {
    case "decide":
      return decide(round, what);
    case "transfer":
      return transfer(round, what);
    case "delegate":
      return delegate(round, what);
    case "add":
      return add(round, what);
    case "remove":
      return remove(round, what);
    case "admin-remove":
      return removeByAdmin(round, what);
    case "take-back":
      return takeBack(round, what);
    case "override":
      return round.result ? UNSAID : settle({ ...round, certain: what.result, result: what.result });
    case "hand-over":
      return handOver(round, what);
  }
}

// ------------------------------------------------------------------------------------------------------------------ //
// What people do
// ------------------------------------------------------------------------------------------------------------------ //

type Doing<Kind extends Happening["kind"]> = Extract<Happening, { readonly kind: Kind }>;

function decide(round: Round, { actor, opinion }: Doing<"decide">): Answer {
  const seat = turnOf(round, actor);
  if ("refused" in seat) return seat;
  const kind = batchOf(round, seat)?.kind;
  if (opinion === "abstained") {
    if (kind === "delegate") return { refused: "not-allowed" };
    if (kind !== undefined) return UNSAID;
  }
  return withSeat(round, seat.id, (one) => ({ ...one, opinion }));
}

function transfer(round: Round, { actor, to }: Doing<"transfer">): Answer {
  const seat = turnOf(round, actor);
  if ("refused" in seat) return seat;
  if (to === actor) return { refused: "same-person" };
  return pass(round, seat, to);
}

/** The seat goes to another; to one who sits already, the two become one. */
function pass(round: Round, seat: Seat, to: string): Answer {
  // An opinion that waits for those added after it is neither given nor open: whether it can take a seat is not said.
  const waits = (one: Seat) => one.holder === to && one.hanging.length > 0 && isOpinion(round, one);
  if (round.seats.flatMap(familyOf).some(waits)) return UNSAID;
  const sits = presence(round, to, true);
  if (sits === UNSAID) return UNSAID;
  if (sits === undefined) return withSeat(round, seat.id, (one) => ({ ...one, holder: to }));
  const hangs = batchOf(round, seat) !== undefined || batchOf(round, sits) !== undefined;
  if (hangs || seat.veto || sits.counts.join() !== seat.counts.join()) return UNSAID;
  const later = round.seats.indexOf(sits) > round.seats.indexOf(seat);
  const isSequence = round.stage.groups[0]!.mode.kind === "sequence";
  const keepsPlace = isSequence && later;
  const without = change(round.seats, keepsPlace ? sits.id : seat.id, (one) => leave(one, "collapsed"));
  if (isBelow(round, without)) return { refused: "below-threshold" };
  if (isHopeless(round, without)) return UNSAID;
  if (!keepsPlace) return settle({ ...round, seats: without });
  return settle({ ...round, seats: change(without, seat.id, (one) => ({ ...one, holder: to })) });
}

/** Would a group that asks for a number have too few left? */
function isBelow({ stage, groups }: Round, seats: readonly Seat[]): boolean {
  return stage.groups.some(({ mode }, group) => {
    const { approved, open } = votesOf(seats, group);
    return mode.kind === "count" && groups[group] === undefined && approved + open < mode.count;
  });
}

/** Would nobody be left who could approve under `any`? Whether that is a threshold is not said. */
function isHopeless({ stage, groups }: Round, seats: readonly Seat[]): boolean {
  return stage.groups.some(({ mode }, group) => {
    const { approved, open } = votesOf(seats, group);
    return mode.kind === "any" && groups[group] === undefined && approved + open === 0;
  });
}

/**
 * The seat of somebody who is in the round now; {@link UNSAID} if they were, in a way that leaves it open.
 * @param stands only what can stand for another seat: an opinion that was given can't.
 */
function presence(round: Round, person: string, stands = false): Seat | undefined | typeof UNSAID {
  const seats = round.seats
    .flatMap(familyOf)
    .filter((one) => one.holder === person && !(stands && one.opinion && isOpinion(round, one)));
  const [seat] = seats.filter(isIn);
  if (!seat) return seats.some(({ out }) => out === "superseded") ? UNSAID : undefined;
  const batch = batchOf(round, seat);
  return batch && (!isUndecided(seat) || resultOf(batch) !== "open") ? UNSAID : seat;
}

function isOpinion(round: Round, seat: Seat): boolean {
  const kind = batchOf(round, seat)?.kind;
  return kind === "delegate" || kind === "advice";
}

function delegate(round: Round, { actor, to }: Doing<"delegate">): Answer {
  const seat = turnOf(round, actor);
  if ("refused" in seat) return seat;
  const stop = newcomer(round, actor, to);
  return stop ?? hang(round, seat, "delegate", [to], false, actor);
}

function newcomer(round: Round, actor: string, person: string): Refused | typeof UNSAID | undefined {
  if (person === actor) return { refused: "same-person" };
  const sits = presence(round, person);
  if (sits === undefined || sits === UNSAID) return sits;
  return { refused: "already-seated" };
}

function hang(
  round: Round,
  { id }: Seat,
  kind: Batch["kind"],
  people: readonly string[],
  all: boolean,
  actor: string,
): Round {
  const seats = people.map((holder, index): Seat => ({ ...blank(round, holder, index), ...by(actor, id) }));
  const opinion = kind === "after" ? { opinion: "approved" as const } : undefined;
  const grown = { ...round, nextSeat: round.nextSeat + people.length };
  return withSeat(grown, id, (one) => ({ ...one, ...opinion, hanging: [...one.hanging, { kind, all, seats }] }));
}

function blank({ nextSeat, stage }: Round, holder: string, index: number): Seat {
  return { id: nextSeat + index, holder, counts: [], veto: false, weight: weightOf(stage, holder), hanging: [] };
}

function by(actor: string, seat: number): Pick<Seat, "added"> {
  return { added: { by: actor, seat } };
}

function add(round: Round, { actor, where, people, all, advisory }: Doing<"add">): Answer {
  const seat = turnOf(round, actor);
  if ("refused" in seat) return seat;
  const batch = batchOf(round, seat);
  if (batch?.kind === "delegate") return { refused: "not-allowed" };
  const stops = people.map((person) => newcomer(round, actor, person)).filter((stop) => stop !== undefined);
  if (stops.length > 0) return stops.length === 1 || people.length === 1 ? stops[0]! : UNSAID;
  if (where !== "beside") return hang(round, seat, advisory ? "advice" : where, people, all, actor);
  if (batch) return UNSAID;
  const { counts } = seat;
  const seats = people.map(
    (holder, index): Seat => ({ ...blank(round, holder, index), ...by(actor, seat.id), counts }),
  );
  return settle({ ...round, seats: [...round.seats, ...seats], nextSeat: round.nextSeat + seats.length });
}

function remove(round: Round, { actor, person }: Doing<"remove">): Answer {
  if (round.result || newestTask(round, actor) === undefined) return UNSAID;
  const seats = round.seats.flatMap(familyOf).filter(({ holder }) => holder === person);
  if (seats.length === 0)
    return round.tasks.some((task) => task.person === person) ? UNSAID : { refused: "no-such-target" };
  const [seat] = seats.filter(isIn);
  // Of somebody who has been in the round in several ways it is not said which is meant.
  if (!seat || seats.length > 1 || batchOf(round, seat)?.kind === "delegate") return UNSAID;
  const isMine = seat.added?.by === actor;
  if (seat.opinion || !isUndecided(seat)) return isMine ? { refused: "task-closed" } : UNSAID;
  return isMine ? drop(round, seat) : { refused: "not-allowed" };
}

function removeByAdmin(round: Round, { person }: Doing<"admin-remove">): Answer {
  const seats = round.seats.flatMap(familyOf).filter(({ holder }) => holder === person);
  const [seat] = seats.filter(isUndecided);
  if (
    round.result ||
    !seat ||
    seats.length > 1 ||
    seat.added !== undefined ||
    seat.opinion ||
    batchOf(round, seat)?.kind === "delegate"
  )
    return UNSAID;
  return drop(round, seat);
}

/** Out with it and with whom it added beside itself. */
function drop(round: Round, seat: Seat): Answer {
  const gone = withAdded(round.seats, seat);
  if (gone.some((one) => !isUndecided(one) || one.opinion)) return UNSAID;
  const seats = gone.reduce((left, { id }) => change(left, id, (one) => leave(one, "cancelled")), round.seats);
  const main = gone.some(({ counts }) => counts.length > 0);
  if (main && seats.filter(isIn).some((one) => outcomeOf(one) === "abstained")) return UNSAID;
  if (main && (isBelow(round, seats) || isDeserted(round, seats))) return { refused: "below-threshold" };
  if (main && isHopeless(round, seats)) return UNSAID;
  return settle({ ...round, seats });
}

function withAdded(seats: readonly Seat[], seat: Seat): readonly Seat[] {
  const below = familyOf(seat).map(({ id }) => id);
  const beside = seats.filter(({ id, added }) => added && below.includes(added.seat) && id !== seat.id);
  return [seat, ...beside.flatMap((one) => withAdded(seats, one))];
}

/** Is there a group without a seat? */
function isDeserted({ stage }: Round, seats: readonly Seat[]): boolean {
  return stage.groups.some((_, group) => !seats.some((seat) => isIn(seat) && seat.counts.includes(group)));
}

/** Of a delegation, or of one's approval while the round has no result. */
function takeBack(round: Round, { actor }: Doing<"take-back">): Answer {
  if (round.result) return UNSAID;
  const mine = round.seats.flatMap(familyOf).filter((seat) => seat.holder === actor && isIn(seat));
  const delegated = mine.find(({ hanging }) =>
    hanging.some((one) => one.kind === "delegate" && resultOf(one) === "open"),
  );
  if (delegated) return withSeat(round, delegated.id, endDelegation);
  const { stage } = round;
  const isPlain = stage.groups.length === 1 && !stage.collect;
  const approved = mine.find(({ opinion, hanging }) => opinion === "approved" && hanging.length === 0);
  if (!isPlain || stage.veto.length > 0 || !approved || batchOf(round, approved)) return UNSAID;
  if (stage.groups[0]!.mode.kind === "sequence") {
    const behind = round.seats.slice(round.seats.indexOf(approved) + 1);
    if (behind.some((seat) => seat.hanging.length > 0)) return UNSAID;
    if (behind.some(({ opinion }) => opinion)) return { refused: "not-possible-in-state" };
  }
  return withSeat(round, approved.id, ({ opinion: _, ...seat }) => seat);
}

function endDelegation(seat: Seat): Seat {
  const hanging = seat.hanging.map((batch) => ({
    ...batch,
    seats: batch.seats.map((one) => (isUndecided(one) ? leave(one, "cancelled") : one)),
  }));
  return { ...seat, hanging };
}

function handOver(round: Round, { from, to }: Doing<"hand-over">): Answer {
  const held = turns(round).filter(({ holder }) => holder === from);
  const [seat] = held;
  if (from === to || !seat || held.length > 1) return UNSAID;
  return pass(round, seat, to);
}
