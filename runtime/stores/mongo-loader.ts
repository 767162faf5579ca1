import type { InstanceKey, OldCommand, StoredEntry, StoredInstance } from "../ports.ts";
import {
  type Collections,
  entryId,
  type JournalDocument,
  type JournaledProjection,
  keyId,
  keyOf,
  nameOf,
} from "./mongo-documents.ts";

/**
 * Loading. Entries are asked for by lists of `_id`s, which every server finds fast, never by a range: from the snapshot to
 * where the instance's document stands, a little further, and on as long as the last one asked for was there.
 */

/** Beyond where the instance's document stands; entries that were not projected yet. */
const AHEAD = 2;
/** Entries of one instance per read when there are more. */
const MORE = 16;
const HISTORY_MORE = 256;

interface Options {
  readonly maxTimeMS: number;
}

/** What is asked of one instance's entries. */
interface Span {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** All keys at once. A key without an entry gives no row. */
export async function loadInstances(
  collections: Collections,
  keys: readonly InstanceKey[],
  options: Options,
): Promise<readonly StoredInstance[]> {
  if (keys.length === 0) return [];
  const named = keys.map((key) => ({ key, name: nameOf(key.tenant, key.instance) }));
  const ids = { _id: { $in: named.map(({ name }) => name) } };
  const [heads, snapshots] = await Promise.all([
    collections.instances.find(ids, { projection: { sequence: 1, keyed: 1 }, ...options }).toArray(),
    collections.snapshots.find(ids, options).toArray(),
  ]);
  const headOf = new Map(heads.map((head) => [head._id, head]));
  const snapshotOf = new Map(snapshots.map((snapshot) => [snapshot._id, snapshot]));
  const spans = named.map(({ name }): Span => {
    const from = (snapshotOf.get(name)?.sequence ?? -1) + 1;
    return { name, from, to: Math.max(from, headOf.get(name)?.sequence ?? 0) + AHEAD };
  });
  const entriesOf = await readEntries(collections, spans, MORE, options);
  const keyIdOf = new Map(
    named.map(({ name }) => [name, firstKey(headOf.get(name)?.keyed, name, entriesOf.get(name) ?? [])]),
  );
  const wrapped = await readKeys(
    collections,
    [...keyIdOf.values()].filter((id) => id !== undefined),
    options,
  );
  return named.flatMap(({ key: { tenant, instance }, name }) => {
    const found = snapshotOf.get(name);
    const tail = (entriesOf.get(name) ?? []).map(entryFrom);
    if (!found && tail.length === 0) return [];
    const wrappedKey = wrapped.get(keyIdOf.get(name) ?? "");
    const snapshot = found && { sequence: found.sequence, body: found.body, hash: found.hash };
    return { tenant, instance, ...(snapshot && { snapshot }), tail, ...(wrappedKey !== undefined && { wrappedKey }) };
  });
}

/**
 * Old commands that entries brought which their instances' documents have not seen, by `_id`: so that a command which another
 * node accepted long ago is known even if that node has not brought in yet that it was.
 */
export async function commandsAhead(
  { instances, journal }: Collections,
  keys: readonly InstanceKey[],
  options: Options,
): Promise<ReadonlyMap<string, OldCommand>> {
  const keyOf = new Map(keys.map((key) => [nameOf(key.tenant, key.instance), key]));
  const heads = await instances
    .find({ _id: { $in: [...keyOf.keys()] } }, { projection: { sequence: 1 }, ...options })
    .toArray();
  const found = new Map<string, OldCommand>();
  let asked: readonly Span[] = heads.map(({ _id, sequence }) => span(_id, sequence + 1, AHEAD));
  while (asked.length > 0) {
    const ids = { _id: { $in: asked.flatMap(idsOf) } };
    const entries = await journal.find(ids, { projection: { sequence: 1, projection: 1 }, ...options }).toArray();
    const next: Span[] = [];
    for (const { _id, sequence, projection } of entries) {
      const name = _id.slice(0, _id.indexOf(":"));
      const { tenant, instance } = keyOf.get(name)!;
      const { oldCommands } = JSON.parse(projection) as JournaledProjection;
      for (const one of oldCommands) found.set(nameOf(tenant, instance, one.source, one.id), one);
      if (asked.some((of) => of.name === name && of.to === sequence)) next.push(span(name, sequence + 1, MORE));
    }
    asked = next;
  }
  return found;
}

const span = (name: string, from: number, count: number): Span => ({ name, from, to: from + count - 1 });

/** All entries of one instance. */
export async function readHistory(
  collections: Collections,
  { tenant, instance }: InstanceKey,
  options: Options,
): Promise<readonly StoredEntry[]> {
  const name = nameOf(tenant, instance);
  const entries = await readEntries(collections, [{ name, from: 0, to: MORE }], HISTORY_MORE, options);
  return (entries.get(name) ?? []).map(entryFrom);
}

async function readEntries(
  { journal, history }: Collections,
  spans: readonly Span[],
  more: number,
  options: Options,
): Promise<ReadonlyMap<string, readonly JournalDocument[]>> {
  const read = new Map<string, JournalDocument[]>();
  let asked = new Map(spans.map((span) => [span.name, span]));
  while (asked.size > 0) {
    const ids = [...asked.values()].flatMap(idsOf);
    const found = await journal.find({ _id: { $in: ids } }, { projection: ENTRY, ...options }).toArray();
    const next = new Map<string, Span>();
    for (const document of found) {
      const name = document._id.slice(0, document._id.indexOf(":"));
      const span = asked.get(name)!;
      read.set(name, [...(read.get(name) ?? []), document]);
      if (document.sequence === span.to) next.set(name, { name, from: span.to + 1, to: span.to + more });
    }
    asked = next;
  }
  const moved = [...read.values()].flat().filter((entry) => entry.moved);
  const inHistory = moved.length > 0 ? await readMoved({ history }, moved, options) : undefined;
  for (const [name, entries] of read) {
    const whole = inHistory
      ? entries.flatMap((entry) => (entry.moved ? (inHistory.get(entry._id) ?? []) : entry))
      : entries;
    read.set(
      name,
      whole.sort((a, b) => a.sequence - b.sequence),
    );
  }
  return read;
}

/** Those that were pruned are missing. */
async function readMoved(
  { history }: Pick<Collections, "history">,
  moved: readonly JournalDocument[],
  options: Options,
): Promise<ReadonlyMap<string, JournalDocument>> {
  const found = await history.find({ _id: { $in: moved.map(({ _id }) => _id) } }, options).toArray();
  const bodies = new Map(found.map((entry) => [entry._id, entry]));
  const whole = moved.flatMap((entry) => {
    const body = bodies.get(entry._id);
    return body ? { ...entry, ...body } : [];
  });
  return new Map(whole.map((entry) => [entry._id, entry]));
}

const ENTRY = { sequence: 1, at: 1, body: 1, hash: 1, batch: 1, keyed: 1, moved: 1 } as const;

const idsOf = ({ name, from, to }: Span): readonly string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => entryId(name, from + index));

/** The instance's document knows it, or the entry that brought it is among those read. */
function firstKey(keyed: string | undefined, name: string, entries: readonly JournalDocument[]): string | undefined {
  if (keyed !== undefined) return keyOf(keyed);
  const first = entries.find((entry) => entry.keyed);
  return first && keyId(name, first.batch);
}

async function readKeys(
  { keys }: Collections,
  ids: readonly string[],
  options: Options,
): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const found = await keys.find({ _id: { $in: ids } }, options).toArray();
  return new Map(found.map(({ _id, wrappedKey }) => [_id, wrappedKey]));
}

const entryFrom = ({ sequence, at, body, hash }: JournalDocument): StoredEntry => ({ sequence, at, body, hash });
