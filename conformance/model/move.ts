/** A seat of the model moves to another person; if that one sits already, two seats become one. */
import { type Refused, type Round, release, type Task } from "./round.ts";
import {
  askedBy,
  type Batch,
  change,
  dismiss,
  hasAsked,
  isIn,
  isOpinion,
  isUndecided,
  type Member,
  outcomeOf,
  placesOf,
  type Seat,
  type Seats,
  seatOf,
} from "./seat.ts";
import { isBelow } from "./stage.ts";

export type Moved = Round | Refused;

export function pass(round: Round, { id }: Seat, to: string): Moved {
  const seat = seatOf(round.seats, id);
  const sits = standing(round, to, id);
  if (!sits) return passOn(round, seat, to);
  if (seat.counts.length > 0 && isBelow({ ...round, seats: asOne(round, seat, sits) }, seat.counts)) {
    return { refused: "below-threshold" };
  }
  // What the old holder has asked of others ends with the seat.
  const alone = askedBy(round, seat).reduce((left, one) => release(left, one.id, id, "cancelled"), round);
  const still = standing(alone, to, id);
  return still ? join(alone, seatOf(alone.seats, id), still) : pass(alone, seat, to);
}

/** Who gets it has a task as the one before had: open, or waiting for others. */
function passOn(round: Round, { id, holder }: Seat, to: string): Round {
  const seats = change(round.seats, id, (one) => ({ ...one, holder: to }));
  const old = round.tasks.find((task) => task.seat === id && task.person === holder && task.closedAt === undefined);
  if (!old) return { ...round, seats };
  const closed: Task = { ...old, status: "transferred", closedAt: round.clock };
  const tasks = round.tasks.map((task) => (task === old ? closed : task));
  return { ...round, seats, tasks: [...tasks, { person: to, seat: id, status: old.status }] };
}

/** What somebody has in the round that can stand for a seat: an opinion that was given can't. */
export function standing(round: Round, person: string, except: number): Seat | undefined {
  return round.seats.find((seat) => {
    const isGiven = seat.opinion !== undefined || !isUndecided(round, seat);
    const stands = !(isOpinion(round.seats, seat) && isGiven);
    return seat.holder === person && seat.id !== except && isIn(seat) && stands;
  });
}

/** How it would be counted. */
function asOne(round: Round, seat: Seat, sits: Seat): Seats {
  const { seats } = round;
  if (sits.counts.length > 0) {
    return change(bothCount(seats, sits, seat), seat.id, (one) => ({ ...one, out: "collapsed" }));
  }
  const outcome = outcomeOf(round, sits);
  return outcome === "open" ? seats : change(seats, seat.id, (one) => ({ ...one, opinion: outcome }));
}

/** The one stays, in the groups of both, with its own weight. */
function bothCount(seats: Seats, stays: Seat, goes: Seat): Seats {
  const counts = [...new Set([...stays.counts, ...goes.counts])];
  const veto = stays.veto || goes.veto;
  return change(seats, stays.id, (one) => ({ ...one, counts, veto }));
}

export function join(round: Round, seat: Seat, sits: Seat): Round {
  const isEarlier = round.seats.indexOf(seat) < round.seats.indexOf(sits);
  const isSequence = round.stage.groups[0]!.mode.kind === "sequence";
  const bothSit = seat.counts.length > 0 && sits.counts.length > 0;
  const keepsPlace = bothSit ? isSequence && isEarlier && isUndecided(round, sits) : seat.counts.length > 0;
  const [stays, goes] = keepsPlace ? [seat, sits] : [sits, seat];
  const counted = bothSit ? { ...round, seats: bothCount(round.seats, stays, goes) } : round;
  const taken = keepsPlace ? takeOver(withoutCircle(counted, stays, goes), stays, goes) : counted;
  return askToo(taken, round, stays.id, goes);
}

/** Those whom the one has asked do not ask the other, who is to be the same. */
function withoutCircle(round: Round, { id }: Seat, { id: same }: Seat): Round {
  const { seats } = round;
  const asking = placesOf(seats, seatOf(seats, id)).filter(({ by }) => hasAsked(seats, seatOf(seats, same), by.id));
  return { ...round, seats: asking.reduce((now, { by }) => dismiss(now, id, by.id, "gone"), seats) };
}

/** At the earlier place, or at the one that counts, all is as it was for who sits: whom they have asked, what they have said. */
function takeOver(round: Round, seat: Seat, sits: Seat): Round {
  const { holder, opinion, saidAt, batches } = sits;
  const said = opinion === undefined ? undefined : { opinion, saidAt: saidAt! };
  const tasks = round.tasks.flatMap((task) => {
    if (task.seat !== sits.id || task.person !== holder) return task;
    return task.closedAt === undefined
      ? { ...task, status: "cancelled", closedAt: round.clock }
      : { ...task, seat: seat.id };
  });
  const own = round.tasks.find((task) => task.seat === sits.id && task.closedAt === undefined);
  if (own) tasks.push({ ...own, seat: seat.id });
  const seats = round.seats.map((one): Seat => {
    const { added } = one;
    return added?.seat === sits.id ? { ...one, added: { ...added, seat: seat.id } } : one;
  });
  const moved = change(seats, sits.id, (one) => ({ ...one, batches: [] }));
  const whole = change(moved, seat.id, (one) => ({ ...one, holder, ...said, batches: [...one.batches, ...batches] }));
  return { ...round, tasks, seats: dismiss(whole, seat.id, seat.id, "gone") };
}

/** Whoever had asked the one that goes has asked the one that stays, but nobody asks themselves. */
function askToo(round: Round, before: Round, stays: number, goes: Seat): Round {
  let { seats } = round;
  for (const { by, batch } of placesOf(seats, goes)) {
    const isAsked = placesOf(seats, seatOf(seats, stays)).some((place) => place.batch === batch);
    const isCircle = by.id === stays || hasAsked(seats, seatOf(seats, stays), by.id);
    const said = outcomeOf(before, goes);
    const keepsWhatWasSaid = isCircle && !isUndecided(before, seatOf(before.seats, by.id)) && said !== "open";
    const isGone = !isIn(seatOf(before.seats, by.id));
    const instead: readonly Member[] = keepsWhatWasSaid
      ? [{ seat: goes.id, said }]
      : [{ seat: goes.id, left: "gone" }, ...(isAsked || isCircle || isGone ? [] : [{ seat: stays }])];
    const at = by.batches.indexOf(batch);
    const asking = (own: Batch, index: number): Batch =>
      index === at ? { ...own, members: own.members.flatMap((one) => (one.seat === goes.id ? instead : one)) } : own;
    seats = change(seats, by.id, (one) => ({ ...one, batches: one.batches.map(asking) }));
  }
  return { ...round, seats: change(seats, goes.id, (one) => ({ ...one, out: "collapsed" })) };
}
