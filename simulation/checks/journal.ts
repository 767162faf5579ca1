import { isDeepStrictEqual } from "node:util";
import type { Definition } from "../../dsl/index.ts";
import { type Accepted, type Answer, type Command, decide, type Instance } from "../../engine/index.ts";
import {
  decodeStored,
  type InstanceKey,
  type Store,
  type StoredEntry,
  type StoredInstance,
} from "../../runtime/index.ts";
import { KEYS } from "../cluster/node.ts";

/** One accepted command, decided again from what the journal says. */
export interface Decided {
  readonly command: Command;
  readonly at: number;
  readonly version: number;
  /** Of its entry. */
  readonly sequence: number;
  readonly before: Instance | undefined;
  readonly accepted: Accepted;
}

/** All that the journal says of one instance. */
export interface Story extends InstanceKey {
  readonly decided: readonly Decided[];
  readonly entries: readonly StoredEntry[];
  /** What is wrong with its entries as such. */
  readonly faults: readonly string[];
}

interface Entry {
  readonly definition: string;
  readonly at: number;
  readonly decisions: readonly {
    readonly command: Command;
    readonly answers: Readonly<Record<string, Answer>>;
    readonly version: number;
  }[];
}

/** Reads the whole journal with the engine alone, apart from the runtime's own ways of reading it. */
export async function readJournal(disk: Store): Promise<readonly Story[]> {
  const definitions = new Map<string, Definition>();
  const { items } = await disk.journaled({ limit: 10_000 });
  const stories: Story[] = [];
  for (const key of items) stories.push(await readStory(disk, key, definitions));
  return stories;
}

async function readStory(
  disk: Store,
  { tenant, instance }: InstanceKey,
  definitions: Map<string, Definition>,
): Promise<Story> {
  const key = { tenant, instance };
  const entries = await disk.history(key);
  const [stored] = await disk.load([key]);
  const dataKey = stored?.wrappedKey === undefined ? undefined : KEYS.unwrap(stored.wrappedKey);
  const faults = gaps(entries);
  const decided: Decided[] = [];
  try {
    for (const { sequence, body } of entries)
      await decideAgain(sequence, decodeStored<Entry>(body, dataKey), decided, disk, definitions);
  } catch (error) {
    faults.push(error instanceof Error ? error.message : String(error));
  }
  const last = decided.at(-1)?.accepted.instance;
  if (faults.length === 0 && last) faults.push(...(await snapshotFaults(stored!, dataKey, decided)));
  return { ...key, decided, entries, faults };
}

function gaps(entries: readonly StoredEntry[]): string[] {
  const wrong = entries.findIndex(({ sequence }, index) => sequence !== index + 1);
  return wrong < 0 ? [] : [`entry ${wrong + 1} is missing`];
}

async function decideAgain(
  sequence: number,
  entry: Entry,
  decided: Decided[],
  disk: Store,
  definitions: Map<string, Definition>,
): Promise<void> {
  const definition = await definitionOf(entry.definition, disk, definitions);
  for (const { command, answers, version } of entry.decisions) {
    const before = decided.at(-1)?.accepted.instance;
    const accepted = decide(
      definition,
      before,
      command,
      entry.at,
      ({ key }) => answers[key],
      (hash) => definitions.get(hash),
    );
    if (accepted.kind !== "accepted")
      throw new Error(`\`${command.id}\` in the journal, decided again, gives \`${accepted.kind}\``);
    if (accepted.instance.version !== version)
      throw new Error(`\`${command.id}\` was version ${version} and is ${accepted.instance.version}`);
    decided.push({ command, at: entry.at, version, sequence, before, accepted });
  }
}

async function definitionOf(hash: string, disk: Store, definitions: Map<string, Definition>): Promise<Definition> {
  const known = definitions.get(hash);
  if (known) return known;
  const text = await disk.getSetting(`definition:${hash}`);
  if (text === undefined) throw new Error(`definition ${hash} is not in the store`);
  const definition = JSON.parse(text) as Definition;
  definitions.set(hash, definition);
  return definition;
}

/** The snapshot is the instance as it stood after that entry. */
async function snapshotFaults(
  { snapshot }: StoredInstance,
  dataKey: Buffer | undefined,
  decided: readonly Decided[],
): Promise<string[]> {
  if (!snapshot) return [];
  const stored = decodeStored<Instance>(snapshot.body, dataKey);
  const then = decided.findLast(({ sequence }) => sequence <= snapshot.sequence)?.accepted.instance;
  return isSame(stored, then) ? [] : [`the snapshot at entry ${snapshot.sequence} is not what the journal gives`];
}

/** As stored: without what is undefined. */
export const isSame = (a: unknown, b: unknown): boolean =>
  isDeepStrictEqual(JSON.parse(JSON.stringify(a ?? null)), JSON.parse(JSON.stringify(b ?? null)));
