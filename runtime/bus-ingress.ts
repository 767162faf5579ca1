import { hash } from "node:crypto";
import type { Definition } from "../dsl/index.ts";
import { instanceId } from "../engine/index.ts";
import { type IncomingEvent, readIncoming } from "./bus/incoming.ts";
import { orderOf, parseInSubject } from "./bus/subjects.ts";
import type { KeyRing } from "./key-ring.ts";
import type { BusMessage, Clock, DeadLetter, Directory } from "./ports.ts";
import { type Envelope, hasSecrets, type Reply } from "./turn.ts";

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

/** Takes messages of `assent.in.>` as commands. Each is acked after its decision, or its dead letter, is durable. */
export class BusIngress {
  readonly #ports: IngressPorts;

  constructor(ports: IngressPorts) {
    this.#ports = ports;
  }

  handle = async (messages: readonly BusMessage[]): Promise<void> => {
    const lanes = Map.groupBy(messages, ({ subject }) => orderOf(subject));
    await Promise.all([...lanes.values()].map((lane) => this.#inOrder(lane)));
  };

  /** One after the other; when one has to wait, those behind it wait with it. */
  async #inOrder(lane: readonly BusMessage[]): Promise<void> {
    for (const [index, message] of lane.entries()) {
      const settled = await this.#one(message);
      if (settled) continue;
      for (const later of lane.slice(index)) later.retry(RETRY_MS);
      return;
    }
  }

  /** @returns false if it has to be tried again. */
  async #one(message: BusMessage): Promise<boolean> {
    try {
      const read = readIncoming(message);
      if (!read.ok) return await this.#bury(message, "default", read.reason);
      const reply = await this.#ports.submit(this.#envelope(read.incoming));
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

  /** A key without an instance starts one, if a line from `initial` takes the event. */
  #envelope({ tenant, flow, event, key, id, source, initiator, actor, payload, headers }: IncomingEvent): Envelope {
    const instance = instanceId(tenant, flow, key);
    const who = actor ?? initiator;
    const command = { kind: "event" as const, id, source, event, payload, ...(who !== undefined && { actor: who }) };
    const starter = initiator ?? actor ?? source;
    const tag = headers["X-Gray-Tag"];
    const orStart = {
      kind: "start" as const,
      id,
      source,
      ...(who !== undefined && { actor: who }),
      tenant,
      instance,
      key,
      initiator: this.#ports.directory.person(tenant, starter) ?? { id: starter },
      data: {},
      event,
      payload,
      ...(tag !== undefined && { tag }),
    };
    return { tenant, instance, flow, command, orStart };
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
