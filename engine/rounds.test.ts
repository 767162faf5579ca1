import assert from "node:assert/strict";
import { test } from "node:test";
import type { Approval, Group, Mode, People } from "../dsl/index.ts";
import {
  approval,
  DAY,
  Driver,
  dueIn,
  HOUR,
  natural,
  quorum,
  share,
  simple,
  stage,
  users,
  type World,
} from "./testing.ts";

const group = { kind: "group", argument: { kind: "literal", type: { kind: "text" }, value: "g" } } as const;

function submitted(review: Approval, world: World = {}): Driver {
  const driver = new Driver(simple(review), world);
  driver.start({ event: "submit" });
  return driver;
}

/** `a+ b- c0`: a approves, b rejects, c abstains. */
function play(driver: Driver, decisions: string): void {
  for (const one of decisions.split(" ").filter(Boolean)) {
    const decision = ({ "+": "approve", "-": "reject", "0": "abstain" } as const)[one.at(-1) as "+"];
    assert.equal(driver.decides(one.slice(0, -1), decision).kind, "accepted", one);
  }
}

const modes: readonly [Mode | "any" | "all" | "sequence", Group["reject"] | undefined, string, string, string][] = [
  ["any", undefined, "", "REVIEW", "a b c"],
  ["any", undefined, "b+", "APPROVED", ""],
  ["any", undefined, "b-", "REJECTED", ""],
  ["any", undefined, "a0", "REVIEW", "b c"],
  ["any", "rest", "a-", "REVIEW", "b c"],
  ["any", "rest", "a- b+", "APPROVED", ""],
  ["any", "rest", "a- b- c-", "REJECTED", ""],
  ["all", undefined, "a+ c+", "REVIEW", "b"],
  ["all", undefined, "a+ c+ b+", "APPROVED", ""],
  ["all", undefined, "a+ c0 b+", "APPROVED", ""],
  ["all", undefined, "a+ c-", "REJECTED", ""],
  ["sequence", undefined, "", "REVIEW", "a"],
  ["sequence", undefined, "a+", "REVIEW", "b"],
  ["sequence", undefined, "a0 b+", "REVIEW", "c"],
  ["sequence", undefined, "a+ b+ c+", "APPROVED", ""],
  ["sequence", undefined, "a+ b-", "REJECTED", ""],
  [quorum(2), undefined, "a- b+", "REVIEW", "c"],
  [quorum(2), undefined, "a- b+ c+", "APPROVED", ""],
  [quorum(2), undefined, "a+ b+", "APPROVED", ""],
  [quorum(2), undefined, "a- b-", "REJECTED", ""],
  [quorum(2), undefined, "a0 b0", "REJECTED", ""],
  [quorum(2), "one", "a-", "REJECTED", ""],
  [share(2, 3), undefined, "a+ b+", "APPROVED", ""],
  [share(2, 3), undefined, "a+ b0", "REVIEW", "c"],
  [share(2, 3), undefined, "a+ b0 c-", "REJECTED", ""],
  [share(1, 2, true), undefined, "a+ b-", "REVIEW", "c"],
  [share(1, 2, true), undefined, "a+ b- c0", "REJECTED", ""],
];

for (const [mode, reject, decisions, state, waiting] of modes) {
  test(`${JSON.stringify(mode)} ${reject ?? ""} after "${decisions}" is in ${state}`, () => {
    const driver = submitted(approval([stage(users("a", "b", "c"), mode, reject)], { allow: ["abstain"] }));
    play(driver, decisions);
    assert.equal(driver.instance?.state, state);
    assert.deepEqual(driver.waiting, waiting.split(" ").filter(Boolean));
  });
}

test("of two decisions the second is told who was first", () => {
  const driver = submitted(approval([stage(users("a", "b"))]));
  driver.decides("a", "approve");
  const second = driver.decides("b", "reject");
  assert.equal(second.kind === "refused" && second.code, "superseded");
  assert.match(second.kind === "refused" ? second.message : "", /`a` decided first/);
  assert.equal(driver.task("b"), "superseded");
});

test("stages open one after the other, and a rejection in any ends it", () => {
  const stages = [stage(users("a")), stage(users("b", "c"), "all"), stage(users("d"))];
  const driver = submitted(approval(stages));
  play(driver, "a+");
  assert.deepEqual(driver.waiting, ["b", "c"]);
  assert.equal(driver.instance?.round?.stage, 1);
  play(driver, "b+ c+");
  assert.deepEqual(driver.waiting, ["d"]);
  play(driver, "d-");
  assert.equal(driver.instance?.state, "REJECTED");
});

test("a person who is found twice has one seat", () => {
  const driver = submitted(approval([stage(group, "all")]), { "people:group": { people: ["a", "b", "a"] } });
  assert.deepEqual(driver.waiting, ["a", "b"]);
});

const tooFew: readonly [Approval["onEmpty"], World, state: string, waiting: string[], kind: string][] = [
  [{ kind: "hold" }, {}, "REVIEW", [], "held"],
  [{ kind: "skip" }, {}, "APPROVED", [], "skipped"],
  [{ kind: "reject" }, {}, "REJECTED", [], "round-closed"],
  [{ kind: "assign", to: users("x", "y") }, {}, "REVIEW", ["x", "y"], "round-opened"],
  [{ kind: "assign", to: group }, {}, "REVIEW", [], "held"],
];
for (const [onEmpty, world, state, waiting, kind] of tooFew) {
  test(`nobody found with onEmpty ${onEmpty.kind}: ${kind}`, () => {
    const driver = submitted(approval([stage(group, "all")], { onEmpty }), world);
    assert.equal(driver.instance?.state, state);
    assert.deepEqual(driver.waiting, waiting);
    assert.ok(driver.kinds.includes(kind), driver.kinds.join());
  });

  test(`fewer found than must approve, with onEmpty ${onEmpty.kind}, is the same`, () => {
    const review = approval([stage(users("a", "b"), quorum(3))], { onEmpty });
    const driver = submitted(review, world);
    assert.equal(driver.instance?.state, state);
    assert.deepEqual(driver.waiting, waiting);
  });
}

test("who is assigned decides by any, whatever the mode was; the deadline runs for them", () => {
  const onEmpty = { kind: "assign", to: users("x", "y") } as const;
  const driver = submitted(approval([stage(group, "all")], { onEmpty, due: dueIn(DAY) }));
  assert.equal(driver.instance?.timers.length, 2);
  play(driver, "y+");
  assert.equal(driver.instance?.state, "APPROVED");
});

test("if everybody abstains the stage is empty", () => {
  const allow = ["abstain"] as const;
  const held = submitted(approval([stage(users("a", "b"), "all")], { allow }));
  play(held, "a0 b0");
  assert.equal(held.instance?.round?.groups?.[0]?.held, "everybody abstained");
  const skipped = submitted(approval([stage(users("a"))], { allow, onEmpty: { kind: "skip" } }));
  play(skipped, "a0");
  assert.equal(skipped.instance?.state, "APPROVED");
  const onEmpty = { kind: "assign", to: users("a", "z") } as const;
  const assigned = submitted(approval([stage(users("a", "b"), "all")], { allow, onEmpty }));
  play(assigned, "a0 b0");
  assert.deepEqual(assigned.waiting, ["a", "z"]);
  play(assigned, "a0 z0");
  assert.equal(assigned.instance?.round?.groups?.[0]?.held, "everybody abstained");
});

test("a deadline is each seat's own, or the stage's", () => {
  const own = submitted(approval([stage(users("a", "b"), "sequence")], { due: dueIn(DAY) }));
  const stages = submitted(approval([stage(users("a", "b"), "sequence")], { due: dueIn(DAY, true) }));
  for (const driver of [own, stages]) {
    driver.at += 5 * HOUR;
    play(driver, "a+");
  }
  const due = (driver: Driver): number => driver.instance!.round!.seats[1]!.task!.dueAt! - driver.instance!.startedAt;
  assert.equal(due(own), DAY + 5 * HOUR);
  assert.equal(due(stages), DAY);
});

test("a passed round leaves no task, no seat and no timer open", () => {
  const options = { due: dueIn(DAY), remind: { every: natural(HOUR) } };
  const driver = submitted(approval([stage(users("a", "b", "c"), "sequence", "one")], options));
  play(driver, "a-");
  assert.deepEqual(driver.instance?.timers, []);
  assert.deepEqual(
    driver.accepted.at(-1)?.tasks.map(({ status }) => status),
    ["rejected"],
  );
});

test("an event that leaves the state cancels what is open", () => {
  const driver = submitted(approval([stage(users("a", "b"), "all")]));
  play(driver, "a+");
  driver.event("cancel");
  assert.equal(driver.instance?.state, "CANCELLED");
  assert.equal(driver.task("b"), "cancelled");
  assert.equal(driver.task("a"), "approved");
  assert.equal(driver.decides("b", "approve").kind === "refused" && driver.code, "task-closed");
});

test("people are resolved when the round opens, along managers and chains", () => {
  const world: World = {
    'people:managerOf(["alice"])': { people: ["m1"] },
    'people:managerOf(["m1"])': { people: ["m2"] },
    'people:managersOf(["alice"])': { people: ["m1", "m2", "alice", "m3"] },
  };
  const initiator = { kind: "initiator" } as const;
  const found = (people: People): string[] => submitted(approval([stage(people, "all")]), world).waiting;
  assert.deepEqual(found({ kind: "managerOf", of: initiator, level: 1 }), ["m1"]);
  assert.deepEqual(found({ kind: "managerOf", of: initiator, level: 2 }), ["m2"]);
  assert.deepEqual(found({ kind: "managerOf", of: initiator, level: 3 }), []);
  assert.deepEqual(found({ kind: "managersOf", of: initiator, upTo: 2, topDown: false }), ["m1", "m2"]);
  assert.deepEqual(found({ kind: "managersOf", of: initiator, upTo: "top", topDown: true }), ["m3", "m2", "m1"]);
});

test("a directory that can't answer refuses the command, and is not taken for an empty stage", () => {
  const driver = submitted(approval([stage(group)]), { "people:group": { failed: "timeout", retryable: true } });
  assert.equal(driver.code, "function-failed");
  assert.equal(driver.last?.kind === "refused" && driver.last.retryable, true);
  assert.equal(driver.instance, undefined);
});

test("all that must be asked for a set of people is asked at once", () => {
  const of = { kind: "users", ids: ["a", "b"] } as const;
  const driver = submitted(approval([stage({ kind: "managerOf", of, level: 1 }, "all")]), {
    "people:managerOf": undefined,
  });
  assert.deepEqual(driver.last?.kind === "needs" && driver.last.questions.map(({ key }) => key), [
    'people:managerOf(["a"])',
    'people:managerOf(["b"])',
  ]);
});
