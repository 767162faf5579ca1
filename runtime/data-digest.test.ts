import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import type { Data } from "../dsl/index.ts";
import type { Instance } from "../engine/index.ts";
import { digestData } from "./data-digest.ts";

const instance = (data: Data, more: object = {}): Instance => ({ id: "i", data, ...more }) as Instance;
const key = Buffer.alloc(32, 1);
const otherKey = Buffer.alloc(32, 2);
const digest = (...of: Parameters<typeof digestData>): string => digestData(...of).digest;

test("it is the SHA-256 of the fields by name, whatever order they came in", () => {
  const expected = hash("sha256", '{"amount":5,"title":"t"}', "hex");
  assert.equal(digest(instance({ title: "t", amount: 5 }), undefined), expected);
  assert.equal(digest(instance({ amount: 5, title: "t" }), undefined), expected);
  assert.notEqual(digest(instance({ amount: 6, title: "t" }), undefined), expected);
});

test("with secrets it can't be guessed: it takes the instance's key", () => {
  const data = instance({ card: "6222" });
  const digests = [digest(data, undefined), digest(data, key), digest(data, otherKey)];
  assert.equal(new Set(digests).size, 3);
  assert.equal(digest(instance({ card: "6222" }), key), digests[1]);
});

test("the data of sub-flows counts", () => {
  const child = (amount: number) => ({ child: { id: "i/1", data: { amount } } });
  const [one, other] = [instance({}, child(1)), instance({}, child(2))];
  assert.notEqual(digest(one, undefined), digest(other, undefined));
  assert.notEqual(digest(one, undefined, digestData(other, undefined)), digest(other, undefined));
});

test("it is taken once for the same data under the same key", () => {
  const data = { amount: 1 };
  const known = digestData(instance(data), key);
  assert.equal(digestData(instance(data, { version: 2 }), key, known), known);
  assert.notEqual(digest(instance(data), otherKey, known), known.digest);
  assert.notEqual(digest(instance({ amount: 2 }), key, known), known.digest);
});
