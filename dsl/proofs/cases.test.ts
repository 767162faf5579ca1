import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Expression, FieldDefinition, Type, Value } from "../definition.ts";
import { type Claim, findCase } from "./cases.ts";
import { holdsIn } from "./evaluate.ts";
import type { World } from "./worlds.ts";

const BOOL: Type = { kind: "bool" };
const INT: Type = { kind: "int" };
const DECIMAL: Type = { kind: "decimal" };
const MONEY: Type = { kind: "money", signed: false };
const DATE: Type = { kind: "date" };
const DURATION: Type = { kind: "duration" };
const KIND: Type = { kind: "enum", members: ["x", "y", "z"] };

const field = (name: string, type: Type = INT): Expression => ({ kind: "field", name, type });
const literal = (type: Type, value: Value): Expression => ({ kind: "literal", type, value });
type Operator = Extract<Expression, { kind: "binary" }>["operator"];
const binary = (left: Expression, operator: Operator, right: Expression, type: Type = BOOL): Expression => ({
  kind: "binary",
  operator,
  left,
  right,
  type,
});
const and = (left: Expression, right: Expression) => binary(left, "and", right);
const not = (of: Expression): Expression => ({ kind: "not", of, type: BOOL });
const ask = (name: string, ...args: readonly Expression[]): Expression => ({
  kind: "ask",
  function: "guard",
  name,
  arguments: args,
  type: BOOL,
});
const within = (of: Expression, low: Value, high: Value): Expression => ({
  kind: "in-interval",
  of,
  interval: { low: { value: low, included: true }, high: { value: high, included: true } },
  type: BOOL,
});

const fields: readonly FieldDefinition[] = [
  ...[
    ["a", INT],
    ["b", INT],
    ["amount", MONEY],
    ["paid", MONEY],
    ["rate", DECIMAL],
    ["from", DATE],
    ["to", DATE],
    ["kind", KIND],
    ["yes", BOOL],
  ].map(([name, type]) => ({ name: name as string, type: type as Type, optional: false, secret: false })),
  { name: "days", type: INT, optional: true, secret: false },
];

function found(...conditions: readonly (Expression | Claim)[]) {
  const claims = conditions.map((one): Claim => ("kind" in one ? { condition: one, holds: true } : one));
  const place = { mayBeAbsent: (path: string) => path === "days" };
  return findCase(claims, place, fields, { left: 100_000 });
}

const [a, b, days] = [field("a"), field("b"), field("days")];
const [amount, paid, rate] = [field("amount", MONEY), field("paid", MONEY), field("rate", DECIMAL)];
const [from, to] = [field("from", DATE), field("to", DATE)];
const int = (value: number) => literal(INT, value);
const fen = (value: number) => literal(MONEY, value);
const decimal = (value: string) => literal(DECIMAL, value);
const DAY_MS = 86_400_000;
const minus = (left: Expression, right: Expression, type: Type) => binary(left, "-", right, type);

test("conditions that exclude each other", () => {
  const rows: readonly (readonly [string, ...Expression[]])[] = [
    ["whole numbers touch", binary(a, ">", int(30)), binary(a, "<", int(31))],
    ["an amount has steps of one fen", binary(amount, ">", fen(499_900)), binary(amount, "<", fen(499_901))],
    ["differences", binary(minus(amount, paid, MONEY), ">", fen(100)), binary(amount, "<=", paid)],
    ["order is transitive", binary(a, "<", b), binary(b, "<", int(3)), binary(a, ">=", int(2))],
    ["parity", binary(binary(a, "*", int(2), INT), "==", binary(binary(b, "*", int(2), INT), "+", int(1), INT))],
    [
      "rounding half up",
      binary(binary(amount, "*", decimal("0.1"), MONEY), ">", fen(50)),
      binary(amount, "<=", fen(504)),
    ],
    [
      "days between dates",
      binary(minus(to, from, DURATION), ">", literal(DURATION, 3 * DAY_MS)),
      binary(to, "<=", binary(from, "+", literal(DURATION, 3 * DAY_MS), DATE)),
    ],
    [
      "absent and compared",
      not({ kind: "is-set", of: days, type: BOOL }),
      and({ kind: "is-set", of: days, type: BOOL }, binary(days, ">", int(3))),
    ],
    ["one answer for one call", ask("f", a), not(ask("f", a))],
    ["one answer for equal arguments", ask("f", a), not(ask("f", b)), binary(a, "==", b)],
    [
      "a quotient",
      binary(binary(a, "/", b, DECIMAL), ">", decimal("2")),
      binary(a, "<", int(0)),
      binary(b, ">", int(0)),
    ],
  ];
  for (const [what, ...conditions] of rows) assert.equal(found(...conditions).when, "never", what);
});

test("conditions that hold together, with the data that matters", () => {
  const rows: readonly (readonly [Readonly<Record<string, Value | null>>, ...Expression[]])[] = [
    [{ amount: 505 }, binary(binary(amount, "*", decimal("0.1"), MONEY), ">", fen(50)), binary(amount, "<=", fen(505))],
    [{ rate: "0.6" }, binary(rate, ">", decimal("0.5")), binary(rate, "<", decimal("0.7"))],
    [{ rate: "0.5" }, binary(rate, ">=", decimal("0.5")), binary(rate, "<", decimal("0.500000000001"))],
    [{ days: null }, not({ kind: "is-set", of: days, type: BOOL })],
    [
      { a: 3, b: 1 },
      binary(binary(a, "/", b, DECIMAL), ">", decimal("2")),
      binary(b, ">", int(0)),
      binary(a, "<=", int(3)),
    ],
  ];
  for (const [expected, ...conditions] of rows) {
    const { when, example } = found(...conditions);
    assert.equal(when, "always");
    const shown = Object.fromEntries([...example].map(([name, { value }]) => [name, value]));
    assert.deepEqual(Object.keys(shown), Object.keys(expected));
    assert.deepEqual(shown, expected);
  }
});

test("what depends on answers is so for some of them", () => {
  const one = found(ask("f", a), ask("g", a));
  assert.deepEqual([one.when, one.functions], ["sometimes", ["f", "g"]]);
  const either = found({ condition: ask("f", a), holds: false }, { condition: not(ask("f", a)), holds: false });
  assert.equal(either.when, "never");
  const whatever = found(binary(ask("f", a), "or", not(ask("f", a))), binary(a, ">", int(1)));
  assert.equal(whatever.when, "always");
});

test("of products and quotients of two fields some data is found", () => {
  const total = binary(amount, "*", a, MONEY);
  const share = binary(amount, "/", a, MONEY);
  const rows: readonly (readonly [string, Readonly<Record<string, Value>>, ...(Expression | Claim)[]])[] = [
    ["one of the number", { a: 1, amount: 1000 }, binary(total, ">=", fen(1000))],
    ["a bound that is mentioned", { a: 40, amount: 25 }, binary(total, ">=", fen(1000)), binary(a, ">=", int(40))],
    [
      "the number follows from the amount",
      { a: 10, amount: 100 },
      binary(total, ">=", fen(1000)),
      binary(amount, "<=", fen(100)),
    ],
    ["a quotient", { a: 1, amount: 200 }, { condition: binary(share, ">", fen(200)), holds: false }],
    [
      "two unknown products",
      { a: 1, amount: 1001, b: 6 },
      binary(total, ">", fen(1000)),
      binary(binary(a, "*", b, INT), ">", int(5)),
    ],
    [
      "a small share",
      { amount: 100_000_500, rate: "0.001" },
      binary(binary(amount, "*", rate, MONEY), ">", fen(100_000)),
      binary(rate, "<", decimal("0.01")),
    ],
  ];
  for (const [what, expected, ...conditions] of rows) {
    const { when, example } = found(...conditions);
    assert.equal(when, "always", what);
    const shown = [...example].map(([name, { value }]) => [name, value]);
    assert.deepEqual(Object.fromEntries(shown.sort()), expected, what);
  }
});

test("what functions answer decides, where factors are held, too", () => {
  const total = binary(amount, "*", a, MONEY);
  const { when, functions } = found(binary(total, ">=", fen(1000)), ask("f", amount));
  assert.deepEqual([when, functions], ["sometimes", ["f"]]);
});

test("past its limits it is unclear", () => {
  const product = (left: Expression, right: Expression) => binary(left, "*", right, INT);
  const cubes = binary(product(product(a, a), a), "==", binary(product(product(b, b), b), "+", int(1), INT));
  assert.equal(found(cubes, binary(a, ">", int(1))).when, "unclear");
  const place = { mayBeAbsent: () => false };
  assert.equal(
    findCase([{ condition: binary(a, ">", int(1)), holds: true }], place, fields, { left: 0 }).when,
    "unclear",
  );
});

// ------------------------------------------------------------------------------------------------------------------ //
// Against trying everything out
// ------------------------------------------------------------------------------------------------------------------ //

const SIZE = 5;

const comparison = fc.constantFrom<Operator>("==", "!=", "<", "<=", ">", ">=");
const constant = fc.integer({ min: -SIZE, max: SIZE }).map(int);
const number = fc.oneof(
  fc.constantFrom(a, b),
  fc
    .tuple(fc.constantFrom(a, b), fc.constantFrom<Operator>("+", "-"), fc.oneof(fc.constantFrom(a, b), constant))
    .map(([left, operator, right]) => binary(left, operator, right, INT)),
  fc.tuple(fc.constantFrom(a, b), fc.integer({ min: -3, max: 3 })).map(([left, by]) => binary(left, "*", int(by), INT)),
);
const leaf = fc.oneof(
  fc
    .tuple(number, comparison, fc.oneof(constant, number))
    .map(([left, operator, right]) => binary(left, operator, right)),
  fc
    .tuple(fc.constantFrom<Operator>("==", "!="), fc.constantFrom("x", "y", "z"))
    .map(([operator, member]) => binary(field("kind", KIND), operator, literal(KIND, member))),
  fc.constant(field("yes", BOOL)),
  fc
    .tuple(comparison, constant)
    .map(([operator, right]) => and({ kind: "is-set", of: days, type: BOOL }, binary(days, operator, right))),
);
const { condition } = fc.letrec<{ condition: Expression }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc
      .tuple(tie("condition"), fc.constantFrom<Operator>("and", "or"), tie("condition"))
      .map(([left, operator, right]) => binary(left, operator, right)),
    tie("condition").map(not),
    fc
      .tuple(tie("condition"), tie("condition"), tie("condition"))
      .map(
        ([asked, then, otherwise]): Expression => ({ kind: "if", condition: asked, then, else: otherwise, type: BOOL }),
      ),
  ),
}));

function* worlds(): Generator<World> {
  const some = Array.from({ length: 2 * SIZE + 1 }, (_, index) => index - SIZE);
  for (const first of some)
    for (const second of some)
      for (const kind of ["x", "y", "z"])
        for (const yes of [true, false])
          for (const day of [undefined, -SIZE - 1, 0, 3, SIZE + 1]) {
            const data = { a: first, b: second, kind, yes, ...(day === undefined ? {} : { days: day }) };
            yield {
              data,
              payload: {},
              initiator: { id: "i", tags: [] },
              builtin: {},
              branches: {},
              answer: () => undefined,
            };
          }
}

test("products are never excluded where trying everything finds a case, and what is found is one", () => {
  const product = fc
    .tuple(fc.constantFrom(a, b), fc.constantFrom(a, b, field("days")), comparison, fc.integer({ min: -9, max: 9 }))
    .map(([left, right, operator, value]) => {
      const whole = binary(binary(left, "*", right, INT), operator, int(value));
      return right === a || right === b ? whole : and({ kind: "is-set", of: days, type: BOOL }, whole);
    });
  fc.assert(
    fc.property(product, fc.oneof(product, condition), (one, other) => {
      const whole = and(one, other);
      const { when, example } = found(whole);
      if (when === "never") assert.ok(!worlds().some((world) => holdsIn(whole, world)));
      const shown = [...example].map(([name, { value }]) => [name, value] as const);
      const agreeing = worlds().filter(({ data }) => shown.every(([name, value]) => (data[name] ?? null) === value));
      if (when === "always") assert.ok(agreeing.every((world) => holdsIn(whole, world)));
    }),
    { numRuns: 100 },
  );
});

test("there is a case exactly where trying everything finds one", () => {
  const limits = and(within(a, -SIZE, SIZE), within(b, -SIZE, SIZE));
  const daysLimits: Expression = binary(not({ kind: "is-set", of: days, type: BOOL }), "or", {
    ...within(days, 0, 0),
    kind: "in-list",
    of: days,
    list: { kind: "list", type: { kind: "list", of: INT }, items: [-SIZE - 1, 0, 3, SIZE + 1].map(int) },
  } as Expression);
  fc.assert(
    fc.property(condition, (asked) => {
      const whole = and(limits, and(daysLimits, asked));
      const { when, example } = found(whole);
      const tried = worlds().some((world) => holdsIn(whole, world));
      assert.equal(when, tried ? "always" : "never");
      if (when !== "always") return;
      // What is left out of the example may be anything.
      const shown = [...example].map(([name, { value }]) => [name, value] as const);
      const agreeing = worlds().filter(({ data }) => shown.every(([name, value]) => (data[name] ?? null) === value));
      assert.ok(agreeing.every((world) => holdsIn(asked, world) || !holdsIn(daysLimits, world)));
    }),
    { numRuns: 150 },
  );
});
