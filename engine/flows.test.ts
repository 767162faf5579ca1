import assert from "node:assert/strict";
import { test } from "node:test";
import { compile, type Definition } from "../dsl/index.ts";
import { replay } from "./replay.ts";
import { tell } from "./story.ts";
import { DAY, Driver, HOUR, type World } from "./testing.ts";

/** The language's seed example, letter for letter. */
const SEED = `state machine "leave-approval" {
  initial: DRAFT
  states: [DRAFT, SUBMITTED, REVIEWING, APPROVED, REJECTED, CANCELLED]
  transitions {
    DRAFT → SUBMITTED on "submit" → validatePolicy()
    SUBMITTED → REVIEWING on "assignReviewer" → notifyReviewers()
    REVIEWING → APPROVED on "approve" if hasQuorum() → emit("onApproved")
  }
  routes {
    "submit" → "validator-service"
    "approve" → "notification-service, audit-service"
  }
}
`;

const EXPENSE = `state machine "expense" {
  data {
    amount: money
    kind: one of [travel, other]
    note: text?
    items: list { name: text, price: money } = []
    tries: int = 0
  }
  events {
    "submit" { amount, kind, note, items }
  }
  people {
    manager = managerOf(initiator)
    board = users("u1", "u2", "u3")
  }
  initial: DRAFT
  states: [DRAFT, MANAGER, BOARD, PAYING, DONE, REJECTED, CANCELLED]
  final: [DONE, REJECTED, CANCELLED]
  state MANAGER {
    approval by manager {
      due: 2d
      remind: every 12h at most 2
      overdue: [escalate to managerOf(assignee) after 0h, reject after 1d]
      allow: [transfer, returnTo, withdraw]
      reason: required on [reject, returnTo]
    }
  }
  state BOARD {
    approval by board quorum 2/3 then group("audit") all {
      allow: [abstain, returnTo]
      onEmpty: skip
    }
  }
  transitions {
    DRAFT → MANAGER on "submit" by initiator if amount > 0 → set(tries = tries + 1) → checkBudget(amount)
    MANAGER → BOARD on approved if amount >= 5_000
    MANAGER → PAYING on approved else
    MANAGER, BOARD → REJECTED on rejected → notify(initiator)
    MANAGER, BOARD → DRAFT on returned
    BOARD → PAYING on approved
    PAYING → DONE on "paid" → render("voucher") → emit("onPaid")
    PAYING → REJECTED after 14d
    any → CANCELLED on "cancel" by initiator
  }
  routes {
    "submit" → "budget-service"
  }
}
document "voucher" {
  template: "voucher"
  total = rmbUpper(amount)
  items = items
}
`;

function load(text: string): Definition {
  const { definitions, diagnostics } = compile(text, "test.flow");
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === "error").map(({ message }) => message),
    [],
  );
  return definitions[0]!;
}

function started(text: string, world: World = {}): Driver {
  const driver = new Driver(load(text), world);
  driver.start();
  return driver;
}

test("the seed: submit asks the policy and moves only if it says yes; approve needs the quorum", () => {
  const driver = started(SEED, { "check:validatePolicy": { ok: false, reason: "too long" } });
  driver.event("submit", "alice");
  assert.equal(driver.code, "check-failed");
  assert.equal(driver.instance?.state, "DRAFT");
  driver.world = { "guard:hasQuorum": { ok: false } };
  driver.event("submit", "alice");
  assert.equal(driver.instance?.state, "SUBMITTED");
  driver.event("approve", "alice");
  assert.equal(driver.code, "not-possible-in-state");
  driver.event("assignReviewer", "alice");
  assert.deepEqual(
    driver.effects.flatMap((effect) => (effect.kind === "call" ? [effect.function] : [])),
    ["notifyReviewers"],
  );
  driver.event("approve", "alice");
  assert.equal(driver.code, "condition-failed");
  assert.match(driver.last?.kind === "refused" ? driver.last.message : "", /`hasQuorum\(\)`/);
  driver.world = { "guard:hasQuorum": { ok: true } };
  driver.event("approve", "alice");
  assert.equal(driver.instance?.outcome, "APPROVED");
  assert.deepEqual(driver.emitted.slice(-3), ["instance.moved", "instance.finished", "onApproved"]);
  const delivered = driver.effects.flatMap((effect) =>
    effect.kind === "deliver" ? [[effect.event, effect.target]] : [],
  );
  assert.deepEqual(delivered, [
    ["submit", { kind: "service", name: "validator-service" }],
    ["approve", { kind: "service", name: "notification-service" }],
    ["approve", { kind: "service", name: "audit-service" }],
  ]);
  assert.deepEqual(replay(driver.definition, driver.history), driver.instance);
});

const PEOPLE: World = {
  'people:managerOf(["alice"])': { people: ["bob"] },
  'people:managerOf(["bob"])': { people: ["carol"] },
  "people:group": { people: ["x", "y"] },
};

test("a small expense goes from the manager to payment and its voucher", () => {
  const driver = started(EXPENSE, PEOPLE);
  driver.event("submit", "alice", { amount: "128.50", kind: "travel", items: [{ name: "train", price: "128.50" }] });
  assert.deepEqual(driver.waiting, ["bob"]);
  assert.equal(driver.instance?.data["tries"], 1);
  driver.decides("bob", "reject");
  assert.equal(driver.code, "reason-required");
  driver.decides("bob", "approve");
  assert.equal(driver.instance?.state, "PAYING");
  driver.event("paid");
  const render = driver.effects.find((effect) => effect.kind === "render");
  assert.deepEqual(render?.data, { total: "壹佰贰拾捌元伍角整", items: [{ name: "train", price: "128.50" }] });
  assert.equal(driver.instance?.outcome, "DONE");
  assert.deepEqual(replay(driver.definition, driver.history), driver.instance);
});

test("a large expense needs two of three and then the audit; a return begins again", () => {
  const driver = started(EXPENSE, PEOPLE);
  const data = { amount: 5000, kind: "other" };
  driver.event("submit", "alice", data);
  driver.decides("bob", "approve");
  assert.deepEqual(driver.waiting, ["u1", "u2", "u3"]);
  driver.send({ kind: "return", actor: "u1", to: { kind: "state", state: "MANAGER" } });
  assert.deepEqual(driver.waiting, ["bob"]);
  driver.send({ kind: "return", actor: "bob", to: { kind: "initiator" }, reason: "which project?" });
  assert.equal(driver.instance?.state, "DRAFT");
  driver.event("submit", "alice", { note: "project 7" });
  assert.equal(driver.instance?.data["tries"], 2);
  driver.decides("bob", "approve");
  driver.decides("u3", "approve");
  driver.decides("u1", "approve");
  assert.deepEqual(driver.waiting, ["x", "y"]);
  driver.decides("x", "approve");
  driver.decides("y", "abstain");
  assert.equal(driver.instance?.state, "PAYING");
  driver.advance(14 * DAY);
  assert.equal(driver.instance?.outcome, "REJECTED");
});

test("time: reminders, escalation, and a rejection by the system", () => {
  const driver = started(EXPENSE, PEOPLE);
  driver.event("submit", "alice", { amount: 10, kind: "other" });
  driver.advance(36 * HOUR);
  assert.equal(driver.story.filter(({ kind }) => kind === "reminded").length, 2);
  driver.advance(12 * HOUR);
  assert.deepEqual(driver.waiting, ["carol"]);
  driver.advance(DAY);
  assert.equal(driver.instance?.outcome, "REJECTED");
  assert.match(
    driver.story.map((line) => tell(line)).join("\n"),
    /escalated the task of bob to carol[\s\S]*system rejected/,
  );
});

const refused: readonly [event: string, actor: string, payload: Record<string, unknown>, code: string][] = [
  ["submit", "mallory", { amount: 1, kind: "other" }, "not-authorized"],
  ["submit", "alice", { kind: "other" }, "missing-field"],
  ["submit", "alice", { amount: 0, kind: "other" }, "condition-failed"],
  ["submit", "alice", { amount: 1, kind: "party" }, "wrong-type"],
  ["submit", "alice", { amount: 1, kind: "other", tries: 9 }, "unknown-field"],
  ["paid", "alice", {}, "not-possible-in-state"],
  ["cancel", "bob", {}, "not-authorized"],
];
for (const [event, actor, payload, code] of refused) {
  test(`${event} by ${actor} with ${JSON.stringify(payload)} is refused with ${code}`, () => {
    const driver = started(EXPENSE, PEOPLE);
    driver.event(event, actor, payload);
    assert.equal(driver.code, code);
  });
}
