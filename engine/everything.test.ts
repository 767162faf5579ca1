/** Random commands against flows that use everything at once: what must hold whatever comes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Approval, CalendarDefinition, Definition, Operation, PeopleStage } from "../dsl/index.ts";
import { decide } from "./decide.ts";
import { assertSound } from "./laws/soundness.ts";
import { replay } from "./replay.ts";
import { tell } from "./story.ts";
import {
  after,
  answerFrom,
  approval,
  branch,
  DAY,
  Driver,
  dataField,
  definition,
  dueIn,
  field,
  group,
  HOUR,
  handling,
  line,
  MONEY,
  moreThan,
  natural,
  on,
  outcome,
  quorum,
  type Sent,
  share,
  stage,
  users,
  type World,
} from "./testing.ts";
import type { Answer, Instance } from "./types.ts";

const PEOPLE = ["alice", "a", "b", "c", "d", "e"];
const finance = { kind: "group", argument: { kind: "literal", type: { kind: "text" }, value: "f" } } as const;
const ALLOW: readonly Operation[] = [
  ...(["transfer", "delegate", "addBefore", "addBefore advisory", "addAfter", "addBeside", "remove"] as const),
  ...(["returnTo", "withdraw", "takeBack", "abstain", "claim"] as const),
];
const options: Partial<Approval> = {
  allow: ALLOW,
  due: dueIn(DAY),
  remind: { every: natural(9 * HOUR), atMost: 2 },
  overdue: [
    { kind: "escalate", to: { kind: "managerOf", of: { kind: "assignee" }, level: 1 }, after: natural(0) },
    { kind: "reject", after: natural(2 * DAY) },
  ],
  edit: ["amount"],
};
const vote = (groups: PeopleStage["groups"], veto?: PeopleStage["veto"]): PeopleStage => ({
  ...{ kind: "vote", groups },
  ...(veto && { veto }),
});
const weighted = {
  kind: "quorum",
  threshold: { kind: "share", part: 1, of: 2, strict: true },
  weight: "shares",
} as const;
const calendar: CalendarDefinition = {
  ...{
    name: "cn",
    timezone: "Asia/Shanghai",
    hours: [
      { from: 540, to: 720 },
      { from: 780, to: 1080 },
    ],
  },
  ...{ weekend: ["sat", "sun"], holidays: [], workdays: [] },
};

/** Groups, veto, weights, repeated approvers, resuming returns, shared tasks, automatic stages. */
const stages: Definition = definition({
  states: {
    DRAFT: "plain",
    FIRST: approval(
      [vote([group(users("a", "b"), "all"), group(finance, "any")], users("b")), stage(users("a", "c"), weighted)],
      {
        ...options,
        repeated: "any",
        onReturn: "resume",
        maxReturns: 2,
        onSelf: "manager",
        editReopens: true,
      },
    ),
    SECOND: approval(
      [{ kind: "auto", condition: moreThan("amount", 3) }, stage(finance), stage(users("d", "a"), "sequence")],
      {
        ...options,
        repeated: "consecutive",
        onReturn: "resume",
        collectAll: true,
        onEmpty: { kind: "skip" },
        due: { term: { kind: "workhours", ms: 4 * HOUR }, perStage: true },
        remind: { every: { kind: "workdays", days: 1 } },
        abstain: "no",
      },
    ),
    DOING: approval([handling(users("e", "a"), quorum(2))], options),
    OK: { revocableFor: natural(DAY) },
    NO: "final",
  },
  fields: [dataField("amount", MONEY)],
  events: { submit: ["amount"] },
  transitions: [
    line("DRAFT", "FIRST", on("submit")),
    line("FIRST", "SECOND", outcome("approved")),
    line("SECOND", "DOING", outcome("approved"), { actions: [{ kind: "render", document: "v" }] }),
    line("DOING", "OK", outcome("done")),
    line(["FIRST", "SECOND"], "NO", outcome("rejected")),
    line(["FIRST", "SECOND", "DOING"], "DRAFT", outcome("returned")),
    line("SECOND", "FIRST", on("amend")),
    line("OK", "NO", outcome("withdrawn")),
    line("DOING", "NO", after(9 * DAY)),
  ],
  more: {
    calendar,
    documents: { v: { name: "v", template: "v", fields: [{ name: "amount", value: field("amount", MONEY) }] } },
    ensure: [{ kind: "different-people", states: ["FIRST", "DOING"] }],
  },
});
const finals = (flow: Definition, ...names: string[]): Definition => ({
  ...flow,
  states: flow.states.map((state) => (names.includes(state.name) ? { ...state, final: true } : state)),
});

const child = definition({
  states: { OPEN: "plain", CHECK: approval([stage(users("c", "e"), "all")], options), YES: "final", NO: "final" },
  fields: [dataField("amount", MONEY)],
  transitions: [
    line("OPEN", "CHECK", on("begin")),
    line("CHECK", "YES", outcome("approved")),
    line("CHECK", "NO", outcome("rejected")),
    line("CHECK", "OPEN", outcome("returned")),
    line("OPEN", "CHECK", after(DAY)),
  ],
  more: { flow: "child", hash: "child" },
});

const legal = branch(
  "legal",
  {
    CHECK: approval([stage(users("a", "b"), share(1, 2))], options),
    MORE: approval([stage(users("a"))], options),
    OK: "final",
  },
  [
    line("CHECK", "MORE", outcome("approved")),
    line("MORE", "OK", outcome("approved")),
    line(["CHECK", "MORE"], "OK", outcome("rejected")),
    line("MORE", "DRAFT", outcome("returned"), { up: 1 }),
    line("CHECK", "OK", after(3 * DAY)),
    line("CHECK", "CHECK", on("amend")),
  ],
);
const sealing = branch(
  "sealing",
  {
    RUN: { run: { kind: "flow", flow: "child", event: "begin", fields: { amount: field("amount", MONEY) } } },
    OK: "final",
  },
  [line("RUN", "OK", outcome("done")), line("RUN", "RUN", on("pay"))],
  { condition: moreThan("amount", 2) },
);
const inner = branch(
  "deep",
  { FORK: { parallel: { branches: [legal], join: { kind: "all" }, rejectOne: false } }, OK: "final" },
  [line("FORK", "OK", outcome("joined"))],
);

/** Branches in branches, and a sub-flow in one of them. */
const forks: Definition = definition({
  states: {
    DRAFT: "plain",
    REVIEW: { parallel: { branches: [legal, sealing, inner], join: { kind: "count", count: 2 }, rejectOne: true } },
    LAST: approval([stage(users("d"))], options),
    OK: "final",
    NO: "final",
  },
  fields: [dataField("amount", MONEY)],
  events: { submit: ["amount"] },
  transitions: [
    line("DRAFT", "REVIEW", on("submit")),
    line("REVIEW", "LAST", outcome("joined")),
    line("REVIEW", "NO", outcome("rejected")),
    line("REVIEW", "DRAFT", outcome("withdrawn")),
    line("LAST", "OK", outcome("approved")),
    line("LAST", "NO", outcome("rejected")),
    line("LAST", "REVIEW", outcome("returned")),
    line("REVIEW", "NO", after(20 * DAY)),
  ],
});

const FLOWS: Readonly<Record<string, Definition>> = { stages: finals(stages, "OK"), forks };

// ---------------------------------------------------------------------------------------------------------------- //
// Commands
// ---------------------------------------------------------------------------------------------------------------- //

const person = fc.constantFrom(...PEOPLE);
const maybe = <Part extends object>(part: fc.Arbitrary<Part>): fc.Arbitrary<Part | object> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: part });
const where = maybe(fc.constantFrom("legal", "sealing", "deep", "deep.legal", "nowhere").map((name) => ({ in: name })));
const reason = maybe(fc.constant({ reason: "because" }));
const clauses = fc.tuple(where, reason).map(([one, other]) => ({ ...one, ...other }));
const payload = fc.constantFrom(
  {},
  {},
  { payload: { amount: 1 } },
  { payload: { amount: 5 } },
  { payload: { amount: "x" } },
);
const state = fc.constantFrom("DRAFT", "FIRST", "SECOND", "DOING", "REVIEW", "CHECK", "LAST", "OK", "X");

const decisions = fc
  .tuple(fc.constantFrom("approve", "approve", "approve", "handle", "reject", "abstain"), payload, clauses)
  .map(([decision, more, rest]) => ({ kind: "decide", decision, ...more, ...rest }));
const target = fc.oneof(
  fc.constant({ kind: "initiator" }),
  state.map((name) => ({ kind: "state", state: name })),
  fc.integer({ min: 0, max: 3 }).map((number) => ({ kind: "stage", stage: number })),
);
const operations = fc.oneof(
  fc.tuple(target, clauses).map(([to, rest]) => ({ kind: "return", to, ...rest })),
  fc.tuple(fc.constantFrom("transfer", "delegate"), person, clauses).map(([kind, to, rest]) => ({ kind, to, ...rest })),
  fc
    .record({
      kind: fc.constant("add"),
      where: fc.constantFrom("before", "after", "beside"),
      people: fc.array(person, { maxLength: 2 }),
      all: fc.boolean(),
      advisory: fc.boolean(),
    })
    .chain((add) => clauses.map((rest) => ({ ...add, ...rest }))),
  fc.tuple(fc.constantFrom("claim", "release", "take-back"), clauses).map(([kind, rest]) => ({ kind, ...rest })),
  fc
    .tuple(person, maybe(fc.constant({ admin: true })), clauses)
    .map(([one, admin, rest]) => ({ kind: "remove", person: one, ...admin, ...rest })),
);
const others = fc.oneof(
  fc.tuple(fc.constantFrom("submit", "amend", "pay", "begin", "?"), payload).map(([event, more]) => ({
    kind: "event",
    event,
    payload: "payload" in more ? more.payload : {},
  })),
  fc.constantFrom(
    { kind: "withdraw" },
    { kind: "urge" },
    { kind: "comment", text: "t" },
    { kind: "ask", to: "e", text: "t" },
  ),
  fc.tuple(fc.constantFrom("suspend", "resume", "resume"), reason).map(([kind, why]) => ({ kind, ...why })),
  fc
    .tuple(state, reason, maybe(fc.constant({ branch: "legal" })))
    .map(([name, why, more]) => ({ kind: "jump", state: name, ...why, ...more })),
  fc
    .tuple(fc.constantFrom("approve", "reject"), clauses)
    .map(([decision, rest]) => ({ kind: "override", decision, ...rest })),
  fc.tuple(person, person).map(([from, to]) => ({ kind: "hand-over", from, to })),
  fc.integer({ min: 0, max: 20 }).map((number) => ({ kind: "timer", timer: `t${number}` })),
  fc.constant({ kind: "signal", status: "6", withdraw: true }),
  fc.tuple(fc.constant("void"), reason).map(([kind, why]) => ({ kind, ...why })),
);

const worlds = fc.record({
  "people:group": fc.constantFrom<Answer>({ people: ["a", "d"] }, { people: [] }, { people: ["e", "alice"] }),
  "people:managerOf": fc.constantFrom<Answer>({ people: ["d"] }, { people: [] }, { people: ["alice"] }),
  "value:shares": fc.constantFrom<Answer>({ value: 1 }, { value: "0.5" }, { value: 0 }),
  "absences:absences": fc.constantFrom<Answer>(
    { absences: {} },
    { absences: { a: { away: [{ from: "2026-01-01", to: "2026-12-31", deputy: "e" }] } } },
    { absences: { b: { left: { successor: "d" } }, e: { left: {} } } },
  ),
  "flow:child": fc.constant<Answer>({ definition: "child" }),
});

/** `turn`: by one of those who are waited for, so that lives get somewhere. */
type Act =
  | { readonly sent: object; readonly turn?: number; readonly by?: string }
  | { advance: number }
  | { world: World };
const acts: fc.Arbitrary<Act> = fc.oneof(
  { weight: 9, arbitrary: fc.tuple(decisions, fc.nat()).map(([sent, turn]) => ({ sent, turn })) },
  { weight: 7, arbitrary: fc.tuple(operations, fc.nat()).map(([sent, turn]) => ({ sent, turn })) },
  { weight: 3, arbitrary: fc.tuple(fc.oneof(decisions, operations), person).map(([sent, by]) => ({ sent, by })) },
  { weight: 5, arbitrary: fc.tuple(others, person).map(([sent, by]) => ({ sent, by })) },
  { weight: 2, arbitrary: fc.constantFrom(HOUR, 10 * HOUR, DAY, 3 * DAY).map((advance) => ({ advance })) },
  { weight: 1, arbitrary: worlds.map((world) => ({ world })) },
);
const lives = fc.tuple(
  fc.constantFrom(...Object.keys(FLOWS)),
  worlds,
  fc.array(acts, { minLength: 8, maxLength: 40, size: "max" }),
);

function live(flow: string, world: World, list: readonly Act[]): Driver {
  const driver = new Driver(FLOWS[flow]!, world, [child]);
  driver.start({ data: { amount: 5 } });
  driver.event("submit", "alice");
  for (const act of list) {
    const before = driver.instance;
    if ("world" in act) driver.world = act.world;
    else if ("advance" in act) driver.advance(act.advance);
    else {
      const { waiting } = driver;
      const actor =
        act.turn === undefined || waiting.length === 0 ? (act.by ?? "x") : waiting[act.turn % waiting.length]!;
      driver.send({ ...act.sent, actor } as Sent);
      if (driver.last?.kind !== "accepted") assert.equal(driver.instance, before);
    }
    assertSound(driver);
  }
  return driver;
}

// ---------------------------------------------------------------------------------------------------------------- //
// What must hold
// ---------------------------------------------------------------------------------------------------------------- //

test("whatever comes, nothing is thrown, what is refused changes nothing, and every state is sound", () => {
  fc.assert(
    fc.property(lives, ([flow, world, list]) => {
      live(flow, world, list);
    }),
    { numRuns: Number(process.env["ASSENT_RUNS"] ?? 300) },
  );
});

test("replaying the history gives the instance, from JSON too", () => {
  fc.assert(
    fc.property(lives, ([flow, world, list]) => {
      const driver = live(flow, world, list);
      const definitions = (hash: string): Definition | undefined => (hash === "child" ? child : undefined);
      assert.deepEqual(replay(driver.definition, driver.history, definitions), driver.instance);
      const stored = JSON.parse(JSON.stringify(driver.history)) as typeof driver.history;
      assert.deepEqual(replay(driver.definition, stored, definitions), JSON.parse(JSON.stringify(driver.instance)));
    }),
    { numRuns: 100 },
  );
});

test("deciding twice gives the same, and leaves its arguments as they were", () => {
  fc.assert(
    fc.property(lives, fc.oneof(decisions, operations, others), ([flow, world, list], sent) => {
      const driver = live(flow, world, list);
      const command = { source: "s", id: "twice", digest: "", actor: driver.waiting[0] ?? "a", ...sent } as never;
      const before = structuredClone(driver.instance);
      const deciding = (instance: Instance | undefined) =>
        decide(driver.definition, instance, command, driver.at, answerFrom(driver.world), (hash) =>
          hash === "child" ? child : undefined,
        );
      assert.deepEqual(deciding(driver.instance), deciding(before));
      assert.deepEqual(driver.instance, before);
    }),
    { numRuns: 100 },
  );
});

test("every line of every story is one sentence", () => {
  fc.assert(
    fc.property(lives, ([flow, world, list]) => {
      for (const one of live(flow, world, list).story) {
        assert.match(tell(one), /^[^\n]+\.$/);
        assert.doesNotMatch(tell(one), /undefined|\[object/);
      }
    }),
    { numRuns: 50 },
  );
});
