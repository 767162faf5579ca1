import assert from "node:assert/strict";
import { test } from "node:test";
import { compile, type Definition } from "../dsl/index.ts";
import { dryRunMigration } from "./migration-plan.ts";
import { replay } from "./replay.ts";
import { runTest } from "./simulator.ts";
import { Driver, HOUR, type World } from "./testing.ts";

const OLD = `
state machine "claim" {
  label: "1"
  data { amount: money; note: text?; card: text secret = "none" }
  events { "submit" { amount, note } }
  people { boss = users("bob"); board = users("b1", "b2", "b3") }
  initial: DRAFT
  states: [DRAFT, REVIEW, BOARD, PAYING, WAITING, JOINT, SEALING, DONE, NO]
  final: [DONE, NO]
  state REVIEW { approval by boss then users("dan") { due: 2d; overdue: [transfer to boss after 1h]; allow: [returnTo, takeBack] } }
  state BOARD { approval by board all }
  state PAYING { run saga "pay" }
  state JOINT { parallel {
    branch legal { initial: L1; states: [L1, L2]; state L1 { approval by users("lea") }
      transitions { L1 → L2 on approved; L1 → L2 on rejected } }
    branch money { initial: M1; states: [M1, M2]; state M1 { approval by users("max") }
      transitions { M1 → M2 on approved; M1 → M2 on rejected } }
    join all
  } }
  state SEALING { run flow "seal" }
  transitions {
    DRAFT → REVIEW on "submit"
    REVIEW → BOARD on approved
    REVIEW → DRAFT on returned
    REVIEW, BOARD → NO on rejected
    BOARD → PAYING on approved
    PAYING → WAITING on done
    PAYING → NO on compensated
    WAITING → JOINT on "joint"
    WAITING → SEALING on "seal"
    WAITING → DONE after 3d
    JOINT → DONE on joined
    SEALING → DONE on done
  }
}
state machine "seal" {
  initial: OPEN
  states: [OPEN, SEALED]
  state OPEN { handle by users("sam") }
  transitions { OPEN → SEALED on done }
}
saga "pay" {
  step reserve(amount) undo release(amount)
  step transfer(card, amount) undo refund(amount)
}
`;

type Edit = readonly [from: string, to: string];

/** The other version: the old text with some of it replaced. */
function versions(
  edits: readonly Edit[],
  more = "",
): { old: Definition; next: Definition; others: Definition[]; text: string } {
  const [own, ...rest] = OLD.split('state machine "seal"');
  const shared = `state machine "seal"${rest.join("")}`;
  let text = own!.replace('label: "1"', 'label: "2"');
  for (const [from, to] of edits) {
    assert.ok(text.includes(from), from);
    text = text.replaceAll(from, to);
  }
  const next = more === "" ? text : text.replace(/\}\s*$/, `${more}\n}\n`);
  const whole = `${own}${next}${shared}`;
  const { definitions, diagnostics } = compile(whole, "t.flow");
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  assert.deepEqual(
    errors.map(({ message }) => message),
    [],
  );
  const labelled = (label: string): Definition => definitions.find((one) => one.label === label)!;
  return { old: labelled("1"), next: labelled("2"), others: [...definitions], text: whole };
}

const BEGIN = `as "alice"
  start { amount: 100 }
  send "submit"`;
const TO_WAITING = `"bob" approves; "dan" approves; "b1" approves; "b2" approves; "b3" approves
  expect WAITING`;

const moves: readonly [sentence: string, edits: readonly Edit[], more: string, statements: string][] = [
  [
    "an open round keeps its seats, decisions and deadlines",
    [['board = users("b1", "b2", "b3")', 'board = users("c1")']],
    "",
    `"bob" approves; "dan" approves; "b1" approves
    migrate to label "2"
    expect BOARD waiting for "b2", "b3"
    expect round 1
    "b2" approves; "b3" approves
    expect called reserve(100)`,
  ],
  [
    "mode and options of the new stage hold for rounds opened later",
    [
      ["approval by board all", "approval by board any { allow: [transfer] }"],
      ['users("dan") { due: 2d', 'users("dan") { due: 1d'],
    ],
    "",
    `"bob" approves; "dan" approves; "b1" approves
    migrate to label "2"
    "b2" transfers to "x"
    expect refused "not-allowed"
    "b2" approves
    expect BOARD waiting for "b3"
    "b3" approves
    expect WAITING`,
  ],
  [
    "the stages after the open round are the new version's",
    [['boss then users("dan")', 'boss then users("eve")']],
    "",
    `migrate to label "2"
    expect REVIEW waiting for "bob"
    "bob" approves
    expect waiting for "eve"`,
  ],
  [
    "deadlines and overdue steps of the open round stay",
    [
      ["due: 2d; overdue: [transfer to boss after 1h]", "due: 9d"],
      ['boss = users("bob")', 'boss = users("ben")'],
    ],
    "",
    `"bob" approves
    advance 1d
    migrate to label "2"
    advance 1d; advance 1h
    expect REVIEW waiting for "bob"`,
  ],
  [
    "a state that a line names is another one from then on",
    [["REVIEW", "CHECK"]],
    `migrate from label "1" { REVIEW → CHECK }`,
    `migrate to label "2"
    expect CHECK waiting for "bob"
    "bob" approves; "dan" approves
    expect BOARD`,
  ],
  [
    "without a line, a state that the new version lacks refuses the migration",
    [["REVIEW", "CHECK"]],
    "",
    `migrate to label "2"
    expect refused "no-such-target"
    expect REVIEW waiting for "bob"`,
  ],
  [
    "a finished instance stays",
    [],
    "",
    `"bob" rejects
    migrate to label "2"
    expect refused "finished"`,
  ],
  [
    "a suspended instance stays",
    [],
    "",
    `admin suspends because "audit"
    migrate to label "2"
    expect refused "suspended"`,
  ],
  [
    "a label that the flow does not have is refused, and so is the version on which it runs",
    [["after 3d", "after 4d"]],
    "",
    `migrate to label "9"
    expect refused "no-such-target"
    migrate to label "2"
    migrate to label "2"
    expect refused "not-possible-in-state"`,
  ],
  [
    "`after` lines are the new version's, counted from when the state was entered",
    [["after 3d", "after 5d"]],
    "",
    `${TO_WAITING}
    advance 2d
    migrate to label "2"
    advance 2d
    expect WAITING
    advance 1d
    expect DONE`,
  ],
  [
    "an `after` that has passed already fires at once",
    [["after 3d", "after 1d"]],
    "",
    `${TO_WAITING}
    advance 2d
    migrate to label "2"
    advance 0h
    expect DONE`,
  ],
  [
    "a state that has another approval now, a handling, opens anew",
    [
      ["state BOARD { approval by board all }", 'state BOARD { handle by users("hal") }'],
      ["REVIEW, BOARD → NO on rejected", "REVIEW → NO on rejected"],
      ["BOARD → PAYING on approved", "BOARD → PAYING on done"],
    ],
    "",
    `"bob" approves; "dan" approves; "b1" approves
    migrate to label "2"
    expect BOARD waiting for "hal"
    "hal" handles
    expect WAITING`,
  ],
  [
    "a state that asks nobody any more cancels the round",
    [
      ["state BOARD { approval by board all }", ""],
      ["REVIEW, BOARD → NO on rejected", "REVIEW → NO on rejected"],
      ["BOARD → PAYING on approved", 'BOARD → PAYING on "go"'],
    ],
    "",
    `"bob" approves; "dan" approves; "b1" approves
    migrate to label "2"
    expect BOARD waiting for nobody; expect seat "b2" cancelled
    send "go"
    expect WAITING`,
  ],
  [
    "branches keep what is open in them",
    [
      ['users("max")', 'users("mia")'],
      ["join all", "join any"],
    ],
    "",
    `${TO_WAITING}
    send "joint"
    migrate to label "2"
    expect waiting for "lea", "max"
    "max" approves
    expect DONE`,
  ],
  [
    "branches that have arrived join at once where fewer are enough now",
    [["join all", "join any"]],
    "",
    `${TO_WAITING}
    send "joint"
    "max" approves
    migrate to label "2"
    expect DONE`,
  ],
  [
    "a branch state that the new version lacks refuses the migration",
    [["L1", "L0"]],
    "",
    `${TO_WAITING}
    send "joint"
    migrate to label "2"
    expect refused "no-such-target"`,
  ],
  [
    "a sub-flow goes on",
    [["SEALING → DONE on done", "SEALING → NO on done"]],
    "",
    `${TO_WAITING}
    send "seal"
    migrate to label "2"
    expect waiting for "sam"
    "sam" handles
    expect NO`,
  ],
  [
    "what was approved before can be returned to, but not taken back",
    [["after 3d", "after 4d"]],
    "",
    `"bob" approves
    migrate to label "2"
    "bob" takes back
    expect refused "not-possible-in-state"
    "dan" returns to initiator
    expect DRAFT
    send "submit"
    expect REVIEW waiting for "bob"; expect round 2`,
  ],
  [
    "a running saga keeps its steps to the end",
    [],
    "",
    `given reserve takes 1h
    "bob" approves; "dan" approves; "b1" approves; "b2" approves; "b3" approves
    migrate to label "2"
    expect PAYING
    advance 1h
    expect WAITING; expect called transfer("none", 100)`,
  ],
  [
    "a saga that the new state does not run is undone",
    [
      ['state PAYING { run saga "pay" }', ""],
      ["PAYING → WAITING on done", 'PAYING → WAITING on "paid"'],
      ["PAYING → NO on compensated", ""],
    ],
    "",
    `given transfer takes 1h
    "bob" approves; "dan" approves; "b1" approves; "b2" approves; "b3" approves
    migrate to label "2"
    advance 1h
    expect PAYING; expect undone refund; expect undone release
    send "paid"
    expect WAITING`,
  ],
  [
    "a state that is final now ends the instance",
    [
      ["final: [DONE, NO]", "final: [DONE, NO, OLD]"],
      ["WAITING, JOINT", "WAITING, OLD, JOINT"],
    ],
    `migrate from label "1" { WAITING → OLD }`,
    `${TO_WAITING}
    migrate to label "2"
    expect OLD; expect nothing open`,
  ],
  [
    "fields that the new version lacks are left behind, new ones get their default",
    [
      ["note: text?", "kind: one of [a, b] = b"],
      ["{ amount, note }", "{ amount }"],
    ],
    "",
    `migrate to label "2"
    expect kind == b; expect amount == 100`,
  ],
  [
    "a new field that must be set refuses the migration, but not of a draft",
    [["note: text?", "note: text"]],
    "",
    `migrate to label "2"
    expect refused "missing-field"
    "bob" returns to initiator
    migrate to label "2"
    expect DRAFT`,
  ],
  [
    "a field that has another type is read anew",
    [["note: text?", "note: one of [short, long]?"]],
    "",
    `migrate to label "2"
    expect note == short`,
  ],
  [
    "a value that does not fit the field's new type refuses the migration",
    [["note: text?", "note: int?"]],
    "",
    `"bob" returns to initiator
    send "submit" { note: "seven" }
    migrate to label "2"
    expect refused "wrong-type"
    expect note == "seven"`,
  ],
];

for (const [sentence, edits, more, statements] of moves) {
  test(sentence, () => {
    const begin = sentence.startsWith("a field that has another")
      ? BEGIN.replace("amount: 100", 'amount: 100, note: "short"')
      : BEGIN;
    const { text } = versions(edits, more);
    const block = `${text}\ntest "t" of "claim" label "1" {\n${begin}\n${statements}\n}`;
    const { tests, definitions, diagnostics } = compile(block, "t.flow");
    assert.deepEqual(
      diagnostics.filter(({ severity }) => severity === "error").map(({ message }) => message),
      [],
    );
    const { ok, message } = runTest(tests[0]!, definitions);
    assert.equal(ok ? undefined : message, undefined);
  });
}

function migrating({ old, next, others }: ReturnType<typeof versions>, world: World = {}): Driver {
  return new Driver(old, { "flow:claim": { definition: next.hash }, ...world }, others);
}

test("the dry run says what would happen, and what it says happens", () => {
  const found = versions([
    ["note: text?", "kind: one of [a, b] = b"],
    ["{ amount, note }", "{ amount }"],
  ]);
  const driver = migrating(found);
  driver.start({ data: { amount: 100, note: "x" }, event: "submit" });
  const forecast = dryRunMigration(found.old, driver.instance!, found.next);
  assert.equal(forecast.kind, "moves");
  if (forecast.kind !== "moves") return;
  const { places, data, drops, fills } = forecast.plan;
  assert.deepEqual(places, [{ place: "", from: "REVIEW", to: "REVIEW", keeps: true, ends: "round", opens: "round" }]);
  assert.deepEqual([drops, fills], [["note"], ["kind"]]);
  driver.send({ kind: "migrate", label: "2" });
  assert.deepEqual(driver.instance!.data, data);
  assert.deepEqual(driver.instance!.definition, found.next.hash);
  assert.equal(driver.instance!.label, "2");
});

test("the dry run says why an instance would stay", () => {
  const found = versions([["REVIEW", "CHECK"]]);
  const driver = migrating(found);
  driver.start({ data: { amount: 100 }, event: "submit" });
  const forecast = dryRunMigration(found.old, driver.instance!, found.next);
  assert.equal(forecast.kind === "stays" ? forecast.why.code : forecast.kind, "no-such-target");
  driver.send({ kind: "migrate", label: "2" });
  assert.equal(driver.code, "no-such-target");
});

test("a running saga goes by the steps it began with, its secrets kept out, until it is undone", () => {
  const { old, next, others } = versions([]);
  const { pay } = next.sagas;
  const changed = { ...next, sagas: { pay: { ...pay!, steps: [] } } };
  const driver = new Driver(old, { "flow:claim": { definition: changed.hash } }, [changed, ...others]);
  driver.start({ data: { amount: 100, card: "6222" }, event: "submit" });
  for (const one of ["bob", "dan", "b1", "b2", "b3"]) driver.decides(one, "approve");
  driver.send({ kind: "migrate", label: "2" });
  assert.deepEqual(driver.instance!.saga?.definition, old.sagas["pay"]);
  const moved = new Driver(changed, driver.world, others);
  moved.instance = driver.instance;
  const report = (effect: string | undefined, ok: boolean) =>
    moved.send({ kind: "report", id: `r-${effect}`, effect: effect!, report: { kind: "step", ok } });
  report(driver.effects.findLast(({ kind }) => kind === "step")?.id, true);
  const transfer = moved.effects.findLast((effect) => effect.kind === "step");
  assert.deepEqual(transfer?.kind === "step" && transfer.arguments, ["6222", "100.00 CNY"]);
  assert.doesNotMatch(JSON.stringify([moved.story, moved.instance!.saga]), /6222/);
  report(transfer?.id, false);
  const release = moved.effects.findLast((effect) => effect.kind === "step");
  assert.deepEqual(release?.kind === "step" && [release.function, release.undo], ["release", true]);
  report(release?.id, true);
  assert.equal(moved.instance!.state, "NO");
});

test("an open round of a matrix row stays, and the stages after it come from the new matrix", () => {
  const matrix = (stages: string): string => `\nmatrix who(amount: money) {
  amount → approvers
  [0, ..) → ${stages}
}\n`;
  const part = (label: string, name: string): string => `state machine "m" {
  label: "${label}"
  data { amount: money }
  events { "submit" { amount } }
  initial: A
  states: [A, B, C, D]
  state B { approval by ${name}(amount) }
  transitions { A → B on "submit"; B → C on approved; B → D on rejected }
}
`;
  const text = `${part("1", "who")}${part("2", "whom")}${matrix('users("a") then users("b")')}${matrix('users("x") then users("y")').replace("who(", "whom(")}
test "t" of "m" label "1" {
  as "alice"
  start { amount: 5 }
  send "submit"
  migrate to label "2"
  expect B waiting for "a"
  "a" approves
  expect B waiting for "y"
  "y" approves
  expect C
}`;
  const { tests, definitions } = compile(text, "t.flow");
  const result = runTest(tests[0]!, definitions);
  assert.equal(result.message, undefined);
  assert.ok(result.ok);
});

test("an instance on its way back is not moved", () => {
  const found = versions([
    ["approval by board all", "approval by board any { allow: [returnTo] }"],
    ["REVIEW, BOARD → NO", "BOARD → DRAFT on returned\n    REVIEW, BOARD → NO"],
  ]);
  const instance = new Driver(found.old);
  instance.start({ data: { amount: 100 }, event: "submit" });
  const waiting = {
    ...instance.instance!,
    undoing: [{ sagas: [], move: { kind: "state" as const, place: "", to: "DRAFT", why: "w" } }],
  };
  const forecast = dryRunMigration(found.old, waiting, found.next);
  assert.equal(forecast.kind === "stays" ? forecast.why.code : forecast.kind, "not-possible-in-state");
});

test("a history over a migration replays to the same instance", () => {
  const found = versions(
    [
      ["approval by board all", "approval by board any"],
      ["REVIEW", "CHECK"],
    ],
    `migrate from label "1" { REVIEW → CHECK }`,
  );
  const driver = migrating(found);
  driver.start({ data: { amount: 100 }, event: "submit" });
  driver.decides("bob", "approve");
  driver.advance(HOUR);
  assert.equal(driver.tasks.get("i-2")?.state, "REVIEW");
  driver.send({ kind: "migrate", label: "2", actor: "root", reason: "new rules" });
  const version = (hash: string): Definition | undefined => found.others.find((one) => one.hash === hash);
  assert.deepEqual(replay(found.old, driver.history, version), driver.instance);
  const stored = JSON.parse(JSON.stringify(driver.history)) as typeof driver.history;
  assert.deepEqual(replay(found.old, stored, version), JSON.parse(JSON.stringify(driver.instance)));
  assert.match(driver.story.map(({ kind }) => kind).join(), /migrated,moved/);
  assert.equal(driver.tasks.get("i-2")?.state, "CHECK");
});
