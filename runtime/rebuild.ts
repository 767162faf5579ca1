import { isDeepStrictEqual } from "node:util";
import type { Definition } from "../dsl/index.ts";
import type { Instance, Task } from "../engine/index.ts";
import { partitionOf } from "./cluster/partition.ts";
import { partitionsIn } from "./cluster/partition-count.ts";
import { digestData } from "./data-digest.ts";
import { decode, definitionsIn, type Entry, type EntryDecision, replayEntry } from "./entry.ts";
import { type KeyRing, keyRing, newKeyRingSetting } from "./key-ring.ts";
import { fromCheckpoint, loadAll } from "./live-instances.ts";
import type { DefinitionSource, InstanceKey, OldCommand, ProjectedInstance, Store } from "./ports.ts";
import { definitionSetting } from "./registry.ts";
import { chainProblem, readChain } from "./retention/chain.ts";
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
  const partitions = await partitionsIn(store);
  const differing: InstanceKey[] = [];
  const broken: (InstanceKey & { problem: string })[] = [];
  let instances = 0;
  for await (const key of journaled(store)) {
    instances += 1;
    const expected = await fromJournal(key, store, ring, definitions, partitions).catch((error: unknown) =>
      String(error),
    );
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
  partitions: number,
): Promise<ProjectedInstance> {
  const chain = await readChain(store, key);
  const problem = chainProblem(chain);
  if (problem !== undefined) throw new Error(problem);
  const { checkpoint, entries } = chain;
  const [{ wrappedKey } = {}] = await store.load([key]);
  const dataKey = wrappedKey === undefined ? undefined : ring.unwrap(wrappedKey);
  // Of what was pruned only the lists still know the tasks.
  const known = checkpoint ? ((await store.projected(key))?.tasks ?? []) : [];
  const tasks = new Map<string, Task>(known.map((task) => [task.id, task]));
  const oldCommands: OldCommand[] = [];
  let instance = checkpoint && (await fromCheckpoint(checkpoint, dataKey, definitions));
  for (const { sequence, body } of entries) {
    const entry = decode<Entry>(body, dataKey);
    await loadAll(definitionsIn(entry), definitions);
    const before = instance;
    instance = replayEntry(
      (hash) => definitions.known(hash),
      before,
      entry,
      (accepted, decision) => {
        checkData(accepted.instance, dataKey, decision);
        for (const task of accepted.tasks) tasks.set(task.id, task);
      },
    );
    if (before) oldCommands.push(...fallenOut(before, instance, sequence));
  }
  const { sequence } = (entries.at(-1) ?? checkpoint)!;
  const summary = summaryOf(instance!);
  const partition = partitionOf(key.tenant, summary.flow, summary.key, partitions);
  const [{ timers }, lists] = [instance!, { tasks: [...tasks.values()], oldCommands }];
  return { partition, sequence, summary, timers, ...lists };
}

/** An instance may have got its key, with a version that has secrets, after the command. */
function checkData(instance: Instance, key: Buffer | undefined, { dataDigest, version }: EntryDecision): void {
  const isSame = [key, undefined].some((one) => digestData(instance, one).digest === dataDigest);
  if (!isSame) throw new Error(`the data after version ${version} is not what the journal says`);
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
