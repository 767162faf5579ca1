import assert from "node:assert/strict";
import { test } from "node:test";
import { compile } from "../index.ts";
import { flow, LINES } from "./flow-fixture.ts";

const FLOW = flow({
  states: "initial: A; states: [A, B, P, R, C, D]; final: [C, D]",
  blocks: `state B { approval by boss { allow: [returnTo] } }
    state P { parallel { branch legal { initial: CHECK; states: [CHECK, OK]; transitions { CHECK → OK on "checked" } } } }
    state R { run flow "sub" on "go" }`,
  lines: `${LINES.replace("B → C", "B → P")}\n P → R on joined\n R → C on done`,
  data: "address: { city: text, ok: bool }; at1: datetime?; part: decimal?; on1: date?; refund: money signed?",
});
const SUB = `state machine "sub" { initial: S; states: [S, SEAL, E]; state SEAL { approval by initiator }
  transitions { S → SEAL on "go"\n SEAL → E on approved\n SEAL → E on rejected } }`;

function checking(statements: string, head = `test "t" of "f"`, before = "") {
  const text = `${before}${FLOW}\n${SUB}\ndocument "d" { template: "t" }\n${head} { ${statements} }`;
  const { tests, diagnostics } = compile(text, "a.flow");
  return {
    tests,
    found: diagnostics.map(({ code, severity, span }) => [code, severity, text.slice(span.start, span.end)]),
  };
}

test("statements that name what is there", () => {
  const sound = [
    `as "alice" in org "o" tags ["beta"] with managerOf("alice") = "bob", group("finance") = ["f1"]`,
    `start { amount: 5_000.50, kind: a, yes: true, card: "x", address: { city: "x", ok: false }, refund: -5, part: 60%, on1: 2026-10-01 }`,
    `send "go" { amount: 5, reviewer: "u" } by "bob"`,
    `send "go" { amount: 5 } by "bob"`,
    "start { days: null, at1: null }",
    `"bob" approves because "fine" setting { kind: b } signing with id "c-1"`,
    `"bob" approves in legal`,
    `"bob" approves in R`,
    `"bob" returns to A`,
    `"bob" returns to initiator`,
    `admin jumps to B because "x"`,
    `admin jumps to legal.CHECK because "x"`,
    "advance 3d",
    "expect B waiting for nobody",
    "expect legal.CHECK",
    "expect yes",
    "expect address.ok",
    "expect data.yes",
    "expect amount == 5_000 and days == 3 and state == B",
    "expect legal.state == OK",
    "expect outcome == VOIDED",
    `expect rendered "d"`,
    `expect round 2 in legal`,
    `expect not called whatever`,
  ];
  for (const statement of sound) assert.deepEqual(checking(statement).found, [], statement);
  assert.equal(checking(sound.join("\n")).tests[0]?.statements.length, sound.length);
});

test("what looks like a state and is data asks for data", () => {
  const [yes, ok] = checking("expect yes\n expect address.ok").tests[0]?.statements ?? [];
  const conditionOf = (statement: typeof yes) =>
    statement?.kind === "expect" && statement.expectation.kind === "condition" && statement.expectation.condition.kind;
  assert.deepEqual([conditionOf(yes), conditionOf(ok)], ["field", "member"]);
});

test("what is wrong with a test, and where", () => {
  const rows: readonly (readonly [statements: string, code: string, at: string])[] = [
    [`send "went"`, "FLOW112", `"went"`],
    [`"bob" returns to Q`, "FLOW102", "Q"],
    [`admin jumps to Q because "x"`, "FLOW102", "Q"],
    [`admin jumps to lega.OK because "x"`, "FLOW115", "lega"],
    ["expect Q", "FLOW102", "Q"],
    ["expect CHECK", "FLOW102", "CHECK"],
    ["expect legal.Q", "FLOW102", "Q"],
    ["expect lega.OK", "FLOW115", "lega"],
    [`"bob" approves in lega`, "FLOW115", "lega"],
    ["expect round 2 in lega", "FLOW115", "lega"],
    ["expect amont == 5", "FLOW101", "amont"],
    ["expect amount == kind", "FLOW120", "amount == kind"],
    ["expect days", "FLOW120", "days"],
    [`expect card == "x"`, "FLOW123", "card"],
    ["advance 3 workdays", "FLOW260", "advance 3 workdays"],
    [`expect rendered "dd"`, "FLOW106", `"dd"`],
  ];
  for (const [statements, code, at] of rows)
    assert.deepEqual(checking(statements).found, [[code, "error", at]], statements);
});

test("what does not fit is a warning, unless it is meant to be refused", () => {
  const rows = [
    ["start { amont: 5 }", "amont"],
    [`start { amount: "much" }`, "amount"],
    ["start { amount: -5 }", "amount"],
    ["start { amount: 0.001 }", "amount"],
    ["start { days: 0.5 }", "days"],
    ["start { kind: c }", "kind"],
    ["start { yes: 1 }", "yes"],
    ["start { yes: null }", "yes"],
    [`start { address: { city: "x" } }`, "address"],
    [`start { address: { city: "x", ok: true, zip: "1" } }`, "address"],
    ["start { at1: 2026-10-01 }", "at1"],
    [`send "go" { days: 3 }`, "days"],
    [`send "go" { reviewer: 5 }`, "reviewer"],
    [`"bob" approves setting { kind: c }`, "kind"],
  ] as const;
  for (const [statement, at] of rows) {
    assert.deepEqual(checking(statement).found, [["FLOW309", "warning", at]], statement);
    assert.deepEqual(checking(`${statement}\n expect refused "wrong-type"`).found, [], statement);
  }
  assert.deepEqual(checking(`send "went"\n expect refused "unknown-event"`).found, []);
});

test("what nothing in the flow has, and what comes too early, is a warning", () => {
  const rows: readonly (readonly [statements: string, at?: string])[] = [
    [`send "go"\n expect refused "not-my-task"`, `"not-my-task"`],
    [`send "go"\n expect refused "not-your-task"`],
    [`expect emitted "paid"`, `"paid"`],
    [`expect not emitted "paid"`],
    [`given isOkk = yes`, "isOkk"],
    [`as "a" with isOkk(5) = no`, "isOkk"],
    ["given pay fails 2 times\n given pay takes 3s", "pay"],
    [`given managerOf("a") = "b"\n given group("x") = ["c"]`],
    [`send "go"\n "bob" approves\n start { }\n "bob" approves`, `send "go"`],
    [`start { }\n on second: send "go"`, `on second: send "go"`],
    [`start as second { }\n send "go"\n on second: send "go"\n advance 3d`],
    [`advance 3d\n given left "eve"\n start { }\n expect B\n send "go"`],
  ];
  for (const [statements, at] of rows) {
    const expected = at === undefined ? [] : [["FLOW310", "warning", at]];
    assert.deepEqual(checking(statements).found.slice(0, 1), expected, statements);
  }
});

test("what a flow, its sub-flows and sagas ask may be given", () => {
  const text = `state machine "f" { initial: A; states: [A, R, P, C]; data { amount: money }
    people { board = users("u", "w") }
    state R { approval by legalOf(amount) and board quorum 60% weight scoreOf }
    state P { run saga "s" }
    transitions { A → R on "go" if isOk(amount) → checkBudget()\n R → P on approved → emit("paid") → tell()\n R → C on rejected
      P → C on done\n P → C on compensated }
    routes { "paid" → "ledger, audit" } }
  saga "s" { step pay(amount) undo refund() }
  test "t" of "f" { given legalOf = ["u"]; given scoreOf = 1; given isOk = yes; given checkBudget = yes; given pay fails
    given refund fails; given ledger takes 3s; given tell fails\n start { amount: 5 }\n expect emitted "paid" }`;
  const found = compile(text, "a.flow").diagnostics.filter(({ code }) => code === "FLOW310");
  assert.deepEqual(found, []);
});

/** `f` runs `sub`, which runs `deep`; each has fields, events, states and a branch of its own. */
const NESTED = `state machine "f" { initial: A; states: [A, R, C]; data { amount: money }
  state R { run flow "sub" on "go" with { pages: 3 } }
  transitions { A → R on "begin"\n R → C on done } }
state machine "sub" { initial: S; states: [S, SEAL, T, E]; data { pages: int; note: text? }
  state SEAL { approval by initiator { edit: [pages]; allow: [returnTo] } }
  state T { run flow "deep" on "dig" }
  transitions { S → SEAL on "go"\n SEAL → T on approved\n SEAL → E on rejected\n SEAL → S on returned\n T → E on done } }
state machine "deep" { initial: U; states: [U, V, W]; data { pages: text?; depth: int? }; events { "sink" { depth } }
  state V { parallel { branch hole { initial: H; states: [H, I]; transitions { H → I on "sink" } } } }
  transitions { U → V on "dig"\n V → W on joined } }`;

test("tasks and events of sub-flows, at any depth, are the instance's", () => {
  const rows: readonly (readonly [statement: string, at?: string])[] = [
    [`"kay" approves setting { pages: 12 }`],
    [`"kay" approves setting { pages: "twelve" }`],
    [`"kay" approves setting { depth: 1 }`],
    [`"kay" approves setting { depth: "x" }`, "depth"],
    [`"kay" approves setting { page: 12 }`, "page"],
    [`"kay" returns to S`],
    [`"kay" returns to H`],
    [`"kay" returns to Q`, "Q"],
    [`"kay" approves in SEAL`],
    [`"kay" approves in hole`],
    [`"kay" approves in I`],
    [`"kay" approves in holes`, "holes"],
    [`send "sink" { depth: 2 }`],
    [`send "sink" { amount: 2 }`, "amount"],
    [`send "sunk"`, `"sunk"`],
    [`start { pages: 3 }`, "pages"],
  ];
  for (const [statement, at] of rows) {
    const text = `${NESTED}\ntest "t" of "f" { ${statement} }`;
    const wrong = compile(text, "a.flow").diagnostics.map(({ span }) => text.slice(span.start, span.end));
    assert.deepEqual(wrong, at === undefined ? [] : [at], statement);
  }
});

test("of a sub-flow that is not known here nothing is said", () => {
  const unknown = NESTED.slice(0, NESTED.indexOf(`state machine "deep"`));
  for (const statement of [`"kay" approves setting { x: 1 } in Y`, `"kay" returns to Y`, `send "y" { z: 1 }`]) {
    const { diagnostics } = compile(`${unknown}\ntest "t" of "f" { ${statement} }`, "a.flow");
    assert.deepEqual(
      diagnostics.map(({ code }) => code),
      ["FLOW303"],
      statement,
    );
  }
});

test("a test of a version, and of one it migrates to", () => {
  const old = flow({
    head: `label: "1"`,
    states: "initial: A; states: [A, B, OLD, C, D]; final: [C, D]",
    lines: `${LINES}\n B → OLD on "x"\n OLD → D on "y"`,
  });
  assert.deepEqual(checking("expect OLD", `test "t" of "f" label "1"`, old).found, []);
  assert.deepEqual(checking("expect P", `test "t" of "f" label "1"`, old).found, [["FLOW102", "error", "P"]]);
  assert.deepEqual(
    checking('expect OLD\n migrate to label "1"\n expect P', `test "t" of "f" label "1"`, old).found,
    [],
  );
  assert.deepEqual(checking("expect B", `test "t" of "f" label "9"`, old).found, [["FLOW307", "warning", `"9"`]]);
  assert.deepEqual(checking("expect B", `test "t" of "g"`).found, [["FLOW110", "error", `"g"`]]);
});

test("a flow of a used file can be tested", () => {
  const { diagnostics, tests } = compile(`use "./f.flow"\ntest "t" of "f" { expect B }`, "a.flow", {
    file: () => `${FLOW}\n${SUB}`,
  });
  assert.deepEqual(diagnostics, []);
  assert.equal(tests.length, 1);
});
