import assert from "node:assert/strict";
import { test } from "node:test";
import type { Approval, Definition } from "../dsl/index.ts";
import {
  approval,
  DAY,
  Driver,
  dataField,
  definition,
  line,
  MONEY,
  natural,
  on,
  outcome,
  simple,
  stage,
  users,
} from "./testing.ts";

const one = (...people: string[]) => stage(users(...people));
const back = (driver: Driver, who: string, to: { state: string } | { stage: number } | "initiator"): string =>
  driver.does(who, {
    kind: "return",
    to:
      to === "initiator" ? { kind: "initiator" } : "state" in to ? { kind: "state", ...to } : { kind: "stage", ...to },
  });

/** DRAFT → A → B → C, each with its own people; C returns. */
function chain(
  options: Partial<Approval> = {},
  condition?: Definition["transitions"][number]["condition"],
): Definition {
  const state = (who: string, more: Partial<Approval> = {}) => approval([one(who)], { edit: ["amount"], ...more });
  return definition({
    states: {
      DRAFT: "plain",
      A: state("ann"),
      B: state("bob", { hide: ["note"] }),
      C: state("cid", { allow: ["returnTo"], onReturn: "resume", ...options }),
      OK: "final",
      NO: "final",
    },
    fields: [dataField("amount", MONEY), dataField("note", { kind: "text" }, { optional: true })],
    events: { submit: ["amount", "note"] },
    transitions: [
      line("DRAFT", "A", on("submit"), { actions: [{ kind: "emit", event: "onSubmit" }] }),
      line("A", "B", outcome("approved"), { actions: [{ kind: "emit", event: "onA" }] }),
      line("B", "C", outcome("approved"), { ...(condition && { condition }) }),
      line("C", "OK", outcome("approved")),
      line(["A", "B", "C"], "NO", outcome("rejected")),
      line("C", "DRAFT", outcome("returned")),
    ],
  });
}

function atC(flow: Definition): Driver {
  const driver = new Driver(flow);
  driver.start({ event: "submit", payload: { amount: 1 } });
  driver.decides("ann", "approve");
  driver.decides("bob", "approve");
  return driver;
}

test("restart walks every stage again", () => {
  const driver = atC(chain({ onReturn: "restart" }));
  assert.equal(back(driver, "cid", "initiator"), "accepted");
  driver.event("submit", "alice", { amount: 1 });
  assert.deepEqual([driver.instance?.state, driver.waiting], ["A", ["ann"]]);
});

test("resume comes back to the returner where nothing has changed; lines on the way are taken again", () => {
  const driver = atC(chain());
  back(driver, "cid", "initiator");
  driver.event("submit", "alice", { amount: 1 });
  assert.deepEqual([driver.instance?.state, driver.waiting], ["C", ["cid"]]);
  assert.deepEqual(
    driver.emitted.filter((name) => name.startsWith("on")),
    ["onSubmit", "onA", "onSubmit", "onA"],
  );
  assert.match(
    driver.told,
    /Stage 1 of A was skipped by the system \(auto\): what its people approved has not changed since\./,
  );
  driver.decides("cid", "approve");
  assert.equal(driver.instance?.state, "OK");
});

test("stages that saw what has changed are asked again, the others pass", () => {
  const all = atC(chain());
  back(all, "cid", "initiator");
  all.event("submit", "alice", { amount: 2 });
  all.decides("ann", "approve");
  assert.deepEqual([all.instance?.state, all.waiting], ["B", ["bob"]]);
  const some = atC(chain());
  back(some, "cid", "initiator");
  some.event("submit", "alice", { amount: 1, note: "for ann" });
  assert.deepEqual(some.waiting, ["ann"], "bob does not see the note");
  some.decides("ann", "approve");
  assert.deepEqual([some.instance?.state, some.waiting], ["C", ["cid"]]);
});

test("the returned-to stage always opens a new round", () => {
  const driver = atC(chain());
  back(driver, "cid", { state: "A" });
  assert.deepEqual(driver.waiting, ["ann"]);
  driver.decides("ann", "approve");
  assert.deepEqual([driver.instance?.state, driver.waiting], ["C", ["cid"]]);
});

test("within one state, too", () => {
  const review = approval([one("ann"), one("bob"), one("cid")], { allow: ["returnTo"], onReturn: "resume" });
  const driver = new Driver(simple(review));
  driver.start({ event: "submit" });
  driver.decides("ann", "approve");
  driver.decides("bob", "approve");
  back(driver, "cid", { stage: 1 });
  assert.deepEqual(driver.waiting, ["ann"]);
  driver.decides("ann", "approve");
  assert.deepEqual(driver.waiting, ["cid"], "bob's stage keeps its approval");
});

test("every return counts; over the limit of the returner's stage it is refused, and only that", () => {
  const driver = atC(chain({ maxReturns: 1 }));
  back(driver, "cid", "initiator");
  driver.event("submit", "alice", { amount: 1 });
  assert.equal(back(driver, "cid", { state: "B" }), "too-many-returns");
  assert.equal(back(driver, "cid", { state: "C" }), "no-such-target");
  assert.equal(driver.does("cid", { kind: "decide", decision: "approve" }), "accepted");
});

// ---------------------------------------------------------------------------------------------------------------- //
// Withdrawing after the end
// ---------------------------------------------------------------------------------------------------------------- //

const revocable: Definition = (() => {
  const flow = definition({
    states: {
      DRAFT: "plain",
      REVIEW: approval([one("ann")]),
      APPROVED: { revocableFor: natural(7 * DAY) },
      GONE: "final",
    },
    transitions: [
      line("DRAFT", "REVIEW", on("submit")),
      line("REVIEW", "APPROVED", outcome("approved")),
      line("REVIEW", "GONE", outcome("rejected")),
      line("APPROVED", "GONE", outcome("withdrawn"), { actions: [{ kind: "emit", event: "onRevoked" }] }),
    ],
  });
  return { ...flow, states: flow.states.map((state) => (state.revocableFor ? { ...state, final: true } : state)) };
})();

test("for a while after the end the initiator withdraws by the line of the final state", () => {
  const approved = (): Driver => {
    const driver = new Driver(revocable);
    driver.start({ event: "submit" });
    driver.decides("ann", "approve");
    return driver;
  };
  const driver = approved();
  assert.deepEqual([driver.instance?.outcome, driver.instance?.timers], ["APPROVED", []]);
  driver.at += 7 * DAY;
  assert.equal(driver.does("bob", { kind: "withdraw" }), "not-authorized");
  assert.equal(driver.does("alice", { kind: "withdraw" }), "accepted");
  assert.equal(driver.instance?.outcome, "GONE");
  assert.ok(driver.emitted.includes("onRevoked"));
  const late = approved();
  late.at += 7 * DAY + 1;
  assert.equal(late.does("alice", { kind: "withdraw" }), "finished");
});
