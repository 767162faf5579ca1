import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ProjectedInstance, Task, Timer } from "../ports.ts";
import { isClaimable, taskRank } from "./task-rank.ts";

/**
 * The tables that lists are read from follow the journal a moment later, so that an approval opened and closed in between
 * is written once and an effect carried out in between never. What waits lies in the table `unprojected`, written with the
 * journal, in case the process dies, and in memory.
 */

/** One value of a row. */
export type Cell = string | number | null;

/** What an entry changes outside the journal, but for the bodies of its effects. Waits as JSON: one text per append. */
export type ProjectedRow = readonly [
  tenant: string,
  instance: string,
  sequence: number,
  at: number,
  /** flow, key, initiator, definition, started_at, state, outcome, version, updated_at. */
  summary: readonly Cell[] | null,
  tasks: readonly Task[],
  timersSet: readonly Timer[],
  timersGone: readonly string[],
  effects: readonly string[],
  /** Of the entry. */
  bytes: number,
  partition: number,
];

/** What an append changes outside the journal, as it crosses threads and waits in `unprojected`. */
export interface EncodedProjections {
  /** A list of {@link ProjectedRow} as JSON. */
  readonly rows: string;
  /** The effects in the order of the rows, as JSON, a line each: most are carried out before anybody reads them here. */
  readonly effects: string;
}

type Waiting =
  /** A number per row; `null`: its key was taken, so there is nothing to project. */
  | { readonly kind: "rows"; readonly numbers: readonly (number | null)[]; readonly projections: EncodedProjections }
  | { readonly kind: "done"; readonly done: readonly string[] };

const NO_SUMMARY: readonly Cell[] = [null, null, null, null, null, null, null, null, null];

/** Used inside the writer's transactions: what it is told counts from {@link committed} on, or not at all. */
export class Projector {
  readonly #statements: Statements;
  /** Names whose instances are not in their table yet. */
  readonly #numbers = new Map<string, number>();
  #next: number;
  #waiting: readonly Waiting[];
  #told: Waiting[] = [];
  #named: string[] = [];
  #projected = false;

  constructor(database: DatabaseSync) {
    this.#statements = prepareStatements(database);
    this.#next = 1 + Number(this.#statements.newestNumber.get()!["number"]);
    this.#waiting = this.#statements.waiting.all().map(({ numbers, rows, effects }) => ({
      kind: "rows",
      numbers: JSON.parse(numbers as string) as readonly number[],
      projections: { rows: rows as string, effects: effects as string },
    }));
  }

  numberOf(tenant: string, instance: string): number | undefined {
    const waiting = this.#numbers.size > 0 ? this.#numbers.get(nameOf(tenant, instance)) : undefined;
    if (waiting !== undefined) return waiting;
    const row = this.#statements.findNumber.get(tenant, instance) as unknown as readonly [number] | undefined;
    return row?.[0];
  }

  newNumber(tenant: string, instance: string): number {
    const name = nameOf(tenant, instance);
    const number = this.#next++;
    this.#numbers.set(name, number);
    this.#named.push(name);
    return number;
  }

  /** @param numbers of the rows' instances; `null`: the key was taken. */
  add(numbers: readonly (number | null)[], projections: EncodedProjections): void {
    this.#statements.putWaiting.run(JSON.stringify(numbers), projections.rows, projections.effects);
    this.#told.push({ kind: "rows", numbers, projections });
  }

  /**
   * Effects that were carried out. Not durable until they are projected: after a kill they are carried out again, under the
   * same keys.
   * @param done tenant, id of each.
   */
  settle(done: readonly string[]): void {
    this.#told.push({ kind: "done", done });
  }

  /** Writes all that waits. */
  project(): void {
    const waiting = [...this.#waiting, ...this.#told];
    // First, so that its pages can be used for the rest.
    if (waiting.some(({ kind }) => kind === "rows")) this.#statements.forgetWaiting.run();
    if (waiting.length > 0) writeMerged(this.#statements, merge(waiting));
    this.#projected = true;
  }

  /** Puts this in place of what the tables have of an instance. After {@link project}. */
  replace(number: number, tenant: string, { sequence, summary: s, tasks, timers }: ProjectedInstance): void {
    const to = this.#statements;
    for (const clear of [to.clearTasks, to.clearCandidates, to.clearTimers]) clear.run(number);
    const fixed = [s.flow, s.key, s.initiator, s.definition, s.startedAt];
    to.setInstance.run(sequence, ...fixed, s.state, s.outcome ?? null, s.version, s.updatedAt, number);
    for (const task of tasks) writeTask(to, number, tenant, task);
    for (const timer of timers) to.putTimer.run(number, timer.id, timer.dueAt, JSON.stringify(timer));
  }

  committed(): void {
    if (this.#projected) {
      this.#waiting = [];
      this.#numbers.clear();
    } else if (this.#told.length > 0) this.#waiting = [...this.#waiting, ...this.#told];
    this.#begin();
  }

  rolledBack(): void {
    for (const name of this.#named) this.#numbers.delete(name);
    this.#begin();
  }

  #begin(): void {
    this.#told = [];
    this.#named = [];
    this.#projected = false;
  }
}

// ---------------------------------------------------------------------------------------------------------------- //
// Merging
// ---------------------------------------------------------------------------------------------------------------- //

/** The newest of everything, by name; effects and what follows from them in the order of writing. */
interface Merged {
  readonly instances: Map<number, ProjectedRow>;
  readonly tasks: Map<string, { readonly number: number; readonly tenant: string; readonly task: Task }>;
  readonly timers: Map<string, { readonly number: number; readonly id: string; readonly timer: Timer | undefined }>;
  readonly effects: Map<string, NewEffect>;
  /** Tenant, id of each that was carried out and is in the table since an earlier time. */
  readonly done: string[];
  /** Of entries, by tenant. */
  readonly bytes: Map<string, number>;
}

interface NewEffect {
  readonly row: ProjectedRow;
  readonly id: string;
  /** The line of its body in these effects. */
  readonly line: number;
  readonly of: EncodedProjections;
}

function merge(waiting: readonly Waiting[]): Merged {
  const merged: Merged = {
    instances: new Map(),
    tasks: new Map(),
    timers: new Map(),
    effects: new Map(),
    done: [],
    bytes: new Map(),
  };
  for (const one of waiting) {
    if (one.kind === "done") settle(merged, one.done);
    else mergeRows(merged, one.numbers, one.projections);
  }
  return merged;
}

function mergeRows(merged: Merged, numbers: readonly (number | null)[], projections: EncodedProjections): void {
  const rows = JSON.parse(projections.rows) as readonly ProjectedRow[];
  let line = 0;
  for (const [index, row] of rows.entries()) {
    const number = numbers[index];
    if (typeof number === "number") {
      mergeRow(merged, number, row);
      merged.bytes.set(row[0], (merged.bytes.get(row[0]) ?? 0) + row[9]);
      for (const [n, id] of row[8].entries()) {
        const name = nameOf(row[0], id);
        if (!merged.effects.has(name)) merged.effects.set(name, { row, id, line: line + n, of: projections });
      }
    }
    line += row[8].length;
  }
}

function mergeRow({ instances, tasks, timers }: Merged, number: number, row: ProjectedRow): void {
  const [tenant, , sequence, , , changed, timersSet, timersGone] = row;
  const before = instances.get(number);
  if (!before || before[2] < sequence) instances.set(number, row);
  for (const task of changed) tasks.set(`${number}/${task.id}`, { number, tenant, task });
  for (const id of timersGone) timers.set(`${number}/${id}`, { number, id, timer: undefined });
  for (const timer of timersSet) timers.set(`${number}/${timer.id}`, { number, id: timer.id, timer });
}

function settle({ effects, done }: Merged, settled: readonly string[]): void {
  for (let i = 0; i < settled.length; i += 2) {
    if (!effects.delete(nameOf(settled[i]!, settled[i + 1]!))) done.push(settled[i]!, settled[i + 1]!);
  }
}

const nameOf = (tenant: string, name: string): string => `${tenant}\u0000${name}`;

// ---------------------------------------------------------------------------------------------------------------- //
// Writing
// ---------------------------------------------------------------------------------------------------------------- //

function writeMerged(to: Statements, { instances, tasks, timers, effects, done, bytes }: Merged): void {
  for (const [number, [tenant, instance, sequence, , summary, , , , , , partition]] of instances)
    to.putInstance.run(number, tenant, instance, partition, sequence, ...(summary ?? NO_SUMMARY));
  for (const { number, tenant, task } of tasks.values()) writeTask(to, number, tenant, task);
  for (const { number, id, timer } of timers.values()) {
    if (timer) to.putTimer.run(number, id, timer.dueAt, JSON.stringify(timer));
    else to.dropTimer.run(number, id);
  }
  for (let i = 0; i < done.length; i += 2) to.deleteEffect.run(done[i]!, done[i + 1]!);
  for (const [tenant, more] of bytes) to.addBytes.run(tenant, more);
  const bodies = new Map<EncodedProjections, readonly string[]>();
  for (const { row, id, line, of } of effects.values()) {
    const lines = bodies.get(of) ?? of.effects.split("\n");
    bodies.set(of, lines);
    to.insertEffect.run(row[0], row[1], row[10], row[3], id, lines[line]!);
  }
}

function writeTask(to: Statements, number: number, tenant: string, task: Task): void {
  const { id, assignee, openedAt, candidates } = task;
  to.putTask.run(number, tenant, id, assignee, taskRank(task), openedAt, JSON.stringify(task));
  if (!candidates) return;
  to.dropCandidates.run(number, id);
  if (isClaimable(task)) for (const person of candidates) to.putCandidate.run(number, id, tenant, person);
}

type Statements = Readonly<Record<keyof typeof SQL, StatementSync>>;

const SQL = {
  newestNumber: `SELECT max((SELECT coalesce(max(number), 0) FROM instances),
    (SELECT coalesce(max(number), 0) FROM journal)) AS number`,
  findNumber: "SELECT number FROM instances WHERE tenant = ? AND instance = ?",
  waiting: "SELECT numbers, rows, effects FROM unprojected ORDER BY position",
  putWaiting: "INSERT INTO unprojected (numbers, rows, effects) VALUES (?, ?, ?)",
  forgetWaiting: "DELETE FROM unprojected",
  putInstance: `INSERT INTO instances
    (number, tenant, instance, partition, sequence, flow, key, initiator, definition, started_at, state, outcome, version, updated_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET sequence = excluded.sequence,
    definition = excluded.definition, state = excluded.state, outcome = excluded.outcome, version = excluded.version, updated_at = excluded.updated_at
    WHERE excluded.sequence > sequence`,
  putTask: `INSERT INTO tasks (number, tenant, id, assignee, rank, opened_at, body) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET assignee = excluded.assignee, rank = excluded.rank, opened_at = excluded.opened_at,
    body = excluded.body`,
  dropCandidates: "DELETE FROM task_candidates WHERE number = ? AND id = ?",
  putCandidate: "INSERT INTO task_candidates (number, id, tenant, person) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
  putTimer: `INSERT INTO timers (number, id, due_at, body) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET due_at = excluded.due_at, body = excluded.body`,
  dropTimer: "DELETE FROM timers WHERE number = ? AND id = ?",
  insertEffect: `INSERT INTO effects (tenant, instance, partition, dead, attempts, next_at, id, body)
    VALUES (?, ?, ?, 0, 0, ?, ?, ?) ON CONFLICT DO NOTHING`,
  clearTasks: "DELETE FROM tasks WHERE number = ?",
  clearCandidates: "DELETE FROM task_candidates WHERE number = ?",
  clearTimers: "DELETE FROM timers WHERE number = ?",
  setInstance: `UPDATE instances SET sequence = ?, flow = ?, key = ?, initiator = ?, definition = ?, started_at = ?,
    state = ?, outcome = ?, version = ?, updated_at = ? WHERE number = ?`,
  deleteEffect: "DELETE FROM effects WHERE tenant = ? AND id = ?",
  addBytes: "INSERT INTO usage VALUES (?, ?) ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes",
} as const;

function prepareStatements(database: DatabaseSync): Statements {
  const prepared = Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)] as const);
  const statements = Object.fromEntries(prepared) as Record<keyof typeof SQL, StatementSync>;
  statements.findNumber.setReturnArrays(true);
  return statements;
}
