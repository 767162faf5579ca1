import { subjectMatcher } from "../bus/subjects.ts";
import type { Bus, Clock, Store } from "../ports.ts";

/** By which nodes tell each other, at most once and without an answer: whoever misses one looks by itself a moment later. */
const PARTITION = "assent.node.partition.";
const CLAIMS = "assent.node.claims";
/** What comes meanwhile is told together. */
const TOGETHER_MS = 5;

export interface NudgePorts {
  readonly bus: Pick<Bus, "subscribe" | "tell">;
  readonly store: Pick<Store, "caughtUp">;
  readonly clock: Pick<Clock, "after">;
  /** The store may have something that is due in this partition. */
  due(partition: number): void;
  /** A partition may be free. */
  free(): void;
  onError(error: unknown): void;
}

/** What nodes of one store tell each other of work that is for another. */
export class Nudges {
  readonly #ports: NudgePorts;
  readonly #waiting = new Set<number>();
  #end: (() => void) | undefined;

  constructor(ports: NudgePorts) {
    this.#ports = ports;
  }

  async start(): Promise<void> {
    this.#end = await this.#ports.bus.subscribe("assent.node.>", ({ subject }) => {
      if (subject === CLAIMS) this.#ports.free();
      else if (isOfPartition(subject)) this.#ports.due(Number(subject.slice(PARTITION.length)));
    });
  }

  stop(): void {
    this.#end?.();
  }

  /** Something is due in a partition: its owner is told once the store's lists have it. */
  tellDue(partition: number): void {
    this.#waiting.add(partition);
    if (this.#waiting.size === 1) this.#ports.clock.after(TOGETHER_MS, () => void this.#tell());
  }

  tellFree(): void {
    this.#ports.bus.tell(CLAIMS);
  }

  async #tell(): Promise<void> {
    const partitions = [...this.#waiting];
    this.#waiting.clear();
    try {
      await this.#ports.store.caughtUp();
      for (const partition of partitions) this.#ports.bus.tell(PARTITION + partition);
    } catch (error) {
      this.#ports.onError(error); // The owner finds it at its next look.
    }
  }
}

const isOfPartition = subjectMatcher(`${PARTITION}*`);
