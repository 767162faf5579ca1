import type { Clock } from "../ports.ts";
import { type Collections, type IntentDocument, type JournalDocument, keyId, nameOf } from "./mongo-documents.ts";
import type { ProjectedRow } from "./mongo-projector.ts";

/**
 * Appends of which it is not known what was written: those of nodes that died, and our own that the server did not answer.
 * Their entries are looked for until each is there or can't come any more, and projected from what the journal says.
 */

/**
 * After so long nothing that was sent can land any more: longer than a writer asks again and the server's limit for one
 * operation together. It is counted by our own clock from when we first heard of it.
 */
const LANDED_MS = 60_000;

interface Doubt {
  /** Entries that were not there yet. */
  readonly open: Set<string>;
  readonly overAtMs: number;
}

export interface Resolved {
  readonly rows: readonly ProjectedRow[];
  /** `_id`s of the entries that were found. */
  readonly found: readonly string[];
  /** Intents of which nothing is to come any more. */
  readonly over: readonly string[];
}

export interface DoubtOptions {
  readonly maxTimeMS: number;
  readonly landedMs?: number;
  readonly clock: Pick<Clock, "steadyMs">;
}

export class Doubts {
  readonly #collections: Collections;
  readonly #maxTimeMS: number;
  readonly #landedMs: number;
  readonly #clock: Pick<Clock, "steadyMs">;
  readonly #doubts = new Map<string, Doubt>();

  constructor(collections: Collections, { maxTimeMS, landedMs = LANDED_MS, clock }: DoubtOptions) {
    this.#collections = collections;
    this.#clock = clock;
    this.#maxTimeMS = maxTimeMS;
    this.#landedMs = landedMs;
  }

  get size(): number {
    return this.#doubts.size;
  }

  add({ _id, entries }: IntentDocument): void {
    this.#doubts.set(_id, { open: new Set(entries), overAtMs: this.#clock.steadyMs() + this.#landedMs });
  }

  /** Takes over what a node left that is dead. */
  async adopt(node: string): Promise<void> {
    for (const intent of await this.#intents({ node })) this.add(intent);
  }

  async adoptAll(): Promise<void> {
    for (const intent of await this.#intents({})) this.add(intent);
  }

  /** Takes over what nodes left that are not members any more, or never were. */
  async adoptStrays(): Promise<void> {
    // Whoever has announced an intent was a member before.
    const intents = await this.#intents({});
    if (intents.length === 0) return;
    const members = await this.#collections.members.find({}, { maxTimeMS: this.#maxTimeMS }).toArray();
    const known = new Set(members.map(({ _id }) => _id));
    for (const intent of intents) if (!known.has(intent.node)) this.add(intent);
  }

  #intents(filter: { readonly node?: string }): Promise<readonly IntentDocument[]> {
    return this.#collections.intents.find(filter, { maxTimeMS: this.#maxTimeMS }).toArray();
  }

  /** Looks for the entries that were not there yet. Changes nothing until {@link settle}. */
  async resolve(): Promise<Resolved> {
    if (this.#doubts.size === 0) return NOTHING;
    const nowMs = this.#clock.steadyMs();
    const asked = [...this.#doubts.values()].flatMap(({ open }) => [...open]);
    const options = { maxTimeMS: this.#maxTimeMS };
    const documents = await this.#collections.journal.find({ _id: { $in: asked } }, options).toArray();
    const found = new Set(documents.map(({ _id }) => _id));
    const over = [...this.#doubts].filter(
      ([, { open, overAtMs }]) => nowMs > overAtMs || [...open].every((entry) => found.has(entry)),
    );
    // What somebody else wrote under the same key has an intent of its own.
    const ours = documents.filter(({ batch }) => this.#doubts.has(batch));
    ours.sort((a, b) => a.sequence - b.sequence);
    return { rows: ours.map(rowOf), found: [...found], over: over.map(([intent]) => intent) };
  }

  /** What was resolved is projected, all but what has to wait for the entries before it. */
  settle({ found, over }: Pick<Resolved, "found" | "over">): void {
    for (const intent of over) this.#doubts.delete(intent);
    for (const { open } of this.#doubts.values()) for (const entry of found) open.delete(entry);
  }
}

const NOTHING: Resolved = { rows: [], found: [], over: [] };

/** Without its snapshot, which is not in the journal: the instance is loaded from an older one until the next is written. */
function rowOf({
  tenant,
  instance,
  partition,
  sequence,
  at,
  body,
  batch,
  projection,
  keyed,
}: JournalDocument): ProjectedRow {
  const name = nameOf(tenant, instance);
  const bytes = Buffer.byteLength(body);
  const row = { name, tenant, instance, partition, batch, sequence, at, bytes, projection: JSON.parse(projection) };
  return keyed ? { ...row, keyed: keyId(name, batch) } : row;
}
