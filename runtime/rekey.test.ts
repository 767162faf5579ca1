import assert from "node:assert/strict";
import { test } from "node:test";
import { keyRing, MissingKey, newDataKey } from "./key-ring.ts";
import type { DeadLetter, Store } from "./ports.ts";
import { isRekeyDue, rekey } from "./rekey.ts";
import { openMemoryStore } from "./stores/memory-store.ts";
import { row } from "./stores/store-contract.ts";

const setting = (...ids: readonly number[]) =>
  ids.map((id) => `k${id}:${Buffer.alloc(32, id).toString("base64")}`).join(",");
const [OLD, BOTH, NEW] = [keyRing(setting(1)), keyRing(setting(2, 1)), keyRing(setting(2))];

const letter = (id: string, body: string, origin = "bus"): DeadLetter => ({
  ...{ id, tenant: "letters-only", at: 5, origin, reason: "no flow" },
  body: origin === "bus" ? JSON.stringify({ subject: "assent.in.a.b.c", headers: {}, ...content(body) }) : body,
});
const content = (body: string) => (body.startsWith("k1:") ? { sealed: body } : { body });

async function filled(): Promise<{ readonly store: Store; readonly keys: readonly Buffer[] }> {
  const store = openMemoryStore();
  const keys = Array.from({ length: 600 }, newDataKey);
  await store.append(
    keys.map((key, n) => row({ instance: `i${n}`, body: "sealed", projection: { wrappedKey: OLD.wrap(key) } })),
  );
  await store.deadLetter(letter("sealed", OLD.wrap(Buffer.from("hush"))));
  await store.deadLetter(letter("clear", "sealed:{}"));
  await store.deadLetter(letter("hook", "<xml>sealed:</xml>", "wecom"));
  return { store, keys };
}

const loaded = async (store: Store, n: number) => (await store.load([{ tenant: "t", instance: `i${n}` }]))[0]!;

test("after rotation the newest key alone opens everything, and nothing that was sealed has changed", async () => {
  const { store, keys } = await filled();
  const before = await loaded(store, 7);
  assert.deepEqual(await rekey(store, BOTH), { found: 601, rewrapped: 601, missing: 0, problems: [] });
  for (const [n, key] of keys.entries())
    assert.deepEqual(NEW.unwrap((await loaded(store, n)).wrappedKey!), key, `${n}`);
  assert.deepEqual({ ...(await loaded(store, 7)), wrappedKey: "" }, { ...before, wrappedKey: "" });
  const { sealed } = JSON.parse((await store.findDeadLetter("letters-only", "sealed"))!.body) as { sealed: string };
  assert.equal(NEW.unwrap(sealed).toString(), "hush");
  for (const same of [letter("clear", "sealed:{}"), letter("hook", "<xml>sealed:</xml>", "wecom")])
    assert.deepEqual(await store.findDeadLetter("letters-only", same.id), same);
  assert.deepEqual(await rekey(store, BOTH), { found: 601, rewrapped: 0, missing: 0, problems: [] });
});

test("it is due until all is wrapped under the newest key", async () => {
  const { store } = await filled();
  assert.equal(await isRekeyDue(store, BOTH), true);
  await rekey(store, BOTH);
  assert.equal(await isRekeyDue(store, BOTH), false);
  assert.equal(await isRekeyDue(store, keyRing(setting(3, 2))), true);
});

test("what the ring has no key for stays, and is told by the key's id", async () => {
  const { store } = await filled();
  const result = await rekey(store, NEW);
  assert.deepEqual([result.rewrapped, result.missing], [0, 601]);
  assert.deepEqual(result.problems, [
    "it is sealed under the key `k1`, which the key ring (ASSENT_KEYS) does not have",
  ]);
  assert.equal(await isRekeyDue(store, NEW), true);
  assert.ok(OLD.unwrap((await loaded(store, 0)).wrappedKey!));
});

test("a ring names a missing key, wraps under its newest, and has each id once", () => {
  const key = newDataKey();
  assert.throws(() => NEW.unwrap(OLD.wrap(key)), MissingKey);
  assert.ok(BOTH.wrap(key).startsWith("k2:"));
  assert.equal(BOTH.rewrapped(BOTH.wrap(key)), undefined);
  assert.throws(() => keyRing(`${setting(1)},${setting(1)}`), /one id/);
  assert.notEqual(OLD.digest("hush"), NEW.digest("hush"));
});
