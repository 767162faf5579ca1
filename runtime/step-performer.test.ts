import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { FlowFunction, FunctionCall } from "../plugins/index.ts";
import { BusUnavailable, RequestTimedOut } from "./bus/bus-errors.ts";
import { InProcessBus } from "./bus/in-process-bus.ts";
import { EffectPerformer, type EffectPorts } from "./effects.ts";
import { decodeEffect } from "./entry.ts";
import type { Work, WorkResult } from "./outbox.ts";
import { type Bus, type Effect, type Store, StoreUnavailable } from "./ports.ts";
import { Services } from "./services/services.ts";
import { openMemoryStore } from "./stores/memory-store.ts";
import { decision, event, flow, keyOf, SetClock, start, turnsOn } from "./testing.ts";
import { trustedFunctions } from "./trusted-functions.ts";
import type { Envelope, Turns } from "./turn.ts";

/** A saga's steps: each try is made once, its end is told, and nothing is lost with the process. */

const FLOW = (steps: string) => `
state machine "payment" {
  data { card: text secret }
  events { "submit" { card } }
  initial: DRAFT
  states: [DRAFT, REVIEW, PAYING, PAID, FAILED]
  final: [PAID, FAILED]
  state REVIEW { approval by users("bob") }
  state PAYING { run saga "pay-out" }
  transitions {
    DRAFT → REVIEW on "submit"
    REVIEW → PAYING on approved → emit("onApproved")
    REVIEW → FAILED on rejected
    PAYING → PAID on done
    PAYING → FAILED on compensated
  }
}
saga "pay-out" {
  ${steps}
  onStuck: assign users("erin")
}
`;

interface World {
  readonly store: Store;
  readonly turns: Turns;
  /** Effects of steps that are in the store; the others are done then. */
  steps(): Promise<readonly Work[]>;
  state(): Promise<string | undefined>;
}

/** At the beginning of the saga. */
async function paying(steps: string): Promise<World> {
  const store = openMemoryStore();
  const definition = flow(FLOW(steps), []);
  const turns = turnsOn({ store, definition, clock: new SetClock() });
  for (const one of [
    start("A", "start", "payment"),
    event("A", "submit", "submit", { card: "6222" }, keyOf("A", "payment")),
    { ...decision("A", "approve", "bob", "approve"), ...keyOf("A", "payment") },
  ]) {
    const reply = await turns.submit(one);
    assert.equal(reply.kind, "accepted", JSON.stringify(reply));
  }
  const dataKey = await turns.dataKey(keyOf("A", "payment"));
  return {
    store,
    turns,
    async steps() {
      const due = await store.dueEffects("all", Number.MAX_SAFE_INTEGER, 99);
      const works = due.map(({ tenant, instance, attempts, effect }) => ({
        ...{ tenant, instance, attempts, effect: decodeEffect(effect, dataKey) },
      }));
      const others = works.filter(({ effect }) => effect.kind !== "step");
      await store.settleEffects(others.map(({ tenant, effect: { id } }) => ({ tenant, id, kind: "done" })));
      return works.filter(({ effect }) => effect.kind === "step");
    },
    state: async () => (await turns.read(keyOf("A", "payment")))?.instance.state,
  };
}

interface Around {
  readonly functions?: Readonly<Record<string, (call: FunctionCall) => unknown>>;
  readonly bus?: Bus;
  submit?(envelope: Envelope): ReturnType<Turns["submit"]>;
}

/** A performer as a process starts it. */
function performerOf({ store, turns }: World, { functions = {}, bus = new InProcessBus(), submit }: Around) {
  const clock = new SetClock();
  const find = (name: string): FlowFunction | undefined =>
    Object.hasOwn(functions, name) ? { kind: "action", run: functions[name]! } : undefined;
  const performer = new EffectPerformer({
    ...{ bus, clock, store, functions: trustedFunctions(find), services: new Services({ bus, clock, urls: {} }) },
    submit: submit ?? ((envelope: Envelope) => turns.submit(envelope)),
    instanceOf: async (work: Work) => (await turns.read(work))?.instance,
    alert: () => undefined,
  } as unknown as EffectPorts);
  return {
    one: async (work: Work): Promise<WorkResult> => (await performer.perform([work]))[0]!,
    all: (works: readonly Work[]) => performer.perform(works),
    dead: (work: Work, reason: string) => performer.dead(work, reason),
  };
}

const stepOf = ({ effect }: Work) => effect as Extract<Effect, { kind: "step" }>;
const settle = async ({ store }: World, { tenant, effect }: Work) =>
  store.settleEffects([{ tenant, id: effect.id, kind: "done" }]);

describe("a step's end is told to the saga", () => {
  test("that it is done: the next one begins, then the outcome", async () => {
    const world = await paying("step reserve(key)\n  step transfer(card)");
    const calls: unknown[] = [];
    const record = ({ arguments: args, idempotencyKey }: FunctionCall) => void calls.push([...args, idempotencyKey]);
    const performer = performerOf(world, { functions: { reserve: record, transfer: record } });
    const keys: string[] = [];
    for (const name of ["reserve", "transfer"]) {
      const [work] = await world.steps();
      assert.equal(stepOf(work!).function, name);
      keys.push(stepOf(work!).idempotencyKey);
      assert.deepEqual(await performer.one(work!), { kind: "done" });
      await settle(world, work!);
    }
    assert.equal(await world.state(), "PAID");
    assert.deepEqual(calls, [
      ["A", keys[0]],
      ["6222", keys[1]],
    ]);
  });

  test("that it failed is no failure of the effect: the saga decides whether it is tried again", async () => {
    const world = await paying("step reserve(key)");
    const functions = {
      reserve: () => {
        throw new Error("no money");
      },
    };
    const [work] = await world.steps();
    assert.deepEqual(await performerOf(world, { functions }).one(work!), { kind: "done" });
    assert.equal(await world.state(), "FAILED");
  });

  test("steps side by side don't wait for each other, and nothing else waits for them", async () => {
    const world = await paying("step reserve(key) and block(key)");
    const slow = Promise.withResolvers<void>();
    const functions = { reserve: () => slow.promise, block: () => slow.resolve() };
    const works = await world.steps();
    assert.deepEqual(await performerOf(world, { functions }).all(works), [{ kind: "done" }, { kind: "done" }]);
    assert.equal(await world.state(), "PAID");
  });

  const busThat = (error: Error): Bus =>
    Object.assign(new InProcessBus(), { request: () => Promise.reject(error) }) as unknown as Bus;

  test("that a service did not answer in time: it may have been done, so its undo runs", async () => {
    const world = await paying("step reserve(key) undo release(key) timeout 20ms");
    const definition = (await world.turns.read(keyOf("A", "payment")))!.definition;
    assert.equal(definition.sagas["pay-out"]!.steps[0]![0]!.timeoutMs, 20);
    const [work] = await world.steps();
    const routed = { ...stepOf(work!), context: { ...stepOf(work!).context, services: ["bank"] } };
    const bus = busThat(new RequestTimedOut("bank", 20));
    assert.deepEqual(await performerOf(world, { bus }).one({ ...work!, effect: routed }), { kind: "done" });
    await settle(world, work!);
    const [undo] = await world.steps();
    assert.deepEqual([stepOf(undo!).function, stepOf(undo!).undo], ["release", true]);
  });

  test("that a function did not end in time", async () => {
    const world = await paying("step reserve(key) undo release(key) timeout 20ms");
    const [work] = await world.steps();
    const functions = { reserve: () => new Promise(() => undefined) };
    assert.deepEqual(await performerOf(world, { functions }).one(work!), { kind: "done" });
    await settle(world, work!);
    assert.equal(stepOf((await world.steps())[0]!).function, "release");
  });

  test("while the bus is away no try is begun, and none is told to have failed", async () => {
    const world = await paying("step reserve(key)");
    const [work] = await world.steps();
    const routed = { ...stepOf(work!), context: { ...stepOf(work!).context, services: ["bank"] } };
    const result = await performerOf(world, { bus: busThat(new BusUnavailable("away")) }).one({
      ...work!,
      effect: routed,
    });
    assert.equal(result.kind, "retry");
    assert.equal(await world.state(), "PAYING");
  });
});

describe("nothing is lost", () => {
  test("a try whose end nobody knows is made again under the same key", async () => {
    const world = await paying("step reserve(key)");
    const keys: unknown[] = [];
    const [work] = await world.steps();
    // The first process dies while it is under way.
    void performerOf(world, {
      functions: { reserve: ({ idempotencyKey }) => new Promise(() => keys.push(idempotencyKey)) },
    }).one(work!);
    while (keys.length === 0) await new Promise(setImmediate);
    const [again] = await world.steps();
    const functions = { reserve: ({ idempotencyKey }: FunctionCall) => void keys.push(idempotencyKey) };
    assert.deepEqual(await performerOf(world, { functions }).one(again!), { kind: "done" });
    assert.deepEqual(keys, [stepOf(work!).idempotencyKey, stepOf(work!).idempotencyKey]);
    assert.equal(await world.state(), "PAID");
  });

  test("a try whose end was told and not settled is not made again", async () => {
    const world = await paying("step reserve(key)");
    let calls = 0;
    const functions = { reserve: () => void calls++ };
    const [work] = await world.steps();
    await performerOf(world, { functions }).one(work!);
    assert.deepEqual(await performerOf(world, { functions }).one((await world.steps())[0]!), { kind: "done" });
    assert.equal(calls, 1);
  });

  test("an end that could not be told is told later, without another try, however often it takes", async () => {
    const world = await paying("step reserve(key)");
    let calls = 0;
    let full = true;
    const performer = performerOf(world, {
      functions: { reserve: () => void calls++ },
      submit: (envelope) => (full ? Promise.reject(new StoreUnavailable("full")) : world.turns.submit(envelope)),
    });
    const [work] = await world.steps();
    for (let attempts = 0; attempts < 8; attempts++) {
      assert.equal((await performer.one({ ...work!, attempts })).kind, "retry");
    }
    full = false;
    assert.deepEqual(await performer.one({ ...work!, attempts: 8 }), { kind: "done" });
    assert.equal(calls, 1);
    assert.equal(await world.state(), "PAID");
  });

  test("one that an administrator discards has failed for its saga", async () => {
    const world = await paying("step reserve(key)");
    const [work] = await world.steps();
    await performerOf(world, {}).dead(work!, "discarded by admin");
    assert.equal(await world.state(), "FAILED");
  });
});
