import type { Definition } from "../dsl/index.ts";
import { withKey } from "./bus/forwarding.ts";
import { readIncoming } from "./bus/incoming.ts";
import { hasKey, orderOf, parseInSubject } from "./bus/subjects.ts";
import { HeldBack, type Series } from "./commands.ts";
import { EventEnvelope } from "./event-envelope.ts";
import type { KeyRing } from "./key-ring.ts";
import type { BusMessage, Clock, DeadLetter, Directory, Headers, OutMessage } from "./ports.ts";
import { TooOften } from "./tenants/quotas.ts";
import { type Envelope, hasSecrets, type Reply } from "./turn.ts";

/** A message as a dead letter keeps it: its body, or that sealed under the key ring. */
export interface LetterContent {
  readonly subject: string;
  readonly headers: Headers;
  readonly body?: string;
  readonly sealed?: string;
}

export interface IngressPorts {
  readonly clock: Pick<Clock, "now">;
  readonly directory: Directory;
  readonly keys: KeyRing;
  activeDefinition(flow: string): Definition | undefined;
  submit(envelope: Envelope): Promise<Reply>;
  /** Sends on what has no key in its subject, where the stream is sorted by it; absent: it is decided like the others. */
  readonly forward?: (message: OutMessage) => Promise<void>;
  deadLetter(letter: DeadLetter): Promise<void>;
  onError(error: unknown): void;
}

/** Deliveries of a message whose functions don't answer, or that fails otherwise, before it goes to the dead letters. */
const DELIVERIES_MAX = 5;
/** The store or the bus is away, too much waits, or the tenant sends too often: a message waits for as long as it takes. */
const GOES_OVER: ReadonlySet<string> = new Set(["StoreUnavailable", "BusUnavailable", "Overloaded", "TooOften"]);
const RETRY_MS = 1_000;
/** Messages of one instance that are submitted at once: as many as one turn decides. */
const SERIES_MAX = 64;
/** NATS ends the connection of whoever sends a line of more than 4,096 bytes. */
const SUBJECT_BYTES_MAX = 2_048;
/**
 * Of so many instances messages are under way before the bus has to wait: while some are written, others are decided. What
 * waits behind a message of its own instance takes nobody's place.
 */
export const UNDER_WAY_MAX = 512;

/** Takes messages of `assent.in.>` as commands. Each is acked after its decision, or its dead letter, is durable. */
export class BusIngress {
  readonly #ports: IngressPorts;
  /** By order: what waits behind messages that are under way. */
  readonly #lanes = new Map<string, BusMessage[]>();
  #underWay = 0;
  #hasRoom: (() => void) | undefined;
  #stopped: (() => void) | undefined;

  constructor(ports: IngressPorts) {
    this.#ports = ports;
  }

  /** Resolves when more can be taken; these may still be under way then. */
  handle = async (messages: readonly BusMessage[]): Promise<void> => {
    const started: [order: string, lane: BusMessage[]][] = [];
    for (const message of messages) {
      const order = orderOf(message.subject);
      let lane = this.#lanes.get(order);
      if (!lane) {
        lane = [];
        this.#lanes.set(order, lane);
        started.push([order, lane]);
      }
      lane.push(message);
    }
    this.#underWay += started.length;
    for (const [order, lane] of started) void this.#inOrder(order, lane).then(this.#leave);
    if (this.#underWay < UNDER_WAY_MAX) return;
    await new Promise<void>((resolve) => {
      this.#hasRoom = resolve;
    });
  };

  /** Resolves when nothing is under way any more. What waits behind others is left to the stream, which delivers it again. */
  async stop(): Promise<void> {
    for (const lane of this.#lanes.values()) lane.length = 0;
    if (this.#underWay === 0) return;
    await new Promise<void>((resolve) => {
      this.#stopped = resolve;
    });
  }

  /** Those that wait are submitted as a series; when one has to be tried again, all behind it wait with it. */
  async #inOrder(order: string, lane: BusMessage[]): Promise<void> {
    while (lane.length > 0) {
      const messages = lane.splice(0, SERIES_MAX);
      const series: Series = { broken: false };
      const results = await Promise.all(messages.map((message) => this.#one(message, series)));
      const again = results.indexOf("again");
      const left = messages.filter((_, index) => results[index] !== "settled");
      if (again < 0) lane.unshift(...left);
      else for (const waiting of [...left, ...lane.splice(0)]) waiting.retry(RETRY_MS);
    }
    this.#lanes.delete(order);
  }

  #leave = (): void => {
    this.#underWay -= 1;
    if (this.#underWay < UNDER_WAY_MAX) this.#hasRoom?.();
    if (this.#underWay === 0) this.#stopped?.();
  };

  /** `again`: it has to be tried again. `held`: one before it was not accepted, so it was not decided. */
  async #one(message: BusMessage, series: Series): Promise<"settled" | "again" | "held"> {
    try {
      const read = readIncoming(message);
      if (!read.ok) return await this.#bury(message, parseInSubject(message.subject)?.tenant ?? "default", read.reason);
      const { tenant, flow, key } = read.incoming;
      const { forward } = this.#ports;
      if (forward && !hasKey(message.subject)) return await this.#forward(message, key, tenant, forward);
      const envelope = new EventEnvelope(read.incoming, this.#ports.directory);
      envelope.series = series;
      const reply = await this.#ports.submit(envelope);
      if (reply.kind === "not-found") return await this.#bury(message, tenant, `there is no flow \`${flow}\``);
      if (reply.kind === "refused") {
        const { refusal } = reply;
        if (refusal.retryable && message.deliveries < DELIVERIES_MAX) return "again";
        return await this.#bury(message, tenant, `${refusal.code}: ${refusal.message}`);
      }
      message.ack();
      return "settled";
    } catch (error) {
      if (error instanceof HeldBack) return "held";
      series.broken = true;
      return this.#failed(message, error);
    }
  }

  /** Nothing was written. What is the message's own fault, or ours, must not hold up its instance for ever. */
  async #failed(message: BusMessage, error: unknown): Promise<"settled" | "again"> {
    if (!(error instanceof TooOften)) this.#ports.onError(error);
    const goesOver = error instanceof Error && GOES_OVER.has(error.name);
    if (goesOver || message.deliveries < DELIVERIES_MAX) return "again";
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    try {
      return await this.#bury(message, parseInSubject(message.subject)?.tenant ?? "default", reason);
    } catch (away) {
      this.#ports.onError(away);
      return "again";
    }
  }

  async #forward(
    message: BusMessage,
    key: string,
    tenant: string,
    forward: NonNullable<IngressPorts["forward"]>,
  ): Promise<"settled"> {
    const withItsKey = withKey(message, key);
    if (Buffer.byteLength(withItsKey.subject) > SUBJECT_BYTES_MAX)
      return this.#bury(message, tenant, "the key is too long to be part of a subject");
    await forward(withItsKey);
    message.ack();
    return "settled";
  }

  /** Decides a message of the dead letters once more; nothing is acked or buried. @throws as `submit` does. */
  async again(
    message: Pick<BusMessage, "subject" | "headers" | "body" | "sequence">,
  ): Promise<Reply | { readonly kind: "unreadable"; readonly reason: string }> {
    const read = readIncoming(message);
    if (!read.ok) return { kind: "unreadable", reason: read.reason };
    return this.#ports.submit(new EventEnvelope(read.incoming, this.#ports.directory));
  }

  async #bury(message: BusMessage, tenant: string, reason: string): Promise<"settled"> {
    // Positions of a bus in memory begin anew with every process.
    // The body may hold secrets: a plain digest of it could be guessed.
    const sum = this.#ports.keys.digest(Buffer.from(message.body)).slice(0, 16);
    await this.#ports.deadLetter({
      id: `bus/${message.subject}/${message.sequence}/${sum}`,
      tenant,
      at: this.#ports.clock.now(),
      origin: "bus",
      reason,
      body: JSON.stringify({ subject: message.subject, headers: message.headers, ...this.#kept(message) }),
    });
    message.ack();
    return "settled";
  }

  /** A body that may hold secrets of its flow is sealed under the key ring. */
  #kept({ subject, body }: BusMessage): Pick<LetterContent, "body" | "sealed"> {
    const definition = this.#ports.activeDefinition(parseInSubject(subject)?.flow ?? "");
    const bytes = Buffer.from(body);
    return definition && hasSecrets(definition)
      ? { sealed: this.#ports.keys.wrap(bytes) }
      : { body: bytes.toString("utf8") };
  }
}
