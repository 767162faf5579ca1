import type { Collection } from "mongodb";
import { duplicatesOf, upserted } from "./mongo-errors.ts";

/** Writing many documents of one collection by their `_id`s, without conditions, in few commands. */

interface Identified {
  readonly _id: string;
}

/** A document that takes the place of the one with its `_id`. */
export interface Put<Doc> {
  readonly document: Doc;
  /** As far as we can tell. */
  readonly isNew: boolean;
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

  /** New ones are inserted, which is far cheaper; one that turns out to be there is replaced like the others. */
  async put<Doc extends Identified>(to: Collection<Doc>, puts: readonly Put<Doc>[]): Promise<void> {
    const replaced = await this.#insertNew(to, puts);
    const operations = replaced.map(({ document }) => ({
      replaceOne: { filter: { _id: document._id }, replacement: document, upsert: true },
    }));
    await this.#bulk(to, operations);
  }

  /** In the same way, but those that are there are updated. */
  async upsert<Doc extends Identified>(to: Collection<Doc>, upserts: readonly Upsert<Doc>[]): Promise<void> {
    const updated = await this.#insertNew(to, upserts);
    const operations = updated.map(({ document, update }) => ({
      updateOne: { filter: { _id: document._id }, update, upsert: true },
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
      await upserted(() => to.bulkWrite(some as never, { ordered: false, maxTimeMS }));
    }
  }
}
