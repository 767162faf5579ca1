import { join } from "node:path";
import { Worker } from "node:worker_threads";
import {
  AckPolicy,
  connect,
  createInbox,
  headers,
  type JsMsg,
  type NatsConnection,
  nanos,
  RetentionPolicy,
} from "nats";
import type { Committed, Work } from "./nats-pipeline-writer.ts";

/**
 * NATS event in → durable → event out, written by hand for this one job, as somebody would who wants it fast: pull
 * consumer with a callback, batches, one SQLite commit per batch in a worker (dedupe, row, history, outbox), the reaction
 * published under its id and confirmed, explicit acks after the commit. The limit that ours is measured against.
 */

const BATCH_MAX = 512;
const UNCONFIRMED_MAX = 1_024;

export interface ReferenceOptions {
  /** Of a running nats-server with JetStream. */
  readonly url: string;
  /** For the database; on the disk that is to be measured. */
  readonly folder: string;
}

export interface Load {
  readonly events: number;
  /** Over how many instances the events are spread. */
  readonly instances: number;
  /** The event's data as JSON; an `id` is not needed, the message has one. */
  readonly body: string;
}

/** Where a reaction appears; its data has the key of the event's instance. */
export const REFERENCE_REACTION = "reference.out.t.f.done";

export const referenceEvent = (key: string): string => `reference.in.t.f.submit.${key}`;

/** Publishes the events first, then measures from the first pull until the last reaction is confirmed and settled. */
export function runReference(options: ReferenceOptions & Load): Promise<{ readonly eventsPerSecond: number }> {
  const { events, instances, body } = options;
  return withReference(options, async ({ publisher, pump }) => {
    const arriving = Array.from({ length: events }, (_, n) =>
      publisher.publish(referenceEvent(`k${n % instances}`), `e${n}`, body),
    );
    await Promise.all(arriving);
    const started = performance.now();
    await pump(events);
    return { eventsPerSecond: (1_000 * events) / (performance.now() - started) };
  });
}

export interface Running {
  readonly publisher: Publisher;
  /** Until so many events have their reactions. */
  pump(events: number): Promise<void>;
}

/** With streams of its own, which are removed. */
export async function withReference<T>(
  { url, folder }: ReferenceOptions,
  work: (running: Running) => Promise<T>,
): Promise<T> {
  const connection = await connect({ servers: url });
  const manager = await connection.jetstreamManager();
  for (const left of await manager.streams.names().next())
    if (left.startsWith("REFERENCE_")) await manager.streams.delete(left);
  const duplicate_window = nanos(120_000);
  await manager.streams.add({
    name: "REFERENCE_IN",
    subjects: ["reference.in.>"],
    retention: RetentionPolicy.Workqueue,
    duplicate_window,
  });
  await manager.streams.add({ name: "REFERENCE_OUT", subjects: ["reference.out.>"], duplicate_window });
  await manager.consumers.add("REFERENCE_IN", {
    durable_name: "reference",
    ack_policy: AckPolicy.Explicit,
    max_ack_pending: 4 * BATCH_MAX,
  });
  const publisher = new Publisher(connection);
  const writer = new Writer(join(folder, "reference.db"));
  try {
    await writer.commit({ events: [], settled: [] }); // It is up.
    return await work({ publisher, pump: (events) => pump(connection, publisher, writer, events) });
  } finally {
    await writer.close();
    await manager.streams.delete("REFERENCE_IN");
    await manager.streams.delete("REFERENCE_OUT");
    await connection.close();
  }
}

async function pump(connection: NatsConnection, publisher: Publisher, writer: Writer, events: number): Promise<void> {
  const waiting: JsMsg[] = [];
  const settled: string[] = [];
  let wake = () => {};
  let published = 0;
  const consumer = await connection.jetstream().consumers.get("REFERENCE_IN", "reference");
  const pull = await consumer.consume({
    max_messages: 2 * BATCH_MAX,
    callback: (message) => {
      waiting.push(message);
      wake();
    },
  });
  while (published < events || settled.length > 0) {
    if (waiting.length === 0 && settled.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    const batch = waiting.splice(0, BATCH_MAX);
    const reactions = await writer.commit({ events: batch.map(toEvent), settled: settled.splice(0) });
    for (const message of batch) message.ack();
    for (const { id, body } of reactions) {
      void publisher.publish(REFERENCE_REACTION, id, body).then(() => {
        settled.push(id);
        published++;
        wake();
      });
    }
  }
  pull.stop();
  await connection.flush();
}

function toEvent(message: JsMsg): Work["events"][number] {
  const key = message.subject.slice(message.subject.lastIndexOf(".") + 1);
  return { id: message.headers!.get("Nats-Msg-Id"), key, body: message.string() };
}

/** One subscription for all the stream's answers. */
export class Publisher {
  readonly #connection: NatsConnection;
  readonly #inbox = createInbox();
  readonly #waiting = new Map<number, { resolve(): void; reject(error: Error): void }>();
  readonly #queue: (() => void)[] = [];
  #next = 0;
  #queued = 0;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
    connection.subscribe(`${this.#inbox}.*`, {
      callback: (_error, message) => {
        const token = Number(message.subject.slice(this.#inbox.length + 1));
        const stored = message.data.length > 0 && message.json<{ error?: unknown }>().error === undefined;
        if (stored) this.#waiting.get(token)?.resolve();
        else this.#waiting.get(token)?.reject(new Error(`not stored: ${message.string()}`));
        this.#waiting.delete(token);
        if (this.#queued < this.#queue.length) this.#queue[this.#queued++]!();
      },
    });
  }

  publish(subject: string, id: string, body: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const send = () => {
        const token = this.#next++;
        this.#waiting.set(token, { resolve, reject });
        const sent = headers();
        sent.set("Nats-Msg-Id", id);
        this.#connection.publish(subject, body, { reply: `${this.#inbox}.${token}`, headers: sent });
      };
      if (this.#waiting.size < UNCONFIRMED_MAX) send();
      else this.#queue.push(send);
    });
  }
}

class Writer {
  readonly #worker: Worker;
  constructor(file: string) {
    this.#worker = new Worker(new URL("./nats-pipeline-writer.ts", import.meta.url), { workerData: file });
  }

  commit(work: Work): Promise<Committed> {
    return new Promise((resolve, reject) => {
      this.#worker.once("error", reject);
      this.#worker.once("message", (committed: Committed) => {
        this.#worker.removeListener("error", reject);
        resolve(committed);
      });
      this.#worker.postMessage(work);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
