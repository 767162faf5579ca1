import type {
  AppendRow,
  DeadLetter,
  EndedQuery,
  InstanceKey,
  InstanceSummary,
  StoredEffect,
  StoredEntry,
  StoredInstance,
  StoredTask,
} from "../ports.ts";
import { STUCK_ATTEMPTS } from "./limits.ts";
import type { Cell, EncodedProjections, ProjectedRow } from "./sqlite-projector.ts";
import type { EncodedAppend, KeptRow } from "./sqlite-writer.ts";

/** Rows of the SQLite store: how appends cross to the writer, and what the reader's answers are. */

/** A row of a query as it comes from the reader. */
export type Cells = readonly Cell[];

export function encodeAppend(rows: readonly AppendRow[]): EncodedAppend {
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

function projectedRow({ tenant, instance, partition, sequence, at, body, projection }: AppendRow): ProjectedRow {
  const { summary: s, tasks, timersSet, timersGone, effects } = projection;
  const summary = s
    ? [s.flow, s.key, s.initiator, s.definition, s.startedAt, s.state, s.outcome ?? null, s.version, s.updatedAt]
    : null;
  const names = effects.map(({ id }) => id);
  return [
    tenant,
    instance,
    sequence,
    at,
    summary,
    tasks,
    timersSet,
    timersGone,
    names,
    Buffer.byteLength(body),
    partition,
  ];
}

export const nameOf = ({ tenant, instance }: InstanceKey): string => `${tenant}\u0000${instance}`;

export function assemble(
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

export function entryFrom(row: Cells): StoredEntry {
  const [sequence, at, body, hash] = row as [number, number, string, string];
  return { sequence, at, body, hash };
}

export function effectFrom(row: Cells): StoredEffect {
  const [tenant, instance, dead, attempts, nextAt, error, body, _position, partition] = row as [
    string,
    string,
    0 | 1,
    number,
    number,
    string | null,
    string,
    number,
    number,
  ];
  const state = dead ? "dead" : attempts >= STUCK_ATTEMPTS ? "stuck" : "pending";
  const failure = error === null ? {} : { error };
  return { tenant, instance, partition, effect: JSON.parse(body), state, attempts, nextAt, ...failure };
}

export function taskFrom(row: Cells): StoredTask {
  const [tenant, instance, flow, body] = row as [string, string, string, string];
  return { tenant, instance, flow, task: JSON.parse(body) };
}

export function summaryFrom(row: Cells): InstanceKey & InstanceSummary {
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

export const instanceKeyFrom = ([tenant, instance]: Cells): InstanceKey => ({
  tenant: tenant as string,
  instance: instance as string,
});

/** When it ended, `Infinity` if it has not, and where its newest entry lies. */
export function endedFrom(row: Cells): { instance: string; endedAt: number; lies: EndedQuery["where"] | undefined } {
  const [, instance, updatedAt, outcome, sequence, archived, pruned] = row as [
    number,
    string,
    number,
    string | null,
    number,
    number,
    number,
  ];
  const lies = archived < sequence ? "journal" : pruned < sequence ? "history" : undefined;
  return { instance, endedAt: outcome === null ? Number.POSITIVE_INFINITY : updatedAt, lies };
}

export function letterFrom(row: Cells): DeadLetter {
  const [id, tenant, at, origin, reason, body] = row as [string, string, number, string, string, string];
  return { id, tenant, at, origin, reason, body };
}
