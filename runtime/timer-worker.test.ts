import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoredTimer } from "./ports.ts";
import { openMemoryStore } from "./stores/memory-store.ts";
import { SetClock, storeWith } from "./testing.ts";
import { TimerWorker } from "./timer-worker.ts";
import type { Envelope, Reply } from "./turn.ts";

const due = (instance: string): StoredTimer => ({
  tenant: "t",
  instance,
  timer: { id: "t1", dueAt: 0, purpose: { kind: "remind", seat: 0 } },
});

const GONE: Reply = {
  kind: "refused",
  refusal: { kind: "refused", code: "not-possible-in-state", message: "the timer is gone" },
};

test("a timer that can't be decided does not hold up the others", async () => {
  const dropped: string[] = [];
  const errors: unknown[] = [];
  const { promise: swept, resolve } = Promise.withResolvers<void>();
  const store = storeWith(openMemoryStore(), {
    dueTimers: async () => [due("broken"), due("gone")],
    dropTimers: async (timers) => {
      dropped.push(...timers.map(({ instance }) => instance));
    },
    nextDue: async () => {
      resolve();
      return {};
    },
  });
  const submit = async ({ instance }: Envelope): Promise<Reply> => {
    if (instance === "broken") throw new Error("its definition is not in the store");
    return GONE;
  };
  const worker = new TimerWorker({ store, clock: new SetClock(), submit, onError: (error) => errors.push(error) });
  worker.start();
  await swept;
  await worker.stop();
  assert.deepEqual(dropped, ["gone"]);
  assert.match(String(errors[0]), /not in the store/);
});
