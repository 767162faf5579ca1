import { pause } from "../clock.ts";
import { type AppendRow, type Clock, StoreUnavailable } from "../ports.ts";
import {
  type Collections,
  entryId,
  type IntentDocument,
  type JournalDocument,
  type JournaledProjection,
  type KeyDocument,
  keyId,
  nameOf,
} from "./mongo-documents.ts";
import { duplicatesOf, isUnavailable, reached, storeError } from "./mongo-errors.ts";
import type { ProjectedRow } from "./mongo-projector.ts";

/**
 * Appending. An intent names the entries before they are inserted and is deleted after they are projected, so that whoever
 * comes after a dead node knows what to look for. Whether an entry was written is decided by its `_id` alone; a writer who
 * lost his connection in the middle inserts again, and finds by the append's name whether what is there is his.
 */

/** An insert is asked again for so long, through restarts and elections; then its callers are told to come again. */
const INSERT_AGAIN_MS = 10_000;
const PAUSE_MS = 100;

export interface Appended {
  /** Of the rows that were written. */
  readonly rows: readonly ProjectedRow[];
  /** Indices of the rows whose key was taken. */
  readonly taken: readonly number[];
  /** What is to be deleted once the rows are projected. */
  readonly intent: string;
  readonly lostKeys: readonly string[];
}

export interface JournalOptions {
  readonly maxTimeMS: number;
  readonly insertAgainMs?: number;
  readonly clock: Clock;
}

/** Thrown where some of an append may have been written, or its intent. */
export class Doubtful extends Error {
  override readonly name = "Doubtful";
  readonly intent: IntentDocument;

  /** @param cause what the caller is told. */
  constructor(intent: IntentDocument, cause: unknown) {
    super("it is not known what was written", { cause });
    this.intent = intent;
  }
}

interface Prepared {
  readonly documents: readonly JournalDocument[];
  readonly rows: readonly ProjectedRow[];
  readonly keys: readonly KeyDocument[];
  readonly intent: IntentDocument;
}

export class MongoJournal {
  readonly #collections: Collections;
  readonly #node: string;
  readonly #options: Required<JournalOptions>;
  readonly #announcer: Announcer;
  #batches = 0;
  #position = 0;

  /** @param node this process's name, which no other has or had. */
  constructor(collections: Collections, node: string, options: JournalOptions) {
    this.#collections = collections;
    this.#node = node;
    this.#options = { insertAgainMs: INSERT_AGAIN_MS, ...options };
    this.#announcer = new Announcer(collections, options.maxTimeMS);
  }

  /** @throws {Doubtful} @throws {StoreUnavailable} nothing was written. */
  async append(rows: readonly AppendRow[]): Promise<Appended> {
    const prepared = this.#prepare(rows);
    const { documents, intent, keys } = prepared;
    await this.#announce(intent, keys).catch((error: unknown) => {
      // The intent may be there, though nothing will follow it.
      throw error instanceof StoreUnavailable ? new Doubtful(intent, error) : error;
    });
    const taken = await this.#insert(documents, intent);
    if (taken.size === 0) return { rows: prepared.rows, taken: [], intent: intent._id, lostKeys: [] };
    return {
      rows: prepared.rows.filter((_, index) => !taken.has(documents[index]!._id)),
      taken: documents.flatMap(({ _id }, index) => (taken.has(_id) ? [index] : [])),
      intent: intent._id,
      lostKeys: prepared.rows.flatMap(({ keyed }, index) => (keyed && taken.has(documents[index]!._id) ? [keyed] : [])),
    };
  }

  /** Places in the order of writing, as far as clocks agree between nodes. @returns the first of so many. */
  positions(count: number): number {
    const first = Math.max(this.#position, this.#options.clock.now() * POSITIONS_PER_MS);
    this.#position = first + count;
    return first;
  }

  #prepare(rows: readonly AppendRow[]): Prepared {
    const batch = `${this.#node}/${++this.#batches}`;
    const keys: KeyDocument[] = [];
    const projected: ProjectedRow[] = [];
    const documents = rows.map((row): JournalDocument => {
      const name = nameOf(row.tenant, row.instance);
      const { snapshot, wrappedKey, ...rest } = row.projection;
      const position = this.positions(1 + rest.effects.length);
      const keyed = wrappedKey === undefined ? undefined : keyId(name, batch);
      if (keyed !== undefined) keys.push({ _id: keyed, wrappedKey: wrappedKey! });
      const { tenant, instance, partition, sequence, at, body, hash } = row;
      projected.push({
        ...{ name, tenant, instance, partition, batch, sequence, at, bytes: Buffer.byteLength(body) },
        projection: { ...rest, position },
        ...(snapshot !== undefined && { snapshot: { _id: name, sequence, hash, body: snapshot } }),
        ...(keyed !== undefined && { keyed }),
      });
      return {
        _id: entryId(name, sequence),
        ...{ tenant, instance, partition, sequence, at, body, hash, batch },
        projection: JSON.stringify({ ...rest, position } satisfies JournaledProjection),
        ...(keyed !== undefined && { keyed: true as const }),
      };
    });
    const intent = { _id: batch, node: this.#node, entries: documents.map(({ _id }) => _id) };
    return { documents, rows: projected, keys, intent };
  }

  async #announce(intent: IntentDocument, keys: readonly KeyDocument[]): Promise<void> {
    const { maxTimeMS } = this.#options;
    const kept = keys.length > 0 ? reached(this.#collections.keys.insertMany(keys, { maxTimeMS })) : undefined;
    await Promise.all([this.#announcer.announce(intent), kept]);
  }

  /** @returns ids of those that somebody else wrote. */
  async #insert(documents: readonly JournalDocument[], intent: IntentDocument): Promise<ReadonlySet<string>> {
    const { clock, insertAgainMs } = this.#options;
    const until = clock.steadyMs() + insertAgainMs;
    for (let tries = 1; ; tries++) {
      const result = await this.#tryInsert(documents, tries > 1);
      if (result.kind === "known") return result.taken;
      const mayHelp = isUnavailable(result.cause) && clock.steadyMs() < until;
      if (!mayHelp) throw new Doubtful(intent, storeError(result.cause));
      await pause(clock, PAUSE_MS);
    }
  }

  async #tryInsert(documents: readonly JournalDocument[], again: boolean): Promise<Tried> {
    try {
      const options = { ordered: false, maxTimeMS: this.#options.maxTimeMS };
      await this.#collections.journal.insertMany(documents, options);
      return { kind: "known", taken: new Set() };
    } catch (error) {
      const duplicates = duplicatesOf(error)?.map((index) => documents[index]!);
      if (!duplicates) return { kind: "unknown", cause: error };
      if (!again) return { kind: "known", taken: new Set(duplicates.map(({ _id }) => _id)) };
      return this.#whose(duplicates);
    }
  }

  /** Of those that were there when we tried again: are they ours from before? Asks what is durable, not what may be undone. */
  async #whose(duplicates: readonly JournalDocument[]): Promise<Tried> {
    const { batch } = duplicates[0]!;
    try {
      const found = await this.#batchesOf(duplicates.map(({ _id }) => _id));
      if (found.size < duplicates.length)
        return { kind: "unknown", cause: new StoreUnavailable("MongoDB: not durable yet") };
      return { kind: "known", taken: new Set([...found].flatMap(([id, of]) => (of === batch ? [] : [id]))) };
    } catch (error) {
      return { kind: "unknown", cause: error };
    }
  }

  async #batchesOf(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const options = { projection: { batch: 1 }, maxTimeMS: this.#options.maxTimeMS };
    const found = await this.#collections.journal.find({ _id: { $in: ids } }, options).toArray();
    return new Map(found.map(({ _id, batch }) => [_id, batch]));
  }
}

/** Positions stay exact integers until the year 2248. */
const POSITIONS_PER_MS = 1_024;

type Tried =
  | { readonly kind: "known"; readonly taken: ReadonlySet<string> }
  | { readonly kind: "unknown"; readonly cause: unknown };

/** Inserts intents, all that wait in one command. */
class Announcer {
  readonly #intents: Collections["intents"];
  readonly #maxTimeMS: number;
  #waiting: IntentDocument[] = [];
  #next: Promise<void> | undefined;
  #underWay: Promise<void> = Promise.resolve();

  constructor({ intents }: Collections, maxTimeMS: number) {
    this.#intents = intents;
    this.#maxTimeMS = maxTimeMS;
  }

  /** @throws {StoreUnavailable} it may be there all the same; no entry follows it then. */
  announce(intent: IntentDocument): Promise<void> {
    this.#waiting.push(intent);
    this.#next ??= this.#underWay.catch(() => undefined).then(() => this.#insertWaiting());
    return this.#next;
  }

  #insertWaiting(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#next = undefined;
    const options = { ordered: false, maxTimeMS: this.#maxTimeMS };
    this.#underWay = reached(this.#intents.insertMany(waiting, options)).then(() => undefined);
    return this.#underWay;
  }
}
