import { writeSync } from "node:fs";
import type { Store } from "../ports.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import { effect, row, task } from "./store-contract.ts";

/**
 * A process that the system test kills: `sqlite-load-testing.ts FILE ROUND`. It writes without end on many instances at once and
 * prints `INSTANCE SEQUENCE` when an entry is acknowledged, or the error that ends it.
 */
const LANES = 32;

const [file = "", round = ""] = process.argv.slice(2);

async function lane(store: Store, number: number): Promise<void> {
  const instance = `r${round}-${number}`;
  for (let sequence = 1; ; sequence++) {
    const id = `${instance}:${sequence}`;
    const projection = {
      snapshot: id,
      tasks: [task(`${instance}-${sequence}`)],
      timersSet: [{ id: `${sequence}`, dueAt: sequence, purpose: { kind: "due", seat: 0 } as const }],
      effects: [effect(id)],
    };
    await store.append([row({ instance, sequence, body: `${id} ${"x".repeat(sequence * 31)}`, projection })]);
    writeSync(1, `${instance} ${sequence}\n`);
  }
}

try {
  const store = await openSqliteStore(file);
  await Promise.all(Array.from({ length: LANES }, (_, number) => lane(store, number)));
} catch (error) {
  const { name, message } = error as Error;
  writeSync(1, `${name}: ${message}\n`);
  process.exit(1);
}
