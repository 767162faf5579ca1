import { within } from "./clock.ts";
import { EVERYTHING, type Owned } from "./cluster/owned.ts";
import type { Clock, Effect, EffectSettlement, InstanceKey, RawEffect, Store, StoredEffect } from "./ports.ts";
import type { Committed } from "./turn.ts";

export type Work = InstanceKey & {
  readonly effect: Effect | RawEffect;
  readonly attempts: number;
  /** What its messages carry; absent when it was read from the store. */
  readonly about?: Committed["about"];
};

export type WorkResult =
  | { readonly kind: "done" }
  | { readonly kind: "retry"; readonly error: string; readonly afterMs?: number }
  | { readonly kind: "dead"; readonly error: string };

type OwnWork = Work & { readonly partition: number };

interface Over {
  readonly work: Work;
  readonly result: WorkResult;
}

export interface OutboxPorts {
  readonly store: Store;
  /** Absent: all partitions. */
  readonly owned?: Owned;
  readonly clock: Clock;
  /** Carries out a batch; tells of each effect as soon as it is over. */
  perform(work: readonly Work[], settled: (work: Work, result: WorkResult) => void): Promise<unknown>;
  /** Opens an effect that was stored sealed. */
  open(key: InstanceKey, stored: StoredEffect): Promise<Effect | RawEffect>;
  /** An effect is given up: tells its instance, before it is put down. */
  dead(work: Work, error: string): Promise<void>;
  onError(error: unknown): void;
}

const BATCH_MAX = 256;
/** Effects handed over in memory; beyond that they are read from the store. */
const MEMORY_MAX = 10_000;
const RETRY_BASE_MS = 1_000;
const RETRY_MAX_MS = 300_000;
const IDLE_CHECK_MS = 5_000;
/**
 * What of a batch is over by then is settled, the rest is left to itself, and the next batch begins: one slow receiver must
 * not hold up the others.
 */
const PATIENCE_MS = 100;
/**
 * While new effects keep coming, the store is looked at so often beside them: what was left from before, or is due again,
 * must not wait until they cease.
 */
const BUSY_CHECK_MS = 500;
/** Effects left to themselves at once. */
const SLOW_MAX = 2_048;
/** Between two looks into the store while slow batches are under way: what they hold still counts as due there. */
const SLOW_CHECK_MS = 1_000;
/** After the store failed: what was carried out and could not be settled is carried out again. */
const AFTER_FAILURE_MS = 1_000;

/** Doubled per attempt, at most five minutes. */
export const retryDelayMs = (attempts: number): number => Math.min(RETRY_BASE_MS * 2 ** attempts, RETRY_MAX_MS);

/**
 * Carries out effects after the commit, at least once each, under keys that never change. What the turn commits is handed
 * over in memory; what is left from before, or due again, is read from the store.
 */
export class Outbox {
  readonly #ports: OutboxPorts;
  readonly #owned: Owned;
  #memory: OwnWork[] = [];
  /** Effects under way or waiting in memory, so that the store's copy is not taken as well. */
  readonly #held = new Set<string>();
  #running: Promise<void> | undefined;
  readonly #slow = new Set<Promise<void>>();
  /** Batches that are being carried out. */
  readonly #underWay = new Set<Promise<void>>();
  #readStore = true;
  /** A look at the store beside those from memory. */
  #beside: Promise<void> | undefined;
  #lookBesideAtMs = 0;
  /** The store may have something that is due later. */
  #lookAhead = true;
  #stopped = true;
  #callOff: () => void = () => {};

  constructor(ports: OutboxPorts) {
    this.#ports = ports;
    this.#owned = ports.owned ?? EVERYTHING;
  }

  start(): void {
    this.#stopped = false;
    this.#wake();
  }

  /** Those of other partitions are left to whoever owns them. */
  accept(committed: readonly Committed[]): void {
    for (const { tenant, instance, partition, about, effects } of committed) {
      if (effects.length === 0 || !this.#owned.has(partition)) continue;
      for (const effect of effects) this.#hand({ tenant, instance, partition, about, effect, attempts: 0 });
    }
    this.#wake();
  }

  /** Partitions are not ours any more: what waits stays in the store. Resolves when nothing of them is under way. */
  async letGo(): Promise<void> {
    this.#dropOthers();
    await Promise.allSettled(this.#underWay);
  }

  #dropOthers(): void {
    const gone = this.#memory.filter(({ partition }) => !this.#owned.has(partition));
    for (const { effect } of gone) this.#held.delete(effect.id);
    if (gone.length > 0) this.#memory = this.#memory.filter(({ partition }) => this.#owned.has(partition));
  }

  /** Something was stored that is due now. */
  kick(): void {
    this.#readStore = true;
    this.#wake();
  }

  /** Ends after the batches under way; what is left stays in the store. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#callOff();
    await this.#running;
    await this.#beside;
    await Promise.all(this.#slow);
  }

  /** Effects handed over that are not done. */
  get pending(): number {
    return this.#held.size;
  }

  #hand(work: OwnWork): void {
    if (this.#held.has(work.effect.id)) return;
    if (this.#memory.length >= MEMORY_MAX) {
      this.#readStore = true;
      return;
    }
    this.#held.add(work.effect.id);
    this.#memory.push(work);
  }

  #wake(): void {
    if (this.#stopped || this.#running) return;
    this.#callOff();
    this.#running = this.#drain().then(
      () => {
        this.#running = undefined;
        if (this.#memory.length > 0) this.#wake();
        else this.#sleep();
      },
      (error: unknown) => {
        this.#running = undefined;
        this.#ports.onError(error);
        this.#kickIn(AFTER_FAILURE_MS);
      },
    );
  }

  #kickIn(delayMs: number): void {
    if (this.#stopped) return;
    this.#callOff();
    this.#callOff = this.#ports.clock.after(delayMs, () => this.kick());
  }

  #sleep(): void {
    if (this.#stopped) return;
    this.#kickIn(IDLE_CHECK_MS);
    if (!this.#lookAhead) return;
    this.#lookAhead = false;
    this.#ports.store
      .nextDue(this.#owned.partitions())
      .then(({ effect }) => {
        if (effect === undefined || this.#stopped || this.#running) return;
        const delayMs = Math.max(effect - this.#ports.clock.now(), this.#slow.size > 0 ? SLOW_CHECK_MS : 20);
        if (delayMs < IDLE_CHECK_MS) this.#kickIn(delayMs);
      })
      .catch((error: unknown) => this.#ports.onError(error));
  }

  async #drain(): Promise<void> {
    this.#lookBesideAtMs = this.#ports.clock.steadyMs() + BUSY_CHECK_MS;
    while (!this.#stopped) {
      if (this.#ports.clock.steadyMs() >= this.#lookBesideAtMs) this.#beside ??= this.#lookBeside();
      const batch = this.#memory.length > 0 ? this.#memory.splice(0, BATCH_MAX) : await this.#fromStore();
      if (batch.length === 0) return;
      const done = this.#carryOut(batch);
      this.#underWay.add(done);
      const over = () => this.#underWay.delete(done);
      done.then(over, over);
      if ((await within(this.#ports.clock, PATIENCE_MS, done)) === "late") await this.#leave(done);
    }
  }

  /** Goes on without waiting for it, unless too many are under way already. */
  async #leave(done: Promise<void>): Promise<void> {
    const slow: Promise<void> = done
      .then(
        () => this.kick(), // It may have left something to be tried again.
        (error: unknown) => {
          this.#ports.onError(error);
          this.#kickIn(AFTER_FAILURE_MS);
        },
      )
      .finally(() => this.#slow.delete(slow));
    this.#slow.add(slow);
    while (this.#held.size - this.#memory.length >= SLOW_MAX && this.#slow.size > 0) await Promise.race(this.#slow);
  }

  /** What it finds comes before what waits in memory, for it is older. */
  async #lookBeside(): Promise<void> {
    this.#readStore = true;
    try {
      const found = await this.#fromStore();
      this.#memory.unshift(...found);
      this.#dropOthers();
      // As many as fit: there are more.
      const afterMs = found.length === BATCH_MAX ? 0 : BUSY_CHECK_MS;
      this.#lookBesideAtMs = this.#ports.clock.steadyMs() + afterMs;
    } catch (error) {
      this.#lookBesideAtMs = this.#ports.clock.steadyMs() + AFTER_FAILURE_MS;
      this.#ports.onError(error);
    }
    this.#beside = undefined;
    if (this.#memory.length > 0) this.#wake();
  }

  async #fromStore(): Promise<readonly OwnWork[]> {
    if (!this.#readStore) return [];
    this.#lookAhead = true;
    const due = await this.#ports.store.dueEffects(this.#owned.partitions(), this.#ports.clock.now(), BATCH_MAX);
    if (due.length < BATCH_MAX) this.#readStore = false;
    const free = due.filter(({ effect, partition }) => !this.#held.has(effect.id) && this.#owned.has(partition));
    for (const { effect } of free) this.#held.add(effect.id);
    const opened = await Promise.all(free.map((stored) => this.#open(stored))).catch((error: unknown) => {
      for (const { effect } of free) this.#held.delete(effect.id);
      throw error;
    });
    const work = opened.filter((one) => one !== undefined);
    return work.length === 0 && free.length > 0 ? this.#fromStore() : work;
  }

  /** One that can't be opened now (its key is not in the ring, say) must not hold up the others. */
  async #open(stored: StoredEffect): Promise<OwnWork | undefined> {
    const { tenant, instance, partition, attempts, effect } = stored;
    try {
      return { tenant, instance, partition, attempts, effect: await this.#ports.open({ tenant, instance }, stored) };
    } catch (error) {
      this.#ports.onError(error);
      const nextAt = this.#ports.clock.now() + retryDelayMs(attempts);
      await this.#ports.store.settleEffects([{ tenant, id: effect.id, kind: "retry", nextAt, error: String(error) }]);
      this.#held.delete(effect.id);
      return undefined;
    }
  }

  /** Settles all in one write, or, when some take long, those that are over by then and each of the others when it is. */
  async #carryOut(batch: readonly Work[]): Promise<void> {
    const { clock } = this.#ports;
    const over: Over[] = [];
    let isLate = false;
    let settled = Promise.resolve();
    const settle = (): void => {
      const now = over.splice(0);
      if (now.length > 0) settled = Promise.all([settled, this.#settle(now)]).then(() => {});
      settled.catch(() => {}); // Told of at the end.
    };
    const callOff = clock.after(PATIENCE_MS, () => {
      isLate = true;
      settle();
    });
    try {
      await this.#ports.perform(batch, (work, result) => {
        over.push({ work, result });
        if (isLate && over.length === 1) clock.soon(settle);
      });
      settle();
      await settled;
    } finally {
      callOff();
      for (const { effect } of batch) this.#held.delete(effect.id);
    }
  }

  async #settle(over: readonly Over[]): Promise<void> {
    const buried = over.some(({ result }) => result.kind === "dead")
      ? await Promise.all(over.map((one) => this.#buried(one)))
      : over;
    const now = this.#ports.clock.now();
    const settlements = buried.map(({ work, result }) => settlement(work, result, now));
    await this.#ports.store.settleEffects(settlements);
    for (const { work } of over) this.#held.delete(work.effect.id);
    if (settlements.some(({ kind }) => kind === "retry")) this.#lookAhead = true;
  }

  /** The instance is told first: after a crash in between it is told again, which changes nothing. */
  async #buried({ work, result }: Over): Promise<Over> {
    if (result.kind !== "dead") return { work, result };
    try {
      await this.#ports.dead(work, result.error);
      return { work, result };
    } catch (error) {
      this.#ports.onError(error);
      return { work, result: { kind: "retry", error: result.error } };
    }
  }
}

function settlement({ tenant, effect, attempts }: Work, result: WorkResult, now: number): EffectSettlement {
  const key = { tenant, id: effect.id };
  if (result.kind !== "retry") return { ...key, ...result };
  return { ...key, kind: "retry", nextAt: now + (result.afterMs ?? retryDelayMs(attempts)), error: result.error };
}
