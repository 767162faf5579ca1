/**
 * A slow and obvious model of rounds and seats, written from the specification and apart from the engine: a state is the
 * fold of everything that happened. It covers one stage and what people may do in it. Where the specification leaves a choice
 * open, the rule is the one of `docs/language.md`, section 6.
 */

import { type Moved, pass } from "./move.ts";
import { type Refused, type Round, settle, turnOf, weightOf, withSeat } from "./round.ts";
import { type Batch, isIn, isUndecided, type Opinion, placesOf, type Seat, seatOf } from "./seat.ts";
import { isBelow, isDeserted, type Result } from "./stage.ts";
import { takeBack } from "./take-back.ts";

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

export type Answer = Round | Refused;

export function happen(before: Round, what: Happening): Answer {
  const round = { ...before, clock: before.clock + 1 };
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
      return takeBack(round, what.actor);
    case "override":
      return override(round, what);
    case "hand-over":
      return handOver(round, what);
  }
}

type Doing<Kind extends Happening["kind"]> = Extract<Happening, { readonly kind: Kind }>;

const FINISHED: Refused = { refused: "finished" };

// ------------------------------------------------------------------------------------------------------------------ //
// What people do
// ------------------------------------------------------------------------------------------------------------------ //

function decide(round: Round, { actor, opinion }: Doing<"decide">): Answer {
  const seat = turnOf(round, actor);
  if ("refused" in seat) return seat;
  if (opinion === "abstained" && isDelegate(round, seat)) return { refused: "not-allowed" };
  return withSeat(round, seat.id, (one) => ({ ...one, opinion, saidAt: round.clock }));
}

function isDelegate(round: Round, seat: Seat): boolean {
  return seat.counts.length === 0 && placesOf(round.seats, seat).every(({ batch }) => batch.kind === "delegate");
}

function transfer(round: Round, { actor, to }: Doing<"transfer">): Answer {
  const seat = turnOf(round, actor);
  if ("refused" in seat) return seat;
  if (to === actor) return { refused: "same-person" };
  return settled(pass(round, seat, to));
}

function settled(moved: Moved): Answer {
  return "refused" in moved ? moved : settle(moved);
}

function delegate(round: Round, { actor, to }: Doing<"delegate">): Answer {
  const seat = turnOf(round, actor);
  if ("refused" in seat) return seat;
  const stop = refuseNewcomers(round, actor, [to]);
  return stop ?? ask(round, seat, { kind: "delegate", all: false }, [to]);
}

function refuseNewcomers({ seats }: Round, actor: string, people: readonly string[]): Refused | undefined {
  if (people.includes(actor)) return { refused: "same-person" };
  const isSeated = seats.some((seat) => isIn(seat) && people.includes(seat.holder));
  return isSeated ? { refused: "already-seated" } : undefined;
}

function add(round: Round, { actor, where, people, all, advisory }: Doing<"add">): Answer {
  const seat = turnOf(round, actor);
  if ("refused" in seat) return seat;
  if (isDelegate(round, seat)) return { refused: "not-allowed" };
  const stop = refuseNewcomers(round, actor, people);
  if (stop) return stop;
  if (where === "beside") return addBeside(round, seat, people);
  return ask(round, seat, { kind: advisory ? "advice" : where, all }, people);
}

/** In the same groups; beside somebody who was asked by another, also asked by that one. */
function addBeside(round: Round, seat: Seat, people: readonly string[]): Answer {
  const added = newSeats(round, seat, people, seat.counts);
  const seats = [...round.seats, ...added];
  const [place] = placesOf(round.seats, seat).filter(({ batch }) => batch.kind !== "delegate");
  if (seat.counts.length > 0 || !place) return settle({ ...round, seats });
  const members = [...place.batch.members, ...added.map(({ id }) => ({ seat: id }))];
  return withSeat({ ...round, seats }, place.by.id, (by) => ({
    ...by,
    batches: by.batches.map((batch) => (batch === place.batch ? { ...batch, members } : batch)),
  }));
}

/** 后加签 is one's own approval too. */
function ask(round: Round, seat: Seat, how: Omit<Batch, "members">, people: readonly string[]): Round {
  const added = newSeats(round, seat, people, []);
  const batch: Batch = { ...how, members: added.map(({ id }) => ({ seat: id })) };
  const approval = how.kind === "after" ? ({ opinion: "approved", saidAt: round.clock } as const) : undefined;
  return withSeat({ ...round, seats: [...round.seats, ...added] }, seat.id, (one) => ({
    ...one,
    ...approval,
    batches: [...one.batches, batch],
  }));
}

function newSeats({ seats, stage }: Round, by: Seat, people: readonly string[], counts: Seat["counts"]): Seat[] {
  return people.map((holder, index): Seat => {
    const added = { by: by.holder, seat: by.id };
    return {
      id: seats.length + index,
      holder,
      counts,
      veto: false,
      weight: weightOf(stage, holder),
      added,
      batches: [],
    };
  });
}

// ------------------------------------------------------------------------------------------------------------------ //
// 减签
// ------------------------------------------------------------------------------------------------------------------ //

function remove(round: Round, { actor, person }: Doing<"remove">): Answer {
  const there = seatsOf(round, person);
  if (round.result || there.length === 0) return { refused: "no-such-target" };
  const own = there.filter(({ added }) => added?.by === actor);
  if (own.length === 0) return { refused: "not-allowed" };
  return drop(round, own);
}

function removeByAdmin(round: Round, { person }: Doing<"admin-remove">): Answer {
  if (round.result) return FINISHED;
  const there = seatsOf(round, person);
  return there.length === 0 ? { refused: "no-such-target" } : drop(round, there);
}

/** Who was removed is not there any more. */
function seatsOf({ seats }: Round, person: string): readonly Seat[] {
  return seats.filter(({ holder, out }) => holder === person && (out === undefined || out === "superseded"));
}

/** Out with the first of these that is to be decided, and with whom it added. */
function drop(round: Round, of: readonly Seat[]): Answer {
  const seat = of.find((one) => isToDecide(round, one));
  if (!seat) return { refused: "task-closed" };
  const gone = withAdded(round, [seat]);
  const groups = [...new Set(gone.flatMap(({ counts }) => counts))];
  const isGone = (one: Seat) => gone.some(({ id }) => id === one.id);
  const left = { ...round, seats: round.seats.map((one): Seat => (isGone(one) ? { ...one, out: "cancelled" } : one)) };
  if (isBelow(left, groups) || isDeserted(left, groups)) return { refused: "below-threshold" };
  return settle(left);
}

function withAdded(round: Round, gone: readonly Seat[]): readonly Seat[] {
  const more = round.seats.filter((one) => {
    const isAdded = one.added && gone.some(({ id }) => id === one.added!.seat);
    return isAdded && !gone.includes(one) && isToDecide(round, one);
  });
  return more.length === 0 ? gone : withAdded(round, [...gone, ...more]);
}

function isToDecide(round: Round, seat: Seat): boolean {
  return isUndecided(round, seat) && seat.opinion === undefined;
}

// ------------------------------------------------------------------------------------------------------------------ //
// Administrators
// ------------------------------------------------------------------------------------------------------------------ //

function override(round: Round, { result }: Doing<"override">): Answer {
  if (round.result) return FINISHED;
  return settle({ ...round, certain: { result, since: round.clock }, result });
}

/** Everything that the person is still to decide. */
function handOver(round: Round, { from, to }: Doing<"hand-over">): Answer {
  if (round.result) return FINISHED;
  const isTheirs = (seat: Seat | undefined) => seat?.holder === from;
  const held = round.seats.filter((seat) => isTheirs(seat) && isToDecide(round, seat));
  if (held.length === 0) return { refused: "no-such-target" };
  if (from === to) return { refused: "same-person" };
  let moved: Moved = round;
  for (const { id } of held) {
    if ("refused" in moved) return moved;
    const seat = seatOf(moved.seats, id);
    if (isTheirs(seat) && isToDecide(moved, seat)) moved = pass(moved, seat, to);
  }
  return settled(moved);
}
