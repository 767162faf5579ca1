import { existsSync, realpathSync } from "node:fs";
import {
  type AppendResult,
  type AppendRow,
  type CommandName,
  type DeadLetter,
  type EffectSettlement,
  type InstanceKey,
  type InstanceQuery,
  type InstanceSummary,
  type OldCommand,
  type Page,
  type PageRequest,
  type ProjectedInstance,
  type Store,
  type StoredEffect,
  type StoredEntry,
  type StoredInstance,
  type StoredTask,
  type StoredTimer,
  StoreUnavailable,
  type TaskQuery,
} from "../ports.ts";
import { BEHIND_MS, CatchUp } from "./catch-up.ts";
import { decodeCursor, encodeCursor, type Position } from "./cursor.ts";
import { STUCK_ATTEMPTS } from "./limits.ts";
import type { Cell, EncodedProjections, ProjectedRow } from "./sqlite-projector.ts";
import type { Query, ReadRequest } from "./sqlite-reader.ts";
import type { SqliteFile } from "./sqlite-schema.ts";
import type { EncodedAppend, KeptRow, WriteRequest } from "./sqlite-writer.ts";
import { RANKS } from "./task-rank.ts";
import { WorkerChannel } from "./worker-channel.ts";

export interface SqliteOptions extends Omit<SqliteFile, "path"> {
  /** What lists are read from is at most so far behind the journal, unless somebody reads; 80 by default. */
  readonly behindMs?: number;
}

/**
 * Opens the store in a file, which is created if it isn't there. One process has it at a time.
 * @throws {StoreUnavailable} if another process has it. @throws {UnusableStore} if the file is damaged or something else.
 */
export async function openSqliteStore(path: string, options: SqliteOptions = {}): Promise<Store> {
  const { behindMs = BEHIND_MS, ...limits } = options;
  const file: SqliteFile = { ...limits, path: existsSync(path) ? realpathSync(path) : path };
  const writer = new WorkerChannel<WriteRequest>("sqlite-writer", file);
  await writer.ready;
  const reader = new WorkerChannel<ReadRequest>("sqlite-reader", file);
  await reader.ready;
  return new SqliteStore(writer, reader, behindMs);
}

/** A row of a query as it comes from the reader. */
type Cells = readonly Cell[];

/** The rows of effects and what {@link effectFrom} reads of them. */
const EFFECT = "tenant, instance, dead, attempts, next_at, error, body, position";

class SqliteStore implements Store {
  readonly #writer: WorkerChannel<WriteRequest>;
  readonly #reader: WorkerChannel<ReadRequest>;
  readonly #catchUp: CatchUp;

  constructor(writer: WorkerChannel<WriteRequest>, reader: WorkerChannel<ReadRequest>, behindMs: number) {
    this.#writer = writer;
    this.#reader = reader;
    this.#catchUp = new CatchUp(() => writer.call({ kind: "project" }), behindMs);
  }

  async append(rows: readonly AppendRow[]): Promise<AppendResult> {
    for (const row of rows) if (row.sequence <= 1) this.#catchUp.wroteName(nameOf(row));
    this.#catchUp.wrote();
    const taken = (await this.#writer.call(encodeAppend(rows))) as readonly number[];
    return { taken: taken.map((index) => ({ tenant: rows[index]!.tenant, instance: rows[index]!.instance })) };
  }

  async load(keys: readonly InstanceKey[]): Promise<readonly StoredInstance[]> {
    await this.#named(keys);
    const names = JSON.stringify(keys.map(({ tenant, instance }) => [tenant, instance]));
    const [heads, entries] = await this.#read({ sql: LOAD_HEADS, cells: [names] }, { sql: LOAD_TAILS, cells: [names] });
    return assemble(keys, heads!, entries!);
  }

  async history(key: InstanceKey): Promise<readonly StoredEntry[]> {
    await this.#named([key]);
    const rows = await this.#all(HISTORY, key.tenant, key.instance);
    return rows.map(entryFrom);
  }

  async findCommands(asked: readonly CommandName[]): Promise<readonly (OldCommand | undefined)[]> {
    await this.#named(asked);
    const names = JSON.stringify(asked.map(({ tenant, instance, source, id }) => [tenant, instance, source, id]));
    const found = new Array<OldCommand | undefined>(asked.length).fill(undefined);
    for (const row of await this.#all(FIND_COMMANDS, names)) {
      const [position, digest, version, sequence] = row as [number, string, number, number];
      const { source, id } = asked[position]!;
      found[position] = { source, id, digest, version, sequence };
    }
    return found;
  }

  async dueEffects(at: number, limit: number): Promise<readonly StoredEffect[]> {
    return (await this.#listed(DUE_EFFECTS, at, limit)).map(effectFrom);
  }

  /** That one is done is durable a moment later: after a kill in between it is carried out again, under the same key. */
  async settleEffects(settlements: readonly EffectSettlement[]): Promise<void> {
    const done = settlements.flatMap(({ kind, tenant, id }) => (kind === "done" ? [tenant, id] : []));
    const others = settlements.filter(({ kind }) => kind !== "done");
    this.#catchUp.wrote();
    await this.#writer.call({ kind: "settle", done, others });
  }

  effects(tenant: string, state: StoredEffect["state"], page: PageRequest): Promise<Page<StoredEffect>> {
    const attempts = state === "pending" ? "AND attempts < ?" : "AND attempts >= ?";
    const sql = `SELECT ${EFFECT} FROM effects WHERE tenant = ? AND dead = ? ${attempts}
      AND (next_at, position) > (?, ?) ORDER BY next_at, position LIMIT ?`;
    const cells = [tenant, state === "dead" ? 1 : 0, state === "dead" ? 0 : STUCK_ATTEMPTS];
    return this.#page({ list: `effects/${state}`, tenant, page, sql, cells, first: [-1, -1] }, effectFrom, (row) => [
      row[4] as number,
      row[7] as number,
    ]);
  }

  async findEffect(tenant: string, id: string): Promise<StoredEffect | undefined> {
    const [row] = await this.#listed(`SELECT ${EFFECT} FROM effects WHERE tenant = ? AND id = ?`, tenant, id);
    return row && effectFrom(row);
  }

  async effectsOfDecision(tenant: string, decision: string): Promise<readonly StoredEffect[]> {
    // `;` is the sign after `:`: a range that the index has, whatever a pattern would make of the id.
    const sql = `SELECT ${EFFECT} FROM effects WHERE tenant = ? AND id > ? AND id < ?`;
    return (await this.#listed(sql, tenant, `${decision}:`, `${decision};`)).map(effectFrom);
  }

  async dueTimers(at: number, limit: number): Promise<readonly StoredTimer[]> {
    const rows = await this.#listed(DUE_TIMERS, at, limit);
    return rows.map(([tenant, instance, body]) => ({
      tenant: tenant as string,
      instance: instance as string,
      timer: JSON.parse(body as string),
    }));
  }

  async nextDue(): Promise<{ readonly effect?: number; readonly timer?: number }> {
    const [row] = await this.#listed(NEXT_DUE);
    const [effect, timer] = row as readonly (number | null)[];
    return { ...(effect != null && { effect }), ...(timer != null && { timer }) };
  }

  async dropTimers(timers: readonly (InstanceKey & { readonly timer: string })[]): Promise<void> {
    await this.#writer.call({ kind: "drop-timers", timers });
  }

  /** Open ones first, then those that wait, then the newest. */
  tasks({ tenant, assignee, instance, status }: TaskQuery, page: PageRequest): Promise<Page<StoredTask>> {
    const filters: Filter[] = [
      ["t.tenant = ?", tenant],
      ["i.tenant = t.tenant AND i.instance = ?", instance],
      ["t.rank = ?", status && RANKS[status]],
    ];
    const { where, cells: asked } = conditions(filters);
    const cells = assignee === undefined ? asked : [...asked, assignee];
    const sql = assignee === undefined ? tasksFrom("tasks t", where) : tasksOf(where, cells.length);
    const first = [3, 0, 0, ""];
    return this.#page({ list: "tasks", tenant, page, sql, cells, first }, taskFrom, (row) => row.slice(4) as Position);
  }

  /** The newest first. */
  instances(query: InstanceQuery, page: PageRequest): Promise<Page<InstanceKey & InstanceSummary>> {
    const { tenant, flow, state, initiator, q } = query;
    const filters: Filter[] = [
      ["tenant = ?", tenant],
      ["initiator = ?", initiator],
      ["flow = ?", flow],
      ["state = ?", state],
      ["instr(key, ?) > 0", q],
    ];
    const { where, cells } = conditions(filters);
    const sql = `SELECT ${SUMMARY}, number
      FROM instances WHERE flow IS NOT NULL AND ${where} AND number < ? ORDER BY number DESC LIMIT ?`;
    const first = [Number.MAX_SAFE_INTEGER];
    return this.#page({ list: "instances", tenant, page, sql, cells, first }, summaryFrom, (row) => [
      row[11] as number,
    ]);
  }

  async deadLetter(letter: DeadLetter): Promise<void> {
    await this.#writer.call({ kind: "dead-letter", letter });
  }

  /** The newest first. */
  deadLetters(tenant: string, page: PageRequest): Promise<Page<DeadLetter>> {
    const sql = `SELECT id, tenant, at, origin, reason, body, position FROM dead_letters
      WHERE tenant = ? AND position < ? ORDER BY position DESC LIMIT ?`;
    const first = [Number.MAX_SAFE_INTEGER];
    return this.#page({ list: "dead-letters", tenant, page, sql, cells: [tenant], first }, letterFrom, (row) => [
      row[6] as number,
    ]);
  }

  async findDeadLetter(tenant: string, id: string): Promise<DeadLetter | undefined> {
    const sql = "SELECT id, tenant, at, origin, reason, body FROM dead_letters WHERE tenant = ? AND id = ?";
    const [row] = await this.#all(sql, tenant, id);
    return row && letterFrom(row);
  }

  async dropDeadLetter(tenant: string, id: string): Promise<void> {
    await this.#writer.call({ kind: "drop-dead-letter", tenant, id });
  }

  /** By the names in `instances`, which is no projection: the journal has numbers in their place. */
  journaled(page: PageRequest): Promise<Page<InstanceKey>> {
    const sql = `SELECT tenant, instance, number FROM instances i
      WHERE EXISTS (SELECT 1 FROM journal j WHERE j.number = i.number AND j.sequence = 1) AND number > ?
      ORDER BY number LIMIT ?`;
    const request = { list: "journaled", tenant: "", page, sql, cells: [], first: [-1] };
    return this.#page(request, instanceKeyFrom, (row) => [row[2] as number]);
  }

  async projected({ tenant, instance }: InstanceKey): Promise<Omit<ProjectedInstance, "oldCommands"> | undefined> {
    await this.#catchUp.now();
    const cells = [tenant, instance];
    const [summaries, tasks, timers] = await this.#read(
      {
        sql: `SELECT ${SUMMARY}, sequence FROM instances WHERE tenant = ? AND instance = ? AND flow IS NOT NULL`,
        cells,
      },
      { sql: BODIES_OF("tasks"), cells },
      { sql: BODIES_OF("timers"), cells },
    );
    const [row] = summaries!;
    if (!row) return undefined;
    const { tenant: _, instance: __, ...summary } = summaryFrom(row);
    const bodies = (rows: readonly Cells[] | undefined) => rows!.map(([body]) => JSON.parse(body as string));
    return { sequence: row[11] as number, summary, tasks: bodies(tasks), timers: bodies(timers) };
  }

  async reproject({ tenant, instance }: InstanceKey, projected: ProjectedInstance): Promise<void> {
    await this.#writer.call({ kind: "reproject", tenant, instance, projected });
  }

  async getSetting(name: string): Promise<string | undefined> {
    const [row] = await this.#all("SELECT value FROM settings WHERE name = ?", name);
    return row?.[0] as string | undefined;
  }

  async setSetting(name: string, value: string): Promise<void> {
    await this.#writer.call({ kind: "set", name, value });
  }

  /** Answers what was asked before. What can't be projected for lack of room is projected when it is opened again. */
  async close(): Promise<void> {
    await this.#catchUp.now().catch(() => undefined);
    this.#catchUp.stop();
    await this.#reader.close();
    await this.#writer.close();
  }

  #read(...queries: readonly Query[]): Promise<readonly (readonly Cells[])[]> {
    return this.#reader.call(queries) as Promise<readonly (readonly Cells[])[]>;
  }

  /** The instances' own entries are read by name, which has to be there. */
  async #named(keys: readonly InstanceKey[]): Promise<void> {
    if (keys.some((key) => this.#catchUp.mayLack(nameOf(key)))) await this.#catchUp.now();
  }

  /** From the tables that follow the journal. While the store has no room to bring them up to date, as they are. */
  async #listed(sql: string, ...cells: Cells): Promise<readonly Cells[]> {
    await this.#catchUp.now().catch((error: unknown) => {
      if (!(error instanceof StoreUnavailable)) throw error;
    });
    return this.#all(sql, ...cells);
  }

  async #all(sql: string, ...cells: Cells): Promise<readonly Cells[]> {
    const [rows] = await this.#read({ sql, cells });
    return rows!;
  }

  /** One row more than asked for tells whether there is a next page. */
  async #page<Item>(
    request: { list: string; tenant: string; page: PageRequest; sql: string; cells: Cells; first: Position },
    item: (row: Cells) => Item,
    positionOf: (row: Cells) => Position,
  ): Promise<Page<Item>> {
    const { list, tenant, page, sql, cells, first } = request;
    const after = decodeCursor(list, tenant, page.cursor, first);
    const rows = await this.#listed(sql, ...cells, ...after, page.limit + 1);
    const items = rows.slice(0, page.limit).map(item);
    if (rows.length <= page.limit) return { items };
    return { items, cursor: encodeCursor(list, tenant, positionOf(rows[page.limit - 1]!)) };
  }
}

// ---------------------------------------------------------------------------------------------------------------- //
// Queries
// ---------------------------------------------------------------------------------------------------------------- //

const NAMED = `json_each(?) AS name JOIN instances i ON i.tenant = name.value ->> 0 AND i.instance = name.value ->> 1
  LEFT JOIN snapshots s ON s.number = i.number`;

const LOAD_HEADS = `SELECT name.key, s.sequence, s.body, s.hash, w.wrapped_key
  FROM ${NAMED} LEFT JOIN wrapped_keys w ON w.number = i.number ORDER BY name.key`;

const LOAD_TAILS = `SELECT j.sequence, j.at, j.body, j.hash, name.key FROM ${NAMED}
  JOIN journal j ON j.number = i.number AND j.sequence > coalesce(s.sequence, -1) ORDER BY name.key, j.sequence`;

/** What {@link summaryFrom} reads. */
const SUMMARY = `tenant, instance, flow, key, state, outcome, initiator, definition, version, started_at, updated_at`;

const BODIES_OF = (table: "tasks" | "timers"): string =>
  `SELECT body FROM ${table} JOIN instances i USING (number) WHERE i.tenant = ? AND i.instance = ?`;

const HISTORY = `SELECT j.sequence, j.at, j.body, j.hash FROM instances JOIN journal j USING (number)
  WHERE tenant = ? AND instance = ? ORDER BY j.sequence`;

const FIND_COMMANDS = `SELECT name.key, c.digest, c.version, c.sequence FROM json_each(?) AS name
  JOIN instances i ON i.tenant = name.value ->> 0 AND i.instance = name.value ->> 1
  JOIN old_commands c ON c.number = i.number AND c.source = name.value ->> 2 AND c.id = name.value ->> 3`;

const DUE_EFFECTS = `SELECT ${EFFECT} FROM effects WHERE dead = 0 AND next_at <= ? ORDER BY next_at, position LIMIT ?`;

const DUE_TIMERS = `SELECT tenant, instance, body FROM timers JOIN instances USING (number)
  WHERE due_at <= ? ORDER BY due_at, number, id LIMIT ?`;

const NEXT_DUE = `SELECT (SELECT min(next_at) FROM effects WHERE dead = 0), (SELECT min(due_at) FROM timers)`;

const TASK = `i.tenant, i.instance, i.flow, t.body,
  t.rank AS rank, t.opened_at AS opened_at, t.number AS number, t.id AS id`;

/** @param from the tasks, as `t`. */
const tasksFrom = (from: string, where: string): string => `SELECT ${TASK} FROM ${from}
  JOIN instances i ON i.number = t.number
  WHERE ${where} AND (t.rank, t.opened_at, t.number, t.id) < (?, ?, ?, ?)
  ORDER BY t.rank DESC, t.opened_at DESC, t.number DESC, t.id DESC LIMIT ?`;

/**
 * Somebody's own, and those that they may claim: each half in its order, by its own index.
 * @param count of the values in `where`, the person behind them; both halves get the same ones.
 */
function tasksOf(where: string, count: number): string {
  const own = tasksFrom("tasks t", `${where} AND t.assignee = ?`);
  const claimable = "task_candidates c JOIN tasks t ON t.number = c.number AND t.id = c.id";
  const shared = tasksFrom(claimable, `${where} AND c.person = ? AND c.tenant = t.tenant`);
  return `SELECT * FROM (${numbered(own)}) UNION ALL SELECT * FROM (${numbered(shared)})
    ORDER BY rank DESC, opened_at DESC, number DESC, id DESC LIMIT ?${count + 5}`;
}

function numbered(sql: string): string {
  let number = 0;
  return sql.replaceAll("?", () => `?${++number}`);
}

/** A condition and its value; without a value it isn't asked. */
type Filter = readonly [condition: string, value: Cell | undefined];

function conditions(filters: readonly Filter[]): { where: string; cells: readonly Cell[] } {
  const asked = filters.filter(([, value]) => value !== undefined);
  return { where: asked.map(([condition]) => condition).join(" AND "), cells: asked.map(([, value]) => value!) };
}

// ---------------------------------------------------------------------------------------------------------------- //
// Rows
// ---------------------------------------------------------------------------------------------------------------- //

function encodeAppend(rows: readonly AppendRow[]): EncodedAppend {
  const journal: (string | number)[] = [];
  const kept: KeptRow[] = [];
  for (const [entry, { tenant, instance, sequence, at, body, hash, projection }] of rows.entries()) {
    journal.push(tenant, instance, sequence, at, body, hash);
    const { snapshot, wrappedKey, oldCommands } = projection;
    if (snapshot !== undefined || wrappedKey !== undefined || oldCommands.length > 0)
      kept.push({ entry, snapshot, wrappedKey, oldCommands });
  }
  return { kind: "append", journal, kept, projections: encodeProjections(rows) };
}

function encodeProjections(rows: readonly AppendRow[]): EncodedProjections {
  const effects: string[] = [];
  for (const { projection } of rows) for (const effect of projection.effects) effects.push(JSON.stringify(effect));
  return { rows: JSON.stringify(rows.map(projectedRow)), effects: effects.join("\n") };
}

function projectedRow({ tenant, instance, sequence, at, projection }: AppendRow): ProjectedRow {
  const { summary: s, tasks, timersSet, timersGone, effects } = projection;
  const summary = s
    ? [s.flow, s.key, s.initiator, s.definition, s.startedAt, s.state, s.outcome ?? null, s.version, s.updatedAt]
    : null;
  return [tenant, instance, sequence, at, summary, tasks, timersSet, timersGone, effects.map(({ id }) => id)];
}

const nameOf = ({ tenant, instance }: InstanceKey): string => `${tenant}\u0000${instance}`;

function assemble(
  keys: readonly InstanceKey[],
  heads: readonly Cells[],
  entries: readonly Cells[],
): readonly StoredInstance[] {
  const tails = Map.groupBy(entries, (row) => row[4]);
  return heads.map(([position, sequence, body, hash, wrappedKey]) => ({
    tenant: keys[position as number]!.tenant,
    instance: keys[position as number]!.instance,
    ...(sequence !== null && {
      snapshot: { sequence: sequence as number, body: body as string, hash: hash as string },
    }),
    tail: (tails.get(position!) ?? []).map(entryFrom),
    ...(wrappedKey !== null && { wrappedKey: wrappedKey as string }),
  }));
}

function entryFrom(row: Cells): StoredEntry {
  const [sequence, at, body, hash] = row as [number, number, string, string];
  return { sequence, at, body, hash };
}

function effectFrom(row: Cells): StoredEffect {
  const [tenant, instance, dead, attempts, nextAt, error, body] = row as [
    string,
    string,
    0 | 1,
    number,
    number,
    string | null,
    string,
  ];
  const state = dead ? "dead" : attempts >= STUCK_ATTEMPTS ? "stuck" : "pending";
  return { tenant, instance, effect: JSON.parse(body), state, attempts, nextAt, ...(error !== null && { error }) };
}

function taskFrom(row: Cells): StoredTask {
  const [tenant, instance, flow, body] = row as [string, string, string, string];
  return { tenant, instance, flow, task: JSON.parse(body) };
}

function summaryFrom(row: Cells): InstanceKey & InstanceSummary {
  const [tenant, instance, flow, key, state, outcome, initiator, definition, version, startedAt, updatedAt] = row as [
    string,
    string,
    string,
    string,
    string,
    string | null,
    string,
    string,
    number,
    number,
    number,
  ];
  const ended = outcome === null ? {} : { outcome };
  return { tenant, instance, flow, key, state, ...ended, initiator, definition, version, startedAt, updatedAt };
}

const instanceKeyFrom = ([tenant, instance]: Cells): InstanceKey => ({
  tenant: tenant as string,
  instance: instance as string,
});

function letterFrom(row: Cells): DeadLetter {
  const [id, tenant, at, origin, reason, body] = row as [string, string, number, string, string, string];
  return { id, tenant, at, origin, reason, body };
}
