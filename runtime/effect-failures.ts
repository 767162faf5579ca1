import { retryDelayMs, type Work, type WorkResult } from "./outbox.ts";
import { type Bus, StoreUnavailable } from "./ports.ts";
import { Recent } from "./recent.ts";
import { ServiceCallFailed } from "./services/service-call-failed.ts";
import { Overloaded } from "./turn.ts";

/** Tries of an effect that fail for a reason of its own before it is given up. */
export const TRIES_MAX = 5;
/** Tries to reach a service that is not there before that is given up: about a day, five minutes apart at the end. */
export const AWAY_TRIES_MAX = 300;
/** While the bus is away it is looked for at least so often: when it comes back, everything goes on soon. */
const RETRY_MAX_MS = 30_000;
const NODE_RETRY_MS = 1_000;
const REMEMBERED_MAX = 20_000;

interface Tries {
  readonly failed: number;
  readonly away: number;
}
const NONE: Tries = { failed: 0, away: 0 };

/**
 * What becomes of an effect after a failed try. Only failures of its own count towards {@link TRIES_MAX}: that the bus, a
 * service or the store is away says nothing of the effect. Counted in memory: after a restart an effect gets its tries anew.
 */
export class EffectFailures {
  readonly #bus: Pick<Bus, "connected">;
  readonly #random: () => number;
  readonly #tries = new Recent<Tries>(REMEMBERED_MAX);

  constructor(bus: Pick<Bus, "connected">, random: () => number = Math.random) {
    this.#bus = bus;
    this.#random = random;
  }

  judge(work: Work, error: unknown): WorkResult {
    // The node has no room or the store is away.
    if (error instanceof Overloaded || error instanceof StoreUnavailable) return this.#again(error, NODE_RETRY_MS);
    const how = error instanceof ServiceCallFailed ? error.how : "failed";
    if (how === "refused") return { kind: "dead", error: messageOf(error) };
    if (how === "away" && !this.#bus.connected) return this.untilItWorks(work, error);
    const { failed, away } = this.#count(work, how);
    if (failed >= TRIES_MAX || away >= AWAY_TRIES_MAX) return { kind: "dead", error: messageOf(error) };
    return this.#again(error, retryDelayMs(failed + away - 1));
  }

  /** Tried until it works: it is not the effect's own fault, and nobody else would try it again. */
  untilItWorks(work: Work, error: unknown): WorkResult {
    return this.#again(error, Math.min(retryDelayMs(work.attempts), RETRY_MAX_MS));
  }

  forget({ effect }: Work): void {
    this.#tries.delete(effect.id);
  }

  #count({ effect, attempts }: Work, how: "failed" | "away"): Tries {
    // An administrator who sends it again makes it new.
    const before = attempts === 0 ? NONE : (this.#tries.get(effect.id) ?? NONE);
    const tries = { ...before, [how]: before[how] + 1 };
    this.#tries.set(effect.id, tries);
    return tries;
  }

  /** Jitter of a quarter either way: what failed together does not come back together. */
  #again(error: unknown, delayMs: number): WorkResult {
    const afterMs = Math.round(delayMs * (0.75 + this.#random() / 2));
    return { kind: "retry", error: messageOf(error), afterMs };
  }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
