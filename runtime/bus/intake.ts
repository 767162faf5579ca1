import { systemClock } from "../clock.ts";
import type { BusMessage, Clock, Headers } from "../ports.ts";
import { orderOf } from "./subjects.ts";

/** At most so many messages in one call of the handler: one turn's worth. */
export const BATCH_MAX = 256;
/** What a handler left unsettled when it failed is tried again after this. */
export const RETRY_AFTER_FAILURE_MS = 1_000;

/** A message as its stream delivers it. */
export interface Delivery {
  readonly subject: string;
  /** Place in the stream; grows. The same message delivered again has the same one. */
  readonly position: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** How often the stream has delivered it, this time included. */
  readonly deliveries: number;
  ack(): void;
}

export interface IntakeOptions {
  readonly handler: (messages: readonly BusMessage[]) => Promise<void>;
  /** The handler failed. */
  readonly onProblem: (error: unknown) => void;
  readonly after?: Clock["after"];
}

/**
 * What stands between a stream and its handler on every bus: takes deliveries one by one, hands them out in batches, and
 * keeps the order of each instance's messages when one has to be tried again.
 *
 * INVARIANT: messages of one order (see {@link orderOf}) are handed out in the order of their positions. Once one of them
 * is retried, none of its order goes out until the delay is over and those that are out are settled.
 */
export class Intake<D extends Delivery = Delivery> {
  readonly #options: IntakeOptions;
  readonly #after: Clock["after"];
  /** Everything not acked yet, by position. */
  readonly #held = new Map<number, Held<D>>();
  /** To be handed out next, in order. */
  #ready: Held<D>[] = [];
  /** Orders that wait for a retry; empty nearly always. */
  readonly #lanes = new Map<string, Lane<D>>();
  #pumping = false;
  #stopped = false;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#after = options.after ?? systemClock.after;
  }

  /** Takes a delivery. One that is already here is the same message again: only the way to ack it is new. */
  offer(delivery: D): void {
    const known = this.#held.get(delivery.position);
    if (known !== undefined) {
      known.delivery = delivery;
      known.isGone = false;
      return;
    }
    const held = new Held(delivery, this.#settlement);
    this.#held.set(delivery.position, held);
    const lane = this.#laneOf(held.order);
    if (lane !== undefined) lane.waiting.push(held);
    else {
      this.#ready.push(held);
      this.#wake();
    }
  }

  /** Drops what was not handed out, because the stream will deliver it again. */
  forget(): void {
    for (const [position, held] of this.#held) if (!held.isOut) this.#held.delete(position);
    this.#ready = [];
    for (const lane of this.#lanes.values()) lane.waiting.length = 0;
  }

  /** Somebody else gets these from now on: they are dropped, and those that are out can be acked but are not tried again. */
  release(isGone: (delivery: D) => boolean): void {
    const gone = [...this.#held.values()].filter(({ delivery }) => isGone(delivery));
    for (const held of gone) {
      held.isGone = true;
      if (!held.isOut) this.#held.delete(held.delivery.position);
    }
    this.#ready = this.#ready.filter((held) => !held.isGone);
    for (const lane of this.#lanes.values()) {
      const stays = lane.waiting.filter((held) => !held.isGone);
      lane.waiting.splice(0, lane.waiting.length, ...stays);
    }
  }

  /** Hands nothing out any more. What is out can still be acked. */
  stop(): void {
    this.#stopped = true;
    for (const lane of this.#lanes.values()) lane.callOff?.();
    this.#lanes.clear();
  }

  /** All that is not acked. */
  *unsettled(): Iterable<D> {
    for (const held of this.#held.values()) yield held.delivery;
  }

  /** Starts after the current chunk of the stream has been read, so that its messages go out together. */
  #wake(): void {
    if (this.#pumping || this.#stopped) return;
    this.#pumping = true;
    queueMicrotask(() => void this.#pump());
  }

  async #pump(): Promise<void> {
    while (this.#ready.length > 0 && !this.#stopped) {
      const batch = this.#ready.splice(0, BATCH_MAX);
      for (const held of batch) held.isOut = true;
      try {
        await this.#options.handler(batch);
      } catch (error) {
        this.#options.onProblem(error);
        for (const held of batch) held.retry(RETRY_AFTER_FAILURE_MS);
      }
    }
    this.#pumping = false;
  }

  readonly #settlement: Settlement<D> = {
    acked: (held) => {
      this.#held.delete(held.delivery.position);
      held.delivery.ack();
      this.#cameBack(this.#laneOf(held.order));
    },
    retried: (held, delayMs) => {
      if (this.#stopped) return;
      if (held.isGone) return this.#settledElsewhere(held);
      const lane = this.#laneOf(held.order) ?? this.#openLane(held.order);
      held.isOut = false;
      const later = lane.waiting.findIndex((other) => other.delivery.position > held.delivery.position);
      lane.waiting.splice(later < 0 ? lane.waiting.length : later, 0, held);
      lane.callOff?.();
      lane.callOff = this.#after(delayMs, () => {
        lane.callOff = undefined;
        this.#releaseIfFree(lane);
      });
      this.#cameBack(lane);
    },
  };

  #settledElsewhere(held: Held<D>): void {
    held.isOut = false;
    this.#held.delete(held.delivery.position);
    this.#cameBack(this.#laneOf(held.order));
  }

  #laneOf(order: string): Lane<D> | undefined {
    return this.#lanes.size === 0 ? undefined : this.#lanes.get(order);
  }

  #openLane(order: string): Lane<D> {
    const lane: Lane<D> = {
      order,
      waiting: this.#ready.filter((held) => held.order === order),
      out: 0,
      callOff: undefined,
    };
    if (lane.waiting.length > 0) this.#ready = this.#ready.filter((held) => held.order !== order);
    for (const held of this.#held.values()) if (held.isOut && held.order === order) lane.out++;
    this.#lanes.set(order, lane);
    return lane;
  }

  #cameBack(lane: Lane<D> | undefined): void {
    if (lane === undefined) return;
    lane.out--;
    this.#releaseIfFree(lane);
  }

  #releaseIfFree(lane: Lane<D>): void {
    if (lane.out > 0 || lane.callOff !== undefined) return;
    this.#lanes.delete(lane.order);
    for (const held of lane.waiting) this.#ready.push(held);
    this.#wake();
  }
}

interface Lane<D extends Delivery> {
  readonly order: string;
  readonly waiting: Held<D>[];
  /** How many of the order are handed out and not settled. */
  out: number;
  /** Present while the delay runs. */
  callOff: (() => void) | undefined;
}

interface Settlement<D extends Delivery> {
  acked(held: Held<D>): void;
  retried(held: Held<D>, delayMs: number): void;
}

/** The handler's view of a delivery. Only the first settling of each handing out counts. */
class Held<D extends Delivery> implements BusMessage {
  delivery: D;
  readonly subject: string;
  readonly order: string;
  isOut = false;
  /** Its partition is another node's by now. */
  isGone = false;
  #retries = 0;
  readonly #settlement: Settlement<D>;

  constructor(delivery: D, settlement: Settlement<D>) {
    this.delivery = delivery;
    this.subject = delivery.subject;
    this.order = orderOf(this.subject);
    this.#settlement = settlement;
  }

  get headers(): Headers {
    return this.delivery.headers;
  }
  get body(): Uint8Array {
    return this.delivery.body;
  }
  get sequence(): string {
    return String(this.delivery.position);
  }
  get deliveries(): number {
    return this.delivery.deliveries + this.#retries;
  }

  ack(): void {
    if (!this.isOut) return;
    this.isOut = false;
    this.#settlement.acked(this);
  }

  retry(delayMs: number): void {
    if (!this.isOut) return;
    this.#retries++;
    this.#settlement.retried(this, delayMs);
  }
}
