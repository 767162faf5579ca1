import type { Clock } from "../../runtime/index.ts";
import type { Scheduler } from "../scheduler.ts";

/** The instant at which every world begins: Monday, 5 January 2026, noon in Shanghai. */
export const BEGINNING = Date.UTC(2026, 0, 5, 4);

/**
 * One process of a node, from its start to its death. What happens inside goes by {@link after} and {@link receive}: nothing
 * does once it is dead, and while it is stopped everything waits.
 */
export class Process {
  readonly name: string;
  readonly #scheduler: Scheduler;
  #isAlive = true;
  #isStopped = false;
  readonly #heldBack: (() => void)[] = [];

  constructor(name: string, scheduler: Scheduler) {
    this.name = name;
    this.#scheduler = scheduler;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Happens in this process. */
  after(delayMs: number, what: string, run: () => void): () => void {
    if (!this.#isAlive) return () => {};
    let calledOff = false;
    const callOff = this.#scheduler.after(delayMs, `${this.name} ${what}`, () =>
      this.receive(() => {
        if (!calledOff) run();
      }),
    );
    return () => {
      calledOff = true;
      callOff();
    };
  }

  /** Something reaches the process now. */
  receive(run: () => void): void {
    if (!this.#isAlive) return;
    if (this.#isStopped) this.#heldBack.push(run);
    else run();
  }

  /** At this very moment, as `kill -9`. */
  kill(): void {
    this.#isAlive = false;
    this.#heldBack.length = 0;
  }

  /** As SIGSTOP, or a long pause of its garbage collector; then it goes on with all that came meanwhile. */
  stop(forMs: number): void {
    if (!this.#isAlive || this.#isStopped) return;
    this.#isStopped = true;
    this.#scheduler.after(forMs, `${this.name} goes on`, () => {
      this.#isStopped = false;
      // Each is a happening of its own, in their order, so that it can die in between.
      for (const [index, run] of this.#heldBack.splice(0).entries()) this.after(index / 1_000, "catches up", run);
    });
  }
}

/** The clock of a machine; it outlives the node's processes. */
export class MachineClock {
  readonly #scheduler: Scheduler;
  /** How far it is from the true time. */
  skewMs = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  now(): number {
    return Math.floor(BEGINNING + this.#scheduler.nowMs + this.skewMs);
  }
}

/** The clock port of a process. */
export function clockOf(process: Process, machine: MachineClock, scheduler: Scheduler): Clock {
  return {
    now: () => machine.now(),
    steadyMs: () => scheduler.nowMs,
    after: (delayMs, callBack) => process.after(delayMs, "waited", callBack),
    soon: (callBack) => void process.after(0, "goes on soon", callBack),
  };
}
