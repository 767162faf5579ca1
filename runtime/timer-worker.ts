import { compareTimers } from "../engine/index.ts";
import { EVERYTHING, type Owned } from "./cluster/owned.ts";
import type { Clock, EpochMs, InstanceKey, Store, StoredTimer } from "./ports.ts";
import type { Committed, Envelope, Reply } from "./turn.ts";

export interface TimerPorts {
  readonly store: Store;
  /** Absent: all partitions. */
  readonly owned?: Owned;
  readonly clock: Clock;
  submit(envelope: Envelope): Promise<Reply>;
  onError(error: unknown): void;
}

const BATCH_MAX = 256;
const IDLE_CHECK_MS = 5_000;
/** Between two tries of a timer whose decision could not be made, and after the store failed. */
const RETRY_MS = 1_000;

/** Fires durable timers as commands: late rather than never, and once, because the engine refuses a timer that is gone. */
export class TimerWorker {
  readonly #ports: TimerPorts;
  readonly #owned: Owned;
  #callOff: () => void = () => {};
  #wakeAt = Number.POSITIVE_INFINITY;
  #running: Promise<void> | undefined;
  #stopped = true;
  /** Timers whose decision needs an answer that did not come, by name, and when to try again. */
  readonly #later = new Map<string, EpochMs>();

  constructor(ports: TimerPorts) {
    this.#ports = ports;
    this.#owned = ports.owned ?? EVERYTHING;
  }

  start(): void {
    this.#stopped = false;
    this.#run();
  }

  accept(committed: readonly Committed[]): void {
    let earliest = Number.POSITIVE_INFINITY;
    for (const { timersSet, partition } of committed) {
      if (timersSet.length === 0 || !this.#owned.has(partition)) continue;
      for (const { dueAt } of timersSet) earliest = Math.min(earliest, dueAt);
    }
    if (earliest < this.#wakeAt) this.#sleepUntil(earliest);
  }

  /** The store may have something that is due. */
  kick(): void {
    this.#sleepUntil(this.#ports.clock.now());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#callOff();
    await this.#running;
  }

  #sleepUntil(instant: number): void {
    if (this.#stopped) return;
    this.#callOff();
    this.#wakeAt = instant;
    const delayMs = Math.min(Math.max(instant - this.#ports.clock.now(), 0), IDLE_CHECK_MS);
    this.#callOff = this.#ports.clock.after(delayMs, () => this.#run());
  }

  #run(): void {
    if (this.#stopped || this.#running) return;
    // Timers that are set meanwhile make it earlier.
    this.#wakeAt = Number.POSITIVE_INFINITY;
    this.#running = this.#fireDue()
      .then(() => this.#nextAt())
      .catch((error: unknown) => {
        this.#ports.onError(error);
        return this.#ports.clock.now() + RETRY_MS;
      })
      .then((nextAt) => {
        this.#running = undefined;
        this.#sleepUntil(Math.min(nextAt, this.#wakeAt));
      });
  }

  /** When there is something to do again: the store's next timer, or one that is to be tried again. */
  async #nextAt(): Promise<EpochMs> {
    const { timer = Number.POSITIVE_INFINITY } = await this.#ports.store.nextDue(this.#owned.partitions());
    const retryAt = Math.min(...this.#later.values());
    // With a timer that waits for its next try, the store's next one tells nothing.
    return this.#later.size > 0 ? Math.min(retryAt, this.#ports.clock.now() + RETRY_MS) : timer;
  }

  async #fireDue(): Promise<void> {
    for (;;) {
      const now = this.#ports.clock.now();
      const limit = BATCH_MAX + this.#later.size;
      const found = await this.#ports.store.dueTimers(this.#owned.partitions(), now, limit);
      const due = found.filter((timer) => (this.#later.get(nameOf(timer)) ?? 0) <= now);
      due.sort((a, b) => compareTimers(a.timer, b.timer));
      const fired = await Promise.all(due.map((timer) => this.#fire(timer)));
      const gone = fired.filter((timer) => typeof timer === "object");
      if (gone.length > 0) await this.#ports.store.dropTimers(gone);
      if (found.length < limit) this.#forgetAllBut(found);
      if (found.length < limit || this.#stopped || fired.every((result) => result === "failed")) return;
    }
  }

  /** What was to be tried again may have been ended by something else. */
  #forgetAllBut(found: readonly StoredTimer[]): void {
    const names = new Set(found.map(nameOf));
    for (const name of this.#later.keys()) if (!names.has(name)) this.#later.delete(name);
  }

  /** @returns the timer if the engine does not know it any more. One that can't be decided must not hold up the others. */
  async #fire(stored: StoredTimer): Promise<(InstanceKey & { readonly timer: string }) | "fired" | "failed"> {
    const { tenant, instance, timer } = stored;
    const command = { kind: "timer" as const, id: `timer:${timer.id}`, source: "assent/timers", timer: timer.id };
    const reply = await this.#ports.submit({ tenant, instance, command }).catch((error: unknown) => {
      this.#ports.onError(error);
      return undefined;
    });
    if (!reply || (reply.kind === "refused" && reply.refusal.retryable)) {
      this.#later.set(nameOf(stored), this.#ports.clock.now() + RETRY_MS);
      return "failed";
    }
    this.#later.delete(nameOf(stored));
    return reply.kind === "accepted" && !reply.duplicate ? "fired" : { tenant, instance, timer: timer.id };
  }
}

const nameOf = ({ tenant, instance, timer }: StoredTimer): string => `${tenant}\u0000${instance}\u0000${timer.id}`;
