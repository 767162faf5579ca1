import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { dateMs, dateText, formatDay, formatInstant, instantText, localDate, readInstant } from "./dates.ts";
import { durationText, durationWords, readDuration } from "./durations.ts";

test("only dates of the calendar are dates", () => {
  for (const date of ["2026-10-01", "2028-02-29", "0001-01-01", "9999-12-31"])
    assert.equal(dateText(dateMs(date) ?? Number.NaN), date);
  for (const date of [
    "2026-02-29",
    "2026-13-01",
    "2026-1-01",
    "0000-01-01",
    "+2026-01-01",
    " 2026-01-01",
    "2026-04-31",
    "",
  ]) {
    assert.equal(dateMs(date), undefined, date);
  }
});

test("a day begins in +08:00", () => {
  assert.equal(localDate(Date.UTC(2026, 0, 5, 15, 59)), "2026-01-05");
  assert.equal(localDate(Date.UTC(2026, 0, 5, 16)), "2026-01-06");
});

test("instants are read with any offset and written with ours", () => {
  const at = Date.UTC(2026, 0, 5, 1);
  for (const text of [
    "2026-01-05T01:00:00Z",
    "2026-01-05T09:00:00+08:00",
    "2026-01-04T20:00:00.000-05:00",
    "2026-01-05t01:00:00z",
  ]) {
    assert.equal(readInstant(text), at, text);
  }
  for (const text of [
    "2026-01-05T01:00:00",
    "2026-01-05T24:00:00Z",
    "2026-01-05T01:60:00Z",
    "2026-01-05T01:00:60Z",
    "2026-01-05T01:00:00+24:00",
    "2026-01-05 01:00:00Z",
  ]) {
    assert.equal(readInstant(text), undefined, text);
  }
  assert.equal(instantText(at + 7), "2026-01-05T09:00:00.007+08:00");
  const instants = fc.integer({ min: Date.UTC(1000, 0, 1), max: Date.UTC(9999, 0, 1) });
  fc.assert(fc.property(instants, (instant) => assert.equal(readInstant(instantText(instant)), instant)));
});

test("patterns name the parts of a time", () => {
  const at = Date.UTC(2026, 0, 5, 1, 2, 3);
  assert.equal(formatInstant(at, "yyyy年MM月dd日 HH:mm:ss"), "2026年01月05日 09:02:03");
  assert.equal(formatInstant(at, "M/d"), "1/5");
  assert.equal(formatDay("2026-10-01", "yyyyMMdd HH"), "20261001 00");
});

test("durations are spelled in the largest unit that holds them whole", () => {
  const rows: readonly (readonly [number, string, string])[] = [
    [0, "0s", "0秒"],
    [500, "500ms", "500毫秒"],
    [90_000, "90s", "1分钟30秒"],
    [48 * 3_600_000, "2d", "2天"],
    [21 * 86_400_000, "21d", "21天"],
    [-36 * 3_600_000, "-36h", "-1天12小时"],
  ];
  for (const [ms, text, words] of rows) {
    assert.equal(durationText(ms), text);
    assert.equal(durationWords(ms), words);
    assert.equal(readDuration(text), ms);
  }
  assert.equal(readDuration("2w"), 14 * 86_400_000);
  for (const text of ["2", "1.5h", "2 d", "1d12h", "2H", "9007199254740992ms", ""])
    assert.equal(readDuration(text), undefined, text);
});
