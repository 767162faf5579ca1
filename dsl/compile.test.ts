import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { COMPLETE, EVERYTHING, SEED } from "./compile-fixtures.ts";
import { type CompileEnvironment, compile, type Definition, type Diagnostic, format, hashOf } from "./index.ts";

const ENVIRONMENT: CompileEnvironment = {
  functions: [
    { name: "checkBudget", kind: "check" },
    { name: "archive", kind: "action" },
    { name: "isOk", kind: "guard" },
    { name: "legalOf", kind: "people" },
    { name: "scoreOf", kind: "value", type: { kind: "decimal" } },
  ],
  services: ["budget-service", "ledger-service", "audit-service"],
  labels: [{ role: "notifier", zone: "cn", host: "n-1" }],
  templates: ["expense-voucher", "plain-voucher"],
};

function underlined(text: string, { span }: Diagnostic): string {
  return text.slice(span.start, span.end);
}

function only(text: string): Definition {
  const { definitions, diagnostics } = compile(text, "a.flow", ENVIRONMENT);
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === "error"),
    [],
  );
  return definitions[0]!;
}

test("the seed loads with warnings only", () => {
  const { diagnostics, definitions, flows } = compile(SEED, "leave.flow");
  assert.deepEqual(
    diagnostics.map((diagnostic) => [diagnostic.code, diagnostic.severity, underlined(SEED, diagnostic)]),
    [
      ["FLOW204", "warning", "REJECTED"],
      ["FLOW204", "warning", "CANCELLED"],
      ["FLOW301", "warning", "validatePolicy"],
      ["FLOW301", "warning", "notifyReviewers"],
      ["FLOW301", "warning", "hasQuorum"],
      ["FLOW302", "warning", "validator-service"],
      ["FLOW302", "warning", "notification-service"],
      ["FLOW302", "warning", "audit-service"],
    ],
  );
  assert.equal(flows, 1);
  const [definition] = definitions;
  assert.deepEqual(
    definition?.states.map(({ name, final }) => [name, final]),
    [
      ["DRAFT", false],
      ["SUBMITTED", false],
      ["REVIEWING", false],
      ["APPROVED", true],
      ["REJECTED", true],
      ["CANCELLED", true],
    ],
  );
  assert.deepEqual(definition?.functions, [
    { name: "validatePolicy", kind: "check" },
    { name: "notifyReviewers", kind: "action" },
    { name: "hasQuorum", kind: "guard" },
  ]);
});

test("a flow that uses everything has nothing to report", () => {
  const compiled = compile(EVERYTHING, "expense.flow", ENVIRONMENT);
  assert.deepEqual(compiled.diagnostics, []);
  assert.deepEqual(
    [compiled.definitions.length, compiled.sources.length, compiled.tests.length, compiled.flows],
    [2, 1, 1, 2],
  );
});

test("a file with the rest of the language warns of the world outside only", () => {
  const { diagnostics, definitions, rollouts } = compile(COMPLETE, "f.flow");
  const warnings = diagnostics.map(({ code, severity }) => `${severity} ${code}`);
  assert.deepEqual(new Set(warnings), new Set(["warning FLOW301", "warning FLOW307"]));
  assert.deepEqual([definitions.map(({ flow }) => flow), rollouts.length], [["sub", "f"], 1]);
});

test("defaults of approvals are filled in", () => {
  const definition = only(EVERYTHING);
  const approvalOf = (state: string) => definition.states.find(({ name }) => name === state)?.approval;
  assert.deepEqual(
    approvalOf("BOARD")?.chain.flatMap((stage) =>
      stage.kind === "vote" ? stage.groups.map(({ mode, reject }) => [mode, reject]) : [],
    ),
    [
      [{ kind: "quorum", threshold: { kind: "share", part: 667, of: 1000, strict: true } }, "rest"],
      [{ kind: "quorum", threshold: { kind: "share", part: 2, of: 3, strict: false } }, "rest"],
      [{ kind: "quorum", threshold: { kind: "count", count: 2 } }, "rest"],
    ],
  );
  assert.deepEqual(approvalOf("BOARD")?.onEmpty, { kind: "hold" });
  assert.deepEqual(approvalOf("REVIEWING")?.due, { term: { kind: "natural", ms: 172_800_000 }, perStage: true });
  assert.deepEqual([approvalOf("REVIEWING")?.overdueRepeat, approvalOf("BOARD")?.overdueRepeat], [1, 0]);
});

test("constants are in stored form", () => {
  const definition = only(EVERYTHING);
  const defaults = Object.fromEntries(
    definition.fields.flatMap(({ name, default: value }) => (value === undefined ? [] : [[name, value]])),
  );
  assert.deepEqual(defaults, { balance: -550, kind: "travel", share: "0.6", urgent: false });
});

// ------------------------------------------------------------------------------------------------------------------ //
// Conditions
// ------------------------------------------------------------------------------------------------------------------ //

/** A small flow whose first line has the condition. */
function asking(condition: string, more = ""): string {
  return `state machine "f" {
    data {
      amount: money; price: money signed; days: int; level: int?; rate: decimal; kind: one of [a, b]; note: text?
      on1: date; at1: datetime; span: duration; who: user; org1: org; yes: bool; card: text secret
      items: list { price: money, note: text? }; names: list of text; address: { city: text, zip: text? }
    }
    events { "go" { amount, days, reviewer: user, remark: text? } }
    initial: A
    states: [A, B, C]
    transitions {
      A → B on "go"
      B → C on "go" if ${condition}${more}
    }
  }`;
}

const CURRENCIES = [
  ["JPY", 0, 5],
  ["CNY", 2, 500],
  ["KWD", 3, 5000],
] as const;

test("money is held in minor units of the currency", () => {
  for (const [currency, decimals, minor] of CURRENCIES) {
    const text = asking("amount > 5").replace(`"f" {`, `"f" {\n currency: "${currency}"`);
    const { currencyDecimals, transitions } = only(text);
    assert.equal(currencyDecimals, decimals);
    const condition = transitions[1]?.condition;
    assert.equal(condition?.kind === "binary" && condition.right.kind === "literal" && condition.right.value, minor);
  }
});

test("sound conditions", () => {
  const sound = [
    "amount > 5_000 and 5_000.5 < amount",
    "amount - price < 0 and amount + price > 0.01",
    "amount * 2 > price and 0.5 * amount > 1 and amount * 6% < 7",
    "amount / amount > 0.5 and amount / 3 < 5",
    "days / 2 > 0.5 and days * 2 == 4 and rate + days > 1 and -days < 3",
    "days > rate and days in [1, 2.5]",
    "amount in [100, 5000) and days in (0, ..) and rate in (.., 3]",
    "days in [days, 10] and on1 in [2026-01-01, 2026-02-01]",
    "kind == a and b != kind and kind in [a, b]",
    `who == "u1" and who == initiator and who != actor and who in ["u1", "u2"] and initiator == "u1"`,
    `org1 == "o" and initiator.org == org1`,
    `"vip" in initiator.tags and "x" in names`,
    "on1 - 2026-01-01 > 3d and on1 + 3d < dateOf(now) and at1 - now < span and span * 2 > 4h and 3d + on1 > on1",
    "on1 > dateOf(at1) and at1 > 2026-01-01T09:00",
    "yes and not yes or yes == true",
    `note is set and note == "x"`,
    `not (note is set) or note == "x"`,
    `if note is set then note == "x" else yes`,
    `(if yes then note else "y") is set`,
    "level is set and (level > 3 or level < 1)",
    "not (not (level is set) or level > 3) and yes or level is set and level > 3",
    "(level is set and yes or level is set and days > 1) and level > 3",
    'any items where price > 100 and note is set and note != "x"',
    'all items where any names where item == "x" and price > 1',
    'any names where item == "x"',
    "sum(items.price) > 5 and count(items.note) > 1 and count(items) > 1",
    `address.city == "x" and address.zip is set and address.zip == "y"`,
    `event.reviewer == "u" and event.remark is set and event.remark == "x"`,
    "event.days is set and event.days > 3",
    'state == B and elapsed > 3h and key == "k" and machine.state != C and data.days > 1',
    `any approvals where user == "u" and decision == approved and stage > 1 and at < now`,
    "card is set and isOk(card, a, 5, days + 1, [1, 2])",
    "isOk() == true and isOk()",
    "scoreOf(days) > 0.5",
    "(if yes then 1 else 2) < days and amount > (if yes then 5_000 else 10_000.5)",
    "amount > (if kind == a then 5_000 else price)",
    `formatDate(on1, "yyyy") == "2026" and rmbUpper(500) != "" and masked(card) != ""`,
    "2/3 > rate",
  ];
  for (const condition of sound) {
    const text = asking(condition);
    const { diagnostics } = compile(text, "a.flow", ENVIRONMENT);
    assert.deepEqual(
      diagnostics.map((diagnostic) => [condition, diagnostic.message, underlined(text, diagnostic)]),
      [],
    );
  }
});

test("unsound conditions: what is wrong and where", () => {
  const unsound: readonly (readonly [condition: string, code: string, at: string])[] = [
    ["amont > 5", "FLOW101", "amont"],
    ["outcome == a", "FLOW101", "outcome"],
    ["machine.clock > now", "FLOW101", "clock"],
    ["data.amont > 5", "FLOW103", "amont"],
    [`address.town == "x"`, "FLOW103", "town"],
    ["sum(items.prize) > 1", "FLOW103", "prize"],
    ["days.x > 1", "FLOW103", "x"],
    ["initiator.age > 3", "FLOW103", "age"],
    ["event.nobody == who", "FLOW103", "nobody"],
    ["kind == c", "FLOW107", "c"],
    ["kind in [a, c]", "FLOW107", "c"],
    ["state == D", "FLOW107", "D"],
    ["count() > 3", "FLOW108", "count()"],
    ['rmbUpper(amount, 3) == ""', "FLOW108", "rmbUpper(amount, 3)"],
    ["amount", "FLOW120", "amount"],
    ["days and yes", "FLOW120", "days"],
    ["not days", "FLOW120", "days"],
    ["amount > days", "FLOW120", "amount > days"],
    [`kind == "a"`, "FLOW120", `kind == "a"`],
    [`who == names`, "FLOW120", "who == names"],
    ["who == org1", "FLOW120", "who == org1"],
    ["sum(names) > 3", "FLOW120", "names"],
    ["days in [1, 2, a]", "FLOW101", "a"],
    ["(if yes then 1 else names) == 1", "FLOW120", "names"],
    ["days in [1, yes]", "FLOW120", "yes"],
    ["amount * amount > 3", "FLOW121", "amount * amount"],
    ["amount + 1 + days > 3", "FLOW121", "amount + 1 + days"],
    ["2 / amount > 3", "FLOW121", "2 / amount"],
    ["2 - on1 > 3", "FLOW121", "2 - on1"],
    ["kind < a", "FLOW121", "kind < a"],
    ["names == names", "FLOW121", "names == names"],
    ["-yes", "FLOW121", "-yes"],
    ["any days where yes", "FLOW121", "days"],
    ["days in rate", "FLOW121", "rate"],
    ["kind in [a, ..)", "FLOW121", "kind in [a, ..)"],
    ["level > 3", "FLOW122", "level"],
    ["level is set or level > 3", "FLOW122", "level"],
    ["level > 3 and level is set", "FLOW122", "level"],
    ["(level is set or yes) and level > 3", "FLOW122", "level"],
    [`any items where note == "x"`, "FLOW122", "note"],
    ["event.days > 3", "FLOW122", "event.days"],
    ["isOk(level)", "FLOW122", "level"],
    [`address.zip == "x"`, "FLOW122", "address.zip"],
    [`card == "x"`, "FLOW123", "card"],
    [`(if yes then card else "x") == "y"`, "FLOW123", `(if yes then card else "x")`],
    [`"x" in [card]`, "FLOW123", "card"],
    ["amount > 5.001", "FLOW124", "5.001"],
    ["days > 99_999_999_999_999_999", "FLOW125", "99_999_999_999_999_999"],
    ["amount > 99_999_999_999_999_999", "FLOW125", "99_999_999_999_999_999"],
    ["on1 > now", "FLOW127", "on1 > now"],
    ["now - on1 > 3d", "FLOW127", "now - on1"],
    ["on1 in [now, ..)", "FLOW127", "now"],
    ["checkBudget(amount)", "FLOW128", "checkBudget"],
    ["legalOf(org1) == 1", "FLOW128", "legalOf"],
    ["scoreOf(days)", "FLOW120", "scoreOf(days)"],
    ["at1 > 2026-02-30T09:00", "FLOW017", "2026-02-30T09:00"],
  ];
  for (const [condition, code, at] of unsound) {
    const text = asking(condition);
    const { diagnostics } = compile(text, "a.flow", ENVIRONMENT);
    const found = diagnostics.map((diagnostic) => [diagnostic.code, underlined(text, diagnostic)]);
    const [start] = diagnostics.map(({ span }) => span.start);
    assert.deepEqual(found, [[code, at]], condition);
    assert.ok(start !== undefined && start >= text.indexOf(`if ${condition}`), condition);
  }
});

test("misspelt names are mended", () => {
  const rows = [
    ["amont > 5", "amount > 5"],
    ["kind == A", "kind == a"],
    [`kind == "a"`, "kind == a"],
    ["event.dasy is set", "event.days is set"],
  ] as const;
  for (const [wrong, right] of rows) {
    const text = asking(wrong);
    const [fix] = compile(text, "a.flow", ENVIRONMENT).diagnostics.flatMap((diagnostic) => diagnostic.fix ?? []);
    assert.ok(fix, wrong);
    assert.equal(text.slice(0, fix.span.start) + fix.text + text.slice(fix.span.end), asking(right));
  }
});

// ------------------------------------------------------------------------------------------------------------------ //
// The hash
// ------------------------------------------------------------------------------------------------------------------ //

test("the hash is that of the meaning", () => {
  const { hash } = only(SEED);
  assert.match(hash, /^[0-9a-f]{64}$/);
  const same = [
    SEED.replaceAll("→", "->"),
    `// A comment\n${SEED.replaceAll("\n    ", "\n\n          ")}`,
    SEED.replace("initial: DRAFT\n", "initial: DRAFT ;\n /* here, too */"),
  ];
  for (const text of same) assert.equal(only(text).hash, hash);
  const spread = COMPLETE.replaceAll("→", "->").replaceAll("{ ", "{\n\n").replaceAll(" }", "\n// and\n}");
  assert.notEqual(spread, COMPLETE);
  assert.deepEqual(
    compile(spread, "f.flow").definitions.map((definition) => definition.hash),
    compile(COMPLETE, "f.flow").definitions.map((definition) => definition.hash),
  );
  const other = [
    SEED.replace("leave-approval", "leave-approval-2"),
    SEED.replace('on "submit"', 'on "submits"'),
    SEED.replace("if hasQuorum()", "if not hasQuorum()"),
    SEED.replace("validatePolicy()", "validatePolicy(1)"),
  ];
  assert.equal(new Set([hash, ...other.map((text) => only(text).hash)]).size, 5);
});

test("a formatted file has the same hashes", () => {
  const hashes = (text: string) => compile(text, "a.flow", ENVIRONMENT).definitions.map(({ hash }) => hash);
  for (const text of [SEED, EVERYTHING, COMPLETE]) {
    const formatted = format(text);
    assert.ok("text" in formatted && hashes(text).length > 0);
    assert.deepEqual(hashes(formatted.text), hashes(text));
  }
});

test("the hash does not depend on the order of keys, but on that of items", () => {
  const definition = only(SEED);
  const { hash, ...rest } = definition;
  const reversed = Object.fromEntries(Object.entries(rest).reverse()) as Omit<Definition, "hash">;
  assert.equal(hashOf(reversed), hash);
  assert.notEqual(hashOf({ ...rest, states: rest.states.toReversed() }), hash);
});

test("a definition survives JSON", () => {
  for (const text of [EVERYTHING, COMPLETE]) {
    const definition = only(text);
    assert.deepEqual(JSON.parse(JSON.stringify(definition)), definition);
  }
});

// ------------------------------------------------------------------------------------------------------------------ //
// Damaged texts
// ------------------------------------------------------------------------------------------------------------------ //

const PIECES = [
  "{",
  "}",
  "(",
  ")",
  "[",
  "]",
  "→",
  ",",
  '"',
  "..",
  "amount",
  "DRAFT",
  "if ",
  " in ",
  "set(",
  "0.5",
  "any ",
  "else",
  " ",
  "\n",
  "=",
  "is set",
  ".",
];

test("compile never throws, and has no definition where there is an error", () => {
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    remove: fc.nat(12),
    insert: fc.constantFrom("", ...PIECES),
  });
  fc.assert(
    fc.property(
      fc.constantFrom(EVERYTHING, COMPLETE),
      fc.array(edit, { minLength: 1, maxLength: 4 }),
      (whole, edits) => {
        let text = whole;
        for (const { at, remove, insert } of edits) {
          const start = Math.floor(at * text.length);
          text = text.slice(0, start) + insert + text.slice(start + remove);
        }
        const { definitions, diagnostics, flows } = compile(text, "a.flow", ENVIRONMENT);
        assert.ok(definitions.length <= flows);
        for (const { span } of diagnostics)
          assert.ok(span.start >= 0 && span.start <= span.end && span.end <= text.length);
        const starts = diagnostics.map(({ span }) => span.start);
        assert.deepEqual(
          starts,
          starts.toSorted((one, other) => one - other),
        );
        if (flows === 1 && definitions.length === 1 && definitions[0]?.flow === "expense") {
          assert.ok(!definitions[0].transitions.some(({ from }) => from.length === 0));
        }
      },
    ),
    { numRuns: 400 },
  );
});

test("expressions nest as deep as one may walk, and no deeper", () => {
  const rows: readonly (readonly [condition: string, codes: readonly string[]])[] = [
    [Array(400).fill("yes").join(" and "), []],
    [`${Array(400).fill("1").join(" + ")} < days`, []],
    [Array(5000).fill("yes").join(" or "), ["FLOW005"]],
    [`${Array(100_000).fill("1").join(" + ")} < days`, ["FLOW005"]],
  ];
  for (const [condition, expected] of rows) {
    const { diagnostics, definitions } = compile(asking(condition), "a.flow", ENVIRONMENT);
    assert.deepEqual(
      diagnostics.map(({ code }) => code),
      expected,
    );
    assert.equal(definitions.length, expected.length === 0 ? 1 : 0);
  }
});

test("what a damaged line declares gives no further errors", () => {
  const rows: readonly (readonly [find: string, put: string])[] = [
    ["    days:     int?\n", "    days:     int? =\n"],
    ["    amount:   money\n", "    amount:   money (\n"],
    ['    finance = group("finance")\n', '    finance = group("finance"\n'],
    ["  states: [DRAFT, REVIEWING,", "  states: [DRAFT REVIEWING (,"],
    ["  data {\n", "  data fields {\n"],
    ["  people {\n", "  people of {\n"],
    ["    amount:   money\n", "    amount:   money (; "],
  ];
  for (const [find, put] of rows) {
    const text = EVERYTHING.replace(find, put);
    assert.notEqual(text, EVERYTHING);
    const { diagnostics } = compile(text, "a.flow", ENVIRONMENT);
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    assert.ok(errors.length > 0, put);
    assert.deepEqual(
      errors.filter(({ code }) => !code.startsWith("FLOW0")),
      [],
      put,
    );
  }
});

test("what stands behind the `;` of a damaged item is checked", () => {
  const lines = 'A → B on "x" oops; A → NOWHERE on "y" if missing > 1';
  const text = `state machine "m" { initial: A; states: [A, B]; data { a int; n: int = 1 }\n transitions { ${lines} } }`;
  assert.deepEqual(
    compile(text, "a.flow", ENVIRONMENT).diagnostics.map(({ code }) => code),
    ["FLOW010", "FLOW010", "FLOW102", "FLOW101"],
  );
});
