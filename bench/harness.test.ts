import assert from "node:assert/strict";
import { test } from "node:test";
import { type Benchmark, measure, median, table } from "./harness.ts";

const benchmark = (parts: Partial<Benchmark>): Benchmark => ({
  ...{ id: "x", what: "what it does", unit: "1/s", better: "higher", referenceName: "by hand" },
  ours: async () => 50,
  reference: async () => 100,
  ...parts,
});

test("median", () => {
  for (const [values, expected] of [
    [[3], 3],
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
    [[10, 9, 100], 10],
  ] as const)
    assert.equal(median(values), expected);
});

test("a ratio above 1 means that ours is better, whichever way the unit goes", async () => {
  const rate = await measure(benchmark({ goal: 0.5 }), "quick");
  assert.deepEqual([rate.ratio, rate.ok], [0.5, true]);
  const latency = await measure(benchmark({ better: "lower", goal: 2.5 }), "quick");
  assert.deepEqual([latency.ratio, latency.ok, latency.problem], [2, false, undefined]);
  const informs = await measure(benchmark({}), "quick");
  assert.deepEqual([informs.goal, informs.ok], [null, true]);
});

test("a full measurement alternates who is first and takes medians", async () => {
  const order: string[] = [];
  let run = 0;
  const ours = async () => {
    order.push("ours");
    return [10, 20, 30, 40, 1_000][run++]!;
  };
  const reference = async () => {
    order.push("reference");
    return 100;
  };
  const row = await measure(benchmark({ ours, reference }), "full");
  assert.deepEqual(order.slice(0, 4), ["ours", "reference", "reference", "ours"]);
  assert.deepEqual([row.ours, row.reference, row.ratio, row.runs.length], [30, 100, 0.3, 5]);
});

test("what fails or is missing is not fine and says why", async () => {
  const ours = async (): Promise<number> => {
    throw new Error("no answer");
  };
  const broken = await measure(benchmark({ ours }), "quick");
  assert.deepEqual([broken.ok, broken.ours, broken.ratio], [false, null, null]);
  assert.match(broken.problem!, /no answer/);
  const missing = await measure(benchmark({ unavailable: () => "no server here" }), "quick");
  assert.deepEqual([missing.ok, missing.problem], [false, "no server here"]);
  assert.match(table([broken]), /^id .*\nx +– +– +1\/s +– +– +BROKEN +what it does +by hand$/);
});
