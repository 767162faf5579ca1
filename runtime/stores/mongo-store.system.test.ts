import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { MongoClient } from "mongodb";
import { type MongoServer, needsMongoServer, startMongoServer } from "../../scripts/mongo-server.ts";
import { type Store, StoreUnavailable } from "../ports.ts";
import { openMongoStore } from "./mongo-store.ts";
import { describeStore, effect, row, task } from "./store-contract.ts";
import { describeArchive } from "./store-contract-archive.ts";
import { assertLikeMemory, everything } from "./store-series-testing.ts";

describe("the MongoDB store", { ...needsMongoServer(), timeout: 300_000 }, () => {
  let server: MongoServer;
  const databases: string[] = [];
  before(async () => {
    server = await startMongoServer();
  });
  after(async () => {
    await dropAll(server, databases);
    await server.stop();
  });

  function newDatabase(): string {
    databases.push(`assent-test-${process.pid}-${databases.length}`);
    return server.url(databases.at(-1)!);
  }

  describeStore("mongodb", () => openMongoStore(newDatabase()), {
    async open() {
      const url = newDatabase();
      const store = await openMongoStore(url, { behindMs: 3_600_000 });
      return { store, afterCrash: () => openMongoStore(url) };
    },
  });

  describeArchive("mongodb", () => openMongoStore(newDatabase()));

  test("any series of writes leaves the same as in the memory store", () =>
    assertLikeMemory(() => openMongoStore(newDatabase()), 10));

  test("what was written is there after closing and opening again, and nothing waits any more", async () => {
    const url = newDatabase();
    const store = await openMongoStore(url);
    await store.append([row({ projection: { snapshot: "s", tasks: [task("i-1")], effects: [effect("e")] } })]);
    await store.append([row({ sequence: 2 })]);
    const seen = await everything(store);
    await store.close();
    await assert.rejects(store.append([row({ sequence: 3 })]), StoreUnavailable);
    await assert.rejects(async () => store.load([]), StoreUnavailable);
    assert.equal(await countOf(url, "intents"), 0);
    const again = await openMongoStore(url);
    assert.deepEqual(await everything(again), seen);
    await again.close();
  });

  test("an effect that is carried out before anybody reads is never written beside the journal", async () => {
    const url = newDatabase();
    const store = await openMongoStore(url, { behindMs: 3_600_000 });
    await store.append([row({ projection: { effects: [effect("a")] } })]);
    await store.settleEffects([{ tenant: "t", id: "a", kind: "done" }]);
    assert.deepEqual(await store.instances({ tenant: "t" }, { limit: 9 }).then(({ items }) => items.length), 1);
    assert.equal(await countOf(url, "effects"), 0);
    await store.close();
  });

  test("of racing starts with secrets the winner's key is the instance's, and the losers' are gone", async () => {
    const url = newDatabase();
    const stores = await Promise.all([openMongoStore(url), openMongoStore(url), openMongoStore(url)]);
    const started = (n: number) => row({ body: `sealed by ${n}`, projection: { wrappedKey: `key ${n}` } });
    const results = await Promise.all(stores.map((store, n) => store.append([started(n)])));
    assert.equal(results.filter(({ taken }) => taken.length === 0).length, 1);
    for (const store of stores) {
      const [found] = await store.load([{ tenant: "t", instance: "i" }]);
      assert.equal(found?.wrappedKey, found?.tail[0]?.body.replace("sealed by", "key"));
    }
    await Promise.all(stores.map((store) => store.close()));
    assert.equal(await countOf(url, "keys"), 1);
  });

  test("a database of another version is refused, and one that is not there", async () => {
    const url = newDatabase();
    await on(url, (client) =>
      client.db().collection<{ _id: string; value: string }>("settings").insertOne({ _id: "schema", value: "99" }),
    );
    await assert.rejects(openMongoStore(url), /is not a store of this version \(found version 99, need 2\)/);
    const nowhere = openMongoStore("mongodb://127.0.0.1:1/none", { selectionMs: 200 });
    await assert.rejects(nowhere, { name: "StoreUnavailable", message: /^MongoDB: / });
  });

  test("long histories are read whole, and an instance far ahead of its snapshot too", async () => {
    const store = await openMongoStore(newDatabase());
    await longInstance(store, 300);
    const key = { tenant: "t", instance: "i" };
    const sequences = Array.from({ length: 300 }, (_, index) => index + 1);
    assert.deepEqual(
      (await store.history(key)).map(({ sequence }) => sequence),
      sequences,
    );
    const [loaded] = await store.load([key]);
    assert.deepEqual(
      loaded?.tail.map(({ sequence }) => sequence),
      sequences.slice(50),
    );
    await store.close();
  });
});

/** With a snapshot at 50 alone. */
async function longInstance(store: Store, length: number): Promise<void> {
  for (let sequence = 1; sequence <= length; sequence++)
    await store.append([row({ sequence, ...(sequence === 50 && { projection: { snapshot: "s" } }) })]);
}

async function on<T>(url: string, work: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(url);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

const countOf = (url: string, collection: string): Promise<number> =>
  on(url, (client) => client.db().collection(collection).countDocuments());

async function dropAll(server: MongoServer, databases: readonly string[]): Promise<void> {
  await on(server.url("admin"), async (client) => {
    for (const database of databases) await client.db(database).dropDatabase();
  });
}
