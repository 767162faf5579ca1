import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { type AppendRow, StoreUnavailable } from "../ports.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import { describeStore, effect, row, task } from "./store-contract.ts";
import { describeArchive } from "./store-contract-archive.ts";
import { assertLikeMemory, everything } from "./store-series-testing.ts";

const folder = mkdtempSync(join(tmpdir(), "assent-store-"));
after(() => rmSync(folder, { recursive: true }));

let files = 0;
function newFile(): string {
  return join(folder, `store-${++files}.db`);
}

/** What would be on the disk if the process died now. */
function copyOf(file: string): string {
  const killed = newFile();
  for (const suffix of ["", "-wal"]) copyFileSync(file + suffix, killed + suffix);
  return killed;
}

describeStore("sqlite", () => openSqliteStore(newFile()), {
  async open() {
    const file = newFile();
    const store = await openSqliteStore(file, { behindMs: 3_600_000 });
    return { store, afterCrash: () => openSqliteStore(copyOf(file)) };
  },
});

describeArchive("sqlite", () => openSqliteStore(newFile()));

test("what was written is there after closing and opening again", async () => {
  const file = newFile();
  const before = await openSqliteStore(file);
  await before.append([row({ projection: { snapshot: "s", tasks: [task("i-1")], effects: [effect("e")] } })]);
  await before.append([row({ sequence: 2 })]);
  await before.setSetting("name", "value");
  const seen = await everything(before);
  await before.close();
  const again = await openSqliteStore(file);
  assert.deepEqual(await everything(again), seen);
  assert.equal(await again.getSetting("name"), "value");
  assert.deepEqual((await again.append([row({ sequence: 2 })])).taken, [{ tenant: "t", instance: "i" }]);
  await again.close();
});

test("lists are behind the journal until somebody reads, and after a kill until it is opened again", async () => {
  const file = newFile();
  const store = await openSqliteStore(file, { behindMs: 3_600_000 });
  await store.append([row({ projection: { tasks: [task("i-1")], effects: [effect("i:1:0"), effect("i:1:1")] } })]);
  const killed = copyOf(file);
  assert.deepEqual(counts(killed), { instances: 0, tasks: 0, effects: 0, journal: 1 });
  const again = await openSqliteStore(killed);
  assert.deepEqual(counts(killed), { instances: 1, tasks: 1, effects: 2, journal: 1 });
  await Promise.all([store.close(), again.close()]);
});

test("an effect that is carried out before anybody reads is never written beside the journal", async () => {
  const file = newFile();
  const store = await openSqliteStore(file, { behindMs: 3_600_000 });
  await store.append([row({ projection: { effects: [effect("a"), effect("b")] } })]);
  await store.settleEffects([{ tenant: "t", id: "a", kind: "done" }]);
  assert.deepEqual(counts(file), { instances: 0, tasks: 0, effects: 0, journal: 1 });
  assert.deepEqual(
    (await store.dueEffects("all", 9_999, 9)).map((due) => due.effect),
    [effect("b")],
  );
  await store.settleEffects([{ tenant: "t", id: "b", kind: "done" }]);
  assert.deepEqual(await store.dueEffects("all", 9_999, 9), []);
  await store.close();
});

function counts(file: string): Record<string, unknown> {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const tables = ["instances", "tasks", "effects", "journal"];
    const one = (table: string) => database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.["n"];
    return Object.fromEntries(tables.map((table) => [table, one(table)]));
  } finally {
    database.close();
  }
}

test("closing finishes what waits; afterwards the store is unavailable", async () => {
  const file = newFile();
  const store = await openSqliteStore(file);
  const waiting = Array.from({ length: 50 }, (_, n) => store.append([row({ instance: `i${n}` })]));
  await store.close();
  for (const { taken } of await Promise.all(waiting)) assert.deepEqual(taken, []);
  await assert.rejects(store.append([row()]), StoreUnavailable);
  await assert.rejects(store.load([]), StoreUnavailable);
  const again = await openSqliteStore(file);
  assert.equal((await again.instances({ tenant: "t" }, { limit: 99 })).items.length, 50);
  await again.close();
});

test("a file that is open already is refused, and one that is no store", async () => {
  const file = newFile();
  const store = await openSqliteStore(file);
  await assert.rejects(openSqliteStore(file), { name: "StoreUnavailable", message: /in use by another process/ });
  await store.append([row()]);
  await store.close();

  const text = newFile();
  writeFileSync(text, "this is not a database, it is a text of some length".repeat(100));
  await assert.rejects(openSqliteStore(text), {
    name: "UnusableStore",
    message: /is damaged, or no store at all .*not a database/,
  });
  const foreign = newFile();
  const database = new DatabaseSync(foreign);
  database.exec("CREATE TABLE theirs (x)");
  database.close();
  await assert.rejects(openSqliteStore(foreign), { name: "UnusableStore", message: /is not a store of this version/ });
  await assert.rejects(openSqliteStore(join(folder, "none", "store.db")), StoreUnavailable);
});

test("a damaged file is refused when it is opened, and left as it is", async () => {
  const file = newFile();
  const store = await openSqliteStore(file);
  await store.append(Array.from({ length: 400 }, (_, n) => row({ instance: `i${n}`, body: "x".repeat(500) })));
  await store.instances({ tenant: "t" }, { limit: 1 });
  await store.close();
  const whole = readFileSync(file);
  const places: readonly (readonly [what: string, at: number, bytes: number])[] = [
    ["the header", 0, 100],
    ["the schema", 100, 500],
    ["a page in the middle", 4_096 * 30, 4_096],
  ];
  for (const [what, at, bytes] of places) {
    const damaged = Buffer.from(whole);
    damaged.fill(0x5a, at, at + bytes);
    writeFileSync(file, damaged);
    await assert.rejects(openSqliteStore(file), { name: "UnusableStore", message: /is damaged/ }, what);
    assert.deepEqual(readFileSync(file), damaged);
  }
  writeFileSync(file, whole.subarray(0, whole.length - 4_096 * 20));
  await assert.rejects(openSqliteStore(file), { name: "UnusableStore", message: /is damaged/ });
  writeFileSync(file, whole);
  await (await openSqliteStore(file)).close();
});

test("a full disk writes nothing by halves, and writing goes on when there is room again", async () => {
  // Lists are brought up to date by the readers below alone, not by a timer in between that would want room of its own.
  const store = await openSqliteStore(newFile(), { pagesMax: 200, behindMs: 3_600_000 });
  const big = (n: number): AppendRow =>
    row({
      instance: `i${n}`,
      projection: { tasks: [task(`i${n}-1`)], effects: [{ ...effect(`e${n}`), to: ["x".repeat(20_000)] } as never] },
    });
  let written = 0;
  await assert.rejects(async () => {
    for (; written < 1_000; written++) await store.append([big(written)]);
  }, StoreUnavailable);
  assert.ok(written > 10 && written < 60);
  await assert.rejects(store.append([row({ instance: "small" }), big(999)]), StoreUnavailable);

  assert.deepEqual(await store.history({ tenant: "t", instance: "small" }), []);
  assert.equal((await store.instances({ tenant: "t" }, { limit: 99 })).items.length, written);
  assert.equal((await store.tasks({ tenant: "t" }, { limit: 99 })).items.length, written);
  const due = await store.dueEffects("all", 9_999, 99);
  assert.equal(due.length, written);

  await store.settleEffects(due.map(({ tenant, effect: { id } }) => ({ tenant, id, kind: "done" })));
  assert.deepEqual(await store.dueEffects("all", 9_999, 99), []);
  assert.deepEqual(await store.append([big(written)]), { taken: [] });
  await store.close();
});

test("a row that can't be written fails its own append, not those that share the transaction", async () => {
  const store = await openSqliteStore(newFile());
  const wrong = row({ instance: "wrong", at: Number.NaN });
  const results = await Promise.allSettled([
    store.append([row()]),
    store.append([row({ instance: "with wrong" }), wrong]),
    store.append([row({ instance: "j" })]),
  ]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  const { items } = await store.instances({ tenant: "t" }, { limit: 9 });
  assert.deepEqual(items.map(({ instance }) => instance).toSorted(), ["i", "j"]);
  await store.close();
});

test("any series of writes leaves the same as in the memory store", () =>
  assertLikeMemory(() => openSqliteStore(newFile()), 15));
