import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  Approval,
  Definition,
  Expectation,
  Expression,
  Fact,
  Literal,
  People,
  Statement,
  StatementBody,
  TestBlock,
  Transition,
  Type,
} from "../dsl/index.ts";
import { runTest } from "./simulator.ts";
import { approval as approvalOf, dueIn, natural, stage } from "./testing.ts";

const money: Type = { kind: "money", signed: false };
const bool: Type = { kind: "bool" };
const amountField: Expression = { kind: "field", name: "amount", type: money };
const HOUR = 3_600_000;

const finance: People = {
  kind: "group",
  argument: { kind: "literal", type: { kind: "text" }, value: "finance" },
};
const approval: Approval = approvalOf(
  [stage({ kind: "managerOf", of: { kind: "initiator" }, level: 1 }), stage(finance, "sequence")],
  {
    due: dueIn(48 * HOUR),
    remind: { every: natural(12 * HOUR), atMost: 2 },
    overdue: [{ kind: "escalate", to: { kind: "managerOf", of: { kind: "assignee" }, level: 1 }, after: natural(0) }],
    allow: ["transfer", "returnTo", "withdraw"],
    reasonRequiredOn: ["reject"],
  },
);

const line = (
  from: string,
  to: string,
  trigger: Transition["trigger"],
  more: Partial<Transition> = {},
): Transition => ({
  from: [from],
  any: false,
  to,
  trigger,
  otherwise: false,
  actions: [],
  ...more,
});
const on = (event: string): Transition["trigger"] => ({ kind: "event", event });

const definition: Definition = {
  format: 1,
  hash: "d1",
  flow: "expense",
  label: "1.0",
  currency: "CNY",
  currencyDecimals: 2,
  initial: "DRAFT",
  states: [
    { name: "DRAFT", final: false },
    { name: "REVIEWING", final: false, approval },
    { name: "APPROVED", final: true },
    { name: "REJECTED", final: true },
  ],
  fields: [
    { name: "amount", type: money, optional: false, secret: false },
    { name: "card", type: { kind: "text" }, optional: true, secret: true },
  ],
  events: [
    { name: "submit", payload: [{ name: "amount", type: money, optional: false, secret: false, data: true }] },
    { name: "ask", payload: [] },
  ],
  people: {},
  transitions: [
    line("DRAFT", "REVIEWING", on("submit"), {
      actions: [{ kind: "call", function: "check", name: "checkBudget", arguments: [amountField] }],
    }),
    line("DRAFT", "REJECTED", on("ask"), {
      condition: { kind: "ask", function: "guard", name: "hasQuorum", arguments: [], type: bool },
    }),
    line(
      "REVIEWING",
      "APPROVED",
      { kind: "outcome", outcome: "approved" },
      {
        actions: [
          { kind: "call", function: "action", name: "archive", arguments: [amountField] },
          { kind: "render", document: "voucher" },
          { kind: "start", flow: "seal", key: { kind: "builtin", name: "key", type: { kind: "text" } }, fields: {} },
          { kind: "notify", to: { kind: "initiator" } },
          { kind: "emit", event: "onApproved" },
        ],
      },
    ),
    line("REVIEWING", "REJECTED", { kind: "outcome", outcome: "rejected" }),
    line("REVIEWING", "DRAFT", { kind: "outcome", outcome: "returned" }),
    line("REVIEWING", "REJECTED", { kind: "after", term: natural(14 * 24 * HOUR) }),
  ],
  routes: [],
  documents: {
    voucher: {
      name: "voucher",
      template: "voucher",
      fields: [
        { name: "total", value: { kind: "call", name: "rmbUpper", arguments: [amountField], type: { kind: "text" } } },
      ],
    },
  },
  functions: [],
  matrices: {},
  sagas: {},
  ensure: [],
  migrations: [],
};

const seal: Definition = {
  ...definition,
  hash: "d2",
  flow: "seal",
  initial: "OPEN",
  states: [{ name: "OPEN", final: false }],
  fields: [{ name: "pages", type: { kind: "int" }, optional: true, secret: false }],
  events: [],
  transitions: [],
  documents: {},
};

const number = (text: string): Literal => ({ kind: "number", text });
const amount = (text: string) => [{ name: "amount", value: number(text) }];
const people = (name: string, argument: string, ...found: string[]): StatementBody => ({
  kind: "given",
  fact: { kind: "people", name, argument, people: found },
});
const given = (fact: Fact): StatementBody => ({ kind: "given", fact });
const start: StatementBody = { kind: "start", fields: amount("80000") };
const send = (event: string, more: object = {}): StatementBody => ({ kind: "send", event, payload: [], ...more });
const approves = (user: string, more: object = {}): StatementBody => ({
  kind: "decide",
  user,
  decision: "approve",
  signing: false,
  ...more,
});
const rejects = (user: string, more: object = {}): StatementBody => ({
  kind: "decide",
  user,
  decision: "reject",
  signing: false,
  ...more,
});
const advance = (hours: number): StatementBody => ({ kind: "advance", term: natural(hours * HOUR) });
const expect = (expectation: Expectation): StatementBody => ({ kind: "expect", expectation });
const state = (name: string): StatementBody => expect({ kind: "state", state: name });
const waiting = (...users: string[]): StatementBody =>
  expect({ kind: "waiting", waiting: users.map((id) => ({ kind: "user", id })) });
const refused = (code: string): StatementBody => expect({ kind: "refused", code });
const seat = (user: string, status: Extract<Expectation, { kind: "seat" }>["status"]): StatementBody =>
  expect({ kind: "seat", user, status });
const times = (kind: "escalated" | "reminded", count: number): StatementBody =>
  expect({ kind, times: count, not: false });
const condition = (operator: "==" | ">", value: number): StatementBody =>
  expect({
    kind: "condition",
    condition: {
      kind: "binary",
      operator,
      left: amountField,
      right: { kind: "literal", type: money, value },
      type: bool,
    },
  });
const on2 = (body: StatementBody, alias: string) => ({ ...body, on: alias });

/** Who is who in most tests: alice's manager is bob, whose manager is carol; finance is f1 and f2. */
const world = [
  { kind: "as", user: "alice", org: "cn", facts: [] } satisfies StatementBody,
  people("managerOf", "alice", "bob"),
  people("managerOf", "bob", "carol"),
  people("group", "finance", "f1", "f2"),
];
const submitted = [...world, start, send("submit")];
const approved = [...submitted, approves("bob"), approves("f1"), approves("f2")];

/** Every statement gets a line of its own in an invented text, of which `block.line` is the first. */
function blockOf(
  bodies: readonly (StatementBody & { readonly on?: string })[],
  more: Partial<TestBlock> = {},
): TestBlock {
  const statements = bodies.map(
    (body, index): Statement => ({
      ...body,
      span: { start: index * 2, end: index * 2 + 1 },
      text: `statement ${index + 1}`,
    }),
  );
  return { name: "t", flow: "expense", file: "t.flow", span: { start: 0, end: 0 }, line: 7, statements, ...more };
}

function run(bodies: readonly (StatementBody & { readonly on?: string })[], more: Partial<TestBlock> = {}) {
  return runTest(blockOf(bodies, more), [definition, seal], "x\n".repeat(100));
}

const passing: Readonly<Record<string, readonly (StatementBody & { readonly on?: string })[]>> = {
  "a draft waits for nobody": [
    start,
    state("DRAFT"),
    expect({ kind: "waiting", waiting: [] }),
    expect({ kind: "nothing-open" }),
  ],
  "stages follow each other": [
    ...submitted,
    expect({ kind: "state", state: "REVIEWING", waiting: [{ kind: "user", id: "bob" }] }),
    approves("bob"),
    waiting("f1"),
    seat("f2", "waiting"),
    seat("f1", "open"),
    approves("f1"),
    waiting("f2"),
    approves("f2"),
    state("APPROVED"),
    seat("f1", "approved"),
    expect({ kind: "round", round: 1 }),
    expect({ kind: "nothing-open" }),
  ],
  "a group stands for its members": [
    people("managerOf", "initiator", "bob"),
    people("group", "finance", "f1"),
    start,
    send("submit"),
    approves("bob"),
    expect({ kind: "waiting", waiting: [{ kind: "group", name: "finance" }] }),
  ],
  "effects of an approval": [
    ...approved,
    expect({ kind: "emitted", event: "onApproved", times: 1, not: false }),
    expect({ kind: "emitted", event: "other", not: true }),
    expect({ kind: "called", name: "checkBudget", arguments: [number("80000")], times: 1, not: false }),
    expect({ kind: "called", name: "archive", arguments: [number("80000.00")], not: false }),
    expect({ kind: "called", name: "archive", arguments: [number("1")], not: true }),
    expect({ kind: "notified", user: "alice", times: 1, not: false }),
    expect({ kind: "notified", user: "bob", not: true }),
    expect({ kind: "rendered", document: "voucher", containing: "捌万元整", times: 1, not: false }),
    expect({ kind: "rendered", document: "voucher", containing: "玖", not: true }),
    expect({ kind: "history", containing: "onApproved", not: false }),
    expect({ kind: "history", containing: "skip", not: true }),
    condition("==", 8_000_000),
  ],
  "a refusal is expected": [
    ...submitted,
    approves("f1"),
    refused("not-your-task"),
    rejects("bob"),
    refused("reason-required"),
    rejects("bob", { because: "too dear" }),
    state("REJECTED"),
    expect({ kind: "history", containing: "too dear", not: false }),
    seat("bob", "rejected"),
  ],
  "a payload that does not fit is judged when it is sent": [
    { kind: "start", fields: [{ name: "amount", value: { kind: "text", value: "many" } }] },
    refused("wrong-type"),
    { kind: "start", fields: [] },
    send("submit"),
    refused("missing-field"),
    send("submit", { payload: [{ name: "colour", value: { kind: "name", name: "red" } }] }),
    refused("unknown-field"),
    send("leave"),
    refused("unknown-event"),
  ],
  "a check says no, but for one amount yes": [
    ...world,
    given({ kind: "answer", name: "checkBudget", arguments: [number("5")], answer: { ok: true } }),
    given({ kind: "answer", name: "checkBudget", answer: { ok: false, reason: "over budget" } }),
    start,
    send("submit"),
    refused("check-failed"),
    send("submit", { payload: amount("5") }),
    state("REVIEWING"),
    expect({ kind: "called", name: "checkBudget", times: 2, not: false }),
  ],
  "a check that fails may do better later": [
    ...world,
    given({ kind: "fails", name: "checkBudget", times: 1 }),
    start,
    send("submit"),
    refused("function-failed"),
    send("submit"),
    state("REVIEWING"),
  ],
  "a guard answers": [
    given({ kind: "answer", name: "hasQuorum", answer: { ok: false, reason: "too few" } }),
    start,
    send("ask"),
    refused("condition-failed"),
    given({ kind: "answer", name: "hasQuorum", answer: { value: { kind: "bool", value: true } } }),
    send("ask"),
    state("REJECTED"),
  ],
  "reminders, escalation and the end come in their order": [
    ...submitted,
    advance(12),
    times("reminded", 1),
    advance(24),
    times("reminded", 2),
    expect({ kind: "escalated", not: true }),
    advance(12),
    times("escalated", 1),
    expect({ kind: "notified", user: "bob", times: 1, not: false }),
    waiting("carol"),
    seat("bob", "expired"),
    advance(14 * 24),
    state("REJECTED"),
    seat("carol", "cancelled"),
    expect({ kind: "nothing-open" }),
  ],
  "the clock can be set": [
    ...submitted,
    { kind: "advance-to", to: "2026-01-06" },
    times("reminded", 1),
    { kind: "advance-to", to: "2026-01-07T09:00" },
    times("escalated", 1),
  ],
  "an action is retried until it succeeds": [
    ...world,
    given({ kind: "fails", name: "archive", times: 2 }),
    start,
    send("submit"),
    approves("bob"),
    approves("f1"),
    approves("f2"),
    state("APPROVED"),
    expect({ kind: "history", containing: "archive", not: false }),
    advance(1),
    expect({ kind: "nothing-open" }),
    expect({ kind: "called", name: "archive", times: 1, not: false }),
  ],
  "a return opens another round": [
    ...submitted,
    { kind: "return", user: "bob", to: { kind: "initiator" } },
    state("DRAFT"),
    seat("bob", "returned"),
    send("submit"),
    expect({ kind: "round", round: 2 }),
    times("reminded", 0),
    { kind: "transfer", user: "bob", to: "dan" },
    waiting("dan"),
    seat("bob", "transferred"),
    { kind: "decide", user: "alice", decision: "withdraw", signing: false },
    state("DRAFT"),
  ],
  "whom the directory does not know is unknown": [
    ...submitted,
    { kind: "given", fact: { kind: "users", people: ["dan"] } },
    { kind: "transfer", user: "bob", to: "erin" },
    refused("unknown-user"),
    { kind: "transfer", user: "bob", to: "dan" },
  ],
  "a repeated command has the first answer": [
    ...submitted,
    approves("bob", { id: "c-1" }),
    approves("bob", { id: "c-1" }),
    rejects("bob", { id: "c-1", because: "no" }),
    refused("id-reused"),
    waiting("f1"),
  ],
  "two instances side by side": [
    ...submitted,
    { kind: "start", alias: "second", fields: amount("1"), key: "K-2" },
    on2(state("DRAFT"), "second"),
    on2(condition("==", 100), "second"),
    state("REVIEWING"),
    { kind: "start", fields: [], key: "K-2" },
    refused("not-possible-in-state"),
  ],
};

test("flows do what their tests say", () => {
  for (const [name, statements] of Object.entries(passing)) {
    const result = run(statements);
    assert.deepEqual(result, { file: "t.flow", name: "t", flow: "expense", ok: true }, `${name}\n${result.message}`);
  }
});

const failing: readonly (readonly [string, readonly (StatementBody & { readonly on?: string })[], number, RegExp])[] = [
  [
    "state",
    [...submitted, state("APPROVED")],
    7,
    /expected: state APPROVED\n\s+was: state REVIEWING\n\s+story:\n.*alice started/,
  ],
  ["waiting", [...submitted, waiting("f1", "f2")], 7, /waiting for `f1`, `f2`\n\s+was: waiting for `bob`/],
  ["condition", [start, condition(">", 8_000_000)], 2, /was: false, with amount = "80000\.00 CNY", state DRAFT/],
  [
    "refused unexpectedly",
    [start, approves("bob"), state("DRAFT")],
    2,
    /expected: accepted\n\s+was: refused with `not-your-task`/,
  ],
  ["refused at the end", [start, approves("bob")], 2, /expected: accepted/],
  [
    "refused otherwise",
    [start, approves("bob"), refused("finished")],
    3,
    /with `finished`\n\s+was: refused with `not-your-task`/,
  ],
  ["not refused", [start, refused("finished")], 2, /was: accepted/],
  [
    "not emitted",
    [start, expect({ kind: "emitted", event: "onApproved", not: false })],
    2,
    /at least once\n\s+was: never; so far: none/,
  ],
  [
    "emitted",
    [...approved, expect({ kind: "emitted", event: "onApproved", not: true })],
    10,
    /emitted never\n\s+was: once/,
  ],
  [
    "called",
    [...approved, expect({ kind: "called", name: "archive", arguments: [], not: false })],
    10,
    /calls: archive\("80000.00 CNY"\)/,
  ],
  [
    "rendered",
    [...approved, expect({ kind: "rendered", document: "voucher", containing: "玖", not: false })],
    10,
    /newest: .*捌万元整/,
  ],
  ["open", [...submitted, expect({ kind: "nothing-open" })], 7, /was: waiting for `bob`, 3 timers/],
  ["seat", [...submitted, seat("f1", "open")], 7, /seat of `f1` not there/],
  ["round", [start, expect({ kind: "round", round: 1 })], 2, /no round was opened/],
  ["history", [start, expect({ kind: "history", containing: "auto", not: false })], 2, /was: none/],
  ["reminded", [...submitted, times("reminded", 2)], 7, /reminded 2 times\n\s+was: never/],
  ["nothing started", [state("DRAFT")], 1, /Nothing is started yet/],
  ["unknown alias", [start, on2(state("DRAFT"), "x")], 2, /`x`/],
  ["guard without an answer", [start, send("ask")], 2, /Nothing is given for the guard function `hasQuorum`/],
  [
    "guard with a wrong answer",
    [start, given({ kind: "answer", name: "hasQuorum", answer: { value: number("1") } }), send("ask")],
    3,
    /is a guard/,
  ],
  ["time backwards", [start, { kind: "advance-to", to: "2025-12-31" }], 2, /It is 2026-01-05T09:00:00\+08:00 already/],
  ["no such time", [start, { kind: "advance-to", to: "2026-02-30" }], 2, /not a time/],
  ["empty group", [start, expect({ kind: "waiting", waiting: [{ kind: "group", name: "hr" }] })], 2, /group\("hr"\)/],
  [
    "an action that never succeeds is left open",
    [
      ...world,
      given({ kind: "fails", name: "archive" }),
      start,
      send("submit"),
      approves("bob"),
      approves("f1"),
      approves("f2"),
      advance(24),
      expect({ kind: "nothing-open" }),
    ],
    12,
    /was: `archive` not delivered\n[\s\S]*the test lets it fail/,
  ],
  [
    "an action that takes long is open until then",
    [
      ...world,
      given({ kind: "takes", name: "archive", ms: 2 * HOUR }),
      start,
      send("submit"),
      approves("bob"),
      approves("f1"),
      approves("f2"),
      advance(1),
      expect({ kind: "nothing-open" }),
    ],
    12,
    /was: `archive` not delivered/,
  ],
];

test("a statement that fails says what was expected and what was there", () => {
  for (const [name, statements, at, message] of failing) {
    const result = run(statements);
    assert.equal(result.ok, false, name);
    assert.equal(result.line, at, `${name}\n${result.message}`);
    assert.match(result.message ?? "", message, name);
    assert.ok(result.message?.startsWith(`statement ${at}\n`), name);
  }
});

test("the action `start` starts another flow, and its refusal is told", () => {
  const needy: Definition = {
    ...seal,
    events: [{ name: "go", payload: [] }],
    documents: definition.documents,
    transitions: [line("OPEN", "OPEN", { kind: "after", term: natural(HOUR) })],
  };
  const asking = (fields: Readonly<Record<string, Expression>>): Definition => ({
    ...definition,
    transitions: definition.transitions.map((one) => ({
      ...one,
      actions: one.actions.map((action) => (action.kind === "start" ? { ...action, fields } : action)),
    })),
  });
  const block = blockOf([...approved, expect({ kind: "history", containing: "no field `amount`", not: false })]);
  assert.equal(runTest(block, [asking({ amount: amountField }), needy]).ok, true);
  assert.equal(runTest(block, [asking({}), needy]).ok, false, "a start that succeeds has nothing to tell");
  const endless = blockOf([...approved, { kind: "advance", term: natural(30_000 * HOUR) }]);
  assert.match(runTest(endless, [asking({}), needy]).message ?? "", /More than 20000 timers/, "the other flow runs");
});

test("a flow, a version or a time that is not there fails the block", () => {
  const rows = [{ flow: "nothing" }, { label: "9.9" }, { startsAt: "2026-13-01T09:00" }];
  for (const more of rows) assert.equal(run([start], more).line, 7, JSON.stringify(more));
  assert.equal(run([start], { label: "1.0", startsAt: "2026-10-09T17:30" }).ok, true);
});

test("a secret is not told", () => {
  const card: StatementBody = {
    kind: "start",
    fields: [...amount("5"), { name: "card", value: { kind: "text", value: "6222" } }],
  };
  const result = run([card, state("REVIEWING")]);
  assert.equal(result.ok, false);
  assert.doesNotMatch(result.message ?? "", /6222/);
});
