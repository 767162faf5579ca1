import type { Draft } from "./draft.ts";
import type { TimerChange } from "./machine.ts";
import type { EpochMs, Timer, TimerPurpose } from "./types.ts";

/** Order of firing: by instant, then reminders, deadlines, overdue steps in list and seat order, lines of the flow. */
export function compareTimers(a: Timer, b: Timer): number {
  return a.dueAt - b.dueAt || rank(a.purpose) - rank(b.purpose) || place(a.purpose) - place(b.purpose);
}

const RANKS: Readonly<Record<TimerPurpose["kind"], number>> = { remind: 0, due: 1, overdue: 2, line: 3 };

function rank(purpose: TimerPurpose): number {
  return RANKS[purpose.kind];
}

/** Steps before seats: far more seats than steps would be needed to mix them up. */
function place(purpose: TimerPurpose): number {
  if (purpose.kind === "line") return 0;
  return purpose.kind === "overdue" ? purpose.step * 1e6 + purpose.seat : purpose.seat;
}

export function setTimer(draft: Draft, dueAt: EpochMs, purpose: TimerPurpose): void {
  const { instance } = draft;
  const timer = instance.counters.timer + 1;
  instance.counters = { ...instance.counters, timer };
  instance.timers = [...instance.timers, { id: `t${timer}`, dueAt, purpose }];
}

export function dropTimers(draft: Draft, gone: (timer: Timer) => boolean): void {
  const { instance } = draft;
  if (instance.timers.some(gone)) instance.timers = instance.timers.filter((timer) => !gone(timer));
}

/** What the machine started and ended, in its order. */
export function applyTimers(draft: Draft, changes: readonly TimerChange[]): void {
  for (const change of changes) {
    const { event } = change;
    dropTimers(draft, ({ purpose }) => purpose.kind === "line" && purpose.event === event);
    if (change.kind === "set") setTimer(draft, draft.at + change.delayMs, { kind: "line", event });
  }
}
