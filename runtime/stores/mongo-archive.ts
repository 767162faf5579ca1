import type {
  ArchiveRow,
  EndedQuery,
  InstanceKey,
  KeyChange,
  PruneRow,
  StoredCheckpoint,
  TenantUsage,
} from "../ports.ts";
import {
  type CheckpointDocument,
  type Collections,
  EMPTY_PROJECTION,
  entryId,
  type HistoryDocument,
  type InstanceDocument,
  nameOf,
} from "./mongo-documents.ts";
import { upserted } from "./mongo-errors.ts";
import { type WriteLimits, Writes } from "./mongo-writes.ts";

/**
 * Old entries and data keys. Each step can be made again, and in this order nothing is missing in between: an entry is copied
 * to the history before its document in the journal is emptied, and that document stays, so that its key stays taken.
 */
export class MongoArchive {
  readonly #collections: Collections;
  readonly #limits: WriteLimits;
  readonly #writes: Writes;

  constructor(collections: Collections, limits: WriteLimits) {
    this.#collections = collections;
    this.#limits = limits;
    this.#writes = new Writes(limits);
  }

  async usage(tenant: string): Promise<TenantUsage> {
    const { instances, usage } = this.#collections;
    const [openInstances, kept] = await Promise.all([
      instances.countDocuments({ tenant, outcome: { $exists: false } }, this.#limit),
      usage.findOne({ _id: tenant }, this.#limit),
    ]);
    return { openInstances, bytes: Math.max(kept?.bytes ?? 0, 0) };
  }

  async tenants(): Promise<readonly string[]> {
    // Not every server knows a limit of time for it.
    const { instances, letters } = this.#collections;
    const found = await Promise.all([instances.distinct("tenant"), letters.distinct("tenant")]);
    return [...new Set(found.flat())];
  }

  async rewrap(changes: readonly KeyChange[]): Promise<void> {
    const { updatesMax } = this.#limits;
    const updates = changes.map(({ id, from, to }) => ({
      updateOne: { filter: { _id: id, wrappedKey: from }, update: { $set: { wrappedKey: to } } },
    }));
    for (let at = 0; at < updates.length; at += updatesMax)
      await this.#collections.keys.bulkWrite(updates.slice(at, at + updatesMax), { ordered: false, ...this.#limit });
  }

  async archive({ tenant, instance, snapshot }: ArchiveRow): Promise<void> {
    const { journal, history, instances, snapshots } = this.#collections;
    const name = nameOf(tenant, instance);
    const found = await instances.findOne({ _id: name }, this.#limit);
    if (!found) return;
    const before = await snapshots.findOne({ _id: name }, { projection: { sequence: 1 }, ...this.#limit });
    if (before === null || before.sequence < snapshot.sequence)
      await this.#writes.put(snapshots, [{ document: { _id: name, ...snapshot }, isNew: before === null }]);
    const ids = idsBetween(name, found.archived ?? -1, snapshot.sequence);
    for (const some of parts(ids)) {
      const entries = await journal.find({ _id: { $in: some }, moved: { $exists: false } }, this.#limit).toArray();
      if (entries.length === 0) continue;
      await this.#writes.insert(
        history,
        entries.map(({ _id, sequence, at, body, hash }): HistoryDocument => ({ _id, sequence, at, body, hash })),
      );
      const emptied = { body: "", hash: "", projection: EMPTY_PROJECTION, moved: true as const };
      await journal.updateMany({ _id: { $in: entries.map(({ _id }) => _id) } }, { $set: emptied }, this.#limit);
    }
    await instances.updateOne({ _id: name }, { $set: { archived: snapshot.sequence } }, this.#limit);
  }

  async prune({ tenant, instance, checkpoint }: PruneRow): Promise<void> {
    const { history, instances, checkpoints, usage } = this.#collections;
    const { sequence } = checkpoint;
    const name = nameOf(tenant, instance);
    const { archived = -1, pruned = -1 } = (await instances.findOne({ _id: name }, this.#limit)) ?? {};
    if (archived < sequence || pruned >= sequence) return;
    const document: CheckpointDocument = { _id: name, ...checkpoint };
    await upserted(() => checkpoints.replaceOne({ _id: name }, document, { upsert: true, ...this.#limit }));
    for (const some of parts(idsBetween(name, pruned, sequence))) {
      const entries = await history.find({ _id: { $in: some } }, this.#limit).toArray();
      const bytes = entries.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0);
      await history.deleteMany({ _id: { $in: some } }, this.#limit);
      await usage.updateOne({ _id: tenant }, { $inc: { bytes: -bytes } }, this.#limit);
    }
    await instances.updateOne({ _id: name }, { $set: { pruned: sequence } }, this.#limit);
  }

  async checkpoint({ tenant, instance }: InstanceKey): Promise<StoredCheckpoint | undefined> {
    const found = await this.#collections.checkpoints.findOne({ _id: nameOf(tenant, instance) }, this.#limit);
    if (!found) return undefined;
    const { _id, ...checkpoint } = found;
    return checkpoint;
  }

  get #limit(): { readonly maxTimeMS: number } {
    return { maxTimeMS: this.#limits.maxTimeMS };
  }
}

/** Where the newest entry of an instance lies; `undefined` if it was pruned. */
export function placeOf({ sequence, archived = -1, pruned = -1 }: InstanceDocument): EndedQuery["where"] | undefined {
  if (archived < sequence) return "journal";
  return pruned < sequence ? "history" : undefined;
}

/** Entries asked for at once. */
const PART = 256;

function parts(ids: readonly string[]): readonly (readonly string[])[] {
  return Array.from({ length: Math.ceil(ids.length / PART) }, (_, index) =>
    ids.slice(index * PART, (index + 1) * PART),
  );
}

const idsBetween = (name: string, after: number, to: number): readonly string[] =>
  Array.from({ length: to - after }, (_, index) => entryId(name, after + 1 + index));
