import assert from "node:assert/strict";
import { test } from "node:test";
import { approval, Driver, simple, stage } from "./testing.ts";
import type { Command } from "./types.ts";

const base = { source: "s", digest: "", actor: "ann" };
const group = { kind: "group", argument: { kind: "literal", type: { kind: "text" }, value: "f" } } as const;

function opened(): Driver {
  const flow = simple(approval([stage(group, "any")], { allow: ["claim", "addBefore"] }));
  const driver = new Driver(flow, { "people:group": { people: ["ann", "bob"] } });
  driver.start({ event: "submit" });
  return driver;
}

const malformed: readonly (readonly [command: object, part: string | undefined])[] = [
  [{ kind: "promote" }, undefined],
  [{ kind: "constructor" }, undefined],
  [{ kind: "decide", decision: "maybe" }, "decision"],
  [{ kind: "decide", decision: "approve", reason: ["r"] }, "reason"],
  [{ kind: "decide", decision: "approve", payload: [] }, "payload"],
  [{ kind: "return", to: "DRAFT" }, "to"],
  [{ kind: "add", where: "before", people: "bob", all: true, advisory: false }, "people"],
  [{ kind: "remove" }, "person"],
  [{ kind: "event", event: "cancel" }, "payload"],
  [{ kind: "jump", state: "REVIEW", branch: {} }, "branch"],
  [{ kind: "report", effect: "e", report: { kind: "step" } }, "report"],
  [{ kind: "urge", digest: 5 }, "digest"],
];
for (const [command, part] of malformed) {
  test(`a command that is none is refused: ${JSON.stringify(command)}`, () => {
    const driver = opened();
    const before = driver.instance;
    const refused = driver.send({ ...base, ...command } as unknown as Command);
    assert.deepEqual(refused.kind === "refused" && [refused.code, refused.details?.["part"]], ["wrong-type", part]);
    assert.equal(driver.instance, before);
  });
}

test("a command without an initiator, or with one that is nobody, starts nothing", () => {
  const driver = new Driver(simple(approval([stage(group)])));
  const start = { kind: "start", tenant: "t", instance: "i", key: "k", data: {} };
  for (const initiator of [undefined, "alice", { name: "Alice" }, { id: "alice", tags: "x" }]) {
    driver.send({ ...base, ...start, initiator } as unknown as Command);
    assert.equal(driver.code, "wrong-type");
  }
});

test("an unclaimed task is not that of somebody without a name", () => {
  const driver = opened();
  assert.equal(driver.does("", { kind: "claim" }), "not-your-task");
  assert.equal(driver.does("", { kind: "decide", decision: "approve" }), "not-your-task");
  assert.equal(driver.does("bob", { kind: "claim" }), "accepted");
});

test("to add nobody before oneself claims nothing", () => {
  const driver = opened();
  assert.equal(
    driver.does("ann", { kind: "add", where: "before", people: [], all: false, advisory: false }),
    "accepted",
  );
  assert.equal(driver.does("bob", { kind: "claim" }), "accepted");
});
