/**
 * Working time: when a term ends, whether it is opening time, how much working time lies between two instants.
 * Opening times are half open, `[open, close)`, in the calendar's zone; where its wall clock is put back, what is shown
 * twice is meant the first time.
 */
import assert from "node:assert/strict";
import type { CalendarDefinition, Term } from "../dsl/index.ts";
import { type WorkCalendar, type WorkYear, workCalendar } from "./calendar-year.ts";
import { DEFAULT_ZONE, readLocal, type Zone, zoneOf } from "./calendar-zone.ts";
import { dateText } from "./dates.ts";
import type { EpochMs } from "./types.ts";

/** The last year that dates reach, see dates.ts. */
const LAST_YEAR = 9999;

/**
 * What stands for "never": the end of year 9999. A term ends there that a calendar can't hold, because it has no more
 * working days or the term is longer.
 */
export const NEVER: EpochMs = Date.UTC(LAST_YEAR + 1, 0, 1) - 1;

/**
 * The instant at which a term that begins at `at` ends. Working time begins at `at` in opening hours, else at the next
 * opening. Hours end at the earliest instant at which so many have passed; days at the same local time so many working
 * days after.
 * @throws AssertionError for working time without a calendar: a flow that does this does not load.
 */
export function addTerm(at: EpochMs, term: Term, calendar: CalendarDefinition | undefined): EpochMs {
  if (term.kind === "natural") return Math.min(at + term.ms, NEVER);
  assert(calendar, "working time needs a calendar");
  const work = workCalendar(calendar);
  const place = locate(work, at);
  if (!place) return NEVER;
  const start = Math.max(at, place.year.starts[place.opening]!);
  return term.kind === "workhours" ? addHours(work, place, start, term.ms) : addDays(work, place, start, term.days);
}

/** `at` itself in opening hours, else the next opening; {@link NEVER} if there is none. */
export function nextOpening(at: EpochMs, calendar: CalendarDefinition): EpochMs {
  const place = locate(workCalendar(calendar), at);
  return place ? Math.max(at, place.year.starts[place.opening]!) : NEVER;
}

export function isOpen(at: EpochMs, calendar: CalendarDefinition): boolean {
  return at < NEVER && nextOpening(at, calendar) === at;
}

/** Working time between two instants in ms, `from` ≤ `to`. */
export function workingMsBetween(from: EpochMs, to: EpochMs, calendar: CalendarDefinition): number {
  const work = workCalendar(calendar);
  const [first, last] = [yearAt(work, from), yearAt(work, to)];
  let ms = workedMs(last, to) - workedMs(first, from);
  for (let { year } = first; year < last.year; year++) ms += work.year(year).totalMs;
  return ms;
}

/** The zone in which people of a flow read times: that of its calendar, else +08:00. */
export function zoneOfCalendar(calendar: CalendarDefinition | undefined): Zone {
  return zoneOf(calendar?.timezone ?? DEFAULT_ZONE);
}

/** The date there at that instant, `YYYY-MM-DD`. */
export function dateIn(at: EpochMs, calendar: CalendarDefinition | undefined): string {
  return dateText(zoneOfCalendar(calendar).localMs(at));
}

/**
 * The instant of a local time there, `YYYY-MM-DDTHH:MM[:SS]`, or of a date's beginning; an offset that is written wins.
 * `undefined` if there is no such date or time.
 */
export function instantIn(text: string, calendar: CalendarDefinition | undefined): EpochMs | undefined {
  return readLocal(text, zoneOfCalendar(calendar));
}

/** An opening time. */
interface Place {
  readonly year: WorkYear;
  readonly opening: number;
}

/** The opening time that `at` is in, else the next one; `undefined`: none before year 10000. */
function locate(work: WorkCalendar, at: EpochMs): Place | undefined {
  if (at >= NEVER) return undefined;
  const year = yearAt(work, at);
  return settle(work, year, firstAfter(year.ends, at));
}

/** Goes on to the first opening that has a length, over the end of the year if it must. */
function settle(work: WorkCalendar, from: WorkYear, opening: number): Place | undefined {
  let year = from;
  let index = opening;
  for (;;) {
    while (index < year.starts.length && year.starts[index] === year.ends[index]) index += 1;
    if (index < year.starts.length) return { year, opening: index };
    if (year.year >= LAST_YEAR) return undefined;
    year = work.year(year.year + 1);
    index = 0;
  }
}

function yearAt(work: WorkCalendar, at: EpochMs): WorkYear {
  const guess = Math.min(new Date(at).getUTCFullYear(), LAST_YEAR);
  const year = work.year(guess);
  if (at < year.from) return work.year(guess - 1);
  return at >= year.until && guess < LAST_YEAR ? work.year(guess + 1) : year;
}

function addHours(work: WorkCalendar, { year: first, opening }: Place, start: EpochMs, ms: number): EpochMs {
  let year = first;
  let goal = year.workedMs[opening]! + (start - year.starts[opening]!) + ms;
  if (ms === 0) return start;
  while (goal > year.totalMs) {
    if (year.year >= LAST_YEAR) return NEVER;
    goal -= year.totalMs;
    year = work.year(year.year + 1);
  }
  // The last opening before which less than the goal was worked: its end counts, not the next one's start.
  const index = firstNotBelow(year.workedMs, goal) - 1;
  return year.starts[index]! + (goal - year.workedMs[index]!);
}

function addDays(work: WorkCalendar, { year: first, opening }: Place, start: EpochMs, days: number): EpochMs {
  const { zone, ranges } = work;
  const place = opening % ranges;
  const clockMs = zone.localMs(start) - first.dayLocalMs[(opening - place) / ranges]!;
  let year = first;
  let day = (opening - place) / ranges + days;
  while (day >= year.dayLocalMs.length) {
    if (year.year >= LAST_YEAR) return NEVER;
    day -= year.dayLocalMs.length;
    year = work.year(year.year + 1);
  }
  const index = day * ranges + place;
  const end = zone.instantOf(year.dayLocalMs[day]! + clockMs);
  // Only where the clock is changed within opening hours can this differ.
  return Math.min(Math.max(end, year.starts[index]!), year.ends[index]!);
}

function workedMs(year: WorkYear, at: EpochMs): number {
  const index = firstAfter(year.ends, at);
  if (index === year.ends.length) return year.totalMs;
  return year.workedMs[index]! + Math.max(0, at - year.starts[index]!);
}

/** Index of the first number above `value` in ascending numbers. */
function firstAfter(numbers: Float64Array, value: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Index of the first number at or above `value`. */
function firstNotBelow(numbers: Float64Array, value: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! >= value) high = middle;
    else low = middle + 1;
  }
  return low;
}
