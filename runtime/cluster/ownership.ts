import { within } from "../clock.ts";
import type { Clock, ClusterView, Held, Store } from "../ports.ts";
import { deadIn, feel, type Plan, type Pulse, plan } from "./assignment.ts";
import type { Owned } from "./owned.ts";

export interface OwnershipPorts {
  readonly store: Pick<Store, "beat" | "claim" | "cluster" | "bury" | "caughtUp">;
  readonly clock: Clock;
  /** This node's name, which no other has or had. */
  readonly node: string;
  /** How many partitions there are. */
  readonly partitions: number;
  /** Does the bus reach this node? */
  readonly isConnected: () => boolean;
  /** Between two looks; {@link LOOK_MS} by default. */
  readonly lookMs?: number;
  /** Takes up what is now owned, and lets go of the rest. Resolves when nothing of the rest is under way. */
  changed(held: readonly Held[]): Promise<void>;
  /** What a dead member left was brought into the lists: all partitions may have something that is due. */
  found(): void;
  /** A partition was let go: others should look, and not wait until they would. */
  released(): void;
  onError(error: unknown): void;
}

export const LOOK_MS = 1_500;
/** Who could not look for as long as so many looks take carries out nothing more. */
const LEASE_LOOKS = 4;
/** Whose heart stands still for so many is dead; the first may come right after a beat. */
const DEAD_LOOKS = LEASE_LOOKS + 1;
/** From whom the bus was away at so many in a row lets others have its partitions. */
const AWAY_LOOKS = 3;
/** What is under way of a partition that is let go may take so long; then it goes all the same. */
const FINISH_MS = 5_000;

/**
 * Which partitions this node carries out. It looks again and again: shows that it lives, reads what the store says of all,
 * and claims or lets go what {@link plan} tells. An owner that was paused may do one thing more before it notices; whatever it
 * sends goes out under the key under which its successor sends it.
 */
export class Ownership implements Owned {
  readonly #ports: OwnershipPorts;
  readonly #lookMs: number;
  /** Carried out here. */
  #held: ReadonlyMap<number, Held> = new Map();
  /** Still claimed, but being let go. */
  readonly #leaving = new Map<number, Promise<void>>();
  #beats = 0;
  #place: string | undefined;
  #looksAway = 0;
  #pulse: Pulse = new Map();
  /** By the steady clock. */
  #validUntilMs = Number.NEGATIVE_INFINITY;
  #countedMs = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;
  #again = false;
  #stopped = true;
  #callOff: () => void = () => {};

  constructor(ports: OwnershipPorts) {
    this.#ports = ports;
    this.#lookMs = ports.lookMs ?? LOOK_MS;
  }

  partitions(): readonly number[] {
    return this.#isValid() ? [...this.#held.keys()] : [];
  }

  has(partition: number): boolean {
    return this.#held.has(partition) && this.#isValid();
  }

  /**
   * Resolves after the first look, whether or not there was anything to have.
   * @param place where no other process can be now; whoever was there before is dead.
   */
  start(place?: string): Promise<void> {
    this.#place = place;
    this.#stopped = false;
    return this.look();
  }

  /** Now, because somebody said that there may be something new. Never two at once. */
  look(): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    this.#callOff();
    this.#again = this.#looking !== undefined;
    this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = undefined;
      if (this.#again) void this.look();
      else this.#lookLater();
    });
    return this.#looking;
  }

  /** Lets go of everything. What these partitions had under way was finished before. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#callOff();
    await this.#looking;
    await Promise.all(this.#leaving.values());
    const { store, node } = { ...this.#ports };
    try {
      const held = [...this.#held.values()];
      this.#held = new Map();
      await store.caughtUp();
      await Promise.all(held.map(({ partition, epoch }) => store.claim({ partition, epoch: epoch + 1 })));
      await store.bury(node);
      this.#ports.released();
    } catch (error) {
      this.#ports.onError(error); // The others see after a lease time that this node is gone.
    }
  }

  #isValid(): boolean {
    return this.#ports.clock.steadyMs() < this.#validUntilMs;
  }

  #lookLater(): void {
    if (!this.#stopped) this.#callOff = this.#ports.clock.after(this.#lookMs, () => void this.look());
  }

  async #lookOnce(): Promise<void> {
    try {
      const { store, clock, node } = this.#ports;
      const nowMs = clock.steadyMs();
      const validUntilMs = nowMs + LEASE_LOOKS * this.#lookMs;
      this.#beats += 1;
      this.#looksAway = this.#ports.isConnected() ? 0 : this.#looksAway + 1;
      await store.beat({
        ...{ node, beats: this.#beats },
        ...(this.#place !== undefined && { place: this.#place }),
        ...(this.#looksAway >= AWAY_LOOKS && { isAway: true }),
      });
      const view = await store.cluster();
      // One that somebody asked for in between says nothing of hearts that beat from time to time.
      const counts = nowMs - this.#countedMs >= this.#lookMs;
      this.#pulse = feel(this.#pulse, view, counts);
      if (counts) this.#countedMs = nowMs;
      await this.#follow(this.#plan(view), validUntilMs);
    } catch (error) {
      this.#ports.onError(error);
    }
  }

  #plan(view: ClusterView): Plan {
    const { node: me, partitions } = this.#ports;
    const dead = deadIn(this.#pulse, view, { me, place: this.#place, looks: DEAD_LOOKS });
    return plan({ me, partitions, view, dead });
  }

  async #follow({ mine, claim, release, bury }: Plan, validUntilMs: number): Promise<void> {
    const { store, node } = this.#ports;
    const won = await Promise.all(claim.map((one) => store.claim({ ...one, node })));
    const released = new Set(release.map(({ partition }) => partition));
    const kept = mine.filter(({ partition }) => !released.has(partition) && !this.#leaving.has(partition));
    const held = [...kept, ...claim.filter((_, index) => won[index])];
    this.#validUntilMs = validUntilMs;
    this.#have(held);
    for (const one of release) if (!this.#leaving.has(one.partition)) this.#leave(one);
    for (const member of bury) {
      await store.bury(member);
      this.#ports.found();
    }
  }

  #have(held: readonly Held[]): void {
    const before = this.#held;
    this.#held = new Map(held.map((one) => [one.partition, one]));
    const isSame = held.length === before.size && held.every((one) => before.get(one.partition)?.epoch === one.epoch);
    if (!isSame) this.#finished = this.#changed(held);
  }

  /** Of the newest change. */
  #finished: Promise<void> = Promise.resolve();

  async #changed(held: readonly Held[]): Promise<void> {
    try {
      await this.#ports.changed(held);
    } catch (error) {
      this.#ports.onError(error);
    }
  }

  /** It is ours until what is under way is finished and can be found by whoever has it next. */
  #leave({ partition, epoch }: Held): void {
    const { store, clock } = this.#ports;
    const leaving = (async () => {
      try {
        await within(clock, FINISH_MS, this.#finished);
        await store.caughtUp();
        await store.claim({ partition, epoch: epoch + 1 });
        this.#ports.released();
      } catch (error) {
        this.#ports.onError(error); // At the next look it is let go again.
      }
      this.#leaving.delete(partition);
    })();
    this.#leaving.set(partition, leaving);
  }
}
