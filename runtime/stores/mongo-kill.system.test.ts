import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { type MongoServer, needsMongoServer, startMongoServer } from "../../scripts/mongo-server.ts";
import { openMongoStore } from "./mongo-store.ts";
import { assertWhole, loadUntil, startLoad } from "./store-kill-testing.ts";

/** Who writes into MongoDB is killed in the middle of it, and so is the server: nothing is lost, doubled or left half done. */

const KILLS = 4;
const WRITES_MAX = 100;
const LANES = "8";

describe("killing around MongoDB", { ...needsMongoServer("own"), timeout: 300_000 }, () => {
  let server: MongoServer;
  before(async () => {
    server = await startMongoServer("own");
  });
  after(() => server.stop());

  test("kill -9 of the writer loses no acknowledged entry and leaves no half one", async () => {
    const url = server.url("kill-writer");
    const acknowledged: string[] = [];
    for (let round = 0; round < KILLS; round++) {
      const killAfter = 1 + Math.floor(Math.random() * WRITES_MAX);
      acknowledged.push(...(await loadUntil(startLoad(url, `${round}`, LANES), killAfter)));
      await assertWholeSoon(url, acknowledged);
    }
    assert.ok(acknowledged.length >= KILLS);
  });

  test("kill -9 of the server under load: the writer goes on, and nothing is lost", async () => {
    const url = server.url("kill-server");
    const load = startLoad(url, "0", LANES, "patient");
    const writing = loadUntil(load, WRITES_MAX);
    await once(load.stdout!, "data");
    for (let kill = 0; kill < 3; kill++) {
      await pause(300);
      await server.kill();
      await server.start();
    }
    const acknowledged = await writing;
    assert.match(acknowledged.at(-1)!, /^r0-\d+ \d+$/);
    assert.ok(acknowledged.length >= WRITES_MAX);
    await assertWholeSoon(url, acknowledged);
  });
});

/** What was on the way to the server when its writer died may still land, and is looked for. */
async function assertWholeSoon(url: string, acknowledged: readonly string[]): Promise<void> {
  for (let tries = 1; ; tries++) {
    const store = await openMongoStore(url);
    try {
      return await assertWhole(store, acknowledged);
    } catch (error) {
      if (!(error instanceof assert.AssertionError) || tries === 5) throw error;
      await pause(200);
    } finally {
      await store.close();
    }
  }
}
