import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { instanceId, instanceOfTask, taskId } from "./ids.ts";

test("an id is 32 hex digits, and no two triples that differ share their text", () => {
  assert.match(instanceId("default", "leave", "K-1"), /^[0-9a-f]{32}$/);
  assert.notEqual(instanceId("a", "b", "c"), instanceId("ab", "", "c"));
  assert.notEqual(instanceId('a","b', "c", "d"), instanceId("a", 'b","c', "d"));
  fc.assert(
    fc.property(
      fc.tuple(fc.string(), fc.string(), fc.string()),
      fc.tuple(fc.string(), fc.string(), fc.string()),
      (a, b) => {
        assert.equal(instanceId(...a) === instanceId(...b), JSON.stringify(a) === JSON.stringify(b));
      },
    ),
  );
});

test("a task names its instance", () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1 }).filter((id) => !/\n|\r|\u2028|\u2029/.test(id)),
      fc.integer({ min: 1 }),
      (id, n) => {
        assert.equal(instanceOfTask(taskId(id, n)), id);
      },
    ),
  );
  for (const none of ["", "i", "i-0", "i-x", "-1", "i-1x"]) assert.equal(instanceOfTask(none), undefined, none);
});
