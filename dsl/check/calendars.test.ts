import assert from "node:assert/strict";
import { test } from "node:test";
import { compile, type Definition } from "../index.ts";
import { flow, LINES, wrongs } from "./flow-fixture.ts";

const withCalendar = (calendar: string) => flow({ head: `calendar: "cn"`, after: `calendar "cn" {\n ${calendar}\n}` });

function calendarOf(text: string): Definition["calendar"] {
  const { definitions, diagnostics } = compile(text, "a.flow");
  assert.deepEqual(diagnostics, []);
  return definitions[0]?.calendar;
}

test("a calendar, as the definition has it", () => {
  const whole = `timezone: "Europe/Berlin"
    hours: [13:00 .. 18:00, 09:00 .. 12:00, 18:00 .. 24:00]
    weekend: [fri]
    holidays: [2026-10-01 .. 2026-10-07, 2026-12-25]
    workdays: [2026-10-09]`;
  assert.deepEqual(calendarOf(withCalendar(whole)), {
    name: "cn",
    timezone: "Europe/Berlin",
    hours: [
      { from: 540, to: 720 },
      { from: 780, to: 1440 },
    ],
    weekend: ["fri"],
    holidays: [
      { from: "2026-10-01", to: "2026-10-07" },
      { from: "2026-12-25", to: "2026-12-25" },
    ],
    workdays: [{ from: "2026-10-09", to: "2026-10-09" }],
  });
});

test("what is left out is China's time, the whole day, Saturday and Sunday", () => {
  assert.deepEqual(calendarOf(withCalendar("")), {
    name: "cn",
    timezone: "Asia/Shanghai",
    hours: [{ from: 0, to: 1440 }],
    weekend: ["sat", "sun"],
    holidays: [],
    workdays: [],
  });
});

test("what is wrong with a calendar, and where", () => {
  const rows: readonly (readonly [text: string, code: string, at: string])[] = [
    [withCalendar(`timezone: "Asia/Peking"`), "FLOW262", `"Asia/Peking"`],
    [withCalendar(`timezone: "+08:00"`), "FLOW262", `"+08:00"`],
    [withCalendar("hours: 18:00 .. 09:00"), "FLOW262", "18:00 .. 09:00"],
    [withCalendar("hours: 09:00 .. 25:00"), "FLOW017", "25:00"],
    [withCalendar("hours: [09:00 .. 12:00, 11:00 .. 18:00]"), "FLOW262", "11:00 .. 18:00"],
    [withCalendar("weekend: [sat, sunday]"), "FLOW262", "sunday"],
    [withCalendar("weekend: [sat, sat]"), "FLOW109", "sat"],
    [withCalendar("weekend: [mon, tue, wed, thu, fri, sat, sun]"), "FLOW261", `"cn"`],
    [withCalendar("hours: []"), "FLOW261", `"cn"`],
    [withCalendar("holidays: [2026-02-30]"), "FLOW017", "2026-02-30"],
    [withCalendar("holidays: [2026-10-07 .. 2026-10-01]"), "FLOW262", "2026-10-07 .. 2026-10-01"],
    [withCalendar("workdays: [2026-13-01]"), "FLOW017", "2026-13-01"],
    [flow({ after: `calendar "cn" { }\n calendar "cn" { }` }), "FLOW109", `"cn"`],
    [flow({ head: `calendar: "cm"`, after: `calendar "cn" { }` }), "FLOW116", `"cm"`],
  ];
  for (const [text, code, at] of rows) assert.deepEqual(wrongs(text), [[code, at]], text);
});

test("working time needs a calendar, wherever it stands", () => {
  const block = (options: string) => ({
    blocks: `state B { approval by boss { allow: [returnTo, withdraw]; ${options} } }`,
  });
  const rows: readonly (readonly [parts: Parameters<typeof flow>[0], at: string])[] = [
    [block("due: 2 workdays"), "2 workdays"],
    [block("remind: every 4 workhours"), "4 workhours"],
    [block("due: 2d; overdue: [remind after 1 workdays]"), "1 workdays"],
    [{ lines: `${LINES}\n B → D after 3 workdays` }, "3 workdays"],
    [
      {
        blocks: "state B { approval by boss { allow: [returnTo, withdraw] } }\n state C { revocable for 5 workdays }",
        lines: `${LINES}\n C → D on withdrawn`,
      },
      "5 workdays",
    ],
    [{ after: `test "t" of "f" { advance 3 workdays }` }, "advance 3 workdays"],
  ];
  for (const [parts, at] of rows) {
    assert.deepEqual(wrongs(flow(parts)), [["FLOW260", at]], at);
    const withOne = { ...parts, head: `calendar: "cn"`, after: `${parts.after ?? ""}\ncalendar "cn" { }` };
    assert.deepEqual(wrongs(flow(withOne)), [], at);
  }
});

test("terms, as the definition has them", () => {
  const text = flow({
    head: `calendar: "cn"`,
    after: `calendar "cn" { }`,
    lines: `${LINES}\n B → D after 2 workdays\n B → C after 0.5 workhours\n B → A after 1w`,
  });
  const terms = compile(text, "a.flow").definitions[0]?.transitions.flatMap(({ trigger }) =>
    trigger.kind === "after" ? [trigger.term] : [],
  );
  assert.deepEqual(terms, [
    { kind: "workdays", days: 2 },
    { kind: "workhours", ms: 1_800_000 },
    { kind: "natural", ms: 604_800_000 },
  ]);
});

test("working days are whole, and working time is no value", () => {
  const head = { head: `calendar: "cn"`, after: `calendar "cn" { }` };
  assert.deepEqual(wrongs(flow({ ...head, lines: `${LINES}\n B → D after 1.5 workdays` })), [
    ["FLOW125", "1.5 workdays"],
  ]);
  assert.deepEqual(wrongs(flow({ ...head, lines: `${LINES}\n B → D on "x" if elapsed > 2 workdays` })), [
    ["FLOW121", "2 workdays"],
  ]);
});
