import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { type MongoServer, needsMongoServer, startMongoServer } from "../../scripts/mongo-server.ts";
import { type Store, StoreUnavailable } from "../ports.ts";
import { type Fate, MongoProxy } from "./mongo-proxy-testing.ts";
import { type MongoOptions, openMongoStore } from "./mongo-store.ts";
import { effect, row, task } from "./store-contract.ts";

/** The way to MongoDB breaks at every place where that matters: what was written is known, whole, and there once. */

const KEY = { tenant: "t", instance: "i" };
const started = row({ projection: { tasks: [task("i-1")], effects: [effect("i:1:0")] } });

describe("the way to MongoDB", { ...needsMongoServer("own"), timeout: 120_000 }, () => {
  let server: MongoServer;
  let proxy: MongoProxy;
  let store: Store;
  let database = 0;
  const url = (): string => proxy.url(`way-${database}`);
  const open = (options: MongoOptions = {}): Promise<Store> => openMongoStore(url(), { selectionMs: 500, ...options });

  before(async () => {
    server = await startMongoServer("own");
    proxy = await MongoProxy.start(server.port);
  });
  after(async () => {
    await proxy.stop();
    await server.stop();
  });
  beforeEach(() => {
    database += 1;
  });
  afterEach(async () => {
    proxy.open();
    await store.close();
  });

  /** The first insert into the collection meets this fate. */
  function once(collection: string, fate: Fate, command = "insert"): () => number {
    let met = 0;
    proxy.judge = (name, into) => (name === command && into === collection && met++ === 0 ? fate : "forward");
    return () => met;
  }

  for (const fate of ["lose-answer", "lose-command", "not-primary"] as const) {
    test(`an append whose insert met \`${fate}\` is written once and told so`, async () => {
      store = await open();
      const tries = once("journal", fate);
      assert.deepEqual(await store.append([started, row({ instance: "j" })]), { taken: [] });
      assert.ok(tries() > 1);
      await assertWhole(store);
    });
  }

  test("a key that somebody else took meanwhile is taken, and one's own row of the same append is not", async () => {
    store = await open();
    const rival = await openMongoStore(server.url(`way-${database}`));
    proxy.judge = (name, into) => (name === "insert" && into === "journal" ? "lose-command" : "forward");
    const appending = store.append([started, row({ instance: "j", body: "late", projection: { wrappedKey: "late" } })]);
    await rival.append([row({ instance: "j", body: "rival" })]);
    await rival.close();
    proxy.open();
    assert.deepEqual(await appending, { taken: [{ tenant: "t", instance: "j" }] });
    assert.deepEqual(
      (await store.history({ tenant: "t", instance: "j" })).map(({ body }) => body),
      ["rival"],
    );
    await assertWhole(store);
  });

  test("an intent that can't be announced: nothing is written", async () => {
    store = await open();
    proxy.judge = (name, into) => (name === "insert" && into === "intents" ? "lose-command" : "forward");
    await assert.rejects(store.append([started]), StoreUnavailable);
    assert.deepEqual(await store.history(KEY), []);
    proxy.open();
    assert.deepEqual(await store.append([started]), { taken: [] });
    await assertWhole(store);
  });

  test("an insert that lands after its caller was told to come again is projected all the same", async () => {
    store = await open({ insertAgainMs: 0 });
    once("journal", "deliver-late");
    await assert.rejects(store.append([started]), StoreUnavailable);
    assert.deepEqual((await store.tasks({ tenant: "t" }, { limit: 9 })).items, []);
    await proxy.deliverLate();
    assert.equal((await store.history(KEY)).length, 1);
    // What builds on it is never projected without it.
    await store.append([row({ sequence: 2 })]);
    await assertWhole(store, 2);
  });

  test("a node dies while its insert is on the way: the next one projects it when it lands", async () => {
    const dead = await open({ insertAgainMs: 0, behindMs: 3_600_000 });
    once("journal", "deliver-late");
    await assert.rejects(dead.append([started]), StoreUnavailable);
    store = await open();
    assert.deepEqual(await store.dueEffects("all", 9_999, 9), []);
    await proxy.deliverLate();
    await until(async () => (await store.dueEffects("all", 9_999, 9)).length === 1);
    await assertWhole(store);
    await dead.close();
  });

  test("an intent whose entry never came is forgotten after a while", async () => {
    store = await open({ insertAgainMs: 0, landedMs: 100 });
    once("journal", "lose-command");
    await assert.rejects(store.append([started]), StoreUnavailable);
    await until(async () => {
      await store.append([row({ instance: "other", sequence: ++others })]);
      await store.instances({ tenant: "t" }, { limit: 1 });
      return (await intents()) === 0;
    });
    assert.deepEqual(await store.history(KEY), []);
  });
  let others = 0;
  const intents = async (): Promise<number> => {
    const { MongoClient } = await import("mongodb");
    const client = new MongoClient(server.url(`way-${database}`));
    try {
      return await client.db().collection("intents").countDocuments();
    } finally {
      await client.close();
    }
  };

  for (const [collection, command] of [
    ["tasks", "insert"],
    ["effects", "insert"],
    ["instances", "insert"],
    ["intents", "delete"],
  ] as const) {
    for (const fate of ["lose-command", "lose-answer", "not-primary"] as const) {
      test(`projecting that met \`${fate}\` at ${collection} is done again`, async () => {
        store = await open();
        once(collection, fate, command);
        await store.append([started, row({ instance: "j" })]);
        await until(() => assertWhole(store).then(() => true));
      });
    }
  }

  test("while the server is away writing and reading say so, and go on when it is back", async () => {
    store = await open({ insertAgainMs: 100 });
    await store.append([started]);
    await proxy.shut();
    await assert.rejects(store.append([row({ sequence: 2 })]), StoreUnavailable);
    await assert.rejects(store.load([KEY]), StoreUnavailable);
    await assert.rejects(store.tasks({ tenant: "t" }, { limit: 9 }), StoreUnavailable);
    proxy.open();
    await until(() => store.append([row({ sequence: 2 })]).then(() => true));
    await assertWhole(store, 2);
  });

  test("the server is killed and started again", async () => {
    store = await open();
    await store.append([started]);
    await server.kill();
    const answered = store.append([row({ sequence: 2 })]).catch(assertUnavailable);
    await server.start();
    await answered;
    // Written or not: once more finds it taken or writes it.
    await until(() => store.append([row({ sequence: 2 })]).then(() => true));
    await assertWhole(store, 2);
  });
});

/** The instance `i` with what follows from its first entry. */
async function assertWhole(store: Store, version = 1): Promise<void> {
  const { items } = await store.instances({ tenant: "t" }, { limit: 9 });
  const found = items.filter(({ instance }) => instance === "i");
  assert.deepEqual(
    found.map((instance) => instance.version),
    [version],
  );
  const history = await store.history(KEY);
  assert.deepEqual(
    history.map(({ sequence }) => sequence),
    Array.from({ length: version }, (_, n) => n + 1),
  );
  assert.deepEqual(
    (await store.tasks({ tenant: "t", instance: "i" }, { limit: 9 })).items.map(({ task: { id } }) => id),
    ["i-1"],
  );
  assert.deepEqual(
    (await store.dueEffects("all", 9_999, 9)).map((due) => due.effect.id),
    ["i:1:0"],
  );
}

/** Tries it until it holds; the test's time-out ends it. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  for (;;) {
    const held = await holds().catch((error: unknown) => {
      if (error instanceof StoreUnavailable) return false;
      throw error;
    });
    if (held) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function assertUnavailable(error: unknown): void {
  assert.ok(error instanceof StoreUnavailable, String(error));
}
