import { hash } from "node:crypto";
import type { Definition } from "../dsl/index.ts";
import { instanceId } from "../engine/index.ts";
import { type IncomingEvent, readIncoming } from "./bus/incoming.ts";
import { orderOf, parseInSubject } from "./bus/subjects.ts";
import type { KeyRing } from "./key-ring.ts";
import type { BusMessage, Clock, DeadLetter, Directory } from "./ports.ts";
import { type CommandDraft, type Envelope, hasSecrets, type Reply } from "./turn.ts";

export interface IngressPorts {
  readonly clock: Clock;
  readonly directory: Directory;
  readonly keys: KeyRing;
  activeDefinition(flow: string): Definition | undefined;
  submit(envelope: Envelope): Promise<Reply>;
  deadLetter(letter: DeadLetter): Promise<void>;
  onError(error: unknown): void;
}

/** Deliveries of a message whose functions don't answer, before it goes to the dead letters. */
const DELIVERIES_MAX = 5;
const RETRY_MS = 1_000;
/** So many messages are taken and not settled before the bus has to wait: while some are written, others are decided. */
export const UNDER_WAY_MAX = 512;

/** Takes messages of `assent.in.>` as commands. Each is acked after its decision, or its dead letter, is durable. */
export class BusIngress {
  readonly #ports: IngressPorts;
  /** By order: what waits behind a message that is under way. */
  readonly #lanes = new Map<string, BusMessage[]>();
  #underWay = 0;
  #hasRoom: (() => void) | undefined;
  #stopped: (() => void) | undefined;

  constructor(ports: IngressPorts) {
    this.#ports = ports;
  }

  /** Resolves when more can be taken; these may still be under way then. */
  handle = async (messages: readonly BusMessage[]): Promise<void> => {
    this.#underWay += messages.length;
    for (const message of messages) {
      const order = orderOf(message.subject);
      const lane = this.#lanes.get(order);
      if (lane) lane.push(message);
      else void this.#inOrder(order, message);
    }
    if (this.#underWay < UNDER_WAY_MAX) return;
    await new Promise<void>((resolve) => {
      this.#hasRoom = resolve;
    });
  };

  /** Resolves when nothing is under way any more. What waits behind others is left to the stream, which delivers it again. */
  async stop(): Promise<void> {
    for (const lane of this.#lanes.values()) this.#leave(lane.splice(0).length);
    if (this.#underWay === 0) return;
    await new Promise<void>((resolve) => {
      this.#stopped = resolve;
    });
  }

  /** One after the other; when one has to be tried again, those behind it wait with it. */
  async #inOrder(order: string, first: BusMessage): Promise<void> {
    const behind: BusMessage[] = [];
    this.#lanes.set(order, behind);
    for (let message: BusMessage | undefined = first; message; message = behind.shift()) {
      const settled = await this.#one(message);
      if (!settled) this.#retry([message, ...behind.splice(0)]);
      else this.#leave(1);
    }
    this.#lanes.delete(order);
  }

  #retry(messages: readonly BusMessage[]): void {
    for (const message of messages) message.retry(RETRY_MS);
    this.#leave(messages.length);
  }

  #leave(count: number): void {
    this.#underWay -= count;
    if (this.#underWay < UNDER_WAY_MAX) this.#hasRoom?.();
    if (this.#underWay === 0) this.#stopped?.();
  }

  /** @returns false if it has to be tried again. */
  async #one(message: BusMessage): Promise<boolean> {
    try {
      const read = readIncoming(message);
      if (!read.ok) return await this.#bury(message, parseInSubject(message.subject)?.tenant ?? "default", read.reason);
      const reply = await this.#ports.submit(new EventEnvelope(read.incoming, this.#ports.directory));
      const { tenant, flow } = read.incoming;
      if (reply.kind === "not-found") return await this.#bury(message, tenant, `there is no flow \`${flow}\``);
      if (reply.kind === "refused") {
        const { refusal } = reply;
        if (refusal.retryable && message.deliveries < DELIVERIES_MAX) return false;
        return await this.#bury(message, tenant, `${refusal.code}: ${refusal.message}`);
      }
      message.ack();
      return true;
    } catch (error) {
      // Nothing was written: the store is away or too much waits.
      this.#ports.onError(error);
      return false;
    }
  }

  /** Decides a message of the dead letters once more; nothing is acked or buried. @throws as `submit` does. */
  async again(
    message: Pick<BusMessage, "subject" | "headers" | "body" | "sequence">,
  ): Promise<Reply | { readonly kind: "unreadable"; readonly reason: string }> {
    const read = readIncoming(message);
    if (!read.ok) return { kind: "unreadable", reason: read.reason };
    return this.#ports.submit(new EventEnvelope(read.incoming, this.#ports.directory));
  }

  async #bury(message: BusMessage, tenant: string, reason: string): Promise<true> {
    // Positions of a bus in memory begin anew with every process.
    const sum = hash("sha256", message.body, "base64url").slice(0, 16);
    await this.#ports.deadLetter({
      id: `bus/${message.subject}/${message.sequence}/${sum}`,
      tenant,
      at: this.#ports.clock.now(),
      origin: "bus",
      reason,
      body: JSON.stringify({
        subject: message.subject,
        headers: message.headers,
        body: this.#readable(message),
      }),
    });
    message.ack();
    return true;
  }

  /** A body that may hold secrets of its flow is sealed under the key ring. */
  #readable({ subject, body }: BusMessage): string {
    const definition = this.#ports.activeDefinition(parseInSubject(subject)?.flow ?? "");
    const bytes = Buffer.from(body);
    return definition && hasSecrets(definition) ? `sealed:${this.#ports.keys.wrap(bytes)}` : bytes.toString("utf8");
  }
}

/** An event as a command: a key without an instance starts one, if a line from `initial` takes the event. */
class EventEnvelope implements Envelope {
  readonly tenant: string;
  readonly flow: string;
  readonly instance: string;
  readonly command: CommandDraft;
  readonly traceparent?: string;
  readonly #incoming: IncomingEvent;
  readonly #directory: Directory;

  constructor(incoming: IncomingEvent, directory: Directory) {
    const { tenant, flow, key, id, source, event, payload, headers } = incoming;
    const actor = incoming.actor ?? incoming.initiator;
    this.tenant = tenant;
    this.flow = flow;
    this.instance = instanceId(tenant, flow, key);
    this.command = { kind: "event", id, source, event, payload, ...(actor !== undefined && { actor }) };
    if (headers["traceparent"] !== undefined) this.traceparent = headers["traceparent"];
    this.#incoming = incoming;
    this.#directory = directory;
  }

  /** Made when it is asked for: of an instance's events only the first needs it. */
  get orStart(): CommandDraft {
    const { tenant, key, id, source, event, payload, initiator, actor, headers } = this.#incoming;
    const who = actor ?? initiator;
    const starter = initiator ?? actor ?? source;
    const tag = headers["X-Gray-Tag"];
    return {
      kind: "start",
      id,
      source,
      ...(who !== undefined && { actor: who }),
      tenant,
      instance: this.instance,
      key,
      initiator: this.#directory.person(tenant, starter) ?? { id: starter },
      data: {},
      event,
      payload,
      ...(tag !== undefined && { tag }),
    };
  }
}
