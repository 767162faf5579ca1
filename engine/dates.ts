/**
 * Dates and instants without a clock. A date is `YYYY-MM-DD`, an instant is {@link EpochMs}; people see both in the zone
 * +08:00, which has no summer time. Years run from 0001 to 9999.
 */
import { overflow } from "./exact.ts";
import type { EpochMs } from "./types.ts";

export const DAY_MS = 86_400_000;
const ZONE_MS = 8 * 3_600_000;
const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const DATE_TIME = /^(\d{4}-\d\d-\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/;
const FIRST_MS = Date.parse("0001-01-01T00:00:00Z");
const LAST_MS = Date.UTC(10_000, 0, 1) - 1;

/** Midnight UTC of a date, or `undefined` if the calendar has no such day. */
export function dateMs(date: string): EpochMs | undefined {
  if (!DATE.test(date) || date.startsWith("0000")) return undefined;
  const ms = Date.parse(`${date}T00:00:00Z`);
  return Number.isNaN(ms) || dateText(ms) !== date ? undefined : ms;
}

/** The date of an instant in UTC; the inverse of {@link dateMs}. */
export function dateText(ms: EpochMs): string {
  if (!(ms >= FIRST_MS && ms <= LAST_MS)) throw overflow();
  return new Date(ms).toISOString().slice(0, 10);
}

/** The date that people in +08:00 see at that instant. */
export function localDate(at: EpochMs): string {
  return dateText(at + ZONE_MS);
}

/** RFC 3339 with an offset → instant; finer than milliseconds is cut off. `undefined` if it is no such instant. */
export function readInstant(text: string): EpochMs | undefined {
  const match = DATE_TIME.exec(text);
  if (match === null) return undefined;
  const [, date = "", hour, minute, second, fraction = "", zone = ""] = match;
  const day = dateMs(date);
  const offsetMs = zoneMs(zone);
  if (day === undefined || offsetMs === undefined) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const clockMs = ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000;
  const at = day + clockMs + Number(fraction.padEnd(3, "0").slice(0, 3)) - offsetMs;
  return at >= FIRST_MS && at + ZONE_MS <= LAST_MS ? at : undefined;
}

/** The instant as RFC 3339 in +08:00: `2026-01-05T09:00:00+08:00`, with milliseconds where there are any. */
export function instantText(at: EpochMs): string {
  const text = new Date(at + ZONE_MS).toISOString().slice(0, -1);
  return `${text.endsWith(".000") ? text.slice(0, -4) : text}+08:00`;
}

/**
 * The instant by a pattern of `yyyy MM dd HH mm ss`, `M` and `d` (without leading zero), in +08:00; everything else stands for itself.
 */
export function formatInstant(at: EpochMs, pattern: string): string {
  return formatUtc(at + ZONE_MS, pattern);
}

/** The date by the same patterns; its time is 00:00:00. */
export function formatDay(date: string, pattern: string): string {
  return formatUtc(dateMs(date) ?? 0, pattern);
}

function formatUtc(ms: EpochMs, pattern: string): string {
  const [year = "", month = "", day = "", hour = "", minute = "", second = ""] = new Date(ms)
    .toISOString()
    .split(/[-T:.]/);
  const parts: Readonly<Record<string, string>> = {
    yyyy: year,
    MM: month,
    M: String(Number(month)),
    dd: day,
    d: String(Number(day)),
    HH: hour,
    mm: minute,
    ss: second,
  };
  return pattern.replace(/yyyy|MM?|dd?|HH|mm|ss/g, (token) => parts[token] ?? token);
}

function zoneMs(zone: string): number | undefined {
  if (zone === "Z" || zone === "z") return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(4))];
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}
