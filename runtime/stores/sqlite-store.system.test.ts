import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Store } from "../ports.ts";
import { openSqliteStore } from "./sqlite-store.ts";

const LOAD = fileURLToPath(new URL("./sqlite-load-testing.ts", import.meta.url));
const KILLS = 10;

const folder = mkdtempSync(join(tmpdir(), "assent-kill-"));
after(() => rmSync(folder, { recursive: true }));

test("kill -9 under load loses no acknowledged entry and leaves no half one", async () => {
  const file = join(folder, "kill.db");
  const acknowledged: string[] = [];
  for (let round = 0; round < KILLS; round++) {
    const killAfter = 1 + Math.floor(Math.random() * 2_000);
    acknowledged.push(...(await loadUntil(spawn(process.execPath, [LOAD, file, `${round}`]), killAfter)));
    const store = await openSqliteStore(file);
    await assertWhole(store, acknowledged);
    await store.close();
  }
  assert.ok(acknowledged.length >= KILLS);
});

test("a second process is refused while the first lives, and let in after its kill", async () => {
  const file = join(folder, "lock.db");
  const first = spawn(process.execPath, [LOAD, file, "first"]);
  const lines = createInterface({ input: first.stdout })[Symbol.asyncIterator]();
  await lines.next();
  await assert.rejects(openSqliteStore(file), {
    name: "StoreUnavailable",
    message: /lock\.db` is in use by another process/,
  });
  await end(first);
  const store = await openSqliteStore(file);
  await store.close();
});

test("where the file can't grow the writer is told so, and what was acknowledged is whole", {
  skip: process.platform === "win32",
}, async () => {
  const file = join(folder, "limit.db");
  // Blocks of 512 bytes; writing beyond gives EFBIG once the signal is ignored.
  const limited = `trap "" XFSZ; ulimit -f 8192; exec "$0" "$@"`;
  const child = spawn("sh", ["-c", limited, process.execPath, LOAD, file, "limited"]);
  const lines = await loadUntil(child, Number.POSITIVE_INFINITY);
  assert.match(lines.pop()!, /^StoreUnavailable: /);
  assert.ok(lines.length > 0);
  const store = await openSqliteStore(file);
  await assertWhole(store, lines);
  await store.close();
});

/** The lines that the load printed until it was killed after so many, or ended. */
async function loadUntil(child: ChildProcess, killAfter: number): Promise<string[]> {
  const lines: string[] = [];
  const ended = new Promise((resolve) => child.once("close", resolve));
  for await (const line of createInterface({ input: child.stdout! })) {
    lines.push(line);
    if (lines.length === killAfter) child.kill("SIGKILL");
  }
  await ended;
  return lines;
}

async function end(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGKILL");
  child.stdout?.resume();
  await ended;
}

/** Every acknowledged entry is there, and each entry that is there has all of its projections. */
async function assertWhole(store: Store, acknowledged: readonly string[]): Promise<void> {
  const effects = (await store.dueEffects(Number.MAX_SAFE_INTEGER, 1_000_000)).map(({ effect }) => effect.id);
  const timers = (await store.dueTimers(Number.MAX_SAFE_INTEGER, 1_000_000)).map(
    (one) => `${one.instance}:${one.timer.id}`,
  );
  const tasks = (await store.tasks({ tenant: "t" }, { limit: 1_000_000 })).items.map((one) => one.task.id);
  const { items: instances } = await store.instances({ tenant: "t" }, { limit: 1_000_000 });
  const loaded = await store.load(instances);
  const entries: string[] = [];
  for (const [n, { instance, version }] of instances.entries()) {
    const history = await store.history({ tenant: "t", instance });
    assert.deepEqual(
      history.map(({ sequence }) => sequence),
      Array.from({ length: version }, (_, i) => i + 1),
    );
    assert.equal(loaded[n]?.snapshot?.body, `${instance}:${version}`);
    entries.push(...history.map(({ sequence }) => `${instance} ${sequence}`));
  }
  const missing = new Set(acknowledged).difference(new Set(entries));
  assert.deepEqual([...missing], []);
  const spelled = (separator: string) => entries.map((entry) => entry.replace(" ", separator)).toSorted();
  assert.deepEqual(effects.toSorted(), spelled(":"));
  assert.deepEqual(timers.toSorted(), spelled(":"));
  assert.deepEqual(tasks.toSorted(), spelled("-"));
}
