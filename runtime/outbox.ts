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

export interface OutboxPorts {
  readonly store: Store;
  readonly clock: Clock;
  /** Carries out a batch; results in the same order. */
  perform(work: readonly Work[]): Promise<readonly WorkResult[]>;
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
/** A batch that takes longer is left to itself, and the next one begins: one slow receiver must not hold up the others. */
const PATIENCE_MS = 100;
/** Batches left to themselves at once. */
const SLOW_MAX = 32;
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
  readonly #memory: Work[] = [];
  /** Effects under way or waiting in memory, so that the store's copy is not taken as well. */
  readonly #held = new Set<string>();
  #running: Promise<void> | undefined;
  readonly #slow = new Set<Promise<void>>();
  #readStore = true;
  /** The store may have something that is due later. */
  #lookAhead = true;
  #stopped = true;
  #timer: NodeJS.Timeout | undefined;

  constructor(ports: OutboxPorts) {
    this.#ports = ports;
  }

  start(): void {
    this.#stopped = false;
    this.#wake();
  }

  accept(committed: readonly Committed[]): void {
    for (const { tenant, instance, about, effects } of committed) {
      for (const effect of effects) this.#hand({ tenant, instance, about, effect, attempts: 0 });
    }
    this.#wake();
  }

  /** Something was stored that is due now. */
  kick(): void {
    this.#readStore = true;
    this.#wake();
  }

  /** Ends after the batches under way; what is left stays in the store. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
    await Promise.all(this.#slow);
  }

  /** Effects handed over that are not done. */
  get pending(): number {
    return this.#held.size;
  }

  #hand(work: Work): void {
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
    clearTimeout(this.#timer);
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
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.kick(), delayMs);
  }

  #sleep(): void {
    if (this.#stopped) return;
    this.#kickIn(IDLE_CHECK_MS);
    if (!this.#lookAhead) return;
    this.#lookAhead = false;
    this.#ports.store
      .nextDue()
      .then(({ effect }) => {
        if (effect === undefined || this.#stopped || this.#running) return;
        const delayMs = Math.max(effect - this.#ports.clock.now(), this.#slow.size > 0 ? SLOW_CHECK_MS : 20);
        if (delayMs < IDLE_CHECK_MS) this.#kickIn(delayMs);
      })
      .catch((error: unknown) => this.#ports.onError(error));
  }

  async #drain(): Promise<void> {
    while (!this.#stopped) {
      const batch = this.#memory.length > 0 ? this.#memory.splice(0, BATCH_MAX) : await this.#fromStore();
      if (batch.length === 0) return;
      const done = this.#carryOut(batch);
      if (!(await isDoneWithin(PATIENCE_MS, done))) await this.#leave(done);
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
    if (this.#slow.size >= SLOW_MAX) await Promise.race(this.#slow);
  }

  async #fromStore(): Promise<readonly Work[]> {
    if (!this.#readStore) return [];
    this.#lookAhead = true;
    const due = await this.#ports.store.dueEffects(this.#ports.clock.now(), BATCH_MAX);
    if (due.length < BATCH_MAX) this.#readStore = false;
    const free = due.filter(({ effect }) => !this.#held.has(effect.id));
    for (const { effect } of free) this.#held.add(effect.id);
    const opened = await Promise.all(free.map((stored) => this.#open(stored))).catch((error: unknown) => {
      for (const { effect } of free) this.#held.delete(effect.id);
      throw error;
    });
    const work = opened.filter((one) => one !== undefined);
    return work.length === 0 && free.length > 0 ? this.#fromStore() : work;
  }

  /** One that can't be opened now (its key is not in the ring, say) must not hold up the others. */
  async #open(stored: StoredEffect): Promise<Work | undefined> {
    const { tenant, instance, attempts, effect } = stored;
    try {
      return { tenant, instance, attempts, effect: await this.#ports.open({ tenant, instance }, stored) };
    } catch (error) {
      this.#ports.onError(error);
      const nextAt = this.#ports.clock.now() + retryDelayMs(attempts);
      await this.#ports.store.settleEffects([{ tenant, id: effect.id, kind: "retry", nextAt, error: String(error) }]);
      this.#held.delete(effect.id);
      return undefined;
    }
  }

  async #carryOut(batch: readonly Work[]): Promise<void> {
    try {
      const performed = await this.#ports.perform(batch);
      const results = performed.some(({ kind }) => kind === "dead")
        ? await Promise.all(batch.map((work, index) => this.#buried(work, performed[index]!)))
        : performed;
      const now = this.#ports.clock.now();
      const settlements = batch.map((work, index) => settlement(work, results[index]!, now));
      await this.#ports.store.settleEffects(settlements);
      if (settlements.some(({ kind }) => kind === "retry")) this.#lookAhead = true;
    } finally {
      for (const { effect } of batch) this.#held.delete(effect.id);
    }
  }

  /** The instance is told first: after a crash in between it is told again, which changes nothing. */
  async #buried(work: Work, result: WorkResult): Promise<WorkResult> {
    if (result.kind !== "dead") return result;
    try {
      await this.#ports.dead(work, result.error);
      return result;
    } catch (error) {
      this.#ports.onError(error);
      return { kind: "retry", error: result.error };
    }
  }
}

async function isDoneWithin(ms: number, work: Promise<void>): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), ms);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

function settlement({ tenant, effect, attempts }: Work, result: WorkResult, now: number): EffectSettlement {
  const key = { tenant, id: effect.id };
  if (result.kind !== "retry") return { ...key, ...result };
  return { ...key, kind: "retry", nextAt: now + (result.afterMs ?? retryDelayMs(attempts)), error: result.error };
}
