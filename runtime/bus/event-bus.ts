import { Fifo } from "./fifo.ts";
import { subjectMatcher } from "./subjects.ts";

/** Sees every event before those who subscribed: gives it on, another in its place, or `undefined` to stop it. */
export type Middleware<Event> = (event: Event, topic: string) => Event | undefined;

/** Events come one at a time, in order: while a promise that it gave is pending, later ones wait. */
export type Handler<Event> = (event: Event, topic: string) => unknown;

export interface SubscribeOptions {
  /** Events that may wait while the handler is busy; then publishers wait. At least 1. */
  readonly queueMax?: number;
  /** The oldest that wait give way to newer ones, and are counted, instead. */
  readonly lossy?: boolean;
}

/** Counted since the bus was made, but for `waiting`. */
export interface EventBusFigures {
  /** Gave way to newer ones at somebody who asked for lossy. */
  readonly dropped: number;
  /** Stopped by a middleware. */
  readonly stopped: number;
  /** For a handler or for room in its queue, now. */
  readonly waiting: number;
}

const QUEUE_MAX = 1_024;
/** Topics whose subscribers are remembered; more are looked for anew. */
const ROUTES_MAX = 4_096;

/**
 * Events of one process by topic, tokens with dots between them; `*` in a pattern is one token, `>` at its end one or more.
 * A publisher who awaits is held back by the slowest subscriber with a full queue; nothing is dropped that nobody gave up.
 */
export class EventBus<Event extends object> {
  readonly #onProblem: (error: unknown) => void;
  #subscribers: readonly Subscriber<Event>[] = [];
  readonly #routes = new Map<string, readonly Subscriber<Event>[]>();
  readonly #middlewares: Middleware<Event>[] = [];
  #fused: Middleware<Event> | undefined;
  #stopped = 0;
  /** At subscribers that have left since. */
  #droppedBefore = 0;

  /** @param onProblem gets what handlers throw; the others go on. */
  constructor(onProblem: (error: unknown) => void = () => {}) {
    this.#onProblem = onProblem;
  }

  /** Appended to those before it. What it throws reaches the publisher. */
  use(middleware: Middleware<Event>): void {
    this.#middlewares.push(middleware);
    this.#fused = fuse(this.#middlewares);
  }

  /** @returns the function that ends it; what waits for the handler then is not handed to it any more. */
  subscribe(pattern: string, handler: Handler<Event>, options: SubscribeOptions = {}): () => void {
    const subscriber = new Subscriber(pattern, handler, options, this.#onProblem);
    this.#subscribers = [...this.#subscribers, subscriber];
    this.#routes.clear();
    return () => this.#leave(subscriber);
  }

  /** @returns `undefined` when everybody has it or has room for it, else a promise of that. */
  publish(topic: string, event: Event): Promise<void> | undefined {
    const fused = this.#fused;
    const given = fused === undefined ? event : fused(event, topic);
    if (given === undefined) {
      this.#stopped++;
      return undefined;
    }
    const route = this.#routes.get(topic) ?? this.#routeOf(topic);
    let room: Promise<void> | undefined;
    for (let index = 0; index < route.length; index++) {
      const full = route[index]!.take(given, topic);
      if (full !== undefined) room = room === undefined ? full : both(room, full);
    }
    return room;
  }

  /** Would anybody get what is published there? */
  has(topic: string): boolean {
    return (this.#routes.get(topic) ?? this.#routeOf(topic)).length > 0;
  }

  get figures(): EventBusFigures {
    let dropped = this.#droppedBefore;
    let waiting = 0;
    for (const subscriber of this.#subscribers) {
      dropped += subscriber.dropped;
      waiting += subscriber.waiting;
    }
    return { dropped, waiting, stopped: this.#stopped };
  }

  /** Everybody leaves. */
  close(): void {
    for (const subscriber of this.#subscribers) this.#leave(subscriber);
  }

  #leave(subscriber: Subscriber<Event>): void {
    if (!this.#subscribers.includes(subscriber)) return;
    this.#subscribers = this.#subscribers.filter((other) => other !== subscriber);
    this.#routes.clear();
    this.#droppedBefore += subscriber.dropped;
    subscriber.leave();
  }

  #routeOf(topic: string): readonly Subscriber<Event>[] {
    if (this.#routes.size >= ROUTES_MAX) this.#routes.clear();
    const route = this.#subscribers.filter((subscriber) => subscriber.matches(topic));
    this.#routes.set(topic, route);
    return route;
  }
}

/** One call in place of many: written out for up to three, each with a place of its own in the code, which is twice as fast as a loop. */
function fuse<Event>(all: readonly Middleware<Event>[]): Middleware<Event> | undefined {
  const [first, second, third, ...others] = all;
  if (first === undefined || second === undefined) return first;
  if (third === undefined) {
    return (event, topic) => {
      const given = first(event, topic);
      return given === undefined ? undefined : second(given, topic);
    };
  }
  const three: Middleware<Event> = (event, topic) => {
    const given = first(event, topic);
    if (given === undefined) return undefined;
    const again = second(given, topic);
    return again === undefined ? undefined : third(again, topic);
  };
  return others.length === 0 ? three : fuse([three, ...others]);
}

const both = async (one: Promise<void>, other: Promise<void>): Promise<void> => {
  await one;
  await other;
};

interface Waiting<Event> {
  readonly event: Event;
  readonly topic: string;
  /** Of the publisher, where the queue was full. */
  readonly hasRoom?: () => void;
}

class Subscriber<Event extends object> {
  readonly matches: (topic: string) => boolean;
  readonly #handler: Handler<Event>;
  readonly #onProblem: (error: unknown) => void;
  readonly #queueMax: number;
  readonly #lossy: boolean;
  readonly #queue = new Fifo<Waiting<Event>>();
  /** For room in the queue. */
  readonly #outside = new Fifo<Waiting<Event>>();
  /** The handler has not finished with an event. */
  #busy = false;
  #left = false;
  dropped = 0;

  constructor(
    pattern: string,
    handler: Handler<Event>,
    { queueMax = QUEUE_MAX, lossy = false }: SubscribeOptions,
    onProblem: (error: unknown) => void,
  ) {
    this.matches = subjectMatcher(pattern);
    this.#handler = handler;
    this.#onProblem = onProblem;
    this.#queueMax = Math.max(queueMax, 1);
    this.#lossy = lossy;
  }

  get waiting(): number {
    return this.#queue.size + this.#outside.size;
  }

  /** @returns a promise of room where there is none. */
  take(event: Event, topic: string): Promise<void> | undefined {
    if (this.#busy) return this.#keep(event, topic);
    try {
      const done = this.#handler(event, topic);
      if (done !== undefined && done instanceof Promise) void this.#follow(done);
    } catch (error) {
      this.#onProblem(error);
    }
    return undefined;
  }

  leave(): void {
    this.#left = true;
    this.#busy = true; // Whoever goes through a list of subscribers may still have it.
    this.#queue.drain();
    for (const { hasRoom } of this.#outside.drain()) hasRoom?.();
  }

  #keep(event: Event, topic: string): Promise<void> | undefined {
    if (this.#left) return undefined;
    if (this.#queue.size < this.#queueMax) {
      this.#queue.push({ event, topic });
      return undefined;
    }
    if (this.#lossy) {
      this.#queue.shift();
      this.#queue.push({ event, topic });
      this.dropped++;
      return undefined;
    }
    return new Promise((resolve) => this.#outside.push({ event, topic, hasRoom: resolve }));
  }

  /** Until the handler has finished with this event and with all that came meanwhile. */
  async #follow(done: Promise<unknown>): Promise<void> {
    this.#busy = true;
    await this.#finished(done);
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      await this.#finished(this.#handle(next));
    }
    this.#busy = this.#left;
  }

  async #handle({ event, topic }: Waiting<Event>): Promise<void> {
    await this.#handler(event, topic);
  }

  async #finished(done: Promise<unknown>): Promise<void> {
    try {
      await done;
    } catch (error) {
      this.#onProblem(error);
    }
  }

  /** Who waits outside longest gets the room. */
  #next(): Waiting<Event> | undefined {
    const next = this.#queue.shift();
    const entering = this.#outside.shift();
    if (entering !== undefined) {
      this.#queue.push(entering);
      entering.hasRoom?.();
    }
    return next;
  }
}
