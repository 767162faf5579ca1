import type { Bus, BusMessage, Headers, OutMessage } from "../ports.ts";
import { BusUnavailable, NoResponders, NotSendable, RequestTimedOut, ServiceFailed } from "./bus-errors.ts";
import { Fifo } from "./fifo.ts";
import { type Delivery, Intake } from "./intake.ts";
import { isPublishable, subjectMatcher } from "./subjects.ts";

/** How many messages may be here and not acked; then `send` waits. */
const UNSETTLED_MAX = 2_048;
/** So many ids are remembered, per direction, to drop a message that comes twice. */
const IDS_REMEMBERED = 16_384;

/** Answers requests on a subject. What it throws reaches the asker as `ServiceFailed`. */
export type Service = (body: string, headers: Headers) => string | Promise<string>;

export interface InProcessBusOptions {
  readonly unsettledMax?: number;
  /** A handler or a listener failed. */
  readonly onProblem?: (error: unknown) => void;
}

/**
 * The bus of a node that runs alone. What goes out comes from the outbox, which is durable and publishes again after a
 * crash; what comes in waits in memory until it is acked, so a sender who needs it durable waits for the command's answer.
 */
export class InProcessBus implements Bus {
  readonly kind = "in-process";
  readonly #unsettledMax: number;
  readonly #onProblem: (error: unknown) => void;
  /** The stream: what is not acked, oldest first. */
  readonly #stream = new Map<number, Message>();
  #nextPosition = 1;
  #intake: Intake | undefined;
  #closed = false;
  /** Senders that wait for room, in order. */
  readonly #senders = new Fifo<Sender>();
  readonly #subscriptions = new Set<Subscription>();
  readonly #services = new Map<string, Service>();
  readonly #idsIn = new RecentIds();
  readonly #idsOut = new RecentIds();

  constructor(options: InProcessBusOptions = {}) {
    this.#unsettledMax = options.unsettledMax ?? UNSETTLED_MAX;
    this.#onProblem = options.onProblem ?? (() => {});
  }

  get connected(): boolean {
    return !this.#closed;
  }

  wants(subject: string): boolean {
    for (const { matches } of this.#subscriptions) if (matches(subject)) return true;
    return false;
  }

  async publish(messages: readonly OutMessage[]): Promise<void> {
    const sent: Promise<void>[] = [];
    for (const message of messages) {
      if (message.subject.startsWith("assent.in.")) sent.push(this.send(message));
      else this.#deliver(message);
    }
    await Promise.all(sent);
  }

  async send(message: OutMessage): Promise<void> {
    this.#check(message);
    if (this.#hasRoom() && this.#senders.size === 0) this.#store(message);
    else await new Promise<void>((resolve, reject) => this.#senders.push({ message, resolve, reject }));
  }

  consume(handler: (messages: readonly BusMessage[]) => Promise<void>): Promise<void> {
    this.#intake?.stop();
    const intake = new Intake({ handler, onProblem: this.#onProblem });
    this.#intake = intake;
    for (const message of this.#stream.values()) intake.offer(message.deliver());
    return Promise.resolve();
  }

  subscribe(pattern: string, listener: (message: OutMessage) => void): Promise<() => void> {
    const subscription = { matches: subjectMatcher(pattern), listener };
    this.#subscriptions.add(subscription);
    return Promise.resolve(() => void this.#subscriptions.delete(subscription));
  }

  /** Serves a subject for {@link request}. Returns the function that ends it. */
  serve(subject: string, service: Service): Promise<() => void> {
    this.#services.set(subject, service);
    return Promise.resolve(() => void this.#services.delete(subject));
  }

  async request(subject: string, body: string, options: { headers: Headers; timeoutMs: number }): Promise<string> {
    const service = this.#services.get(subject);
    if (service === undefined) throw new NoResponders(subject);
    let timer: NodeJS.Timeout | undefined;
    const timeOut = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new RequestTimedOut(subject, options.timeoutMs)), options.timeoutMs);
    });
    try {
      return await Promise.race([answer(service, body, options.headers), timeOut]);
    } finally {
      clearTimeout(timer);
    }
  }

  stop(): Promise<void> {
    this.#intake?.stop();
    this.#intake = undefined;
    return Promise.resolve();
  }

  async close(): Promise<void> {
    await this.stop();
    this.#closed = true;
    this.#subscriptions.clear();
    this.#services.clear();
    for (const sender of this.#senders.drain()) sender.reject(new BusUnavailable("the bus is closed"));
  }

  /** @throws {NotSendable} @throws {BusUnavailable} */
  #check(message: OutMessage): void {
    if (this.#closed) throw new BusUnavailable("the bus is closed");
    if (!isPublishable(message.subject)) throw new NotSendable(`\`${message.subject}\` is no subject to send to`);
  }

  #hasRoom(): boolean {
    return this.#stream.size < this.#unsettledMax;
  }

  #store(message: OutMessage): void {
    if (!this.#idsIn.add(message.id)) return;
    const position = this.#nextPosition++;
    const stored = new Message(message, position, () => this.#acked(position));
    this.#stream.set(position, stored);
    this.#intake?.offer(stored.deliver());
  }

  #acked(position: number): void {
    this.#stream.delete(position);
    while (this.#senders.size > 0 && this.#hasRoom()) {
      const sender = this.#senders.shift()!;
      this.#store(sender.message);
      sender.resolve();
    }
  }

  #deliver(message: OutMessage): void {
    this.#check(message);
    if (!this.#idsOut.add(message.id)) return;
    for (const { matches, listener } of this.#subscriptions) {
      if (!matches(message.subject)) continue;
      try {
        listener(message);
      } catch (error) {
        this.#onProblem(error);
      }
    }
  }
}

interface Sender {
  readonly message: OutMessage;
  resolve(): void;
  reject(error: unknown): void;
}

interface Subscription {
  readonly matches: (subject: string) => boolean;
  readonly listener: (message: OutMessage) => void;
}

async function answer(service: Service, body: string, headers: Headers): Promise<string> {
  try {
    return await service(body, headers);
  } catch (error) {
    throw new ServiceFailed("500", error instanceof Error ? error.message : String(error), "");
  }
}

class Message implements Delivery {
  readonly subject: string;
  readonly position: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
  deliveries = 0;
  readonly ack: () => void;

  constructor(message: OutMessage, position: number, ack: () => void) {
    this.subject = message.subject;
    this.position = position;
    this.headers = { ...message.headers, "Nats-Msg-Id": message.id };
    this.body = new TextEncoder().encode(message.body);
    this.ack = ack;
  }

  deliver(): this {
    this.deliveries++;
    return this;
  }
}

/** Remembers the newest ids, between one and two halves of them: dropping a whole half costs less than one id at a time. */
class RecentIds {
  #newer = new Set<string>();
  #older = new Set<string>();

  /** False if the id is known. */
  add(id: string): boolean {
    if (this.#newer.has(id) || this.#older.has(id)) return false;
    this.#newer.add(id);
    if (this.#newer.size >= IDS_REMEMBERED / 2) {
      this.#older = this.#newer;
      this.#newer = new Set();
    }
    return true;
  }
}
