import assert from "node:assert/strict";
import { test } from "node:test";
import { Outbox, type WorkResult } from "./outbox.ts";
import type { Effect, EffectSettlement } from "./ports.ts";
import { openMemoryStore } from "./stores/memory-store.ts";
import { SetClock, storeWith } from "./testing.ts";
import type { Committed } from "./turn.ts";

const DONE: WorkResult = { kind: "done" };

const committed = (id: string): Committed => ({
  tenant: "t",
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
  const slow = Promise.withResolvers<readonly WorkResult[]>();
  const quick = Promise.withResolvers<void>();
  const outbox = new Outbox({
    store,
    clock: new SetClock(),
    perform: async (batch) => {
      if (batch[0]!.effect.id === "slow") return slow.promise;
      quick.resolve();
      return batch.map(() => DONE);
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
  slow.resolve([DONE]);
  await stopped;
  assert.equal(outbox.pending, 0);
  assert.ok(settled.some(({ id, kind }) => id === "slow" && kind === "done"));
});
