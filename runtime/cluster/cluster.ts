import { randomUUID } from "node:crypto";
import type { Bus, BusMessage, Clock, Store } from "../ports.ts";
import type { Committed } from "../turn.ts";
import { Nudges } from "./nudges.ts";
import { EVERYTHING, type Owned } from "./owned.ts";
import { Ownership } from "./ownership.ts";

export interface ClusterPorts {
  readonly store: Pick<Store, "shared" | "beat" | "claim" | "cluster" | "bury" | "caughtUp">;
  readonly bus: Pick<Bus, "consume" | "take" | "subscribe" | "tell" | "connected">;
  readonly clock: Clock;
  /** This node's name, which no other has or had; absent: one is made. */
  readonly node?: string;
  /** How many partitions the store has. */
  readonly partitions: number;
  /** Between two looks at the others. */
  readonly lookMs?: number;
  /** Something may be due in one of our partitions. */
  due(): void;
  /** Some partitions are not ours any more. Resolves when nothing of them is under way. */
  letGo(): Promise<void>;
  onError(error: unknown): void;
}

type Handler = (messages: readonly BusMessage[]) => Promise<void>;

/** A node among others on the same store, or alone on one of its own. */
export interface Cluster extends Owned {
  /** How many partitions are this node's. */
  count(): number;
  /** Whoever owns the partition is told that something is due there. */
  due(partition: number): void;
  /** Decisions were committed here: their effects and timers are for whoever owns their partition. */
  committed(committed: readonly Committed[]): void;
  /**
   * Takes part: what is owned from now on is carried out, and its messages go to the handler.
   * @param place where no other process can be now.
   */
  start(handler: Handler, place?: string): Promise<void>;
  /** Lets go of everything at once, so that others need not wait. */
  stop(): Promise<void>;
}

export const joinCluster = (ports: ClusterPorts): Cluster => (ports.store.shared ? new Shared(ports) : alone(ports));

/** Nobody else is there: nothing is claimed, told or waited for. */
const alone = ({ bus, due, partitions }: ClusterPorts): Cluster => ({
  ...EVERYTHING,
  count: () => partitions,
  due: () => due(),
  committed: () => {},
  start: (handler) => bus.consume(handler, "all"),
  stop: async () => {},
});

class Shared implements Cluster {
  readonly #ports: ClusterPorts;
  readonly #ownership: Ownership;
  readonly #nudges: Nudges;

  constructor(ports: ClusterPorts) {
    this.#ports = ports;
    const { store, bus, clock, partitions, lookMs, onError } = ports;
    this.#nudges = new Nudges({
      ...{ store, bus, clock, onError },
      due: (partition) => this.#isDue(partition),
      free: () => void this.#ownership.look(),
    });
    this.#ownership = new Ownership({
      ...{ store, clock, partitions, onError },
      node: ports.node ?? randomUUID(),
      isConnected: () => bus.connected,
      ...(lookMs !== undefined && { lookMs }),
      changed: async (held) => {
        await Promise.all([bus.take(held), ports.letGo()]);
        ports.due();
      },
      found: () => {
        for (let partition = 0; partition < partitions; partition++) this.due(partition);
      },
      released: () => this.#nudges.tellFree(),
    });
  }

  partitions(): readonly number[] {
    return this.#ownership.partitions();
  }

  has(partition: number): boolean {
    return this.#ownership.has(partition);
  }

  count(): number {
    return this.partitions().length;
  }

  due(partition: number): void {
    if (this.has(partition)) this.#ports.due();
    else this.#nudges.tellDue(partition);
  }

  committed(committed: readonly Committed[]): void {
    for (const { partition, effects, timersSet } of committed)
      if ((effects.length > 0 || timersSet.length > 0) && !this.has(partition)) this.#nudges.tellDue(partition);
  }

  async start(handler: Handler, place?: string): Promise<void> {
    await this.#nudges.start();
    await this.#ports.bus.consume(handler, []);
    await this.#ownership.start(place);
  }

  async stop(): Promise<void> {
    await this.#ownership.stop();
    this.#nudges.stop();
  }

  #isDue(partition: number): void {
    if (this.has(partition)) this.#ports.due();
  }
}
