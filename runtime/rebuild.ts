import { isDeepStrictEqual } from "node:util";
import type { Definition } from "../dsl/index.ts";
import type { Instance, Task } from "../engine/index.ts";
import { brokenLink, decode, definitionsIn, type Entry, replayEntry } from "./entry.ts";
import { type KeyRing, keyRing, newKeyRingSetting } from "./key-ring.ts";
import { loadAll } from "./live-instances.ts";
import type { DefinitionSource, InstanceKey, OldCommand, ProjectedInstance, Store } from "./ports.ts";
import { definitionSetting } from "./registry.ts";
import { fallenOut, summaryOf } from "./turn-rows.ts";

/**
 * What lists are read from, made anew from the journal: summaries, tasks, timers, old commands. Not the effects: whether one
 * was carried out is not in the journal.
 */

export interface Rebuilt {
  readonly instances: number;
  /** What was stored of them did not follow from their entries. */
  readonly differing: readonly InstanceKey[];
  /** Their entries can't be decided again; nothing was changed. */
  readonly broken: readonly (InstanceKey & { readonly problem: string })[];
}

const PAGE = 256;

/**
 * @param keys the key ring as the setting is written; absent: the one that `--dev` keeps in the store.
 * @param options `write`: puts right what differs.
 */
export async function rebuild(
  store: Store,
  keys: string | undefined,
  options: { readonly write: boolean },
): Promise<Rebuilt> {
  const ring = keyRing(keys ?? (await store.getSetting("keys")) ?? newKeyRingSetting());
  const definitions = storedDefinitions(store);
  const differing: InstanceKey[] = [];
  const broken: (InstanceKey & { problem: string })[] = [];
  let instances = 0;
  for await (const key of journaled(store)) {
    instances += 1;
    const expected = await fromJournal(key, store, ring, definitions).catch((error: unknown) => String(error));
    if (typeof expected === "string") broken.push({ ...key, problem: expected });
    else if (!(await isThere(key, expected, store))) {
      differing.push(key);
      if (options.write) await store.reproject(key, expected);
    }
  }
  return { instances, differing, broken };
}

async function* journaled(store: Store): AsyncIterable<InstanceKey> {
  let cursor: string | undefined;
  do {
    const page = await store.journaled({ limit: PAGE, ...(cursor !== undefined && { cursor }) });
    yield* page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** @throws Error if the entries are not those that were written, or come out otherwise. */
async function fromJournal(
  key: InstanceKey,
  store: Store,
  ring: KeyRing,
  definitions: DefinitionSource,
): Promise<ProjectedInstance> {
  const entries = await store.history(key);
  const link = brokenLink(entries);
  if (link >= 0) throw new Error(`the chain of hashes breaks at entry ${entries[link]!.sequence}`);
  const [{ wrappedKey } = {}] = await store.load([key]);
  const dataKey = wrappedKey === undefined ? undefined : ring.unwrap(wrappedKey);
  const tasks = new Map<string, Task>();
  const oldCommands: OldCommand[] = [];
  let instance: Instance | undefined;
  for (const { sequence, body } of entries) {
    const entry = decode<Entry>(body, dataKey);
    await loadAll(definitionsIn(entry), definitions);
    const before = instance;
    instance = replayEntry(
      (hash) => definitions.known(hash),
      before,
      entry,
      (accepted) => {
        for (const task of accepted.tasks) tasks.set(task.id, task);
      },
    );
    if (before) oldCommands.push(...fallenOut(before, instance, sequence));
  }
  const { sequence } = entries.at(-1)!;
  return { sequence, summary: summaryOf(instance!), tasks: [...tasks.values()], timers: instance!.timers, oldCommands };
}

async function isThere(key: InstanceKey, expected: ProjectedInstance, store: Store): Promise<boolean> {
  const names = expected.oldCommands.map(({ source, id }) => ({ ...key, source, id }));
  const [stored, oldCommands] = await Promise.all([store.projected(key), store.findCommands(names)]);
  return isDeepStrictEqual(stored && comparable({ ...stored, oldCommands }), comparable(expected));
}

/** As it is stored: without what is undefined, and in one order. */
const comparable = (projected: Omit<ProjectedInstance, "oldCommands"> & { oldCommands: readonly unknown[] }): unknown =>
  JSON.parse(
    JSON.stringify({ ...projected, tasks: projected.tasks.toSorted(byId), timers: projected.timers.toSorted(byId) }),
  );

const byId = (a: { readonly id: string }, b: { readonly id: string }): number => (a.id < b.id ? -1 : 1);

/** All that were ever active are kept in the store. */
function storedDefinitions(store: Store): DefinitionSource {
  const known = new Map<string, Definition>();
  return {
    known: (hash) => known.get(hash),
    async load(hash) {
      const stored = await store.getSetting(definitionSetting(hash));
      if (stored !== undefined) known.set(hash, JSON.parse(stored) as Definition);
      return known.get(hash);
    },
  };
}
