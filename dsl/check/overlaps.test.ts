import assert from "node:assert/strict";
import { test } from "node:test";
import { compile, type Diagnostic } from "../index.ts";

interface Parts {
  readonly blocks?: string;
  readonly lines: string;
}

function flow({ blocks, lines }: Parts): string {
  return `state machine "f" {
  data {
    amount: money
    paid: money
    kind: Kind = one of [a, b, c]
    days: int?
    rate: decimal
    from: date
    to: date
    items: list { name: text, price: money }
    who: user
    wait: duration
  }
  events { "go" { amount, paid, kind, days, rate, from, to, items, who, wait } }
  people { boss = managerOf(initiator); finance = group("finance") }
  initial: A
  states: [A, B, C, D]
  final: [C, D]
  ${blocks ?? "state B { approval by boss }"}
  transitions {
    A → B on "go"
    ${lines}
  }
}
`;
}

const ENVIRONMENT = { functions: ["ok", "fine"].map((name) => ({ name, kind: "guard" as const })) };
const DECIDED = "B → C on approved\n B → D on rejected\n";

function found(parts: Parts): readonly Diagnostic[] {
  return compile(flow(parts), "a.flow", ENVIRONMENT).diagnostics;
}

/** Two conditions for one event, and what is said of the second line: nothing, or a code with an example. */
test("two conditions on one event", () => {
  const rows: readonly (readonly [one: string, other: string, code?: string, example?: unknown])[] = [
    ["amount in [0, 5_000)", "amount in [5_000, ..)"],
    ["amount in [0, 5_000]", "amount in [5_000, ..)", "FLOW210", { amount: "5000" }],
    ["amount - paid > 100", "paid >= amount"],
    ["amount - paid > 100", "amount > paid + 200", "FLOW210", { amount: "200.01", paid: "0" }],
    ["amount < paid", "paid < amount"],
    ["amount / 3 > 100", "amount <= 300"],
    ["amount * 60% > 30", "amount < 50"],
    ["rate > 0.5 and rate < 0.51", "rate >= 0.51 or rate <= 0.5"],
    ["rate >= 0.5", "rate <= 0.5", "FLOW210", { rate: "0.5" }],
    ["from < 2026-10-01", "from > 2026-09-30"],
    ["to - from > 3d", "to <= from + 3d"],
    ["to - from >= 3d", "to <= from + 3d", "FLOW210", { from: "2026-01-05", to: "2026-01-08" }],
    ["kind in [a, b]", "kind == c"],
    ["kind in [a, b]", "kind != a", "FLOW210", { kind: "b" }],
    ["days is set and days > 3", "not (days is set) or days <= 3"],
    ["days is set", "kind == a", "FLOW210", { kind: "a", days: 0 }],
    ["who == initiator", "who != initiator"],
    [`who == "x" and initiator == "y"`, "who == initiator"],
    ["any items where price > 100", "all items where price <= 100"],
    ["count(items) > 2", "count(items) < 3"],
    ["count(items) == 0", "sum(items.price) > 1"],
    [
      "sum(items.price) > amount",
      "kind == a",
      "FLOW210",
      { items: [{ name: "x", price: "0.01" }], amount: "0", kind: "a" },
    ],
    [`"vip" in initiator.tags`, "kind == a", "FLOW210", { "initiator.tags": ["vip"], kind: "a" }],
    ["sum(items.price) > 5 or kind == a", "kind != b and kind != c", "FLOW210", { kind: "a" }],
    ["wait > 2h", "wait > 1d", "FLOW210", { wait: "86400001ms" }],
    ["wait >= 48h", "wait < 72h", "FLOW210", { wait: "2d" }],
    ["ok(amount)", "not ok(amount)"],
    ["ok(amount)", "not ok(paid) and amount == paid"],
    ["ok(amount)", "not ok(paid)", "FLOW211", { amount: "0", paid: "0.01" }],
    ["ok(amount)", "fine(amount) and kind == a", "FLOW211", { kind: "a" }],
    ["ok(amount) or amount > 5", "amount > 6", "FLOW210", { amount: "6.01" }],
    ["if kind == a then amount > 5 else amount > 10", "kind == b and amount <= 10"],
    [`formatDate(now, "yyyy") == "2026"`, "kind == a", "FLOW240"],
    [`formatDate(now, "yyyy") == "2026"`, `formatDate(now, "yyyy") == "2026"`, "FLOW210"],
    [`ok(formatDate(now, "yyyy"))`, `ok(formatDate(now, "yyyy"))`, "FLOW211", {}],
    [
      "days is set and amount * days > 90",
      "days is set and amount * days > 90",
      "FLOW210",
      { amount: "90.01", days: 1 },
    ],
    ["days is set and amount * days > 90", "days is set and amount * days < 80"],
    ["days is set and amount / days > 3", "kind == a", "FLOW210", { amount: "3.01", days: 1, kind: "a" }],
  ];
  for (const [one, other, code, example] of rows) {
    const lines = `${DECIDED} B → C on "x" if ${one}\n B → D on "x" if ${other}`;
    const actual = found({ lines }).map(({ code: actualCode, counterExample }) => [actualCode, counterExample]);
    assert.deepEqual(actual, code === undefined ? [] : [[code, example]], `${one} | ${other}`);
  }
});

test("what no line of an outcome covers", () => {
  const rows: readonly (readonly [lines: string, code?: string, example?: unknown])[] = [
    ["B → C on approved if amount > paid\n B → D on approved if amount < paid", "FLOW212", { amount: "0", paid: "0" }],
    ["B → C on approved if amount >= paid\n B → D on approved if amount < paid"],
    ["B → C on approved if kind in [a, b]", "FLOW212", { kind: "c" }],
    ["B → C on approved if days is set and days > 3\n B → D on approved if not (days is set)", "FLOW212", { days: 3 }],
    ["B → C on approved if ok(amount)\n B → D on approved else if fine(amount)", "FLOW213", {}],
    ["B → C on approved if ok(amount)\n B → D on approved if not ok(amount)"],
    [`B → C on approved if formatDate(from, "M") == "1"`, "FLOW241"],
    ["B → C on approved if not (days is set) or amount / days > 20", "FLOW212", { amount: "20", days: 1 }],
  ];
  for (const [lines, code, example] of rows) {
    const actual = found({ lines: `${lines}\n B → D on rejected` }).map((one) => [one.code, one.counterExample]);
    assert.deepEqual(actual, code === undefined ? [] : [[code, example]], lines);
  }
});

test("every outcome of every construct needs lines for all data", () => {
  const branch = (name: string, condition = "") =>
    `branch ${name} ${condition} { initial: S; states: [S, T]; state S { approval by boss }; transitions { S → T on approved; S → D on rejected } }`;
  const parallel = `state B { parallel { ${branch("one")} ${branch("two", "if amount > 5")} join all } }`;
  const rows: readonly (readonly [blocks: string, lines: string, example?: unknown])[] = [
    ["state B { handle by boss }", "B → C on done if amount > 5", { amount: "5" }],
    [parallel, "B → C on joined if one.state == T"],
    [parallel, "B → C on joined if one.state == S", { "one.state": "T" }],
    [parallel, "B → C on joined if two.state is set", { "two.state": null }],
  ];
  for (const [blocks, lines, example] of rows) {
    const actual = found({ blocks, lines })
      .filter(({ code }) => code !== "FLOW204")
      .map(({ code, counterExample }) => [code, counterExample]);
    if (example === undefined)
      assert.ok(
        actual.every(([code]) => code === "FLOW212"),
        lines,
      );
    else assert.deepEqual(actual, [["FLOW212", example]], lines);
  }
});

test("lines that never apply", () => {
  const rows: readonly (readonly [lines: string, code: string, at: string])[] = [
    [`B → C on "x" if amount > 5 and amount < 3`, "FLOW242", `B → C on "x" if amount > 5 and amount < 3`],
    [`B → C on "x" if state == A`, "FLOW242", `B → C on "x" if state == A`],
    [
      `B → C on "x" if amount > 5\n B → D on "x" else if amount <= 5\n B → B on "x" else`,
      "FLOW214",
      `B → B on "x" else`,
    ],
    [`B → C on "x" if amount > 5\n B → D on "x" else if amount > 7`, "FLOW214", `B → D on "x" else if amount > 7`],
    ["B → C after 2d\n B → D after 3d", "FLOW214", "B → D after 3d"],
  ];
  for (const [lines, code, at] of rows) {
    const text = flow({ lines: `${DECIDED}${lines}` });
    const actual = compile(text, "a.flow").diagnostics.map(({ code: own, span }) => [
      own,
      text.slice(span.start, span.end),
    ]);
    assert.deepEqual(actual, [[code, at]], lines);
  }
});

test("a join of more branches than may be entered", () => {
  const branch = (name: string, condition: string) =>
    `branch ${name} ${condition} { initial: S; states: [S, T]; transitions { S → T after 1d } }`;
  const blocks = (second: string, join: number) =>
    `state B { parallel { ${branch("one", "")} ${branch("two", "if amount > 5")} ${branch("three", second)} join ${join} } }`;
  const rows: readonly (readonly [blocks: string, example?: unknown])[] = [
    [blocks("if amount <= 5", 2)],
    [blocks("if amount < 5", 2), { amount: "5" }],
    [blocks("else", 2)],
    [blocks("else", 3), { amount: "5" }],
    [blocks("", 2)],
  ];
  for (const [block, example] of rows) {
    const actual = found({ blocks: block, lines: "B → C on joined" })
      .filter(({ code }) => code !== "FLOW204")
      .map(({ code, counterExample }) => [code, counterExample]);
    assert.deepEqual(actual, example === undefined ? [] : [["FLOW243", example]], block);
  }
});
