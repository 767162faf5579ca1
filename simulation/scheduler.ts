import type { Random } from "./random.ts";

interface Happening {
  readonly atMs: number;
  /** Decides between those of one instant. */
  readonly tie: number;
  /** Who it happens to, and what; the same in every run of a seed. */
  readonly what: string;
  readonly run: () => void;
  calledOff: boolean;
}

/**
 * The only source of order in a simulated world. Everything that takes time is a happening in its queue; one happens at a
 * time, and whatever follows from it at once (promises that settle) is over before the next.
 */
export class Scheduler {
  readonly random: Random;
  /** Gets a line for each happening. */
  readonly #trace: ((line: string) => void) | undefined;
  readonly #queue = new Heap();
  #nowMs = 0;
  #happened = 0;
  #hash = 0;

  constructor(random: Random, trace?: (line: string) => void) {
    this.random = random;
    this.#trace = trace;
  }

  /** Milliseconds since the beginning of the world. */
  get nowMs(): number {
    return this.#nowMs;
  }

  get happened(): number {
    return this.#happened;
  }

  /** Over all that happened, in order: two runs with the same hash were the same. */
  get traceHash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  /** @returns the function that calls it off. */
  after(delayMs: number, what: string, run: () => void): () => void {
    const happening = {
      atMs: this.#nowMs + Math.max(delayMs, 0),
      tie: this.random.next(),
      what,
      run,
      calledOff: false,
    };
    this.#queue.push(happening);
    return () => {
      happening.calledOff = true;
    };
  }

  /** Lets things happen until the condition holds, nothing is left, or the time is over. @returns whether it holds. */
  async runUntil(isOver: () => boolean, untilMs: number): Promise<boolean> {
    await settled();
    for (;;) {
      if (isOver()) return true;
      const next = this.#queue.peek();
      if (!next || next.atMs > untilMs) return isOver();
      this.#queue.pop();
      if (next.calledOff) continue;
      this.#nowMs = next.atMs;
      this.#note(next.what);
      next.run();
      await settled();
    }
  }

  /** Adds a line to the trace without letting anything happen. */
  note(what: string): void {
    this.#note(what);
  }

  #note(what: string): void {
    this.#happened += 1;
    let hash = Math.imul(this.#hash ^ Math.floor(this.#nowMs * 1_000), 0x01000193);
    for (let index = 0; index < what.length; index++) hash = Math.imul(hash ^ what.charCodeAt(index), 0x01000193);
    this.#hash = hash;
    this.#trace?.(`${this.#nowMs.toFixed(3)} ${what}`);
  }
}

/** Promises that can settle have settled then: the process itself waits for nothing outside. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const isBefore = (a: Happening, b: Happening): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.tie < b.tie);

/** The earliest first. */
class Heap {
  readonly #items: Happening[] = [];

  peek(): Happening | undefined {
    return this.#items[0];
  }

  push(item: Happening): void {
    const items = this.#items;
    let at = items.length;
    items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(item, items[parent]!)) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = item;
  }

  pop(): void {
    const items = this.#items;
    const last = items.pop()!;
    if (items.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && isBefore(items[child + 1]!, items[child]!)) child += 1;
      if (!isBefore(items[child]!, last)) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = last;
  }
}
