import { instanceId } from "../engine/index.ts";
import type { IncomingEvent } from "./bus/incoming.ts";
import type { CommandDraft, Envelope, Series } from "./commands.ts";
import type { Directory, EpochMs } from "./ports.ts";

/** An event as a command: a key without an instance starts one, if a line from `initial` takes the event. */
export class EventEnvelope implements Envelope {
  readonly tenant: string;
  readonly flow: string;
  readonly instance: string;
  readonly command: CommandDraft;
  readonly traceparent?: string;
  readonly tag?: string;
  readonly deadlineAt?: EpochMs;
  series?: Series;
  readonly #incoming: IncomingEvent;
  readonly #directory: Directory;

  constructor(incoming: IncomingEvent, directory: Directory, deadlineAt?: EpochMs) {
    const { tenant, flow, key, id, source, event, payload, headers } = incoming;
    const actor = incoming.actor ?? incoming.initiator;
    this.tenant = tenant;
    this.flow = flow;
    this.instance = instanceId(tenant, flow, key);
    this.command = { kind: "event", id, source, event, payload, ...(actor !== undefined && { actor }) };
    if (headers["traceparent"] !== undefined) this.traceparent = headers["traceparent"];
    if (headers["X-Gray-Tag"] !== undefined) this.tag = headers["X-Gray-Tag"];
    if (deadlineAt !== undefined) this.deadlineAt = deadlineAt;
    this.#incoming = incoming;
    this.#directory = directory;
  }

  /** Made when it is asked for: of an instance's events only the first needs it. */
  get orStart(): CommandDraft {
    const { tenant, key, id, source, event, payload, initiator, actor } = this.#incoming;
    const who = actor ?? initiator;
    const starter = initiator ?? actor ?? source;
    const { tag } = this;
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
