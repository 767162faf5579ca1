import type { OutMessage } from "../ports.ts";
import { BusUnavailable, NotSendable } from "./bus-errors.ts";
import { Fifo } from "./fifo.ts";

/** At most so many sent and not confirmed; more in flight gains nothing and fills the server's buffers. */
const UNCONFIRMED_MAX = 1_024;
/** Without an answer in this time a message is sent again, under the same id. */
const ANSWER_TIMEOUT_MS = 2_000;
/** A stream without a leader is asked again after this. */
const REFUSED_RETRY_MS = 250;
/** Then the caller is told; it publishes again when it likes. */
const GIVE_UP_AFTER_MS = 15_000;

/** What a stream said of a message. */
export type Confirmation =
  | { readonly kind: "stored" }
  | { readonly kind: "try-again"; readonly reason: string }
  | { readonly kind: "refused"; readonly reason: string };

export interface PublisherWire {
  readonly connected: boolean;
  /** Puts it on the wire; the answer comes by {@link ConfirmedPublisher.confirm} with the same token. Throws if it can't be sent at all. */
  send(message: OutMessage, token: number): void;
  /** Milliseconds that only grow. */
  now(): number;
}

/**
 * Publishes with confirmation, many at a time: each message carries a token to which the stream's answer comes back. One
 * subscription for all answers is several times cheaper than a request each. Messages keep their order, also when the
 * connection breaks: then all that are not confirmed are sent again from the oldest, and the stream drops the known ids.
 */
export class ConfirmedPublisher {
  readonly #wire: PublisherWire;
  readonly #sent = new Map<number, Entry>();
  readonly #waiting = new Fifo<Entry>();
  #nextToken = 0;

  constructor(wire: PublisherWire) {
    this.#wire = wire;
  }

  /** @throws {BusUnavailable} one was not confirmed in time. @throws {NotSendable} one can't be sent or was refused for good. */
  publish(messages: readonly OutMessage[]): Promise<void> {
    if (messages.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const batch: Batch = { unconfirmed: messages.length, resolve, reject };
      const giveUpAt = this.#wire.now() + GIVE_UP_AFTER_MS;
      for (const message of messages) this.#waiting.push({ message, batch, giveUpAt, sendAgainAt: 0 });
      this.#fill();
    });
  }

  confirm(token: number, answer: Confirmation): void {
    const entry = this.#sent.get(token);
    if (entry === undefined) return; // Answered before: it was sent twice, or given up.
    if (answer.kind === "try-again") {
      entry.sendAgainAt = this.#wire.now() + REFUSED_RETRY_MS;
      return;
    }
    this.#sent.delete(token);
    if (answer.kind === "refused")
      entry.batch.reject(new NotSendable(`\`${entry.message.subject}\`: ${answer.reason}`));
    else if (--entry.batch.unconfirmed === 0) entry.batch.resolve();
    this.#fill();
  }

  /** The connection is back: what was on its way may be lost. */
  reconnected(): void {
    const now = this.#wire.now();
    for (const [token, entry] of this.#sent) this.#send(token, entry, now);
    this.#fill();
  }

  /** Looks after answers that don't come; to be called a few times a second. */
  tick(): void {
    const now = this.#wire.now();
    for (const [token, entry] of this.#sent) {
      if (now >= entry.giveUpAt) {
        this.#sent.delete(token);
        giveUp(entry);
      } else if (now >= entry.sendAgainAt && this.#wire.connected) this.#send(token, entry, now);
    }
    while (now >= (this.#waiting.peek()?.giveUpAt ?? Number.POSITIVE_INFINITY)) giveUp(this.#waiting.shift()!);
    this.#fill();
  }

  close(): void {
    for (const entry of this.#sent.values()) giveUp(entry);
    for (const entry of this.#waiting.drain()) giveUp(entry);
    this.#sent.clear();
  }

  #fill(): void {
    if (this.#waiting.size === 0) return;
    const now = this.#wire.now();
    while (this.#sent.size < UNCONFIRMED_MAX && this.#waiting.size > 0 && this.#wire.connected) {
      const entry = this.#waiting.shift()!;
      const token = this.#nextToken++;
      this.#sent.set(token, entry);
      this.#send(token, entry, now);
    }
  }

  #send(token: number, entry: Entry, now: number): void {
    entry.sendAgainAt = now + ANSWER_TIMEOUT_MS;
    try {
      this.#wire.send(entry.message, token);
    } catch (error) {
      this.#sent.delete(token);
      entry.batch.reject(error);
    }
  }
}

interface Batch {
  unconfirmed: number;
  resolve(): void;
  reject(error: unknown): void;
}

interface Entry {
  readonly message: OutMessage;
  readonly batch: Batch;
  readonly giveUpAt: number;
  sendAgainAt: number;
}

function giveUp(entry: Entry): void {
  entry.batch.reject(new BusUnavailable(`\`${entry.message.subject}\` was not confirmed by the bus`));
}
