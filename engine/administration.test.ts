import assert from "node:assert/strict";
import { test } from "node:test";
import type { Approval, CalendarDefinition } from "../dsl/index.ts";
import {
  after,
  approval,
  DAY,
  Driver,
  definition,
  dueIn,
  HOUR,
  line,
  natural,
  on,
  outcome,
  quorum,
  type Sent,
  simple,
  stage,
  users,
} from "./testing.ts";

const reason = "because";

function opened(options: Partial<Approval> = {}): Driver {
  const driver = new Driver(simple(approval([stage(users("ann", "bob"), "all")], { allow: ["withdraw"], ...options })));
  driver.start({ event: "submit" });
  return driver;
}

test("every command but hand-over needs a reason, on what is not finished", () => {
  const sent: readonly Sent[] = [
    { kind: "suspend" },
    { kind: "void" },
    { kind: "jump", state: "DRAFT" },
    { kind: "override", decision: "approve" },
  ];
  for (const one of sent) {
    const driver = opened();
    assert.equal(driver.does("root", one), "reason-required", one.kind);
    driver.does("root", { kind: "override", decision: "reject", reason });
    assert.equal(driver.does("root", { ...one, reason } as Sent), "finished", one.kind);
  }
});

test("a suspended instance refuses everything but to be resumed or voided", () => {
  const driver = opened({ allow: ["withdraw", "transfer"] });
  driver.does("root", { kind: "suspend", reason });
  const refused: readonly Sent[] = [
    { kind: "decide", decision: "approve" },
    { kind: "event", event: "cancel", payload: {} },
    { kind: "withdraw" },
    { kind: "comment", text: "x" },
    { kind: "urge" },
    { kind: "suspend", reason },
    { kind: "jump", state: "DRAFT", reason },
    { kind: "hand-over", from: "ann", to: "xia" },
  ];
  for (const sent of refused) {
    assert.equal(driver.does(sent.kind === "decide" ? "nobody" : "alice", sent), "suspended", sent.kind);
  }
  driver.does("root", { kind: "resume" });
  assert.equal(driver.code, "reason-required");
  assert.equal(driver.does("root", { kind: "resume", reason }), "accepted");
  assert.equal(driver.does("root", { kind: "resume", reason }), "not-possible-in-state");
  driver.does("root", { kind: "suspend", reason });
  assert.equal(driver.does("root", { kind: "void", reason }), "accepted");
  assert.match(driver.told, /voided it \(override\)/);
});

test("timers stand still and move by the time suspended, deadlines with them", () => {
  const overdue = [{ kind: "escalate", to: users("boss"), after: natural(0) }] as const;
  const driver = opened({ due: dueIn(2 * DAY), overdue });
  driver.advance(DAY);
  driver.does("root", { kind: "suspend", reason });
  assert.deepEqual(driver.instance?.timers, []);
  driver.advance(30 * DAY);
  driver.does("root", { kind: "resume", reason });
  assert.equal(driver.instance?.round?.seats[0]?.task?.dueAt, driver.at + DAY);
  driver.advance(DAY - 1);
  assert.deepEqual(driver.waiting, ["ann", "bob"]);
  driver.advance(1);
  assert.deepEqual(driver.waiting, ["boss"]);
});

test("working time moves by working time", () => {
  const calendar: CalendarDefinition = {
    ...{ name: "cn", timezone: "Asia/Shanghai", hours: [{ from: 540, to: 1080 }] },
    ...{ weekend: ["sat", "sun"], holidays: [], workdays: [] },
  };
  const review = approval([stage(users("ann"))], {
    due: { term: { kind: "workhours", ms: 8 * HOUR }, perStage: false },
  });
  const driver = new Driver(simple(review, { more: { calendar } })); // Begins on a Monday at 09:00 there.
  driver.start({ event: "submit" });
  driver.advance(HOUR);
  driver.does("root", { kind: "suspend", reason });
  driver.advance(24 * HOUR); // Nine working hours.
  driver.does("root", { kind: "resume", reason });
  assert.equal(driver.instance?.round?.seats[0]?.task?.dueAt, driver.instance!.startedAt + (24 + 8) * HOUR);
});

test("a voided instance stays where it stood, with nothing open", () => {
  const driver = opened({ due: dueIn(DAY) });
  driver.does("root", { kind: "void", reason });
  const { state, outcome: ended, timers } = driver.instance!;
  assert.deepEqual([state, ended, timers, driver.waiting], ["REVIEW", "VOIDED", [], []]);
  assert.equal(driver.task("ann"), "cancelled");
  assert.ok(driver.emitted.includes("instance.finished"));
});

test("a jump enters a state as a transition would", () => {
  const driver = new Driver(
    definition({
      states: {
        DRAFT: "plain",
        FIRST: approval([stage(users("ann"))]),
        LATER: approval([stage(users("bob"))]),
        OK: "final",
      },
      transitions: [
        line("DRAFT", "FIRST", on("go")),
        line("FIRST", "LATER", outcome("approved")),
        line("LATER", "OK", outcome("approved")),
        line("LATER", "OK", after(DAY)),
      ],
    }),
  );
  driver.start({ event: "go" });
  assert.equal(driver.does("root", { kind: "jump", state: "LATER", reason }), "accepted");
  assert.deepEqual([driver.waiting, driver.task("ann"), driver.instance?.timers.length], [["bob"], "cancelled", 1]);
  driver.does("root", { kind: "jump", state: "LATER", reason });
  assert.equal(driver.instance?.round?.number, 2);
  assert.equal(driver.does("root", { kind: "jump", state: "NOWHERE", reason }), "no-such-target");
  assert.equal(driver.does("root", { kind: "jump", branch: "b", state: "OK", reason }), "no-such-target");
  driver.does("root", { kind: "jump", state: "OK", reason });
  assert.equal(driver.instance?.outcome, "OK");
});

test("an override gives the open round its result; who has not decided is superseded", () => {
  const driver = opened();
  driver.decides("ann", "approve");
  driver.does("root", { kind: "override", decision: "approve", reason });
  assert.deepEqual([driver.instance?.state, driver.task("bob")], ["APPROVED", "superseded"]);
  assert.match(driver.told, /approved REVIEW \(override\) because "because"/);
  const held = opened({ onEmpty: { kind: "hold" } });
  held.does("root", { kind: "jump", state: "DRAFT", reason });
  assert.equal(held.does("root", { kind: "override", decision: "approve", reason }), "not-possible-in-state");
});

test("a stage that holds is overridden, too", () => {
  const driver = new Driver(simple(approval([stage(users("ann"), quorum(2))])));
  driver.start({ event: "submit" });
  driver.does("root", { kind: "override", decision: "reject", reason });
  assert.equal(driver.instance?.state, "REJECTED");
});

test("every open seat of one who leaves goes to another; where that one sits the seats become one", () => {
  const chain = [stage(users("ann", "bob", "cid"), "sequence")];
  const driver = new Driver(simple(approval(chain)));
  driver.start({ event: "submit" });
  assert.equal(driver.does("root", { kind: "hand-over", from: "bob", to: "xia" }), "accepted");
  driver.decides("ann", "approve");
  assert.deepEqual(driver.waiting, ["xia"]);
  assert.equal(driver.does("root", { kind: "hand-over", from: "xia", to: "cid" }), "accepted");
  assert.deepEqual(driver.waiting, ["cid"]);
  driver.decides("cid", "approve");
  assert.equal(driver.instance?.state, "APPROVED");
});

test("a hand-over that is refused moves nothing", () => {
  const driver = new Driver(simple(approval([stage(users("ann", "bob"), quorum(2))])));
  driver.start({ event: "submit" });
  assert.equal(driver.does("root", { kind: "hand-over", from: "ann", to: "bob" }), "below-threshold");
  assert.equal(driver.does("root", { kind: "hand-over", from: "ann", to: "ann" }), "same-person");
  assert.equal(driver.does("root", { kind: "hand-over", from: "zoe", to: "bob" }), "no-such-target");
  driver.world = { 'people:user(["xia"])': { people: [] } };
  assert.equal(driver.does("root", { kind: "hand-over", from: "ann", to: "xia" }), "unknown-user");
  assert.deepEqual(driver.waiting, ["ann", "bob"]);
});

test("whoever waits for others goes on waiting in new hands", () => {
  const driver = new Driver(simple(approval([stage(users("ann"))], { allow: ["addBefore"] })));
  driver.start({ event: "submit" });
  driver.does("ann", { kind: "add", where: "before", people: ["xia"], all: false, advisory: false });
  driver.does("root", { kind: "hand-over", from: "ann", to: "bob" });
  assert.deepEqual(driver.waiting, ["xia"]);
  driver.decides("xia", "approve");
  assert.deepEqual(driver.waiting, ["bob"]);
});
