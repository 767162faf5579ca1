import assert from "node:assert/strict";
import { test } from "node:test";
import { StoreUnavailable } from "../ports.ts";
import { openMemoryStore } from "../stores/memory-store.ts";
import { definitionsFrom, KEYS, SetClock, storeWith } from "../testing.ts";
import type { Retained } from "./retention.ts";
import { RetentionWorker } from "./retention-worker.ts";

/** Waits until it is told to go on. */
class WaitingClock extends SetClock {
  readonly waits: { readonly ms: number; readonly go: () => void }[] = [];
  calledOff = 0;
  override readonly after = (ms: number, go: () => void): (() => void) => {
    this.waits.push({ ms, go });
    return () => {
      this.calledOff += 1;
    };
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

function open(options: { mine?: boolean; failing?: boolean } = {}) {
  const clock = new WaitingClock();
  const passes: Retained[] = [];
  const errors: unknown[] = [];
  const memory = openMemoryStore();
  const away = async () => {
    throw new StoreUnavailable("away");
  };
  const worker = new RetentionWorker({
    ...{ clock, keys: KEYS, definitions: definitionsFrom([]), settings: () => ({}) },
    store: options.failing ? storeWith(memory, { tenants: away }) : memory,
    isMine: () => options.mine ?? true,
    done: (retained) => passes.push(retained),
    onError: (error) => errors.push(error),
  });
  return { clock, passes, errors, worker };
}

async function goOn(clock: WaitingClock): Promise<void> {
  clock.waits.at(-1)!.go();
  await turn();
}

test("it looks a minute after the start and then every hour, until it is stopped", async () => {
  const { clock, passes, worker } = open();
  worker.start();
  for (let n = 0; n < 3; n++) await goOn(clock);
  assert.deepEqual(
    clock.waits.map(({ ms }) => ms),
    [60_000, 3_600_000, 3_600_000, 3_600_000],
  );
  assert.deepEqual(passes, Array(3).fill({ archived: 0, pruned: 0, problems: [] }));
  await worker.stop();
  assert.equal(clock.calledOff, 1);
});

test("a node whose turn it is not looks again later, and so does one whose store is away", async () => {
  for (const options of [{ mine: false }, { failing: true }]) {
    const { clock, passes, errors, worker } = open(options);
    worker.start();
    await goOn(clock);
    assert.deepEqual([passes.length, errors.length, clock.waits.length], [0, options.failing ? 1 : 0, 2]);
    await worker.stop();
  }
});

test("stopping waits for the pass under way, after which there is no other", async () => {
  const { clock, passes, worker } = open();
  worker.start();
  clock.waits.at(-1)!.go();
  await worker.stop();
  assert.deepEqual([passes.length, clock.waits.length], [1, 1]);
});
