import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { partitionOf, partitionOfRaw } from "./partition.ts";

test("the partition is the one to which NATS maps the message's subject", () => {
  // As nats-server 2.15 maps them by {{partition(16,1,2,4)}} over assent.in.*.*.*.*
  const mapped = [
    ["default", "leave", "L-1", 1],
    ["default", "合同", "键.", 13],
    ["t", "f", "k", 12],
    ["a", "b", "c", 11],
  ] as const;
  for (const [tenant, flow, key, partition] of mapped)
    assert.equal(partitionOf(tenant, flow, key, 16), partition, `${tenant} ${flow} ${key}`);
});

test("any text has a partition, and always the same one", () => {
  const any = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(any, any, any, fc.integer({ min: 1, max: 1_024 }), (tenant, flow, key, partitions) => {
      const partition = partitionOf(tenant, flow, key, partitions);
      assert.ok(Number.isInteger(partition) && partition >= 0 && partition < partitions);
      assert.equal(partitionOf(tenant, flow, key, partitions), partition);
    }),
  );
  assert.equal(partitionOf("", "\ud800", "", 16), partitionOf("", "\ud800", "", 16));
});

test("business keys that differ little are spread evenly", () => {
  const counts = new Array<number>(16).fill(0);
  for (let n = 0; n < 16_000; n++) counts[partitionOf("default", "leave", `HT-2026-${n}`, 16)]! += 1;
  assert.ok(Math.min(...counts) > 700 && Math.max(...counts) < 1_300, counts.join(" "));
});

test("raw events have a partition too", () => {
  const found = new Set(Array.from({ length: 200 }, (_, n) => partitionOfRaw("default", `in/app/${n}`, 4)));
  assert.deepEqual([...found].toSorted(), [0, 1, 2, 3]);
});
