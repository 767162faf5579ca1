import { setTimeout as delay } from "node:timers/promises";
import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  type ConsumerMessages,
  DeliverPolicy,
  type JetStreamManager,
  type JsMsg,
  type NatsConnection,
  NatsError,
  nanos,
  RetentionPolicy,
} from "nats";
import type { BusMessage, Headers, Held } from "../ports.ts";
import { type Delivery, Intake } from "./intake.ts";
import { toHeaders } from "./nats-headers.ts";
import { makeStreams, orMissing, STREAM_IN, SUBJECTS_WITHOUT_KEY, sentSubject, subjectsOf } from "./nats-streams.ts";

/** What is held longer is announced as being worked on, three times in this time. */
export const ACK_WAIT_MS = 30_000;
/** Of one partition. */
const UNSETTLED_MAX = 1_024;
const PULL_MAX = 256;
const RETRY_MS = 500;

const PREFIX = "assent";

export interface ConsumersOptions {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  /** How many there are. */
  readonly partitions: number;
  readonly unsettledMax?: number;
  readonly onProblem: (error: unknown) => void;
}

/** What one consumer is for: a partition, or what has no key in its subject. */
interface Source {
  /** The consumer's name. It names the claim's epoch, so that an owner of before can't pull from its successor's. */
  readonly name: string;
  /** With which the names of its predecessors begin. */
  readonly prefix: string;
  readonly epoch: number;
  readonly filter: readonly string[];
}

/** The stream in, as it was found. */
interface Prepared {
  readonly consumers: readonly ConsumerInfo[];
  /** What is acked is gone. */
  readonly isQueue: boolean;
}

function sourcesOf(held: readonly Held[]): readonly Source[] {
  return held.flatMap(({ partition, epoch }) => {
    const source = { prefix: `${PREFIX}-${partition}-`, filter: subjectsOf(partition) };
    const keyless = { prefix: `${PREFIX}-keyless-`, filter: SUBJECTS_WITHOUT_KEY };
    const all = partition === 0 ? [source, keyless] : [source];
    return all.map((one) => ({ ...one, epoch, name: `${one.prefix}${epoch}` }));
  });
}

/** Pulls the messages of the partitions that this node has: one durable consumer each, and all into one intake. */
export class NatsConsumers {
  readonly #options: ConsumersOptions;
  readonly #pulls = new Map<string, Pull>();
  #intake: Intake<JetStreamDelivery> | undefined;
  #consuming = false;
  #prepared: Promise<Prepared> | undefined;

  constructor(options: ConsumersOptions) {
    this.#options = options;
  }

  async start(
    handler: (messages: readonly BusMessage[]) => Promise<void>,
    held: "all" | readonly Held[],
  ): Promise<void> {
    this.stop();
    this.#consuming = true;
    this.#intake = new Intake({ handler, onProblem: this.#options.onProblem });
    const { partitions } = this.#options;
    await this.take(held === "all" ? Array.from({ length: partitions }, (_, n) => ({ partition: n, epoch: 0 })) : held);
  }

  async take(held: readonly Held[]): Promise<void> {
    const intake = this.#intake;
    if (!intake || !this.#consuming) return;
    const wanted = new Map(sourcesOf(held).map((source) => [source.name, source]));
    for (const [name, pull] of this.#pulls) {
      if (wanted.has(name)) continue;
      pull.stop();
      this.#pulls.delete(name);
      intake.release(({ consumer }) => consumer === name);
    }
    const added = [...wanted.values()].filter(({ name }) => !this.#pulls.has(name));
    const pulls = added.map((source) => new Pull(source, intake, this.#options, () => this.#prepare()));
    for (const [index, { name }] of added.entries()) this.#pulls.set(name, pulls[index]!);
    await Promise.all(pulls.map((pull) => pull.start("take-over")));
  }

  /** What was on its way when the connection broke comes again. */
  reconnected(): void {
    this.#intake?.forget();
    for (const pull of this.#pulls.values()) void pull.start("take-over");
  }

  announceWork(): void {
    if (this.#intake) for (const delivery of this.#intake.unsettled()) delivery.working();
  }

  stop(): void {
    for (const pull of this.#pulls.values()) pull.stop();
    this.#pulls.clear();
    this.#consuming = false;
    this.#intake?.stop();
    this.#intake?.forget();
  }

  /** The streams are there. Done once for all who ask at once. */
  #prepare(): Promise<Prepared> {
    const { manager, partitions } = this.#options;
    const prepare = async (): Promise<Prepared> => {
      const { retention } = await makeStreams(manager, partitions);
      return { consumers: await listConsumers(manager), isQueue: retention === RetentionPolicy.Workqueue };
    };
    this.#prepared ??= prepare().finally(() => {
      this.#prepared = undefined;
    });
    return this.#prepared;
  }
}

/** Pulls from one consumer until it is stopped. */
class Pull {
  readonly #source: Source;
  readonly #intake: Intake<JetStreamDelivery>;
  readonly #options: ConsumersOptions;
  readonly #prepare: () => Promise<Prepared>;
  #messages: ConsumerMessages | undefined;
  /** Grows with each start; whoever belongs to an older one stops. */
  #session = 0;

  constructor(
    source: Source,
    intake: Intake<JetStreamDelivery>,
    options: ConsumersOptions,
    prepare: () => Promise<Prepared>,
  ) {
    this.#source = source;
    this.#intake = intake;
    this.#options = options;
    this.#prepare = prepare;
  }

  /**
   * Pulls, unless somebody with a later claim does: then it waits until it is told that the partition is not ours any more.
   *
   * Taking over, at the start and after every break of the connection, begins with the oldest message that is not acked:
   * what was on its way to a dead process or connection would else come only after the ack wait, behind later messages of
   * the same subject. Those that come a second time are known by their position here, else by their command's id.
   */
  async start(how: "take-over" | "join"): Promise<void> {
    const session = ++this.#session;
    this.#messages?.stop();
    const { connection, onProblem } = this.#options;
    while (session === this.#session && !connection.isClosed()) {
      try {
        const prepared = await this.#prepare();
        if (session !== this.#session) return;
        const isOurs = await this.#makeConsumer(prepared, how);
        if (isOurs && session === this.#session) await this.#pull(session);
        if (isOurs) return;
        await delay(RETRY_MS, undefined, { ref: false });
      } catch (error) {
        onProblem(error);
        await delay(RETRY_MS, undefined, { ref: false });
      }
    }
  }

  stop(): void {
    this.#session += 1;
    this.#messages?.stop();
  }

  /** The epoch decides: earlier ones' consumers go. @returns false if there is one of a later one. */
  async #makeConsumer({ consumers, isQueue }: Prepared, how: "take-over" | "join"): Promise<boolean> {
    const { manager, unsettledMax = UNSETTLED_MAX } = this.#options;
    const { name, prefix, epoch, filter } = this.#source;
    const before = consumers.filter((consumer) => consumer.name.startsWith(prefix));
    if (before.some((consumer) => Number(consumer.name.slice(prefix.length)) > epoch)) return false;
    const own = before.find((consumer) => consumer.name === name);
    const isKept = own !== undefined && (how === "join" || own.num_ack_pending === 0);
    for (const consumer of before)
      if (consumer !== own || !isKept) await orMissing(manager.consumers.delete(STREAM_IN, consumer.name));
    if (isKept) return true;
    await manager.consumers.add(STREAM_IN, {
      durable_name: name,
      ...(filter.length === 1 ? { filter_subject: filter[0]! } : { filter_subjects: [...filter] }),
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(ACK_WAIT_MS),
      max_ack_pending: unsettledMax,
      ...startingPoint(before, isQueue),
    });
    return true;
  }

  async #pull(session: number): Promise<void> {
    const { connection, unsettledMax = UNSETTLED_MAX } = this.#options;
    const { name } = this.#source;
    const consumer = await connection.jetstream().consumers.get(STREAM_IN, name);
    const messages = await consumer.consume({
      max_messages: Math.min(PULL_MAX, unsettledMax),
      expires: ACK_WAIT_MS,
      idle_heartbeat: 5_000,
      callback: (message) => {
        if (session === this.#session) this.#intake.offer(new JetStreamDelivery(message, name));
      },
    });
    if (session !== this.#session) return messages.stop();
    this.#messages = messages;
    void this.#watch(messages, session);
  }

  /** A consumer that somebody deleted is made again. Not taken over: two nodes would take it from each other for ever. */
  async #watch(messages: ConsumerMessages, session: number): Promise<void> {
    const gone = new Set(["consumer_deleted", "consumer_not_found", "stream_not_found"]);
    for await (const { type } of await messages.status()) {
      if (session !== this.#session) return;
      if (!gone.has(type)) continue;
      this.#options.onProblem(new Error(`NATS: ${this.#source.name}: ${type.replaceAll("_", " ")}`));
      await delay(RETRY_MS, undefined, { ref: false });
      if (session === this.#session) void this.start("join");
      return;
    }
  }
}

class JetStreamDelivery implements Delivery {
  readonly position: number;
  readonly subject: string;
  readonly consumer: string;
  readonly #message: JsMsg;
  #headers: Headers | undefined;

  constructor(message: JsMsg, consumer: string) {
    this.#message = message;
    this.position = message.seq;
    this.subject = sentSubject(message.subject);
    this.consumer = consumer;
  }

  get body(): Uint8Array {
    return this.#message.data;
  }
  get headers(): Headers {
    this.#headers ??= toHeaders(this.#message.headers);
    return this.#headers;
  }
  get deliveries(): number {
    return this.#message.info.deliveryCount;
  }

  /** An ack that gets lost, as on a closed connection, means that the message comes again. */
  ack(): void {
    try {
      this.#message.ack();
    } catch (error) {
      if (!(error instanceof NatsError)) throw error;
    }
  }
  working(): void {
    this.#message.working();
  }
}

async function listConsumers(manager: JetStreamManager): Promise<readonly ConsumerInfo[]> {
  const found: ConsumerInfo[] = [];
  for await (const consumer of manager.consumers.list(STREAM_IN)) found.push(consumer);
  return found;
}

/** On a work queue all that is there is unacked. A stream that an operator made to keep messages has to be told where. */
function startingPoint(before: readonly ConsumerInfo[], isQueue: boolean): Partial<ConsumerConfig> {
  if (before.length === 0 || isQueue) return { deliver_policy: DeliverPolicy.All };
  const acked = Math.max(...before.map(({ ack_floor }) => ack_floor.stream_seq));
  return { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: acked + 1 };
}
