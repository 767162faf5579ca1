import type { Definition } from "../dsl/index.ts";
import { definitionsOf, type Instance } from "../engine/index.ts";
import type { KnownDigest } from "./data-digest.ts";
import { decode, definitionsIn, type Entry, replayEntry } from "./entry.ts";
import type { KeyRing } from "./key-ring.ts";
import type {
  DefinitionSource,
  EpochMs,
  InstanceKey,
  Store,
  StoredCheckpoint,
  StoredEntry,
  StoredInstance,
} from "./ports.ts";

/** What is committed of an instance, or that there is none. */
export interface Loaded {
  instance: Instance | undefined;
  definition: Definition | undefined;
  /** Of the newest entry; 0 before the first. */
  sequence: number;
  hash: string;
  /** Only where the flow has secrets. */
  dataKey: Buffer | undefined;
  /** Version of the newest stored snapshot. */
  snapshotVersion: number;
  /** When that one was decided; before the first, when the instance was started. */
  snapshotAt: EpochMs;
}

/** An instance in memory. */
export interface Live<Waiting> extends Loaded {
  readonly key: InstanceKey;
  readonly name: string;
  loaded: boolean;
  /** What was presumed of it without loading turned out wrong, or may: it is loaded first. */
  contested: boolean;
  /** A load, a write or a question is under way: its commands wait. */
  busy: boolean;
  /** The question is under way. */
  asking?: boolean;
  /** Of the data of the newest decision, committed or not. */
  digest?: KnownDigest;
  readonly waiting: Waiting[];
}

interface Ports {
  readonly store: Store;
  readonly keys: KeyRing;
  readonly definitions: DefinitionSource;
}

/** Instances that have ended and are kept all the same: a document's report, say, comes a moment later. */
const ENDED_MAX = 256;

/** The cache of live instances. Losing one costs a read, never correctness. */
export class LiveInstances<Waiting> {
  readonly #ports: Ports;
  readonly #max: number;
  readonly #live = new Map<string, Live<Waiting>>();
  readonly #ended = new Set<Live<Waiting>>();

  constructor(ports: Ports, max: number) {
    this.#ports = ports;
    this.#max = max;
  }

  of(key: InstanceKey): Live<Waiting> {
    const name = nameOf(key);
    const known = this.#live.get(name);
    if (known) return known;
    const live = emptyLive<Waiting>({ tenant: key.tenant, instance: key.instance }, name);
    if (this.#live.size >= this.#max) this.#evict();
    this.#live.set(name, live);
    return live;
  }

  /** Loads them all in one read. @returns those that could not be restored, with the error; the others are loaded. */
  async load(lives: readonly Live<Waiting>[]): Promise<ReadonlyMap<Live<Waiting>, unknown>> {
    const stored = await this.#ports.store.load(lives.map((live) => live.key));
    const byInstance = new Map(stored.map((row) => [nameOf(row), row]));
    const failed = new Map<Live<Waiting>, unknown>();
    for (const live of lives) {
      const row = byInstance.get(live.name);
      try {
        Object.assign(live, row ? await restore(row, this.#ports) : NOTHING, { loaded: true, contested: false });
      } catch (error) {
        failed.set(live, error);
      }
    }
    return failed;
  }

  /** A race was lost or a write failed: what is in memory can't be trusted. */
  forget(live: Live<Waiting>): void {
    Object.assign(live, NOTHING, { loaded: false });
  }

  /** Little will be asked of it any more: of those that have ended only the newest stay. */
  ended(live: Live<Waiting>): void {
    this.#ended.delete(live);
    this.#ended.add(live);
    if (this.#ended.size <= ENDED_MAX) return;
    const [oldest] = this.#ended;
    this.#ended.delete(oldest!);
    this.#drop(oldest!);
  }

  #evict(): void {
    for (const live of this.#live.values()) {
      if (this.#live.size <= this.#max * 0.9) return;
      this.#drop(live);
    }
  }

  #drop(live: Live<Waiting>): void {
    if (!live.busy && live.waiting.length === 0 && this.#live.get(live.name) === live) this.#live.delete(live.name);
  }
}

/** Unique over all tenants. */
export const nameOf = ({ tenant, instance }: InstanceKey): string => `${tenant}\u0000${instance}`;

const NOTHING: Loaded = {
  instance: undefined,
  definition: undefined,
  sequence: 0,
  hash: "",
  dataKey: undefined,
  snapshotVersion: 0,
  snapshotAt: 0,
};

const emptyLive = <Waiting>(key: InstanceKey, name: string): Live<Waiting> => ({
  key,
  name,
  loaded: false,
  contested: false,
  ...NOTHING,
  busy: false,
  waiting: [],
});

/** An instance is its newest snapshot and the few entries after it. All definitions that it goes by are in memory then. */
export async function restore(
  row: StoredInstance,
  { keys, definitions }: Pick<Ports, "keys" | "definitions">,
): Promise<Loaded> {
  const dataKey = row.wrappedKey === undefined ? undefined : keys.unwrap(row.wrappedKey);
  let instance = row.snapshot ? decode<Instance>(row.snapshot.body, dataKey) : undefined;
  const snapshot = instance;
  if (instance) await loadAll(definitionsOf(instance), definitions);
  for (const entry of row.tail) instance = await apply(instance, decode<Entry>(entry.body, dataKey), definitions);
  const newest = row.tail.at(-1) ?? row.snapshot;
  return {
    instance,
    definition: instance && definitions.known(instance.definition),
    sequence: newest?.sequence ?? 0,
    hash: newest?.hash ?? "",
    dataKey,
    snapshotVersion: snapshot?.version ?? 0,
    snapshotAt: snapshot?.updatedAt ?? instance?.startedAt ?? 0,
  };
}

async function apply(instance: Instance | undefined, entry: Entry, definitions: DefinitionSource): Promise<Instance> {
  await loadAll(definitionsIn(entry), definitions);
  return replayEntry((hash) => definitions.known(hash), instance, entry);
}

/** The instance as it was when older entries were pruned. */
export async function fromCheckpoint(
  { snapshot }: StoredCheckpoint,
  dataKey: Buffer | undefined,
  definitions: DefinitionSource,
): Promise<Instance> {
  const instance = decode<Instance>(snapshot, dataKey);
  await loadAll(definitionsOf(instance), definitions);
  return instance;
}

/** Brings definitions into memory. @throws Error if one is not there. */
export async function loadAll(hashes: readonly string[], definitions: DefinitionSource): Promise<void> {
  for (const hash of hashes) {
    if (!definitions.known(hash) && !(await definitions.load(hash)))
      throw new Error(`definition ${hash} is not in the store`);
  }
}

/**
 * The instance as it was at an earlier version: its entries, decided again.
 * @param checkpoint what the entries go on from, if older ones were pruned.
 * @returns `undefined` if it never stood at this version, or that was before the checkpoint.
 */
export async function replayTo(
  entries: readonly StoredEntry[],
  version: number,
  dataKey: Buffer | undefined,
  definitions: DefinitionSource,
  checkpoint?: StoredCheckpoint,
): Promise<Instance | undefined> {
  let instance = checkpoint && (await fromCheckpoint(checkpoint, dataKey, definitions));
  for (const stored of entries) {
    const entry = decode<Entry>(stored.body, dataKey);
    const decisions = entry.decisions.filter((decision) => decision.version <= version);
    if (decisions.length === 0) break;
    instance = await apply(instance, { ...entry, decisions }, definitions);
  }
  return instance?.version === version ? instance : undefined;
}
