import type { Clock } from "../ports.ts";
import { type Retained, type RetentionPorts, retain } from "./retention.ts";

/** A node that has just started has other things to do. */
const FIRST_MS = 60_000;
const EVERY_MS = 3_600_000;

export interface RetentionWorkerPorts extends RetentionPorts {
  readonly clock: Clock;
  /** Of several nodes one is enough. */
  isMine(): boolean;
  done(retained: Retained): void;
  onError(error: unknown): void;
}

/** Looks once an hour for entries that are old enough to be moved or pruned. */
export class RetentionWorker {
  readonly #ports: RetentionWorkerPorts;
  #callOff: () => void = () => {};
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(ports: RetentionWorkerPorts) {
    this.#ports = ports;
  }

  start(): void {
    this.#callOff = this.#ports.clock.after(FIRST_MS, () => this.#run());
  }

  /** Ends after the pass under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#callOff();
    await this.#running;
  }

  #run(): void {
    this.#running = this.#pass().then(() => {
      if (!this.#stopped) this.#callOff = this.#ports.clock.after(EVERY_MS, () => this.#run());
    });
  }

  async #pass(): Promise<void> {
    const { clock, isMine, done, onError } = this.#ports;
    if (!isMine()) return;
    try {
      done(await retain(this.#ports, clock.now()));
    } catch (error) {
      onError(error);
    }
  }
}
