import type { Partitions } from "../cluster/partition.ts";
import type {
  AppendResult,
  AppendRow,
  ArchiveRow,
  Claim,
  ClusterView,
  CommandName,
  DeadLetter,
  EffectSettlement,
  EndedQuery,
  EpochMs,
  InstanceKey,
  InstanceQuery,
  InstanceSummary,
  KeyChange,
  Member,
  OldCommand,
  Page,
  PageRequest,
  ProjectedInstance,
  PruneRow,
  Store,
  StoredCheckpoint,
  StoredEffect,
  StoredEntry,
  StoredInstance,
  StoredTask,
  StoredTimer,
  Task,
  TaskQuery,
  TenantUsage,
  Timer,
  WrappedKey,
} from "../ports.ts";
import { decodeCursor, encodeCursor, type Position } from "./cursor.ts";
import { STUCK_ATTEMPTS } from "./limits.ts";
import { LocalCluster } from "./local-cluster.ts";
import { isClaimable, RANKS, taskRank } from "./task-rank.ts";

/** The store for tests and trials: the same promises as the others, except that it ends with the process. */
export function openMemoryStore(options: MemoryOptions = {}): Store {
  return new MemoryStore(options);
}

export interface MemoryOptions {
  /** Several nodes of this process are to share it: they claim partitions. */
  readonly shared?: boolean;
  /**
   * When what follows from an entry is brought into the lists: it is given what does it, which may be called at any time and
   * more than once. Before that lists don't know it, unless `caughtUp` was asked for. Absent: at once.
   */
  readonly later?: (bringIn: () => void) => void;
}

/** All that is known of one instance, or of one raw event. */
interface Kept extends InstanceKey {
  /** In the order of starting. */
  readonly number: number;
  readonly partition: number;
  readonly entries: Map<number, StoredEntry>;
  readonly tasks: Map<string, Task>;
  readonly timers: Map<string, Timer>;
  readonly oldCommands: Map<string, OldCommand>;
  summary?: InstanceSummary & { readonly sequence: number };
  snapshot?: NonNullable<StoredInstance["snapshot"]>;
  wrappedKey?: string;
  /** Entries up to this one lie in the history. */
  archived: number;
  /** Entries of which lists don't know yet, oldest first. */
  readonly unprojected: AppendRow[];
  /** The newest entry that lists know. */
  projected: number;
  checkpoint?: StoredCheckpoint;
}

interface KeptEffect extends StoredEffect {
  readonly position: number;
}

interface KeptLetter extends DeadLetter {
  readonly position: number;
}

class MemoryStore implements Store {
  readonly shared: boolean;
  readonly #cluster = new LocalCluster();
  readonly #instances = new Map<string, Kept>();
  readonly #effects = new Map<string, KeptEffect>();
  readonly #letters = new Map<string, KeptLetter>();
  readonly #settings = new Map<string, string>();
  readonly #later: NonNullable<MemoryOptions["later"]>;
  readonly #behind = new Set<Kept>();
  #position = 0;

  constructor({ shared = false, later = (bringIn) => bringIn() }: MemoryOptions) {
    this.shared = shared;
    this.#later = later;
  }

  async append(rows: readonly AppendRow[]): Promise<AppendResult> {
    const taken = rows.filter((row) => !this.#appendRow(row));
    return { taken: taken.map(({ tenant, instance }) => ({ tenant, instance })) };
  }

  async load(keys: readonly InstanceKey[]): Promise<readonly StoredInstance[]> {
    return keys.flatMap((key) => {
      const kept = this.#find(key);
      return kept ? [stored(kept)] : [];
    });
  }

  async history(key: InstanceKey): Promise<readonly StoredEntry[]> {
    const kept = this.#find(key);
    return entriesAfter(kept, kept?.checkpoint?.sequence ?? -1);
  }

  async findCommands(asked: readonly CommandName[]): Promise<readonly (OldCommand | undefined)[]> {
    return asked.map((one) => this.#find(one)?.oldCommands.get(name(one.source, one.id)));
  }

  async dueEffects(partitions: Partitions, at: EpochMs, limit: number): Promise<readonly StoredEffect[]> {
    const due = this.#pending(partitions).filter(({ nextAt }) => nextAt <= at);
    return due.sort(byEffectPosition).slice(0, limit).map(withoutPosition);
  }

  async settleEffects(done: readonly EffectSettlement[]): Promise<void> {
    for (const settlement of done) this.#settle(settlement);
  }

  async effects(tenant: string, state: StoredEffect["state"], page: PageRequest): Promise<Page<StoredEffect>> {
    const found = [...this.#effects.values()].filter((effect) => effect.tenant === tenant && effect.state === state);
    return pageOf({ list: `effects/${state}`, tenant, page, first: [-1, -1] }, found, effectPosition, withoutPosition);
  }

  async findEffect(tenant: string, id: string): Promise<StoredEffect | undefined> {
    const found = this.#effects.get(name(tenant, id));
    return found && withoutPosition(found);
  }

  async effectsOfDecision(tenant: string, decision: string): Promise<readonly StoredEffect[]> {
    const found = [...this.#effects.values()].filter(
      ({ tenant: of, effect }) => of === tenant && effect.id.startsWith(`${decision}:`),
    );
    return found.map(withoutPosition);
  }

  async dueTimers(partitions: Partitions, at: EpochMs, limit: number): Promise<readonly StoredTimer[]> {
    const due = this.#timers(partitions).filter(({ timer }) => timer.dueAt <= at);
    return due.sort((a, b) => a.timer.dueAt - b.timer.dueAt).slice(0, limit);
  }

  async nextDue(partitions: Partitions): Promise<{ readonly effect?: EpochMs; readonly timer?: EpochMs }> {
    const effect = least(this.#pending(partitions).map(({ nextAt }) => nextAt));
    const timer = least(this.#timers(partitions).map(({ timer: { dueAt } }) => dueAt));
    return { ...(effect !== undefined && { effect }), ...(timer !== undefined && { timer }) };
  }

  async dropTimers(timers: readonly (InstanceKey & { readonly timer: string })[]): Promise<void> {
    for (const dropped of timers) this.#find(dropped)?.timers.delete(dropped.timer);
  }

  /** Open ones first, then those that wait, then the newest. */
  async tasks(query: TaskQuery, page: PageRequest): Promise<Page<StoredTask>> {
    const { tenant, assignee, instance, status } = query;
    const found = this.#ofTenant(tenant)
      .filter((kept) => instance === undefined || kept.instance === instance)
      .flatMap((kept) => [...kept.tasks.values()].map((task) => ({ kept, task })))
      .filter(({ task }) => assignee === undefined || isFor(task, assignee))
      .filter(({ task }) => status === undefined || taskRank(task) === RANKS[status]);
    return pageOf(
      { list: "tasks", tenant, page, first: [-3, 0, 0, ""] },
      found,
      ({ kept, task }) => [-taskRank(task), -task.openedAt, -kept.number, task.id],
      ({ kept, task }) => ({ tenant, instance: kept.instance, flow: kept.summary!.flow, task }),
    );
  }

  /** The newest first. */
  async instances(query: InstanceQuery, page: PageRequest): Promise<Page<InstanceKey & InstanceSummary>> {
    const { tenant, flow, state, initiator, q } = query;
    const found = this.#ofTenant(tenant).filter(
      ({ summary }) =>
        summary !== undefined &&
        (flow === undefined || summary.flow === flow) &&
        (state === undefined || summary.state === state) &&
        (initiator === undefined || summary.initiator === initiator) &&
        (q === undefined || summary.key.includes(q)),
    );
    return pageOf(
      { list: "instances", tenant, page, first: [-Number.MAX_SAFE_INTEGER] },
      found,
      (kept) => [-kept.number],
      ({ instance, summary }) => {
        const { sequence: _, ...rest } = summary!;
        return { tenant, instance, ...rest };
      },
    );
  }

  async deadLetter(letter: DeadLetter): Promise<void> {
    const key = name(letter.tenant, letter.id);
    this.#letters.set(key, { ...letter, position: this.#letters.get(key)?.position ?? ++this.#position });
  }

  /** The newest first. */
  async deadLetters(tenant: string, page: PageRequest): Promise<Page<DeadLetter>> {
    const found = [...this.#letters.values()].filter((letter) => letter.tenant === tenant);
    const request = { list: "dead-letters", tenant, page, first: [-Number.MAX_SAFE_INTEGER] };
    return pageOf(request, found, ({ position }) => [-position], withoutPosition);
  }

  async findDeadLetter(tenant: string, id: string): Promise<DeadLetter | undefined> {
    const found = this.#letters.get(name(tenant, id));
    return found && withoutPosition(found);
  }

  async dropDeadLetter(tenant: string, id: string): Promise<void> {
    this.#letters.delete(name(tenant, id));
  }

  async journaled(page: PageRequest): Promise<Page<InstanceKey>> {
    const found = [...this.#instances.values()].filter((kept) => kept.entries.has(1));
    const request = { list: "journaled", tenant: "", page, first: [-1] };
    return pageOf(
      request,
      found,
      ({ number }) => [number],
      ({ tenant, instance }) => ({ tenant, instance }),
    );
  }

  async projected(key: InstanceKey): Promise<Omit<ProjectedInstance, "oldCommands"> | undefined> {
    const kept = this.#find(key);
    if (!kept?.summary) return undefined;
    const { sequence, ...summary } = kept.summary;
    return {
      partition: kept.partition,
      sequence,
      summary,
      tasks: [...kept.tasks.values()],
      timers: [...kept.timers.values()],
    };
  }

  async reproject(key: InstanceKey, projected: ProjectedInstance): Promise<void> {
    const { sequence, summary, tasks, timers, oldCommands, partition } = projected;
    const kept = this.#find(key) ?? this.#start(key, partition);
    kept.summary = { ...summary, sequence };
    kept.tasks.clear();
    kept.timers.clear();
    for (const task of tasks) kept.tasks.set(task.id, task);
    for (const timer of timers) kept.timers.set(timer.id, timer);
    for (const command of oldCommands) kept.oldCommands.set(name(command.source, command.id), command);
  }

  async usage(tenant: string): Promise<TenantUsage> {
    const instances = [...this.#instances.values()].filter((kept) => kept.tenant === tenant);
    const entries = instances.flatMap((kept) => entriesAfter(kept, kept.checkpoint?.sequence ?? -1));
    return {
      openInstances: instances.filter(({ summary }) => summary && summary.outcome === undefined).length,
      bytes: entries.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0),
    };
  }

  async tenants(): Promise<readonly string[]> {
    const instances = [...this.#instances.values()].filter(({ summary }) => summary);
    return [...new Set([...instances, ...this.#letters.values()].map(({ tenant }) => tenant))];
  }

  async wrappedKeys(page: PageRequest): Promise<Page<WrappedKey>> {
    const found = [...this.#instances].flatMap(([id, { number, wrappedKey }]) =>
      wrappedKey === undefined ? [] : { id, number, wrappedKey },
    );
    const request = { list: "wrapped-keys", tenant: "", page, first: [-1] };
    return pageOf(
      request,
      found,
      ({ number }) => [number],
      ({ id, wrappedKey }) => ({ id, wrappedKey }),
    );
  }

  async rewrap(changes: readonly KeyChange[]): Promise<void> {
    for (const { id, from, to } of changes) {
      const kept = this.#instances.get(id);
      if (kept?.wrappedKey === from) kept.wrappedKey = to;
    }
  }

  async ended({ tenant, before, where }: EndedQuery, page: PageRequest): Promise<Page<InstanceKey>> {
    const found = this.#ofTenant(tenant).filter(({ summary, archived, checkpoint }) => {
      if (summary?.outcome === undefined || summary.updatedAt >= before) return false;
      const isArchived = archived >= summary.sequence;
      return where === "journal" ? !isArchived : isArchived && (checkpoint?.sequence ?? -1) < summary.sequence;
    });
    const request = { list: `ended/${where}`, tenant, page, first: [-1] };
    return pageOf(
      request,
      found,
      ({ number }) => [number],
      ({ instance }) => ({ tenant, instance }),
    );
  }

  async archive(rows: readonly ArchiveRow[]): Promise<void> {
    for (const row of rows) {
      const kept = this.#find(row);
      if (!kept) continue;
      const { snapshot } = row;
      if (snapshot.sequence > (kept.snapshot?.sequence ?? -1)) kept.snapshot = snapshot;
      kept.archived = Math.max(kept.archived, snapshot.sequence);
    }
  }

  /** Entries stay for their keys alone. */
  async prune(rows: readonly PruneRow[]): Promise<void> {
    for (const row of rows) {
      const kept = this.#find(row);
      const { sequence } = row.checkpoint;
      if (!kept || kept.archived < sequence || (kept.checkpoint?.sequence ?? -1) >= sequence) continue;
      kept.checkpoint = row.checkpoint;
    }
  }

  async checkpoint(key: InstanceKey): Promise<StoredCheckpoint | undefined> {
    return this.#find(key)?.checkpoint;
  }

  async getSetting(setting: string): Promise<string | undefined> {
    return this.#settings.get(setting);
  }

  async setSetting(setting: string, value: string): Promise<void> {
    this.#settings.set(setting, value);
  }

  async keepSetting(setting: string, value: string): Promise<string> {
    if (!this.#settings.has(setting)) this.#settings.set(setting, value);
    return this.#settings.get(setting)!;
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

  async caughtUp(): Promise<void> {
    for (const kept of this.#behind) this.#catchUp(kept);
  }

  async close(): Promise<void> {}

  #find(key: InstanceKey): Kept | undefined {
    return this.#instances.get(name(key.tenant, key.instance));
  }

  #ofTenant(tenant: string): readonly Kept[] {
    return [...this.#instances.values()].filter((kept) => kept.tenant === tenant);
  }

  #pending(partitions: Partitions): KeptEffect[] {
    return [...this.#effects.values()].filter(
      ({ state, partition }) => state !== "dead" && isIn(partitions, partition),
    );
  }

  #timers(partitions: Partitions): StoredTimer[] {
    const found = [...this.#instances.values()].filter(({ partition }) => isIn(partitions, partition));
    return found.flatMap(({ tenant, instance, timers }) =>
      [...timers.values()].map((timer) => ({ tenant, instance, timer })),
    );
  }

  /** @returns false if the key was taken. */
  #appendRow(row: AppendRow): boolean {
    const { sequence, at, body, hash } = row;
    const kept = this.#find(row) ?? this.#start(row, row.partition);
    if (kept.entries.has(sequence)) return false;
    kept.entries.set(sequence, { sequence, at, body, hash });
    if (row.projection.wrappedKey !== undefined) kept.wrappedKey ??= row.projection.wrappedKey;
    kept.unprojected.push(row);
    this.#behind.add(kept);
    this.#later(() => this.#bringIn(kept, row));
    return true;
  }

  /** This entry, after those before it; again, it changes nothing. */
  #bringIn(kept: Kept, row: AppendRow): void {
    this.#catchUp(kept);
    if (row.sequence > kept.projected) this.#project(kept, row);
  }

  #catchUp(kept: Kept): void {
    for (const row of kept.unprojected.splice(0)) this.#project(kept, row);
    this.#behind.delete(kept);
  }

  #start({ tenant, instance }: InstanceKey, partition: number): Kept {
    const parts = {
      ...{ entries: new Map(), tasks: new Map(), timers: new Map(), oldCommands: new Map() },
      ...{ unprojected: [], projected: -1 },
    };
    const kept: Kept = { tenant, instance, partition, number: ++this.#position, archived: -1, ...parts };
    this.#instances.set(name(tenant, instance), kept);
    return kept;
  }

  #project(kept: Kept, { tenant, instance, partition, sequence, at, hash, projection }: AppendRow): void {
    const { summary, snapshot, tasks, timersSet, timersGone, effects, oldCommands } = projection;
    kept.projected = Math.max(kept.projected, sequence);
    if (summary && sequence > (kept.summary?.sequence ?? -1)) kept.summary = { ...summary, sequence };
    if (snapshot !== undefined && sequence > (kept.snapshot?.sequence ?? -1))
      kept.snapshot = { sequence, body: snapshot, hash };
    for (const task of tasks) kept.tasks.set(task.id, task);
    for (const id of timersGone) kept.timers.delete(id);
    for (const timer of timersSet) kept.timers.set(timer.id, timer);
    for (const command of oldCommands) {
      const key = name(command.source, command.id);
      if (!kept.oldCommands.has(key)) kept.oldCommands.set(key, command);
    }
    for (const effect of effects) {
      const key = name(tenant, effect.id);
      const fresh = { effect, state: "pending", attempts: 0, nextAt: at, position: ++this.#position } as const;
      if (!this.#effects.has(key)) this.#effects.set(key, { tenant, instance, partition, ...fresh });
    }
  }

  #settle(settlement: EffectSettlement): void {
    const key = name(settlement.tenant, settlement.id);
    const effect = this.#effects.get(key);
    if (!effect) return;
    if (settlement.kind === "done") {
      this.#effects.delete(key);
      return;
    }
    if (settlement.kind === "renew") {
      const { error: _, ...rest } = effect;
      this.#effects.set(key, { ...rest, state: "pending", attempts: 0, nextAt: settlement.nextAt });
      return;
    }
    const attempts = effect.attempts + 1;
    const waiting = attempts >= STUCK_ATTEMPTS ? "stuck" : "pending";
    const next =
      settlement.kind === "dead"
        ? { state: "dead" as const }
        : ({ state: waiting, nextAt: settlement.nextAt } as const);
    this.#effects.set(key, { ...effect, ...next, attempts, error: settlement.error });
  }
}

// ---------------------------------------------------------------------------------------------------------------- //

const isIn = (partitions: Partitions, partition: number): boolean =>
  partitions === "all" || partitions.includes(partition);

function isFor(task: Task, person: string): boolean {
  return task.assignee === person || (isClaimable(task) && (task.candidates?.includes(person) ?? false));
}

/** A map's key from names that may hold anything. */
function name(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}

function stored(kept: Kept): StoredInstance {
  const { tenant, instance, snapshot, wrappedKey } = kept;
  const tail = entriesAfter(kept, snapshot?.sequence ?? -1);
  return { tenant, instance, ...(snapshot && { snapshot }), tail, ...(wrappedKey !== undefined && { wrappedKey }) };
}

function entriesAfter(kept: Kept | undefined, sequence: number): readonly StoredEntry[] {
  const after = [...(kept?.entries.values() ?? [])].filter((entry) => entry.sequence > sequence);
  return after.sort((a, b) => a.sequence - b.sequence);
}

function effectPosition({ nextAt, position }: KeptEffect): Position {
  return [nextAt, position];
}

function byEffectPosition(a: KeptEffect, b: KeptEffect): number {
  return compare(effectPosition(a), effectPosition(b));
}

function withoutPosition<Item extends { readonly position: number }>({
  position: _,
  ...item
}: Item): Omit<Item, "position"> {
  return item;
}

function least(numbers: readonly number[]): number | undefined {
  return numbers.length === 0 ? undefined : numbers.reduce((a, b) => Math.min(a, b));
}

function compare(a: Position, b: Position): number {
  const differing = a.findIndex((cell, i) => cell !== b[i]);
  if (differing < 0) return 0;
  return a[differing]! < b[differing]! ? -1 : 1;
}

/** A page of what was found, in the order of positions, after the cursor. */
function pageOf<Found, Item>(
  request: { list: string; tenant: string; page: PageRequest; first: Position },
  found: readonly Found[],
  positionOf: (found: Found) => Position,
  item: (found: Found) => Item,
): Page<Item> {
  const { list, tenant, page, first } = request;
  const after = decodeCursor(list, tenant, page.cursor, first);
  const rows = found
    .map((row) => ({ row, position: positionOf(row) }))
    .filter(({ position }) => compare(position, after) > 0)
    .sort((a, b) => compare(a.position, b.position));
  const items = rows.slice(0, page.limit);
  const last = items.at(-1);
  const cursor = rows.length > items.length && last ? encodeCursor(list, tenant, last.position) : undefined;
  return { items: items.map(({ row }) => item(row)), ...(cursor !== undefined && { cursor }) };
}
