import assert from "node:assert/strict";
import { test } from "node:test";
import type { CalendarDefinition, Term } from "../definition.ts";
import { added, fitsWithin, lengthOf, longestMs } from "./lengths.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const OFFICE: CalendarDefinition = {
  name: "office",
  timezone: "Asia/Shanghai",
  hours: [
    { from: 9 * 60, to: 12 * 60 },
    { from: 13 * 60, to: 18 * 60 },
  ],
  weekend: ["sat", "sun"],
  holidays: [{ from: "2026-10-01", to: "2026-10-07" }],
  workdays: [{ from: "2026-10-10", to: "2026-10-10" }],
};
const PLAIN: CalendarDefinition = { ...OFFICE, holidays: [], workdays: [] };
const natural = (ms: number): Term => ({ kind: "natural", ms });
const workdays = (days: number): Term => ({ kind: "workdays", days });
const workhours = (hours: number): Term => ({ kind: "workhours", ms: hours * HOUR_MS });

test("the longest that a term can take", () => {
  const rows: readonly (readonly [CalendarDefinition | undefined, Term, number])[] = [
    [undefined, natural(DAY_MS), DAY_MS],
    // From Friday 18:00 over Monday's opening to Tuesday's.
    [PLAIN, workdays(1), 4 * DAY_MS - 9 * HOUR_MS],
    // From Wednesday, September 30th, 18:00 over October 8th to the 9th.
    [OFFICE, workdays(1), 9 * DAY_MS - 9 * HOUR_MS],
    // From Friday 18:00 to Monday 10:00, and past the break of noon to 14:00.
    [PLAIN, workhours(1), 3 * DAY_MS - 8 * HOUR_MS],
    [PLAIN, workhours(4), 3 * DAY_MS - 4 * HOUR_MS],
    [PLAIN, workhours(9), 4 * DAY_MS - 8 * HOUR_MS],
  ];
  for (const [calendar, term, expected] of rows) assert.equal(longestMs(lengthOf(term), calendar), expected);
});

test("terms of one kind add up, others count as long as they can be", () => {
  const three = added(lengthOf(workdays(1)), lengthOf(workdays(2)));
  assert.ok(fitsWithin(three, workdays(3), OFFICE));
  assert.ok(!fitsWithin(three, workdays(2), OFFICE));
  assert.ok(!fitsWithin(three, natural(5 * DAY_MS), PLAIN));
  assert.ok(fitsWithin(three, natural(6 * DAY_MS), PLAIN));
  assert.ok(fitsWithin(lengthOf(natural(3 * DAY_MS)), workdays(3), PLAIN));
  assert.ok(!fitsWithin(lengthOf(natural(3 * DAY_MS + 1)), workdays(3), PLAIN));
});
