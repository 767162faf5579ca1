import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { needsNatsServer, startNatsServer } from "../../scripts/nats-server.ts";
import { runReference } from "./nats-pipeline.ts";

test("the hand-written pipeline does the whole job", { ...needsNatsServer(), timeout: 60_000 }, async () => {
  const server = await startNatsServer();
  const folder = mkdtempSync(join(tmpdir(), "assent-reference-"));
  const { eventsPerSecond } = await runReference({
    url: server.url,
    folder,
    events: 1_000,
    instances: 50,
    body: '{"days":3}',
  });
  const db = new DatabaseSync(join(folder, "reference.db"));
  const count = (table: string) => db.prepare(`SELECT count(*) AS n FROM ${table}`).get()!["n"];
  assert.deepEqual([count("history"), count("seen"), count("instance"), count("outbox")], [1_000, 1_000, 50, 0]);
  assert.ok(eventsPerSecond > 0);
  db.close();
  rmSync(folder, { recursive: true });
  await server.stop();
});
