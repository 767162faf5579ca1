import {
  type Bus,
  type BusMessage,
  BusUnavailable,
  type Delivery,
  type Headers,
  type Held,
  Intake,
  NoResponders,
  type OutMessage,
  RequestTimedOut,
  ServiceFailed,
  type ServiceInstance,
  subjectMatcher,
} from "../../runtime/index.ts";
import { type BusServer, type Streamed, sourcesOf } from "./bus-server.ts";
import type { Process } from "./process.ts";

/** Whose consumer was deleted tries to have it again after this. */
const JOIN_MS = 500;
const CONFIRM_MS = 5_000;

/** One process's connection to the server. */
export class BusConnection implements Bus {
  readonly kind = "nats";
  readonly #server: BusServer;
  readonly #process: Process;
  #intake: Intake<StreamedDelivery> | undefined;
  /** Claims by source. */
  readonly #pulls = new Map<number, number>();
  #isCut = false;
  #isClosed = false;
  /** Grows with each break: what was under way before is lost. */
  #session = 0;
  /** Nothing overtakes on one connection. */
  #lastSentMs = 0;
  #lastArrivalMs = 0;

  constructor(server: BusServer, process: Process) {
    this.#server = server;
    this.#process = process;
  }

  get connected(): boolean {
    return !this.#isCut && !this.#isClosed;
  }

  wants(): boolean {
    return true;
  }

  /** The connection breaks, and comes again after a while. */
  cut(forMs: number): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#session += 1;
    this.#process.after(forMs, "is connected to the bus again", () => {
      this.#isCut = false;
      this.#intake?.forget();
      for (const [source, epoch] of this.#pulls) this.#pull(source, epoch);
    });
  }

  /** The process is dead. */
  lose(): void {
    this.#isClosed = true;
    this.#session += 1;
  }

  async consume(
    handler: (messages: readonly BusMessage[]) => Promise<void>,
    held: "all" | readonly Held[] = [],
  ): Promise<void> {
    this.#intake = new Intake<StreamedDelivery>({
      handler,
      onProblem: (error) => {
        throw error;
      },
      after: (delayMs, callBack) => this.#process.after(delayMs, "waited for a message", callBack),
    });
    if (held !== "all") await this.take(held);
  }

  async take(held: readonly Held[]): Promise<void> {
    const intake = this.#intake;
    if (!intake) return;
    const wanted = new Map(held.flatMap((one) => sourcesOf(one).map((source) => [source, one.epoch] as const)));
    for (const [source, epoch] of this.#pulls) {
      if (wanted.get(source) === epoch) continue;
      this.#pulls.delete(source);
      intake.release((delivery) => delivery.source === source && delivery.epoch === epoch);
    }
    const added = [...wanted].filter(([source]) => !this.#pulls.has(source));
    for (const [source, epoch] of added) this.#pulls.set(source, epoch);
    await Promise.all(added.map(([source, epoch]) => this.#pull(source, epoch)));
  }

  /** Somebody else took over. As long as this node does not know of it, it tries to have it again. */
  lostConsumer(source: number, epoch: number): void {
    this.#toProcess("hears that a consumer was deleted", () => this.#joinLater(source, epoch));
  }

  #joinLater(source: number, epoch: number): void {
    this.#process.after(JOIN_MS, "tries to consume again", () => void this.#pull(source, epoch));
  }

  #pull(source: number, epoch: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#isClosed || this.#pulls.get(source) !== epoch) return Promise.resolve();
    // A connection that is cut begins anew when it comes again.
    if (this.#isCut) return Promise.resolve();
    this.#toServer("consume", () => {
      const has = this.#server.consume(source, { connection: this, epoch });
      this.#toProcess(has ? "consumes" : "can't consume", () => {
        if (!has) this.#joinLater(source, epoch);
        resolve();
      });
    });
    return promise;
  }

  tell(subject: string): void {
    const { random, weather } = this.#server;
    if (!this.connected || random.chance(weather.now.publishLost)) return;
    this.#toServer(`tell ${subject}`, () => this.#server.tell(subject));
  }

  hear(subject: string, listener: (message: OutMessage) => void): void {
    this.#toProcess(`is told ${subject}`, () => listener({ subject, id: "", headers: {}, body: "" }));
  }

  subscribe(pattern: string, listener: (message: OutMessage) => void): Promise<() => void> {
    return Promise.resolve(this.#server.listen({ connection: this, matches: subjectMatcher(pattern), hear: listener }));
  }

  serve(): Promise<() => void> {
    return Promise.resolve(() => {});
  }

  discover(): Promise<readonly ServiceInstance[]> {
    return Promise.resolve([]);
  }

  deliver(streamed: Streamed, epoch: number): void {
    this.#toProcess(`gets message ${streamed.position}`, () => {
      if (this.#pulls.get(streamed.source) !== epoch) return;
      this.#intake?.offer(new StreamedDelivery(streamed, epoch, () => this.#ack(streamed)));
    });
  }

  #ack(streamed: Streamed): void {
    const { random, weather } = this.#server;
    if (this.#isCut || random.chance(weather.now.ackLost)) return;
    this.#toServer(`ack of ${streamed.position}`, () => {
      streamed.isAcked = true;
    });
  }

  async publish(messages: readonly OutMessage[]): Promise<void> {
    await Promise.all(messages.map((message) => this.#publishOne(message)));
  }

  send(message: OutMessage): Promise<void> {
    return this.publish([message]);
  }

  #publishOne(message: OutMessage): Promise<void> {
    const { random, weather } = this.#server;
    const { publishLost, publishAnswerLost } = weather.now;
    const lostAnswer = random.chance(publishAnswerLost);
    const sent = () => {
      if (!random.chance(publishLost)) {
        this.#server.take(message, this.#process.name);
        return !lostAnswer;
      }
      return false;
    };
    return this.#roundTrip(`publish ${message.id}`, sent);
  }

  /** @param atServer false: no answer comes back. */
  #roundTrip(what: string, atServer: () => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (!this.connected) {
      this.#process.after(1, `can't ${what}`, () => reject(new BusUnavailable("there is no connection to the bus")));
      return promise;
    }
    const callOff = this.#process.after(CONFIRM_MS, `waits no longer: ${what}`, () =>
      reject(new BusUnavailable(`no confirmation: ${what}`)),
    );
    const confirmed = () => {
      callOff();
      resolve();
    };
    this.#toServer(what, () => {
      if (atServer()) this.#toProcess(`is confirmed: ${what}`, confirmed);
    });
    return promise;
  }

  async request(subject: string, body: string, options: { headers: Headers; timeoutMs: number }): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    if (!this.connected) throw new BusUnavailable("there is no connection to the bus");
    const callOff = this.#process.after(options.timeoutMs, `waits no longer: ${subject}`, () =>
      reject(new RequestTimedOut(subject, options.timeoutMs)),
    );
    this.#toServer(`request ${subject}`, () => {
      const end = this.#server.responder(subject, body, options.headers);
      if (end.kind === "silent") return;
      this.#toProcess(`hears from ${subject}`, () => {
        callOff();
        if (end.kind === "done") resolve(end.reply ?? "");
        else if (end.why === "nobody") reject(new NoResponders(subject));
        else reject(new ServiceFailed("500", end.why, ""));
      });
    });
    return promise;
  }

  stop(): Promise<void> {
    this.#intake?.stop();
    this.#intake?.forget();
    this.#intake = undefined;
    this.#pulls.clear();
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return this.stop();
  }

  /** In order, as on one connection. */
  #toServer(what: string, arrive: () => void): void {
    const { scheduler, random } = this.#server;
    const session = this.#session;
    if (this.#isCut) return;
    this.#lastSentMs = Math.max(this.#lastSentMs + 0.001, scheduler.nowMs + random.delayMs(0.5));
    scheduler.after(this.#lastSentMs - scheduler.nowMs, `bus: ${what} of ${this.#process.name}`, () => {
      if (session === this.#session) arrive();
    });
  }

  /** In order, as on one connection. */
  #toProcess(what: string, arrive: () => void): void {
    const { scheduler, random } = this.#server;
    const session = this.#session;
    if (this.#isCut) return;
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs + 0.001, scheduler.nowMs + random.delayMs(0.5));
    this.#process.after(this.#lastArrivalMs - scheduler.nowMs, what, () => {
      if (session === this.#session) arrive();
    });
  }
}

class StreamedDelivery implements Delivery {
  readonly subject: string;
  readonly position: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
  readonly deliveries: number;
  readonly source: number;
  readonly epoch: number;
  readonly ack: () => void;

  constructor({ position, message, deliveries, source }: Streamed, epoch: number, ack: () => void) {
    this.subject = message.subject;
    this.position = position;
    this.headers = { ...message.headers, "Nats-Msg-Id": message.id };
    this.body = new TextEncoder().encode(message.body);
    this.deliveries = deliveries;
    this.source = source;
    this.epoch = epoch;
    this.ack = ack;
  }
}
