import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { compile, type Definition } from "../../dsl/index.ts";
import { readAssumption } from "../conditions/assumptions.ts";
import { type DataExplanation, type ExplainedChoice, explainData } from "./explain-data.ts";
import { tellExplanation } from "./tell-explanation.ts";

const HEAD = `
matrix signers(amount: money, kind: Kind) {
  amount        kind   → who
  [0, 100)      any    → users("ann")
  [100, ..)     a      → users("ben")
  [100, ..)     b, c   → users("ann") then users("ben")
}
state machine "f" {
  data {
    amount: money; budget: money; kind: Kind = one of [a, b, c]; days: int?; rate: decimal = 0.1
    vip: bool = false; from: date; until: date; who: user; card: text secret
    items: list { price: money }
  }
  events { "go" { amount, note: text? } }
  people { boss = users("ann") }
  initial: NEW
  states: [NEW, S, X, Y]
  final: [X, Y]
  state S { approval by signers(amount, kind) }
  transitions {
    NEW → S on "start"
    S → NEW on approved
    S → NEW on rejected
`;

function flow(lines: string): Definition {
  const text = `${HEAD}${lines}\n  }\n}`;
  const { definitions, diagnostics } = compile(text, "f.flow");
  assert.equal(definitions.length, 1, diagnostics.map(({ message }) => message).join("\n"));
  return definitions[0]!;
}

function explain(definition: Definition, given: string): DataExplanation {
  const texts = given.split(/\s+/).filter((text) => text !== "");
  const assumed = texts.map((text) => {
    const read = readAssumption(definition, text);
    assert.ok("value" in read, "fault" in read ? read.fault : "");
    return [read.path, read.value] as const;
  });
  return explainData(definition, new Map(assumed));
}

/** `go` in S: ways and changes as short texts. */
function told(choice: ExplainedChoice): { ways: string[]; nearest: string[] } {
  const way = ({ when, taken, broken }: ExplainedChoice["outcomes"][number]): string => {
    const result = broken ? "broken" : taken === undefined ? "none" : choice.alternatives[taken]!.text;
    return [...when.map(({ text, holds }) => `${holds ? "" : "not "}${text}`), result].join(" | ");
  };
  return {
    ways: choice.outcomes.map(way),
    nearest: choice.nearest.map(({ text, outcomes }) => `${text}: ${outcomes.map(way).join("; ")}`),
  };
}

function go(lines: string, given: string): ReturnType<typeof told> {
  const choice = explain(flow(lines), given).choices.find(({ what }) => what === 'on "go"');
  return told(choice!);
}

const line = (condition: string): string => `S → X on "go" if ${condition}`;

const CASES: readonly (readonly [about: string, lines: string, given: string, ways: string[], nearest: string[]])[] = [
  ["a bound that is excluded", line("amount > 50"), "amount=50", ["none"], ["amount = 50.01: → X"]],
  ["a bound that is included", line("amount >= 50"), "amount=50", ["→ X"], ["amount = 49.99: none"]],
  ["an interval from above", line("amount in (10, 20]"), "amount=25", ["none"], ["amount = 20: → X"]],
  ["an interval from below", line("amount in (10, 20]"), "amount=3", ["none"], ["amount = 10.01: → X"]],
  ["a single value", line("days is set and days == 7"), "days=4", ["none"], ["days = 7: → X"]],
  ["beside a single value", line("days is set and days != 7"), "days=7", ["none"], ["days = 6: → X"]],
  ["what is not set", line("days is set and days > 3"), "days=", ["none"], ["days = 4: → X"]],
  ["what is set", line("not (days is set)"), "days=4", ["none"], ["days not set: → X"]],
  ["a decimal", line("rate < 0.25"), "", ["→ X"], ["rate = 0.25: none"]],
  ["a decimal behind its bound", line("rate > 0.25"), "", ["none"], ["rate = 0.250000000001: → X"]],
  ["a date", line("from >= 2026-03-01"), "from=2026-02-10", ["none"], ["from = 2026-03-01: → X"]],
  [
    "two fields",
    line("amount <= budget"),
    "amount=120.50 budget=100",
    ["none"],
    ["amount = 100: → X", "budget = 120.5: → X"],
  ],
  [
    "a sum, exactly",
    line("amount * 3 + budget < 1_000"),
    "amount=300 budget=100",
    ["none"],
    ["amount = 299.99: → X", "budget = 99.99: → X"],
  ],
  [
    "days between dates",
    line("until - from <= 10d"),
    "from=2026-01-01 until=2026-01-20",
    ["none"],
    ["until = 2026-01-11: → X", "from = 2026-01-10: → X"],
  ],
  ["members", line("kind in [b, c]"), "kind=a", ["none"], ["kind = b: → X"]],
  ["booleans", line("vip"), "", ["none"], ["vip = true: → X"]],
  ["users", line('who == "ann"'), "who=ben", ["none"], ['who = "ann": → X']],
  ["another user", line('who == "ann"'), "who=ann", ["→ X"], ['who = "other": none']],
  ["the nearer of two bounds", line("amount < 10 or amount >= 100"), "amount=60", ["none"], ["amount = 100: → X"]],
  [
    "a way around: the near bound changes nothing",
    line("amount in [10, 20] or amount in (20, 30]"),
    "amount=20",
    ["→ X"],
    ["amount = 9.99: none"],
  ],
  [
    "else",
    `${line("amount > 50")}\n S → Y on "go" else if vip`,
    "amount=50",
    ["none"],
    ["amount = 50.01: → X", "vip = true: → Y"],
  ],
  ["functions", line("vip or isOk()"), "", ["isOk() | → X", "not isOk() | none"], ["vip = true: → X"]],
  [
    "a value of a function",
    `${line("scoreOf(amount) > 0.5")}\n S → Y on "go" else`,
    "amount=1",
    ["scoreOf(amount) > 0.5 | → X", "not scoreOf(amount) > 0.5 | → Y"],
    [],
  ],
  ["what is not given", line("amount > 50"), "", ["amount > 50 | → X", "not amount > 50 | none"], []],
  [
    "nothing that contradicts itself",
    `${line("amount > 50")}\n S → Y on "go" if amount <= 50 and amount > 20`,
    "",
    [
      "amount > 50 | → X",
      "not amount > 50 | amount <= 50 | amount > 20 | → Y",
      "not amount > 50 | amount <= 50 | not amount > 20 | none",
    ],
    [],
  ],
  [
    "members that are not given",
    `${line("kind == a")}\n S → Y on "go" if kind in [b, c]`,
    "",
    ["kind == a | → X", "not kind == a | kind in [b, c] | → Y"],
    [],
  ],
  ["no value", line("amount / budget < 0.5"), "amount=1 budget=0", ["broken"], ["budget = 0.01: none"]],
  ["lists", line("sum(items.price) >= 50"), 'items=[{"price":"49.99"}]', ["none"], []],
  ["the event", line('event.note is set and event.note == "x"'), "event.note=y", ["none"], ['event.note = "x": → X']],
];

describe("explainData", () => {
  for (const [about, lines, given, ways, nearest] of CASES) {
    it(`${about}: ${given}`, () => assert.deepEqual(go(lines, given), { ways, nearest }));
  }

  it("tells the row of a matrix, and the nearest other one", () => {
    const choice = explain(flow(line("vip")), "amount=99.99 kind=b").choices.find(({ kind }) => kind === "matrix")!;
    assert.deepEqual(told(choice), {
      ways: ['users("ann")'],
      nearest: ['amount = 100: users("ann") then users("ben")'],
    });
    assert.deepEqual(choice.alternatives[0]!.comparisons, [
      { text: "amount in [0, 100)", holds: true, values: { amount: "99.99 CNY" }, unknown: [] },
    ]);
  });

  it("keeps secrets", () => {
    const explanation = explain(flow(line("card is set")), "card=6222");
    assert.equal(explanation.given["card"], "****");
    assert.ok(!JSON.stringify(explanation).includes("6222"));
  });

  it("looks at one state only, if asked", () => {
    const { choices } = explainData(flow(line("vip")), new Map(), "NEW");
    assert.deepEqual(new Set(choices.map(({ state }) => state)), new Set(["NEW"]));
  });

  it("says it in words", () => {
    const text = tellExplanation(
      explain(flow(line("amount > 50 and isOk()")), "amount=50"),
      ({ kind }) => `here:${kind}`,
    );
    const at = text.indexOf('S on "go" changes nothing: no line applies');
    assert.deepEqual(text.slice(at, at + 4), [
      'S on "go" changes nothing: no line applies',
      "  ✘ amount > 50: amount = 50.00 CNY  (for → X)",
      "  ? isOk(): isOk() unknown  (for → X)",
      "  nearest: amount = 50.01: → X if isOk(); changes nothing: no line applies if not isOk()",
    ]);
    assert.ok(text.includes('NEW on "start" → S (here:line)'));
  });

  it("finds the nearest number of all", () => {
    const definition = flow(line("days is set and (days in [3, 9) or days * 2 == 40 or days > 70)"));
    const result = (days: number): string => told(explain(definition, `days=${days}`).choices.at(-1)!).ways.join();
    fc.assert(
      fc.property(fc.integer({ min: -20, max: 100 }), (days) => {
        const nearest = explain(definition, `days=${days}`)
          .choices.at(-1)!
          .nearest.find(({ value }) => value !== null)!;
        const distance = Math.abs(Number(nearest.value) - days);
        assert.notEqual(result(Number(nearest.value)), result(days));
        for (let step = 1; step < distance; step += 1) {
          assert.equal(result(days + step), result(days));
          assert.equal(result(days - step), result(days));
        }
      }),
      { numRuns: 25 },
    );
  });
});

describe("readAssumption", () => {
  const definition = flow(line("vip"));
  const read = (text: string): unknown => {
    const reading = readAssumption(definition, text);
    return "value" in reading ? reading.value : reading.fault;
  };
  const READINGS: readonly (readonly [text: string, value: unknown])[] = [
    ["amount=80_000", 8_000_000],
    ["amount=12.5", 1250],
    ["days=-3", -3],
    ["days=", null],
    ["rate=12.5%", "0.125"],
    ["vip=yes", true],
    ["kind=b", "b"],
    ['who="ann"', "ann"],
    ["initiator.tags=vip,beta", ["vip", "beta"]],
    ["items=[]", []],
    ["kind=d", "`kind` must be one of `a`, `b`, `c`, not `d`."],
    [
      "amount=",
      "`amount` must be an amount of 0 or more in CNY with at most 2 decimals and within the safe range (as text where it has more than 15 digits), not ``.",
    ],
    ["colour=red", "`f` has no field `colour`."],
    ["amount", "`amount` is not of the form FIELD=VALUE."],
  ];
  for (const [text, value] of READINGS) it(text, () => assert.deepEqual(read(text), value));
});
