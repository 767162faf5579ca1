import assert from "node:assert/strict";
import { test } from "node:test";
import { chain } from "./entry.ts";
import { newKeyRingSetting } from "./key-ring.ts";
import type { Store } from "./ports.ts";
import { rebuild } from "./rebuild.ts";
import { definitionSetting } from "./registry.ts";
import { openMemoryStore } from "./stores/memory-store.ts";
import { decision, event, flow, KEYS_SETTING, keyOf, start, to, turnsOn } from "./testing.ts";

const CHECK = { write: false } as const;

/** Approvals in every shape: open, approved, taken back, one with more commands than an instance remembers. */
async function storeWithWork(): Promise<Store> {
  const [store, definition] = [openMemoryStore(), flow()];
  const turns = turnsOn({ store, definition });
  await store.setSetting(definitionSetting(definition.hash), JSON.stringify(definition));
  for (const key of ["A", "B", "C", "D"]) {
    await turns.submit(start(key, `${key}-start`));
    await turns.submit(event(key, `${key}-submit`, "submit", { amount: "12.50" }));
  }
  await turns.submit(decision("B", "B-decide", "bob", "approve"));
  await turns.submit(to("C", "C-back", { kind: "withdraw", actor: "alice" }));
  await turns.submit(start("E", "E-start"));
  for (let n = 0; n < 90; n++) await turns.submit(event("E", `E-${n}`, "remark", { note: `${n}` }));
  return store;
}

test("what was projected is what the journal says", async () => {
  const store = await storeWithWork();
  assert.deepEqual(await rebuild(store, undefined, CHECK), { instances: 5, differing: [], broken: [] });
});

test("what differs is named, and made anew", async () => {
  const store = await storeWithWork();
  const [a, b, e] = [keyOf("A"), keyOf("B"), keyOf("E")];
  const lists = (await store.projected(a))!;
  await store.reproject(a, { ...lists, tasks: [], timers: [], oldCommands: [] });
  await store.reproject(b, {
    ...(await store.projected(b))!,
    summary: { ...lists.summary, state: "LOST" },
    oldCommands: [],
  });
  assert.deepEqual((await rebuild(store, undefined, CHECK)).differing, [a, b]);
  assert.equal((await store.projected(b))?.summary.state, "LOST");
  assert.deepEqual((await rebuild(store, undefined, { write: true })).differing, [a, b]);
  assert.deepEqual(await store.projected(a), lists);
  assert.deepEqual(await rebuild(store, undefined, CHECK), { instances: 5, differing: [], broken: [] });
  const name = { ...e, source: "test", id: "E-start" };
  assert.ok((await store.findCommands([name]))[0]);
});

test("entries that were changed are told, and nothing is made of them", async () => {
  const store = await storeWithWork();
  const [history, before] = [store.history.bind(store), await store.projected(keyOf("A"))];
  store.history = async (key) => {
    const entries = await history(key);
    if (key.instance !== keyOf("A").instance) return entries;
    return entries.map((entry) => ({ ...entry, body: entry.body.replace("12.50", "99.50") }));
  };
  const { broken, differing } = await rebuild(store, undefined, { write: true });
  assert.deepEqual(differing, []);
  assert.deepEqual(
    broken.map(({ instance }) => instance),
    [keyOf("A").instance],
  );
  assert.match(broken[0]!.problem, /the chain of hashes breaks at entry 2/);
  assert.deepEqual(await store.projected(keyOf("A")), before);
});

test("data that is not what the journal says is told, even where the chain was made anew", async () => {
  const store = await storeWithWork();
  const history = store.history.bind(store);
  store.history = async (key) => {
    const entries = await history(key);
    if (key.instance !== keyOf("A").instance) return entries;
    let hash = "";
    return entries.map((entry) => {
      const body = entry.body.replace('"amount":"12.50"', '"amount":"99.50"');
      hash = chain(hash, body);
      return { ...entry, body, hash };
    });
  };
  const { broken } = await rebuild(store, undefined, CHECK);
  assert.equal(broken.length, 1);
  assert.match(broken[0]!.problem, /the data after version 2 is not what the journal says/);
});

const SEALED = `
state machine "payment" {
  data { card: text secret }
  events { "submit" { card } }
  initial: DRAFT
  states: [DRAFT, PAID]
  final: [PAID]
  transitions { DRAFT → PAID on "submit" }
}
`;

test("a sealed instance is decided again with its key, and told without it", async () => {
  const [store, definition] = [await storeWithWork(), flow(SEALED, [])];
  await store.setSetting(definitionSetting(definition.hash), JSON.stringify(definition));
  const turns = turnsOn({ store, definition });
  await turns.submit(start("S", "S-start", "payment"));
  assert.deepEqual(await rebuild(store, KEYS_SETTING, CHECK), { instances: 6, differing: [], broken: [] });
  const { broken } = await rebuild(store, newKeyRingSetting(), CHECK);
  assert.deepEqual(
    broken.map(({ instance }) => instance),
    [keyOf("S", "payment").instance],
  );
});
