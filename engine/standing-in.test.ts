import assert from "node:assert/strict";
import { test } from "node:test";
import type { Approval, Definition, People, Property } from "../dsl/index.ts";
import {
  approval,
  DAY,
  Driver,
  dataField,
  definition,
  dueIn,
  line,
  MONEY,
  natural,
  on,
  outcome,
  simple,
  stage,
  users,
  type World,
} from "./testing.ts";
import type { Absence } from "./types.ts";

const absent = (absences: Readonly<Record<string, Absence>>): World => ({ "absences:absences": { absences } });
const away = (deputy?: string, from = "2026-01-05", to = "2026-01-09"): Absence => ({
  away: [{ from, to, ...(deputy !== undefined && { deputy }) }],
});
const left = (successor?: string): Absence => ({ left: { ...(successor !== undefined && { successor }) } });

function opened(
  people: People,
  options: Partial<Approval> = {},
  world: World = {},
  more: Partial<Definition> = {},
): Driver {
  const driver = new Driver(simple(approval([stage(people, "all")], options), { more }), world);
  driver.start({ event: "submit" });
  return driver;
}

// ---------------------------------------------------------------------------------------------------------------- //
// Deputies and successors
// ---------------------------------------------------------------------------------------------------------------- //

const replaced: readonly [string, Record<string, Absence>, waiting: string[]][] = [
  ["a deputy sits for who is away", { bob: away("dan") }, ["ann", "dan"]],
  ["who is away without one stays", { bob: away() }, ["ann", "bob"]],
  ["an absence that is over, or is to come, is none", { bob: away("dan", "2025-12-01", "2026-01-04") }, ["ann", "bob"]],
  ["both days are absent as a whole", { bob: away("dan", "2026-01-01", "2026-01-05") }, ["ann", "dan"]],
  ["the chain is followed to the first who is there", { bob: away("dan"), dan: away("eve") }, ["ann", "eve"]],
  ["one that closes on itself stays", { bob: away("dan"), dan: away("bob") }, ["ann", "bob"]],
  ["a deputy who sits already has one seat", { bob: away("ann") }, ["ann"]],
  ["a successor gets the seat of who left", { bob: left("finn") }, ["ann", "finn"]],
  ["nobody follows: the seat is dropped", { bob: left() }, ["ann"]],
  ["a successor may be away", { bob: left("finn"), finn: away("gus") }, ["ann", "gus"]],
];
for (const [why, absences, waiting] of replaced) {
  test(why, () => {
    assert.deepEqual(opened(users("ann", "bob"), {}, absent(absences)).waiting, waiting);
  });
}

test("both names of a deputy's decision are in the history", () => {
  const driver = opened(users("bob"), {}, absent({ bob: away("dan") }));
  assert.equal(driver.does("bob", { kind: "decide", decision: "approve" }), "not-your-task");
  driver.decides("dan", "approve");
  assert.match(driver.told, /dan stands in for bob: absent\./);
  assert.match(driver.told, /dan approved the task i-1 on behalf of bob\./);
  assert.equal(driver.tasks.get("i-1")?.onBehalfOf, "bob");
});

test("a circle of deputies and a leaver whom nobody follows are told", () => {
  const circle = opened(users("bob"), {}, absent({ bob: away("dan"), dan: away("bob") }));
  assert.match(circle.told, /Somebody must look: nobody stands in for bob: the deputies stand for one another\./);
  assert.match(
    opened(users("ann", "bob"), {}, absent({ bob: left() })).told,
    /bob gets no seat \(skip\): bob has left\./,
  );
});

test("what is given to somebody who is away or left goes on to their deputy or successor", () => {
  const world = absent({ bob: away("dan"), eve: left("finn"), gus: left() });
  const driver = opened(users("ann"), { allow: ["transfer", "delegate", "addBeside"] }, world);
  assert.equal(driver.does("ann", { kind: "transfer", to: "gus" }), "unknown-user");
  driver.does("ann", { kind: "add", where: "beside", people: ["eve"], all: false, advisory: false });
  driver.does("ann", { kind: "transfer", to: "bob" });
  assert.deepEqual(driver.waiting, ["dan", "finn"]);
  driver.does("dan", { kind: "transfer", to: "bob" });
  assert.equal(driver.code, "same-person", "it would come back");
});

test("an open seat does not move when its holder goes away", () => {
  const driver = opened(users("ann", "bob"));
  driver.world = absent({ ann: away("dan") });
  driver.decides("bob", "approve");
  assert.deepEqual(driver.waiting, ["ann"]);
});

test("an escalation goes to the deputy of who is away", () => {
  const overdue = [{ kind: "escalate", to: users("boss"), after: natural(0) }] as const;
  const driver = opened(users("ann"), { due: dueIn(DAY), overdue }, absent({ boss: away("vice") }));
  driver.advance(DAY);
  assert.deepEqual(driver.waiting, ["vice"]);
});

// ---------------------------------------------------------------------------------------------------------------- //
// Oneself
// ---------------------------------------------------------------------------------------------------------------- //

const boss: World = { 'people:managerOf(["alice"])': { people: ["boss"] } };
const selves: readonly [Approval["onSelf"], World, waiting: string[], held: boolean][] = [
  ["ask", {}, ["alice", "bob"], false],
  ["skip", {}, ["bob"], false],
  ["manager", boss, ["boss", "bob"], false],
  ["manager", {}, ["bob"], false],
  ["manager", { 'people:managerOf(["alice"])': { people: ["alice"] } }, ["bob"], false],
  ["manager", { ...boss, ...absent({ boss: away("alice") }) }, ["bob"], false],
];
for (const [onSelf, world, waiting] of selves) {
  test(`the initiator among the approvers, with ${onSelf}: ${waiting.join(" ")}`, () => {
    assert.deepEqual(opened(users("alice", "bob"), { onSelf }, world).waiting, waiting);
  });
}

test("the rule applies on every round, to deputies, and where others are assigned", () => {
  const again = opened(users("alice", "bob"), { onSelf: "skip", allow: ["returnTo"] });
  again.does("bob", { kind: "return", to: { kind: "initiator" } });
  again.event("submit", "alice");
  assert.deepEqual(again.waiting, ["bob"]);
  assert.deepEqual(opened(users("bob", "cid"), { onSelf: "skip" }, absent({ bob: away("alice") })).waiting, ["cid"]);
  const onEmpty = { kind: "assign", to: users("alice") } as const;
  const assigned = opened(users("alice"), { onSelf: "skip", onEmpty });
  assert.equal(assigned.instance?.round?.groups?.[0]?.held, "nobody is left");
});

test("a department that the initiator heads goes one further up first", () => {
  const head: People = { kind: "headOf", argument: { kind: "literal", type: { kind: "text" }, value: "sales" } };
  const world: World = { 'people:headOf(["sales"])': { people: ["alice"] }, ...boss };
  assert.deepEqual(opened(head, { onSelf: "skip" }, world).waiting, ["boss"]);
});

// ---------------------------------------------------------------------------------------------------------------- //
// Who may not decide
// ---------------------------------------------------------------------------------------------------------------- //

const never: Property = { kind: "never-approves", people: { kind: "initiator" } };

test("where the initiator never approves, nobody hands it to them", () => {
  const overdue = [{ kind: "escalate", to: users("alice"), after: natural(0) }] as const;
  const options = { allow: ["transfer", "delegate", "addBefore"] as const, due: dueIn(DAY), overdue };
  const driver = opened(users("ann"), options, {}, { ensure: [never] });
  assert.equal(driver.does("ann", { kind: "transfer", to: "alice" }), "self-approval");
  assert.equal(driver.does("ann", { kind: "delegate", to: "alice" }), "self-approval");
  const add = { kind: "add", where: "before", people: ["alice"], all: false, advisory: false } as const;
  assert.equal(driver.does("ann", add), "self-approval");
  assert.equal(driver.does("root", { kind: "hand-over", from: "ann", to: "alice" }), "self-approval");
  driver.advance(DAY);
  assert.deepEqual(driver.waiting, ["ann"], "an escalation that finds only the initiator does nothing");
});

function apart(options: Partial<Approval> = {}): Driver {
  const people = stage(users("ann", "bob", "cid"));
  const driver = new Driver(
    definition({
      states: { A: approval([people], options), B: approval([people], options), OK: "final", NO: "final" },
      transitions: [
        line("A", "B", outcome("approved")),
        line("B", "OK", outcome("approved")),
        line(["A", "B"], "NO", outcome("rejected")),
        line("B", "A", on("again")),
      ],
      more: { ensure: [{ kind: "different-people", states: ["A", "B"] }] },
    }),
  );
  driver.start();
  return driver;
}

test("who decided one state gets no seat in the other, and nobody hands it to them", () => {
  const driver = apart({ allow: ["transfer"] });
  driver.decides("ann", "approve");
  assert.deepEqual(driver.waiting, ["bob", "cid"]);
  assert.equal(driver.does("bob", { kind: "transfer", to: "ann" }), "same-person");
  assert.match(driver.told, /ann gets no seat \(skip\): decided a state that other people must decide\./);
});

test("to have held it and passed it on is no decision", () => {
  const driver = apart({ allow: ["transfer"] });
  driver.does("ann", { kind: "transfer", to: "xia" });
  driver.decides("xia", "approve");
  assert.deepEqual(driver.waiting, ["ann", "bob", "cid"]);
});

// ---------------------------------------------------------------------------------------------------------------- //
// Repeated approvers
// ---------------------------------------------------------------------------------------------------------------- //

interface Repeating {
  readonly chain: Approval["chain"];
  readonly options?: Partial<Approval>;
}

function repeating({ chain, options }: Repeating, world: World = {}): Driver {
  const flow = simple(
    approval(chain, { repeated: "any", edit: ["amount"], allow: ["returnTo", "delegate"], ...options }),
    {
      fields: [dataField("amount", MONEY), dataField("note", { kind: "text" }, { optional: true, secret: true })],
      events: { submit: ["amount", "note"] },
    },
  );
  const driver = new Driver(flow, world);
  driver.start({ event: "submit", payload: { amount: 1, note: "n" } });
  return driver;
}

const one = (...people: string[]) => stage(users(...people), "all");

test("who approved what they see now is not asked again", () => {
  const driver = repeating({ chain: [one("ann"), one("bob"), one("ann", "cid")] });
  driver.decides("ann", "approve");
  driver.decides("bob", "approve");
  assert.deepEqual(driver.waiting, ["cid"]);
  assert.match(
    driver.told,
    /The system approved the task i-3 \(auto, repeated: ann approved before, in decision #2\)\./,
  );
});

test("only where nothing has changed that they saw; the same value written again is no change", () => {
  const chain = [one("ann"), one("bob"), one("ann")];
  const changed = repeating({ chain });
  changed.decides("ann", "approve");
  changed.decides("bob", "approve", { payload: { amount: 2 } });
  assert.deepEqual(changed.waiting, ["ann"]);
  const same = repeating({ chain });
  same.decides("ann", "approve");
  same.decides("bob", "approve", { payload: { amount: 1 } });
  assert.equal(same.instance?.state, "APPROVED");
  const hidden = repeating({ chain, options: { hide: ["amount"] } });
  hidden.decides("ann", "approve");
  hidden.decides("bob", "approve", { payload: { amount: 2 } });
  assert.equal(hidden.instance?.state, "APPROVED");
  const secret = repeating({ chain, options: { edit: ["note"] } });
  secret.decides("ann", "approve");
  secret.decides("bob", "approve", { payload: { note: "m" } });
  assert.deepEqual(secret.waiting, ["ann"]);
  assert.doesNotMatch(JSON.stringify(secret.instance?.memory), /"[nm]"/);
});

test("not after a return, not for a veto, not for a deputy", () => {
  const returned = repeating({ chain: [one("ann"), one("bob")] });
  returned.decides("ann", "approve");
  returned.does("bob", { kind: "return", to: { kind: "initiator" } });
  returned.event("submit", "alice", { amount: 1, note: "n" });
  assert.deepEqual(returned.waiting, ["ann"]);
  const { groups } = one("ann");
  const veto = repeating({ chain: [one("ann"), { kind: "vote", groups, veto: users("ann") }] });
  veto.decides("ann", "approve");
  assert.deepEqual(veto.waiting, ["ann"]);
  const deputy = repeating({ chain: [one("bob"), one("dan")] }, absent({ bob: away("dan") }));
  deputy.decides("dan", "approve");
  assert.deepEqual(deputy.waiting, ["dan"], "what a deputy decides is not their own approval");
  const delegate = repeating({ chain: [one("ann"), one("xia")] });
  delegate.does("ann", { kind: "delegate", to: "xia" });
  delegate.decides("xia", "approve");
  delegate.decides("ann", "approve");
  assert.deepEqual(delegate.waiting, ["xia"]);
});

test("consecutive: only in the stage before, and an automatic approval runs on", () => {
  const consecutive = { repeated: "consecutive" } as const;
  const gap = repeating({ chain: [one("ann"), one("bob"), one("ann")], options: consecutive });
  gap.decides("ann", "approve");
  gap.decides("bob", "approve");
  assert.deepEqual(gap.waiting, ["ann"]);
  const row = repeating({ chain: [one("ann"), one("ann"), one("ann"), one("bob")], options: consecutive });
  row.decides("ann", "approve");
  assert.deepEqual(row.waiting, ["bob"]);
});

test("an automatic approval comes when its turn comes", () => {
  const driver = repeating({ chain: [one("ann"), stage(users("bob", "ann"), "sequence")] });
  driver.decides("ann", "approve");
  assert.deepEqual(driver.waiting, ["bob"]);
  driver.decides("bob", "approve", { payload: { amount: 9 } });
  assert.deepEqual(driver.waiting, ["ann"]);
});
