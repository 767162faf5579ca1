import { writeSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { type AppendRow, type Store, StoreUnavailable } from "../ports.ts";
import { readStore } from "../settings.ts";
import { openStore } from "./open-store.ts";
import { effect, row, task } from "./store-contract.ts";

/**
 * A process that the system test kills: `store-load-testing.ts STORE ROUND [LANES [patient]]`. It writes without end on so many
 * instances at once and prints `INSTANCE SEQUENCE` when an entry is acknowledged, or the error that ends it; a patient one tries again
 * while the store is unavailable.
 */
const [setting = "", round = "", lanes = "32", patient] = process.argv.slice(2);

async function lane(store: Store, number: number): Promise<void> {
  const instance = `r${round}-${number}`;
  for (let sequence = 1; ; sequence++) {
    const id = `${instance}:${sequence}`;
    const projection = {
      ...(sequence % 2 === 1 && { snapshot: id }),
      tasks: [task(`${instance}-${sequence}`)],
      timersSet: [{ id: `${sequence}`, dueAt: sequence, purpose: { kind: "due", seat: 0 } as const }],
      effects: [effect(id)],
    };
    await written(store, row({ instance, sequence, body: `${id} ${"x".repeat(sequence * 31)}`, projection }));
    writeSync(1, `${instance} ${sequence}\n`);
  }
}

/** Nobody else writes this instance: a key that is taken was written by the try before. */
async function written(store: Store, entry: AppendRow): Promise<void> {
  for (;;) {
    try {
      await store.append([entry]);
      return;
    } catch (error) {
      if (!patient || !(error instanceof StoreUnavailable)) throw error;
      await setTimeout(50);
    }
  }
}

try {
  const store = await openStore(readStore(setting)!);
  await Promise.all(Array.from({ length: Number(lanes) }, (_, number) => lane(store, number)));
} catch (error) {
  const { name, message } = error as Error;
  writeSync(1, `${name}: ${message}\n`);
  process.exit(1);
}
