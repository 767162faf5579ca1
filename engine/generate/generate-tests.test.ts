import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compile } from "../../dsl/index.ts";
import { Coverage } from "../coverage/coverage.ts";
import { runTest } from "../simulator.ts";
import { generateTests } from "./generate-tests.ts";

const MATRIX = `
matrix signers(amount: money, kind: Kind) {
  amount        kind   → who
  [0, 100)      any    → boss
  [100, ..)     a      → boss then finance quorum 2/3
  [100, ..)     b      → auto approve if items is set and count(items) > 0 else reject
}`;
const FLOWS: Readonly<Record<string, string>> = {
  "matrices, conditions, timers and guards": `${MATRIX}
state machine "f" {
  label: "1.2"
  data { amount: money; limit: money; kind: Kind = one of [a, b]; items: list { price: money }?; from: date; who: user }
  events { "go" { amount, limit, kind, from, who }
    "assign" { to: user; note: text? } }
  people { boss = managerOf(initiator); finance = group("finance") }
  initial: NEW
  states: [NEW, S, OPEN, X, Y]
  final: [X, Y]
  state S { approval by signers(amount, kind) { allow: [returnTo, withdraw]; reason: required on [reject]; sign: required } }
  transitions {
    NEW → S on "go" if amount <= limit and from >= 2026-02-01
    NEW → Y on "go" else
    S → OPEN on approved
    S → Y on rejected
    S → NEW on returned
    OPEN → X on "assign" by finance if event.note is set and event.note == "ok" and isFree(who) → emit("onDone")
    OPEN → Y after 3d
  }
}`,
  "branches, sub-flows and sagas": `
saga "pay" { step reserve(amount) undo release(amount); step book() undo unbook() }
state machine "f" {
  data { amount: money }
  events { "go" { amount } }
  initial: NEW
  states: [NEW, P, PAY, RUN, X, Y]
  final: [X, Y]
  state P { parallel {
    branch legal { initial: A; states: [A, OK]; state A { approval by group("legal") all }; transitions { A → OK on approved
      A → Y on rejected } }
    branch big if amount > 1_000 { initial: W; states: [W, OK]; state W { handle by role("treasurer") { allow: [claim] } }; transitions { W → OK on done } }
    join all
  } }
  state PAY { run saga "pay" }
  state RUN { run flow "seal" on "seal" with { copies: 2 } }
  transitions {
    NEW → P on "go"
    P → PAY on joined
    PAY → RUN on done
    PAY → Y on compensated
    RUN → X on done if outcome == SEALED
    RUN → Y on done else
  }
}
state machine "seal" {
  data { copies: int }
  initial: ASKED
  states: [ASKED, WAIT, SEALED, REFUSED]
  final: [SEALED, REFUSED]
  state WAIT { approval by users("kim") }
  transitions { ASKED → WAIT on "seal"
    WAIT → SEALED on approved
    WAIT → REFUSED on rejected }
}`,
};

function generated(flow: string, before = "") {
  const text = flow + before;
  const { definitions, tests, diagnostics } = compile(text, "f.flow");
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  assert.equal(errors.length, 0, errors.map(({ message }) => message).join("\n"));
  const coverage = new Coverage();
  for (const test of tests) runTest(test, definitions, text, coverage);
  const names = tests.map(({ name }) => name);
  return generateTests(definitions.find((one) => one.flow === "f")!, coverage, definitions, names);
}

describe("generateTests", () => {
  for (const [about, flow] of Object.entries(FLOWS)) {
    it(`covers ${about} with tests that pass as they are written`, () => {
      const text = `${flow}\n${generated(flow).join("\n")}`;
      const { definitions, tests, diagnostics } = compile(text, "f.flow");
      assert.deepEqual(
        diagnostics.filter(({ severity }) => severity === "error").map(({ message }) => message),
        [],
      );
      const coverage = new Coverage();
      for (const test of tests) {
        const result = runTest(test, definitions, text, coverage);
        assert.ok(result.ok, result.message ?? "");
        assert.ok(test.statements.some(({ kind }) => kind === "expect"));
      }
      const missing = coverage.of(definitions.find((one) => one.flow === "f")!).filter(({ hits }) => hits === 0);
      assert.deepEqual(
        missing.map(({ item }) => item.text),
        [],
      );
    });
  }

  it("writes nothing for what tests come by already", () => {
    const [, flow] = Object.values(FLOWS);
    const all = generated(flow!);
    assert.deepEqual(generated(flow!, `\n${all.join("\n")}`), []);
    const rest = generated(flow!, `\n${all.slice(1).join("\n")}`);
    assert.ok(rest.length >= 1 && rest.length < all.length);
  });

  it("finds the same tests each time", () => {
    const [, flow] = Object.values(FLOWS);
    assert.deepEqual(generated(flow!), generated(flow!));
  });
});
