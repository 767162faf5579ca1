import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AppendRow, Store } from "./ports.ts";
import { openMemoryStore } from "./stores/memory-store.ts";
import { event, HOUR_MS, keyOf, SetClock, start, storeWith, turnsOn } from "./testing.ts";

/** How far an instance's newest snapshot may be behind. */

const TAIL_MAX = 32;

async function remarks(
  store: Store,
  count: number,
  everyMs: number,
): Promise<{ longest: number; snapshots: number[] }> {
  const clock = new SetClock();
  const snapshots: number[] = [];
  const watched = storeWith(store, {
    append: (rows: readonly AppendRow[]) => {
      for (const { sequence, projection } of rows) if (projection.snapshot !== undefined) snapshots.push(sequence);
      return store.append(rows);
    },
  });
  const turns = turnsOn({ store: watched, clock });
  await turns.submit(start("A"));
  let longest = 0;
  for (let n = 0; n < count; n++) {
    clock.ms += everyMs;
    assert.equal((await turns.submit(event("A", `r${n}`, "remark"))).kind, "accepted");
    const [loaded] = await store.load([keyOf("A")]);
    longest = Math.max(longest, loaded!.tail.length);
  }
  return { longest, snapshots };
}

describe("a snapshot is written", () => {
  test("so often that loading never decides more than 32 entries again", async () => {
    const { longest, snapshots } = await remarks(openMemoryStore(), 200, HOUR_MS);
    assert.ok(longest <= TAIL_MAX / 2, `${longest}`);
    assert.deepEqual(snapshots.slice(0, 3), [16, 32, 48]);
  });

  test("under load every 30 seconds as well, at a human pace not", async () => {
    const { snapshots } = await remarks(openMemoryStore(), 30, 5_000);
    assert.deepEqual(snapshots, [7, 13, 19, 25, 31]);
    assert.deepEqual((await remarks(openMemoryStore(), 15, 31_000)).snapshots, [16]);
  });

  test("by the next entry where one got lost with a node", async () => {
    const store = openMemoryStore();
    const forgetful = storeWith(store, {
      append: (rows: readonly AppendRow[]) =>
        store.append(rows.map(({ projection: { snapshot: _, ...projection }, ...row }) => ({ ...row, projection }))),
    });
    assert.equal((await remarks(forgetful, 31, HOUR_MS)).longest, TAIL_MAX);
    const turns = turnsOn({ store });
    assert.equal((await turns.submit(event("A", "next", "remark"))).kind, "accepted");
    const [loaded] = await store.load([keyOf("A")]);
    assert.deepEqual([loaded?.snapshot?.sequence, loaded?.tail.length], [33, 0]);
  });
});
