import type { Effect, EpochMs, Instance, Timer } from "../engine/index.ts";
import { chain, type Entry, encode, encodeEffects } from "./entry.ts";
import type { KeyRing } from "./key-ring.ts";
import type { AppendRow, InstanceKey, InstanceSummary, OldCommand } from "./ports.ts";
import type { Draft } from "./turn-decisions.ts";

/** What was made durable with one entry, for the workers that carry it out. */
export interface Committed extends InstanceKey {
  /** What messages about the instance carry. */
  readonly about: { readonly flow: string; readonly tag?: string; readonly updatedAt: EpochMs };
  readonly effects: readonly Effect[];
  readonly timersSet: readonly Timer[];
}

/** The entry of a draft that has decisions, and what follows from it. */
export function rowOf(draft: Draft, keys: KeyRing, snapshotEvery: number): AppendRow {
  const { live, dataKey, decisions } = draft;
  const instance = draft.instance!;
  const entry: Entry = { definition: draft.decidedBy!, at: instance.updatedAt, decisions };
  const body = encode(entry, dataKey);
  const before = live.instance;
  const sequence = live.sequence + 1;
  const snapshotDue = instance.version - live.snapshotVersion >= snapshotEvery;
  const { timersSet, timersGone } = timerChanges(before?.timers ?? [], instance.timers);
  return {
    tenant: live.key.tenant,
    instance: live.key.instance,
    sequence,
    at: instance.updatedAt,
    body,
    hash: chain(live.hash, body),
    projection: {
      summary: summaryOf(instance),
      ...(snapshotDue && { snapshot: encode(instance, dataKey) }),
      tasks: [...draft.tasks.values()],
      timersSet,
      timersGone,
      effects: encodeEffects(draft.effects, dataKey),
      oldCommands: before ? fallenOut(before, instance, sequence) : [],
      ...(dataKey && !live.dataKey && { wrappedKey: keys.wrap(dataKey) }),
    },
  };
}

/** The row is durable: what was decided is what the instance is. */
export function commitTo({ live, instance, definition, dataKey }: Draft, row: AppendRow): void {
  if (row.projection.snapshot !== undefined) live.snapshotVersion = instance!.version;
  live.instance = instance;
  live.definition = definition;
  live.dataKey = dataKey;
  live.sequence = row.sequence;
  live.hash = row.hash;
  live.loaded = true;
}

export const committedOf = ({ live, instance, effects }: Draft, { projection }: AppendRow): Committed => ({
  tenant: live.key.tenant,
  instance: live.key.instance,
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
