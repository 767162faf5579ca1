import assert from "node:assert/strict";
import { test } from "node:test";
import type { Approval, Operation } from "../dsl/index.ts";
import {
  approval,
  DAY,
  Driver,
  dueIn,
  HOUR,
  natural,
  quorum,
  type Sent,
  share,
  simple,
  stage,
  users,
} from "./testing.ts";

const ALLOW: readonly Operation[] = [
  ...([
    "addBefore",
    "addBefore advisory",
    "addAfter",
    "addBeside",
    "remove",
    "delegate",
    "transfer",
    "abstain",
  ] as const),
];

function opened(mode: Parameters<typeof stage>[1], options: Partial<Approval> = {}): Driver {
  const driver = new Driver(simple(approval([stage(users("ann", "bob"), mode)], { allow: ALLOW, ...options })));
  driver.start({ event: "submit" });
  return driver;
}

type Where = "before" | "after" | "beside";
const add = (where: Where, people: readonly string[], more: { all?: boolean; advisory?: boolean } = {}): Sent => ({
  ...{ kind: "add", where, people, all: false, advisory: false },
  ...more,
});
const remove = (person: string): Sent => ({ kind: "remove", person });

test("people added before decide first; then it is the turn of who added them", () => {
  const driver = opened("all");
  assert.equal(driver.does("ann", add("before", ["xia", "yan"])), "accepted");
  assert.deepEqual(driver.waiting, ["bob", "xia", "yan"]);
  assert.equal(driver.does("ann", { kind: "decide", decision: "approve" }), "not-your-task");
  driver.decides("xia", "approve");
  assert.deepEqual(driver.waiting, ["ann", "bob"]);
  assert.equal(driver.task("yan"), "superseded");
  driver.decides("bob", "approve");
  assert.equal(driver.instance?.state, "REVIEW");
  driver.decides("ann", "approve");
  assert.equal(driver.instance?.state, "APPROVED");
});

test("all of those added must agree, if that is said", () => {
  const driver = opened("any");
  driver.does("ann", add("before", ["xia", "yan"], { all: true }));
  driver.decides("xia", "approve");
  assert.deepEqual(driver.waiting, ["bob", "yan"]);
  driver.decides("yan", "approve");
  assert.deepEqual(driver.waiting, ["ann", "bob"]);
});

test("their rejection is the seat's, unless it is advice", () => {
  const rejected = opened("all");
  rejected.does("ann", add("before", ["xia"]));
  rejected.decides("xia", "reject");
  assert.equal(rejected.instance?.state, "REJECTED");
  assert.equal(rejected.task("ann"), "rejected");
  const advised = opened("all");
  advised.does("ann", add("before", ["xia"], { advisory: true }));
  advised.decides("xia", "reject");
  assert.deepEqual(advised.waiting, ["ann", "bob"]);
});

test("adding after is an approval that counts once those after it are done", () => {
  const driver = opened("all");
  driver.decides("bob", "approve");
  assert.equal(driver.does("ann", add("after", ["xia"])), "accepted");
  assert.deepEqual([driver.task("ann"), driver.seat("ann")], ["approved", "waiting"]);
  assert.deepEqual(driver.waiting, ["xia"]);
  assert.equal(driver.does("ann", { kind: "decide", decision: "approve" }), "task-closed");
  driver.decides("xia", "approve");
  assert.equal(driver.instance?.state, "APPROVED");
  const rejected = opened("all");
  rejected.does("ann", add("after", ["xia"]));
  rejected.decides("xia", "reject");
  assert.equal(rejected.instance?.state, "REJECTED");
});

test("added people add others in turn, as a tree", () => {
  const driver = opened("all");
  driver.does("ann", add("before", ["xia"]));
  driver.does("xia", add("before", ["yan"]));
  driver.does("yan", add("after", ["zoe"]));
  assert.deepEqual(driver.waiting, ["bob", "zoe"]);
  driver.decides("zoe", "approve");
  assert.deepEqual(driver.waiting, ["bob", "xia"]);
  driver.does("xia", add("beside", ["una"]));
  assert.deepEqual(driver.waiting, ["bob", "xia", "una"]);
  driver.decides("una", "approve");
  assert.deepEqual(driver.waiting, ["ann", "bob"]);
});

test("adding nobody changes nothing, and after nobody is an approval", () => {
  const driver = opened("all");
  assert.equal(driver.does("ann", add("before", [])), "accepted");
  assert.deepEqual(driver.waiting, ["ann", "bob"]);
  assert.equal(driver.does("ann", add("beside", [])), "accepted");
  assert.equal(driver.does("ann", add("after", [])), "accepted");
  assert.equal(driver.seat("ann"), "approved");
});

test("added people have deadlines of their own, and the seat's runs on over them", () => {
  const overdue = [{ kind: "reject", after: natural(HOUR) }] as const;
  const driver = opened("all", { due: dueIn(DAY), overdue });
  driver.advance(20 * HOUR);
  driver.does("ann", add("before", ["xia"]));
  assert.equal([...driver.tasks.values()].at(-1)?.dueAt, driver.at + DAY);
  driver.advance(5 * HOUR);
  assert.equal(driver.instance?.state, "REJECTED");
  assert.deepEqual([driver.task("ann"), driver.task("xia")], ["expired", "expired"]);
});

test("seats beside one's own count like the others, in a sequence at the end", () => {
  const half = opened(share(1, 2));
  half.does("ann", add("beside", ["xia", "yan"]));
  half.decides("ann", "approve");
  assert.equal(half.instance?.state, "REVIEW", "one of four");
  half.decides("xia", "approve");
  assert.equal(half.instance?.state, "APPROVED");
  const row = opened("sequence");
  row.does("ann", add("beside", ["xia"]));
  assert.deepEqual(row.waiting, ["ann"]);
  row.decides("ann", "approve");
  row.decides("bob", "approve");
  assert.deepEqual(row.waiting, ["xia"]);
});

const refusals: readonly [string, Partial<Approval>, actor: string, Sent, code: string][] = [
  ["it is not allowed", { allow: [] }, "ann", add("before", ["x"]), "not-allowed"],
  [
    "advice is a permission of its own",
    { allow: ["addBefore"] },
    "ann",
    add("before", ["x"], { advisory: true }),
    "not-allowed",
  ],
  ["and the other way round", { allow: ["addBefore advisory"] }, "ann", add("before", ["x"]), "not-allowed"],
  ["one must hold a task", {}, "xia", add("before", ["x"]), "not-your-task"],
  ["a reason is missing", { reasonRequiredOn: ["addBeside"] }, "ann", add("beside", ["x"]), "reason-required"],
  ["after is an approval", { reasonRequiredOn: ["approve"] }, "ann", add("after", ["x"]), "reason-required"],
  ["and must be signed like one", { signatureRequired: true }, "ann", add("after", ["x"]), "signature-required"],
  [
    "before is not",
    { reasonRequiredOn: ["approve"], signatureRequired: true },
    "ann",
    add("before", ["x"]),
    "accepted",
  ],
  ["oneself", {}, "ann", add("before", ["ann"]), "same-person"],
  ["who sits already", {}, "ann", add("beside", ["x", "bob"]), "already-seated"],
];
for (const [why, options, actor, sent, code] of refusals) {
  test(`adding: ${why}: ${code}`, () => {
    assert.equal(opened("all", options).does(actor, sent), code);
  });
}

test("who hangs on a seat is seated, too", () => {
  const driver = opened("all");
  driver.does("ann", add("before", ["xia"]));
  assert.equal(driver.does("bob", add("beside", ["xia"])), "already-seated");
});

test("who added somebody removes them again, also after deciding", () => {
  const before = opened("all");
  before.does("ann", add("before", ["xia"]));
  assert.equal(before.does("ann", remove("xia")), "accepted");
  assert.deepEqual([before.waiting, before.task("xia")], [["ann", "bob"], "cancelled"]);
  const after = opened("all");
  after.decides("bob", "approve");
  after.does("ann", add("after", ["xia"]));
  after.does("ann", remove("xia"));
  assert.equal(after.instance?.state, "APPROVED", "the last one added after completes it");
});

test("what the removed person had added goes, too", () => {
  const driver = opened("all");
  driver.does("ann", add("beside", ["xia"]));
  driver.does("xia", add("beside", ["yan"]));
  driver.does("yan", add("before", ["zoe"]));
  driver.does("ann", remove("xia"));
  assert.deepEqual(driver.waiting, ["ann", "bob"]);
});

test("a removal may finish the round, but never leaves too few", () => {
  const driver = opened(quorum(3), { onEmpty: { kind: "hold" } });
  assert.equal(driver.instance?.round?.groups?.[0]?.held, "2 found, too few to approve");
  const two = opened(quorum(2));
  two.does("ann", add("beside", ["xia"]));
  two.decides("bob", "reject");
  assert.equal(two.does("ann", remove("xia")), "below-threshold");
  const all = opened("all");
  all.does("ann", add("beside", ["xia"]));
  all.decides("ann", "approve");
  all.decides("bob", "approve");
  assert.equal(all.does("ann", remove("xia")), "accepted");
  assert.equal(all.instance?.state, "APPROVED");
});

test("removing: what one did not add, who has decided, who is not there", () => {
  const driver = opened("all");
  driver.does("ann", add("beside", ["xia", "yan"]));
  assert.equal(driver.does("bob", remove("xia")), "not-allowed", "somebody else's");
  assert.equal(driver.does("ann", remove("bob")), "not-allowed", "the flow's");
  assert.equal(driver.does("ann", remove("zoe")), "no-such-target");
  driver.decides("xia", "approve");
  assert.equal(driver.does("ann", remove("xia")), "task-closed");
  assert.equal(driver.does("ann", { kind: "remove", person: "bob", admin: true }), "reason-required");
  assert.equal(driver.does("root", { kind: "remove", person: "bob", admin: true, reason: "left" }), "accepted");
  assert.match(driver.told, /removed bob \(override\) because "left"/);
  assert.deepEqual(driver.waiting, ["ann", "yan"]);
});
