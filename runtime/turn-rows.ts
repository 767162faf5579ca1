import type { Effect, EpochMs, Instance, Timer } from "../engine/index.ts";
import { partitionOf } from "./cluster/partition.ts";
import { chain, type Entry, encode, encodeEffects } from "./entry.ts";
import type { KeyRing } from "./key-ring.ts";
import type { AppendRow, InstanceKey, InstanceSummary, OldCommand } from "./ports.ts";
import type { Draft } from "./turn-decisions.ts";

/** What was made durable with one entry, for the workers that carry it out. */
export interface Committed extends InstanceKey {
  readonly partition: number;
  /** What messages about the instance carry. */
  readonly about: { readonly flow: string; readonly tag?: string; readonly updatedAt: EpochMs };
  readonly effects: readonly Effect[];
  readonly timersSet: readonly Timer[];
}

/**
 * The entry of a draft that has decisions, and what follows from it.
 * @param partitions how many there are.
 */
export function rowOf(draft: Draft, keys: KeyRing, snapshotEvery: number, partitions: number): AppendRow {
  const { live, dataKey, decisions } = draft;
  const instance = draft.instance!;
  const entry: Entry = { definition: draft.decidedBy!, at: instance.updatedAt, decisions };
  const body = encode(entry, dataKey);
  const before = live.instance;
  const sequence = live.sequence + 1;
  const { timersSet, timersGone } = timerChanges(before?.timers ?? [], instance.timers);
  return {
    tenant: live.key.tenant,
    instance: live.key.instance,
    partition: partitionOf(live.key.tenant, instance.flow, instance.key, partitions),
    sequence,
    at: instance.updatedAt,
    body,
    hash: chain(live.hash, body),
    projection: {
      summary: summaryOf(instance),
      ...(isSnapshotDue(live, instance, snapshotEvery) && { snapshot: encode(instance, dataKey) }),
      tasks: [...draft.tasks.values()],
      timersSet,
      timersGone,
      effects: encodeEffects(draft.effects, dataKey),
      oldCommands: before ? fallenOut(before, instance, sequence) : [],
      ...(dataKey && !live.dataKey && { wrappedKey: keys.wrap(dataKey) }),
    },
  };
}

/** Under load, that is while entries come faster than that, an instance gets a snapshot so often at least. */
const SNAPSHOT_EVERY_MS = 30_000;

/** At a human pace a snapshot in between would only double what is written. */
function isSnapshotDue(live: Draft["live"], { version, updatedAt }: Instance, snapshotEvery: number): boolean {
  if (version - live.snapshotVersion >= snapshotEvery) return true;
  const before = live.instance?.updatedAt ?? updatedAt;
  return (
    updatedAt - live.snapshotAt >= SNAPSHOT_EVERY_MS && updatedAt - before < SNAPSHOT_EVERY_MS && before < updatedAt
  );
}

/** The row is durable: what was decided is what the instance is. */
export function commitTo({ live, instance, definition, dataKey }: Draft, row: AppendRow): void {
  if (row.projection.snapshot !== undefined) {
    live.snapshotVersion = instance!.version;
    live.snapshotAt = instance!.updatedAt;
  } else if (live.sequence === 0) live.snapshotAt = instance!.startedAt;
  live.instance = instance;
  live.definition = definition;
  live.dataKey = dataKey;
  live.sequence = row.sequence;
  live.hash = row.hash;
  live.loaded = true;
}

export const committedOf = ({ live, instance, effects }: Draft, { partition, projection }: AppendRow): Committed => ({
  tenant: live.key.tenant,
  instance: live.key.instance,
  partition,
  about: instance!,
  effects,
  timersSet: projection.timersSet,
});

export const summaryOf = (instance: Instance): InstanceSummary => ({
  flow: instance.flow,
  key: instance.key,
  state: instance.state,
  ...(instance.outcome !== undefined && { outcome: instance.outcome }),
  initiator: instance.initiator.id,
  definition: instance.definition,
  version: instance.version,
  startedAt: instance.startedAt,
  updatedAt: instance.updatedAt,
});

interface TimerChanges {
  readonly timersSet: readonly Timer[];
  readonly timersGone: readonly string[];
}

const NO_TIMERS: TimerChanges = { timersSet: [], timersGone: [] };

function timerChanges(before: readonly Timer[], after: readonly Timer[]): TimerChanges {
  if (before === after || (before.length === 0 && after.length === 0)) return NO_TIMERS;
  const had = new Map(before.map((timer) => [timer.id, timer.dueAt]));
  const has = new Set(after.map((timer) => timer.id));
  return {
    // After a suspension the same timer is due later.
    timersSet: after.filter((timer) => had.get(timer.id) !== timer.dueAt),
    timersGone: before.flatMap(({ id }) => (has.has(id) ? [] : id)),
  };
}

/** Commands that the instance carried before and no longer does. */
export function fallenOut(before: Instance, after: Instance, sequence: number): readonly OldCommand[] {
  const oldest = after.recent[0]?.version ?? 0;
  if ((before.recent[0]?.version ?? oldest) >= oldest) return [];
  return before.recent.filter((recent) => recent.version < oldest).map((recent) => ({ ...recent, sequence }));
}
