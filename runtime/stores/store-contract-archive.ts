import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { ArchiveRow, InstanceKey, PageRequest, PruneRow, Store } from "../ports.ts";
import { row } from "./store-contract.ts";

/** What every store promises about tenants, data keys and old entries. Each test gets an empty store. */
export function describeArchive(what: string, open: () => Promise<Store>): void {
  describe(`${what}: tenants, keys and history`, () => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());
    for (const [title, promise] of promises) test(title, () => promise(store));
  });
}

const KEY = { tenant: "t", instance: "i" };
const BEFORE = 1_000_000;

/** Entries 1 to `length` of an instance; the last one ends it at 1,000 × its sequence. */
async function ended(store: Store, key: InstanceKey, length: number): Promise<void> {
  for (let sequence = 1; sequence <= length; sequence++) {
    const { summary } = row({ ...key, sequence }).projection;
    const outcome = sequence === length ? { outcome: "approved" } : {};
    await store.append([row({ ...key, sequence, projection: { summary: { ...summary!, ...outcome } } })]);
  }
}

const archived = (key: InstanceKey, sequence: number): ArchiveRow => ({
  ...{ tenant: key.tenant, instance: key.instance },
  snapshot: { sequence, body: `state ${sequence}`, hash: `h${sequence}` },
});

const pruned = (key: InstanceKey, sequence: number): PruneRow => ({
  ...{ tenant: key.tenant, instance: key.instance },
  checkpoint: { sequence, hash: `h${sequence}`, body: `{"signed":${sequence}}`, snapshot: `state ${sequence}` },
});

async function all<Item>(
  list: (page: PageRequest) => Promise<{ items: readonly Item[]; cursor?: string }>,
  limit = 2,
): Promise<readonly Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const page = await list({ limit, ...(cursor !== undefined && { cursor }) });
    assert.ok(page.items.length <= limit);
    items.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return items;
}

const endedNames = async (store: Store, where: "journal" | "history", before = BEFORE, tenant = "t") => {
  const found = await all((page) => store.ended({ tenant, before, where }, page));
  return found.map(({ tenant: of, instance }) => `${of}/${instance}`);
};

const sequences = async (store: Store, key: InstanceKey = KEY) =>
  (await store.history(key)).map(({ sequence }) => sequence);

type Promised = readonly [title: string, promise: (store: Store) => Promise<void>];

const promises: readonly Promised[] = [
  [
    "what a tenant has: open instances, and the bytes of all entries that were written",
    async (store) => {
      assert.deepEqual(await store.usage("t"), { openInstances: 0, bytes: 0 });
      await store.append([row({ body: "é" }), row({ instance: "j", body: "1234" })]);
      await store.append([row({ tenant: "u", body: "123456789" })]);
      const { summary } = row().projection;
      const end = { summary: { ...summary!, outcome: "approved" } };
      await store.append([row({ sequence: 2, body: "12345", projection: end })]);
      assert.equal((await store.append([row({ sequence: 2, body: "late" })])).taken.length, 1);
      assert.deepEqual(await store.usage("t"), { openInstances: 1, bytes: 11 });
      assert.deepEqual(await store.usage("u"), { openInstances: 1, bytes: 9 });
      assert.deepEqual(await store.usage("none"), { openInstances: 0, bytes: 0 });
    },
  ],
  [
    "tenants are those that have instances or dead letters",
    async (store) => {
      assert.deepEqual(await store.tenants(), []);
      for (const tenant of ["t", "v"])
        await store.deadLetter({ id: "l", tenant, at: 5, origin: "bus", reason: "not JSON", body: "{" });
      for (const tenant of ["u", "t", "人", "t"])
        await store.append([row({ tenant, instance: `i${tenant}` }), row({ tenant, instance: "j" })]);
      assert.deepEqual([...(await store.tenants())].sort(), ["t", "u", "v", "人"]);
    },
  ],
  [
    "data keys are listed each once, and wrapped anew unless somebody else did it first",
    async (store) => {
      for (const n of [1, 2, 3, 4, 5])
        await store.append([row({ instance: `i${n}`, projection: { wrappedKey: `old:${n}` } })]);
      await store.append([row({ instance: "plain" })]);
      const found = await all((page) => store.wrappedKeys(page));
      assert.deepEqual(found.map(({ wrappedKey }) => wrappedKey).toSorted(), [
        ...["old:1", "old:2", "old:3", "old:4", "old:5"],
      ]);
      const of = (wrapped: string) => found.find(({ wrappedKey }) => wrappedKey === wrapped)!.id;
      await store.rewrap([
        { id: of("old:1"), from: "old:1", to: "new:1" },
        { id: of("old:2"), from: "something else", to: "new:2" },
      ]);
      const loaded = await store.load(["i1", "i2"].map((instance) => ({ tenant: "t", instance })));
      assert.deepEqual(
        loaded.map(({ wrappedKey }) => wrappedKey),
        ["new:1", "old:2"],
      );
    },
  ],
  [
    "instances that ended are listed by where their entries lie, those in which something happened since are not",
    async (store) => {
      for (const n of [1, 2, 3, 4, 5]) await ended(store, { tenant: "t", instance: `i${n}` }, n);
      await ended(store, { tenant: "u", instance: "i1" }, 1);
      await store.append([row({ instance: "open" })]);
      assert.deepEqual((await endedNames(store, "journal")).toSorted(), ["t/i1", "t/i2", "t/i3", "t/i4", "t/i5"]);
      assert.deepEqual((await endedNames(store, "journal", 3_000)).toSorted(), ["t/i1", "t/i2"]);
      assert.deepEqual(await endedNames(store, "journal", BEFORE, "u"), ["u/i1"]);
      await store.archive([archived({ tenant: "t", instance: "i2" }, 2), archived({ tenant: "t", instance: "i3" }, 3)]);
      assert.deepEqual((await endedNames(store, "journal")).toSorted(), ["t/i1", "t/i4", "t/i5"]);
      assert.deepEqual((await endedNames(store, "history")).toSorted(), ["t/i2", "t/i3"]);
      await store.prune([pruned({ tenant: "t", instance: "i2" }, 2)]);
      assert.deepEqual(await endedNames(store, "history"), ["t/i3"]);
      await store.append([row({ instance: "i3", sequence: 4, projection: { summary: await summaryOf(store, "i3") } })]);
      assert.deepEqual(await endedNames(store, "history"), []);
      assert.ok((await endedNames(store, "journal")).includes("t/i3"));
    },
  ],
  [
    "entries that were moved are read as before, their keys stay taken, and the instance is loaded from the snapshot",
    async (store) => {
      await ended(store, KEY, 4);
      await store.append([row({ tenant: "u" })]);
      const before = await store.history(KEY);
      for (const _ of [1, 2]) await store.archive([archived(KEY, 4), archived({ tenant: "t", instance: "none" }, 1)]);
      assert.deepEqual(await store.history(KEY), before);
      const snapshot = { sequence: 4, body: "state 4", hash: "h4" };
      assert.deepEqual(await store.load([KEY]), [{ ...KEY, snapshot, tail: [] }]);
      for (const sequence of [1, 2, 3, 4])
        assert.deepEqual((await store.append([row({ sequence, body: "late" })])).taken, [KEY], `${sequence}`);
      assert.deepEqual((await store.append([row({ sequence: 5 })])).taken, []);
      assert.deepEqual(await sequences(store), [1, 2, 3, 4, 5]);
      assert.deepEqual(
        (await store.load([KEY]))[0]?.tail.map(({ sequence }) => sequence),
        [5],
      );
      await store.archive([archived(KEY, 5)]);
      assert.deepEqual(await sequences(store), [1, 2, 3, 4, 5]);
      assert.deepEqual(await sequences(store, { tenant: "u", instance: "i" }), [1]);
    },
  ],
  [
    "of entries that were pruned the checkpoint is left, and the instance; their keys stay taken",
    async (store) => {
      await ended(store, KEY, 3);
      await ended(store, { tenant: "u", instance: "i" }, 3);
      assert.equal(await store.checkpoint(KEY), undefined);
      const { bytes } = await store.usage("t");
      for (const key of [KEY, { tenant: "u", instance: "i" }]) await store.archive([archived(key, 3)]);
      assert.equal((await store.usage("t")).bytes, bytes);
      for (const _ of [1, 2]) await store.prune([pruned(KEY, 3), pruned({ tenant: "t", instance: "none" }, 1)]);
      assert.deepEqual(await sequences(store), []);
      assert.equal((await store.usage("t")).bytes, 0);
      assert.deepEqual(await store.checkpoint(KEY), pruned(KEY, 3).checkpoint);
      const [loaded] = await store.load([KEY]);
      assert.deepEqual([loaded?.snapshot?.body, loaded?.tail], ["state 3", []]);
      assert.equal((await store.instances({ tenant: "t" }, { limit: 9 })).items[0]?.outcome, "approved");
      for (const sequence of [1, 2, 3])
        assert.deepEqual((await store.append([row({ sequence })])).taken, [KEY], `${sequence}`);
      assert.deepEqual((await store.append([row({ sequence: 4 })])).taken, []);
      assert.deepEqual(await sequences(store), [4]);
      await store.archive([archived(KEY, 4)]);
      await store.prune([pruned(KEY, 4)]);
      assert.equal((await store.checkpoint(KEY))?.sequence, 4);
      assert.deepEqual(await sequences(store, { tenant: "u", instance: "i" }), [1, 2, 3]);
      assert.equal(await store.checkpoint({ tenant: "u", instance: "i" }), undefined);
    },
  ],
  [
    "what was not moved is not pruned",
    async (store) => {
      await ended(store, KEY, 3);
      await store.prune([pruned(KEY, 3)]);
      await store.archive([archived(KEY, 2)]);
      await store.prune([pruned(KEY, 3)]);
      assert.deepEqual(await sequences(store), [1, 2, 3]);
      assert.equal(await store.checkpoint(KEY), undefined);
    },
  ],
  [
    "long histories are moved and pruned whole",
    async (store) => {
      await ended(store, KEY, 300);
      await store.archive([archived(KEY, 300)]);
      assert.equal((await sequences(store)).length, 300);
      await store.prune([pruned(KEY, 300)]);
      assert.deepEqual(await sequences(store), []);
    },
  ],
];

const summaryOf = async (store: Store, instance: string) => (await store.projected({ tenant: "t", instance }))!.summary;
