import type { InstanceKey, OldCommand, ProjectedInstance, Task } from "../ports.ts";
import {
  type Collections,
  type CommandDocument,
  decisionOf,
  type EffectDocument,
  type InstanceDocument,
  type JournaledProjection,
  keyedBy,
  nameOf,
  type SnapshotDocument,
  type TaskDocument,
  type TimerDocument,
  taskDocument,
  timerDocument,
  timerId,
} from "./mongo-documents.ts";
import type { Doubts } from "./mongo-doubts.ts";
import type { Appended } from "./mongo-journal.ts";
import { type Put, type Upsert, type WriteLimits, Writes } from "./mongo-writes.ts";

/**
 * What lists are read from follows the journal a moment later, merged, so that an approval opened and closed in between is
 * written once and an effect carried out in between never. It is all written by `_id`, without conditions: a node brings in
 * its own entries in their order, and leaves out those that an instance's document has seen where somebody else may have been there.
 */

/** An entry that was written, and what follows from it. */
export interface ProjectedRow extends InstanceKey {
  /** {@link nameOf} the instance. */
  readonly name: string;
  readonly sequence: number;
  readonly at: number;
  readonly projection: JournaledProjection;
  readonly snapshot?: SnapshotDocument;
  /** `_id` of the data key that came with it. */
  readonly keyed?: string;
}

/** Rows that waited longer than this may have been brought in by whoever thought that we were dead. */
const STALE_MS = 5_000;

/** What waits, in memory. The intents and the journal have it all, in case the process dies. */
export class Projector {
  readonly #collections: Collections;
  readonly #doubts: Doubts;
  readonly #maxTimeMS: number;
  readonly #writes: Writes;
  #waiting: Waiting = nothing();
  #underWay: Waiting = nothing();

  constructor(collections: Collections, doubts: Doubts, limits: WriteLimits) {
    this.#collections = collections;
    this.#doubts = doubts;
    this.#maxTimeMS = limits.maxTimeMS;
    this.#writes = new Writes(limits);
  }

  /** Rows that wait. */
  get size(): number {
    return this.#waiting.rows.length;
  }

  add({ rows, intent, lostKeys }: Appended): void {
    const waiting = this.#waiting;
    for (const row of rows) {
      waiting.rows.push(row);
      for (const { id } of row.projection.effects) waiting.effects.add(nameOf(row.tenant, id));
      for (const command of row.projection.oldCommands) {
        const document = commandDocument(row, command);
        waiting.commands.set(document._id, document);
      }
    }
    waiting.intents.push(intent);
    waiting.keys.push(...lostKeys);
  }

  /** An old command that is not in its place yet. */
  waitingCommand(id: string): CommandDocument | undefined {
    return this.#underWay.commands.get(id) ?? this.#waiting.commands.get(id);
  }

  /**
   * Effects that were carried out. Not durable until they are projected: after a kill they are carried out again, under the
   * same keys. One that waits itself is never written.
   */
  settle(done: readonly { readonly tenant: string; readonly id: string }[]): void {
    for (const { tenant, id } of done) {
      const name = nameOf(tenant, id);
      if (this.#waiting.effects.has(name)) this.#waiting.cancelled.add(name);
      else this.#waiting.done.add(name);
    }
  }

  /** Writes all that waits. What can't be written waits on. */
  async project(): Promise<void> {
    const waiting = this.#waiting;
    this.#underWay = waiting;
    this.#waiting = nothing();
    try {
      // Asked after taking what waits: a row that builds on an entry in doubt comes after it or with it, never before.
      const found = await this.#doubts.resolve();
      const isStale = performance.now() - waiting.sinceMs > STALE_MS;
      const before = await this.#unseen(found.rows);
      const rows = [...before, ...(isStale ? await this.#unseen(waiting.rows) : waiting.rows)];
      await this.#write({ ...waiting, rows, intents: [...found.over, ...waiting.intents] });
      this.#doubts.settle(found);
    } catch (error) {
      this.#waiting = joined(waiting, this.#waiting);
      throw error;
    } finally {
      this.#underWay = nothing();
    }
  }

  /** Puts this in place of what is stored of an instance. */
  async replace({ tenant, instance }: InstanceKey, projected: ProjectedInstance, position: number): Promise<void> {
    const { sequence, summary, tasks, timers, oldCommands } = projected;
    const name = nameOf(tenant, instance);
    const [to, writes] = [this.#collections, this.#writes];
    const of = <Doc extends { readonly _id: string }>(document: Doc) => ({ document, isNew: false });
    const taskDocuments = tasks.map((task) => taskDocument(name, tenant, instance, summary.flow, task));
    const timerDocuments = timers.map((timer) => timerDocument(name, tenant, instance, timer));
    await writes.put(to.tasks, taskDocuments.map(of));
    await writes.put(to.timers, timerDocuments.map(of));
    const rest = (documents: readonly { readonly _id: string }[]) => ({
      name,
      _id: { $nin: documents.map(({ _id }) => _id) },
    });
    const limit = { maxTimeMS: this.#maxTimeMS };
    await Promise.all([
      to.tasks.deleteMany(rest(taskDocuments), limit),
      to.timers.deleteMany(rest(timerDocuments), limit),
    ]);
    await writes.insert(
      to.commands,
      oldCommands.map((command) => commandDocument({ tenant, instance }, command)),
    );
    const $set = { tenant, instance, sequence, ...summary };
    const update = summary.outcome === undefined ? { $set, $unset: { outcome: "" } } : { $set };
    const document = { _id: name, position, ...$set };
    await writes.upsert(to.instances, [{ document, isNew: false, update: { ...update, $setOnInsert: { position } } }]);
  }

  /** Those that were not brought in before. */
  async #unseen(rows: readonly ProjectedRow[]): Promise<readonly ProjectedRow[]> {
    if (rows.length === 0) return [];
    const names = [...new Set(rows.map(({ name }) => name))];
    const options = { projection: { sequence: 1 }, maxTimeMS: this.#maxTimeMS };
    const found = await this.#collections.instances.find({ _id: { $in: names } }, options).toArray();
    const seen = new Map(found.map(({ _id, sequence }) => [_id, sequence]));
    return rows.filter(({ name, sequence }) => sequence > (seen.get(name) ?? -1));
  }

  async #write({ rows, intents, keys, done, cancelled }: Waiting): Promise<void> {
    const { instances, tasks, timers, effects, snapshots, commands } = merge(rows, cancelled);
    const [to, writes] = [this.#collections, this.#writes];
    const timersSet = [...timers.values()].filter((timer) => timer !== undefined);
    const timersGone = [...timers].flatMap(([id, timer]) => (timer ? [] : [id]));
    await Promise.all([
      writes.delete(to.effects, [...done]).then(() => writes.insert(to.effects, effects)),
      writes.put(to.tasks, [...tasks.values()]),
      writes.put(to.timers, timersSet),
      writes.delete(to.timers, timersGone),
      writes.put(to.snapshots, [...snapshots.values()]),
      writes.insert(to.commands, commands),
      writes.delete(to.keys, keys),
    ]);
    // That an instance has seen an entry is written after all that follows from it.
    await writes.upsert(to.instances, [...instances.values()].flatMap(instanceUpsert));
    await writes.delete(to.intents, intents);
  }
}

// ---------------------------------------------------------------------------------------------------------------- //
// Merging
// ---------------------------------------------------------------------------------------------------------------- //

interface Waiting {
  readonly sinceMs: number;
  readonly rows: ProjectedRow[];
  readonly intents: string[];
  /** Data keys of starts that lost their race. */
  readonly keys: string[];
  /** Effects of the rows. */
  readonly effects: Set<string>;
  /** Those of them that were carried out. */
  readonly cancelled: Set<string>;
  /** Effects that were carried out and are in their collection since an earlier time. */
  readonly done: Set<string>;
  readonly commands: Map<string, CommandDocument>;
}

const nothing = (): Waiting => ({
  sinceMs: performance.now(),
  rows: [],
  intents: [],
  keys: [],
  effects: new Set(),
  cancelled: new Set(),
  done: new Set(),
  commands: new Map(),
});

/** An effect of the earlier part may be there by now: it is deleted, not only left out. */
const joined = (earlier: Waiting, later: Waiting): Waiting => ({
  sinceMs: earlier.sinceMs,
  rows: [...earlier.rows, ...later.rows],
  intents: [...earlier.intents, ...later.intents],
  keys: [...earlier.keys, ...later.keys],
  effects: later.effects,
  cancelled: earlier.cancelled.union(later.cancelled),
  done: new Set([...earlier.done, ...earlier.cancelled, ...later.done]),
  commands: new Map([...later.commands, ...earlier.commands]),
});

interface MergedInstance {
  readonly first: ProjectedRow;
  readonly newest: ProjectedRow;
  readonly keyed: string | undefined;
}

/** The newest of everything, by `_id`; effects in the order of writing. */
interface Merged {
  readonly instances: Map<string, MergedInstance>;
  readonly tasks: Map<string, Put<TaskDocument>>;
  /** `undefined`: gone. */
  readonly timers: Map<string, Put<TimerDocument> | undefined>;
  readonly effects: EffectDocument[];
  readonly snapshots: Map<string, Put<SnapshotDocument>>;
  readonly commands: CommandDocument[];
}

function merge(rows: readonly ProjectedRow[], cancelled: ReadonlySet<string>): Merged {
  const merged: Merged = {
    instances: new Map(),
    tasks: new Map(),
    timers: new Map(),
    effects: [],
    snapshots: new Map(),
    commands: [],
  };
  for (const row of rows) mergeRow(merged, row, cancelled);
  return merged;
}

function mergeRow(into: Merged, row: ProjectedRow, cancelled: ReadonlySet<string>): void {
  const { name, tenant, instance, sequence, projection, snapshot } = row;
  mergeInstance(into.instances, row);
  if (snapshot) into.snapshots.set(name, { document: snapshot, isNew: sequence === 1 });
  const flow = projection.summary?.flow ?? "";
  for (const task of projection.tasks)
    mergeTask(into.tasks, taskDocument(name, tenant, instance, flow, task), task, row);
  for (const id of projection.timersGone) into.timers.set(timerId(name, id), undefined);
  for (const timer of projection.timersSet) mergeTimer(into.timers, timerDocument(name, tenant, instance, timer));
  for (const command of projection.oldCommands) into.commands.push(commandDocument(row, command));
  into.effects.push(...effectDocuments(row).filter(({ _id }) => !cancelled.has(_id)));
}

function mergeInstance(into: Merged["instances"], row: ProjectedRow): void {
  const before = into.get(row.name);
  const keyed = row.keyed === undefined ? undefined : keyedBy(row.sequence, row.keyed);
  into.set(row.name, {
    first: before?.first ?? row,
    newest: before && before.newest.sequence > row.sequence ? before.newest : row,
    keyed: before?.keyed ?? keyed,
  });
}

/** Raw events have no summary, and no document. */
function instanceUpsert({ newest, first, keyed }: MergedInstance): readonly Upsert<InstanceDocument>[] {
  const { name: _id, tenant, instance, sequence, projection } = newest;
  if (!projection.summary) return [];
  const $set = { tenant, instance, sequence, ...projection.summary };
  const $setOnInsert = { position: first.projection.position };
  const document = { _id, ...$set, ...$setOnInsert, ...(keyed !== undefined && { keyed }) };
  const update = { $set, $setOnInsert, ...(keyed !== undefined && { $min: { keyed } }) };
  return [{ document, isNew: first.sequence === 1, update }];
}

/** A task that was opened by this entry was not there before. */
function mergeTask(into: Merged["tasks"], document: TaskDocument, task: Task, { at }: ProjectedRow): void {
  const isNew = into.get(document._id)?.isNew ?? task.openedAt === at;
  into.set(document._id, { document, isNew });
}

/** One that is set was seldom there before. */
function mergeTimer(into: Merged["timers"], document: TimerDocument): void {
  into.set(document._id, { document, isNew: !into.has(document._id) });
}

function commandDocument({ tenant, instance }: InstanceKey, command: OldCommand): CommandDocument {
  const { source, id, digest, version, sequence } = command;
  return { _id: nameOf(tenant, instance, source, id), digest, version, sequence };
}

function effectDocuments({ tenant, instance, at, projection }: ProjectedRow): readonly EffectDocument[] {
  return projection.effects.map((effect, index) => ({
    _id: nameOf(tenant, effect.id),
    ...{ tenant, instance },
    decision: decisionOf(tenant, effect.id),
    dead: false,
    attempts: 0,
    nextAt: at,
    position: projection.position + 1 + index,
    body: JSON.stringify(effect),
  }));
}
