import assert from "node:assert/strict";
import { test } from "node:test";
import type { Definition } from "../dsl/index.ts";
import { decidedByXState, recordTest } from "../engine/index.ts";
import { loadSuite } from "./suite.ts";

test("every scenario goes the same way over tables and over XState's own machines", () => {
  const copies = new Map<Definition, Definition>();
  const copyOf = (definition: Definition): Definition => {
    if (!copies.has(definition)) copies.set(definition, decidedByXState(definition));
    return copies.get(definition)!;
  };
  const { scenarios } = loadSuite();
  assert(scenarios.length > 0);
  for (const { block, definitions } of scenarios) {
    assert.deepEqual(recordTest(block, definitions.map(copyOf)), recordTest(block, definitions), block.name);
  }
});
