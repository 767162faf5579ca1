import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compile, diff, examplesOf, format, translate } from "../index.ts";

const FLOW = `calendar "cn" {
  timezone: "Asia/Shanghai"
  hours: 09:00 .. 18:00
}

matrix signOff(amount: money) {
  amount      → approvers
  [0, 5_000)  → managerOf(initiator)
  [5_000, ..) → managerOf(initiator) then group("finance")
}

state machine "expense" {
  calendar: "cn"
  data {
    amount: money
    days: int?
  }
  events { "submit" { amount, days } }
  people { finance = group("finance") }
  initial: DRAFT
  states: [DRAFT, REVIEW, BOARD, APPROVED, REJECTED]
  state REVIEW {
    approval by signOff(amount) {
      due: 2 workdays
      allow: [transfer, withdraw]
    }
  }
  state BOARD { approval by users("b1", "b2", "b3") quorum 2 then finance }
  transitions {
    DRAFT → REVIEW on "submit" by initiator
    REVIEW → BOARD on approved if amount >= 50_000
    REVIEW → APPROVED on approved else → emit("onApproved")
    REVIEW → REJECTED on rejected
    BOARD → APPROVED on approved
    BOARD → REJECTED on rejected
    REVIEW → REJECTED after 14d
  }
  ensure { never APPROVED without REVIEW }
}
`;

function definitionsOf(text: string) {
  const { definitions, diagnostics } = compile(text, "x.flow");
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  assert.deepEqual(
    errors.map(({ message }) => message),
    [],
  );
  return definitions;
}

function changes(from: string, to: string) {
  assert.ok(FLOW.includes(from), from);
  const found = diff(definitionsOf(FLOW), definitionsOf(FLOW.replace(from, to)), examplesOf);
  for (const { message } of found) {
    assert.doesNotMatch(
      translate(message)?.replace(/`[^`]*`/g, "") ?? message,
      /[a-z]{2}/,
      "it is said in Chinese, too",
    );
  }
  return found;
}

test("says nothing for a reformat, comments and another order of blocks that mean the same", () => {
  const commented = FLOW.replace("data {", "/// What it is about\n  data { // fields");
  const formatted = format(commented.replaceAll("  ", "    "));
  assert.ok("text" in formatted);
  assert.deepEqual(diff(definitionsOf(FLOW), definitionsOf(formatted.text), examplesOf), []);
});

interface Case {
  readonly from: string;
  readonly to: string;
  readonly message: RegExp;
  readonly effect?: "loosened" | "tightened";
  readonly example?: Readonly<Record<string, unknown>>;
}

const CASES: readonly Case[] = [
  { from: "after 14d", to: "after 10d", message: /`REVIEW → REJECTED` comes sooner/ },
  { from: "2 workdays", to: "1 workdays", message: /deadline of `REVIEW` is shorter/ },
  { from: "quorum 2 then finance", to: "quorum 2", message: /Fewer stages decide in `BOARD`/, effect: "loosened" },
  { from: "quorum 2 then", to: "quorum 3 then", message: /in another way/ },
  { from: "[transfer, withdraw]", to: "[withdraw]", message: /`transfer` is no longer allowed/, effect: "tightened" },
  {
    from: "amount >= 50_000",
    to: "amount >= 80_000",
    message: /`REVIEW → APPROVED on approved` applies where it did not before/,
    effect: "loosened",
    example: { amount: "50000" },
  },
  {
    from: "amount >= 50_000",
    to: "amount > 49_999",
    message: /`REVIEW → BOARD on approved` applies where it did not before/,
    effect: "loosened",
    example: { amount: "49999.01" },
  },
  { from: "by initiator", to: "", message: /is for other people/ },
  { from: ' → emit("onApproved")', to: "", message: /does something else/ },
  { from: "days: int?", to: "days: int? secret", message: /The field `days` changed/ },
  { from: "{ amount, days }", to: "{ amount }", message: /The event `submit` changed/ },
  { from: "09:00 .. 18:00", to: "09:00 .. 17:00", message: /calendar's part `hours` changed/ },
  { from: 'then group("finance")\n}', to: 'then group("audit")\n}', message: /matrix `signOff` names other people/ },
  { from: "ensure { never APPROVED without REVIEW }", to: "", message: /no longer ensured/, effect: "loosened" },
];

describe("each change in meaning is said", () => {
  for (const { from, to, message, effect, example } of CASES) {
    test(`${from} → ${to || "nothing"}`, () => {
      const found = changes(from, to);
      const change = found.find((one) => message.test(one.message));
      assert.ok(change, JSON.stringify(found, undefined, 1));
      if (effect) assert.equal(change.effect, effect);
      if (example) assert.deepEqual(change.example, example);
    });
  }

  test("a condition that is written in another way, and means the same, is no change", () => {
    assert.deepEqual(changes("if amount >= 50_000", "if not (amount < 50_000)"), []);
  });
});

describe("examples are data that the flow can have", () => {
  const flow = (review: string, draft = "yes") => `state machine "f" {
    currency: "JPY"
    data { amount: money; yes: bool }
    events { "submit" { amount, yes } }
    initial: D; states: [D, R, OK]
    transitions { D → R on "submit"\n R → OK on "go" if ${review}\n D → OK on "skip" if yes is set and ${draft} } }`;
  const examples = (before: string, after: string) =>
    diff(definitionsOf(before), definitionsOf(after), examplesOf).map(({ effect, example }) => [effect, example]);

  test("in steps of the currency", () => {
    assert.deepEqual(examples(flow("amount >= 5_000"), flow("amount > 4_999")), []);
    assert.deepEqual(examples(flow("amount >= 5_000"), flow("amount > 4_998")), [["loosened", { amount: "4999" }]]);
  });

  test("required fields are there, but in a draft", () => {
    assert.deepEqual(examples(flow("amount > 5"), flow("amount > 5 or not (amount is set)")), []);
    assert.deepEqual(examples(flow("yes"), flow("yes", "(not (amount is set) or yes)")), [
      ["loosened", { amount: null, yes: false }],
    ]);
  });
});

const MATRIX = (rows: string) => FLOW.replace(/ {2}\[0, 5_000\)[^}]*/, `${rows}\n`);
describe("what is written in another way, and means the same, is no change", () => {
  const same: readonly (readonly [what: string, before: string, after: string])[] = [
    ["fields of an event in another order", FLOW, FLOW.replace("{ amount, days }", "{ days, amount }")],
    ["options' names in another order", FLOW, FLOW.replace("[transfer, withdraw]", "[withdraw, transfer]")],
    ["people under another name", FLOW, FLOW.replaceAll(/\bfinance\b(?!")/g, "money")],
    [
      "people written out",
      FLOW,
      FLOW.replace("then finance\n", 'then group("finance")\n').replace("then finance }", 'then group("finance") }'),
    ],
    ["people that nobody uses", FLOW, FLOW.replace("people {", 'people { audit = group("audit");')],
    ["a matrix under another name", FLOW, FLOW.replaceAll("signOff", "authority")],
    [
      "a row cut in two",
      FLOW,
      MATRIX(
        '  [0, 100) → managerOf(initiator)\n  [100, 5_000) → managerOf(initiator)\n  [5_000, ..) → managerOf(initiator) then group("finance")',
      ),
    ],
    [
      "rows in another order",
      FLOW,
      MATRIX('  [5_000, ..) → managerOf(initiator) then group("finance")\n  [0, 5_000) → managerOf(initiator)'),
    ],
  ];
  for (const [what, before, after] of same) {
    test(what, () => {
      assert.notEqual(before, after);
      assert.deepEqual(diff(definitionsOf(before), definitionsOf(after), examplesOf), []);
    });
  }
});

test("a boundary of a matrix that moved is one change, with an amount for which others decide", () => {
  const after = FLOW.replaceAll("5_000", "6_000");
  assert.deepEqual(diff(definitionsOf(FLOW), definitionsOf(after), examplesOf), [
    {
      flow: "expense",
      about: "matrix",
      kind: "changed",
      message: "The matrix `signOff` names other people, or another way.",
      before: 'managerOf(initiator) then group("finance")',
      after: "managerOf(initiator)",
      effect: "loosened",
      example: { amount: "5000" },
    },
  ]);
});

const KINDS = (rows: string) => `matrix m(amount: money, kind: Kind) {
  amount kind → approvers
${rows}
}
state machine "f" {
  data { amount: money; kind: Kind = one of [a, b, c] }
  events { "submit" { amount, kind } }
  people { boss = managerOf(initiator) }
  initial: D; states: [D, R, Y, N]
  state R { approval by m(amount, kind) }
  transitions { D → R on "submit"\n R → Y on approved\n R → N on rejected }
}`;

test("rows that changed in the same way are one change, each way with an example that is true", () => {
  const before = definitionsOf(KINDS('  [0, 10) any → boss\n  [10, ..) a, b → group("x")\n  [10, ..) c → group("y")'));
  const after = definitionsOf(KINDS('  [0, 20) any → boss\n  [20, ..) a → group("x")\n  [20, ..) b, c → group("y")'));
  const found = diff(before, after, examplesOf).map((change) => [change.before, change.after, change.example]);
  assert.deepEqual(found, [
    ['group("x")', "boss", { amount: "10", kind: "a" }],
    ['group("x")', 'group("y")', { amount: "20", kind: "b" }],
    ['group("y")', "boss", { amount: "10", kind: "c" }],
  ]);
});

test("people who changed under one name are one change, wherever they are named", () => {
  const rows = '  [0, 10) any → boss\n  [10, ..) any → boss then group("x")';
  const after = KINDS(rows).replace("managerOf(initiator)", 'group("bosses")');
  const found = diff(definitionsOf(KINDS(rows)), definitionsOf(after), examplesOf);
  assert.deepEqual(
    found.map(({ message }) => message),
    ["The people `boss` changed."],
  );
});

test("a matrix that looks at other things is said", () => {
  const rows = "  [0, ..) any → boss";
  const after = KINDS(rows).replace("kind: Kind)", "kind: text)").replace("m(amount, kind)", 'm(amount, "x")');
  const found = diff(definitionsOf(KINDS(rows)), definitionsOf(after), examplesOf);
  assert.deepEqual(
    found.filter(({ about }) => about === "matrix").map(({ before, after: now }) => [before, now]),
    [["amount: money, kind: enum", "amount: money, kind: text"]],
  );
});

test("whether one of several ends it by a no is a change, and no second one beside another way to vote", () => {
  const flow = (mode: string, options: string) =>
    KINDS("  [0, ..) any → boss").replace("m(amount, kind)", `users("u", "v") ${mode} {${options}}`);
  const changed = (before: string, after: string) =>
    diff(definitionsOf(before), definitionsOf(after), examplesOf).map(({ message }) => message);
  assert.deepEqual(changed(flow("all", ""), flow("all", "reject: rest")), ["`reject` of `R` changed."]);
  assert.deepEqual(changed(flow("all", ""), flow("quorum 2", "")), ["Other people decide in `R`, or in another way."]);
});

test("what a change says is never empty", () => {
  const emptied = FLOW.replace(' → emit("onApproved")', "")
    .replace("{ amount, days }", "{}")
    .replace("[transfer, withdraw]", "[transfer, withdraw]\n      edit: [days]")
    .replace("hours: 09:00 .. 18:00", "hours: 09:00 .. 18:00\n  holidays: [2026-10-01]");
  for (const [one, other] of [
    [FLOW, emptied],
    [emptied, FLOW],
  ] as const) {
    const found = diff(definitionsOf(one), definitionsOf(other), examplesOf);
    assert.ok(found.length >= 4, JSON.stringify(found));
    for (const { message, before, after } of found) assert.ok(before !== "" && after !== "", message);
  }
});
