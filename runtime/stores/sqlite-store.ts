import { existsSync, realpathSync } from "node:fs";
import type { Partitions } from "../cluster/partition.ts";
import {
  type AppendResult,
  type AppendRow,
  type ArchiveRow,
  type Claim,
  type ClusterView,
  type CommandName,
  type DeadLetter,
  type EffectSettlement,
  type EndedQuery,
  type InstanceKey,
  type InstanceQuery,
  type InstanceSummary,
  type KeyChange,
  type Member,
  type OldCommand,
  type Page,
  type PageRequest,
  type ProjectedInstance,
  type PruneRow,
  type Store,
  type StoredCheckpoint,
  type StoredEffect,
  type StoredEntry,
  type StoredInstance,
  type StoredTask,
  type StoredTimer,
  StoreUnavailable,
  type TaskQuery,
  type TenantUsage,
  type WrappedKey,
} from "../ports.ts";
import { BEHIND_MS, CatchUp } from "./catch-up.ts";
import { decodeCursor, encodeCursor, type Position } from "./cursor.ts";
import { STUCK_ATTEMPTS } from "./limits.ts";
import { LocalCluster } from "./local-cluster.ts";
import {
  among,
  BODIES_OF,
  CHECKPOINT,
  conditions,
  DUE_EFFECTS,
  DUE_TIMERS,
  EFFECT,
  ENDED,
  FIND_COMMANDS,
  type Filter,
  HISTORY,
  LOAD_HEADS,
  LOAD_TAILS,
  NEXT_DUE,
  SUMMARY,
  TENANTS,
  tasksFrom,
  tasksOf,
  USAGE,
} from "./sqlite-queries.ts";
import type { Query, ReadRequest } from "./sqlite-reader.ts";
import {
  assemble,
  type Cells,
  effectFrom,
  encodeAppend,
  endedFrom,
  entryFrom,
  instanceKeyFrom,
  letterFrom,
  nameOf,
  summaryFrom,
  taskFrom,
} from "./sqlite-rows.ts";
import type { SqliteFile } from "./sqlite-schema.ts";
import type { WriteRequest } from "./sqlite-writer.ts";
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

class SqliteStore implements Store {
  readonly shared = false;
  readonly #cluster = new LocalCluster();
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
    const rows = await this.#all(HISTORY, key.tenant, key.instance, key.tenant, key.instance);
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

  async dueEffects(partitions: Partitions, at: number, limit: number): Promise<readonly StoredEffect[]> {
    return (await this.#listed(DUE_EFFECTS, at, ...among(partitions), limit)).map(effectFrom);
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

  async dueTimers(partitions: Partitions, at: number, limit: number): Promise<readonly StoredTimer[]> {
    const rows = await this.#listed(DUE_TIMERS, at, ...among(partitions), limit);
    return rows.map(([tenant, instance, body]) => ({
      tenant: tenant as string,
      instance: instance as string,
      timer: JSON.parse(body as string),
    }));
  }

  async nextDue(partitions: Partitions): Promise<{ readonly effect?: number; readonly timer?: number }> {
    const [row] = await this.#listed(NEXT_DUE, ...among(partitions), ...among(partitions));
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
        sql: `SELECT ${SUMMARY}, sequence, partition FROM instances WHERE tenant = ? AND instance = ? AND flow IS NOT NULL`,
        cells,
      },
      { sql: BODIES_OF("tasks"), cells },
      { sql: BODIES_OF("timers"), cells },
    );
    const [row] = summaries!;
    if (!row) return undefined;
    const { tenant: _, instance: __, ...summary } = summaryFrom(row);
    const bodies = (rows: readonly Cells[] | undefined) => rows!.map(([body]) => JSON.parse(body as string));
    const [sequence, partition] = row.slice(11) as [number, number];
    return { partition, sequence, summary, tasks: bodies(tasks), timers: bodies(timers) };
  }

  async reproject({ tenant, instance }: InstanceKey, projected: ProjectedInstance): Promise<void> {
    await this.#writer.call({ kind: "reproject", tenant, instance, projected });
  }

  async usage(tenant: string): Promise<TenantUsage> {
    const [row] = await this.#listed(USAGE, tenant, tenant);
    const [openInstances, bytes] = row as readonly [number, number];
    return { openInstances, bytes };
  }

  async tenants(): Promise<readonly string[]> {
    return (await this.#listed(TENANTS)).map(([tenant]) => tenant as string);
  }

  wrappedKeys(page: PageRequest): Promise<Page<WrappedKey>> {
    const sql = "SELECT number, wrapped_key FROM wrapped_keys WHERE number > ? ORDER BY number LIMIT ?";
    const request = { list: "wrapped-keys", tenant: "", page, sql, cells: [], first: [-1] };
    const item = ([number, wrappedKey]: Cells) => ({ id: String(number), wrappedKey: wrappedKey as string });
    return this.#page(request, item, (row) => [row[0] as number]);
  }

  async rewrap(changes: readonly KeyChange[]): Promise<void> {
    await this.#writer.call({ kind: "rewrap", changes });
  }

  /** Looks through so many instances as the page may have at most: one that has none is as fast. */
  async ended({ tenant, before, where }: EndedQuery, page: PageRequest): Promise<Page<InstanceKey>> {
    const request = { list: `ended/${where}`, tenant, page, sql: ENDED, cells: [tenant], first: [-1] };
    const looked = await this.#page(request, endedFrom, (row) => [row[0] as number]);
    const items = looked.items.filter(({ endedAt, lies }) => endedAt < before && lies === where);
    return { ...looked, items: items.map(({ instance }) => ({ tenant, instance })) };
  }

  async archive(rows: readonly ArchiveRow[]): Promise<void> {
    await this.#writer.call({ kind: "archive", rows });
  }

  async prune(rows: readonly PruneRow[]): Promise<void> {
    await this.#writer.call({ kind: "prune", rows });
  }

  async checkpoint({ tenant, instance }: InstanceKey): Promise<StoredCheckpoint | undefined> {
    const [row] = await this.#all(CHECKPOINT, tenant, instance);
    if (!row) return undefined;
    const [sequence, hash, body, snapshot] = row as readonly [number, string, string, string];
    return { sequence, hash, body, snapshot };
  }

  async getSetting(name: string): Promise<string | undefined> {
    const [row] = await this.#all("SELECT value FROM settings WHERE name = ?", name);
    return row?.[0] as string | undefined;
  }

  async setSetting(name: string, value: string): Promise<void> {
    await this.#writer.call({ kind: "set", name, value });
  }

  async keepSetting(name: string, value: string): Promise<string> {
    await this.#writer.call({ kind: "keep", name, value });
    return (await this.getSetting(name))!;
  }

  async claim(claim: Claim): Promise<boolean> {
    return this.#cluster.claim(claim);
  }

  async beat(member: Member): Promise<void> {
    this.#cluster.beat(member);
  }

  async cluster(): Promise<ClusterView> {
    return this.#cluster.view();
  }

  async bury(node: string): Promise<void> {
    this.#cluster.bury(node);
  }

  caughtUp(): Promise<void> {
    return this.#catchUp.now();
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
