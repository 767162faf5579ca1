import assert from "node:assert/strict";
import fc from "fast-check";
import type { AppendRow, EffectSettlement, Store, StoredTask } from "../ports.ts";
import { openMemoryStore } from "./memory-store.ts";
import { effect, row, task } from "./store-contract.ts";

/** Any series of writes leaves the same in a store as in the memory store. */
export async function assertLikeMemory(open: () => Promise<Store>, runs: number): Promise<void> {
  const series = fc.array(fc.array(writes(), { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(series, async (batches) => {
      const [memory, store] = [openMemoryStore(), await open()];
      const [newest, newestToo] = [new Map<string, number>(), new Map<string, number>()];
      try {
        for (const batch of batches)
          assert.deepEqual(await apply(store, batch, newest), await apply(memory, batch, newestToo));
        assert.deepEqual(await everything(store), await everything(memory));
      } finally {
        await store.close();
      }
    }),
    { numRuns: runs },
  );
}

type Write =
  | {
      readonly kind: "append";
      readonly instance: string;
      readonly late: boolean;
      readonly rowAt: (sequence: number) => AppendRow;
    }
  | { readonly kind: "settle"; readonly settlement: EffectSettlement };

/** Few names, so that keys collide, timers are set again and effects are settled. */
function writes(): fc.Arbitrary<Write> {
  const small = fc.integer({ min: 1, max: 3 });
  const append = fc
    .tuple(small, small, fc.boolean(), fc.boolean(), fc.nat(4))
    .map(([who, n, open, snapshot, late]): Write => {
      const instance = `i${who}`;
      const rowAt = (sequence: number) =>
        row({ instance, sequence, projection: projectionOf(who, sequence, n, open, snapshot) });
      return { kind: "append", instance, late: late === 0, rowAt };
    });
  const settle = fc
    .tuple(small, small, fc.constantFrom("done" as const, "retry" as const, "dead" as const))
    .map(([who, sequence, kind]): Write => {
      const name = { tenant: "t", id: `i${who}:${sequence}:0` };
      if (kind === "done") return { kind: "settle", settlement: { ...name, kind } };
      const error = kind === "dead" ? "never" : "away";
      return {
        kind: "settle",
        settlement: kind === "dead" ? { ...name, kind, error } : { ...name, kind, nextAt: 7_000, error },
      };
    });
  return fc.oneof({ weight: 3, arbitrary: append }, { weight: 1, arbitrary: settle });
}

function projectionOf(who: number, sequence: number, n: number, open: boolean, snapshot: boolean) {
  const status = open ? "open" : "approved";
  const due = { id: `${n}`, dueAt: 100 * who + 10 * n + sequence, purpose: { kind: "due", seat: n } as const };
  return {
    tasks: [task(`i${who}-${n}`, { status, assignee: `p${n % 2}`, openedAt: 1_000 * n })],
    timersSet: open ? [due] : [],
    timersGone: [`${n + 1}`],
    effects: [effect(`i${who}:${sequence}:0`)],
    oldCommands: [{ source: "s", id: `${n}`, digest: "d", version: sequence, sequence }],
    ...(snapshot && { snapshot: `s${sequence}` }),
  };
}

/** @param newest sequence by instance: an append comes after it, or late, where somebody else has been. */
async function apply(store: Store, batch: readonly Write[], newest: Map<string, number>): Promise<readonly unknown[]> {
  const results: unknown[] = [];
  for (const write of batch) {
    if (write.kind === "settle") {
      await store.settleEffects([write.settlement]);
      continue;
    }
    const known = newest.get(write.instance) ?? 0;
    const sequence = write.late && known > 0 ? known : known + 1;
    newest.set(write.instance, sequence);
    results.push(await store.append([write.rowAt(sequence)]));
  }
  return results;
}

/** All that can be read of tenant `t`. */
export async function everything(store: Store): Promise<unknown> {
  const { items: instances } = await store.instances({ tenant: "t" }, { limit: 99 });
  const names = [1, 2, 3].flatMap((n) =>
    instances.map(({ tenant, instance }) => ({ tenant, instance, source: "s", id: `${n}` })),
  );
  return {
    instances,
    loaded: await store.load(instances),
    histories: await Promise.all(instances.map((instance) => store.history(instance))),
    tasks: byId((await store.tasks({ tenant: "t" }, { limit: 99 })).items),
    mine: byId((await store.tasks({ tenant: "t", assignee: "p1", status: "open" }, { limit: 99 })).items),
    timers: await store.dueTimers("all", 9_999, 99),
    effects: await store.dueEffects("all", 9_999, 99),
    dead: (await store.effects("t", "dead", { limit: 99 })).items,
    next: await store.nextDue("all"),
    commands: await store.findCommands(names),
  };
}

/** Among tasks of one instant each store has an order of its own. */
const byId = (tasks: readonly StoredTask[]): readonly StoredTask[] =>
  tasks.toSorted((a, b) => (a.task.id < b.task.id ? -1 : 1));
