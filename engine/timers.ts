import type { TimerChange } from "./machine.ts";
import { countsWorkingTime } from "./machine.ts";
import type { PlaceDraft } from "./place.ts";
import type { EpochMs, Timer, TimerPurpose } from "./types.ts";

/** Order of firing: by instant, then reminders, deadlines, overdue steps in list and seat order, lines of the flow, retries. */
export function compareTimers(a: Timer, b: Timer): number {
  return a.dueAt - b.dueAt || rank(a.purpose) - rank(b.purpose) || order(a.purpose) - order(b.purpose);
}

const RANKS: Readonly<Record<TimerPurpose["kind"], number>> = { remind: 0, due: 1, overdue: 2, line: 3, retry: 4 };

function rank(purpose: TimerPurpose): number {
  return RANKS[purpose.kind];
}

/** Steps before seats: far more seats than steps would be needed to mix them up. */
function order(purpose: TimerPurpose): number {
  switch (purpose.kind) {
    case "line":
      return 0;
    case "retry":
      return purpose.item * 1e6 + purpose.step;
    case "overdue":
      return purpose.step * 1e6 + purpose.seat;
    default:
      return purpose.seat;
  }
}

/** @param working the term counts in working time. */
export function setTimer(place: PlaceDraft, dueAt: EpochMs, purpose: TimerPurpose, working = false): void {
  const { instance } = place.draft;
  const timer = instance.counters.timer + 1;
  instance.counters = { ...instance.counters, timer };
  const more = place.address === "" && !working ? NOTHING : { ...inPlace(place), ...(working && { working }) };
  instance.timers = [...instance.timers, { id: `t${timer}`, dueAt, purpose, ...more }];
}

const NOTHING = {};

function inPlace({ address }: PlaceDraft): { place?: string } {
  return address === "" ? NOTHING : { place: address };
}

/** Ends timers of this place. */
export function dropTimers({ draft, address }: PlaceDraft, gone: (timer: Timer) => boolean): void {
  const { instance } = draft;
  const stays = (timer: Timer): boolean => (timer.place ?? "") !== address || !gone(timer);
  if (!instance.timers.every(stays)) instance.timers = instance.timers.filter(stays);
}

/** What the machine started and ended, in its order. @param from the instant that its delays count from. */
export function applyTimers(place: PlaceDraft, changes: readonly TimerChange[], from = place.draft.at): void {
  for (const change of changes) {
    const { event } = change;
    dropTimers(place, ({ purpose }) => purpose.kind === "line" && purpose.event === event);
    if (change.kind === "set") {
      setTimer(place, from + change.delayMs, { kind: "line", event }, countsWorkingTime(event));
    }
  }
}
