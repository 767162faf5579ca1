import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compile } from "../compile.ts";
import type { Definition, Expression, FieldDefinition } from "../definition.ts";
import { type Claim, findCase } from "../proofs/cases.ts";
import { havePlainCase } from "./plain-cases.ts";

const DATA = `
    n: int
    m: int?
    amount: money
    rate: decimal
    on: date
    span: duration
    kind: Kind = one of [x, y]
    yes: bool
    who: user
    note: text?
    at: datetime
    tags: list of text`;

/** Conditions as the checker types them. */
function typed(conditions: readonly string[]): {
  fields: readonly FieldDefinition[];
  conditions: readonly Expression[];
} {
  const lines = conditions.map((condition, index) => `    A → B on "e${index}" if ${condition}`);
  const text = `state machine "plain" {
  data {${DATA}
  }
  initial: START
  states: [START, A, B]
  final: [B]
  transitions {
    START → A on "go"
    A → B on "end"
${lines.join("\n")}
  }
}`;
  const { definitions, unsound, diagnostics } = compile(text, "plain.flow");
  const definition: Definition | undefined = definitions[0] ?? unsound[0];
  assert.ok(definition, diagnostics.map(({ message }) => message).join("\n"));
  const found = definition.transitions.flatMap(({ condition }) => (condition ? [condition] : []));
  assert.equal(found.length, conditions.length);
  return { fields: definition.fields, conditions: found };
}

const mayBeAbsent = (path: string) => path === "m" || path === "note";

/** Condition, does it plainly hold somewhere, and not hold somewhere? */
const rows: readonly (readonly [condition: string, holds: boolean, fails: boolean])[] = [
  ["n > 5", true, true],
  ["n > 9_007_199_254_740_991", false, true],
  ["amount >= 0", true, false],
  ["amount < 0.01", true, true],
  ["amount == 0", true, true],
  ["rate > 0.5", true, true],
  ["rate == 0.5", false, true],
  ["on >= 2026-02-28", true, true],
  ["span < 1d", true, true],
  ["kind == x", true, true],
  ["kind in [x, y]", true, false],
  ["not kind in [x]", true, true],
  ['who in ["a", "b"]', true, true],
  ['note == ""', true, true],
  ["yes", true, true],
  ["m is set", true, false],
  ["m is set and m > 3", true, true],
  ["n > 5 and n < 7", true, true],
  ["n > 5 and n < 6", false, true],
  ["n in [3, 3]", true, false],
  ["n in (3, 4)", false, false],
  ["rate in (1, 2)", true, false],
  ["rate > 1 and rate < 1.000000000001", false, true],
  ["on > 2026-01-01 and on < 2026-01-02", false, true],
  ["n > 5 or n < 3", true, true],
  ["n > 3 and not n > 3", false, true],
  ["kind == x and kind == y", false, true],
  ["n + n > 5", false, false],
  ["at > 2026-01-01T00:00:00+08:00", true, true],
  ['"a" in tags', false, false],
];

test("what is plain is seen", () => {
  const { conditions } = typed(rows.map(([condition]) => condition.replace("note ==", "note is set and note ==")));
  for (const [index, [text, holds, fails]] of rows.entries()) {
    const condition = conditions[index]!;
    assert.equal(havePlainCase([{ condition, holds: true }]), holds, text);
    assert.equal(havePlainCase([{ condition, holds: false }]), fails, `not ${text}`);
  }
});

const atoms = [
  ...["<", "<=", ">", ">=", "==", "!="].flatMap((sign) => [
    ...["0", "1", "2"].flatMap((value) => [`n ${sign} ${value}`, `amount ${sign} ${value}`, `rate ${sign} ${value}.5`]),
    ...["2026-01-01", "2026-01-02", "2026-01-03"].map((day) => `on ${sign} ${day}`),
    `n ${sign} 9_007_199_254_740_991`,
    `amount ${sign} 0.01`,
    `rate ${sign} 0.500000000001`,
    `span ${sign} 0s`,
  ]),
  ...[
    "kind == x",
    "kind != x",
    "kind in [x, y]",
    "kind in [y]",
    "yes",
    "m is set",
    "m is set and m > 1",
    "note is set",
  ],
  ...[
    'who == "a"',
    'who != "b"',
    'who in ["a", "b"]',
    "n in [0, 1]",
    "n in (0, 1)",
    "n in (.., 1)",
    "amount in [0, 0.01)",
  ],
  ...["rate in (0.5, 0.500000000001)", "on in (2026-01-01, 2026-01-03)", "n == 1 + 1", "n - 1 > 0", '"a" in tags'],
];

test("where there is a plain case, a search finds none to be excluded", () => {
  const { fields, conditions } = typed(atoms);
  const bool = { kind: "bool" } as const;
  const { condition } = fc.letrec<{ condition: Expression }>((tie) => ({
    condition: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom(...conditions),
      tie("condition").map((of): Expression => ({ kind: "not", of, type: bool })),
      fc
        .tuple(fc.constantFrom("and", "or"), tie("condition"), tie("condition"))
        .map(([operator, left, right]): Expression => ({ kind: "binary", operator, left, right, type: bool })),
    ),
  }));
  const claims = fc.array(fc.record<Claim>({ condition, holds: fc.boolean() }), { minLength: 1, maxLength: 3 });
  let plain = 0;
  fc.assert(
    fc.property(claims, (several) => {
      if (!havePlainCase(several)) return;
      plain += 1;
      assert.equal(findCase(several, { mayBeAbsent }, fields, { left: 400_000 }).when, "always");
    }),
    { numRuns: 1_000 },
  );
  assert.ok(plain > 100, `${plain} were plain`);
});
