import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import type { CalendarDefinition, Term, Weekday } from "../dsl/index.ts";
import { addTerm, dateIn, instantIn, isOpen, NEVER, nextOpening, workingMsBetween } from "./calendar.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const hours = (from: number, to: number) => ({ from: from * 60, to: to * 60 });

const office: CalendarDefinition = {
  name: "cn",
  timezone: "Asia/Shanghai",
  hours: [hours(9, 18)],
  weekend: ["sat", "sun"],
  holidays: [{ from: "2026-10-01", to: "2026-10-07" }],
  workdays: [{ from: "2026-10-10", to: "2026-10-10" }],
};
const lunch: CalendarDefinition = { ...office, hours: [hours(9, 12), hours(13, 18)] };
const plant: CalendarDefinition = { ...office, weekend: [], holidays: [], workdays: [], hours: [hours(0, 24)] };
const night: CalendarDefinition = { ...office, hours: [hours(0, 2), hours(22, 24)] };
const newYork: CalendarDefinition = { ...office, timezone: "America/New_York", holidays: [], workdays: [] };

const workhours = (count: number): Term => ({ kind: "workhours", ms: count * HOUR_MS });
const workdays = (days: number): Term => ({ kind: "workdays", days });
const natural = (ms: number): Term => ({ kind: "natural", ms });

function local(text: string, calendar: CalendarDefinition): number {
  const at = instantIn(text, calendar);
  assert(at !== undefined, text);
  return at;
}

function shown(at: number, { timezone }: CalendarDefinition): string {
  const text = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timezone).toPlainDateTime().toString();
  return text.replace(/:00$/, "");
}

suite("addTerm", () => {
  const rows: readonly (readonly [what: string, CalendarDefinition, from: string, Term, to: string])[] = [
    ["hours within a day end at its close", office, "2026-01-05T10:00", workhours(8), "2026-01-05T18:00"],
    ["hours go on at the next opening", office, "2026-01-05T10:00", workhours(9), "2026-01-06T10:00"],
    ["hours from the opening itself", office, "2026-01-05T09:00", workhours(9), "2026-01-05T18:00"],
    ["hours from before the opening", office, "2026-01-05T06:00", workhours(1), "2026-01-05T10:00"],
    ["hours from the close count from the next opening", office, "2026-01-05T18:00", workhours(1), "2026-01-06T10:00"],
    ["hours over a weekend", office, "2026-01-09T17:00", workhours(2), "2026-01-12T10:00"],
    ["hours over lunch", lunch, "2026-01-05T11:00", workhours(2), "2026-01-05T14:00"],
    ["hours end before lunch, not after it", lunch, "2026-01-05T10:00", workhours(2), "2026-01-05T12:00"],
    ["hours from within lunch", lunch, "2026-01-05T12:30", workhours(1), "2026-01-05T14:00"],
    ["24 work hours are not a work day", office, "2026-01-05T09:00", workhours(24), "2026-01-07T15:00"],
    ["hours of a day that never closes", plant, "2026-01-09T20:00", workhours(48), "2026-01-11T20:00"],
    ["hours of a night that two days share", night, "2026-01-05T23:00", workhours(2), "2026-01-06T01:00"],
    ["a day that ends at 24:00", night, "2026-01-05T22:00", workhours(2), "2026-01-06"],
    ["a day is the same time of the next one", office, "2026-01-05T10:30", workdays(1), "2026-01-06T10:30"],
    ["days from the last minute", office, "2026-01-05T17:59", workdays(1), "2026-01-06T17:59"],
    ["days from the close are openings", office, "2026-01-05T18:00", workdays(1), "2026-01-07T09:00"],
    ["days from the evening are openings", office, "2026-01-05T20:00", workdays(2), "2026-01-08T09:00"],
    ["days from a weekend", office, "2026-01-10T12:00", workdays(1), "2026-01-13T09:00"],
    ["days over a weekend", office, "2026-01-08T15:00", workdays(2), "2026-01-12T15:00"],
    ["days over the new year", office, "2026-12-31T15:00", workdays(2), "2027-01-04T15:00"],
    ["days over a holiday", office, "2026-09-30T15:00", workdays(1), "2026-10-08T15:00"],
    ["a weekend day that is worked is a day", office, "2026-10-09T15:00", workdays(1), "2026-10-10T15:00"],
    ["a weekend day that is worked has hours", office, "2026-10-09T17:00", workhours(3), "2026-10-10T11:00"],
    ["days from within lunch go to its end", lunch, "2026-01-05T12:30", workdays(1), "2026-01-06T13:00"],
    ["no days: the next opening", office, "2026-01-10T12:00", workdays(0), "2026-01-12T09:00"],
    ["no hours: at once in opening hours", office, "2026-01-05T12:00", workhours(0), "2026-01-05T12:00"],
    ["a natural day is 24 hours", office, "2026-01-09T17:00", natural(DAY_MS), "2026-01-10T17:00"],
    ["days keep the local time when summer time begins", newYork, "2026-03-06T10:00", workdays(1), "2026-03-09T10:00"],
    ["days keep the local time when it ends", newYork, "2026-10-30T10:00", workdays(1), "2026-11-02T10:00"],
  ];
  for (const [what, calendar, from, term, to] of rows) {
    test(what, () => {
      assert.equal(
        shown(addTerm(local(from, calendar), term, calendar), calendar),
        shown(local(to, calendar), calendar),
      );
    });
  }

  test("a natural day is 24 hours over a change of the clock, a work day is not", () => {
    const at = local("2026-03-06T10:00", newYork);
    assert.equal(shown(addTerm(at, natural(3 * DAY_MS), newYork), newYork), "2026-03-09T11:00");
    assert.equal(addTerm(at, workdays(1), newYork) - at, 3 * DAY_MS - HOUR_MS);
  });

  test("hours that the clock jumps over are not worked", () => {
    const always: CalendarDefinition = { ...newYork, weekend: [], hours: [hours(0, 24)] };
    const spring = local("2026-03-08", always);
    assert.equal(workingMsBetween(spring, local("2026-03-09", always), always), 23 * HOUR_MS);
    assert.equal(shown(addTerm(spring, workhours(3), always), always), "2026-03-08T04:00");
    const autumn = local("2026-11-01", always);
    assert.equal(workingMsBetween(autumn, local("2026-11-02", always), always), 25 * HOUR_MS);
  });

  test("an opening that falls into the jump is at its end, one that lies in it is not worked", () => {
    const early: CalendarDefinition = {
      ...newYork,
      weekend: [],
      hours: [{ from: 130, to: 150 }, hours(2.75, 5)],
    };
    const jump = local("2026-03-08T03:00", early);
    assert.equal(nextOpening(local("2026-03-08T00:00", early), early), jump);
    assert.equal(shown(addTerm(jump, workhours(2), early), early), "2026-03-08T05:00");
  });

  test("a calendar whose working days end never ends a term", () => {
    const once: CalendarDefinition = { ...office, weekend: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] };
    const last = local("2026-10-10T17:00", once);
    assert.equal(shown(addTerm(last, workhours(1), once), once), "2026-10-10T18:00");
    assert.equal(addTerm(last, workhours(2), once), NEVER);
    assert.equal(addTerm(last, workdays(1), once), NEVER);
    assert.equal(nextOpening(last + 2 * HOUR_MS, once), NEVER);
    assert.equal(isOpen(NEVER, once), false);
  });

  test("working time without a calendar is a bug", () => {
    assert.throws(() => addTerm(0, workdays(1), undefined), assert.AssertionError);
    assert.equal(addTerm(5, natural(7), undefined), 12);
  });
});

suite("opening hours", () => {
  const rows: readonly (readonly [at: string, open: boolean, next: string])[] = [
    ["2026-01-05T08:59", false, "2026-01-05T09:00"],
    ["2026-01-05T09:00", true, "2026-01-05T09:00"],
    ["2026-01-05T11:59", true, "2026-01-05T11:59"],
    ["2026-01-05T12:00", false, "2026-01-05T13:00"],
    ["2026-01-05T18:00", false, "2026-01-06T09:00"],
    ["2026-10-01T10:00", false, "2026-10-08T09:00"],
    ["2026-10-10T10:00", true, "2026-10-10T10:00"],
  ];
  for (const [text, open, next] of rows) {
    test(`${text} is ${open ? "open" : "closed"}`, () => {
      const at = local(text, lunch);
      assert.equal(isOpen(at, lunch), open);
      assert.equal(shown(nextOpening(at, lunch), lunch), next);
    });
  }

  test("working time between two instants", () => {
    const between = (from: string, to: string) =>
      workingMsBetween(local(from, lunch), local(to, lunch), lunch) / HOUR_MS;
    assert.equal(between("2026-01-05T08:00", "2026-01-05T20:00"), 8);
    assert.equal(between("2026-01-05T11:00", "2026-01-05T14:00"), 2);
    assert.equal(between("2026-01-09T17:00", "2026-01-12T10:00"), 2);
    assert.equal(between("2026-01-10T00:00", "2026-01-11T00:00"), 0);
    assert.equal(between("2025-12-31T17:00", "2027-01-01T10:00"), 1 + 1 + 257 * 8);
  });
});

suite("local time", () => {
  test("a written time is of the calendar's zone, unless an offset is written", () => {
    assert.equal(instantIn("2026-10-08T09:00", undefined), Date.parse("2026-10-08T09:00+08:00"));
    assert.equal(instantIn("2026-07-08T09:00", newYork), Date.parse("2026-07-08T09:00-04:00"));
    assert.equal(instantIn("2026-07-08T09:00:30", newYork), Date.parse("2026-07-08T09:00:30-04:00"));
    assert.equal(instantIn("2026-07-08T09:00+08:00", newYork), Date.parse("2026-07-08T09:00+08:00"));
    assert.equal(instantIn("2026-07-08", newYork), Date.parse("2026-07-08T00:00-04:00"));
    for (const none of ["2026-02-30", "2026-02-30T10:00", "2026-07-08T25:00", "soon"]) {
      assert.equal(instantIn(none, newYork), undefined, none);
    }
  });

  test("a time that is shown twice is the first, one that is never shown is as much later", () => {
    assert.equal(instantIn("2026-11-01T01:30", newYork), Date.parse("2026-11-01T01:30-04:00"));
    assert.equal(instantIn("2026-03-08T02:30", newYork), Date.parse("2026-03-08T03:30-04:00"));
  });

  test("the date is that of the zone", () => {
    const at = Date.parse("2026-01-05T16:30Z");
    assert.equal(dateIn(at, office), "2026-01-06");
    assert.equal(dateIn(at, newYork), "2026-01-05");
    assert.equal(dateIn(at, undefined), "2026-01-06");
  });
});

// Random calendars. A law about days can hold only where the clock is not changed within opening hours: from 06:00 on.
const FIRST = Date.parse("2025-01-01T00:00Z");
const instant = fc.integer({ min: 0, max: 3 * 365 * 24 * 60 }).map((minutes) => FIRST + minutes * 60_000);
const weekday = fc.constantFrom<Weekday>("mon", "tue", "wed", "thu", "fri", "sat", "sun");
const date = fc
  .integer({ min: 0, max: 3 * 365 })
  .map((days) => new Date(FIRST + days * DAY_MS).toISOString().slice(0, 10));
const dayRange = fc.tuple(date, date).map(([a, b]) => (a < b ? { from: a, to: b } : { from: b, to: a }));
const shortRange = date.chain((from) =>
  fc.integer({ min: 0, max: 10 }).map((days) => {
    return { from, to: new Date(Date.parse(from) + days * DAY_MS).toISOString().slice(0, 10) };
  }),
);

function calendars(earliest: number): fc.Arbitrary<CalendarDefinition> {
  return fc.record({
    name: fc.constant("any"),
    timezone: fc.constantFrom("Asia/Shanghai", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "UTC"),
    hours: fc
      .uniqueArray(fc.integer({ min: earliest, max: 1440 }), { minLength: 2, maxLength: 6 })
      .map((minutes) => minutes.sort((a, b) => a - b))
      .map((minutes) =>
        Array.from({ length: Math.floor(minutes.length / 2) }, (_, index) => {
          return { from: minutes[2 * index]!, to: minutes[2 * index + 1]! };
        }),
      ),
    weekend: fc.uniqueArray(weekday, { maxLength: 4 }),
    holidays: fc.oneof(fc.array(shortRange, { maxLength: 5 }), fc.array(dayRange, { maxLength: 1 })),
    workdays: fc.array(shortRange, { maxLength: 3 }),
  });
}

/** Opening hours by definition: what the wall clock shows, minute by minute. */
function openByClock(at: number, calendar: CalendarDefinition): boolean {
  const clock = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(calendar.timezone);
  const day = clock.toPlainDate().toString();
  const within = (ranges: CalendarDefinition["holidays"]) => ranges.some(({ from, to }) => day >= from && day <= to);
  const name = (["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const)[clock.dayOfWeek - 1]!;
  if (!within(calendar.workdays) && (within(calendar.holidays) || calendar.weekend.includes(name))) return false;
  const minute = clock.hour * 60 + clock.minute;
  return calendar.hours.some(({ from, to }) => minute >= from && minute < to);
}

suite("laws", () => {
  const waking = calendars(360);

  test("opening hours are what the wall clock shows", () => {
    const property = fc.property(waking, instant, (calendar, at) => {
      assert.equal(isOpen(at, calendar), openByClock(at, calendar));
    });
    fc.assert(property, { numRuns: 500 });
  });

  test("hours end at the earliest instant at which so many have passed, counted minute by minute", () => {
    const property = fc.property(calendars(0), instant, fc.integer({ min: 1, max: 300 }), (calendar, from, minutes) => {
      const end = addTerm(from, { kind: "workhours", ms: minutes * 60_000 }, calendar);
      fc.pre(end - from < 4 * DAY_MS);
      let left = minutes;
      let at = from;
      // The hour that is shown twice belongs to the hours the first time, so that the clock alone can't say.
      for (; left > 0; at += 60_000) if (isOpen(at, calendar)) left -= 1;
      assert.equal(end, at);
    });
    fc.assert(property, { numRuns: 300 });
  });

  for (const kind of ["workhours", "workdays"] as const) {
    const size = fc.integer({ min: 1, max: 60 });
    const term = (count: number): Term => (kind === "workdays" ? workdays(count) : { kind, ms: count * 17 * 60_000 });

    test(`${kind}: a and then b is a + b`, () => {
      const property = fc.property(waking, instant, size, size, (calendar, at, a, b) => {
        assert.equal(addTerm(addTerm(at, term(a), calendar), term(b), calendar), addTerm(at, term(a + b), calendar));
      });
      fc.assert(property, { numRuns: 1000 });
    });

    test(`${kind}: never ends outside opening hours, their end included`, () => {
      const property = fc.property(calendars(0), instant, size, (calendar, at, count) => {
        const end = addTerm(at, term(count), calendar);
        assert(end === NEVER || isOpen(end, calendar) || isOpen(end - 1, calendar));
      });
      fc.assert(property, { numRuns: 1000 });
    });

    test(`${kind}: later begun or longer is never earlier done`, () => {
      const property = fc.property(waking, instant, instant, size, size, (calendar, one, other, a, b) => {
        const [early, late] = [Math.min(one, other), Math.max(one, other)];
        const [short, long] = [Math.min(a, b), Math.max(a, b)];
        assert(addTerm(early, term(short), calendar) <= addTerm(late, term(short), calendar));
        assert(addTerm(early, term(short), calendar) <= addTerm(early, term(long), calendar));
      });
      fc.assert(property, { numRuns: 1000 });
    });
  }

  test("working time between the beginning and the end of a term is the term", () => {
    const property = fc.property(calendars(0), instant, fc.integer({ min: 1, max: 500 }), (calendar, at, count) => {
      const ms = count * 11 * 60_000;
      const end = addTerm(at, { kind: "workhours", ms }, calendar);
      fc.pre(end !== NEVER);
      assert.equal(workingMsBetween(at, end, calendar), ms);
    });
    fc.assert(property, { numRuns: 1000 });
  });
});
