import assert from "node:assert/strict";
import { test } from "node:test";
import { compile } from "../dsl/index.ts";
import { runTest } from "./simulator.ts";

/** Sagas in a branch, and in a sub-flow, which has a secret of its own. */
const FLOW = `
state machine "order" {
  data { amount: money }
  events { "submit" { amount }; "cancel" {}; "next" {}; "drop" {} }
  initial: DRAFT
  states: [DRAFT, REVIEW, JOINT, HANDING, CHECK, DONE, OFF]
  final: [DONE, OFF]
  state REVIEW { approval by users("bob") { allow: [withdraw] } }
  state JOINT { parallel {
    branch goods {
      initial: BUY
      states: [BUY, LOOK, BOUGHT]
      state BUY { run saga "buy" }
      state LOOK { approval by users("lea") { allow: [returnTo] } }
      transitions {
        BUY → LOOK on done; BUY → BOUGHT on compensated
        LOOK → BOUGHT on approved; LOOK → BOUGHT on rejected; LOOK → DRAFT on returned
        LOOK → OFF on "drop"
      }
    }
    branch money {
      initial: PAY
      states: [PAY, PAID]
      state PAY { approval by users("max") }
      transitions { PAY → PAID on approved; PAY → PAID on rejected }
    }
    join JOIN
  } }
  state HANDING { run flow "hand" on "go" with { card: "6222" } }
  state CHECK { approval by users("carol") { allow: [returnTo, withdraw] } }
  transitions {
    DRAFT → REVIEW on "submit"
    REVIEW → JOINT on approved
    REVIEW, CHECK → OFF on rejected
    CHECK → DRAFT on returned
    JOINT → HANDING on joined
    HANDING → CHECK on done
    JOINT, HANDING → OFF on "cancel"
    CHECK → DONE on approved
  }
}
state machine "hand" {
  data { card: text secret }
  initial: NEW
  states: [NEW, OPEN, WAIT, MORE, END]
  state OPEN { run saga "give" }
  state WAIT { handle by users("sam") }
  state MORE { run saga "tell" }
  transitions {
    NEW → OPEN on "go"
    OPEN → WAIT on done; OPEN → END on compensated
    WAIT → MORE on done
    MORE → END on done; MORE → END on compensated
  }
}
saga "buy" { step order(amount) undo unorder(amount) }
saga "give" { step give(card) undo ungive(card) }
saga "tell" { step tell() undo untell() }
`;

const START = `as "alice"
  start { amount: 100 }
  send "submit"`;

const rows: readonly [sentence: string, join: string, statements: string][] = [
  [
    "a line out of a branch cancels the branches: what runs is undone, what has finished is kept",
    "all",
    `"bob" approves
    expect goods.LOOK; expect called order(100)
    send "drop"
    expect OFF; expect not called unorder; expect nothing open`,
  ],
  [
    "an event that leaves a parallel state undoes the sagas that run in it",
    "all",
    `given order takes 1m
    "bob" approves
    send "cancel"
    expect OFF; expect not called unorder
    advance 1m
    expect OFF; expect undone unorder; expect nothing open`,
  ],
  [
    "a return out of a branch undoes what was done in the state around it, then enters the target",
    "all",
    `"bob" approves
    given unorder takes 1m
    "lea" returns to initiator
    expect JOINT waiting for nobody
    "max" approves
    expect refused "task-closed"
    send "cancel"
    expect refused "not-possible-in-state"
    advance 1m
    expect DRAFT; expect undone unorder; expect history containing "Moved from LOOK to DRAFT"`,
  ],
  [
    "the rest of a join is cancelled and undone, and a return later goes over what had finished",
    "any",
    `"bob" approves
    "max" approves
    expect HANDING; expect not called unorder
    "sam" handles
    expect CHECK
    "carol" returns to initiator
    expect DRAFT
    expect undone untell; expect undone ungive; expect undone unorder
    expect called ungive("6222") 1 times`,
  ],
  [
    "a cancelled sub-flow undoes everything that it did",
    "any",
    `"bob" approves
    "max" approves
    expect HANDING; expect called give("6222")
    send "cancel"
    expect OFF; expect undone ungive; expect called ungive("6222"); expect nothing open`,
  ],
  [
    "a cancelled sub-flow undoes its running saga after the step in flight, then what had finished",
    "any",
    `"bob" approves
    given tell takes 1m
    "max" approves
    "sam" handles
    send "cancel"
    expect OFF; expect not called ungive
    advance 1m
    expect undone untell; expect undone ungive; expect nothing open`,
  ],
  [
    "a void undoes all of it",
    "any",
    `"bob" approves
    "max" approves
    "sam" handles
    admin voids because "fraud"
    expect CHECK
    expect undone untell; expect undone ungive; expect undone unorder; expect nothing open`,
  ],
  [
    "a withdrawal undoes all of it before it enters its target",
    "any",
    `"bob" approves
    "max" approves
    "sam" handles
    given unorder takes 1m
    "alice" withdraws
    expect CHECK; expect undone ungive
    advance 1m
    expect DRAFT; expect undone unorder`,
  ],
];

for (const [sentence, join, statements] of rows) {
  test(sentence, () => {
    const text = `${FLOW.replace("join JOIN", `join ${join}`)}\ntest "t" of "order" {\n${START}\n${statements}\n}`;
    const { tests, definitions, diagnostics } = compile(text, "t.flow");
    assert.deepEqual(
      diagnostics.filter(({ severity }) => severity === "error").map(({ message }) => message),
      [],
    );
    const { ok, message } = runTest(tests[0]!, definitions);
    assert.equal(ok ? undefined : message, undefined);
  });
}
