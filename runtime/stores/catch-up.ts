import { backgroundClock } from "../clock.ts";
import type { Clock } from "../ports.ts";

/** What is read is at most so far behind what was written; a reader who needs it brings it up to date. */
export const BEHIND_MS = 80;
/** After the store had no room for it. */
const RETRY_MS = 1_000;

/** Knows whether the tables that lists are read from are behind the journal, and has them brought up to date. */
export class CatchUp {
  readonly #project: () => Promise<unknown>;
  readonly #behindMs: number;
  readonly #after: Clock["after"];
  #behind = false;
  #underWay: Promise<void> | undefined;
  #callOff: (() => void) | undefined;
  /** Names that the tables may not have yet: those since the last catching up began, and those that it brings. */
  #names = new Set<string>();
  #namesUnderWay: ReadonlySet<string> = new Set();

  /** @param project brings in all that was written before it is called. */
  constructor(project: () => Promise<unknown>, behindMs: number, after: Clock["after"] = backgroundClock.after) {
    this.#project = project;
    this.#after = after;
    this.#behindMs = behindMs;
  }

  /** Something was handed to the writer. */
  wrote(): void {
    this.#behind = true;
    this.#callOff ??= this.#catchUpIn(this.#behindMs);
  }

  wroteName(name: string): void {
    this.#names.add(name);
  }

  mayLack(name: string): boolean {
    return this.#names.has(name) || this.#namesUnderWay.has(name);
  }

  /** Resolves when all that was written before the call can be read. @throws {StoreUnavailable} what is read is older then. */
  async now(): Promise<void> {
    await this.#underWay?.catch(() => undefined); // It began before.
    // What another reader has begun since then brings in all that this one wants.
    await (this.#underWay ?? (this.#behind ? this.#run() : undefined));
  }

  stop(): void {
    this.#callOff?.();
  }

  #catchUpIn(delayMs: number): () => void {
    // Nobody waits for it: the next reader is told of what goes wrong.
    return this.#after(delayMs, () => void this.now().catch(() => undefined));
  }

  #run(): Promise<void> {
    this.#callOff?.();
    this.#callOff = undefined;
    this.#behind = false;
    this.#namesUnderWay = this.#names;
    this.#names = new Set();
    this.#underWay = this.#bringIn().finally(() => {
      this.#underWay = undefined;
      this.#namesUnderWay = new Set();
    });
    return this.#underWay;
  }

  async #bringIn(): Promise<void> {
    try {
      await this.#project();
    } catch (error) {
      this.#behind = true;
      for (const name of this.#namesUnderWay) this.#names.add(name);
      this.#callOff?.();
      this.#callOff = this.#catchUpIn(RETRY_MS);
      throw error;
    }
  }
}
