import assert from "node:assert/strict";
import { test } from "node:test";
import { placeOf } from "./place.ts";

test("one address of this machine is always the same place, and another one is another", () => {
  assert.equal(placeOf("127.0.0.1:7400"), placeOf("127.0.0.1:7400"));
  assert.notEqual(placeOf("127.0.0.1:7400"), placeOf("127.0.0.1:7401"));
  assert.doesNotMatch(placeOf("127.0.0.1:7400"), /127/);
});
