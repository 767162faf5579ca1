import assert from "node:assert/strict";
import { test } from "node:test";
import type { Approval, Branch, Definition, Parallel, Transition } from "../dsl/index.ts";
import {
  after,
  approval,
  branch,
  DAY,
  Driver,
  dataField,
  definition,
  field,
  group,
  line,
  literal,
  MONEY,
  moreThan,
  on,
  outcome,
  stage,
  users,
} from "./testing.ts";

// ---------------------------------------------------------------------------------------------------------------- //
// Branches
// ---------------------------------------------------------------------------------------------------------------- //

const check = (name: string, who: string, options: Partial<Approval> = {}, more: Partial<Branch> = {}): Branch =>
  branch(
    name,
    { CHECK: approval([stage(users(who))], options), OK: "final", NO: "final" },
    [line("CHECK", "OK", outcome("approved")), line("CHECK", "NO", outcome("rejected"))],
    more,
  );

interface Forked {
  readonly branches: readonly Branch[];
  readonly join?: Parallel["join"];
  readonly rejectOne?: boolean;
  readonly lines?: readonly Transition[];
}

function forked({ branches, join = { kind: "all" }, rejectOne = false, lines = [] }: Forked): Definition {
  return definition({
    states: { DRAFT: "plain", REVIEW: { parallel: { branches, join, rejectOne } }, DONE: "final", BAD: "final" },
    fields: [dataField("amount", MONEY, { default: 0 })],
    events: { submit: ["amount"] },
    transitions: [line("DRAFT", "REVIEW", on("submit")), line("REVIEW", "DONE", outcome("joined")), ...lines],
  });
}

function run(flow: Definition, amount = 0): Driver {
  const driver = new Driver(flow);
  driver.start({ event: "submit", payload: { amount } });
  return driver;
}

const standing = (driver: Driver): Record<string, string> =>
  Object.fromEntries(Object.entries(driver.instance?.branches ?? {}).map(([name, { state }]) => [name, state]));

test("all branches run side by side and join when each has arrived, wherever that is", () => {
  const driver = run(forked({ branches: [check("legal", "ann"), check("money", "bob")] }));
  assert.deepEqual(driver.waiting, ["ann", "bob"]);
  driver.decides("ann", "reject");
  assert.deepEqual(standing(driver), { legal: "NO", money: "CHECK" });
  driver.decides("bob", "approve");
  assert.equal(driver.instance?.outcome, "DONE");
  assert.equal(driver.instance?.branches, undefined);
});

test("join any and join N cancel the rest", () => {
  const branches = [check("a", "ann"), check("b", "bob"), check("c", "cid")];
  const any = run(forked({ branches, join: { kind: "any" } }));
  any.decides("bob", "approve");
  assert.deepEqual([any.instance?.outcome, any.task("ann")], ["DONE", "cancelled"]);
  const two = run(forked({ branches, join: { kind: "count", count: 2 } }));
  two.decides("bob", "approve");
  assert.equal(two.instance?.state, "REVIEW");
  two.decides("ann", "reject");
  assert.deepEqual([two.instance?.outcome, two.task("cid")], ["DONE", "cancelled"]);
});

test("only branches whose condition holds are entered, and the join waits for exactly these", () => {
  const large = { condition: moreThan("amount", 100) };
  const branches = [check("legal", "ann"), check("money", "bob", {}, large)];
  assert.deepEqual(run(forked({ branches }), 50).waiting, ["ann"]);
  const both = run(forked({ branches, join: { kind: "count", count: 2 } }), 50);
  both.decides("ann", "approve");
  assert.equal(both.instance?.outcome, "DONE", "N is lowered to the number entered");
  const none = [check("money", "bob", {}, large), check("rest", "cid", {}, { otherwise: true })];
  assert.deepEqual(run(forked({ branches: none }), 50).waiting, ["cid"]);
  assert.deepEqual(run(forked({ branches: none }), 500).waiting, ["bob"]);
  assert.equal(run(forked({ branches: [none[0]!] }), 50).instance?.outcome, "DONE", "none joins at once");
});

test("where the branches stand is known when they join", () => {
  const state = { kind: "branch-state", branch: "legal", type: { kind: "text" } } as const;
  const isNo = {
    kind: "binary",
    operator: "==",
    left: state,
    right: literal({ kind: "text" }, "NO"),
    type: { kind: "bool" },
  } as const;
  const flow = definition({
    states: {
      REVIEW: { parallel: { branches: [check("legal", "ann")], join: { kind: "all" }, rejectOne: false } },
      DONE: "final",
      BAD: "final",
    },
    transitions: [
      line("REVIEW", "BAD", outcome("joined"), { condition: isNo }),
      line("REVIEW", "DONE", outcome("joined"), { otherwise: true }),
    ],
  });
  for (const [decision, end] of [
    ["approve", "DONE"],
    ["reject", "BAD"],
  ] as const) {
    const driver = new Driver(flow);
    driver.start();
    driver.decides("ann", decision);
    assert.equal(driver.instance?.outcome, end);
  }
});

test("a line may lead out of the branch: every branch is cancelled with its tasks and timers", () => {
  const leaving = branch("legal", { CHECK: approval([stage(users("ann"))]), OK: "final" }, [
    line("CHECK", "OK", outcome("approved")),
    line("CHECK", "BAD", outcome("rejected"), { up: 1 }),
  ]);
  const timed = branch("money", { WAIT: "plain", OK: "final" }, [line("WAIT", "OK", after(DAY))]);
  const driver = run(forked({ branches: [leaving, timed] }));
  assert.deepEqual(
    driver.instance?.timers.map(({ place }) => place),
    ["money"],
  );
  driver.decides("ann", "reject");
  assert.deepEqual([driver.instance?.outcome, driver.instance?.timers], ["BAD", []]);
});

test("a rejection that its branch does not handle ends the parallel where one is enough", () => {
  const open = branch("legal", { CHECK: approval([stage(users("ann"))]), OK: "final" }, [
    line("CHECK", "OK", outcome("approved")),
  ]);
  const lines = [line("REVIEW", "BAD", outcome("rejected"))];
  const driver = run(forked({ branches: [open, check("money", "bob")], rejectOne: true, lines }));
  driver.decides("bob", "reject");
  assert.equal(driver.instance?.state, "REVIEW", "it is handled inside");
  driver.decides("ann", "reject");
  assert.equal(driver.instance?.outcome, "BAD");
});

test("every branch that waits for an event takes it, and else the state around them", () => {
  const waits = (name: string): Branch => branch(name, { WAIT: "plain", OK: "final" }, [line("WAIT", "OK", on("go"))]);
  const lines = [line(["DRAFT", "REVIEW"], "BAD", on("stop"), { any: true })];
  const driver = run(forked({ branches: [waits("a"), waits("b"), check("c", "cid")], lines }));
  driver.event("go", "alice");
  assert.deepEqual(standing(driver), { a: "OK", b: "OK", c: "CHECK" });
  driver.event("stop", "alice");
  assert.deepEqual([driver.instance?.outcome, driver.task("cid")], ["BAD", "cancelled"]);
});

test("one person in two branches has two tasks, and says which one is meant", () => {
  const driver = run(forked({ branches: [check("a", "ann"), check("b", "ann")] }));
  assert.equal(driver.does("ann", { kind: "decide", decision: "approve" }), "not-your-task");
  assert.equal(driver.does("ann", { kind: "decide", decision: "approve", in: "b" }), "accepted");
  assert.equal(driver.does("ann", { kind: "decide", decision: "approve" }), "accepted");
  assert.equal(driver.instance?.outcome, "DONE");
});

test("a return from inside a branch: in it, or to before the fork, which cancels all of them", () => {
  const two = (allow: Approval["allow"]): Branch =>
    branch(
      "legal",
      { FIRST: approval([stage(users("ann"))]), SECOND: approval([stage(users("bob"))], { allow }), OK: "final" },
      [line("FIRST", "SECOND", outcome("approved")), line("SECOND", "OK", outcome("approved"))],
    );
  const start = (): Driver => {
    const driver = run(forked({ branches: [two(["returnTo"]), check("money", "cid")] }));
    driver.decides("ann", "approve");
    return driver;
  };
  const inside = start();
  inside.does("bob", { kind: "return", to: { kind: "state", state: "FIRST" } });
  assert.deepEqual([standing(inside)["legal"], inside.waiting], ["FIRST", ["ann", "cid"]]);
  const outside = start();
  outside.does("bob", { kind: "return", to: { kind: "state", state: "DRAFT" } });
  assert.deepEqual([outside.instance?.state, outside.waiting, outside.task("cid")], ["DRAFT", [], "cancelled"]);
  assert.equal(start().does("bob", { kind: "return", to: { kind: "state", state: "CHECK" } }), "no-such-target");
});

test("a withdrawal in a branch takes the line of the state around it", () => {
  const lines = [line("REVIEW", "BAD", outcome("withdrawn"))];
  const driver = run(forked({ branches: [check("a", "ann", { allow: ["withdraw"] }), check("b", "bob")], lines }));
  assert.equal(driver.does("alice", { kind: "withdraw" }), "accepted");
  assert.equal(driver.instance?.outcome, "BAD");
});

test("administrators override and jump within a branch", () => {
  const driver = run(forked({ branches: [check("a", "ann"), check("b", "bob")] }));
  const reason = "r";
  assert.equal(driver.does("root", { kind: "override", decision: "approve", reason }), "not-possible-in-state");
  driver.does("root", { kind: "override", decision: "approve", in: "a", reason });
  assert.deepEqual(standing(driver), { a: "OK", b: "CHECK" });
  driver.does("root", { kind: "jump", branch: "b", state: "NO", reason });
  assert.equal(driver.instance?.outcome, "DONE");
});

test("the approver before picks for the first stage of a branch", () => {
  const chosen = branch("legal", { CHECK: approval([stage({ kind: "chosen", field: "next" })]), OK: "final" }, [
    line("CHECK", "OK", outcome("approved")),
  ]);
  const driver = new Driver(
    definition({
      states: {
        FIRST: approval([stage(users("ann"))]),
        REVIEW: { parallel: { branches: [chosen], join: { kind: "all" }, rejectOne: false } },
        OK: "final",
      },
      fields: [dataField("next", { kind: "user" }, { optional: true })],
      transitions: [line("FIRST", "REVIEW", outcome("approved")), line("REVIEW", "OK", outcome("joined"))],
    }),
  );
  driver.start();
  driver.decides("ann", "approve");
  assert.equal(driver.code, "choice-required");
  driver.decides("ann", "approve", { choose: { next: "xia" } });
  assert.deepEqual(driver.waiting, ["xia"]);
});

test("leaving `initial` out of a branch needs the required fields", () => {
  const leaving = branch("a", { WAIT: "plain", OK: "final" }, [line("WAIT", "NEXT", on("go"), { up: 1 })]);
  const driver = new Driver(
    definition({
      states: { FORK: { parallel: { branches: [leaving], join: { kind: "all" }, rejectOne: false } }, NEXT: "plain" },
      fields: [dataField("title", { kind: "text" })],
      events: { go: ["title"] },
      transitions: [],
    }),
  );
  driver.start();
  driver.event("go", "alice");
  assert.equal(driver.code, "missing-field");
  driver.event("go", "alice", { title: "x" });
  assert.equal(driver.instance?.state, "NEXT");
});

test("branches fork again", () => {
  const inner: Parallel = { branches: [check("x", "xia"), check("y", "yan")], join: { kind: "all" }, rejectOne: false };
  const outer = branch("a", { FORK: { parallel: inner }, OK: "final" }, [line("FORK", "OK", outcome("joined"))]);
  const driver = run(forked({ branches: [outer, check("b", "bob")] }));
  assert.deepEqual(driver.waiting, ["xia", "yan", "bob"]);
  assert.equal([...driver.tasks.values()][0]?.place, "a/x");
  driver.decides("xia", "approve");
  driver.decides("yan", "approve");
  driver.decides("bob", "approve");
  assert.equal(driver.instance?.outcome, "DONE");
});

// ---------------------------------------------------------------------------------------------------------------- //
// Sub-flows
// ---------------------------------------------------------------------------------------------------------------- //

const seal = definition({
  states: {
    DRAFT: "plain",
    CHECK: approval([stage(users("sam"))], { allow: ["returnTo"] }),
    APPROVED: "final",
    REFUSED: "final",
  },
  fields: [dataField("document", { kind: "text" }), dataField("pages", { kind: "int" }, { default: 1 })],
  events: { submit: [] },
  transitions: [
    line("DRAFT", "CHECK", on("submit"), { by: { kind: "initiator" } }),
    line("CHECK", "APPROVED", outcome("approved"), { actions: [{ kind: "emit", event: "onSealed" }] }),
    line("CHECK", "REFUSED", outcome("rejected")),
    line("CHECK", "CHECK", on("again")),
  ],
  more: { flow: "seal", hash: "seal-hash", label: "1.0" },
});

const isApproved = {
  kind: "binary",
  operator: "==",
  left: { kind: "builtin", name: "outcome", type: { kind: "text" } },
  right: literal({ kind: "text" }, "APPROVED"),
  type: { kind: "bool" },
} as const;

function contract(fields: Record<string, string> = { document: "title" }, event: string | null = "submit"): Definition {
  const run = {
    kind: "flow" as const,
    flow: "seal",
    ...(event !== null && { event }),
    fields: Object.fromEntries(Object.entries(fields).map(([name, from]) => [name, field(from, { kind: "text" })])),
  };
  return definition({
    states: { DRAFT: "plain", SEALING: { run }, DONE: "final", BAD: "final" },
    fields: [dataField("title", { kind: "text" })],
    events: { go: ["title"] },
    transitions: [
      line("DRAFT", "SEALING", on("go")),
      line("SEALING", "DONE", outcome("done"), { condition: isApproved }),
      line("SEALING", "BAD", outcome("done"), { otherwise: true }),
      line("SEALING", "BAD", on("stop")),
    ],
  });
}

function sealing(flow = contract()): Driver {
  const driver = new Driver(flow, { "flow:seal": { definition: "seal-hash" } }, [seal]);
  driver.start({ event: "go", payload: { title: "Contract" }, actor: "alice" });
  return driver;
}

test("a sub-flow lives in its parent: started with its fields, in the name of the initiator", () => {
  const driver = sealing();
  assert.equal(driver.code, "accepted");
  const child = driver.instance?.child;
  assert.deepEqual([child?.id, child?.definition, child?.state], ["i/1", "seal-hash", "CHECK"]);
  assert.deepEqual(child?.data, { document: "Contract", pages: 1 });
  const [task] = [...driver.tasks.values()];
  assert.deepEqual([task?.id, task?.place, task?.flow, driver.waiting], ["i-1", "1", "seal", ["sam"]]);
});

test("its outcome comes up, a rejection too", () => {
  for (const [decision, end] of [
    ["approve", "DONE"],
    ["reject", "BAD"],
  ] as const) {
    const driver = sealing();
    driver.decides("sam", decision);
    assert.equal(driver.instance?.outcome, end);
    assert.equal(driver.instance?.child, undefined);
  }
});

test("its events go out as its own", () => {
  const driver = sealing();
  driver.decides("sam", "approve");
  const events = driver.effects.flatMap((effect) => (effect.kind === "publish" ? effect.events : []));
  const sealed = events.find(({ event }) => event === "onSealed")!;
  assert.deepEqual([sealed.flow, (sealed.data as { instance: string }).instance], ["seal", "i/1"]);
});

test("whatever leaves the parent's state cancels it", () => {
  const driver = sealing();
  driver.event("stop", "alice");
  assert.deepEqual(
    [driver.instance?.outcome, driver.task("sam"), driver.instance?.child],
    ["BAD", "cancelled", undefined],
  );
  const voided = sealing();
  voided.does("root", { kind: "void", reason: "r" });
  assert.deepEqual([voided.task("sam"), voided.instance?.child], ["cancelled", undefined]);
});

test("an event that the parent does not wait for reaches it", () => {
  const driver = sealing();
  driver.event("again", "alice");
  assert.equal(driver.instance?.child?.round?.number, 2);
});

test("a sub-flow that refuses its event, or that nobody has, refuses what would start it", () => {
  const refused = sealing(contract({}));
  assert.deepEqual([refused.code, refused.instance], ["missing-field", undefined]);
  const unknown = new Driver(contract(), { "flow:seal": { definition: "gone" } }, [seal]);
  unknown.start({ event: "go", payload: { title: "x" } });
  assert.equal(unknown.last?.kind === "refused" && unknown.last.retryable, true);
  assert.equal(sealing(contract({ document: "title" }, null)).instance?.child?.state, "DRAFT");
});

test("an instance whose sub-flow's definition is away refuses for now", () => {
  const driver = sealing();
  const away = new Driver(contract(), {}, []);
  away.instance = driver.instance;
  away.send({ kind: "decide", decision: "approve", actor: "sam", id: "late" });
  assert.equal(away.code, "function-failed");
});

test("a stage of groups in a branch counts its rounds apart", () => {
  const both = { kind: "vote" as const, groups: [group(users("ann"))] };
  const legal = branch("legal", { CHECK: approval([both]), OK: "final" }, [
    line("CHECK", "OK", outcome("approved")),
    line("CHECK", "CHECK", on("redo")),
  ]);
  const driver = run(forked({ branches: [legal] }));
  driver.event("redo", "alice");
  assert.deepEqual(driver.instance?.rounds, { "legal:CHECK/0": 2 });
});
