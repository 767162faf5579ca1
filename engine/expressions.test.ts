import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Data, Expression, Type, Value } from "../dsl/index.ts";
import { generateCondition } from "./expressions/generated.ts";
import {
  compileCondition,
  compileExpression,
  describeExpression,
  type EvaluationContext,
  EvaluationError,
} from "./expressions.ts";
import type { Json } from "./types.ts";

const CNY = { code: "CNY", decimals: 2 };
const bool: Type = { kind: "bool" };
const int: Type = { kind: "int" };
const decimal: Type = { kind: "decimal" };
const money: Type = { kind: "money", signed: true };
const text: Type = { kind: "text" };
const date: Type = { kind: "date" };
const datetime: Type = { kind: "datetime" };
const duration: Type = { kind: "duration" };
const user: Type = { kind: "user" };
const list = (of: Type): Type => ({ kind: "list", of });
const item: Type = { kind: "record", fields: [{ name: "price", type: money, optional: true }] };

const lit = (type: Type, value: Value): Expression => ({ kind: "literal", type, value });
const field = (name: string, type: Type): Expression => ({ kind: "field", name, type });
const builtin = (name: "actor" | "initiator" | "now" | "elapsed" | "approvals", type: Type): Expression => ({
  kind: "builtin",
  name,
  type,
});
type Operator = Extract<Expression, { kind: "binary" }>["operator"];
const op = (left: Expression, operator: Operator, right: Expression, type: Type = bool): Expression => ({
  kind: "binary",
  operator,
  left,
  right,
  type,
});
const call = (name: string, type: Type, ...args: Expression[]): Expression => ({
  kind: "call",
  name,
  arguments: args,
  type,
});
const ask = (kind: "guard" | "value", type: Type, ...args: Expression[]): Expression => ({
  kind: "ask",
  function: kind,
  name: "oracle",
  arguments: args,
  type,
});
const set = (of: Expression): Expression => ({ kind: "is-set", of, type: bool });
const not = (of: Expression): Expression => ({ kind: "not", of, type: bool });
const inList = (of: Expression, ...items: Expression[]): Expression => ({
  kind: "in-list",
  of,
  list: { kind: "list", items, type: list(of.type) },
  type: bool,
});
const within = (of: Expression, low: Value, high: Value, included: boolean): Expression => ({
  kind: "in-interval",
  of,
  interval: { low: { value: low, included }, high: { value: high, included } },
  type: bool,
});
const price: Expression = { kind: "item", depth: 0, name: "price", type: money };
const choose = (condition: Expression, yes: Expression, no: Expression): Expression => ({
  kind: "if",
  condition,
  // biome-ignore lint/suspicious/noThenProperty: so it is called in a definition
  then: yes,
  else: no,
  type: yes.type,
});
const every = (quantifier: "any" | "all", of: Expression, where: Expression): Expression => ({
  kind: "quantifier",
  quantifier,
  list: of,
  where,
  type: bool,
});

const data: Data = {
  amount: 500_000,
  days: 7,
  rate: "0.6",
  kind: "travel",
  on: "2026-10-01",
  reviewer: "bob",
  items: [{ price: 100 }, {}, { price: 250 }],
  rates: ["0.1", "0.2"],
  card: "6222020000001234",
};

function context(more: Partial<EvaluationContext> = {}): EvaluationContext {
  return {
    data,
    payload: { reviewer: "carol" },
    actor: undefined,
    initiator: { id: "alice", name: "爱丽丝", tags: ["beta"] },
    at: Date.UTC(2026, 0, 5, 17),
    state: "REVIEWING",
    enteredAt: Date.UTC(2026, 0, 5, 1),
    key: "K-1",
    outcome: undefined,
    branchState: () => undefined,
    approvals: [{ user: "bob", stage: 1, decision: "approved", at: 0 }],
    ask: () => true,
    ...more,
  };
}

const amount = field("amount", money);
const days = field("days", int);
const rate = field("rate", decimal);
const on = field("on", date);
const items = field("items", list(item));
const missing = field("missing", int);
const DAY = 86_400_000;

const values: readonly (readonly [Expression, Value | undefined])[] = [
  [op(amount, "+", lit(money, 1), money), 500_001],
  [op(lit(money, 1), "-", amount, money), -499_999],
  [op(amount, "*", rate, money), 300_000],
  [op(rate, "*", amount, money), 300_000],
  [op(amount, "*", days, money), 3_500_000],
  [op(lit(money, 5), "/", lit(int, 2), money), 3],
  [op(lit(money, -5), "/", lit(int, 2), money), -3],
  [op(lit(money, 100), "/", lit(int, 3), money), 33],
  [op(amount, "/", lit(money, 300_000), decimal), "1.666666666667"],
  [op(days, "/", lit(int, 2), decimal), "3.5"],
  [op(op(days, "/", lit(int, 3), decimal), "*", lit(int, 3), decimal), "7"],
  [op(lit(decimal, "0.1"), "+", lit(decimal, "0.2"), decimal), "0.3"],
  [op(days, "*", lit(int, 6), int), 42],
  [{ kind: "negate", of: amount, type: money }, -500_000],
  [{ kind: "negate", of: rate, type: decimal }, "-0.6"],
  [op(on, "-", lit(date, "2026-09-28"), duration), 3 * DAY],
  [op(on, "+", lit(duration, 36 * 3_600_000), date), "2026-10-02"],
  [op(on, "-", lit(duration, DAY), date), "2026-09-30"],
  [op(builtin("now", datetime), "-", lit(duration, 1000), datetime), Date.UTC(2026, 0, 5, 17) - 1000],
  [op(builtin("elapsed", duration), "/", lit(duration, 3_600_000), decimal), "16"],
  [op(lit(duration, DAY), "*", lit(decimal, "0.5"), duration), DAY / 2],
  [choose(lit(bool, true), days, missing), 7],
  [choose(lit(bool, false), days, missing), undefined],
  [missing, undefined],
  [builtin("actor", user), undefined],
  [builtin("initiator", user), "alice"],
  [{ kind: "member", of: builtin("initiator", user), name: "name", type: text }, "爱丽丝"],
  [{ kind: "member", of: builtin("initiator", user), name: "org", type: text }, undefined],
  [{ kind: "payload", name: "reviewer", type: user }, "carol"],
  [{ kind: "pluck", of: items, name: "price", type: list(money) }, [100, 250]],
  [call("count", int, items), 3],
  [call("sum", money, { kind: "pluck", of: items, name: "price", type: list(money) }), 350],
  [call("sum", decimal, field("rates", list(decimal))), "0.3"],
  [call("dateOf", date, builtin("now", datetime)), "2026-01-06"],
  [call("formatDate", text, builtin("now", datetime), lit(text, "yyyy年MM月dd日 HH:mm:ss")), "2026年01月06日 01:00:00"],
  [call("formatDate", text, on, lit(text, "yyyy/M/d")), "2026/10/1"],
  [call("rmbUpper", text, amount), "伍仟元整"],
  [call("masked", text, field("card", text)), "****1234"],
  [call("masked", text, lit(text, "1234")), "****"],
];

test("expressions have the value that the language says", () => {
  for (const [expression, value] of values) {
    assert.deepEqual(compileExpression(expression, CNY)(context()), value, describeExpression(expression, CNY));
  }
});

const conditions: readonly (readonly [Expression, boolean])[] = [
  [op(amount, ">=", lit(money, 500_000)), true],
  [op(amount, ">", lit(money, 500_000)), false],
  [op(lit(money, 500_000), "<=", amount), true],
  [op(days, "!=", lit(int, 7)), false],
  [op(op(days, "/", lit(int, 3), decimal), "==", op(lit(int, 14), "/", lit(int, 6), decimal)), true],
  [op(rate, ">", lit(int, 0)), true],
  [op(rate, "==", lit(decimal, "0.6")), true],
  [op(on, "<", lit(date, "2026-10-02")), true],
  [op(field("reviewer", user), "==", lit(text, "bob")), true],
  [op(builtin("initiator", user), "!=", field("reviewer", user)), true],
  [inList(field("kind", text), lit(text, "travel"), lit(text, "other")), true],
  [inList(days, op(lit(int, 3), "+", lit(int, 4), int)), true],
  [inList(rate, lit(decimal, "0.60"), lit(decimal, "0.7")), true],
  [
    {
      kind: "in-list",
      of: lit(text, "beta"),
      list: { kind: "member", of: builtin("initiator", user), name: "tags", type: list(text) },
      type: bool,
    },
    true,
  ],
  [within(days, 7, 9, true), true],
  [within(days, 7, 9, false), false],
  [within(days, 5, 7, true), true],
  [within(days, 5, 7, false), false],
  [within(rate, "0.6", "1", true), true],
  [within(rate, "0.6", "1", false), false],
  [within(rate, "0", "0.6", true), true],
  [within(rate, "0", "0.6", false), false],
  [{ kind: "in-interval", of: days, interval: {}, type: bool }, true],
  [op(not(set(missing)), "or", op(missing, ">", lit(int, 3))), true],
  [op(set(missing), "and", op(missing, ">", lit(int, 3))), false],
  [set(builtin("actor", user)), false],
  [every("any", items, op(set(price), "and", op(price, ">", lit(money, 200)))), true],
  [every("all", items, set(price)), false],
  [every("all", lit(list(int), []), lit(bool, false)), true],
  [
    every(
      "any",
      items,
      op(
        set(price),
        "and",
        every(
          "any",
          lit(list(int), [250]),
          op({ ...price, depth: 1 } as Expression, "==", { kind: "item", depth: 0, type: int }),
        ),
      ),
    ),
    true,
  ],
  [
    every(
      "any",
      builtin("approvals", list({ kind: "record", fields: [] })),
      op({ kind: "item", depth: 0, name: "user", type: user }, "==", lit(user, "bob")),
    ),
    true,
  ],
];

test("conditions hold as the language says", () => {
  for (const [expression, holds] of conditions) {
    assert.equal(compileCondition(expression, CNY)(context()), holds, describeExpression(expression, CNY));
    assert.equal(generateCondition(expression, CNY)?.(context()), holds, describeExpression(expression, CNY));
  }
});

const failures: readonly (readonly [Expression, RegExp])[] = [
  [op(days, "/", lit(int, 0), decimal), /zero/],
  [op(amount, "/", op(lit(int, 1), "-", lit(int, 1), int), money), /zero/],
  [op(lit(int, Number.MAX_SAFE_INTEGER), "+", lit(int, 1), int), /too large/],
  [op(amount, "*", lit(int, Number.MAX_SAFE_INTEGER), money), /too large/],
  [op(lit(date, "9999-12-31"), "+", lit(duration, DAY), date), /too large/],
  [op(lit(decimal, "9".repeat(30)), "*", lit(decimal, "9".repeat(30)), decimal), /too large/],
  [op(missing, ">", lit(int, 1)), /`missing` has no value/],
  [op(builtin("actor", user), "==", lit(user, "bob")), /`actor` has no value/],
  [op(field("constructor", int), "==", lit(int, 1)), /`constructor` has no value/],
];

test("what has no value fails the condition", () => {
  for (const [expression, message] of failures) {
    const run = compileExpression(expression, CNY);
    assert.throws(
      () => run(context()),
      (error) => error instanceof EvaluationError && error.code === "condition-failed" && message.test(error.message),
    );
  }
});

test("a function is asked with what the outside sees, and its answer must fit", () => {
  const asked: unknown[] = [];
  const answer = (json: Json) => context({ ask: (...question) => [asked.push(question), json][1] as Json });
  assert.equal(compileCondition(ask("guard", bool, amount, missing), CNY)(answer(true)), true);
  assert.deepEqual(asked, [["guard", "oracle", ["5000.00 CNY", null]]]);
  assert.equal(compileExpression(ask("value", money), CNY)(answer("12.50")), 1250);
  assert.equal(compileCondition(op(ask("value", decimal), ">", lit(decimal, "0.5")), CNY)(answer(0.7)), true);
  assert.throws(
    () => compileExpression(ask("value", money), CNY)(answer("many")),
    (error) => error instanceof EvaluationError && error.code === "function-failed" && /oracle/.test(error.message),
  );
});

test("what is decided already asks nobody", () => {
  const silent = context({ ask: () => assert.fail("asked") });
  assert.equal(compileCondition(op(lit(bool, false), "and", ask("guard", bool)), CNY)(silent), false);
  assert.equal(compileCondition(op(lit(bool, true), "or", ask("guard", bool)), CNY)(silent), true);
});

test("expressions are described as an author writes them", () => {
  const rows: readonly (readonly [Expression, string])[] = [
    [op(op(amount, ">=", lit(money, 5_000_000)), "and", set(days)), "amount >= 50_000 and days is set"],
    [
      op(op(set(days), "or", set(rate)), "and", not(op(days, "==", lit(int, 1)))),
      "(days is set or rate is set) and not days == 1",
    ],
    [op(days, "*", op(days, "+", lit(int, 1), int), int), "days * (days + 1)"],
    [op(days, "-", op(days, "-", lit(int, 1), int), int), "days - (days - 1)"],
    [op(lit(money, 1), "+", amount, money), "0.01 + amount"],
    [within(amount, 10_000, 500_000, true), "amount in [100, 5_000]"],
    [
      { kind: "in-interval", of: days, interval: { low: { value: 3, included: false } }, type: bool },
      "days in (3, ..)",
    ],
    [
      inList(field("kind", { kind: "enum", members: [] }), lit({ kind: "enum", members: [] }, "travel")),
      "kind in [travel]",
    ],
    [every("any", items, op(price, ">", lit(money, 10_000))), "any items where price > 100"],
    [op(builtin("elapsed", duration), ">", lit(duration, 2 * DAY)), "elapsed > 2d"],
    [{ kind: "payload", name: "reviewer", type: user }, "event.reviewer"],
    [ask("guard", bool, amount, lit(text, "x")), 'oracle(amount, "x")'],
    [choose(set(days), lit(int, 1), lit(int, 2)), "if days is set then 1 else 2"],
  ];
  for (const [expression, described] of rows) assert.equal(describeExpression(expression, CNY), described);
});

// ------------------------------------------------------------------------------------------------------------------ //

/** Exact rationals, the plain way. */
type Ratio = readonly [bigint, bigint];
const size = (value: bigint) => (value < 0n ? -value : value);
const halfUp = ([n, d]: Ratio, scale: bigint): bigint => {
  const [up, down] = d < 0n ? [-n * scale, -d] : [n * scale, d];
  const whole = size(up) / down;
  const rounded = (size(up) % down) * 2n >= down ? whole + 1n : whole;
  return up < 0n ? -rounded : rounded;
};

interface Tree {
  readonly expression: Expression;
  /** `undefined`: divides by zero somewhere. */
  readonly exact: Ratio | undefined;
}

const leaf = fc.oneof(
  fc.integer({ min: -1000, max: 1000 }).map((n): Tree => ({ expression: lit(int, n), exact: [BigInt(n), 1n] })),
  fc
    .integer({ min: -100_000, max: 100_000 })
    .map((n): Tree => ({ expression: lit(decimal, String(n / 1000)), exact: [BigInt(n), 1000n] })),
);

function combine(operator: "+" | "-" | "*" | "/", left: Tree, right: Tree): Tree {
  const expression = op(left.expression, operator, right.expression, decimal);
  if (left.exact === undefined || right.exact === undefined) return { expression, exact: undefined };
  const [[a, b], [c, d]] = [left.exact, right.exact];
  if (operator === "+") return { expression, exact: [a * d + c * b, b * d] };
  if (operator === "-") return { expression, exact: [a * d - c * b, b * d] };
  if (operator === "*") return { expression, exact: [a * c, b * d] };
  return { expression, exact: c === 0n ? undefined : [a * d, b * c] };
}

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small" },
    leaf,
    fc.tuple(fc.constantFrom("+", "-", "*", "/"), tie("tree"), tie("tree")).map(([sign, a, b]) => combine(sign, a, b)),
  ),
}));

test("arithmetic agrees with exact rationals, and is rounded once", () => {
  fc.assert(
    fc.property(tree, fc.integer({ min: -1_000_000, max: 1_000_000 }), ({ expression, exact }, minor) => {
      const product = compileExpression(op(lit(money, minor), "*", expression, money), CNY);
      if (exact === undefined) {
        assert.throws(() => product(context()), EvaluationError);
        return;
      }
      const expected = halfUp([exact[0] * BigInt(minor), exact[1]], 1n);
      if (Number.isSafeInteger(Number(expected))) assert.equal(product(context()), Number(expected));
      else assert.throws(() => product(context()), EvaluationError);
    }),
    { numRuns: 500 },
  );
});

test("a stored decimal is the exact result to twelve places", () => {
  fc.assert(
    fc.property(tree, ({ expression, exact }) => {
      if (exact === undefined || expression.kind === "literal" || size(exact[0] / exact[1]) > 10n ** 20n) return;
      const [whole = "", places = ""] = String(compileExpression(expression, CNY)(context())).split(".");
      assert.equal(BigInt(whole + places.padEnd(12, "0")), halfUp(exact, 10n ** 12n));
    }),
    { numRuns: 500 },
  );
});
