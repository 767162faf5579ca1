import assert from "node:assert/strict";
import { test } from "node:test";
import { maskLeaves, maskSecrets } from "./secret-masks.ts";
import { flow } from "./testing.ts";

const DEFINITION = flow(
  `state machine "f" {
    data {
      amount: money?
      card: text? secret
    }
    events { "go" { card } }
    initial: A
    states: [A, B]
    transitions { A → B on "go" }
  }`,
  [],
);

test("secret fields are masked by name, at any depth", () => {
  const value = { amount: "1.00", card: "6222", inner: [{ card: { any: "thing" } }, "6222"] };
  const masked = { amount: "1.00", card: "****", inner: [{ card: "****" }, "6222"] };
  assert.deepEqual(maskSecrets([DEFINITION], value), masked);
});

test("values are masked, names and lists stay", () => {
  assert.deepEqual(maskLeaves([{ a: 1, b: [null, true] }, "x"]), [{ a: "****", b: ["****", "****"] }, "****"]);
});
