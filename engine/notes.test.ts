import assert from "node:assert/strict";
import { test } from "node:test";
import { approval, Driver, HOUR, simple, stage, users } from "./testing.ts";

function opened(): Driver {
  const driver = new Driver(simple(approval([stage(users("ann", "bob"), "sequence"), stage(users("cid"))])));
  driver.start({ event: "submit" });
  return driver;
}

const notified = (driver: Driver): string[] => {
  const effects = driver.last?.kind === "accepted" ? driver.last.effects : [];
  return effects.flatMap((effect) => (effect.kind === "notify" ? effect.to : []));
};

test("the initiator and whoever had a task urge, once an hour; deadlines stay", () => {
  const driver = opened();
  assert.equal(driver.does("xia", { kind: "urge" }), "not-authorized");
  assert.equal(driver.does("bob", { kind: "urge" }), "not-authorized", "only a waiting seat");
  assert.equal(driver.does("alice", { kind: "urge" }), "accepted");
  assert.deepEqual(notified(driver), ["ann"]);
  driver.decides("ann", "approve");
  assert.equal(driver.does("ann", { kind: "urge" }), "too-often");
  driver.advance(HOUR);
  assert.equal(driver.does("ann", { kind: "urge" }), "accepted");
  assert.deepEqual(notified(driver), ["bob"]);
  driver.event("cancel");
  assert.equal(driver.does("alice", { kind: "urge" }), "finished");
});

test("comments and questions leave the task as it is, and are no decisions", () => {
  const driver = opened();
  assert.equal(driver.does("ann", { kind: "comment", text: "which hotel?" }), "accepted");
  assert.deepEqual(notified(driver), ["alice"]);
  assert.equal(driver.does("ann", { kind: "ask", to: "xia", text: "is it usual?" }), "accepted");
  assert.deepEqual(notified(driver), ["xia"]);
  assert.match(driver.told, /ann said "which hotel\?"\.\nann asked xia "is it usual\?"/);
  assert.deepEqual([driver.waiting, driver.instance?.touched], [["ann"], 0]);
  assert.equal(driver.does("xia", { kind: "comment", text: "no" }), "not-your-task");
  driver.world = { "people:user": { people: [] } };
  assert.equal(driver.does("ann", { kind: "ask", to: "zoe", text: "?" }), "unknown-user");
});

test("nobody gets a second copy in one instance", () => {
  const driver = opened();
  driver.does("ann", { kind: "cc", people: ["xia", "yan", "xia"] });
  assert.deepEqual(notified(driver), ["xia", "yan"]);
  driver.does("alice", { kind: "cc", people: ["yan", "zoe"] });
  assert.deepEqual(notified(driver), ["zoe"]);
  assert.deepEqual(driver.instance?.copied, ["xia", "yan", "zoe"]);
});
