import type { CalendarDefinition, DayRange, Weekday } from "../dsl/index.ts";
import { type Zone, zoneOf } from "./calendar-zone.ts";
import { DAY_MS, dateMs } from "./dates.ts";
import type { EpochMs } from "./types.ts";

const MINUTE_MS = 60_000;
/** Years of one calendar that are kept ready. */
const YEARS_MAX = 64;
/** Calendars that are kept ready. */
const CALENDARS_MAX = 256;
/** 1970-01-01, day 0, was a Thursday. */
const WEEKDAYS: readonly Weekday[] = ["thu", "fri", "sat", "sun", "mon", "tue", "wed"];

/**
 * The working time of one local year: its opening times in order, `ranges` of them for each working day.
 * An opening that the clock jumps over has length 0.
 */
export interface WorkYear {
  readonly year: number;
  readonly from: EpochMs;
  readonly until: EpochMs;
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  /** Working time of the year before each opening time. */
  readonly workedMs: Float64Array;
  /** Local midnight of each working day, as {@link Zone} counts local time. */
  readonly dayLocalMs: Float64Array;
  readonly totalMs: number;
}

/** A calendar made ready for arithmetic. */
export interface WorkCalendar {
  readonly zone: Zone;
  /** Opening times a day. */
  readonly ranges: number;
  readonly year: (year: number) => WorkYear;
}

const byDefinition = new WeakMap<CalendarDefinition, WorkCalendar>();
const byContent = new Map<string, WorkCalendar>();

/** Made once for calendars of equal content: many flows share one, each with a copy of its own. */
export function workCalendar(definition: CalendarDefinition): WorkCalendar {
  let calendar = byDefinition.get(definition);
  if (calendar) return calendar;
  const content = JSON.stringify({ ...definition, name: "" });
  calendar = byContent.get(content) ?? makeCalendar(definition);
  if (byContent.size >= CALENDARS_MAX) byContent.clear();
  byContent.set(content, calendar);
  byDefinition.set(definition, calendar);
  return calendar;
}

function makeCalendar(definition: CalendarDefinition): WorkCalendar {
  const zone = zoneOf(definition.timezone);
  const years = new Map<number, WorkYear>();
  function year(number: number): WorkYear {
    let table = years.get(number);
    if (!table) {
      table = makeYear(definition, zone, number);
      if (years.size >= YEARS_MAX) years.clear();
      years.set(number, table);
    }
    return table;
  }
  return { zone, ranges: definition.hours.length, year };
}

function makeYear(definition: CalendarDefinition, zone: Zone, year: number): WorkYear {
  const { hours } = definition;
  const [firstMs, untilMs] = [newYearMs(year), newYearMs(year + 1)];
  const days = workingDays(definition, firstMs, untilMs);
  const count = days.length * hours.length;
  const [starts, ends, workedMs] = [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
  let totalMs = 0;
  let opening = 0;
  for (const day of days) {
    for (const { from, to } of hours) {
      const start = zone.boundaryOf(day + from * MINUTE_MS);
      const end = zone.boundaryOf(day + to * MINUTE_MS);
      starts[opening] = start;
      ends[opening] = end;
      workedMs[opening] = totalMs;
      totalMs += end - start;
      opening += 1;
    }
  }
  const [from, until] = [zone.boundaryOf(firstMs), zone.boundaryOf(untilMs)];
  return { year, from, until, starts, ends, workedMs, dayLocalMs: Float64Array.from(days), totalMs };
}

/** `Date.UTC` takes years below 100 for those of the twentieth century. */
function newYearMs(year: number): number {
  return new Date(0).setUTCFullYear(year, 0, 1);
}

/** 调休 goes before holidays, holidays before the week. */
function workingDays({ weekend, holidays, workdays }: CalendarDefinition, fromMs: number, untilMs: number): number[] {
  const [free, worked] = [holidays.map(range), workdays.map(range)];
  const days: number[] = [];
  for (let day = fromMs; day < untilMs; day += DAY_MS) {
    const weekday = WEEKDAYS[(((day / DAY_MS) % 7) + 7) % 7]!;
    if (contains(worked, day) || !(weekend.includes(weekday) || contains(free, day))) days.push(day);
  }
  return days;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

function range({ from, to }: DayRange): Range {
  return { from: dateMs(from)!, to: dateMs(to)! };
}

function contains(ranges: readonly Range[], day: number): boolean {
  return ranges.some(({ from, to }) => day >= from && day <= to);
}
