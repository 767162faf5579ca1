import assert from "node:assert/strict";
import { test } from "node:test";
import type { Expression, Type } from "../dsl/index.ts";
import { tell } from "./story.ts";
import {
  approval,
  BOOL,
  DAY,
  Driver,
  dataField,
  definition,
  dueIn,
  type Flow,
  field,
  guard,
  line,
  MONEY,
  moreThan,
  on,
  outcome,
  simple,
  stage,
  text,
  users,
} from "./testing.ts";

const TEXT: Type = { kind: "text" };
const amount = dataField("amount", MONEY);
const note = dataField("note", TEXT, { optional: true });
const card = dataField("card", TEXT, { optional: true, secret: true });
const reviewer = dataField("reviewer", { kind: "user" }, { optional: true });

/** DRAFT → SMALL or BIG by amount; everything about events hangs on it. */
function payment(more: Partial<Flow> = {}): Driver {
  return new Driver(
    definition({
      states: { DRAFT: "plain", BIG: "plain", SMALL: "plain", DONE: "final" },
      fields: [amount, note, card, dataField("days", { kind: "int" }, { default: 1 })],
      events: { submit: ["amount", "note", "card", reviewer], amend: ["note"] },
      transitions: [
        line("DRAFT", "BIG", on("submit"), { condition: moreThan("amount", 5000) }),
        line("DRAFT", "SMALL", on("submit"), { otherwise: true }),
        line("BIG", "BIG", on("amend")),
        line(["BIG", "SMALL"], "DONE", on("pay"), { by: users("cashier") }),
        line(["DRAFT", "BIG", "SMALL"], "DONE", on("drop"), { any: true }),
      ],
      ...more,
    }),
  );
}

test("the first line that applies is taken, on the data that the event brings", () => {
  for (const [value, state] of [
    ["5000.01", "BIG"],
    ["5000.00", "SMALL"],
  ] as const) {
    const driver = payment();
    driver.start();
    assert.equal(driver.instance?.state, "DRAFT");
    driver.event("submit", "alice", { amount: value });
    assert.equal(driver.instance?.state, state);
    assert.equal(driver.instance?.data["amount"], Math.round(Number(value) * 100));
    assert.equal(driver.instance?.data["days"], 1);
  }
});

test("data may be set at the start, before the event that needs it", () => {
  const driver = payment();
  driver.start({ data: { amount: "10", note: "x" } });
  driver.event("submit", "alice", { note: null });
  assert.equal(driver.instance?.state, "SMALL");
  assert.deepEqual(driver.instance?.data, { amount: 1000, days: 1 });
  assert.deepEqual(
    driver.story.find((one) => one.kind === "changed"),
    { kind: "changed", fields: ["note"], by: "alice" },
  );
});

test("a start with an event is one command: its fields may stand in either place, and a refusal leaves nothing", () => {
  const both = payment();
  both.start({ event: "submit", data: { amount: "6000", reviewer: "bob" }, payload: { note: "n" } });
  assert.equal(both.instance?.state, "BIG");
  assert.equal(both.instance?.version, 1);
  assert.deepEqual(both.instance?.data, { days: 1, amount: 600000, note: "n" });
  const refused = payment();
  refused.start({ event: "submit" });
  assert.equal(refused.code, "missing-field");
  assert.equal(refused.instance, undefined);
});

const refusals: readonly [event: string, actor: string | undefined, payload: Record<string, unknown>, code: string][] =
  [
    ["nonsense", "alice", {}, "unknown-event"],
    ["xstate.init", "alice", {}, "unknown-event"],
    ["enter:DONE", "alice", {}, "unknown-event"],
    ["amend", "alice", {}, "not-possible-in-state"],
    ["submit", "alice", {}, "missing-field"],
    ["submit", "alice", { amount: "many" }, "wrong-type"],
    ["submit", "alice", { amount: null }, "missing-field"],
    ["submit", "alice", { amount: "1", days: 3 }, "unknown-field"],
    ["submit", "alice", { amount: "1", __proto__x: 3 }, "unknown-field"],
  ];
for (const [event, actor, payload, code] of refusals) {
  test(`${event} with ${JSON.stringify(payload)} in DRAFT is refused with ${code}`, () => {
    const driver = payment();
    driver.start();
    const before = driver.instance;
    driver.event(event, actor, payload);
    assert.equal(driver.code, code);
    assert.equal(driver.instance, before);
  });
}

test("faults are told field by field", () => {
  const driver = payment();
  driver.start({ data: { amount: "x", days: "y" }, event: "submit", payload: { note: 4 } });
  assert.deepEqual(driver.last?.kind === "refused" && driver.last.fields?.map(({ field, code }) => [field, code]), [
    ["days", "wrong-type"],
    ["amount", "wrong-type"],
    ["note", "wrong-type"],
  ]);
});

test("who is not among `by` is refused before conditions and data are looked at", () => {
  const driver = payment();
  driver.start({ event: "submit", data: { amount: "1" } });
  for (const actor of ["alice", undefined]) {
    driver.event("pay", actor, { nonsense: 1 });
    assert.equal(driver.code, "not-authorized");
  }
  driver.event("pay", "cashier");
  assert.equal(driver.instance?.outcome, "DONE");
  driver.event("pay", "cashier");
  assert.equal(driver.code, "finished");
  driver.event("nonsense", "cashier");
  assert.equal(driver.code, "unknown-event");
});

test("`by` a field means what it held before, so that nobody lets himself pass", () => {
  const owner = dataField("owner", { kind: "user" });
  const driver = new Driver(
    definition({
      states: { A: "plain", B: "final" },
      fields: [owner],
      events: { go: ["owner"] },
      transitions: [line("A", "B", on("go"), { by: { kind: "value", value: field("owner", owner.type) } })],
    }),
  );
  driver.start({ data: { owner: "alice" } });
  driver.event("go", "mallory", { owner: "mallory" });
  assert.equal(driver.code, "not-authorized");
  driver.event("go", "alice", { owner: "bob" });
  assert.equal(driver.instance?.data["owner"], "bob");
});

test("lines whose `by` does not hold are passed over", () => {
  const driver = new Driver(
    definition({
      states: { A: "plain", B: "final", C: "final" },
      transitions: [line("A", "B", on("go"), { by: users("x") }), line("A", "C", on("go"), { otherwise: true })],
    }),
  );
  driver.start();
  driver.event("go", "y");
  assert.equal(driver.instance?.state, "C");
});

test("a line that names the state wins over an `any` line, wherever it stands", () => {
  const driver = new Driver(
    definition({
      states: { A: "plain", B: "final", C: "final" },
      transitions: [line("A", "B", on("go"), { any: true }), line("A", "C", on("go"))],
    }),
  );
  driver.start({ event: "go" });
  assert.equal(driver.instance?.state, "C");
});

test("the line that was chosen is taken, though its `set` makes its own condition false", () => {
  const ready = dataField("ready", BOOL, { default: true });
  const value: Expression = { kind: "literal", type: BOOL, value: false };
  const driver = new Driver(
    definition({
      states: { A: "plain", B: "plain", C: "final" },
      fields: [ready],
      transitions: [
        line("A", "B", on("go"), {
          condition: field("ready", BOOL),
          actions: [{ kind: "set", field: "ready", value }],
        }),
        line("A", "C", on("go"), { otherwise: true }),
      ],
    }),
  );
  driver.start({ event: "go" });
  assert.equal(driver.instance?.state, "B");
  assert.deepEqual(driver.instance?.data, { ready: false });
});

test("conditions that fail are named, with the reasons that guards gave", () => {
  const driver = payment({
    transitions: [
      line("DRAFT", "BIG", on("submit"), { condition: moreThan("amount", 5000) }),
      line("DRAFT", "SMALL", on("submit"), { condition: guard("isTrusted") }),
    ],
  });
  driver.world = { "guard:isTrusted": { ok: false, reason: "new customer" } };
  driver.start({ data: { amount: "1" } });
  driver.event("submit", "alice");
  assert.equal(driver.code, "condition-failed");
  const refusal = driver.last?.kind === "refused" ? driver.last : undefined;
  assert.match(refusal?.message ?? "", /amount > .*isTrusted.*new customer/);
  assert.deepEqual(refusal?.details?.["reasons"], ["new customer"]);
});

test("guards and values are asked once, and known questions do not come again", () => {
  const same = guard("hasQuorum");
  const not: Expression = { kind: "not", of: same, type: BOOL };
  const driver = new Driver(
    definition({
      states: { A: "plain", B: "final", C: "final" },
      transitions: [line("A", "B", on("go"), { condition: same }), line("A", "C", on("go"), { condition: not })],
    }),
  );
  driver.start();
  driver.event("go", "alice");
  assert.equal(driver.last?.kind === "needs" && driver.last.questions.length, 1);
  assert.equal(driver.last?.kind === "needs" && driver.last.questions[0]?.key, "guard:hasQuorum([])");
  driver.world = { "guard:hasQuorum": { ok: false } };
  driver.event("go", "alice");
  assert.equal(driver.instance?.state, "C");
  assert.deepEqual(driver.history.at(-1)?.answers, { "guard:hasQuorum([])": { ok: false } });
});

test("a function that can't answer refuses the command", () => {
  const driver = new Driver(
    definition({
      states: { A: "plain", B: "final" },
      transitions: [line("A", "B", on("go"), { condition: guard("g") })],
    }),
    { "guard:g": { failed: "down", retryable: true } },
  );
  driver.start({ event: "go" });
  assert.equal(driver.code, "function-failed");
  driver.world = { "guard:g": { value: 1 } };
  driver.start({ event: "go" });
  assert.equal(driver.code, "function-failed");
});

const check = (name: string, ...args: Expression[]) =>
  ({ kind: "call", function: "check", name, arguments: args }) as const;
const action = (name: string, ...args: Expression[]) =>
  ({ kind: "call", function: "action", name, arguments: args }) as const;

test("checks are asked together before the commit and veto it", () => {
  const driver = payment({
    transitions: [
      line("DRAFT", "SMALL", on("submit"), { actions: [check("budget", field("amount", MONEY)), check("policy")] }),
    ],
    more: {
      routes: [
        {
          event: "submit",
          targets: [
            { kind: "service", name: "validator" },
            { kind: "selector", labels: { zone: "cn" } },
          ],
        },
      ],
    },
  });
  driver.world = { "check:budget": undefined, "check:policy": undefined };
  driver.start({ event: "submit", data: { amount: "7" } });
  const questions = driver.last?.kind === "needs" ? driver.last.questions : [];
  assert.deepEqual(
    questions.map(({ key }) => key),
    ['check:budget(["7.00 CNY"])', "check:policy([])"],
  );
  assert.deepEqual(questions[0]?.context.services, ["validator"]);
  assert.deepEqual(questions[0]?.context.selectors, [{ zone: "cn" }]);
  assert.equal(questions[0]?.context.event, "submit");
  driver.world = { "check:budget": { ok: true }, "check:policy": { ok: false, reason: "too late" } };
  driver.start({ event: "submit", data: { amount: "7" } });
  assert.equal(driver.code, "check-failed");
  assert.match(driver.last?.kind === "refused" ? driver.last.message : "", /policy.*too late/);
  driver.world = {};
  driver.start({ event: "submit", data: { amount: "7" } });
  assert.equal(driver.instance?.state, "SMALL");
});

test("actions become effects in order, under ids that derive from the decision; `set` is part of it", () => {
  const driver = payment({
    transitions: [
      line("DRAFT", "SMALL", on("submit"), {
        actions: [
          { kind: "set", field: "note", value: text("paid") },
          { kind: "emit", event: "onPaid" },
          { kind: "notify", to: users("bob") },
          { kind: "cc", to: users("carol") },
          { kind: "render", document: "voucher" },
          { kind: "start", flow: "seal", key: text("s-1"), fields: { sum: field("amount", MONEY) } },
          action("archive", field("card", TEXT)),
        ],
      }),
      line("SMALL", "BIG", on("again"), { actions: [{ kind: "cc", to: users("carol") }] }),
    ],
    more: {
      documents: {
        voucher: {
          name: "voucher",
          template: "t",
          fallback: "f",
          fields: [
            { name: "sum", value: field("amount", MONEY) },
            { name: "card", value: field("card", TEXT) },
          ],
        },
      },
      routes: [
        { event: "submit", targets: [{ kind: "service", name: "audit" }] },
        { event: "onPaid", targets: [{ kind: "selector", labels: { role: "ledger" } }] },
      ],
    },
  });
  driver.start({ event: "submit", data: { amount: "1234.5" } });
  assert.deepEqual(
    driver.effects.map((effect) => `${effect.id} ${effect.kind}`),
    ["publish", "deliver", "notify", "notify", "render", "start", "call", "deliver"].map(
      (kind, n) => `i:1:${n} ${kind}`,
    ),
  );
  assert.deepEqual(driver.emitted, ["instance.started", "instance.moved", "onPaid"]);
  const [, ledger, , copy, document, seal, , audit] = driver.effects;
  assert.equal(driver.instance?.data["note"], "paid");
  assert.deepEqual(ledger?.kind === "deliver" && ledger.target, { kind: "selector", labels: { role: "ledger" } });
  assert.deepEqual(audit?.kind === "deliver" && audit.functions, ["archive"]);
  assert.equal(copy?.kind === "notify" && copy.copy, true);
  assert.deepEqual(document?.kind === "render" && document.data, { sum: "1,234.50", card: "" });
  assert.deepEqual(seal?.kind === "start" && seal.data, { sum: "1234.50 CNY" });
  driver.event("again", "alice");
  assert.equal(driver.kinds.includes("notified"), false, "nobody gets a second copy");
});

test("secrets stay out of events, questions' keys and the history, and reach the functions they are given to", () => {
  const driver = payment({
    transitions: [
      line("DRAFT", "SMALL", on("submit"), {
        actions: [
          check("verify", field("card", TEXT)),
          { kind: "emit", event: "out" },
          action("pay", field("card", TEXT)),
        ],
      }),
    ],
    more: { routes: [{ event: "out", targets: [{ kind: "service", name: "s" }] }] },
  });
  driver.world = { "check:verify": undefined };
  const data = { amount: "1", card: "6222-0001" };
  driver.start({ event: "submit", data });
  const question = driver.last?.kind === "needs" ? driver.last.questions[0] : undefined;
  assert.deepEqual(question?.arguments, ["6222-0001"]);
  assert.doesNotMatch(question?.key ?? "", /6222/);
  assert.doesNotMatch(JSON.stringify(question?.context), /6222/);
  driver.world = {};
  driver.start({ event: "submit", data });
  const { story, effects, answers } = driver.accepted[0]!;
  assert.doesNotMatch(JSON.stringify([story, answers]), /6222/);
  assert.doesNotMatch(JSON.stringify(effects.filter(({ kind }) => kind !== "call")), /6222/);
  const call = effects.find((effect) => effect.kind === "call");
  assert.deepEqual(call?.arguments, ["6222-0001"]);
  assert.doesNotMatch(story.map((one) => tell(one)).join(), /6222/);
});

test("an arithmetic fault refuses with condition-failed", () => {
  const zero: Expression = { kind: "literal", type: { kind: "int" }, value: 0 };
  const days = field("days", { kind: "int" });
  const quotient: Expression = { kind: "binary", operator: "/", left: days, right: zero, type: { kind: "decimal" } };
  const one: Expression = { kind: "literal", type: { kind: "decimal" }, value: "1" };
  const condition: Expression = { kind: "binary", operator: ">", left: quotient, right: one, type: BOOL };
  const driver = payment({ transitions: [line("DRAFT", "SMALL", on("submit"), { condition })] });
  driver.start({ data: { amount: "1" } });
  driver.event("submit", "alice");
  assert.equal(driver.code, "condition-failed");
});

test("an accepted command is answered as a duplicate, changed under the same id it is refused", () => {
  const driver = payment();
  driver.start({ data: { amount: "1" } });
  const command = { kind: "event", event: "submit", payload: {}, actor: "alice" } as const;
  driver.send({ ...command, id: "x", digest: "1" });
  const { instance } = driver;
  assert.deepEqual(driver.send({ ...command, id: "x", digest: "1" }), { kind: "duplicate", version: 2 });
  driver.send({ ...command, id: "x", digest: "2" });
  assert.equal(driver.code, "id-reused");
  assert.equal(driver.instance, instance);
  driver.send({ ...command, event: "nonsense", id: "y", digest: "1" });
  driver.send({ ...command, event: "pay", actor: "cashier", id: "y", digest: "2" });
  assert.equal(driver.code, "accepted", "a refused command does not keep its id");
});

test("the newest 64 accepted commands are remembered", () => {
  const driver = payment();
  driver.start({ event: "submit", data: { amount: "9000" } });
  for (let count = 0; count < 70; count++) driver.event("amend", "alice");
  assert.equal(driver.instance?.recent.length, 64);
  assert.equal(driver.instance?.recent.at(-1)?.version, driver.instance?.version);
});

test("what is not started can't be sent to, what is started can't be started", () => {
  const driver = payment();
  driver.event("submit");
  assert.equal(driver.code, "not-possible-in-state");
  driver.start();
  driver.start({ data: { amount: "3" } });
  assert.equal(driver.code, "not-possible-in-state");
});

test("an approval in the initial state opens at the start", () => {
  const driver = new Driver(
    definition({
      states: {
        REVIEW: approval([stage(users("a"))], { due: dueIn(DAY) }),
        OK: "final",
        NO: "final",
      },
      transitions: [line("REVIEW", "OK", outcome("approved")), line("REVIEW", "NO", outcome("rejected"))],
    }),
  );
  driver.start();
  assert.deepEqual(driver.waiting, ["a"]);
  driver.decides("a", "approve");
  assert.equal(driver.instance?.outcome, "OK");
});

test("a flow that moves by itself without end is stopped", () => {
  const nobody = approval([stage(users())], { onEmpty: { kind: "skip" } });
  const driver = new Driver(
    definition({
      states: { DRAFT: "plain", A: nobody, B: nobody, END: "final" },
      transitions: [
        line("DRAFT", "A", on("go")),
        line("A", "B", outcome("approved")),
        line("B", "A", outcome("approved")),
        line("B", "END", outcome("rejected")),
      ],
    }),
  );
  driver.start();
  driver.event("go");
  assert.equal(driver.code, "not-possible-in-state");
  assert.equal(driver.instance?.state, "DRAFT");
});

test("reports are noted in every state, finished ones too", () => {
  const driver = new Driver(simple(approval([stage(users("a"))])));
  driver.start();
  driver.event("cancel");
  const rendered = {
    kind: "rendered",
    document: "d",
    template: "t",
    templateHash: "h",
    sha256: "s",
    bytes: 9,
  } as const;
  driver.send({ kind: "report", effect: "i:1:0", report: rendered });
  driver.send({ kind: "report", effect: "i:1:1", report: { kind: "failed", what: "mail", reason: "no route" } });
  assert.deepEqual(driver.instance?.documents, { d: { sha256: "s", bytes: 9, template: "t" } });
  assert.match(tell(driver.story.at(-1)!), /mail: no route/);
});
