import assert from "node:assert/strict";
import { test } from "node:test";
import { compile } from "../dsl/index.ts";
import { runTest } from "./simulator.ts";
import { Driver } from "./testing.ts";
import type { Effect } from "./types.ts";

/** Reviewed, paid by a saga, checked; every way back leads over the saga. */
const flow = (saga: string): string => `
state machine "pay" {
  data { amount: money; card: text secret; to: user? }
  events { "submit" { amount, card }; "amend" { amount }; "cancel" {}; "again" {} }
  initial: DRAFT
  states: [DRAFT, REVIEW, PAYING, CHECK, DONE, FAILED, CANCELLED]
  final: [DONE, FAILED, CANCELLED]
  state REVIEW { approval by users("bob") { allow: [returnTo, takeBack, withdraw] } }
  state PAYING { run saga "pay-out" }
  state CHECK { approval by users("carol") { allow: [returnTo, withdraw] } }
  state DONE { revocable for 7d }
  transitions {
    DRAFT → REVIEW on "submit" by initiator
    REVIEW → PAYING on approved
    REVIEW, CHECK → FAILED on rejected
    REVIEW, CHECK → DRAFT on returned
    PAYING → CHECK on done
    PAYING → FAILED on compensated
    CHECK → DONE on approved
    DONE → CANCELLED on withdrawn
    PAYING → PAYING on "amend"
    PAYING → CANCELLED on "cancel"
    CHECK → PAYING on "again"
  }
}
saga "pay-out" {
  ${saga}
}
`;

const SAGA = `step reserve(amount) undo release(amount)
  step transfer(card, amount) undo refund(amount) retry 2 backoff 1s .. 30s timeout 10s
  step archive()
  onStuck: assign group("ops")`;

/** Every step with an undo. */
const UNDOABLE = `step reserve(amount) undo release(amount)
  step transfer(card, amount) undo refund(card, amount)
  onStuck: assign users("ops1", "ops2")`;

const BEGIN = `as "alice"
  start { amount: 100, card: "6222" }
  send "submit"`;

function run(text: string): string[] {
  const { tests, definitions, diagnostics } = compile(text, "test.flow");
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  assert.deepEqual(
    errors.map(({ message }) => message),
    [],
  );
  return tests.map((one) => {
    const { ok, message } = runTest(one, definitions);
    return ok ? "" : (message ?? "failed");
  });
}

const passes: readonly [sentence: string, saga: string, statements: string][] = [
  [
    "steps run in order and the outcome is done",
    SAGA,
    `expect REVIEW
    "bob" approves
    expect CHECK
    expect called reserve(100) 1 times; expect called transfer("6222", 100) 1 times; expect called archive() 1 times
    expect not called release(100)`,
  ],
  [
    "a step begins when the one before is done",
    SAGA,
    `given reserve takes 30s
    "bob" approves
    expect PAYING; expect called reserve(100); expect not called transfer
    advance 30s
    expect called transfer("6222", 100); expect CHECK`,
  ],
  [
    "`retry N` is up to N more tries after the first, with a backoff that doubles",
    SAGA,
    `given transfer fails 2 times
    "bob" approves
    expect PAYING; expect called transfer("6222", 100) 1 times
    advance 1s
    expect called transfer("6222", 100) 2 times
    advance 1s
    expect called transfer("6222", 100) 2 times
    advance 1s
    expect called transfer("6222", 100) 3 times; expect CHECK`,
  ],
  [
    "without `retry` there is one try; what is finished is undone, and the outcome is compensated",
    SAGA,
    `given archive fails
    "bob" approves
    expect FAILED; expect called archive() 1 times
    expect undone refund; expect undone release
    expect nothing open`,
  ],
  [
    "a step that has failed for good is not undone itself",
    SAGA,
    `given transfer fails
    "bob" approves
    advance 3s
    expect FAILED; expect called transfer("6222", 100) 3 times
    expect undone release; expect not called refund`,
  ],
  [
    "a timeout is a failure, and its undo runs first",
    SAGA,
    `given transfer takes 30s
    "bob" approves
    advance 11s
    expect called transfer("6222", 100) 2 times; expect not called refund
    advance 12s; advance 10s
    expect FAILED; expect called transfer("6222", 100) 3 times
    expect undone refund 1 times; expect undone release 1 times`,
  ],
  [
    "an undo is retried at least 5 times, from 1 s to 30 s",
    SAGA,
    `given archive fails; given release fails 5 times
    "bob" approves
    advance 30s
    expect PAYING; expect called release(100) 5 times
    advance 1s
    expect FAILED; expect called release(100) 6 times; expect undone release 1 times`,
  ],
  [
    "an undo that keeps failing becomes a task for a person, who says that it is done by hand",
    SAGA,
    `given group("ops") = ["op"]
    given archive fails; given refund fails
    "bob" approves
    advance 1m
    expect PAYING waiting for "op"
    expect called refund(100) 6 times; expect not called release; expect notified "op"
    "op" approves
    expect refused "not-allowed"
    "bob" handles
    expect refused "task-closed"
    "op" handles because "paid back at the bank"
    expect FAILED; expect undone release; expect waiting for nobody
    expect history containing "by hand by op"`,
  ],
  [
    "of several people, the first does it",
    `${UNDOABLE}
  step archive()`,
    `given archive fails; given refund fails
    "bob" approves
    advance 1m
    expect waiting for "ops1", "ops2"
    "ops2" handles
    expect FAILED
    "ops1" handles
    expect refused "superseded"`,
  ],
  [
    "steps side by side begin together, and the next item begins when all are done",
    `step a(amount) undo ua(amount) and b() undo ub()
  step c()`,
    `given a takes 10s
    "bob" approves
    expect called a(100); expect called b(); expect not called c
    advance 10s
    expect called c(); expect CHECK`,
  ],
  [
    "a step beside one that failed is waited for and undone",
    `step a(amount) undo ua(amount) and b() undo ub()
  step c()`,
    `given a takes 10s; given b fails
    "bob" approves
    expect PAYING; expect not called ua
    advance 10s
    expect FAILED; expect undone ua; expect not called ub; expect not called c`,
  ],
  [
    "a step beside one that failed is not tried again",
    `step a() undo ua() retry 5 backoff 10s and b() undo ub()`,
    `given a fails 1 times; given b fails
    "bob" approves
    expect FAILED; expect called a() 1 times; expect not called ua
    expect nothing open`,
  ],
  [
    "an undo gets the arguments that its step began with",
    `step a(amount) undo ua(amount)
  step b()`,
    `given b takes 1m; given b fails
    "bob" approves
    advance 1m
    expect undone ua; expect called ua(100)`,
  ],
  [
    "a transition that leaves the state undoes what is finished, after the step in flight",
    UNDOABLE,
    `given transfer takes 30s
    "bob" approves
    send "cancel"
    expect CANCELLED; expect not called release
    advance 30s
    expect undone refund 1 times; expect undone release 1 times; expect CANCELLED; expect nothing open`,
  ],
  [
    "a step in flight that fails after its state was left is not tried again",
    SAGA,
    `given transfer takes 5s; given transfer fails
    "bob" approves
    send "cancel"
    advance 1m
    expect called transfer("6222", 100) 1 times; expect undone release; expect not called refund
    expect nothing open`,
  ],
  [
    "a step that waits for its next try when the state is left is not tried again",
    SAGA,
    `given transfer fails
    "bob" approves
    send "cancel"
    advance 1m
    expect called transfer("6222", 100) 1 times; expect undone release; expect nothing open`,
  ],
  [
    "a state that is entered again runs its saga anew",
    UNDOABLE,
    `given reserve takes 30s
    "bob" approves
    send "amend" { amount: 70 }
    advance 30s
    expect called reserve(70); expect undone release 1 times
    advance 30s
    expect CHECK; expect called transfer("6222", 70) 1 times`,
  ],
  [
    "a return over a finished saga undoes its steps, in reverse, before the target is entered",
    UNDOABLE,
    `"bob" approves
    given release takes 1m
    expect CHECK
    "carol" returns to initiator
    expect CHECK; expect undone refund
    send "again"
    expect refused "not-possible-in-state"
    "carol" approves
    expect refused "task-closed"
    advance 1m
    expect DRAFT; expect undone release 1 times; expect undone refund 1 times`,
  ],
  [
    "a return to a state in which nobody waits for an undo comes at once",
    UNDOABLE,
    `"bob" approves
    "carol" returns to initiator
    expect DRAFT
    send "submit"
    "bob" approves
    expect CHECK; expect called reserve(100) 2 times; expect undone release 1 times`,
  ],
  [
    "a return to the state before the saga undoes it",
    UNDOABLE,
    `"bob" approves
    "carol" returns to REVIEW
    expect REVIEW waiting for "bob"; expect undone refund; expect undone release`,
  ],
  [
    "a return over a step without undo is refused",
    SAGA,
    `"bob" approves
    "carol" returns to initiator
    expect refused "effects-delivered"
    expect CHECK waiting for "carol"; expect not called refund`,
  ],
  [
    "an approval over a step without undo can't be taken back",
    SAGA,
    `"bob" approves
    "bob" takes back
    expect refused "effects-delivered"`,
  ],
  [
    "an approval is taken back once the saga behind it is undone",
    UNDOABLE,
    `"bob" approves
    given release takes 1m
    "bob" takes back
    expect CHECK waiting for nobody
    advance 1m
    expect REVIEW waiting for "bob"; expect undone refund 1 times; expect undone release 1 times
    "bob" approves
    expect CHECK; expect called reserve(100) 2 times`,
  ],
  [
    "an approval is taken back while the saga runs",
    UNDOABLE,
    `given transfer takes 30s
    "bob" approves
    "bob" takes back
    expect PAYING
    advance 30s
    expect REVIEW waiting for "bob"; expect undone refund; expect undone release`,
  ],
  [
    "a withdrawal undoes finished steps, those with an undo, before its line's target is entered",
    SAGA,
    `"bob" approves
    given release takes 1m
    "alice" withdraws
    expect CHECK
    advance 1m
    expect DRAFT; expect undone refund 1 times; expect undone release 1 times`,
  ],
  [
    "a withdrawal after approval undoes everything",
    UNDOABLE,
    `"bob" approves
    "carol" approves
    expect DONE
    "alice" withdraws
    expect CANCELLED; expect undone refund; expect undone release; expect nothing open`,
  ],
  [
    "a rejection leads on and undoes nothing",
    UNDOABLE,
    `"bob" approves
    "carol" rejects
    expect FAILED; expect not called refund`,
  ],
  [
    "a voided instance has its finished steps undone, after the step in flight, and stays where it is",
    UNDOABLE,
    `given transfer takes 30s
    "bob" approves
    admin voids because "fraud"
    expect PAYING
    advance 30s
    expect PAYING; expect undone refund; expect undone release; expect nothing open`,
  ],
  [
    "a voided instance has its finished sagas undone",
    UNDOABLE,
    `"bob" approves
    admin voids because "fraud"
    expect CHECK; expect undone refund 1 times; expect undone release 1 times`,
  ],
  [
    "a stuck task outlives the instance",
    UNDOABLE,
    `given release fails
    "bob" approves
    admin voids because "fraud"
    advance 1m
    expect waiting for "ops1", "ops2"
    "ops1" handles
    expect nothing open`,
  ],
  [
    "a stuck task is handed over with the rest of what somebody has",
    SAGA,
    `given group("ops") = ["op"]
    given archive fails; given refund fails
    "bob" approves
    advance 1m
    admin hands over "op" to "new"
    expect waiting for "new"
    "op" handles
    expect refused "task-closed"
    "new" handles
    expect FAILED`,
  ],
  [
    "an absent person's deputy gets the stuck task",
    SAGA,
    `given group("ops") = ["op"]; given away "op" from 2026-01-01 to 2026-01-31 deputy "dan"
    given archive fails; given refund fails
    "bob" approves
    advance 1m
    expect waiting for "dan"`,
  ],
  [
    "where `onStuck` finds nobody, who started it hears of it",
    SAGA,
    `given archive fails; given refund fails
    "bob" approves
    advance 1m
    expect PAYING waiting for nobody; expect notified "alice"; expect history containing "stuck"
    admin voids because "settled by hand"
    expect PAYING`,
  ],
  [
    "a jump undoes no finished saga",
    UNDOABLE,
    `"bob" approves
    admin jumps to REVIEW because "look again"
    expect REVIEW; expect not called refund`,
  ],
  [
    "a jump out of a running saga undoes it",
    UNDOABLE,
    `given transfer takes 30s
    "bob" approves
    admin jumps to REVIEW because "look again"
    expect REVIEW
    advance 30s
    expect undone refund; expect undone release; expect REVIEW`,
  ],
  [
    "a jump goes before a way back that waits",
    UNDOABLE,
    `"bob" approves
    given release takes 1m
    "carol" returns to initiator
    admin jumps to REVIEW because "no time"
    expect REVIEW
    advance 1m
    expect REVIEW waiting for "bob"; expect undone release`,
  ],
  [
    "a withdrawal replaces a return that waits",
    UNDOABLE,
    `"bob" approves
    given release takes 1m
    "carol" returns to REVIEW
    "alice" withdraws
    advance 1m
    expect DRAFT; expect undone release 1 times`,
  ],
  [
    "while suspended nothing is tried, and what ended meanwhile goes on afterwards",
    UNDOABLE,
    `given reserve takes 30s
    "bob" approves
    admin suspends because "audit"
    advance 1m
    expect not called transfer
    admin resumes because "clean"
    expect called transfer("6222", 100); expect CHECK`,
  ],
  [
    "a try that failed while suspended is repeated afterwards",
    SAGA,
    `given transfer fails 2 times; given transfer takes 5s
    "bob" approves
    admin suspends because "audit"
    advance 1h
    expect called transfer("6222", 100) 1 times
    admin resumes because "clean"
    advance 1m
    expect CHECK; expect called transfer("6222", 100) 3 times`,
  ],
  [
    "an administrator changes arguments of a step that is not done",
    SAGA,
    `given transfer fails 2 times
    "bob" approves
    admin sets saga transfer { amount: 90 } because "fee"
    advance 3s
    expect called transfer("6222", 100) 1 times; expect called transfer("6222", 90) 2 times
    expect amount == 100; expect history containing "override"`,
  ],
  [
    "changed arguments of a step to come, and of its undo where it takes the same field",
    SAGA,
    `given reserve takes 30s; given archive fails
    "bob" approves
    admin sets saga transfer { amount: 90 } because "fee"
    advance 30s
    expect called transfer("6222", 90); expect called refund(90); expect called release(100)`,
  ],
  [
    "a secret argument is changed in the data",
    SAGA,
    `given transfer fails 1 times
    "bob" approves
    admin sets saga transfer { card: "6333" } because "wrong card"
    advance 1s
    expect called transfer("6333", 100) 1 times; expect CHECK`,
  ],
  [
    "`sets saga` is refused: no reason, no such step, no such argument, a wrong type, a step that is done, no saga",
    SAGA,
    `admin sets saga transfer { amount: 90 } because "fee"
    expect refused "not-possible-in-state"
    given transfer fails 1 times
    "bob" approves
    admin sets saga transfer { amount: 90 }
    expect refused "reason-required"
    admin sets saga transferr { amount: 90 } because "fee"
    expect refused "no-such-target"
    admin sets saga transfer { price: 90 } because "fee"
    expect refused "unknown-field"
    admin sets saga transfer { amount: true } because "fee"
    expect refused "wrong-type"
    admin sets saga reserve { amount: 90 } because "fee"
    expect refused "not-possible-in-state"`,
  ],
];

for (const [sentence, saga, statements] of passes) {
  test(sentence, () => {
    assert.deepEqual(run(`${flow(saga)}\ntest "t" of "pay" {\n${BEGIN}\n${statements}\n}`), [""]);
  });
}

/** A driver in front of the saga's first step. */
function paying(saga: string): Driver {
  const { definitions, diagnostics } = compile(flow(saga), "test.flow");
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === "error").map(({ message }) => message),
    [],
  );
  const driver = new Driver(definitions[0]!);
  driver.start({ data: { amount: "100", card: "6222" }, event: "submit" });
  driver.decides("bob", "approve");
  assert.equal(driver.instance?.state, "PAYING");
  return driver;
}

function steps({ effects }: Driver): Extract<Effect, { kind: "step" }>[] {
  return effects.filter((effect) => effect.kind === "step");
}

function report(driver: Driver, effect: string, ok: boolean): void {
  driver.send({ kind: "report", effect, report: ok ? { kind: "step", ok } : { kind: "step", ok, reason: "no money" } });
  assert.equal(driver.last?.kind, "accepted");
}

test("all tries of a step have one idempotency key, and its undo has another", () => {
  const driver = paying("step a() undo ua() retry 1\n  step b()");
  const [first] = steps(driver);
  report(driver, first!.id, false);
  driver.advance(1_000);
  report(driver, steps(driver)[1]!.id, true);
  report(driver, steps(driver)[2]!.id, false);
  const keys = steps(driver).map(({ function: name, idempotencyKey }) => `${name} ${idempotencyKey}`);
  const [a, again, b, undo] = steps(driver);
  assert.deepEqual(keys, [`a ${a!.id}`, `a ${a!.id}`, `b ${b!.id}`, `ua ${undo!.id}`]);
  assert.notEqual(a!.id, again!.id);
});

test("a report on a try that is over changes nothing but the history", () => {
  const driver = paying("step a() retry 1\n  step b()");
  const [first] = steps(driver);
  report(driver, first!.id, false);
  driver.advance(1_000);
  const { saga } = driver.instance!;
  for (const effect of [first!.id, "i:1:99"]) {
    report(driver, effect, true);
    assert.deepEqual(driver.instance!.saga, saga);
    assert.deepEqual(driver.kinds, ["not-moved"]);
  }
});

test("a step whose arguments can't be computed has failed: what is finished is undone", () => {
  const driver = paying("step a() undo ua()\n  step b(amount / (amount - amount))");
  report(driver, steps(driver)[0]!.id, true);
  assert.deepEqual(
    steps(driver).map(({ function: name }) => name),
    ["a", "ua"],
  );
  report(driver, steps(driver)[1]!.id, true);
  assert.equal(driver.instance!.outcome, "FAILED");
});

test("a saga that is done although its line may not be taken stays where it is, and its initiator hears of it", () => {
  const { definition } = paying("step a() undo ua()");
  const audit = { kind: "call", function: "check", name: "audit", arguments: [] } as const;
  const transitions = definition.transitions.map((line) =>
    line.to === "CHECK" ? { ...line, actions: [audit] } : line,
  );
  const driver = new Driver({ ...definition, transitions }, { "check:audit": { ok: false } });
  driver.start({ data: { amount: "100", card: "6222" }, event: "submit" });
  driver.decides("bob", "approve");
  report(driver, steps(driver)[0]!.id, true);
  assert.equal(driver.instance!.state, "PAYING");
  assert.deepEqual(driver.kinds, ["step-done", "saga-ended", "not-moved"]);
  assert.ok(driver.effects.some((effect) => effect.kind === "notify" && effect.about.kind === "alert"));
});

test("a timer of a try that is over is gone", () => {
  const driver = paying("step a() retry 1");
  report(driver, steps(driver)[0]!.id, false);
  const [timer] = driver.instance!.timers;
  driver.event("cancel", "alice");
  driver.at = timer!.dueAt;
  driver.send({ kind: "timer", timer: timer!.id });
  assert.notEqual(driver.code, "accepted");
  assert.equal(steps(driver).length, 1);
});
