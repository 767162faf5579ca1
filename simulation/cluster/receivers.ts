import type { Random } from "../random.ts";
import type { Scheduler } from "../scheduler.ts";
import type { Weather } from "./disturbances.ts";

/** Something that was asked of a receiver. */
export interface Call {
  readonly key: string;
  readonly name: string;
  readonly tenant: string;
  /** The process that asked. */
  readonly by: string;
  /** As JSON. */
  readonly what: string;
}

/** How a receiver answers: at once, late, or never. */
export type CallEnd =
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly why: string }
  | { readonly kind: "silent" };

/** The systems outside that do what effects ask of them, once per idempotency key. */
export class Receivers {
  /** In the order of their arrival, repetitions among them. */
  readonly calls: Call[] = [];
  /** What they have done, by key. */
  readonly done = new Map<string, Call & { readonly atMs: number }>();
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #weather: Weather;
  readonly #witness: (key: string) => void;

  constructor(scheduler: Scheduler, weather: Weather, witness: (key: string) => void) {
    this.#scheduler = scheduler;
    this.#random = scheduler.random;
    this.#weather = weather;
    this.#witness = witness;
  }

  take(call: Call): CallEnd {
    const { callFailed, callAnswerLost } = this.#weather.now;
    this.calls.push(call);
    this.#witness(call.key);
    if (this.#random.chance(callFailed)) return { kind: "failed", why: "it is out of order" };
    if (!this.done.has(call.key)) this.done.set(call.key, { ...call, atMs: this.#scheduler.nowMs });
    return this.#random.chance(callAnswerLost) ? { kind: "silent" } : { kind: "done" };
  }
}
