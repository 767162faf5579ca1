import assert from "node:assert/strict";
import { test } from "node:test";
import { openMemoryStore } from "../stores/memory-store.ts";
import { keepPartitions, OtherPartitions, partitionsIn } from "./partition-count.ts";

test("the first start decides how many partitions there are, and another number is refused", async () => {
  const store = openMemoryStore();
  assert.equal(await partitionsIn(store), 16);
  assert.equal(await keepPartitions(store, 8), 8);
  assert.equal(await keepPartitions(store, undefined), 8);
  assert.equal(await keepPartitions(store, 8), 8);
  assert.equal(await partitionsIn(store), 8);
  await assert.rejects(
    keepPartitions(store, 16),
    (error) => error instanceof OtherPartitions && /made with 8 .* to 8 or leave it out, not 16/.test(error.message),
  );
});

test("of nodes that start at once with different numbers one is refused", async () => {
  const store = openMemoryStore();
  const started = await Promise.allSettled([4, 8].map((asked) => keepPartitions(store, asked)));
  assert.deepEqual(started.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
});

test("without a number there are sixteen, for ever", async () => {
  const store = openMemoryStore();
  assert.equal(await keepPartitions(store, undefined), 16);
  await assert.rejects(keepPartitions(store, 32), OtherPartitions);
});
