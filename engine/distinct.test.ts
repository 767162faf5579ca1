import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { distinct } from "./distinct.ts";

test("each item once, in order of the first, as a set has them", () => {
  const items = fc.array(fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h", "i", "j"), { maxLength: 15 });
  fc.assert(fc.property(items, (list) => assert.deepEqual(distinct(list), [...new Set(list)])));
});

test("a list without repetitions stays what it is", () => {
  for (const list of [[], ["a"], ["b", "a"], [..."abcdefghijkl"]]) assert.equal(distinct(list), list);
});
