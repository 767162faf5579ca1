import type { Collection } from "mongodb";
import { duplicatesOf } from "./mongo-errors.ts";

/** Writing many documents of one collection by their `_id`s in few commands. */

interface Identified {
  readonly _id: string;
}

/** A document that takes the place of the one with its `_id`. */
export interface Put<Doc> {
  readonly document: Doc;
  /** As far as we can tell. */
  readonly isNew: boolean;
  /**
   * It gives way to one of this `sequence` or a later one. Writers come in order, so that this matters only for a write that
   * was under way while its node was paused, or while it was asked again.
   */
  readonly isNewerThan?: number;
}

/** Changes a document, or makes it. */
export interface Upsert<Doc> extends Put<Doc> {
  /** As the server has it, where it is not new. */
  readonly update: object;
}

export interface WriteLimits {
  readonly maxTimeMS: number;
  /** Updates in one command. */
  readonly updatesMax: number;
}

export class Writes {
  readonly #limits: WriteLimits;

  constructor(limits: WriteLimits) {
    this.#limits = limits;
  }

  /** What is there stays as it is. @returns those that were there. */
  async insert<Doc extends Identified>(to: Collection<Doc>, documents: readonly Doc[]): Promise<readonly Doc[]> {
    if (documents.length === 0) return [];
    try {
      // The driver's types can't follow a generic document.
      await to.insertMany(documents as never, { ordered: false, maxTimeMS: this.#limits.maxTimeMS });
      return [];
    } catch (error) {
      const duplicates = duplicatesOf(error);
      if (!duplicates) throw error;
      return duplicates.map((index) => documents[index]!);
    }
  }

  /** Whoever sees one of them sees those before it. What is there stays as it is. */
  async insertInOrder<Doc extends Identified>(to: Collection<Doc>, documents: readonly Doc[]): Promise<void> {
    let left = documents;
    while (left.length > 0) {
      try {
        await to.insertMany(left as never, { ordered: true, maxTimeMS: this.#limits.maxTimeMS });
        return;
      } catch (error) {
        const [there] = duplicatesOf(error) ?? [];
        if (there === undefined) throw error;
        left = left.slice(there + 1);
      }
    }
  }

  /** New ones are inserted, which is far cheaper; one that turns out to be there is replaced like the others. */
  async put<Doc extends Identified>(to: Collection<Doc>, puts: readonly Put<Doc>[]): Promise<void> {
    const replaced = await this.#insertNew(to, puts);
    const operations = replaced.map((put) => ({
      replaceOne: { filter: filterOf(put), replacement: put.document, upsert: true },
    }));
    await this.#bulk(to, operations);
  }

  /** In the same way, but those that are there are updated. */
  async upsert<Doc extends Identified>(to: Collection<Doc>, upserts: readonly Upsert<Doc>[]): Promise<void> {
    const updated = await this.#insertNew(to, upserts);
    const operations = updated.map((upsert) => ({
      updateOne: { filter: filterOf(upsert), update: upsert.update, upsert: true },
    }));
    await this.#bulk(to, operations);
  }

  async delete<Doc extends Identified>(from: Collection<Doc>, ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await from.deleteMany({ _id: { $in: ids } } as never, { maxTimeMS: this.#limits.maxTimeMS });
  }

  /** @returns those that are still to be written. */
  async #insertNew<Doc extends Identified, P extends Put<Doc>>(
    to: Collection<Doc>,
    puts: readonly P[],
  ): Promise<readonly P[]> {
    const there = await this.insert(
      to,
      puts.flatMap(({ document, isNew }) => (isNew ? [document] : [])),
    );
    const ids = new Set(there.map(({ _id }) => _id));
    return puts.filter(({ document, isNew }) => !isNew || ids.has(document._id));
  }

  async #bulk<Doc extends Identified>(to: Collection<Doc>, operations: readonly object[]): Promise<void> {
    const { maxTimeMS, updatesMax } = this.#limits;
    for (let i = 0; i < operations.length; i += updatesMax) {
      const some = operations.slice(i, i + updatesMax);
      if (await bulkWrite(to, some, maxTimeMS)) continue;
      // Of two upserts of one document at once one fails, and finds it when it is asked again; or else a newer one is there.
      // One at a time, because FerretDB leaves out those behind one that fails.
      for (const one of some) await bulkWrite(to, [one], maxTimeMS);
    }
  }
}

/** An upsert that its filter keeps from what is there fails, because the `_id` is taken. */
const filterOf = <Doc extends Identified>({ document: { _id }, isNewerThan }: Put<Doc>): object =>
  isNewerThan === undefined ? { _id } : { _id, sequence: { $not: { $gte: isNewerThan } } };

/** @returns false if the `_id` of one was taken. */
async function bulkWrite<Doc extends Identified>(
  to: Collection<Doc>,
  operations: readonly object[],
  maxTimeMS: number,
): Promise<boolean> {
  try {
    await to.bulkWrite(operations as never, { ordered: false, maxTimeMS });
    return true;
  } catch (error) {
    if (duplicatesOf(error)) return false;
    throw error;
  }
}
