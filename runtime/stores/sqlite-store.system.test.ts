import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { backUpSqlite } from "./sqlite-backup.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import { assertWhole, kill, LOAD, loadUntil, startLoad } from "./store-kill-testing.ts";

const KILLS = 10;

const folder = mkdtempSync(join(tmpdir(), "assent-kill-"));
after(() => rmSync(folder, { recursive: true }));

test("kill -9 under load loses no acknowledged entry and leaves no half one", async () => {
  const file = join(folder, "kill.db");
  const acknowledged: string[] = [];
  for (let round = 0; round < KILLS; round++) {
    const killAfter = 1 + Math.floor(Math.random() * 2_000);
    acknowledged.push(...(await loadUntil(startLoad(`sqlite:${file}`, `${round}`), killAfter)));
    const store = await openSqliteStore(file);
    await assertWhole(store, acknowledged);
    await store.close();
  }
  assert.ok(acknowledged.length >= KILLS);
});

test("a backup made under load is a whole store with all that was acknowledged before", async () => {
  const [file, copy] = [join(folder, "busy.db"), join(folder, "copy.db")];
  const load = startLoad(`sqlite:${file}`, "busy");
  const acknowledged: string[] = [];
  for await (const line of createInterface({ input: load.stdout! })) {
    acknowledged.push(line);
    if (acknowledged.length === 500) break;
  }
  const { bytes } = backUpSqlite(file, copy);
  assert.ok(bytes > 0);
  await kill(load);
  const store = await openSqliteStore(copy);
  await assertWhole(store, acknowledged);
  await store.close();
});

test("a second process is refused while the first lives, and let in after its kill", async () => {
  const file = join(folder, "lock.db");
  const first = startLoad(`sqlite:${file}`, "first");
  const lines = createInterface({ input: first.stdout! })[Symbol.asyncIterator]();
  await lines.next();
  await assert.rejects(openSqliteStore(file), {
    name: "StoreUnavailable",
    message: /lock\.db` is in use by another process/,
  });
  await kill(first);
  const store = await openSqliteStore(file);
  await store.close();
});

test("where the file can't grow the writer is told so, and what was acknowledged is whole", {
  skip: process.platform === "win32",
}, async () => {
  const file = join(folder, "limit.db");
  // Blocks of 512 bytes; writing beyond gives EFBIG once the signal is ignored.
  const limited = `trap "" XFSZ; ulimit -f 8192; exec "$0" "$@"`;
  const child = spawn("sh", ["-c", limited, process.execPath, LOAD, `sqlite:${file}`, "limited"]);
  const lines = await loadUntil(child, Number.POSITIVE_INFINITY);
  assert.match(lines.pop()!, /^StoreUnavailable: /);
  assert.ok(lines.length > 0);
  const store = await openSqliteStore(file);
  await assertWhole(store, lines);
  await store.close();
});
