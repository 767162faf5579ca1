import assert from "node:assert/strict";
import { test } from "node:test";
import { compile } from "../dsl/index.ts";
import { decide, instanceId } from "../engine/index.ts";
import { InProcessBus } from "./bus/in-process-bus.ts";
import { EffectOrder } from "./effect-order.ts";
import { EffectPerformer, type EffectPorts } from "./effects.ts";
import type { Work, WorkResult } from "./outbox.ts";
import type { Effect, StoredEffect } from "./ports.ts";
import { Services } from "./services/services.ts";
import { SetClock } from "./testing.ts";
import { trustedFunctions } from "./trusted-functions.ts";

const FLOW = `state machine "f" {
  initial: A
  states: [A, B]
  transitions { A → B on "go" → archive() → emit("archived") }
}`;

test("an event behind an action leaves when the action is done", async () => {
  const definition = compile(FLOW, "f.flow").definitions[0]!;
  const instance = instanceId("t", "f", "k");
  const decision = decide(
    definition,
    undefined,
    {
      ...({ kind: "start", id: "1", source: "test", digest: "d", tenant: "t", instance, key: "k" } as const),
      ...{ initiator: { id: "alice" }, data: {}, event: "go", payload: {} },
    },
    0,
    () => undefined,
  );
  assert.ok(decision.kind === "accepted");
  assert.deepEqual(
    decision.effects.map(({ kind }) => kind),
    ["publish", "call", "publish"],
  );

  const bus = new InProcessBus();
  const seen: string[] = [];
  await bus.subscribe("assent.out.>", ({ subject }) => void seen.push(subject.split(".").slice(4).join(".")));
  const archived = Promise.withResolvers<void>();
  const functions = trustedFunctions(() => ({
    kind: "action",
    run: async () => {
      await archived.promise;
      seen.push("archive()");
    },
  }));
  const performer = new EffectPerformer({
    ...{ bus, functions, clock: new SetClock(), services: new Services({ bus, clock: new SetClock(), urls: {} }) },
  } as unknown as EffectPorts);
  const about = { flow: "f", updatedAt: 0 };
  const performed = performer.perform(
    decision.effects.map((effect) => ({ tenant: "t", instance, effect, attempts: 0, about })),
  );
  await Promise.resolve();
  archived.resolve();
  assert.deepEqual(
    (await performed).map(({ kind }) => kind),
    ["done", "done", "done"],
  );
  assert.deepEqual(seen.slice(-2), ["archive()", "archived"]);
  assert.ok(seen.includes("instance.started"));
});

test("each effect of a batch is told as soon as it is over", async () => {
  const bus = new InProcessBus();
  const slow = Promise.withResolvers<void>();
  const functions = { has: () => true, answer: () => undefined, perform: () => slow.promise };
  const performer = new EffectPerformer({
    ...{ bus, functions, clock: new SetClock(), services: new Services({ bus, clock: new SetClock(), urls: {} }) },
  } as unknown as EffectPorts);
  const about = { flow: "f", updatedAt: 0 };
  const work = (effect: Effect): Work => ({ tenant: "t", instance: "i", effect, attempts: 0, about });
  const call = {
    id: "a:1:0",
    kind: "call",
    function: "book",
    arguments: [],
    context: { flow: "f" },
  } as unknown as Effect;
  const told: string[] = [];
  const isTold = Promise.withResolvers<void>();
  const performed = performer.perform(
    [work(call), work({ id: "b:1:0", kind: "publish", events: [] })],
    (one, { kind }) => {
      told.push(`${one.effect.id} ${kind}`);
      isTold.resolve();
    },
  );
  await isTold.promise;
  assert.deepEqual(told, ["b:1:0 done"]);
  slow.resolve();
  await performed;
  assert.deepEqual(told, ["b:1:0 done", "a:1:0 done"]);
});

/** Effects of three decisions, in the store and by hand. @param steps ids of those that are a saga's steps. */
function ordered(ids: readonly string[], steps: ReadonlySet<string> = new Set()) {
  const clock = new SetClock();
  const left = new Set(ids);
  const nextAt = new Map<string, number>();
  const store = {
    effectsOfDecision: async (_tenant: string, decision: string) =>
      [...left]
        .filter((id) => id.startsWith(`${decision}:`))
        .map(
          (id): StoredEffect => ({
            ...{ tenant: "t", instance: "i", partition: 0, state: "pending", attempts: 0, nextAt: nextAt.get(id) ?? 0 },
            effect: steps.has(id) ? { id, kind: "sealed", step: true, box: "" } : effectOf(id),
          }),
        ),
  };
  const effectOf = (id: string): Effect =>
    steps.has(id) ? ({ id, kind: "step" } as Effect) : { id, kind: "publish", events: [] };
  const order = new EffectOrder(store, clock);
  const work = (id: string, fresh: boolean): Work => ({
    ...{ tenant: "t", instance: "i", attempts: 0, effect: effectOf(id) },
    ...(fresh && { about: { flow: "f", updatedAt: 0 } }),
  });
  const run = async (id: string, result: WorkResult, { fresh = true, by = order } = {}) => {
    let tried = false;
    const got = await by.run(work(id, fresh), Promise.resolve(), async () => {
      tried = true;
      return result;
    });
    if (got.kind === "retry") nextAt.set(id, clock.ms + (got.afterMs ?? 0));
    else left.delete(id);
    return { tried, got };
  };
  return { clock, left, run, another: () => new EffectOrder(store, clock) };
}

const done: WorkResult = { kind: "done" };
const retry: WorkResult = { kind: "retry", error: "away", afterMs: 4_000 };
const dead: WorkResult = { kind: "dead", error: "no" };

test("a failed try holds back the effects behind it, until it succeeds", async () => {
  const { run } = ordered(["i:1:0", "i:1:1", "i:1:2"]);
  assert.equal((await run("i:1:0", done)).tried, true);
  assert.equal((await run("i:1:1", retry)).tried, true);
  const held = await run("i:1:2", done);
  assert.equal(held.tried, false);
  assert.ok(held.got.kind === "retry" && held.got.afterMs! > 4_000, "not before the one in front of it");
  assert.equal((await run("i:1:1", done, { fresh: false })).tried, true);
  assert.equal((await run("i:1:2", done, { fresh: false })).tried, true);
});

test("a failed try holds back those behind it though the store does not list them yet", async () => {
  const { run, left } = ordered(["i:1:0", "i:1:1"]);
  await run("i:1:0", retry);
  left.clear();
  assert.equal((await run("i:1:1", done)).tried, false);
});

test("one that is to be given up holds back those behind it until the store has it so", async () => {
  const { run, left } = ordered(["i:1:0", "i:1:1"]);
  await run("i:1:0", dead);
  left.add("i:1:0");
  assert.equal((await run("i:1:1", done)).tried, false, "its instance could not be told");
  left.delete("i:1:0");
  assert.equal((await run("i:1:1", done)).tried, true);
});

test("one that is given up holds nothing back, and nothing holds back another decision", async () => {
  const { run } = ordered(["i:1:0", "i:1:1", "i:2:1", "j:1:1"]);
  await run("i:1:0", retry);
  for (const id of ["i:2:1", "j:1:1"]) assert.equal((await run(id, done)).tried, true, id);
  assert.equal((await run("i:1:1", done)).tried, false);
  await run("i:1:0", dead, { fresh: false });
  assert.equal((await run("i:1:1", done, { fresh: false })).tried, true);
});

test("a saga's step waits for what is before it, and nothing waits for a step, after a restart neither", async () => {
  const ids = ["i:1:0", "i:1:1", "i:1:2", "i:1:3"];
  const { run, another } = ordered(ids, new Set(["i:1:1", "i:1:2"]));
  await run("i:1:0", retry);
  for (const id of ["i:1:1", "i:1:3"]) assert.equal((await run(id, done)).tried, false, `${id} is held back`);
  await run("i:1:0", done, { fresh: false });
  assert.equal((await run("i:1:1", retry, { fresh: false })).tried, true);
  for (const fresh of [true, false]) {
    assert.equal((await run("i:1:2", retry, { fresh })).tried, true);
    assert.equal((await run("i:1:3", retry, { fresh, by: another() })).tried, true);
  }
});

test("after a restart the store tells what is still before an effect", async () => {
  const { run, another, left } = ordered(["i:1:0", "i:1:1"]);
  await run("i:1:0", retry);
  const by = another();
  assert.equal((await run("i:1:1", done, { fresh: false, by })).tried, false);
  left.delete("i:1:0"); // Somebody discarded it.
  assert.equal((await run("i:1:1", done, { fresh: false, by })).tried, true);
});
