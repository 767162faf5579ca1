import assert from "node:assert/strict";
import { test } from "node:test";
import type { Approval } from "../dsl/index.ts";
import {
  after,
  approval,
  DAY,
  Driver,
  definition,
  line,
  on,
  outcome,
  quorum,
  type Sent,
  simple,
  stage,
  users,
} from "./testing.ts";

const takeBack: Sent = { kind: "take-back" };
const allow = ["takeBack", "returnTo", "abstain"] as const;

function opened(chain: Approval["chain"], options: Partial<Approval> = {}): Driver {
  const driver = new Driver(simple(approval(chain, { allow, ...options })));
  driver.start({ event: "submit" });
  return driver;
}

/** Two states one after the other, with an action on the line between them. */
function twoStates(options: Partial<Approval> = {}, renders = false): Driver {
  const driver = new Driver(
    definition({
      states: {
        FIRST: approval([stage(users("ann"))], { allow, ...options }),
        SECOND: approval([stage(users("bob")), stage(users("cid"))], { allow }),
        OK: "final",
        NO: "final",
      },
      transitions: [
        line("FIRST", "SECOND", outcome("approved"), {
          actions: renders ? [{ kind: "render", document: "voucher" }] : [{ kind: "emit", event: "onFirst" }],
        }),
        line("FIRST", "NO", after(2 * DAY)),
        line("SECOND", "OK", outcome("approved")),
        line(["FIRST", "SECOND"], "NO", outcome("rejected")),
        line("SECOND", "FIRST", on("again")),
      ],
      more: { documents: { voucher: { name: "voucher", template: "v", fields: [] } } },
    }),
  );
  driver.start();
  return driver;
}

test("an approval in the open round is taken back", () => {
  const driver = opened([stage(users("ann", "bob"), "all")]);
  driver.decides("ann", "approve");
  assert.equal(driver.does("ann", takeBack), "accepted");
  assert.deepEqual(driver.waiting, ["ann", "bob"]);
  assert.equal(driver.task("ann"), "open");
  driver.decides("bob", "approve");
  assert.equal(driver.instance?.state, "REVIEW");
  driver.decides("ann", "approve");
  assert.equal(driver.instance?.state, "APPROVED");
});

test("the same round opens again, with the seats that its result superseded", () => {
  const driver = opened([stage(users("ann", "bob")), stage(users("cid"))]);
  driver.decides("ann", "approve");
  assert.deepEqual(driver.waiting, ["cid"]);
  assert.equal(driver.does("ann", takeBack), "accepted");
  assert.deepEqual(driver.waiting, ["ann", "bob"]);
  assert.equal(driver.task("cid"), "cancelled");
  assert.deepEqual(driver.instance?.rounds, { "REVIEW/0": 1, "REVIEW/1": 1 });
  driver.decides("bob", "approve");
  assert.deepEqual(driver.waiting, ["cid"]);
});

test("out of the next state, whose timers end while those of the old one run on", () => {
  const driver = twoStates();
  const [before] = driver.instance!.timers;
  driver.at += DAY;
  driver.decides("ann", "approve");
  assert.equal(driver.does("ann", takeBack), "accepted");
  assert.deepEqual([driver.instance?.state, driver.waiting], ["FIRST", ["ann"]]);
  assert.deepEqual(driver.instance?.timers, [before]);
  assert.deepEqual(driver.instance?.path, ["FIRST"]);
  driver.advance(DAY);
  assert.equal(driver.instance?.state, "NO");
});

test("not once somebody downstream has decided; a decision that was taken back is none", () => {
  const driver = twoStates();
  driver.decides("ann", "approve");
  driver.decides("bob", "approve");
  assert.equal(driver.does("ann", takeBack), "not-possible-in-state");
  assert.equal(driver.does("bob", takeBack), "accepted");
  assert.deepEqual(driver.waiting, ["bob"]);
  assert.equal(driver.does("ann", takeBack), "accepted");
  assert.deepEqual([driver.instance?.state, driver.waiting], ["FIRST", ["ann"]]);
});

test("comments and transfers are no decisions", () => {
  const driver = opened([stage(users("ann")), stage(users("bob"))], { allow: ["takeBack", "transfer"] });
  driver.decides("ann", "approve");
  driver.does("bob", { kind: "comment", text: "hm" });
  driver.does("bob", { kind: "transfer", to: "cid" });
  assert.equal(driver.does("ann", takeBack), "accepted");
});

test("not when what can't be undone was begun since", () => {
  const driver = twoStates({}, true);
  driver.decides("ann", "approve");
  assert.equal(driver.does("ann", takeBack), "effects-delivered");
});

test("only what its stage allows, with a reason where one is asked for", () => {
  const closed = twoStates({ allow: [] });
  closed.decides("ann", "approve");
  assert.equal(closed.does("ann", takeBack), "not-allowed");
  const reasoned = opened([stage(users("ann", "bob"), "all")], { reasonRequiredOn: ["takeBack"] });
  reasoned.decides("ann", "approve");
  assert.equal(reasoned.does("ann", takeBack), "reason-required");
  assert.equal(reasoned.does("ann", { ...takeBack, reason: "typo" } as Sent), "accepted");
});

test("rejections, abstentions and what is not one's own are not taken back", () => {
  const driver = opened([stage(users("ann", "bob", "cid"), quorum(2))]);
  driver.decides("ann", "abstain");
  assert.equal(driver.does("ann", takeBack), "task-closed");
  assert.equal(driver.does("bob", takeBack), "not-your-task");
  assert.equal(driver.does("xia", takeBack), "not-your-task");
  driver.decides("bob", "reject");
  assert.equal(driver.does("bob", takeBack), "finished");
});

test("a finished instance comes first", () => {
  const driver = opened([stage(users("ann"))]);
  driver.decides("ann", "approve");
  assert.equal(driver.does("ann", takeBack), "finished");
});

test("who added others after and has not been followed takes the approval back with them", () => {
  const driver = opened([stage(users("ann", "bob"), "all")], { allow: ["takeBack", "addAfter"] });
  driver.does("ann", { kind: "add", where: "after", people: ["xia", "yan"], all: true, advisory: false });
  assert.equal(driver.does("ann", takeBack), "accepted");
  assert.deepEqual([driver.waiting, driver.task("xia")], [["ann", "bob"], "cancelled"]);
  driver.does("ann", { kind: "add", where: "after", people: ["xia", "yan"], all: true, advisory: false });
  driver.decides("xia", "approve");
  assert.equal(driver.does("ann", takeBack), "not-possible-in-state");
  assert.equal(driver.does("xia", takeBack), "accepted");
  assert.deepEqual(new Set(driver.waiting), new Set(["bob", "xia", "yan"]));
});
