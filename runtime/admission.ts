import type { Clock } from "./ports.ts";

export interface AdmissionPorts {
  readonly clock: Pick<Clock, "steadyMs">;
  /** Commands that wait to be decided and written now. */
  waiting(): number;
  /** Commands that were answered, ever. */
  answered(): number;
}

export interface AdmissionLimits {
  /** A command that would wait longer, about, is turned away. */
  readonly waitMaxMs: number;
  /** So many may always wait: a burst is no overload. */
  readonly waitingFree: number;
}

export const ADMISSION_LIMITS: AdmissionLimits = { waitMaxMs: 50, waitingFree: 256 };

/** The rate is measured over at least so long. */
const MEASURE_MS = 100;
/** Before it is measured. */
const FIRST_RATE = 5;
/** Answers per millisecond: a store that stands still must not make the wait endless. */
const RATE_MIN = 0.001;
const RETRY_AFTER_MAX_MS = 30_000;
/** Share of the newest measurement in the rate. */
const NEWEST = 0.3;

/**
 * Turns callers away before too many wait. By Little's law who comes now waits for as long as it takes to answer those
 * before him: their number by the rate at which they are answered. So those who are let in are answered soon, however many
 * come, and who is turned away knows at once.
 */
export class Admission {
  readonly #ports: AdmissionPorts;
  readonly #limits: AdmissionLimits;
  /** Answers per millisecond while there was enough to do. */
  #rate = FIRST_RATE;
  #measured: { readonly atMs: number; readonly answered: number };

  constructor(ports: AdmissionPorts, limits: AdmissionLimits = ADMISSION_LIMITS) {
    this.#ports = ports;
    this.#limits = limits;
    this.#measured = { atMs: ports.clock.steadyMs(), answered: ports.answered() };
  }

  /** @returns `undefined` if a command may come now, else when it is worth coming again. */
  turnedAwayForMs(): number | undefined {
    const waiting = this.#ports.waiting();
    this.#measure(waiting);
    return waiting < this.limit ? undefined : Math.min(Math.ceil(waiting / this.#rate), RETRY_AFTER_MAX_MS);
  }

  /** So many may wait now. */
  get limit(): number {
    return Math.max(Math.floor(this.#rate * this.#limits.waitMaxMs), this.#limits.waitingFree);
  }

  /** How fast it can be is seen while many wait; while few do, only that it can be as fast as it is. */
  #measure(waiting: number): void {
    const atMs = this.#ports.clock.steadyMs();
    const passedMs = atMs - this.#measured.atMs;
    if (passedMs < MEASURE_MS) return;
    const answered = this.#ports.answered();
    const rate = (answered - this.#measured.answered) / passedMs;
    const isBusy = waiting >= this.#limits.waitingFree / 2;
    const known = isBusy ? this.#rate * (1 - NEWEST) + rate * NEWEST : Math.max(this.#rate, rate);
    this.#rate = Math.max(known, RATE_MIN);
    this.#measured = { atMs, answered };
  }
}
