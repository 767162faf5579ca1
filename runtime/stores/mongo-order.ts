import { Recent } from "../recent.ts";
import type { Collections } from "./mongo-documents.ts";
import type { ProjectedRow } from "./mongo-projector.ts";

/**
 * Several nodes may write entries of one instance, and each brings what follows from its own into the lists. They do it one
 * after the other: an entry's turn is when the instance's document has seen the one before it. So nobody writes what is older
 * over what is newer, and nothing is left out, without asking the server to compare. If the node that wrote the entry before
 * is dead, its turn comes when somebody has taken over what it left.
 */

/** Instances of which we know without asking what we brought in last. */
const KNOWN_MAX = 20_000;

export interface Sorted {
  /** To be brought in now, in order. */
  readonly ready: readonly ProjectedRow[];
  /** An entry before them was not brought in yet. */
  readonly held: readonly ProjectedRow[];
}

export class ProjectionOrder {
  readonly #instances: Collections["instances"];
  readonly #maxTimeMS: number;
  /** The newest entry that we brought in. After it only our own next one can come without being asked for. */
  readonly #newest = new Recent<number>(KNOWN_MAX);

  constructor({ instances }: Pick<Collections, "instances">, maxTimeMS: number) {
    this.#instances = instances;
    this.#maxTimeMS = maxTimeMS;
  }

  /**
   * What was brought in before is in neither list.
   * @param rows of each instance in the order of sequence.
   * @param isUncertain somebody may have brought in this one for us, or before us.
   */
  async sort(rows: readonly ProjectedRow[], isUncertain: (row: ProjectedRow) => boolean): Promise<Sorted> {
    const asked = this.#toBeAsked(rows, isUncertain);
    const seen = asked.size > 0 ? await this.#seen(asked) : undefined;
    const ready: ProjectedRow[] = [];
    const held: ProjectedRow[] = [];
    for (const row of rows) {
      const before = seen && asked.has(row.name) ? (seen.get(row.name) ?? 0) : row.sequence - 1;
      // A raw event has no document that could have seen it.
      if (row.sequence === 0 || row.sequence === before + 1) {
        ready.push(row);
        seen?.set(row.name, row.sequence);
      } else if (row.sequence > before) held.push(row);
    }
    return { ready, held };
  }

  /** These are in the lists. */
  note(rows: readonly ProjectedRow[]): void {
    for (const { name, sequence } of rows) if (sequence > 0) this.#newest.set(name, sequence);
  }

  #toBeAsked(rows: readonly ProjectedRow[], isUncertain: (row: ProjectedRow) => boolean): ReadonlySet<string> {
    const asked = new Set<string>();
    const newest = new Map<string, number>();
    for (const row of rows) {
      const { name, sequence } = row;
      const before = newest.get(name) ?? this.#newest.get(name);
      const isNext = sequence <= 1 || before === sequence - 1;
      if (!isNext || isUncertain(row)) asked.add(name);
      newest.set(name, sequence);
    }
    return asked;
  }

  async #seen(names: ReadonlySet<string>): Promise<Map<string, number>> {
    const options = { projection: { sequence: 1 }, maxTimeMS: this.#maxTimeMS };
    const found = await this.#instances.find({ _id: { $in: [...names] } }, options).toArray();
    return new Map(found.map(({ _id, sequence }) => [_id, sequence]));
  }
}
