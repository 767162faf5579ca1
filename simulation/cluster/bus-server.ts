import { type Headers, type Held, type OutMessage, parseInSubject, partitionOf } from "../../runtime/index.ts";
import type { Random } from "../random.ts";
import type { Scheduler } from "../scheduler.ts";
import type { BusConnection } from "./bus-connection.ts";
import type { Weather } from "./disturbances.ts";
import type { CallEnd } from "./receivers.ts";

/** How many partitions the stream is sorted into, and the store. */
export const PARTITIONS = 4;
/** Of messages without a key in their subject: they go to whoever has partition 0. */
const KEYLESS = -1;
/** A message that is not acked is delivered again after this. */
const ACK_WAIT_MS = 30_000;
/** As long as this the stream knows a message's id, and drops a second one. */
const DEDUPE_MS = 5_000;

/** A message in the stream `assent.in.>`. */
export interface Streamed {
  readonly position: number;
  readonly message: OutMessage;
  readonly source: number;
  deliveries: number;
  isAcked: boolean;
}

/** The one consumer of a partition: who pulls from it, under which claim. */
interface Consumer {
  readonly connection: BusConnection;
  readonly epoch: number;
}

/** A message that was published on `assent.out.>`, repetitions among them. */
export interface Published {
  readonly message: OutMessage;
  readonly atMs: number;
  readonly by: string;
}

/** Answers a request, or what goes wrong instead. */
export type Responder = (subject: string, body: string, headers: Headers) => CallEnd & { readonly reply?: string };

/** A server in the manner of JetStream: a stream of what comes in, confirmed publishes, request and reply. */
export class BusServer {
  readonly scheduler: Scheduler;
  readonly weather: Weather;
  readonly stream: Streamed[] = [];
  readonly published: Published[] = [];
  /** When a message was published first, by its id. */
  readonly firstPublished = new Map<string, number>();
  readonly responder: Responder;
  readonly #witness: (key: string) => void;
  readonly #seen = new Map<string, number>();
  readonly #consumers = new Map<number, Consumer>();
  readonly #listeners = new Set<Listener>();

  constructor(scheduler: Scheduler, weather: Weather, responder: Responder, witness: (key: string) => void) {
    this.scheduler = scheduler;
    this.#witness = witness;
    this.weather = weather;
    this.responder = responder;
  }

  get random(): Random {
    return this.scheduler.random;
  }

  /** Everything that came in was acked. */
  get isEmpty(): boolean {
    return this.stream.every(({ isAcked }) => isAcked);
  }

  /** Stores a message, unless its id came a moment ago. */
  take(message: OutMessage, by: string): void {
    const { nowMs } = this.scheduler;
    const seenAtMs = this.#seen.get(message.id);
    this.#witness(message.id);
    if (!this.firstPublished.has(message.id)) this.firstPublished.set(message.id, nowMs);
    if (!message.subject.startsWith("assent.in.")) this.published.push({ message, atMs: nowMs, by });
    else if (seenAtMs === undefined || nowMs - seenAtMs > DEDUPE_MS) this.#append(message);
    this.#seen.set(message.id, nowMs);
  }

  /** The newest claim has the partition's only consumer; it begins with the oldest message that is not acked. @returns false: there is a newer one. */
  consume(source: number, consumer: Consumer): boolean {
    const before = this.#consumers.get(source);
    if (before && before.epoch > consumer.epoch) return false;
    this.#consumers.set(source, consumer);
    if (before && before.connection !== consumer.connection) before.connection.lostConsumer(source, before.epoch);
    for (const streamed of this.stream)
      if (streamed.source === source && !streamed.isAcked) this.#deliver(streamed, consumer);
    return true;
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(subject: string): void {
    for (const { connection, matches, hear } of this.#listeners) if (matches(subject)) connection.hear(subject, hear);
  }

  #append(message: OutMessage): void {
    const position = this.stream.length + 1;
    const streamed = { position, message, source: sourceOf(message.subject), deliveries: 0, isAcked: false };
    this.stream.push(streamed);
    const consumer = this.#consumers.get(streamed.source);
    if (consumer) this.#deliver(streamed, consumer);
  }

  #deliver(streamed: Streamed, consumer: Consumer): void {
    if (streamed.isAcked || this.#consumers.get(streamed.source) !== consumer) return;
    streamed.deliveries += 1;
    consumer.connection.deliver(streamed, consumer.epoch);
    const again = () => this.#deliver(streamed, consumer);
    if (this.random.chance(this.weather.now.redelivered))
      this.scheduler.after(this.random.between(1, 2_000), "bus: delivers again", again);
    else this.scheduler.after(ACK_WAIT_MS, "bus: looks for acks", again);
  }
}

interface Listener {
  readonly connection: BusConnection;
  readonly matches: (subject: string) => boolean;
  readonly hear: (message: OutMessage) => void;
}

function sourceOf(subject: string): number {
  const { tenant, flow, key } = parseInSubject(subject)!;
  return key === undefined ? KEYLESS : partitionOf(tenant, flow, key, PARTITIONS);
}

export const sourcesOf = ({ partition }: Held): readonly number[] => (partition === 0 ? [0, KEYLESS] : [partition]);
