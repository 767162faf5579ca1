import type { Definition } from "../dsl/index.ts";
import type { Instance } from "../engine/index.ts";
import { PARTITIONS } from "./cluster/partition.ts";
import { type Envelope, mayBeOld, type Reply } from "./commands.ts";
import type { KeyRing } from "./key-ring.ts";
import { LiveInstances, nameOf, replayTo } from "./live-instances.ts";
import type { Clock, DefinitionSource, InstanceKey, Store } from "./ports.ts";
import { readChain } from "./retention/chain.ts";
import {
  Decider,
  type DecisionPorts,
  type Draft,
  isPresumedNew,
  type LiveInstance,
  type Received,
} from "./turn-decisions.ts";
import { type Committed, commitTo, committedOf, rowOf } from "./turn-rows.ts";

export { type CommandDraft, type Envelope, hasSecrets, type Reply } from "./commands.ts";
export type { Committed } from "./turn-rows.ts";

export interface TurnPorts extends Omit<DecisionPorts, "replayed" | "definition"> {
  readonly store: Store;
  readonly clock: Clock;
  readonly keys: KeyRing;
  readonly definitions: DefinitionSource;
  /** How many the store has; 16 by default. */
  readonly partitions?: number;
  committed(committed: readonly Committed[]): void;
  /** How long a write took. */
  written?(seconds: number): void;
}

export interface TurnLimits {
  /** Instances decided in one turn. While it is written the next are decided, so a turn is better small. */
  readonly batchMax: number;
  /** Commands of one instance in one turn. */
  readonly commandsMax: number;
  /** Turns whose write may be under way at once. The store takes all that wait in one go. */
  readonly writesMax: number;
  /** Live instances kept in memory. */
  readonly cacheMax: number;
  /** Commands waiting before callers are told to come again. */
  readonly waitingMax: number;
  readonly answerTimeoutMs: number;
  /** Versions between two stored snapshots. */
  readonly snapshotEvery: number;
}

export const TURN_LIMITS: TurnLimits = {
  batchMax: 64,
  commandsMax: 64,
  writesMax: 8,
  cacheMax: 10_000,
  waitingMax: 20_000,
  answerTimeoutMs: 10_000,
  snapshotEvery: 16,
};

/** Too many commands wait; nothing happened, come again. */
export class Overloaded extends Error {
  override readonly name = "Overloaded";
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs = 1_000) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * Takes what waits, decides it in memory, writes once, answers. Nothing on this path awaits per command. Commands of one
 * instance are applied in the order they came; an instance that is loaded, written or asked about holds its later ones.
 */
export class Turns {
  readonly #ports: TurnPorts;
  readonly #limits: TurnLimits;
  readonly #instances: LiveInstances<Received>;
  readonly #decider: Decider;
  readonly #ready = new Set<LiveInstance>();
  #writes = 0;
  #waiting = 0;
  #asking = 0;
  #answered = 0;
  #scheduled = false;
  #idle: (() => void)[] = [];

  constructor(ports: TurnPorts, limits: TurnLimits = TURN_LIMITS) {
    this.#ports = ports;
    this.#limits = limits;
    this.#instances = new LiveInstances(ports, limits.cacheMax);
    this.#decider = new Decider({
      versionFor: (flow, newcomer) => ports.versionFor(flow, newcomer),
      definition: (hash) => ports.definitions.known(hash),
      ask: (question, carried) => ports.ask(question, carried),
      ...(ports.mayStart && { mayStart: (envelope) => ports.mayStart!(envelope) }),
      replayed: (key, version, dataKey) => this.#replayed(key, version, dataKey),
    });
  }

  /** Resolves when the decision is durable. @throws {StoreUnavailable} @throws {Overloaded} nothing happened. */
  submit(envelope: Envelope): Promise<Reply> {
    if (this.#waiting >= this.#limits.waitingMax)
      return Promise.reject(new Overloaded("too many commands are waiting"));
    this.#waiting += 1;
    return new Promise((resolve, reject) => {
      const live = this.#instances.of(envelope);
      if (live.asking) this.#asking += 1;
      live.waiting.push({
        envelope,
        resolve: (reply) => {
          if (envelope.series && reply.kind !== "accepted") envelope.series.broken = true;
          this.#settled();
          resolve(reply);
        },
        reject: (error) => {
          if (envelope.series) envelope.series.broken = true;
          this.#settled();
          reject(error);
        },
      });
      this.#makeReady(live);
    });
  }

  /** Commands that wait for their answer now. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Those of them that do not wait for the world, to be decided and written. */
  get queued(): number {
    return this.#waiting - this.#asking;
  }

  /** Commands that got their answer, ever. */
  get answered(): number {
    return this.#answered;
  }

  /** Resolves when nothing waits any more. */
  idle(): Promise<void> {
    return this.#waiting === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  /** The instance as committed; at an earlier `version`, its entries decided again. */
  async read(key: InstanceKey, version?: number): Promise<{ instance: Instance; definition: Definition } | undefined> {
    const live = this.#instances.of(key);
    const current = await this.#current(live, version);
    if (!current.instance || !current.definition) {
      this.#forgetNothing(live);
      return undefined;
    }
    if (version === undefined || version === current.instance.version) {
      return { instance: current.instance, definition: current.definition };
    }
    const instance = await this.#replayed(key, version, current.dataKey);
    // Since then it may have moved to another version of its flow.
    return instance && { instance, definition: this.#ports.definitions.known(instance.definition)! };
  }

  /** The key under which the instance's entries and effects are sealed, if they are. */
  async dataKey(key: InstanceKey): Promise<Buffer | undefined> {
    const live = this.#instances.of(key);
    const isKnown = live.loaded && (live.dataKey !== undefined || !this.#ports.store.shared);
    return (isKnown ? live : await this.#aside(key)).dataKey;
  }

  async #current(live: LiveInstance, version: number | undefined): Promise<LiveInstance> {
    if (!live.loaded && !live.busy) {
      await this.#hold(live, () => this.#loadOne(live, this.#instances));
      return live;
    }
    // What other nodes wrote since is not in memory; what an instance was at an earlier version never changes.
    const isPast = version !== undefined && version <= (live.instance?.version ?? 0);
    return live.loaded && (isPast || !this.#ports.store.shared) ? live : this.#aside(live.key);
  }

  /** That there is no instance is true until somebody starts it, perhaps on another node. */
  #forgetNothing(live: LiveInstance): void {
    if (!live.busy && !live.instance) this.#instances.forget(live);
  }

  #settled(): void {
    this.#waiting -= 1;
    this.#answered += 1;
    if (this.#waiting === 0) for (const wake of this.#idle.splice(0)) wake();
  }

  // -------------------------------------------------------------------------------------------------------------- //
  // Taking
  // -------------------------------------------------------------------------------------------------------------- //

  #makeReady(live: LiveInstance): void {
    if (live.busy || live.waiting.length === 0) return;
    this.#ready.add(live);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#ready.size === 0 || this.#writes >= this.#limits.writesMax) return;
    this.#scheduled = true;
    this.#ports.clock.soon(() => {
      this.#scheduled = false;
      this.#turn();
    });
  }

  #turn(): void {
    const missing: LiveInstance[] = [];
    const unsure: LiveInstance[] = [];
    const written: Draft[] = [];
    for (const live of this.#take()) {
      if (!live.loaded && !isPresumedNew(live)) missing.push(live);
      else if (this.#toLookUp(live).length > 0) unsure.push(live);
      else {
        const draft = this.#decider.decideWaiting(live, this.#ports.clock.now(), this.#limits.commandsMax);
        if (draft.decisions.length > 0) written.push(draft);
        else if (this.#mayBeOutdated(draft)) this.#decideAgain(draft);
        else this.#finish(draft);
      }
    }
    if (missing.length > 0) void this.#load(missing);
    if (unsure.length > 0) void this.#lookUp(unsure);
    if (written.length > 0) void this.#write(written);
    this.#schedule();
  }

  /**
   * Where other nodes write, too, what is in memory may be older than the journal. Writing finds it out; but a no is not written,
   * and is given only on an instance that was loaded since the command came.
   */
  #mayBeOutdated({ replies }: Draft): boolean {
    return (
      this.#ports.store.shared &&
      replies.some(({ received, reply }) => reply.kind !== "accepted" && !received.isLookedUp)
    );
  }

  #take(): LiveInstance[] {
    const lives: LiveInstance[] = [];
    for (const live of this.#ready) {
      if (lives.length >= this.#limits.batchMax) break;
      this.#ready.delete(live);
      // A reader loads it; when that is done it is ready again.
      if (live.busy) continue;
      live.busy = true;
      lives.push(live);
    }
    return lives;
  }

  #release(live: LiveInstance): void {
    live.busy = false;
    this.#makeReady(live);
  }

  // -------------------------------------------------------------------------------------------------------------- //
  // Asking the store and the world
  // -------------------------------------------------------------------------------------------------------------- //

  async #load(lives: readonly LiveInstance[]): Promise<void> {
    for (const { waiting } of lives) for (const received of waiting) received.isLookedUp = true;
    const failed = await this.#instances
      .load(lives)
      .catch((error: unknown) => new Map(lives.map((live) => [live, error] as const)));
    for (const [live, error] of failed) for (const received of live.waiting.splice(0)) received.reject(error);
    for (const live of lives) this.#release(live);
  }

  async #loadOne(live: LiveInstance, instances: LiveInstances<Received>): Promise<void> {
    const failed = await instances.load([live]);
    if (failed.size > 0) throw failed.get(live);
  }

  /** Commands of which only the store can tell whether they were accepted long ago. */
  #toLookUp({ instance, waiting }: LiveInstance): readonly Received[] {
    if (!instance) return [];
    const next = waiting.length > this.#limits.commandsMax ? waiting.slice(0, this.#limits.commandsMax) : waiting;
    return next.filter((one) => one.earlier === undefined && mayBeOld(instance, one.envelope.command));
  }

  /** All of a turn in one read. */
  async #lookUp(lives: readonly LiveInstance[]): Promise<void> {
    const asked = lives.flatMap((live) => this.#toLookUp(live).map((received) => ({ live, received })));
    try {
      const found = await this.#ports.store.findCommands(
        asked.map(({ live: { key }, received: { envelope } }) => ({
          tenant: key.tenant,
          instance: key.instance,
          source: envelope.command.source,
          id: envelope.command.id,
        })),
      );
      for (const [index, { received }] of asked.entries()) received.earlier = found[index] ?? "none";
    } catch (error) {
      for (const { live, received } of asked) live.waiting.splice(live.waiting.indexOf(received), 1)[0]?.reject(error);
    }
    for (const live of lives) this.#release(live);
  }

  /** Waits for the answers, outside the turn; then the command is decided again, before those behind it. */
  async #resume(live: LiveInstance, asking: Received): Promise<void> {
    live.asking = true;
    this.#asking += live.waiting.length + 1;
    try {
      await asking.answers?.gather(this.#ports.clock, this.#patienceMs(asking));
    } finally {
      live.asking = false;
      this.#asking -= live.waiting.length + 1;
      live.waiting.unshift(asking); // Decided without an answer, it has failed.
      this.#release(live);
    }
  }

  #patienceMs({ envelope: { deadlineAt } }: Received): number {
    const { answerTimeoutMs } = this.#limits;
    return deadlineAt === undefined ? answerTimeoutMs : Math.min(deadlineAt - this.#ports.clock.now(), answerTimeoutMs);
  }

  async #hold(live: LiveInstance, work: () => Promise<void>): Promise<void> {
    live.busy = true;
    try {
      await work();
    } finally {
      this.#release(live);
    }
  }

  async #aside(key: InstanceKey): Promise<LiveInstance> {
    const aside = new LiveInstances<Received>(this.#ports, 1);
    const live = aside.of(key);
    await this.#loadOne(live, aside);
    return live;
  }

  async #replayed(key: InstanceKey, version: number, dataKey: Buffer | undefined): Promise<Instance | undefined> {
    const { checkpoint, entries } = await readChain(this.#ports.store, key);
    return replayTo(entries, version, dataKey, this.#ports.definitions, checkpoint);
  }

  // -------------------------------------------------------------------------------------------------------------- //
  // Writing
  // -------------------------------------------------------------------------------------------------------------- //

  async #write(drafts: readonly Draft[]): Promise<void> {
    this.#writes += 1;
    try {
      const { keys, partitions = PARTITIONS } = this.#ports;
      const rows = drafts.map((draft) => rowOf(draft, keys, this.#limits.snapshotEvery, partitions));
      const { steadyMs } = this.#ports.clock;
      const began = steadyMs();
      const { taken } = await this.#ports.store.append(rows);
      this.#ports.written?.((steadyMs() - began) / 1000);
      const lost = new Set(taken.map(nameOf));
      const committed: Committed[] = [];
      for (const [index, draft] of drafts.entries()) {
        if (lost.has(draft.live.name)) continue;
        commitTo(draft, rows[index]!);
        committed.push(committedOf(draft, rows[index]!));
      }
      this.#ports.committed(committed);
      for (const draft of drafts) lost.has(draft.live.name) ? this.#decideAgain(draft) : this.#finish(draft);
    } catch (error) {
      for (const draft of drafts) this.#fail(draft, error);
    } finally {
      this.#writes -= 1;
      this.#schedule();
    }
  }

  /** Answers go out after the commit; then the command that waits for the world, or whatever came meanwhile. */
  #finish({ live, replies, asking }: Draft): void {
    for (const { received, reply } of replies) received.resolve(reply);
    if (asking) return void this.#resume(live, asking);
    this.#release(live);
    this.#forgetNothing(live);
    if (live.instance?.outcome !== undefined) this.#instances.ended(live);
  }

  /** Somebody else wrote this sequence first: load again and decide all of it again, in the same order. */
  #decideAgain({ live, replies, asking }: Draft): void {
    this.#instances.forget(live);
    live.contested = true;
    const again = [...replies.map(({ received }) => received), ...(asking ? [asking] : [])];
    // What somebody else wrote may have been one of them.
    for (const received of again) delete received.earlier;
    live.waiting.unshift(...again);
    this.#release(live);
  }

  #fail({ live, replies, asking }: Draft, error: unknown): void {
    this.#instances.forget(live);
    live.contested = true;
    for (const { received } of replies) received.reject(error);
    asking?.reject(error);
    this.#release(live);
  }
}
