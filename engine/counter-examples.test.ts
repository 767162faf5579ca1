/** What the proofs show as an example is true for the engine, too. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compile, type Data, type Definition, type Diagnostic, type Value } from "../dsl/index.ts";
import { compileCondition, type EvaluationContext } from "./expressions.ts";
import { runTest } from "./simulator.ts";
import { currencyOf, readValue } from "./values.ts";

const DATA = `data {
    amount: money
    paid: money
    kind: Kind = one of [a, b, c]
    days: int?
    rate: decimal
    from: date
    to: date
    items: list { name: text, price: money }
  }
  events { "submit" { amount, paid, kind, days, rate, from, to, items } "amend" { amount, days } }
  people { boss = managerOf(initiator); finance = group("finance"); board = users("u1", "u2", "u3") }`;

// ------------------------------------------------------------------------------------------------------------------ //
// Conditions
// ------------------------------------------------------------------------------------------------------------------ //

/** The two conditions as lines for one event, or for two. */
function lines(one: string, other: string, second: string): string {
  return `state machine "f" { ${DATA}
  initial: A; states: [A, B, C]; final: [C]
  transitions { A → B on "submit"\n B → C on "x" if ${one}\n B → C on "${second}" if ${other} } }`;
}

/** The example's fields, and for all others plain values. */
function dataOf(definition: Definition, { counterExample = {} }: Diagnostic): Data {
  const currency = currencyOf(definition);
  const plain: Record<string, unknown> = {
    amount: "7",
    paid: "7",
    kind: "c",
    rate: "0.7",
    from: "2026-05-05",
    to: "2026-05-06",
    items: [],
  };
  const values = definition.fields.flatMap(({ name, type }): [string, Value][] => {
    const json = name in counterExample ? counterExample[name] : plain[name];
    if (json === null || json === undefined) return [];
    const reading = readValue(type, json, currency);
    assert.ok("value" in reading, `${name}: ${JSON.stringify(json)}`);
    return [[name, reading.value]];
  });
  return Object.fromEntries(values);
}

function holds(definition: Definition, event: string, data: Data): boolean {
  const line = definition.transitions.find(({ trigger }) => trigger.kind === "event" && trigger.event === event);
  assert.ok(line?.condition);
  const context = { data, payload: {}, state: "B", initiator: { id: "i" } } as unknown as EvaluationContext;
  return compileCondition(line.condition, currencyOf(definition))(context);
}

test("lines that overlap both hold for the example", () => {
  const pairs = [
    ["amount in [0, 5_000]", "amount in [5_000, ..)"],
    ["amount - paid > 100", "amount > paid + 200"],
    ["amount * 0.1 > 0.50", "amount < 5.06"],
    ["amount / 3 >= 0.02", "amount <= 0.05"],
    ["rate > 0.5", "rate < 0.51"],
    ["rate / 3 > 0.1", "rate * 2 < 1"],
    ["to - from >= 3d", "to <= from + 3d"],
    ["kind in [a, b]", "kind != a"],
    ["days is set and days > 3", "days is set and days * 2 < 9"],
    ["not (days is set)", "kind == b"],
    ["count(items) > 2", "sum(items.price) > 100"],
    ["any items where price > 100", "count(items) < 3"],
    ["if kind == a then amount > 5 else amount > 10", "amount < 6"],
    ["amount / paid > 2", "paid > 1"],
    ["amount * rate >= 1_000", "amount * rate >= 1_000"],
    ["amount * rate > 1_000 and rate < 0.01", "paid / rate > 5"],
    ["days is set and days * rate > 3", "days is set and amount * days < 7"],
  ] as const;
  for (const [one, other] of pairs) {
    const found = compile(lines(one, other, "x"), "a.flow").diagnostics.find(({ code }) => code === "FLOW210");
    assert.ok(found, `${one} | ${other}`);
    const [definition] = compile(lines(one, other, "y"), "a.flow").definitions;
    assert.ok(definition);
    const data = dataOf(definition, found);
    assert.deepEqual([holds(definition, "x", data), holds(definition, "y", data)], [true, true], `${one} | ${other}`);
  }
});

// ------------------------------------------------------------------------------------------------------------------ //
// Properties
// ------------------------------------------------------------------------------------------------------------------ //

interface Parts {
  readonly blocks: string;
  readonly lines?: string;
  readonly states?: string;
  readonly ensure: string;
}

function flow({ blocks, lines: own, states, ensure }: Parts, isEnsured: boolean): string {
  return `matrix signOff(x: money) { x → approvers
    [0, 5_000) → boss
    [5_000, ..) → boss then finance }
state machine "f" { ${DATA}
  ${states ?? "initial: D; states: [D, R, OK, NO]; final: [OK, NO]"}
  ${blocks}
  transitions { D → R on "submit"\n ${own ?? "R → OK on approved\n R → NO on rejected"} }
  ${isEnsured ? `ensure { ${ensure} }` : ""}
}
`;
}

const branches = `state R { parallel {
  branch legal { initial: A; states: [A, X, Z]; state A { approval by boss }; transitions { A → X on approved; A → Z on rejected } }
  branch fin if amount > 5_000 { initial: A; states: [A, X]; state A { approval by finance }; transitions { A → X on approved; A → NO on rejected } }
  join all } }`;

const BROKEN: readonly Parts[] = [
  { blocks: "state R { approval by boss }", ensure: "never OK without approval by finance" },
  {
    blocks: "state R { approval by boss then finance { onEmpty: skip } }",
    ensure: "never OK without approval by finance",
  },
  {
    blocks: "state R { approval by boss and board quorum 2 then finance { due: 2d; overdue: [approve after 1d] } }",
    ensure: "never OK without approval by finance",
  },
  {
    blocks: "state R { approval by signOff(amount) }",
    ensure: "never OK without approval by finance if amount >= 4_000",
  },
  {
    blocks: "state R { approval by signOff(amount) { edit: [amount]; sign: required } }",
    ensure: "never OK without approval by finance if amount >= 5_000",
  },
  {
    blocks: "state R { approval by signOff(amount) }",
    lines: "R → OK on approved → set(amount = amount * 2)\n R → NO on rejected",
    ensure: "never OK without approval by finance if amount >= 5_000",
  },
  {
    blocks: "state R { approval by boss { allow: [returnTo] } }",
    lines: `R → OK on approved\n R → NO on rejected\n R → D on returned\n R → OK after 3d`,
    ensure: "never OK without approval by boss",
  },
  {
    states: "initial: D; states: [D, R, W, OK, NO]; final: [OK, NO]",
    blocks: "state R { approval by board all }",
    lines: `R → W on approved\n R → NO on rejected\n W → W on "amend" by initiator\n W → OK on "pay" by finance if amount >= 100 and isGood(kind)\n W → NO on "pay" else`,
    ensure: "never OK without approval by boss if amount > 200",
  },
  {
    states: "initial: D; states: [D, R, W, OK, NO]; final: [OK, NO]",
    blocks: "state R { approval by boss { edit: [days] } }",
    lines: `R → W on approved if days is set and days > 3\n R → NO on approved else\n R → NO on rejected\n W → OK on "amend" if not (days is set)`,
    ensure: "never OK without approval by finance",
  },
  {
    blocks: "state R { approval by boss { edit: [days] } }",
    lines: `D → D on "keep" if days is set and days > 3 → set(paid = 7)\n R → OK on approved if not (days is set) and paid == 7\n R → NO on approved else\n R → NO on rejected`,
    ensure: "never OK without approval by finance",
  },
  {
    blocks: `state R { approval by users("u", "w") all { allow: [abstain] } }`,
    ensure: `never OK without approval by users("u")`,
  },
  {
    blocks: `state R { approval by users("u", "w") all { onSelf: manager } }`,
    ensure: `never OK without approval by users("u")`,
  },
  {
    blocks: branches,
    lines: "R → OK on joined if legal.state == X\n R → NO on joined else",
    ensure: "never OK without fin.X",
  },
];

test("a test that shows how a property is broken fails in its last line", () => {
  for (const parts of BROKEN) {
    const broken = compile(flow(parts, true), "a.flow").diagnostics.find(({ code }) => code === "FLOW250");
    assert.ok(broken?.test, parts.ensure);
    const text = `${flow(parts, false)}${broken.test}`;
    const { definitions, tests, diagnostics } = compile(text, "a.flow");
    assert.deepEqual(
      diagnostics.filter(({ severity }) => severity === "error"),
      [],
    );
    const result = runTest(tests[0]!, definitions, text);
    assert.equal(result.ok, false, broken.test);
    assert.match(result.message ?? "", /^expect state /, broken.test);
  }
});

test("so does one for a flow that nobody thought of", () => {
  const states = ["S0", "S1", "S2", "S3", "S4"];
  const condition = fc.constantFrom(
    "",
    "kind == a",
    "amount > 5",
    "amount <= paid",
    "amount - paid > 2.50",
    "days is set and days > 3",
    "not (days is set)",
  );
  const line = fc.record({
    from: fc.integer({ min: 0, max: 3 }),
    to: fc.integer({ min: 0, max: 4 }),
    condition,
    changes: fc.constantFrom("", "amount", "kind", "amount, days"),
    sets: fc.constantFrom("", " → set(amount = paid)", " → set(paid = amount * 0.5)", " → set(kind = b)"),
  });
  const approving = fc.constantFrom(
    "boss",
    "finance all",
    "board quorum 2",
    "boss and finance",
    "boss then board sequence",
  );
  fc.assert(
    fc.property(
      fc.array(line, { minLength: 2, maxLength: 8 }),
      approving,
      condition,
      fc.integer({ min: 1, max: 3 }),
      (lines, stage, when, watched) => {
        const events = lines.map(({ changes }, index) => `"e${index}" { ${changes} }`).join("\n");
        const written = lines.map(
          ({ from, to, condition: asked, sets }, index) =>
            `${states[from]} → ${states[to]} on "e${index}"${asked === "" ? "" : ` if ${asked}`}${sets}`,
        );
        const parts = (isEnsured: boolean) => `state machine "f" {
        data { amount: money = 1; paid: money = 1; kind: Kind = one of [a, b] = a; days: int? }
        events { ${events} }
        people { boss = managerOf(initiator); finance = group("finance"); board = users("u1", "u2", "u3") }
        initial: S0
        states: [${states.join(", ")}]
        final: [S4]
        state S2 { approval by ${stage} }
        transitions { ${written.join("\n")}
          S2 → S3 on approved if amount > 5
          S2 → S4 on approved else
          S2 → S0 on rejected
          S0, S1, S3 → S4 on "end" if kind == a and kind == b }
        ${isEnsured ? `ensure { never S4 without S${watched}${when === "" ? "" : ` if ${when}`} }` : ""}
      }\n`;
        const { diagnostics } = compile(parts(true), "a.flow");
        const test = diagnostics.find(({ code }) => code === "FLOW250")?.test;
        if (test === undefined) return;
        const text = `${parts(false)}${test}`;
        const compiled = compile(text, "a.flow");
        const result = runTest(compiled.tests[0]!, compiled.definitions, text);
        assert.match(result.message ?? "", /^expect state != S4\n/, text);
      },
    ),
    { numRuns: 100 },
  );
});
