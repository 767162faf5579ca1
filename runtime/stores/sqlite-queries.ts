import type { Partitions } from "../cluster/partition.ts";
import type { Cell } from "./sqlite-projector.ts";

/** What the SQLite store asks of its reader. */

/** The rows of effects and what {@link effectFrom} reads of them. */
export const EFFECT = "tenant, instance, dead, attempts, next_at, error, body, position, partition";

const NAMED = `json_each(?) AS name JOIN instances i ON i.tenant = name.value ->> 0 AND i.instance = name.value ->> 1
  LEFT JOIN snapshots s ON s.number = i.number`;

export const LOAD_HEADS = `SELECT name.key, s.sequence, s.body, s.hash, w.wrapped_key
  FROM ${NAMED} LEFT JOIN wrapped_keys w ON w.number = i.number ORDER BY name.key`;

export const LOAD_TAILS = `SELECT j.sequence, j.at, j.body, j.hash, name.key FROM ${NAMED}
  JOIN journal j ON j.number = i.number AND j.sequence > coalesce(s.sequence, -1) ORDER BY name.key, j.sequence`;

/** What {@link summaryFrom} reads. */
export const SUMMARY = `tenant, instance, flow, key, state, outcome, initiator, definition, version, started_at, updated_at`;

export const BODIES_OF = (table: "tasks" | "timers"): string =>
  `SELECT body FROM ${table} JOIN instances i USING (number) WHERE i.tenant = ? AND i.instance = ?`;

export const HISTORY = `SELECT h.sequence, h.at, h.body, h.hash FROM instances JOIN history h USING (number)
  WHERE tenant = ? AND instance = ? UNION ALL
  SELECT j.sequence, j.at, j.body, j.hash FROM instances i JOIN journal j ON j.number = i.number AND j.sequence > i.archived
  WHERE i.tenant = ? AND i.instance = ? ORDER BY 1`;

export const CHECKPOINT = `SELECT c.sequence, c.hash, c.body, c.snapshot FROM instances JOIN checkpoints c USING (number)
  WHERE tenant = ? AND instance = ?`;

export const USAGE = `SELECT
  (SELECT count(*) FROM instances INDEXED BY instances_open WHERE tenant = ? AND flow IS NOT NULL AND outcome IS NULL),
  coalesce((SELECT bytes FROM usage WHERE tenant = ?), 0)`;

/** From one to the next by the index: as fast as there are tenants, however many rows they have. */
const tenantsIn = (table: string, condition: string): string => `WITH RECURSIVE each (tenant) AS (
  SELECT min(tenant) FROM ${table} WHERE ${condition} UNION ALL
  SELECT (SELECT min(t.tenant) FROM ${table} t WHERE t.tenant > each.tenant AND ${condition}) FROM each
  WHERE each.tenant IS NOT NULL
) SELECT tenant FROM each WHERE tenant IS NOT NULL`;

export const TENANTS = `SELECT * FROM (${tenantsIn("instances", "flow IS NOT NULL")})
  UNION SELECT * FROM (${tenantsIn("dead_letters", "true")})`;

export const ENDED = `SELECT number, instance, updated_at, outcome, sequence, archived, pruned FROM instances
  WHERE tenant = ? AND flow IS NOT NULL AND number > ? ORDER BY number LIMIT ?`;

export const FIND_COMMANDS = `SELECT name.key, c.digest, c.version, c.sequence FROM json_each(?) AS name
  JOIN instances i ON i.tenant = name.value ->> 0 AND i.instance = name.value ->> 1
  JOIN old_commands c ON c.number = i.number AND c.source = name.value ->> 2 AND c.id = name.value ->> 3`;

/**
 * The one process that has the file carries out all partitions, so there is no index by them: what is due is found by its
 * time. Given all, nothing is compared.
 */
const OF_PARTITIONS = "(? OR partition IN (SELECT value FROM json_each(?)))";

/** The cells for {@link OF_PARTITIONS}. */
export const among = (partitions: Partitions): readonly [0 | 1, string] =>
  partitions === "all" ? [1, "[]"] : [0, JSON.stringify(partitions)];

export const DUE_EFFECTS = `SELECT ${EFFECT} FROM effects WHERE dead = 0 AND next_at <= ? AND ${OF_PARTITIONS}
  ORDER BY next_at, position LIMIT ?`;

export const DUE_TIMERS = `SELECT tenant, instance, body FROM timers JOIN instances USING (number)
  WHERE due_at <= ? AND ${OF_PARTITIONS} ORDER BY due_at, number, id LIMIT ?`;

export const NEXT_DUE = `SELECT
  (SELECT next_at FROM effects WHERE dead = 0 AND ${OF_PARTITIONS} ORDER BY next_at LIMIT 1),
  (SELECT due_at FROM timers JOIN instances USING (number) WHERE ${OF_PARTITIONS} ORDER BY due_at LIMIT 1)`;

const TASK = `i.tenant, i.instance, i.flow, t.body,
  t.rank AS rank, t.opened_at AS opened_at, t.number AS number, t.id AS id`;

/** @param from the tasks, as `t`. */
export const tasksFrom = (from: string, where: string): string => `SELECT ${TASK} FROM ${from}
  JOIN instances i ON i.number = t.number
  WHERE ${where} AND (t.rank, t.opened_at, t.number, t.id) < (?, ?, ?, ?)
  ORDER BY t.rank DESC, t.opened_at DESC, t.number DESC, t.id DESC LIMIT ?`;

/**
 * Somebody's own, and those that they may claim: each half in its order, by its own index.
 * @param count of the values in `where`, the person behind them; both halves get the same ones.
 */
export function tasksOf(where: string, count: number): string {
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
export type Filter = readonly [condition: string, value: Cell | undefined];

export function conditions(filters: readonly Filter[]): { where: string; cells: readonly Cell[] } {
  const asked = filters.filter(([, value]) => value !== undefined);
  return { where: asked.map(([condition]) => condition).join(" AND "), cells: asked.map(([, value]) => value!) };
}
