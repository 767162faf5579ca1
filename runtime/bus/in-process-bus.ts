import { systemClock, within } from "../clock.ts";
import type { Bus, BusMessage, Clock, Headers, OutMessage, Service, ServiceInstance } from "../ports.ts";
import { BusUnavailable, NoResponders, NotSendable, RequestTimedOut, ServiceFailed } from "./bus-errors.ts";
import { EventBus, type SubscribeOptions } from "./event-bus.ts";
import { Fifo } from "./fifo.ts";
import { type Delivery, Intake } from "./intake.ts";
import { isPublishable, parseServiceSubject, subjectMatcher } from "./subjects.ts";

/** How many messages may be here and not acked; then `send` waits. */
const UNSETTLED_MAX = 2_048;
/** So many ids are remembered, per direction, to drop a message that comes twice. */
const IDS_REMEMBERED = 16_384;

export interface InProcessBusOptions {
  readonly unsettledMax?: number;
  readonly clock?: Clock;
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
  readonly #clock: Clock;
  readonly #onProblem: (error: unknown) => void;
  /** The stream: what is not acked, oldest first. */
  readonly #stream = new Map<number, Message>();
  #nextPosition = 1;
  #intake: Intake | undefined;
  #closed = false;
  /** Senders that wait for room, in order. */
  readonly #senders = new Fifo<Sender>();
  readonly #events: EventBus<OutMessage>;
  /** Those that were asked longest ago come first. */
  #services: readonly Serving[] = [];
  readonly #idsIn = new RecentIds();
  readonly #idsOut = new RecentIds();

  constructor(options: InProcessBusOptions = {}) {
    this.#unsettledMax = options.unsettledMax ?? UNSETTLED_MAX;
    this.#clock = options.clock ?? systemClock;
    this.#onProblem = options.onProblem ?? (() => {});
    this.#events = new EventBus(this.#onProblem);
  }

  get connected(): boolean {
    return !this.#closed;
  }

  wants(subject: string): boolean {
    return this.#events.has(subject);
  }

  get dropped(): number {
    return this.#events.figures.dropped;
  }

  async publish(messages: readonly OutMessage[]): Promise<void> {
    const taken: Promise<void>[] = [];
    for (const message of messages) {
      const room = message.subject.startsWith("assent.in.") ? this.send(message) : this.#deliver(message);
      if (room !== undefined) taken.push(room);
    }
    await Promise.all(taken);
  }

  async send(message: OutMessage): Promise<void> {
    this.#check(message);
    if (this.#hasRoom() && this.#senders.size === 0) this.#store(message);
    else await new Promise<void>((resolve, reject) => this.#senders.push({ message, resolve, reject }));
  }

  consume(handler: (messages: readonly BusMessage[]) => Promise<void>): Promise<void> {
    this.#intake?.stop();
    const intake = new Intake({ handler, onProblem: this.#onProblem, after: this.#clock.after });
    this.#intake = intake;
    for (const message of this.#stream.values()) intake.offer(message.deliver());
    return Promise.resolve();
  }

  /** A listener that gives a promise gets the next message when that is over; meanwhile they wait, and then who publishes. */
  subscribe(
    pattern: string,
    listener: (message: OutMessage) => unknown,
    options?: SubscribeOptions,
  ): Promise<() => void> {
    return Promise.resolve(this.#events.subscribe(pattern, listener, options));
  }

  serve(pattern: string, service: Service, metadata: ServiceInstance["metadata"] = {}): Promise<() => void> {
    const serving = { pattern, matches: subjectMatcher(pattern), service, metadata };
    this.#services = [...this.#services, serving];
    return Promise.resolve(() => {
      this.#services = this.#services.filter((other) => other !== serving);
    });
  }

  discover(): Promise<readonly ServiceInstance[]> {
    const found = this.#services.flatMap(({ pattern, metadata }): ServiceInstance[] => {
      const about = parseServiceSubject(pattern);
      return about ? [{ name: about.service, id: about.instance ?? pattern, metadata, subjects: [pattern] }] : [];
    });
    return Promise.resolve(found);
  }

  async request(subject: string, body: string, options: { headers: Headers; timeoutMs: number }): Promise<string> {
    const serving = this.#services.find(({ matches }) => matches(subject));
    if (serving === undefined) throw new NoResponders(subject);
    this.#services = [...this.#services.filter((other) => other !== serving), serving];
    const answered = answer(serving.service, subject, body, options.headers).then((text) => ({ text }));
    const reply = await within(this.#clock, options.timeoutMs, answered);
    if (reply === "late") throw new RequestTimedOut(subject, options.timeoutMs);
    return reply.text;
  }

  /** Whoever consumes here gets all that is sent here. */
  take(): Promise<void> {
    return Promise.resolve();
  }

  tell(subject: string): void {
    void this.#events.publish(subject, { subject, id: "", headers: {}, body: "" });
  }

  stop(): Promise<void> {
    this.#intake?.stop();
    this.#intake = undefined;
    return Promise.resolve();
  }

  async close(): Promise<void> {
    await this.stop();
    this.#closed = true;
    this.#events.close();
    this.#services = [];
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

  #deliver(message: OutMessage): Promise<void> | undefined {
    this.#check(message);
    return this.#idsOut.add(message.id) ? this.#events.publish(message.subject, message) : undefined;
  }
}

interface Sender {
  readonly message: OutMessage;
  resolve(): void;
  reject(error: unknown): void;
}

interface Serving {
  readonly pattern: string;
  readonly matches: (subject: string) => boolean;
  readonly service: Service;
  readonly metadata: ServiceInstance["metadata"];
}

async function answer(service: Service, subject: string, body: string, headers: Headers): Promise<string> {
  try {
    return await service(body, headers, subject);
  } catch (error) {
    if (error instanceof ServiceFailed) throw error;
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
