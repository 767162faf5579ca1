import assert from "node:assert/strict";
import { test } from "node:test";
import type { Approval, Group, People, PeopleStage } from "../dsl/index.ts";
import {
  approval,
  BOOL,
  Driver,
  dataField,
  definition,
  field,
  group,
  handling,
  line,
  MONEY,
  moreThan,
  outcome,
  quorum,
  share,
  simple,
  stage,
  users,
  type World,
} from "./testing.ts";

const groupOf = (name: string): People => ({
  kind: "group",
  argument: { kind: "literal", type: { kind: "text" }, value: name },
});
const vote = (groups: readonly Group[], veto?: People): PeopleStage => ({
  kind: "vote",
  groups,
  ...(veto && { veto }),
});

function opened(chain: Approval["chain"], options: Partial<Approval> = {}, world: World = {}): Driver {
  const driver = new Driver(simple(approval(chain, options)), world);
  driver.start({ event: "submit" });
  return driver;
}

// ---------------------------------------------------------------------------------------------------------------- //
// Groups
// ---------------------------------------------------------------------------------------------------------------- //

test("every group must reach its own threshold; those who are no longer needed are superseded", () => {
  const driver = opened([vote([group(users("a", "b"), "any"), group(users("c", "d"), "all")])]);
  driver.decides("a", "approve");
  assert.deepEqual([driver.task("b"), driver.waiting], ["superseded", ["c", "d"]]);
  const late = driver.decides("b", "reject");
  assert.match(late.kind === "refused" ? late.message : "", /`a` decided first/);
  driver.decides("c", "approve");
  assert.equal(driver.instance?.state, "REVIEW");
  driver.decides("d", "approve");
  assert.equal(driver.instance?.state, "APPROVED");
});

test("a rejection of one group rejects the stage", () => {
  const driver = opened([vote([group(users("a", "b"), "any"), group(users("c"), "all")])]);
  driver.decides("c", "reject");
  assert.deepEqual([driver.instance?.state, driver.task("a")], ["REJECTED", "superseded"]);
});

test("somebody in two groups has one task and fills both seats with one decision", () => {
  const driver = opened([vote([group(users("a", "b"), "all"), group(users("a", "c"), "any")])]);
  assert.deepEqual(driver.waiting, ["a", "b", "c"]);
  driver.decides("c", "approve");
  assert.deepEqual(driver.waiting, ["a", "b"], "a still sits in the group that has no result");
  driver.decides("a", "approve");
  driver.decides("b", "approve");
  assert.equal(driver.instance?.state, "APPROVED");
});

test("an empty group has its own onEmpty", () => {
  const groups = [group(groupOf("none")), group(users("c"))];
  const cases: readonly [Approval["onEmpty"], string, string[]][] = [
    [{ kind: "skip" }, "APPROVED", []],
    [{ kind: "reject" }, "REJECTED", []],
    [{ kind: "hold" }, "REVIEW", []],
    [{ kind: "assign", to: users("x") }, "REVIEW", ["x"]],
  ];
  for (const [onEmpty, state, waiting] of cases) {
    const driver = opened([vote(groups)], { onEmpty });
    driver.decides("c", "approve");
    assert.deepEqual([driver.instance?.state, driver.waiting], [state, waiting], onEmpty.kind);
  }
});

test("a group that holds does not hide another's certain rejection", () => {
  const groups = [group(users("c"), "any"), group(users("d", "c"), quorum(2))];
  const driver = opened([vote(groups)], { allow: ["abstain"] });
  driver.decides("c", "abstain");
  assert.equal(driver.instance?.state, "REJECTED");
});

test("a transfer to one of another group joins the two seats", () => {
  const driver = opened([vote([group(users("a", "b"), "all"), group(users("c"), "all")])], { allow: ["transfer"] });
  driver.does("a", { kind: "transfer", to: "c" });
  assert.deepEqual(driver.waiting, ["b", "c"]);
  driver.decides("c", "approve");
  driver.decides("b", "approve");
  assert.equal(driver.instance?.state, "APPROVED");
});

// ---------------------------------------------------------------------------------------------------------------- //
// Veto, weights, picks
// ---------------------------------------------------------------------------------------------------------------- //

test("a veto seat is waited for, and its rejection ends the stage whatever the mode", () => {
  const voting = vote([group(users("a", "b", "c"), quorum(1))], users("c", "zoe"));
  const passed = opened([voting]);
  passed.decides("a", "approve");
  assert.deepEqual(passed.waiting, ["b", "c"], "the round has no result yet");
  passed.decides("c", "approve");
  assert.equal(passed.instance?.state, "APPROVED");
  const ended = opened([voting]);
  ended.decides("c", "reject");
  assert.equal(ended.instance?.state, "REJECTED");
  const abstained = opened([voting], { allow: ["abstain"] });
  abstained.decides("a", "approve");
  abstained.decides("c", "abstain");
  assert.equal(abstained.instance?.state, "APPROVED");
});

test("the veto goes along with a transfer, and is no delegate's", () => {
  const driver = opened([vote([group(users("a", "b"), quorum(1))], users("b"))], { allow: ["transfer", "delegate"] });
  driver.does("b", { kind: "transfer", to: "x" });
  driver.does("x", { kind: "delegate", to: "y" });
  driver.decides("y", "reject");
  assert.deepEqual(driver.waiting, ["a", "x"]);
  driver.decides("x", "reject");
  assert.equal(driver.instance?.state, "REJECTED");
});

const weighted = stage(users("a", "b", "c"), {
  kind: "quorum",
  threshold: { kind: "share", part: 60, of: 100, strict: false },
  weight: "shares",
});
const shares = (...weights: unknown[]): World =>
  Object.fromEntries(["a", "b", "c"].map((who, at) => [`value:shares(["${who}"])`, { value: weights[at] as number }]));

test("weights are asked when the seats open and need not total 100", () => {
  const driver = opened([weighted], {}, shares(0.6, "0.3", 0.1));
  driver.decides("a", "approve");
  assert.equal(driver.instance?.state, "APPROVED");
  const short = opened([weighted], {}, shares(0.5, 0.3, 0.2));
  short.decides("a", "approve");
  assert.equal(short.instance?.state, "REVIEW");
  short.decides("c", "approve");
  assert.equal(short.instance?.state, "APPROVED");
});

test("a weight that is zero, negative or missing makes the stage empty, with an alert that names the person", () => {
  for (const weight of [0, -1, "x", null]) {
    const driver = opened([weighted], {}, shares(1, weight, 1));
    assert.match(driver.instance?.round?.groups?.[0]?.held ?? "", /^b has no weight/, String(weight));
    assert.match(driver.told, /Somebody must look: b has no weight/);
  }
});

test("a transfer keeps the seat's weight; where seats collapse the remaining one keeps its own", () => {
  const driver = opened([weighted], { allow: ["transfer"] }, shares(5, 4, 1));
  driver.does("a", { kind: "transfer", to: "c" });
  assert.deepEqual(driver.waiting, ["b", "c"]);
  driver.decides("c", "approve");
  assert.equal(driver.instance?.state, "REVIEW", "1 of 5");
  driver.decides("b", "approve");
  assert.equal(driver.instance?.state, "APPROVED");
});

test("one of many is picked by round and list, the same each time", () => {
  const people = Array.from({ length: 20 }, (_, at) => `p${at}`);
  const picking: PeopleStage = { kind: "vote", groups: [group(users(...people), "any", "one", true)] };
  const rounds = (): string[] => {
    const driver = opened([picking], { allow: ["returnTo"] });
    const picked = [driver.waiting[0]!];
    for (let round = 0; round < 5; round++) {
      driver.does(driver.waiting[0]!, { kind: "return", to: { kind: "initiator" } });
      driver.event("submit", "alice");
      assert.equal(driver.waiting.length, 1);
      picked.push(driver.waiting[0]!);
    }
    return picked;
  };
  assert.deepEqual(rounds(), rounds());
  assert.ok(new Set(rounds()).size > 1, "every round picks anew");
});

// ---------------------------------------------------------------------------------------------------------------- //
// Claim
// ---------------------------------------------------------------------------------------------------------------- //

const finance: World = { "people:group": { people: ["f1", "f2", "f3"] } };

test("a group under any shares one task, which is claimed and released", () => {
  const driver = opened([stage(groupOf("finance"))], { allow: ["claim"] }, finance);
  const [task] = [...driver.tasks.values()];
  assert.deepEqual([driver.tasks.size, task?.assignee, task?.candidates], [1, "", ["f1", "f2", "f3"]]);
  assert.equal(driver.does("x", { kind: "claim" }), "not-your-task");
  assert.equal(driver.does("f1", { kind: "claim" }), "accepted");
  assert.equal(driver.does("f2", { kind: "claim" }), "not-your-task");
  assert.equal(driver.does("f2", { kind: "release" }), "not-your-task");
  assert.equal(driver.does("f1", { kind: "release" }), "accepted");
  assert.equal(driver.does("f2", { kind: "decide", decision: "approve" }), "accepted", "deciding claims it");
  assert.equal(driver.does("f3", { kind: "decide", decision: "approve" }), "superseded");
  assert.equal(driver.tasks.size, 1);
  assert.equal(driver.task("f2"), "approved");
});

test("without the permission, or in another mode, every member has a seat", () => {
  assert.deepEqual(opened([stage(groupOf("finance"))], {}, finance).waiting, ["f1", "f2", "f3"]);
  assert.deepEqual(opened([stage(groupOf("finance"), "all")], { allow: ["claim"] }, finance).waiting, [
    "f1",
    "f2",
    "f3",
  ]);
  const own = opened([stage(users("a"))], { allow: ["claim"] });
  assert.equal(own.does("a", { kind: "claim" }), "not-allowed");
  assert.equal(own.does("a", { kind: "release" }), "not-allowed");
});

// ---------------------------------------------------------------------------------------------------------------- //
// Handlers, automatic stages, matrices, collecting
// ---------------------------------------------------------------------------------------------------------------- //

function handled(options: Partial<Approval> = {}): Driver {
  const driver = new Driver(
    definition({
      states: { OPEN: approval([handling(users("a")), handling(users("b"))], options), DONE: "final", BACK: "final" },
      transitions: [line("OPEN", "DONE", outcome("done")), line("OPEN", "BACK", outcome("returned"))],
    }),
  );
  driver.start();
  return driver;
}

test("who handles something does it, transfers or returns it, and nothing else", () => {
  const driver = handled({ allow: ["transfer", "returnTo", "abstain"] });
  for (const decision of ["approve", "reject", "abstain"] as const) {
    driver.decides("a", decision);
    assert.equal(driver.code, "not-allowed", decision);
  }
  driver.decides("a", "handle");
  assert.equal(driver.task("a"), "handled");
  driver.does("b", { kind: "transfer", to: "c" });
  driver.decides("c", "handle");
  assert.equal(driver.instance?.outcome, "DONE");
  const voting = opened([stage(users("a"))]);
  voting.decides("a", "handle");
  assert.equal(voting.code, "not-allowed");
});

test("an automatic stage asks nobody; the history says by which rule", () => {
  const chain = [{ kind: "auto", condition: moreThan("amount", 100) }, stage(users("a"))] as const;
  const flow = simple(approval(chain), {
    fields: [dataField("amount", MONEY)],
    events: { submit: ["amount"] },
  });
  const passed = new Driver(flow);
  passed.start({ event: "submit", payload: { amount: 101 } });
  assert.deepEqual(passed.waiting, ["a"]);
  assert.match(passed.told, /approved by the system \(auto: amount > 100 holds\)/);
  const failed = new Driver(flow);
  failed.start({ event: "submit", payload: { amount: 100 } });
  assert.equal(failed.instance?.state, "REJECTED");
});

test("a matrix is looked up when the state is entered, and its row stays", () => {
  const row = (low: number, high: number | undefined, ...stages: PeopleStage[]) => ({
    cells: [
      {
        kind: "intervals" as const,
        intervals: [
          {
            low: { value: low, included: true },
            ...(high !== undefined && { high: { value: high, included: false } }),
          },
        ],
      },
    ],
    stages,
  });
  const matrix = {
    name: "signOff",
    parameters: [{ name: "amount", type: MONEY }],
    rows: [row(0, 10_000, stage(users("a"))), row(10_000, undefined, stage(users("a")), stage(users("b")))],
  };
  const use = { kind: "matrix", matrix: "signOff", arguments: [field("amount", MONEY)], handle: false } as const;
  const flow = simple(approval([use, stage(users("z"))], { edit: ["amount"] }), {
    fields: [dataField("amount", MONEY)],
    events: { submit: ["amount"] },
    more: { matrices: { signOff: matrix } },
  });
  const driver = new Driver(flow);
  driver.start({ event: "submit", payload: { amount: "100.00" } });
  assert.match(driver.told, /Row 2 of the matrix signOff/);
  driver.decides("a", "approve", { payload: { amount: "5.00" } });
  assert.deepEqual(driver.waiting, ["b"], "the row is that of the entering");
  driver.decides("b", "approve");
  assert.deepEqual(driver.waiting, ["z"]);
});

test("collect: all keeps the stage open for every opinion, which change nothing", () => {
  const driver = opened([stage(users("a", "b", "c"), quorum(1))], { collectAll: true });
  driver.decides("a", "approve");
  assert.deepEqual([driver.instance?.state, driver.waiting], ["REVIEW", ["b", "c"]]);
  driver.decides("b", "reject");
  driver.decides("c", "reject");
  assert.equal(driver.instance?.state, "APPROVED");
});

test("edits are part of the decision, within what the stage may edit; `reopens` asks the others again", () => {
  const flow = (editReopens: boolean) =>
    simple(approval([stage(users("a", "b"), "all")], { edit: ["amount"], editReopens }), {
      fields: [dataField("amount", MONEY), dataField("other", BOOL, { optional: true })],
      events: { submit: ["amount"] },
    });
  const start = (editReopens: boolean): Driver => {
    const driver = new Driver(flow(editReopens));
    driver.start({ event: "submit", payload: { amount: 1 } });
    driver.decides("a", "approve");
    driver.decides("b", "approve", { payload: { other: true } });
    assert.equal(driver.code, "not-allowed");
    driver.decides("b", "approve", { payload: { amount: "x" } });
    assert.equal(driver.code, "wrong-type");
    driver.decides("b", "approve", { payload: { amount: 2 } });
    return driver;
  };
  assert.equal(start(false).instance?.state, "APPROVED");
  const driver = start(true);
  assert.deepEqual([driver.instance?.data["amount"], driver.waiting], [200, ["a"]]);
  driver.decides("a", "approve");
  assert.equal(driver.instance?.state, "APPROVED");
});

test("a signature is asked for where it is required", () => {
  const driver = opened([stage(users("a"))], { signatureRequired: true });
  assert.equal(driver.does("a", { kind: "decide", decision: "approve" }), "signature-required");
  assert.equal(driver.does("a", { kind: "decide", decision: "approve", signature: "sig-1" }), "accepted");
  assert.match(driver.told, /signed/);
});

test("shares of those who are left", () => {
  const driver = opened([stage(users("a", "b", "c"), share(2, 3))], { abstain: "no", allow: ["abstain"] });
  driver.decides("a", "abstain");
  driver.decides("b", "approve");
  driver.decides("c", "reject");
  assert.equal(driver.instance?.state, "REJECTED");
});
