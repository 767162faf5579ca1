/** How long terms take at most and at least. Working time depends on the day it begins, so the worst and the best day count. */
import type { CalendarDefinition, Term, Weekday } from "../definition.ts";

/** Terms one after the other, by kind. */
export interface Length {
  readonly naturalMs: number;
  readonly workhoursMs: number;
  readonly workdays: number;
}

export const NOTHING: Length = { naturalMs: 0, workhoursMs: 0, workdays: 0 };

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** Days before and after everything the calendar names that are tried as the first one. */
const MARGIN_DAYS = 40;
/** Days without a working day after which there is none. */
const SEARCH_DAYS_MAX = 4_000;
const WEEKDAYS: readonly Weekday[] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

export function lengthOf(term: Term): Length {
  switch (term.kind) {
    case "natural":
      return { ...NOTHING, naturalMs: term.ms };
    case "workhours":
      return { ...NOTHING, workhoursMs: term.ms };
    case "workdays":
      return { ...NOTHING, workdays: term.days };
  }
}

export function added(one: Length, other: Length): Length {
  return {
    naturalMs: one.naturalMs + other.naturalMs,
    workhoursMs: one.workhoursMs + other.workhoursMs,
    workdays: one.workdays + other.workdays,
  };
}

/** Is the one never longer than the term? */
export function fitsWithin(length: Length, within: Term, calendar: CalendarDefinition | undefined): boolean {
  const limit = lengthOf(within);
  const kinds = ["naturalMs", "workhoursMs", "workdays"] as const;
  // Terms of one kind add up exactly.
  if (kinds.every((kind) => kind === kindOf(within) || length[kind] === 0))
    return length[kindOf(within)] <= limit[kindOf(within)];
  return longestMs(length, calendar) <= shortestMs(limit, calendar);
}

/** Is it never shorter, whenever it begins? For the longest of several. */
export function compareLengths(one: Length, other: Length, calendar: CalendarDefinition | undefined): number {
  return longestMs(one, calendar) - longestMs(other, calendar);
}

function kindOf({ kind }: Term): keyof Length {
  return kind === "natural" ? "naturalMs" : kind === "workhours" ? "workhoursMs" : "workdays";
}

/** In natural time, begun at the worst moment. */
export function longestMs(
  { naturalMs, workhoursMs, workdays }: Length,
  calendar: CalendarDefinition | undefined,
): number {
  if (!calendar || (workhoursMs === 0 && workdays === 0)) return naturalMs;
  const days = daysOf(calendar);
  // Begun right after closing, both wait for the next opening first.
  const daysMs = workdays === 0 ? 0 : days.spanMs(workdays + 1, "most") - days.closesMs + days.opensMs;
  const perDay = days.workedMs;
  const whole = Math.ceil(workhoursMs / perDay);
  const hoursMs =
    workhoursMs === 0
      ? 0
      : days.spanMs(whole, "most") - days.closesMs + days.clockAfterMs(workhoursMs - (whole - 1) * perDay);
  return naturalMs + daysMs + hoursMs;
}

/** In natural time, begun at the best moment. */
function shortestMs({ naturalMs, workhoursMs, workdays }: Length, calendar: CalendarDefinition | undefined): number {
  if (!calendar || (workhoursMs === 0 && workdays === 0)) return naturalMs;
  const days = daysOf(calendar);
  const daysMs = workdays === 0 ? 0 : days.spanMs(workdays, "least");
  const whole = Math.ceil(workhoursMs / days.workedMs) - 1;
  const hoursMs = workhoursMs === 0 ? 0 : Math.max(workhoursMs, whole > 0 ? days.spanMs(whole, "least") : 0);
  return naturalMs + daysMs + hoursMs;
}

const known = new WeakMap<CalendarDefinition, WorkingDays>();

function daysOf(calendar: CalendarDefinition): WorkingDays {
  const before = known.get(calendar) ?? new WorkingDays(calendar);
  known.set(calendar, before);
  return before;
}

/** The days of a calendar, without its zone: a day is 24 hours here. */
class WorkingDays {
  private readonly calendar: CalendarDefinition;
  private readonly weekend: ReadonlySet<Weekday>;
  private readonly spans = new Map<string, number>();
  private readonly worked = new Map<number, boolean>();
  readonly opensMs: number;
  readonly closesMs: number;
  /** Working time of one day. */
  readonly workedMs: number;

  constructor(calendar: CalendarDefinition) {
    this.calendar = calendar;
    this.weekend = new Set(calendar.weekend);
    this.opensMs = (calendar.hours[0]?.from ?? 0) * MINUTE_MS;
    this.closesMs = (calendar.hours.at(-1)?.to ?? 1440) * MINUTE_MS;
    this.workedMs = calendar.hours.reduce((sum, { from, to }) => sum + (to - from), 0) * MINUTE_MS;
  }

  /** Since midnight, once so much of the day's working time has passed. */
  clockAfterMs(workedMs: number): number {
    let left = workedMs;
    for (const { from, to } of this.calendar.hours) {
      const spanMs = (to - from) * MINUTE_MS;
      if (left <= spanMs) return from * MINUTE_MS + left;
      left -= spanMs;
    }
    return this.closesMs;
  }

  /** From a working day to the one so many after it, for the best or the worst first day. */
  spanMs(count: number, which: "most" | "least"): number {
    const key = `${which} ${count}`;
    const span = this.spans.get(key) ?? this.searched(count, which);
    this.spans.set(key, span);
    return span;
  }

  private searched(count: number, which: "most" | "least"): number {
    const dates = [...this.calendar.holidays, ...this.calendar.workdays].flatMap(({ from, to }) => [from, to]);
    const named = dates.map((date) => Date.parse(`${date}T00:00:00Z`) / DAY_MS);
    const plain = 20_458; // 2026-01-05, a Monday.
    const first = Math.min(plain, ...named) - MARGIN_DAYS - 2 * count;
    const last = Math.max(plain, ...named) + MARGIN_DAYS;
    let found: number | undefined;
    for (let day = first; day <= last; day += 1) {
      if (!this.isWorked(day)) continue;
      const span = this.after(day, count) - day;
      if (found === undefined || (which === "most" ? span > found : span < found)) found = span;
    }
    return (found ?? 0) * DAY_MS;
  }

  private after(day: number, count: number): number {
    let [at, left] = [day, count];
    for (let steps = 0; left > 0 && steps < SEARCH_DAYS_MAX + 10 * count; steps += 1) {
      at += 1;
      if (this.isWorked(at)) left -= 1;
    }
    return at;
  }

  private isWorked(day: number): boolean {
    const is = this.worked.get(day) ?? this.isWorkingDay(day);
    this.worked.set(day, is);
    return is;
  }

  private isWorkingDay(day: number): boolean {
    const at = new Date(day * DAY_MS);
    const date = at.toISOString().slice(0, 10);
    const isIn = (ranges: CalendarDefinition["holidays"]) => ranges.some(({ from, to }) => from <= date && date <= to);
    if (isIn(this.calendar.workdays)) return true;
    return !isIn(this.calendar.holidays) && !this.weekend.has(WEEKDAYS[at.getUTCDay()]!);
  }
}
