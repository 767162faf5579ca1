import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import fc from "fast-check";
import { type AppendRow, type Store, StoreUnavailable } from "../ports.ts";
import { openMemoryStore } from "./memory-store.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import { describeStore, effect, row, task } from "./store-contract.ts";

const folder = mkdtempSync(join(tmpdir(), "assent-store-"));
after(() => rmSync(folder, { recursive: true }));

let files = 0;
function newFile(): string {
  return join(folder, `store-${++files}.db`);
}

describeStore("sqlite", () => openSqliteStore(newFile()));

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

test("what only the journal has when the process dies is brought in when it is opened again", async () => {
  const file = newFile();
  const store = await openSqliteStore(file, { behindMs: 3_600_000 });
  const timer = (id: string) => ({ id, dueAt: 5, purpose: { kind: "due", seat: 0 } as const });
  const opened = { tasks: [task("i-1")], timersSet: [timer("1"), timer("2")], effects: [effect("i:1:0")] };
  await store.append([row({ projection: opened }), row({ instance: "j", projection: { effects: [effect("j:1:0")] } })]);
  const closed = { tasks: [task("i-1", { status: "approved" })], timersGone: ["1"], effects: [effect("i:2:0")] };
  const late = row({ body: "late", projection: { effects: [effect("late")] } });
  assert.equal(
    (await store.append([row({ sequence: 2, projection: closed }), { ...late, instance: "j" }])).taken.length,
    1,
  );
  const killed = newFile();
  for (const suffix of ["", "-wal"]) copyFileSync(file + suffix, killed + suffix);
  assert.deepEqual(counts(killed), { instances: 0, tasks: 0, effects: 0, journal: 3 });

  const again = await openSqliteStore(killed);
  assert.deepEqual(counts(killed), { instances: 2, tasks: 1, effects: 3, journal: 3 });
  assert.deepEqual(await everything(again), await everything(store));
  assert.deepEqual((await again.append([row({ sequence: 2 })])).taken, [{ tenant: "t", instance: "i" }]);
  assert.deepEqual((await again.append([row({ instance: "k" })])).taken, []);
  assert.equal((await again.instances({ tenant: "t" }, { limit: 9 })).items[0]?.instance, "k");
  await Promise.all([store.close(), again.close()]);
});

test("an effect that is carried out before anybody reads is never written beside the journal", async () => {
  const file = newFile();
  const store = await openSqliteStore(file, { behindMs: 3_600_000 });
  await store.append([row({ projection: { effects: [effect("a"), effect("b")] } })]);
  await store.settleEffects([{ tenant: "t", id: "a", kind: "done" }]);
  assert.deepEqual(counts(file), { instances: 0, tasks: 0, effects: 0, journal: 1 });
  assert.deepEqual(
    (await store.dueEffects(9_999, 9)).map((due) => due.effect),
    [effect("b")],
  );
  await store.settleEffects([{ tenant: "t", id: "b", kind: "done" }]);
  assert.deepEqual(await store.dueEffects(9_999, 9), []);
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
  await assert.rejects(openSqliteStore(text), /not a database/);
  const foreign = newFile();
  const database = new DatabaseSync(foreign);
  database.exec("CREATE TABLE theirs (x)");
  database.close();
  await assert.rejects(openSqliteStore(foreign), /is not a store of this version/);
  await assert.rejects(openSqliteStore(join(folder, "none", "store.db")), StoreUnavailable);
});

test("a full disk writes nothing by halves, and writing goes on when there is room again", async () => {
  const store = await openSqliteStore(newFile(), { pagesMax: 200 });
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
  const due = await store.dueEffects(9_999, 99);
  assert.equal(due.length, written);

  await store.settleEffects(due.map(({ tenant, effect: { id } }) => ({ tenant, id, kind: "done" })));
  assert.deepEqual(await store.dueEffects(9_999, 99), []);
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

test("any series of writes leaves the same as in the memory store", async () => {
  const sequences = fc.array(fc.array(writes(), { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(sequences, async (batches) => {
      const memory = openMemoryStore();
      const sqlite = await openSqliteStore(newFile());
      try {
        for (const batch of batches) assert.deepEqual(await apply(sqlite, batch), await apply(memory, batch));
        assert.deepEqual(await everything(sqlite), await everything(memory));
      } finally {
        await sqlite.close();
      }
    }),
    { numRuns: 15 },
  );
});

type Write =
  | { readonly kind: "append"; readonly row: AppendRow }
  | { readonly kind: "settle"; readonly id: string; readonly how: number };

/** Few names, so that keys collide, timers are set again and effects are settled. */
function writes(): fc.Arbitrary<Write> {
  const small = fc.integer({ min: 1, max: 3 });
  const append = fc
    .tuple(small, small, small, fc.boolean(), fc.boolean())
    .map(([who, sequence, n, open, snapshot]): Write => {
      const instance = `i${who}`;
      const projection = {
        tasks: [
          task(`${instance}-${n}`, { status: open ? "open" : "approved", assignee: `p${n % 2}`, openedAt: 1_000 * n }),
        ],
        timersSet: open
          ? [{ id: `${n}`, dueAt: 100 * who + 10 * n + sequence, purpose: { kind: "due", seat: n } as const }]
          : [],
        timersGone: [`${n + 1}`],
        effects: [effect(`${instance}:${sequence}:0`)],
        oldCommands: [{ source: "s", id: `${n}`, digest: "d", version: sequence, sequence }],
        ...(snapshot && { snapshot: `s${sequence}` }),
      };
      return { kind: "append", row: row({ instance, sequence, projection }) };
    });
  const settle = fc
    .tuple(small, small, fc.nat(2))
    .map(([who, sequence, how]): Write => ({ kind: "settle", id: `i${who}:${sequence}:0`, how }));
  return fc.oneof({ weight: 3, arbitrary: append }, { weight: 1, arbitrary: settle });
}

async function apply(store: Store, batch: readonly Write[]): Promise<readonly unknown[]> {
  const results: unknown[] = [];
  for (const write of batch) {
    if (write.kind === "append") results.push(await store.append([write.row]));
    else
      await store.settleEffects([
        write.how === 0
          ? { tenant: "t", id: write.id, kind: "done" }
          : write.how === 1
            ? { tenant: "t", id: write.id, kind: "retry", nextAt: 7_000, error: "away" }
            : { tenant: "t", id: write.id, kind: "dead", error: "never" },
      ]);
  }
  return results;
}

/** All that can be read of tenant `t`. */
async function everything(store: Store): Promise<unknown> {
  const { items: instances } = await store.instances({ tenant: "t" }, { limit: 99 });
  const names = [1, 2, 3].flatMap((n) =>
    instances.map(({ tenant, instance }) => ({ tenant, instance, source: "s", id: `${n}` })),
  );
  return {
    instances,
    loaded: await store.load(instances),
    histories: await Promise.all(instances.map((instance) => store.history(instance))),
    tasks: (await store.tasks({ tenant: "t" }, { limit: 99 })).items,
    mine: (await store.tasks({ tenant: "t", assignee: "p1", status: "open" }, { limit: 99 })).items,
    timers: await store.dueTimers(9_999, 99),
    effects: await store.dueEffects(9_999, 99),
    dead: (await store.effects("t", "dead", { limit: 99 })).items,
    next: await store.nextDue(),
    commands: await store.findCommands(names),
  };
}
