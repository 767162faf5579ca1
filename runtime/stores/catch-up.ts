/** What is read is at most so far behind what was written; a reader who needs it brings it up to date. */
export const BEHIND_MS = 80;
/** After the store had no room for it. */
const RETRY_MS = 1_000;

/** Knows whether the tables that lists are read from are behind the journal, and has them brought up to date. */
export class CatchUp {
  readonly #project: () => Promise<unknown>;
  readonly #behindMs: number;
  #behind = false;
  #underWay: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Names that the tables may not have yet: those since the last catching up began, and those that it brings. */
  #names = new Set<string>();
  #namesUnderWay: ReadonlySet<string> = new Set();

  /** @param project brings in all that was written before it is called. */
  constructor(project: () => Promise<unknown>, behindMs: number) {
    this.#project = project;
    this.#behindMs = behindMs;
  }

  /** Something was handed to the writer. */
  wrote(): void {
    this.#behind = true;
    this.#timer ??= this.#startTimer(this.#behindMs);
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
    clearTimeout(this.#timer);
  }

  #startTimer(delayMs: number): NodeJS.Timeout {
    // Nobody waits for it: the next reader is told of what goes wrong.
    return setTimeout(() => this.now().catch(() => undefined), delayMs).unref();
  }

  #run(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
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
      clearTimeout(this.#timer);
      this.#timer = this.#startTimer(RETRY_MS);
      throw error;
    }
  }
}
