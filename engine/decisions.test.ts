import assert from "node:assert/strict";
import { test } from "node:test";
import type { Approval } from "../dsl/index.ts";
import { tell } from "./story.ts";
import {
  approval,
  DAY,
  Driver,
  dataField,
  definition,
  dueIn,
  line,
  natural,
  on,
  outcome,
  quorum,
  simple,
  stage,
  users,
} from "./testing.ts";

function submitted(review: Approval): Driver {
  const driver = new Driver(simple(review));
  driver.start({ event: "submit" });
  return driver;
}

const open = (...more: Parameters<typeof approval>): Driver => submitted(approval(...more));
const two = [stage(users("a", "b"), "all")] as const;

// ---------------------------------------------------------------------------------------------------------------- //
// Whose task, and the order of refusals
// ---------------------------------------------------------------------------------------------------------------- //

test("whose task it is: open, superseded, closed, another's, waiting, nobody's", () => {
  const driver = open([stage(users("a", "b", "c"), "sequence")]);
  const decide = (actor: string | undefined, task?: string): string => {
    driver.send({ kind: "decide", decision: "reject", ...(actor && { actor }), ...(task && { task }) });
    return driver.code;
  };
  assert.equal(decide("b"), "not-your-task", "only waits");
  assert.equal(decide("x"), "not-your-task");
  assert.equal(decide(undefined), "not-your-task");
  assert.equal(decide("x", "i-1"), "not-your-task", "another's open task");
  assert.equal(decide("a", "i-9"), "not-your-task", "no such task");
  assert.equal(decide("a", "other-1"), "not-your-task", "another instance's");
  driver.decides("a", "approve");
  assert.equal(decide("a"), "task-closed");
  assert.equal(decide("a", "i-1"), "task-closed");
  assert.equal(decide("b", "i-1"), "not-your-task", "another's closed task");
  assert.equal(decide("b", "i-2"), "accepted");
  assert.equal(driver.instance?.state, "REJECTED");
  assert.equal(decide("c"), "not-your-task", "the seat was superseded before it had a task");
});

test("an older task of one's own is closed, though a newer one is open", () => {
  const driver = open([stage(users("a"))], { allow: ["returnTo"] });
  driver.send({ kind: "return", actor: "a", to: { kind: "initiator" } });
  driver.event("submit", "alice");
  driver.send({ kind: "decide", actor: "a", decision: "approve", task: "i-1" });
  assert.equal(driver.code, "task-closed");
  driver.send({ kind: "decide", actor: "a", decision: "approve", task: "i-2" });
  assert.equal(driver.code, "accepted");
});

test("refusals come in their order", () => {
  const chosen = { kind: "chosen", field: "next" } as const;
  const reasonRequiredOn = ["approve", "abstain", "returnTo", "transfer"] as const;
  const driver = new Driver(
    simple(approval([stage(users("a")), stage(chosen)], { reasonRequiredOn }), {
      fields: [
        dataField("next", { kind: "user" }, { optional: true }),
        dataField("other", { kind: "int" }, { optional: true }),
      ],
    }),
  );
  driver.start({ event: "submit" });
  const send = (actor: string, more: object): string => {
    driver.send({ kind: "decide", decision: "approve", actor, ...more });
    return driver.code;
  };
  assert.equal(send("x", { decision: "abstain" }), "not-your-task");
  assert.equal(send("a", { decision: "abstain" }), "not-allowed");
  assert.equal(send("a", { payload: { other: 1 } }), "not-allowed");
  assert.equal(send("a", { choose: { nonsense: 1 } }), "reason-required");
  assert.equal(send("a", { reason: "  " }), "reason-required");
  assert.equal(send("a", { reason: "r", choose: { nonsense: 1 } }), "unknown-field");
  assert.equal(send("a", { reason: "r", choose: { next: 1 } }), "wrong-type");
  assert.equal(send("a", { reason: "r" }), "choice-required");
  assert.equal(driver.instance?.data["next"], undefined);
  assert.equal(send("a", { reason: "r", choose: { next: "n" } }), "accepted");
  assert.deepEqual(driver.waiting, ["n"]);
  assert.equal(driver.instance?.data["next"], "n");
});

test("a missing pick refuses the submit that would enter the stage", () => {
  const next = dataField("next", { kind: "list", of: { kind: "user" } }, { optional: true });
  const driver = new Driver(
    simple(approval([stage({ kind: "chosen", field: "next" }, "all")]), {
      fields: [next],
      events: { submit: ["next"] },
    }),
  );
  driver.start();
  driver.event("submit", "alice", { next: [] });
  assert.equal(driver.code, "choice-required");
  driver.event("submit", "alice", { next: ["p", "q"] });
  assert.deepEqual(driver.waiting, ["p", "q"]);
});

test("picks for the state that approval leads to are made with the approval", () => {
  const driver = new Driver(
    definition({
      states: {
        A: approval([stage(users("a"))]),
        B: approval([stage({ kind: "chosen", field: "next" })]),
        OK: "final",
        NO: "final",
      },
      fields: [dataField("next", { kind: "user" }, { optional: true })],
      transitions: [
        line("A", "B", outcome("approved")),
        line("B", "OK", outcome("approved")),
        line(["A", "B"], "NO", outcome("rejected")),
      ],
    }),
  );
  driver.start();
  driver.decides("a", "approve");
  assert.equal(driver.code, "choice-required");
  driver.decides("a", "approve", { choose: { next: "z" } });
  assert.deepEqual(driver.waiting, ["z"]);
});

test("an approval whose line has a condition that fails is refused, and the task stays open", () => {
  const condition = { kind: "literal", type: { kind: "bool" }, value: false } as const;
  const driver = new Driver(
    simple(approval([stage(users("a"))]), {
      transitions: [
        line("DRAFT", "REVIEW", on("submit")),
        line("REVIEW", "APPROVED", outcome("approved"), { condition }),
      ],
    }),
  );
  driver.start({ event: "submit" });
  driver.decides("a", "approve");
  assert.equal(driver.code, "condition-failed");
  assert.deepEqual(driver.waiting, ["a"]);
  driver.decides("a", "reject");
  assert.equal(driver.code, "not-possible-in-state");
});

// ---------------------------------------------------------------------------------------------------------------- //
// Transfer
// ---------------------------------------------------------------------------------------------------------------- //

const transfer = (driver: Driver, actor: string, to: string, reason?: string): string => {
  driver.send({ kind: "transfer", actor, to, ...(reason !== undefined && { reason }) });
  return driver.code;
};

test("a transfer moves the seat and keeps its deadline", () => {
  const driver = open(two, { allow: ["transfer"], due: dueIn(DAY) });
  driver.at += 1000;
  assert.equal(transfer(driver, "a", "x", "holiday"), "accepted");
  assert.deepEqual(driver.waiting, ["x", "b"]);
  assert.equal(driver.task("a"), "transferred");
  const [seat] = driver.instance!.round!.seats;
  assert.equal(seat?.task?.dueAt, driver.instance!.startedAt + DAY);
  assert.equal(seat?.task?.openedAt, driver.at);
  assert.equal(driver.instance?.timers.length, 2);
  assert.equal(driver.instance?.touched, 0, "a transfer is no decision");
  driver.decides("a", "approve");
  assert.equal(driver.code, "task-closed");
  assert.match(driver.story.map((one) => tell(one)).join(), /transferred from a to x because "holiday"/);
});

test("there and back again changes nothing but the history", () => {
  const driver = open(two, { allow: ["transfer"] });
  transfer(driver, "a", "x");
  transfer(driver, "x", "a");
  assert.deepEqual(driver.waiting, ["a", "b"]);
  driver.decides("a", "approve");
  driver.decides("b", "approve");
  assert.equal(driver.instance?.state, "APPROVED");
});

test("a transfer is refused when not allowed, without a reason where one is required, to oneself, to nobody", () => {
  assert.equal(transfer(open(two), "a", "x"), "not-allowed");
  const driver = open(two, { allow: ["transfer"], reasonRequiredOn: ["transfer"] });
  assert.equal(transfer(driver, "c", "x"), "not-your-task");
  assert.equal(transfer(driver, "a", "x"), "reason-required");
  driver.world = { 'people:user(["x"])': { people: [] } };
  assert.equal(transfer(driver, "a", "x", "r"), "unknown-user");
  assert.equal(transfer(driver, "a", "a", "r"), "same-person");
  driver.world = { "people:user": undefined };
  assert.equal(transfer(driver, "a", "b", "r"), "needs");
});

test("a transfer to one who sits makes one seat of two", () => {
  const all = open([stage(users("a", "b", "c"), "all")], { allow: ["transfer"] });
  transfer(all, "a", "b");
  assert.deepEqual(all.waiting, ["b", "c"]);
  all.decides("b", "approve");
  all.decides("c", "approve");
  assert.equal(all.instance?.state, "APPROVED");
});

test("what one who sits has decided stands for the seat that comes to him, and may end the round", () => {
  const driver = open(two, { allow: ["transfer"] });
  driver.decides("b", "approve");
  transfer(driver, "a", "b");
  assert.equal(driver.instance?.state, "APPROVED");
});

test("in a sequence the earlier place is kept", () => {
  const driver = open([stage(users("a", "b", "c"), "sequence")], { allow: ["transfer"] });
  transfer(driver, "a", "c");
  assert.deepEqual(driver.waiting, ["c"]);
  driver.decides("c", "approve");
  assert.deepEqual(driver.waiting, ["b"]);
  transfer(driver, "b", "c");
  assert.equal(driver.instance?.state, "APPROVED", "c has approved already");
});

test("a fixed number of approvals is not made unreachable", () => {
  const driver = open([stage(users("a", "b", "c"), quorum(2))], { allow: ["transfer"] });
  driver.decides("a", "reject");
  assert.equal(transfer(driver, "b", "c"), "below-threshold");
  assert.equal(transfer(driver, "b", "x"), "accepted");
  driver.decides("x", "approve");
  driver.decides("c", "approve");
  assert.equal(driver.instance?.state, "APPROVED");
});

// ---------------------------------------------------------------------------------------------------------------- //
// Return
// ---------------------------------------------------------------------------------------------------------------- //

const emit = { kind: "emit", event: "e" } as const;
const render = { kind: "render", document: "d" } as const;

/** DRAFT → A → B → C, with a way around B. */
function chain(bToC: readonly (typeof emit | typeof render)[] = [emit]): Driver {
  const review = approval([stage(users("u"))], { allow: ["returnTo", "withdraw"] });
  const driver = new Driver(
    definition({
      states: { DRAFT: "plain", A: review, B: review, C: review, OK: "final", NO: "final" },
      transitions: [
        line("DRAFT", "A", on("submit"), { actions: [render] }),
        line("A", "B", outcome("approved")),
        line("A", "C", on("jump")),
        line("C", "A", on("again")),
        line("B", "C", outcome("approved"), { actions: bToC }),
        line("C", "OK", outcome("approved")),
        line(["A", "B", "C"], "NO", outcome("rejected")),
        line(["A", "B", "C"], "DRAFT", outcome("returned")),
      ],
      more: { documents: { d: { name: "d", template: "d", fields: [] } } },
    }),
  );
  driver.start({ event: "submit" });
  return driver;
}

const back = (driver: Driver, to: string | number | undefined): string => {
  const target =
    to === undefined
      ? ({ kind: "initiator" } as const)
      : typeof to === "string"
        ? ({ kind: "state", state: to } as const)
        : ({ kind: "stage", stage: to } as const);
  driver.send({ kind: "return", actor: "u", to: target });
  return driver.code;
};

test("a return goes to a state that was passed, opens a new round there, and cuts the way", () => {
  const driver = chain();
  driver.decides("u", "approve");
  driver.decides("u", "approve");
  assert.equal(driver.instance?.state, "C");
  assert.equal(back(driver, "A"), "accepted");
  assert.equal(driver.instance?.state, "A");
  assert.deepEqual(driver.instance?.path, ["DRAFT", "A"]);
  assert.equal(driver.instance?.round?.number, 2);
  assert.equal(back(driver, "B"), "no-such-target", "not passed since");
});

test("what was not passed, lies ahead, is the state itself or is no state can't be returned to", () => {
  const driver = chain();
  for (const target of ["A", "B", "C", "OK", "nonsense"]) assert.equal(back(driver, target), "no-such-target", target);
  assert.equal(back(driver, "DRAFT"), "effects-delivered", "the document was begun after DRAFT was left");
});

test("a state that was once walked around does not dominate", () => {
  const driver = chain();
  driver.event("jump"); // DRAFT A C
  driver.event("again"); // … A
  driver.decides("u", "approve"); // … B
  driver.decides("u", "approve"); // … C
  assert.equal(back(driver, "B"), "no-such-target");
  assert.equal(back(driver, "A"), "accepted");
});

test("effects that can't be undone stand in the way of going behind them", () => {
  const driver = chain([render]);
  driver.decides("u", "approve");
  assert.equal(back(driver, "A"), "accepted", "the actions of the line into the target belong to before");
  driver.decides("u", "approve");
  driver.decides("u", "approve");
  assert.equal(back(driver, "A"), "effects-delivered");
  assert.equal(back(driver, "B"), "effects-delivered");
  assert.equal(back(driver, undefined), "effects-delivered");
  assert.deepEqual(driver.instance?.state, "C");
});

test("a return to the initiator takes the line, ends the open tasks and needs permission and reason", () => {
  const allowed = open(two, { allow: ["returnTo"], reasonRequiredOn: ["returnTo"] });
  const send = (driver: Driver, reason?: string): string => {
    driver.send({ kind: "return", actor: "a", to: { kind: "initiator" }, ...(reason && { reason }) });
    return driver.code;
  };
  assert.equal(send(open(two)), "not-allowed");
  assert.equal(send(allowed), "reason-required");
  assert.equal(send(allowed, "wrong amount"), "accepted");
  assert.equal(allowed.instance?.state, "DRAFT");
  assert.equal(allowed.task("a"), "returned");
  assert.equal(allowed.task("b"), "cancelled");
  allowed.event("submit", "alice");
  assert.deepEqual(allowed.waiting, ["a", "b"]);
  assert.equal(allowed.instance?.round?.number, 2);
});

test("a return to a stage stays in the state: a new round from there, and `after` runs on", () => {
  const stages = [stage(users("u")), stage(users("v")), stage(users("u"))];
  const driver = new Driver(
    simple(approval(stages, { allow: ["returnTo"] }), {
      transitions: [
        line("DRAFT", "REVIEW", on("submit")),
        line("REVIEW", "APPROVED", outcome("approved")),
        line("REVIEW", "REJECTED", { kind: "after", term: natural(DAY) }),
      ],
    }),
  );
  driver.start({ event: "submit" });
  const { timers } = driver.instance!;
  driver.decides("u", "approve");
  driver.decides("v", "approve");
  for (const target of [0, 3, 4, 1.5]) assert.equal(back(driver, target), "no-such-target", String(target));
  driver.at += 10;
  assert.equal(back(driver, 2), "accepted");
  assert.deepEqual(driver.waiting, ["v"]);
  assert.deepEqual(driver.instance?.rounds, { "REVIEW/0": 1, "REVIEW/1": 2, "REVIEW/2": 1 });
  assert.deepEqual(driver.instance?.timers, timers);
  assert.equal(driver.instance?.enteredAt, driver.instance?.startedAt);
});

// ---------------------------------------------------------------------------------------------------------------- //
// Withdraw
// ---------------------------------------------------------------------------------------------------------------- //

const withdraw = (driver: Driver, actor: string): string => {
  driver.send({ kind: "withdraw", actor });
  return driver.code;
};

test("only the initiator withdraws, and only while the state allows it", () => {
  const driver = open(two, { allow: ["withdraw"] });
  assert.equal(withdraw(driver, "a"), "not-authorized");
  driver.decides("a", "approve");
  assert.equal(withdraw(driver, "alice"), "accepted");
  assert.equal(driver.instance?.state, "DRAFT", "without a line back to initial");
  assert.equal(driver.task("b"), "cancelled");
  assert.equal(withdraw(driver, "alice"), "not-allowed", "a draft is not with anybody");
  driver.event("cancel");
  assert.equal(withdraw(driver, "alice"), "finished");
  assert.equal(withdraw(driver, "bob"), "not-authorized");
  assert.equal(withdraw(open(two), "alice"), "not-allowed");
});

test("`withdraw untouched` ends with the first decision since `initial` was left", () => {
  const driver = open(two, { allow: ["withdraw untouched", "returnTo"] });
  assert.equal(withdraw(driver, "alice"), "accepted");
  driver.event("submit", "alice");
  driver.decides("a", "approve");
  assert.equal(withdraw(driver, "alice"), "not-allowed");
  driver.send({ kind: "return", actor: "b", to: { kind: "initiator" } });
  driver.event("submit", "alice");
  assert.equal(withdraw(driver, "alice"), "accepted");
});

test("a line `on withdrawn` is taken", () => {
  const driver = new Driver(
    simple(approval(two, { allow: ["withdraw"], reasonRequiredOn: ["withdraw"] }), {
      transitions: [line("DRAFT", "REVIEW", on("submit")), line("REVIEW", "CANCELLED", outcome("withdrawn"))],
    }),
  );
  driver.start({ event: "submit" });
  assert.equal(withdraw(driver, "alice"), "reason-required");
  driver.send({ kind: "withdraw", actor: "alice", reason: "typo" });
  assert.equal(driver.instance?.outcome, "CANCELLED");
});

test("a signal is noted, and withdraws whatever the stage allows, but nothing that has finished", () => {
  const driver = open(two);
  const signal = (status: string, withdraw: boolean): string => {
    driver.send({ kind: "signal", status, withdraw });
    return driver.code;
  };
  assert.equal(signal("2", false), "accepted");
  assert.equal(driver.instance?.state, "REVIEW");
  assert.equal(signal("4", true), "accepted");
  assert.equal(driver.instance?.state, "DRAFT");
  assert.equal(signal("4", true), "accepted");
  assert.deepEqual(driver.kinds, ["signal"], "a draft has nothing to withdraw");
  driver.event("cancel");
  assert.equal(signal("6", true), "accepted");
  assert.equal(driver.instance?.outcome, "CANCELLED");
});

test("a signal whose withdrawal is refused is noted all the same", () => {
  const condition = { kind: "literal", type: { kind: "bool" }, value: false } as const;
  const driver = new Driver(
    simple(approval(two), {
      transitions: [
        line("DRAFT", "REVIEW", on("submit")),
        line("REVIEW", "CANCELLED", outcome("withdrawn"), { condition }),
      ],
    }),
  );
  driver.start({ event: "submit" });
  driver.send({ kind: "signal", status: "4", withdraw: true });
  assert.deepEqual(driver.kinds, ["signal", "not-moved"]);
  assert.deepEqual(driver.waiting, ["a", "b"]);
});
