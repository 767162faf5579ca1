import assert from "node:assert/strict";
import { test } from "node:test";
import { approval, DAY, Driver, dueIn, quorum, type Sent, simple, stage, users } from "./testing.ts";

const allow = ["delegate", "transfer", "addBefore", "abstain", "returnTo"] as const;
const delegate = (to: string): Sent => ({ kind: "delegate", to });
const takeBack: Sent = { kind: "take-back" };

function opened(people: readonly string[], mode: Parameters<typeof stage>[1] = "any"): Driver {
  const review = approval([stage(users(...people), mode)], { allow, due: dueIn(DAY) });
  const driver = new Driver(simple(review));
  driver.start({ event: "submit" });
  return driver;
}

test("a delegate gives an opinion, and the seat returns", () => {
  for (const opinion of ["approve", "reject"] as const) {
    const driver = opened(["ann"]);
    driver.at += 1000;
    assert.equal(driver.does("ann", delegate("xia")), "accepted");
    assert.deepEqual(driver.waiting, ["xia"]);
    assert.equal([...driver.tasks.values()].at(-1)?.dueAt, driver.instance!.startedAt + DAY, "deadlines don't move");
    assert.equal(driver.does("ann", { kind: "decide", decision: "approve" }), "not-your-task");
    driver.decides("xia", opinion);
    assert.deepEqual([driver.instance?.state, driver.waiting], ["REVIEW", ["ann"]]);
    driver.decides("ann", "approve");
    assert.equal(driver.instance?.state, "APPROVED");
  }
});

test("nested delegations return in reverse order", () => {
  const driver = opened(["ann"]);
  driver.does("ann", delegate("xia"));
  driver.does("xia", delegate("yan"));
  assert.deepEqual(driver.waiting, ["yan"]);
  driver.does("yan", { kind: "transfer", to: "zoe" });
  assert.deepEqual(driver.waiting, ["zoe"]);
  driver.decides("zoe", "reject");
  assert.deepEqual(driver.waiting, ["xia"]);
  driver.decides("xia", "approve");
  assert.deepEqual(driver.waiting, ["ann"]);
});

test("it may be taken back without permission, with everything below it", () => {
  const driver = opened(["ann"]);
  driver.does("ann", delegate("xia"));
  driver.does("xia", delegate("yan"));
  assert.equal(driver.does("ann", takeBack), "accepted");
  assert.deepEqual([driver.waiting, driver.task("xia"), driver.task("yan")], [["ann"], "cancelled", "cancelled"]);
});

test("a delegate does nothing but give an opinion, delegate and transfer", () => {
  const others: readonly Sent[] = [
    { kind: "decide", decision: "abstain" },
    { kind: "return", to: { kind: "initiator" } },
    { kind: "add", where: "before", people: ["zoe"], all: false, advisory: false },
  ];
  const driver = opened(["ann"]);
  driver.does("ann", delegate("xia"));
  for (const sent of others) assert.equal(driver.does("xia", sent), "not-allowed", sent.kind);
});

test("whom one can't delegate to", () => {
  const driver = opened(["ann", "bob"], "all");
  assert.equal(driver.does("ann", delegate("ann")), "same-person");
  assert.equal(driver.does("ann", delegate("bob")), "already-seated");
  driver.world = { 'people:user(["xia"])': { people: [] } };
  assert.equal(driver.does("ann", delegate("xia")), "unknown-user");
});

test("the seat counts as open while its opinion is asked", () => {
  const driver = opened(["ann", "bob"], quorum(2));
  driver.does("ann", delegate("xia"));
  driver.decides("bob", "approve");
  assert.equal(driver.instance?.state, "REVIEW");
});

test("a transfer to one who has delegated waits for the same opinion", () => {
  const driver = opened(["ann", "bob"], "all");
  driver.does("ann", delegate("xia"));
  driver.does("bob", { kind: "transfer", to: "ann" });
  assert.deepEqual(driver.waiting, ["xia"]);
  driver.decides("xia", "approve");
  driver.decides("ann", "approve");
  assert.equal(driver.instance?.state, "APPROVED");
});

test("an opinion ends with the seat", () => {
  const driver = opened(["ann", "bob"], "any");
  driver.does("ann", delegate("xia"));
  driver.decides("bob", "approve");
  assert.deepEqual(
    [driver.instance?.state, driver.task("xia"), driver.task("ann")],
    ["APPROVED", "superseded", "superseded"],
  );
});
