import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { type MongoServer, needsMongoServer, startMongoServer } from "../../scripts/mongo-server.ts";
import type { Store, Timer } from "../ports.ts";
import { openMongoStore } from "./mongo-store.ts";
import { effect, row, task } from "./store-contract.ts";

/** Several nodes on one database write entries of the same instance, and each brings in what follows from its own. */

const KEY = { tenant: "t", instance: "i" };
/** Nothing is brought in unless somebody reads. */
const NEVER_MS = 3_600_000;
const due = (id: string): Timer => ({ id, dueAt: 5, purpose: { kind: "due", seat: 0 } });

const opened = row({
  projection: { tasks: [task("i-1")], timersSet: [due("1"), due("2")], effects: [effect("i:1:0")] },
});
const closed = row({
  sequence: 2,
  projection: {
    tasks: [task("i-1", { status: "approved" })],
    timersGone: ["1"],
    effects: [effect("i:2:0")],
    oldCommands: [{ source: "s", id: "old", digest: "d", version: 1, sequence: 1 }],
  },
});

describe("several nodes on one MongoDB", { ...needsMongoServer(), timeout: 120_000 }, () => {
  let server: MongoServer;
  let url: string;
  let stores: Store[] = [];
  let databases = 0;
  before(async () => {
    server = await startMongoServer();
  });
  after(() => server.stop());
  beforeEach(() => {
    url = server.url(`assent-nodes-${process.pid}-${++databases}`);
  });
  afterEach(async () => {
    await Promise.all(stores.map((store) => store.close()));
    stores = [];
  });

  async function open(node: string, { behindMs = NEVER_MS, staleMs = 5_000 } = {}): Promise<Store> {
    const store = await openMongoStore(url, { node, behindMs, staleMs });
    stores.push(store);
    return store;
  }

  async function assertWhole(store: Store): Promise<void> {
    const { items: tasks } = await store.tasks({ tenant: "t" }, { limit: 9 });
    assert.deepEqual(
      tasks.map((one) => one.task.status),
      ["approved"],
    );
    assert.deepEqual(
      (await store.dueTimers("all", 99, 9)).map(({ timer }) => timer.id),
      ["2"],
    );
    const effects = await store.dueEffects("all", 9_999, 9);
    assert.deepEqual(effects.map((one) => one.effect.id).toSorted(), ["i:1:0", "i:2:0"]);
    assert.equal((await store.projected(KEY))?.sequence, 2);
  }

  test("who wrote the later entry waits until the earlier one is in the lists", async () => {
    const [a, b] = [await open("a"), await open("b")];
    await a.append([opened]);
    await b.append([closed]);
    await b.caughtUp();
    assert.equal(await b.projected(KEY), undefined, "neither is there");
    await a.caughtUp();
    await b.caughtUp();
    await assertWhole(b);
    await a.caughtUp();
    await assertWhole(a);
  });

  test("an effect that was carried out before its entry's turn came is not carried out again", async () => {
    const [a, b] = [await open("a"), await open("b")];
    await a.append([opened]);
    await b.append([closed]);
    await b.caughtUp();
    await b.settleEffects([{ tenant: "t", id: "i:2:0", kind: "done" }]);
    await a.caughtUp();
    await b.caughtUp();
    assert.deepEqual(
      (await b.dueEffects("all", 9_999, 9)).map((one) => one.effect.id),
      ["i:1:0"],
    );
  });

  test("what a dead node wrote and did not bring in comes when it is buried, and then what was written after it", async () => {
    const [a, b, c] = [await open("a", { staleMs: 0 }), await open("b"), await open("c", { behindMs: 10 })];
    await a.append([opened]);
    await b.append([closed]);
    await c.append([row({ instance: "other" })]);
    await b.caughtUp();
    assert.equal(await c.projected(KEY), undefined);
    await c.bury("a");
    assert.deepEqual((await c.cluster()).members.map(({ node }) => node).toSorted(), ["b", "c"]);
    assert.notEqual(await c.projected(KEY), undefined);
    await b.caughtUp();
    await assertWhole(b);
    // It was not dead, only paused: it brings in nothing a second time.
    await a.caughtUp();
    await assertWhole(a);
  });

  test("a node that opens the store leaves alone what living ones are about to bring in", async () => {
    const a = await open("a");
    await a.append([opened]);
    const b = await open("b", { behindMs: 10 });
    assert.equal(await b.projected(KEY), undefined);
    await a.bury("a");
    assert.equal((await b.projected(KEY))?.sequence, 1);
    assert.deepEqual(
      (await b.cluster()).members.map(({ node }) => node),
      ["b"],
    );
  });

  test("who has the store alone finishes what any node left", async () => {
    const a = await open("a");
    await a.append([opened]);
    const repair = await openMongoStore(url, { alone: true });
    stores.push(repair);
    assert.equal((await repair.projected(KEY))?.sequence, 1);
  });

  test("a command that another node accepted long ago is known before it has brought that in", async () => {
    const [a, b] = [await open("a"), await open("b")];
    await a.append([opened]);
    await a.caughtUp();
    await a.append([closed]);
    const asked = { ...KEY, source: "s", id: "old" };
    const [found] = await b.findCommands([asked, { ...asked, id: "never" }]);
    assert.equal(found?.digest, "d");
  });

  test("three nodes write one instance in turn: the lists are as the newest entry says", async () => {
    const nodes = await Promise.all(["a", "b", "c"].map((node) => open(node, { behindMs: 5 })));
    for (let sequence = 1; sequence <= 60; sequence++) {
      const status = sequence % 2 === 0 ? "approved" : "open";
      const tasks = [task("i-1", { status, openedAt: 1_000 * sequence })];
      const projection = { tasks, effects: [effect(`i:${sequence}:0`)] };
      await nodes[sequence % 3]!.append([row({ sequence, projection })]);
    }
    while ((await nodes[1]!.projected(KEY))?.sequence !== 60) await nodes[0]!.caughtUp();
    const { items } = await nodes[0]!.tasks({ tenant: "t" }, { limit: 9 });
    assert.deepEqual(
      items.map((one) => [one.task.status, one.task.openedAt]),
      [["approved", 60_000]],
    );
    assert.equal((await nodes[2]!.dueEffects("all", 999_999, 99)).length, 60);
  });
});
