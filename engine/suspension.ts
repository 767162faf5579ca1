/** Timers of a suspended instance stand still; afterwards each moves by the time that passed, working time by working time. */
import { addTerm, workingMsBetween } from "./calendar.ts";
import type { Draft } from "./draft.ts";
import { approvalOf, isUndecided, setRound } from "./open-round.ts";
import { type PlaceDraft, placesBelow } from "./place.ts";
import type { EpochMs, Seat, Timer } from "./types.ts";

export function stopTimers({ instance, at }: Draft): void {
  instance.suspended = { at, timers: instance.timers };
  instance.timers = [];
}

export function resumeTimers(draft: Draft): void {
  const { instance } = draft;
  const { at, timers } = instance.suspended!;
  const places = new Map([...placesBelow(draft.place)].map((place) => [place.address, place] as const));
  instance.suspended = undefined;
  // What began meanwhile is in `timers` already.
  const moved = timers.flatMap((timer) => moveTimer(places.get(timer.place ?? ""), timer, at));
  instance.timers = [...moved, ...instance.timers];
  for (const place of places.values()) moveDeadlines(place, at);
}

function moveTimer(place: PlaceDraft | undefined, timer: Timer, since: EpochMs): Timer | [] {
  if (!place) return [];
  const dueAt = later(place, timer.dueAt, since, timer.working ?? false);
  const { purpose } = timer;
  if (purpose.kind !== "remind" || purpose.from === undefined) return { ...timer, dueAt };
  return { ...timer, dueAt, purpose: { ...purpose, from: later(place, purpose.from, since, false) } };
}

function later({ draft, flow }: PlaceDraft, dueAt: EpochMs, since: EpochMs, working: boolean): EpochMs {
  const { calendar } = flow.prepared.definition;
  if (!working || !calendar) return dueAt + (draft.at - since);
  return addTerm(dueAt, { kind: "workhours", ms: workingMsBetween(since, draft.at, calendar) }, calendar);
}

/** Tasks show when they are due now. */
function moveDeadlines(place: PlaceDraft, since: EpochMs): void {
  const { round } = place.now;
  if (!round || round.result !== undefined) return;
  const { due } = approvalOf(place);
  const working = due !== undefined && due.term.kind !== "natural";
  const seats = round.seats.map((seat): Seat => {
    if (!isUndecided(seat) || seat.task?.dueAt === undefined || seat.task.closedAt !== undefined) return seat;
    const task = { ...seat.task, dueAt: later(place, seat.task.dueAt, since, working) };
    place.draft.keep(task);
    return { ...seat, task };
  });
  setRound(place, { seats });
}
