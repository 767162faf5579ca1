import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compile } from "../../dsl/index.ts";
import { runTest } from "../simulator.ts";
import { Coverage } from "./coverage.ts";
import type { CoverageKind } from "./coverage-items.ts";

const FLOW = `
matrix signers(amount: money, urgent: bool) {
  amount        urgent → who
  [0, 100)      any    → users("ann")
  [100, 1_000)  true   → users("ann")
  [100, 1_000)  false  → users("ann") then users("ben")
  [1_000, ..)   any    → users("ben")
}
state machine "order" {
  data { amount: money; urgent: bool; days: int? }
  events { "send" { amount, urgent, days } }
  initial: NEW
  states: [NEW, SIGN, CHECK, DONE, NO]
  final: [DONE, NO]
  state SIGN { approval by signers(amount, urgent) }
  state CHECK { parallel {
    branch legal { initial: READ; states: [READ, OK]; state READ { approval by users("leo") }
      transitions { READ → OK on approved
        READ → NO on rejected } }
    branch big if amount > 500 { initial: WAIT; states: [WAIT, OK]; transitions { WAIT → OK after 1d } }
    join all
  } }
  transitions {
    NEW → SIGN on "send" if days is set and days >= 3 or urgent
    NEW → NO on "send" else
    SIGN → CHECK on approved
    SIGN → NO on rejected
    CHECK → DONE on joined if amount <= 500
    CHECK → DONE on joined if amount > 500
  }
}
state machine "outer" {
  initial: A
  states: [A, RUN, B]
  state RUN { run flow "inner" on "go" }
  transitions {
    A → RUN on "start"
    RUN → B on done if outcome == YES
    RUN → B on done else
  }
}
state machine "inner" {
  initial: X
  states: [X, YES, NO]
  transitions {
    X → YES on "go" by initiator
    X → NO on "stop"
  }
}
`;

/** Texts of what the tests hit, in one flow. */
function hits(tests: string, kind: CoverageKind, flow = "order"): string[] {
  const text = FLOW + tests;
  const compiled = compile(text, "order.flow");
  const errors = compiled.diagnostics.filter(({ severity }) => severity === "error");
  assert.equal(errors.length, 0, errors.map(({ message }) => message).join("\n"));
  const coverage = new Coverage();
  for (const block of compiled.tests) {
    const result = runTest(block, compiled.definitions, text, coverage);
    assert.ok(result.ok, result.message ?? "");
  }
  const definition = compiled.definitions.find((one) => one.flow === flow)!;
  return coverage
    .of(definition)
    .filter(({ item, hits: times }) => item.kind === kind && times > 0)
    .map(({ item }) => item.text);
}

const sent = (fields: string, then = ""): string => `
test "t" of "order" {
  start { ${fields} }
  send "send"
  ${then}
}
`;

describe("coverage", () => {
  it("counts states, also of branches, and lines by the state they are taken from", () => {
    const test = sent(
      "amount: 500.01, urgent: true",
      `"ann" approves; "leo" approves; expect big.WAIT; advance 1d; expect DONE`,
    );
    assert.deepEqual(hits(test, "states"), [
      "state NEW",
      "state SIGN",
      "state CHECK",
      "state DONE",
      "state legal.READ",
      "state legal.OK",
      "state big.WAIT",
      "state big.OK",
    ]);
    assert.deepEqual(hits(test, "transitions"), [
      'NEW → SIGN on "send" if days is set and days >= 3 or urgent',
      "SIGN → CHECK on approved",
      "CHECK → DONE on joined if amount > 500",
      "legal.READ → legal.OK on approved",
      "big.WAIT → big.OK after 1d",
    ]);
  });

  it("sees a line that leads out of a branch", () => {
    const test = sent("amount: 1, urgent: true", `"ann" approves; "leo" rejects; expect NO`);
    assert.ok(hits(test, "transitions").includes("legal.READ → NO on rejected"));
    assert.ok(hits(test, "states").includes("state NO"));
  });

  it("counts what the engine looks at, no more", () => {
    // `urgent` decides where `days` does not, and is not asked where it does.
    assert.deepEqual(hits(sent("amount: 1, urgent: false, days: 3"), "conditions"), [
      "`days is set and days >= 3 or urgent` true",
      "`days is set` true",
      "`days >= 3` true",
    ]);
    assert.deepEqual(hits(sent("amount: 1, urgent: false"), "conditions"), [
      "`days is set and days >= 3 or urgent` false",
      "`days is set` false",
      "`urgent` false",
    ]);
  });

  it("sees that the lines below the one that is taken don't hold", () => {
    const test = sent("amount: 500, urgent: true", `"ann" approves; "leo" approves; expect DONE`);
    const conditions = hits(test, "conditions");
    assert.ok(conditions.includes("`amount <= 500` true"));
    assert.ok(conditions.includes("`amount > 500` false"));
  });

  it("counts the row that a matrix is found in", () => {
    assert.deepEqual(hits(sent("amount: 200, urgent: true"), "rows"), ["row 2 of signers"]);
    assert.deepEqual(hits(sent("amount: 5_000, urgent: true"), "rows"), ["row 4 of signers"]);
  });

  it("counts both sides of a bound, by the smallest step of the type", () => {
    assert.deepEqual(hits(sent("amount: 99.99, urgent: true"), "boundaries"), [
      "amount = 99.99 at row 1 of signers",
      "amount = 99.99 at row 2 of signers",
    ]);
    // Row 3 is for what is not urgent: its bound decides nothing here.
    assert.deepEqual(hits(sent("amount: 100, urgent: true"), "boundaries"), [
      "amount = 100 at row 1 of signers",
      "amount = 100 at row 2 of signers",
    ]);
    assert.deepEqual(hits(sent("amount: 50, urgent: false, days: 2", "expect NO"), "boundaries"), ["days = 2"]);
    assert.deepEqual(hits(sent("amount: 50, urgent: false, days: 5"), "boundaries"), []);
  });

  it("follows a story into sub-flows", () => {
    const test = `test "s" of "outer" { start { }
      send "start"
      expect B }`;
    assert.deepEqual(hits(test, "transitions", "inner"), ['X → YES on "go"']);
    assert.deepEqual(hits(test, "states", "inner"), ["state X", "state YES"]);
    assert.deepEqual(hits(test, "conditions", "outer"), ["`outcome == YES` true"]);
  });

  it("changes no result of a test", () => {
    const text = FLOW + sent("amount: 1, urgent: true", "expect NO");
    const { tests, definitions } = compile(text, "order.flow");
    const alone = runTest(tests[0]!, definitions, text);
    assert.equal(alone.ok, false);
    assert.deepEqual(runTest(tests[0]!, definitions, text, new Coverage()), alone);
  });
});
