import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Store } from "../ports.ts";

/** What tests need that kill a process in the middle of writing. */

/** The command line of a process that writes without end: `LOAD STORE ROUND [LANES [patient]]`. */
export const LOAD = fileURLToPath(new URL("./store-load-testing.ts", import.meta.url));

export const startLoad = (...args: readonly string[]): ChildProcess => spawn(process.execPath, [LOAD, ...args]);

/** The lines that the load printed until it was killed after so many, or ended. */
export async function loadUntil(child: ChildProcess, killAfter: number): Promise<string[]> {
  const lines: string[] = [];
  const ended = new Promise((resolve) => child.once("close", resolve));
  for await (const line of createInterface({ input: child.stdout! })) {
    lines.push(line);
    if (lines.length === killAfter) child.kill("SIGKILL");
  }
  await ended;
  return lines;
}

export async function kill(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGKILL");
  child.stdout?.resume();
  await ended;
}

/** Every acknowledged entry is there, and each entry that is there has all of its projections. */
export async function assertWhole(store: Store, acknowledged: readonly string[]): Promise<void> {
  const effects = (await store.dueEffects("all", Number.MAX_SAFE_INTEGER, 1_000_000)).map(({ effect }) => effect.id);
  const timers = (await store.dueTimers("all", Number.MAX_SAFE_INTEGER, 1_000_000)).map(
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
    const { snapshot, tail } = loaded[n]!;
    const from = snapshot?.sequence ?? 0;
    assert.equal(snapshot?.body, snapshot && `${instance}:${from}`);
    assert.deepEqual(
      tail.map(({ sequence }) => sequence),
      Array.from({ length: version - from }, (_, i) => from + i + 1),
    );
    entries.push(...history.map(({ sequence }) => `${instance} ${sequence}`));
  }
  const missing = new Set(acknowledged).difference(new Set(entries));
  assert.deepEqual([...missing], []);
  const spelled = (separator: string) => entries.map((entry) => entry.replace(" ", separator)).toSorted();
  assert.deepEqual(effects.toSorted(), spelled(":"));
  assert.deepEqual(timers.toSorted(), spelled(":"));
  assert.deepEqual(tasks.toSorted(), spelled("-"));
}
