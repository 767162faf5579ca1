import assert from "node:assert/strict";
import { test } from "node:test";
import { Process } from "./cluster/process.ts";
import { Random } from "./random.ts";
import { Scheduler } from "./scheduler.ts";

const schedulerOf = (seed: number): Scheduler => new Scheduler(new Random(seed));

/** All that happens, in order. */
async function run(scheduler: Scheduler): Promise<void> {
  await scheduler.runUntil(() => false, Number.POSITIVE_INFINITY);
}

test("what is sooner happens sooner, and the time is then", async () => {
  const scheduler = schedulerOf(1);
  const seen: string[] = [];
  for (const delayMs of [30, 10, 20])
    scheduler.after(delayMs, "x", () => seen.push(`${delayMs} at ${scheduler.nowMs}`));
  await run(scheduler);
  assert.deepEqual(seen, ["10 at 10", "20 at 20", "30 at 30"]);
});

test("what was called off does not happen", async () => {
  const scheduler = schedulerOf(1);
  const callOff = scheduler.after(10, "x", () => assert.fail("it happened"));
  scheduler.after(5, "y", callOff);
  await run(scheduler);
  assert.equal(scheduler.happened, 1);
});

test("what follows from a happening at once is over before the next", async () => {
  const scheduler = schedulerOf(1);
  const seen: string[] = [];
  const follow = async () => {
    for (let step = 1; step <= 3; step++) {
      await Promise.resolve();
      seen.push(`follows ${step}`);
    }
  };
  scheduler.after(1, "x", () => void follow());
  scheduler.after(1.5, "y", () => seen.push("next"));
  await run(scheduler);
  assert.deepEqual(seen, ["follows 1", "follows 2", "follows 3", "next"]);
});

test("the seed decides between those of one instant", async () => {
  const orderOf = async (seed: number) => {
    const scheduler = schedulerOf(seed);
    const seen: number[] = [];
    for (let one = 0; one < 8; one++) scheduler.after(1, String(one), () => seen.push(one));
    await run(scheduler);
    return { order: seen.join(), hash: scheduler.traceHash };
  };
  assert.deepEqual(await orderOf(7), await orderOf(7));
  const orders = new Set(await Promise.all([1, 2, 3, 4, 5].map(async (seed) => (await orderOf(seed)).order)));
  assert.ok(orders.size > 1);
});

test("in a dead process nothing happens any more", async () => {
  const scheduler = schedulerOf(1);
  const process = new Process("n1", scheduler);
  process.after(10, "x", () => assert.fail("it happened"));
  scheduler.after(5, "kill", () => process.kill());
  await run(scheduler);
  assert.equal(process.isAlive, false);
});

test("a stopped process catches up, in order, when it goes on", async () => {
  const scheduler = schedulerOf(1);
  const process = new Process("n1", scheduler);
  const seen: string[] = [];
  for (const at of [10, 20, 60]) process.after(at, "x", () => seen.push(`${at} at ${Math.round(scheduler.nowMs)}`));
  scheduler.after(5, "stop", () => process.stop(45));
  await run(scheduler);
  assert.deepEqual(seen, ["10 at 50", "20 at 50", "60 at 60"]);
});
