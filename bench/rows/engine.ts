import assert from "node:assert/strict";
import { type AnyActorScope, createActor, setup } from "xstate";
import { decidedByXState, prepare } from "../../engine/index.ts";
import { microsecondsPer } from "../cpu.ts";
import type { Benchmark, Size } from "../harness.ts";
import { InMemory, type MemoryStep, readDefinition, worldOf } from "../in-memory.ts";

/** The engine alone, in memory: a stored instance with rounds, seats and timers, and one command. */

const STEPS: Record<Size, number> = { quick: 2_000, full: 50_000 };
const TABLE_STEPS: Record<Size, number> = { quick: 20_000, full: 2_000_000 };
const DAY = 86_400_000;

const limit = (microseconds: number, what: string) => ({
  referenceName: `the limit for ${what}`,
  reference: async () => microseconds,
});

export const engine: readonly Benchmark[] = [
  {
    ...{ id: "engine-step", what: "an approval that closes, moved by XState's machine", unit: "µs", better: "lower" },
    referenceName: "XState's transition() for the same step, one scope for all",
    goal: 0.5,
    ours: async (size) => decideOnXState(STEPS[size]),
    reference: async (size) => stepOfXState(STEPS[size]),
  },
  {
    ...{ id: "engine-table", what: "the machine's own step, over the table", unit: "µs", better: "lower", goal: 1 },
    ours: async (size) => stepOfTable(TABLE_STEPS[size]),
    ...limit(1, "it"),
  },
  {
    ...{ id: "decide", what: "a decision of an instance from its start to its end, all in", unit: "µs" },
    ...{ better: "lower", goal: 1 },
    ours: async (size) => decideOneByOne(STEPS[size]),
    ...limit(6, "a whole decision"),
  },
  {
    ...{ id: "decide-closes", what: "an approval that closes and moves, all in", unit: "µs", better: "lower", goal: 1 },
    ours: async (size) => decideClosing(STEPS[size]),
    ...limit(6, "a whole decision"),
  },
  {
    ...{ id: "decide-stays", what: "an approval that others follow, all in", unit: "µs", better: "lower", goal: 1 },
    ours: async (size) => decideStaying(STEPS[size]),
    ...limit(6, "a whole decision"),
  },
  {
    ...{ id: "decide-opens", what: "an approval that closes and opens three seats", unit: "µs", better: "lower" },
    ours: async (size) => decideOpening(STEPS[size]),
    ...limit(6, "a whole decision"),
  },
];

const PAYLOAD = { title: "paper 1", amount: "60000.00", urgent: false };

function newInstance(): InMemory {
  const world = worldOf({ managerOf: ["bob"], group: ["fay", "fred"], finance: ["fay", "fred"] });
  return new InMemory(readDefinition("bench-stages"), world);
}

/** A run through `bench-stages`, as far as these people have approved. */
const stages = (...approvals: readonly string[]): InMemory =>
  newInstance()
    .start(PAYLOAD)
    .approve(...approvals);

const approval = (run: InMemory, actor: string): MemoryStep => run.next({ kind: "decide", actor, decision: "approve" });

/** On the way: one seat opens, then two, an approval that others follow, three seats, another one, the last. */
function decideOneByOne(steps: number): number {
  const begun = newInstance();
  const people = ["bob", "fay", "fred", "u-101", "u-102"];
  const decisions = [
    { run: begun, step: begun.nextStart(PAYLOAD) },
    ...people.map((actor, index) => {
      const run = stages(...people.slice(0, index));
      return { run, step: approval(run, actor) };
    }),
  ];
  const perInstance = microsecondsPer(steps / decisions.length, () =>
    decisions.every(({ run, step }) => run.decide(step) !== undefined),
  );
  return perInstance / decisions.length;
}

function closing(): { run: InMemory; step: MemoryStep } {
  const run = stages("bob", "fay", "fred", "u-101");
  const step = approval(run, "u-102");
  assert.equal(step.accepted.instance.state, "APPROVED");
  return { run, step };
}

function decideClosing(steps: number): number {
  const { run, step } = closing();
  return microsecondsPer(steps, () => run.decide(step)?.instance.outcome === "APPROVED");
}

function decideOnXState(steps: number): number {
  const { run, step } = closing();
  const definition = decidedByXState(run.definition);
  assert.deepEqual(run.decide(step, definition), step.accepted);
  return microsecondsPer(steps, () => run.decide(step, definition)?.instance.outcome === "APPROVED");
}

function decideStaying(steps: number): number {
  const run = stages("bob", "fay", "fred");
  const step = approval(run, "u-101");
  assert.equal(step.accepted.instance.state, "BOARD");
  return microsecondsPer(steps, () => run.decide(step)?.instance.state === "BOARD");
}

function decideOpening(steps: number): number {
  const run = stages("bob", "fay");
  const step = approval(run, "fred");
  assert.equal(step.accepted.tasks.length, 4);
  return microsecondsPer(steps, () => run.decide(step)?.instance.state === "BOARD");
}

const APPROVED = { type: "outcome:approved", environment: { applies: () => true, delayMs: () => Number.NaN } } as const;

function stepOfTable(steps: number): number {
  const { machine } = prepare(readDefinition("bench-stages"));
  assert.equal(machine.step("BOARD", APPROVED).to, "APPROVED");
  return microsecondsPer(
    steps,
    () => machine.can("BOARD", APPROVED) && machine.step("BOARD", APPROVED).timers.length === 1,
  );
}

function stepOfXState(steps: number): number {
  const machine = machineByHand();
  const board = machine.resolveState({ value: "BOARD", context: {} });
  const actions: string[] = [];
  const scope = scopeOf(machine, (type) => actions.push(type));
  assert.equal(machine.transition(board, APPROVED, scope).value, "APPROVED");
  assert.deepEqual(actions, ["xstate.cancel", "line"]);
  return microsecondsPer(steps, () => {
    actions.length = 0;
    return machine.transition(board, APPROVED, scope).value === "APPROVED" && actions.length === 2;
  });
}

/** XState makes an actor for each `transition()` of its own; one for all of them costs a third less. */
function scopeOf(machine: ReturnType<typeof machineByHand>, see: (action: string) => void): AnyActorScope {
  const self = createActor(machine);
  const nothing = (): void => {};
  return {
    ...{ self, system: self.system, id: "", sessionId: "" },
    ...{ logger: nothing, defer: nothing, stopChild: nothing, emit: nothing },
    actionExecutor: ({ type }) => see(type),
  };
}

/** The machine of `bench-stages` as one writes it with XState: guards that ask the event, an action per line. */
function machineByHand() {
  const line = (target: string, number: number) => ({
    ...{ target, reenter: true, guard: { type: "applies" as const, params: { line: number } } },
    actions: { type: "line" as const, params: { line: number } },
  });
  return setup({
    types: {
      context: {} as Record<string, never>,
      events: {} as { readonly type: string; readonly environment: { applies(line: number): boolean } },
    },
    guards: { applies: ({ event }, { line }: { line: number }) => event.environment.applies(line) },
    actions: { line: (_, _params: { line: number }) => {} },
  }).createMachine({
    initial: "DRAFT",
    context: {},
    states: {
      DRAFT: { on: { "event:submit": [line("REVIEW", 0)] } },
      REVIEW: {
        on: { "outcome:approved": [line("FINANCE", 1)], "outcome:rejected": [line("REJECTED", 2)] },
        after: { [14 * DAY]: [line("REJECTED", 3)] },
      },
      FINANCE: {
        on: {
          "outcome:approved": [line("BOARD", 4), line("APPROVED", 5)],
          "outcome:rejected": [line("REJECTED", 6)],
        },
        after: { [14 * DAY]: [line("REJECTED", 7)] },
      },
      BOARD: {
        on: { "outcome:approved": [line("APPROVED", 8)], "outcome:rejected": [line("REJECTED", 9)] },
        after: { [30 * DAY]: [line("REJECTED", 10)] },
      },
      APPROVED: {},
      REJECTED: {},
    },
  });
}
