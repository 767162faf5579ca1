import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { FAULTS } from "./faults/faults.ts";
import { simulate } from "./simulate.ts";

test("a seed is the same world each time, and another seed another", async () => {
  const [first, again, other] = [await simulate(3), await simulate(3), await simulate(4)];
  assert.deepEqual(again, first);
  assert.notEqual(other.traceHash, first.traceHash);
  assert.deepEqual(first.violations, []);
});

test("the trace tells all that happens", async () => {
  const lines: string[] = [];
  const { happened } = await simulate(3, (line) => lines.push(line));
  assert.equal(lines.length, happened);
});

test("each seeded fault fits the code as it is", () => {
  const root = resolve(import.meta.dirname, "..");
  const misfits = FAULTS.filter(
    ({ file, find }) => readFileSync(resolve(root, file), "utf8").split(find).length !== 2,
  ).map(({ name, file }) => `${name}: ${file}`);
  assert.deepEqual(misfits, []);
  assert.equal(new Set(FAULTS.map(({ name }) => name)).size, FAULTS.length);
});
