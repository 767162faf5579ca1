import type { Clock, InstanceKey, OldCommand, ProjectedInstance, Task } from "../ports.ts";
import {
  type Collections,
  type CommandDocument,
  decisionOf,
  type EffectDocument,
  entryId,
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
  type UsageDocument,
} from "./mongo-documents.ts";
import type { Doubts } from "./mongo-doubts.ts";
import type { Appended } from "./mongo-journal.ts";
import { ProjectionOrder } from "./mongo-order.ts";
import { type Put, type Upsert, type WriteLimits, Writes } from "./mongo-writes.ts";

/**
 * What lists are read from follows the journal a moment later, merged, so that an approval opened and closed in between is
 * written once and an effect carried out in between never. It is all written by `_id`, without conditions: a node brings in
 * its own entries in their order, and where other nodes wrote, too, after theirs ({@link ProjectionOrder}).
 */

/** An entry that was written, and what follows from it. */
export interface ProjectedRow extends InstanceKey {
  /** {@link nameOf} the instance. */
  readonly name: string;
  readonly partition: number;
  /** `_id` of the intent that announced it. */
  readonly batch: string;
  readonly sequence: number;
  readonly at: number;
  /** Of the entry's body. */
  readonly bytes: number;
  readonly projection: JournaledProjection;
  readonly snapshot?: SnapshotDocument;
  /** `_id` of the data key that came with it. */
  readonly keyed?: string;
}

/** Rows that waited longer than this may have been brought in by whoever thought that we were dead: less than a lease. */
const STALE_MS = 5_000;

export interface ProjectorLimits extends WriteLimits {
  readonly staleMs?: number;
  readonly clock: Pick<Clock, "steadyMs">;
}

/** What waits, in memory. The intents and the journal have it all, in case the process dies. */
export class Projector {
  readonly #collections: Collections;
  readonly #doubts: Doubts;
  readonly #order: ProjectionOrder;
  readonly #maxTimeMS: number;
  readonly #staleMs: number;
  readonly #steadyMs: Clock["steadyMs"];
  readonly #writes: Writes;
  #waiting: Waiting;
  #underWay: Waiting;
  #heldSinceMs: number | undefined;

  constructor(collections: Collections, doubts: Doubts, limits: ProjectorLimits) {
    this.#collections = collections;
    this.#doubts = doubts;
    this.#order = new ProjectionOrder(collections, limits.maxTimeMS);
    this.#maxTimeMS = limits.maxTimeMS;
    this.#staleMs = limits.staleMs ?? STALE_MS;
    this.#writes = new Writes(limits);
    this.#steadyMs = limits.clock.steadyMs;
    this.#waiting = nothing(this.#steadyMs());
    this.#underWay = this.#waiting;
  }

  /** Rows that wait. */
  get size(): number {
    return this.#waiting.rows.length;
  }

  /** For how long rows have waited for entries of other nodes; `undefined`: none waits. */
  get heldMs(): number | undefined {
    return this.#heldSinceMs === undefined ? undefined : this.#steadyMs() - this.#heldSinceMs;
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
    this.#waiting = nothing(this.#steadyMs());
    try {
      // Asked after taking what waits: a row that builds on an entry in doubt comes after it or with it, never before.
      const found = await this.#doubts.resolve();
      // What failed may be there all the same, and others may have gone on from it.
      const isUncertain = waiting.again || this.#steadyMs() - waiting.sinceMs > this.#staleMs;
      const doubtful = new Set(found.rows);
      const all = doubtful.size === 0 ? waiting.rows : inOrder([...found.rows, ...waiting.rows]);
      const { ready, held } = await this.#order.sort(all, (row) => isUncertain || doubtful.has(row));
      const waits = new Set(held.map(({ batch }) => batch));
      const intents = [...found.over, ...waiting.intents].filter((intent) => !waits.has(intent));
      await this.#write({ ...waiting, rows: [...ready], intents });
      this.#order.note(ready);
      const later = new Set(held.map(({ name, sequence }) => entryId(name, sequence)));
      this.#doubts.settle({
        found: found.found.filter((entry) => !later.has(entry)),
        over: found.over.filter((intent) => !waits.has(intent)),
      });
      this.#hold(
        waiting,
        held.filter((row) => !doubtful.has(row)),
        held.length > 0,
      );
    } catch (error) {
      this.#waiting = joined({ ...waiting, again: true }, this.#waiting);
      throw error;
    } finally {
      this.#underWay = nothing(this.#steadyMs());
    }
  }

  /** Puts this in place of what is stored of an instance. */
  async replace({ tenant, instance }: InstanceKey, projected: ProjectedInstance, position: number): Promise<void> {
    const { partition, sequence, summary, tasks, timers, oldCommands } = projected;
    const name = nameOf(tenant, instance);
    const [to, writes] = [this.#collections, this.#writes];
    const of = <Doc extends { readonly _id: string }>(document: Doc) => ({ document, isNew: false });
    const taskDocuments = tasks.map((task) =>
      taskDocument({ name, tenant, instance, flow: summary.flow, sequence }, task),
    );
    const timerDocuments = timers.map((timer) => timerDocument({ name, tenant, instance, partition, sequence }, timer));
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
    const $set = { tenant, instance, partition, sequence, ...summary };
    const update = summary.outcome === undefined ? { $set, $unset: { outcome: "" } } : { $set };
    const document = { _id: name, position, ...$set };
    await writes.upsert(to.instances, [{ document, isNew: false, update: { ...update, $setOnInsert: { position } } }]);
  }

  /** Rows of ours whose turn has not come wait on. */
  #hold(waiting: Waiting, rows: readonly ProjectedRow[], isHeld: boolean): void {
    this.#heldSinceMs = isHeld ? (this.#heldSinceMs ?? this.#steadyMs()) : undefined;
    if (rows.length > 0) this.#waiting = joined(partOf(waiting, rows), this.#waiting);
  }

  async #write({ rows, intents, keys, done, cancelled, again }: Waiting): Promise<void> {
    const { instances, tasks, timers, effects, snapshots, commands } = merge(rows, cancelled);
    const [to, writes] = [this.#collections, this.#writes];
    const timersSet = [...timers.values()].filter((timer) => timer !== undefined);
    const timersGone = [...timers].flatMap(([id, timer]) => (timer ? [] : [id]));
    await Promise.all([
      writes
        .delete(to.effects, [...done, ...(again ? cancelled : [])])
        .then(() => writes.insertInOrder(to.effects, effects)),
      writes.put(to.tasks, [...tasks.values()]),
      writes.put(to.timers, timersSet),
      writes.delete(to.timers, timersGone),
      writes.put(to.snapshots, [...snapshots.values()]),
      writes.insert(to.commands, commands),
      writes.delete(to.keys, keys),
    ]);
    // That an instance has seen an entry is written after all that follows from it.
    await writes.upsert(to.instances, [...instances.values()].flatMap(instanceUpsert));
    await writes.upsert(to.usage, usageUpserts(rows));
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
  /** Writing it was tried before: some of it may be there. */
  readonly again: boolean;
}

const nothing = (sinceMs: number): Waiting => ({
  sinceMs,
  rows: [],
  intents: [],
  keys: [],
  effects: new Set(),
  cancelled: new Set(),
  done: new Set(),
  commands: new Map(),
  again: false,
});

/** An effect of the earlier part that was settled since then, as if it were of another's, is one of ours after all. */
const joined = (earlier: Waiting, later: Waiting): Waiting => ({
  sinceMs: earlier.sinceMs,
  rows: [...earlier.rows, ...later.rows],
  intents: [...earlier.intents, ...later.intents],
  keys: [...earlier.keys, ...later.keys],
  effects: earlier.effects.union(later.effects),
  cancelled: earlier.cancelled.union(later.cancelled).union(earlier.effects.intersection(later.done)),
  done: earlier.done.union(later.done),
  commands: new Map([...later.commands, ...earlier.commands]),
  again: earlier.again || later.again,
});

/** What belongs to these rows of it. */
function partOf(waiting: Waiting, rows: readonly ProjectedRow[]): Waiting {
  const batches = new Set(rows.map(({ batch }) => batch));
  const effects = new Set(rows.flatMap((row) => row.projection.effects.map(({ id }) => nameOf(row.tenant, id))));
  const commands = rows.flatMap((row) => row.projection.oldCommands.map((one) => commandDocument(row, one)));
  return {
    sinceMs: waiting.sinceMs,
    rows: [...rows],
    intents: waiting.intents.filter((intent) => batches.has(intent)),
    keys: [],
    effects,
    cancelled: waiting.cancelled.intersection(effects),
    done: new Set(),
    commands: new Map(commands.map((document) => [document._id, document])),
    again: waiting.again,
  };
}

const inOrder = (rows: readonly ProjectedRow[]): readonly ProjectedRow[] =>
  rows.toSorted((a, b) => a.sequence - b.sequence);

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
  const { name, tenant, instance, partition, sequence, projection, snapshot } = row;
  mergeInstance(into.instances, row);
  if (snapshot) into.snapshots.set(name, { document: snapshot, isNew: sequence === 1 });
  const flow = projection.summary?.flow ?? "";
  for (const task of projection.tasks)
    mergeTask(into.tasks, taskDocument({ name, tenant, instance, flow, sequence }, task), task, row);
  for (const id of projection.timersGone) into.timers.set(timerId(name, id), undefined);
  for (const timer of projection.timersSet)
    mergeTimer(into.timers, timerDocument({ name, tenant, instance, partition, sequence }, timer));
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
  const { name: _id, tenant, instance, partition, sequence, projection } = newest;
  if (!projection.summary) return [];
  const $set = { tenant, instance, partition, sequence, ...projection.summary };
  const $setOnInsert = { position: first.projection.position };
  const document = { _id, ...$set, ...$setOnInsert, ...(keyed !== undefined && { keyed }) };
  const update = { $set, $setOnInsert, ...(keyed !== undefined && { $min: { keyed } }) };
  return [{ document, isNew: first.sequence === 1, isNewerThan: sequence, update }];
}

/** An estimate: what is projected a second time after a failure counts twice. */
function usageUpserts(rows: readonly ProjectedRow[]): readonly Upsert<UsageDocument>[] {
  const more = new Map<string, number>();
  for (const { tenant, bytes } of rows) more.set(tenant, (more.get(tenant) ?? 0) + bytes);
  return [...more].map(([_id, bytes]) => ({ document: { _id, bytes }, isNew: false, update: { $inc: { bytes } } }));
}

/** A task that was opened by this entry was not there before. */
function mergeTask(into: Merged["tasks"], document: TaskDocument, task: Task, { at }: ProjectedRow): void {
  const isNew = into.get(document._id)?.isNew ?? task.openedAt === at;
  into.set(document._id, { document, isNew, isNewerThan: document.sequence });
}

/** One that is set was seldom there before. */
function mergeTimer(into: Merged["timers"], document: TimerDocument): void {
  into.set(document._id, { document, isNew: !into.has(document._id), isNewerThan: document.sequence });
}

function commandDocument({ tenant, instance }: InstanceKey, command: OldCommand): CommandDocument {
  const { source, id, digest, version, sequence } = command;
  return { _id: nameOf(tenant, instance, source, id), digest, version, sequence };
}

function effectDocuments({ tenant, instance, partition, at, projection }: ProjectedRow): readonly EffectDocument[] {
  return projection.effects.map((effect, index) => ({
    _id: nameOf(tenant, effect.id),
    ...{ tenant, instance, partition },
    decision: decisionOf(tenant, effect.id),
    dead: false,
    attempts: 0,
    nextAt: at,
    position: projection.position + 1 + index,
    body: JSON.stringify(effect),
  }));
}
