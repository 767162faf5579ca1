import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Outbox, type WorkResult } from "./outbox.ts";
import type { Effect, EffectSettlement, StoredEffect } from "./ports.ts";
import { openMemoryStore } from "./stores/memory-store.ts";
import { SetClock, storeWith } from "./testing.ts";
import type { Committed } from "./turn.ts";

const DONE: WorkResult = { kind: "done" };

const committed = (id: string): Committed => ({
  tenant: "t",
  partition: 0,
  instance: "i",
  about: { flow: "f", updatedAt: 0 },
  effects: [{ id, kind: "publish", events: [] } satisfies Effect],
  timersSet: [],
});

test("a slow effect does not hold up the others, and is waited for at the end", async () => {
  const settled: EffectSettlement[] = [];
  const store = storeWith(openMemoryStore(), {
    settleEffects: async (done) => {
      settled.push(...done);
    },
  });
  const slow = Promise.withResolvers<void>();
  const quick = Promise.withResolvers<void>();
  const outbox = new Outbox({
    store,
    clock: new SetClock(),
    perform: async (batch, over) => {
      if (batch[0]!.effect.id === "slow") await slow.promise;
      else quick.resolve();
      for (const work of batch) over(work, DONE);
    },
    open: () => assert.fail("nothing is sealed"),
    dead: async () => undefined,
    onError: (error) => assert.fail(String(error)),
  });
  outbox.accept([committed("slow")]);
  outbox.start();
  outbox.accept([committed("quick")]);
  // Handed over while the first batch is under way.
  outbox.accept([committed("quick too")]);
  await quick.promise;
  assert.equal(outbox.pending > 0, true);
  const stopped = outbox.stop();
  slow.resolve();
  await stopped;
  assert.equal(outbox.pending, 0);
  assert.ok(settled.some(({ id, kind }) => id === "slow" && kind === "done"));
});

test("of a batch with a slow effect the others are settled without it", async () => {
  const settled: string[] = [];
  const late = Promise.withResolvers<void>();
  const slow = Promise.withResolvers<void>();
  const counts = [2, 3].map((count) => ({ count, ...Promise.withResolvers<void>() }));
  const delays: (() => void)[] = [];
  const outbox = new Outbox({
    clock: Object.assign(new SetClock(), {
      after: (_delayMs: number, callBack: () => void) => {
        delays.push(callBack);
        return () => {};
      },
    }),
    store: storeWith(openMemoryStore(), {
      settleEffects: async (done) => {
        settled.push(...done.map(({ id }) => id));
        for (const { count, resolve } of counts) if (settled.length >= count) resolve();
      },
    }),
    perform: async ([first, second, third, fourth], over) => {
      over(second!, DONE);
      over(third!, DONE);
      await late.promise;
      over(fourth!, DONE);
      await slow.promise;
      over(first!, DONE);
    },
    open: () => assert.fail("nothing is sealed"),
    dead: async () => undefined,
    onError: (error) => assert.fail(String(error)),
  });
  outbox.accept(["slow", "a", "b", "c"].map(committed));
  outbox.start();
  // The patience with the batch is over.
  for (const over of delays.splice(0)) over();
  await counts[0]!.promise;
  late.resolve();
  await counts[1]!.promise;
  assert.deepEqual(settled, ["a", "b", "c"]);
  slow.resolve();
  await outbox.stop();
  assert.deepEqual([settled.at(-1), outbox.pending], ["slow", 0]);
});

test("what was left in the store does not wait until nothing new comes any more", async () => {
  const ROUNDS_MAX = 1_000;
  const left: StoredEffect = {
    ...{ tenant: "t", instance: "i", partition: 0, state: "pending", attempts: 1, nextAt: 0 },
    effect: { id: "left", kind: "publish", events: [] },
  };
  const performed: string[] = [];
  const over = Promise.withResolvers<void>();
  const clock = new SetClock();
  let steadyMs = 0;
  const outbox = new Outbox({
    store: storeWith(openMemoryStore(), {
      dueEffects: async () => (performed.includes("left") ? [] : [left]),
      settleEffects: async () => {},
    }),
    clock: Object.assign(clock, { steadyMs: () => (steadyMs += 10) }),
    perform: async (batch, settled) => {
      await nextTurn();
      performed.push(...batch.map(({ effect }) => effect.id));
      // The next one is there before this one is done.
      if (performed.includes("left") || performed.length > ROUNDS_MAX) over.resolve();
      else outbox.accept([committed(`new ${performed.length}`)]);
      for (const work of batch) settled(work, DONE);
    },
    open: async () => left.effect as Effect,
    dead: async () => undefined,
    onError: (error) => assert.fail(String(error)),
  });
  outbox.accept([committed("new")]);
  outbox.start();
  await over.promise;
  await outbox.stop();
  assert.equal(performed.filter((id) => id === "left").length, 1);
  assert.ok(performed.length < ROUNDS_MAX);
});
