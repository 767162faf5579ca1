import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Definition } from "../dsl/index.ts";
import { decide } from "./decide.ts";
import { replay } from "./replay.ts";
import { tell } from "./story.ts";
import {
  after,
  answerFrom,
  approval,
  BOOL,
  DAY,
  Driver,
  dataField,
  definition,
  dueIn,
  field,
  guard,
  HOUR,
  line,
  MONEY,
  moreThan,
  natural,
  on,
  outcome,
  quorum,
  START,
  share,
  simple,
  stage,
  users,
  type World,
} from "./testing.ts";
import type { Answer, Command, Instance } from "./types.ts";

const PEOPLE = ["alice", "a", "b", "c", "d", "constructor"];
const OPERATIONS = ["transfer", "returnTo", "withdraw", "abstain"] as const;
const group = { kind: "group", argument: { kind: "literal", type: { kind: "text" }, value: "g" } } as const;
const seats = users("a", "b", "c");
const options = { allow: OPERATIONS, due: dueIn(DAY), remind: { every: natural(9 * HOUR), atMost: 3 } };

const votes = simple(approval([stage(seats, quorum(2)), stage(seats, share(1, 2, true)), stage(users("d"))], options));

const steps = simple(
  approval([stage(seats, "sequence"), stage(group, "all")], {
    ...options,
    allow: ["transfer", "returnTo", "withdraw untouched", "abstain"],
    onEmpty: { kind: "assign", to: users("c", "d") },
    overdue: [
      { kind: "remind", after: natural(0) },
      { kind: "escalate", to: { kind: "managerOf", of: { kind: "assignee" }, level: 1 }, after: natural(HOUR) },
      { kind: "reject", after: natural(DAY) },
    ],
    overdueRepeat: 1,
    reasonRequiredOn: ["reject"],
  }),
);

/** Everything at once: data, guards, checks, documents, loops, timers, secrets. */
const busy: Definition = definition({
  states: {
    DRAFT: "plain",
    FIRST: approval([stage(group, "any", "rest")], { ...options, onEmpty: { kind: "skip" } }),
    SECOND: approval([stage({ kind: "chosen", field: "next" }, "all")], options),
    PAYING: "plain",
    DONE: "final",
    NO: "final",
  },
  fields: [
    dataField("amount", MONEY),
    dataField("next", { kind: "user" }, { optional: true }),
    dataField("until", { kind: "datetime" }, { optional: true }),
    dataField("card", { kind: "text" }, { optional: true, secret: true }),
    dataField("tries", { kind: "int" }, { default: 0 }),
  ],
  events: { submit: ["amount", "next", "until", "card"], pay: [], amend: ["amount"] },
  transitions: [
    line("DRAFT", "FIRST", on("submit"), {
      condition: moreThan("amount", 10),
      actions: [{ kind: "call", function: "check", name: "policy", arguments: [field("card", { kind: "text" })] }],
    }),
    line("DRAFT", "SECOND", on("submit"), { otherwise: true }),
    line("FIRST", "SECOND", outcome("approved"), { actions: [{ kind: "render", document: "voucher" }] }),
    line("SECOND", "PAYING", outcome("approved"), {
      condition: guard("isOpen"),
      actions: [
        {
          kind: "set",
          field: "tries",
          value: {
            kind: "binary",
            operator: "+",
            left: field("tries", { kind: "int" }),
            right: { kind: "literal", type: { kind: "int" }, value: 1 },
            type: { kind: "int" },
          },
        },
        { kind: "cc", to: group },
        { kind: "emit", event: "onPaying" },
      ],
    }),
    line("SECOND", "FIRST", outcome("approved"), { otherwise: true }),
    line(["FIRST", "SECOND"], "NO", outcome("rejected")),
    line(["FIRST", "SECOND"], "DRAFT", outcome("returned")),
    line("SECOND", "DRAFT", outcome("withdrawn"), { condition: moreThan("amount", 20) }),
    line("PAYING", "DONE", on("pay"), { by: users("c") }),
    line("PAYING", "FIRST", after(2 * DAY), { condition: { kind: "not", of: guard("isOpen"), type: BOOL } }),
    line("PAYING", "NO", { kind: "at", at: field("until", { kind: "datetime" }) }),
    line(["DRAFT", "FIRST", "SECOND", "PAYING"], "SECOND", on("amend"), { any: true }),
  ],
  more: {
    documents: {
      voucher: { name: "voucher", template: "v", fields: [{ name: "amount", value: field("amount", MONEY) }] },
    },
    routes: [{ event: "submit", targets: [{ kind: "service", name: "s" }] }],
  },
});

const FLOWS: Readonly<Record<string, Definition>> = { votes, steps, busy };

type Sent = Parameters<Driver["send"]>[0];

const person = fc.constantFrom(...PEOPLE);
const actor = person.map((name) => ({ actor: name }));
const reason = fc.constantFrom({}, { reason: "because" });
const task = fc.oneof(
  { weight: 4, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 9 }).map((n) => ({ task: `i-${n}` })) },
);
const payload = fc.oneof(
  fc.record(
    {
      amount: fc.constantFrom<unknown>("5", "15.00", "25", "x", null),
      next: fc.constantFrom<unknown>("a", "d", null),
      until: fc.constantFrom<unknown>("2026-01-06T09:00:00+08:00", "2020-01-01T00:00:00Z"),
      card: fc.constantFrom<unknown>("6222", null),
    },
    { requiredKeys: [] },
  ),
  fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 2 }),
);
const target = fc.oneof(
  fc.constant({ kind: "initiator" as const }),
  fc.constantFrom("DRAFT", "FIRST", "SECOND", "REVIEW", "X").map((state) => ({ kind: "state" as const, state })),
  fc.integer({ min: 0, max: 3 }).map((stage) => ({ kind: "stage" as const, stage })),
);

const decisions = fc
  .tuple(
    actor,
    task,
    reason,
    fc.constantFrom("approve" as const, "approve" as const, "reject" as const, "abstain" as const),
  )
  .map(([who, which, why, decision]): Sent => ({ kind: "decide", decision, ...who, ...which, ...why }));
const events = fc
  .tuple(
    fc.option(actor, { nil: {} }),
    fc.constantFrom("submit", "pay", "amend", "cancel", "xstate.init", "?"),
    payload,
  )
  .map(([who, event, payload]): Sent => ({ kind: "event", event, payload, ...who }));
const others = fc.oneof(
  fc
    .tuple(actor, task, reason, target)
    .map(([who, which, why, to]): Sent => ({ kind: "return", to, ...who, ...which, ...why })),
  fc
    .tuple(actor, task, reason, person)
    .map(([who, which, why, to]): Sent => ({ kind: "transfer", to, ...who, ...which, ...why })),
  fc.tuple(actor, reason).map(([who, why]): Sent => ({ kind: "withdraw", ...who, ...why })),
  fc.tuple(fc.string(), fc.boolean()).map(([status, withdraw]): Sent => ({ kind: "signal", status, withdraw })),
  fc.constant<Sent>({ kind: "report", effect: "e", report: { kind: "failed", what: "w", reason: "r" } }),
  fc.integer({ min: 0, max: 12 }).map((n): Sent => ({ kind: "timer", timer: `t${n}` })),
);
/** How the world answers from here on. */
const worlds = fc.record({
  "people:group": fc.constantFrom<Answer>({ people: ["a", "b"] }, { people: [] }, { people: ["d", "d", "alice"] }),
  "people:managerOf": fc.constantFrom<Answer>({ people: ["d"] }, { people: [] }),
  "guard:isOpen": fc.constantFrom<Answer | undefined>({ ok: true }, { ok: false }, undefined, { value: 3 }),
  "check:policy": fc.constantFrom<Answer>({ ok: true }, { ok: false, reason: "no" }, { failed: "f", retryable: false }),
});

/** `turn`: by one of those who are waited for, so that lives get somewhere. */
type Act = { sent: Sent; turn?: number } | { advance: number } | { world: World } | { again: number };
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(decisions, fc.nat()).map(([sent, turn]) => ({ sent, turn })) },
  { weight: 2, arbitrary: decisions.map((sent) => ({ sent })) },
  { weight: 4, arbitrary: events.map((sent) => ({ sent })) },
  { weight: 2, arbitrary: fc.tuple(others, fc.nat()).map(([sent, turn]) => ({ sent, turn })) },
  { weight: 2, arbitrary: others.map((sent) => ({ sent })) },
  { weight: 2, arbitrary: fc.constantFrom(HOUR, 10 * HOUR, DAY, 3 * DAY).map((advance) => ({ advance })) },
  { weight: 1, arbitrary: worlds.map((world) => ({ world })) },
  { weight: 1, arbitrary: fc.nat().map((again) => ({ again })) },
);

const lives = fc.tuple(
  fc.constantFrom(...Object.keys(FLOWS)),
  worlds,
  fc.array(act, { minLength: 8, maxLength: 40, size: "max" }),
);

/** Starts an instance of the flow and does everything to it, checking what must hold after each step. */
function live(flow: string, world: World, acts: readonly Act[]): Driver {
  const driver = new Driver(FLOWS[flow]!, world);
  driver.start({ data: flow === "busy" ? { amount: "15", next: "c" } : {} });
  driver.event("submit", "alice");
  for (const one of acts) {
    const before = driver.instance;
    if ("world" in one) driver.world = one.world;
    else if ("advance" in one) driver.advance(one.advance);
    else if ("again" in one) repeat(driver, one.again);
    else {
      driver.send(takeTurn(driver, one));
      if (driver.last?.kind !== "accepted") assert.equal(driver.instance, before);
    }
    assertSound(driver.instance!, driver);
  }
  return driver;
}

function takeTurn({ waiting }: Driver, { sent, turn }: { sent: Sent; turn?: number }): Sent {
  return turn === undefined || waiting.length === 0 ? sent : { ...sent, actor: waiting[turn % waiting.length]! };
}

/** A command of the newest 64 that was accepted changes nothing when it comes again. */
function repeat(driver: Driver, which: number): void {
  const recent = driver.history.slice(-64);
  const { command } = recent[which % recent.length]!;
  const decision = decide(driver.definition, driver.instance, command, driver.at, answerFrom(driver.world));
  assert.equal(decision.kind, "duplicate");
}

function assertSound(instance: Instance, driver: Driver): void {
  const { round, timers, state, definition: _, closedTasks } = instance;
  const final = driver.definition.states.find(({ name }) => name === state)!.final;
  assert.equal(instance.outcome, final ? state : undefined);
  assert.equal(instance.path.at(-1), state);
  const open = round?.seats.filter(({ status }) => status === "open") ?? [];
  if (final) assert.deepEqual([round, timers], [undefined, []], "an ended instance has nothing open");
  if (round?.result !== undefined) assert.equal(open.length, 0);
  assert.equal(new Set(open.map(({ person }) => person)).size, open.length, "one open task per person");
  for (const { task, person } of open) assert.deepEqual([task?.status, task?.assignee], ["open", person]);
  for (const { purpose } of timers)
    if ("seat" in purpose) assert.match(round?.seats[purpose.seat]?.status ?? "", /^(open|waiting)$/);
  for (const closed of Object.values(closedTasks)) assert.notEqual(closed.status, "open");
  const stillOpen = [...driver.tasks.values()].filter(({ status }) => status === "open");
  assert.deepEqual(new Set(stillOpen.map(({ id }) => id)), new Set(open.map(({ task }) => task!.id)));
  if (round && round.result === undefined && !round.groups) assert.notEqual(open.length, 0, "somebody is waited for");
}

test("whatever comes, nothing is thrown, what is refused changes nothing, and every state is sound", () => {
  fc.assert(
    fc.property(lives, ([flow, world, acts]) => {
      live(flow, world, acts);
    }),
    { numRuns: 300 },
  );
});

test("replaying the history gives the instance, from JSON too", () => {
  fc.assert(
    fc.property(lives, ([flow, world, acts]) => {
      const driver = live(flow, world, acts);
      assert.deepEqual(replay(driver.definition, driver.history), driver.instance);
      const stored = JSON.parse(JSON.stringify(driver.history)) as typeof driver.history;
      assert.deepEqual(replay(driver.definition, stored), JSON.parse(JSON.stringify(driver.instance)));
    }),
    { numRuns: 150 },
  );
});

test("deciding twice gives the same, and leaves its arguments as they were", () => {
  fc.assert(
    fc.property(lives, fc.oneof(decisions, events, others), ([flow, world, acts], sent) => {
      const driver = live(flow, world, acts);
      const command = { source: "s", id: "twice", digest: "", ...sent } as Command;
      const before = structuredClone(driver.instance);
      const once = decide(driver.definition, driver.instance, command, driver.at, answerFrom(driver.world));
      const again = decide(driver.definition, before, command, driver.at, answerFrom(driver.world));
      assert.deepEqual(once, again);
      assert.deepEqual(driver.instance, before);
    }),
    { numRuns: 100 },
  );
});

test("every line of every story is one sentence without a secret", () => {
  fc.assert(
    fc.property(lives, ([flow, world, acts]) => {
      for (const one of live(flow, world, acts).story) {
        const sentence = tell(one);
        assert.match(sentence, /^[^\n]+\.$/);
        assert.doesNotMatch(sentence, /undefined|6222/);
      }
    }),
    { numRuns: 50 },
  );
});

test("the result does not depend on the order of decisions, for all and for a quorum with reject: rest", () => {
  const ballots = fc.array(fc.constantFrom("approve" as const, "reject" as const, "abstain" as const), {
    minLength: 3,
    maxLength: 3,
  });
  const cast = (flow: Definition, order: readonly number[], ballot: readonly ("approve" | "reject" | "abstain")[]) => {
    const driver = new Driver(flow);
    driver.start({ event: "submit" });
    for (const place of order) driver.decides(PEOPLE[place + 1]!, ballot[place]!);
    return driver.instance!.state + (driver.instance!.round?.groups?.[0]?.held ?? "");
  };
  const modes = fc.constantFrom(stage(seats, "all"), stage(seats, quorum(2)), stage(seats, share(2, 3)));
  const orders = fc.shuffledSubarray([0, 1, 2], { minLength: 3 });
  fc.assert(
    fc.property(modes, ballots, orders, (mode, ballot, order) => {
      const flow = simple(approval([mode], { allow: ["abstain"] }));
      assert.equal(cast(flow, order, ballot), cast(flow, [0, 1, 2], ballot));
    }),
  );
});

test("a history that another definition decided does not replay in silence", () => {
  const driver = new Driver(votes);
  driver.start({ event: "submit" });
  driver.decides("a", "approve");
  assert.throws(() => replay(busy, driver.history), /does not replay/);
  assert.throws(() => replay(votes, []), /empty history/);
  assert.equal(driver.instance?.startedAt, START);
});
