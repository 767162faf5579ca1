import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Data, Expression, Type, Value } from "../../dsl/index.ts";
import { compileCondition, type EvaluationContext, EvaluationError } from "../expressions.ts";
import { truth } from "./closures.ts";
import { generateCondition } from "./generated.ts";

const CNY = { code: "CNY", decimals: 2 };
const bool: Type = { kind: "bool" };
const int: Type = { kind: "int" };
const decimal: Type = { kind: "decimal" };
const text: Type = { kind: "text" };
const date: Type = { kind: "date" };
const texts: Type = { kind: "list", of: text };

// ------------------------------------------------------------------------------------------------------------------ //
// Random conditions, well typed, over data of which anything may be missing
// ------------------------------------------------------------------------------------------------------------------ //

/** Names that are no identifiers of JavaScript, or that every object inherits. */
const NAMES = ["amount", "金额", 'a"b', "constructor", "__proto__", "toString", "data", "v", "c0", "\\\n\u2028", "a-b"];
const TEXTS = ["", "beta", '"); process.exit(1); ("', "`+`", "\u2029", "it's", "中"];

const arbitraries = {
  int: fc.oneof(fc.integer({ min: -5, max: 5 }), fc.constantFrom(2 ** 53 - 1, 1 - 2 ** 53)),
  decimal: fc.integer({ min: -50, max: 50 }).map((tenths) => String(tenths / 10)),
  text: fc.constantFrom(...TEXTS),
  date: fc.constantFrom("2026-01-05", "2026-02-28", "2026-03-01"),
  bool: fc.boolean(),
  texts: fc.array(fc.constantFrom(...TEXTS), { maxLength: 3 }),
} satisfies Record<string, fc.Arbitrary<Value>>;

type Name = keyof typeof arbitraries;
const types: Readonly<Record<Name, Type>> = { int, decimal, text, date, bool, texts };

/** Each type has fields of its own. */
const fieldOf = (type: Name, name: string) => `${name}${type === "int" ? "" : ` ${type}`}`;
const fields = (Object.keys(types) as Name[]).flatMap((type) =>
  NAMES.map((name) => [type, fieldOf(type, name)] as const),
);
const dataArbitrary: fc.Arbitrary<Data> = fc
  .tuple(
    ...fields.map(([type, name]) =>
      fc.option(
        arbitraries[type].map((value) => [name, value] as const),
        { freq: 4, nil: undefined },
      ),
    ),
  )
  .map((entries) => Object.fromEntries(entries.filter((entry) => entry !== undefined)));

const literal = (type: Name) =>
  arbitraries[type].map((value): Expression => ({ kind: "literal", type: types[type], value }));
const read = (type: Name) =>
  fc
    .tuple(fc.constantFrom("field", "payload"), fc.constantFrom(...NAMES))
    .map(([kind, name]): Expression => ({ kind, name: fieldOf(type, name), type: types[type] }));

const arithmetic = (operand: fc.Arbitrary<Expression>, type: Type): fc.Arbitrary<Expression> =>
  fc
    .tuple(fc.constantFrom("+", "-", "*"), operand, operand)
    .map(([operator, left, right]) => ({ kind: "binary", operator, left, right, type }));

const numbers = fc.oneof(
  { depthSize: "small" },
  literal("int"),
  read("int"),
  arithmetic(fc.oneof(literal("int"), read("int")), int),
);
const decimals = fc.oneof(
  literal("decimal"),
  read("decimal"),
  arithmetic(fc.oneof(read("int"), read("decimal")), decimal),
);
const initiatorPart = (name: "org" | "tags" | "name", type: Type): Expression => ({
  kind: "member",
  of: { kind: "builtin", name: "initiator", type: { kind: "user" } },
  name,
  type,
});
const someText = fc.oneof(
  literal("text"),
  read("text"),
  fc.constantFrom<Expression>(
    initiatorPart("org", text),
    initiatorPart("name", text),
    { kind: "builtin", name: "actor", type: text },
    { kind: "branch-state", branch: "legal", type: text },
  ),
);
const someTexts = fc.oneof(read("texts"), literal("texts"), fc.constant(initiatorPart("tags", texts)));
const dates = fc.oneof(literal("date"), read("date"));

const ORDERS = ["==", "!=", "<", "<=", ">", ">="] as const;
const comparison = (operand: fc.Arbitrary<Expression>): fc.Arbitrary<Expression> =>
  fc
    .tuple(fc.constantFrom(...ORDERS), operand, operand)
    .map(([operator, left, right]) => ({ kind: "binary", operator, left, right, type: bool }));
const bound = (type: Name) =>
  fc.option(fc.record({ value: arbitraries[type], included: fc.boolean() }), { nil: undefined });
const interval = (of: fc.Arbitrary<Expression>, type: Name): fc.Arbitrary<Expression> =>
  fc.tuple(of, bound(type), bound(type)).map(([tested, low, high]) => ({
    kind: "in-interval",
    of: tested,
    interval: { ...(low && { low }), ...(high && { high }) },
    type: bool,
  }));
const among = (of: fc.Arbitrary<Expression>, item: fc.Arbitrary<Expression>): fc.Arbitrary<Expression> =>
  fc.tuple(of, fc.array(item, { maxLength: 12 })).map(([tested, items]) => ({
    kind: "in-list",
    of: tested,
    list: { kind: "list", items, type: { kind: "list", of: tested.type } },
    type: bool,
  }));

const choose = (condition: Expression, yes: Expression, no: Expression): Expression => ({
  kind: "if",
  condition,
  // biome-ignore lint/suspicious/noThenProperty: so it is called in a definition
  then: yes,
  else: no,
  type: yes.type,
});

const atom = fc.oneof(
  comparison(numbers),
  comparison(fc.oneof(numbers, decimals)),
  comparison(dates),
  comparison(someText),
  interval(numbers, "int"),
  interval(decimals, "decimal"),
  interval(dates, "date"),
  among(numbers, literal("int")),
  among(numbers, numbers),
  among(decimals, literal("decimal")),
  among(someText, literal("text")),
  fc.tuple(someText, someTexts).map(([of, list]): Expression => ({ kind: "in-list", of, list, type: bool })),
  fc.oneof(numbers, someText, read("bool")).map((of): Expression => ({ kind: "is-set", of, type: bool })),
  read("bool"),
  literal("bool"),
  fc.constantFrom<Expression>(
    { kind: "ask", function: "guard", name: "oracle", arguments: [], type: bool },
    {
      kind: "quantifier",
      quantifier: "any",
      list: initiatorPart("tags", texts),
      where: {
        kind: "binary",
        operator: "==",
        left: { kind: "item", depth: 0, type: text },
        right: { kind: "literal", type: text, value: "beta" },
        type: bool,
      },
      type: bool,
    },
  ),
);

const { condition } = fc.letrec<{ condition: Expression }>((tie) => ({
  condition: fc.oneof(
    { depthSize: "medium" },
    atom,
    fc
      .tuple(fc.constantFrom("and", "or"), tie("condition"), tie("condition"))
      .map(([operator, left, right]) => ({ kind: "binary", operator, left, right, type: bool }) as const),
    tie("condition").map((of) => ({ kind: "not", of, type: bool }) as const),
    fc.tuple(tie("condition"), tie("condition"), tie("condition")).map(([of, yes, no]) => choose(of, yes, no)),
    // A value that is looked at twice, in the middle of another.
    fc.tuple(tie("condition"), numbers, numbers).map(
      ([of, yes, no]): Expression => ({
        kind: "in-interval",
        of: choose(of, yes, no),
        interval: { low: { value: 0, included: true }, high: { value: 3, included: false } },
        type: bool,
      }),
    ),
  ),
}));

const contexts: fc.Arbitrary<EvaluationContext> = fc
  .record({
    data: dataArbitrary,
    payload: dataArbitrary,
    actor: fc.option(arbitraries.text, { nil: undefined }),
    initiator: fc.record(
      { id: fc.constant("alice"), name: arbitraries.text, org: arbitraries.text, tags: arbitraries.texts },
      { requiredKeys: ["id"] },
    ),
    branch: fc.option(arbitraries.text, { nil: undefined }),
    answer: fc.option(fc.boolean()),
  })
  .map(({ branch, answer, ...rest }) => ({
    ...rest,
    ...{ at: 0, state: "A", enteredAt: 0, key: "K", outcome: undefined, approvals: [] },
    branchState: () => branch,
    ask: () => answer,
  }));

/** What it answers, or why it does not, and how often it asked others. */
function answerOf(run: (context: EvaluationContext) => boolean, context: EvaluationContext) {
  let asked = 0;
  const ask = (...question: Parameters<EvaluationContext["ask"]>) => {
    asked += 1;
    return context.ask(...question);
  };
  try {
    return { answer: run({ ...context, ask }), asked };
  } catch (error) {
    assert.ok(error instanceof EvaluationError, String(error));
    return { answer: error.code, message: error.message, asked };
  }
}

test("code and closures answer alike, whatever the condition and the data", () => {
  const seen = new Set<unknown>();
  fc.assert(
    fc.property(condition, fc.array(contexts, { minLength: 1, maxLength: 5 }), (expression, several) => {
      const closure = truth(expression, CNY);
      const generated = generateCondition(expression, CNY)!;
      for (const context of several) {
        const expected = answerOf((of) => closure(of, undefined), context);
        assert.deepEqual(answerOf(generated, context), expected);
        seen.add(expected.answer);
      }
    }),
    { numRuns: 500 },
  );
  assert.deepEqual(seen, new Set([true, false, "condition-failed", "function-failed"]));
});

test("a condition that is asked for ever keeps answering as at first", () => {
  const expression: Expression = {
    kind: "binary",
    operator: ">=",
    left: { kind: "field", name: "amount", type: int },
    right: { kind: "literal", type: int, value: 3 },
    type: bool,
  };
  const run = compileCondition(expression, CNY);
  const [context] = fc.sample(contexts, { seed: 1, numRuns: 1 });
  for (let asked = 0; asked < 3_000; asked++) {
    assert.equal(run({ ...context!, data: { amount: asked % 6 } }), asked % 6 >= 3);
    assert.throws(() => run({ ...context!, data: {} }), /`amount` has no value/);
  }
});
