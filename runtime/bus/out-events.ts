import type { Bus, Carried, EpochMs, Headers, Json, OutMessage } from "../ports.ts";
import { outSubject } from "./subjects.ts";

/** An event on its way out, from whatever wrote it. */
export interface OutgoingEvent {
  readonly tenant: string;
  readonly flow: string;
  /** Id of the instance. */
  readonly instance: string;
  /** Unique for ever, and the same whenever this event is published again. */
  readonly id: string;
  readonly event: string;
  readonly data: Json;
  /** Of the decision, not of the publishing: an event says the same however often it is published. */
  readonly at: EpochMs;
  readonly carried: Carried;
}

/** What is the same in all messages of one kind of event. */
interface Frame {
  readonly subject: string;
  /** The CloudEvent up to its `id`. */
  readonly head: string;
}

const FRAMES_MAX = 4_096;
const CONTENT_TYPE = "application/cloudevents+json";
const PLAIN_HEADERS: Headers = { "content-type": CONTENT_TYPE };

/**
 * Writes events out as messages: CloudEvents 1.0, structured JSON. The fixed parts are made once per kind of event.
 * @see https://github.com/cloudevents/spec/blob/main/cloudevents/formats/json-format.md
 */
export class OutEvents {
  readonly #frames = new Map<string, Frame>();
  #at: EpochMs = Number.NaN;
  #time = "";

  /** @returns `undefined` where nobody will see it: a bus that keeps nothing, and nobody listens. */
  message(out: OutgoingEvent, bus: Pick<Bus, "wants">): OutMessage | undefined {
    const { subject, head } = this.#frame(out);
    if (!bus.wants(subject)) return undefined;
    const { id, instance, data, at, carried } = out;
    const trace = carried.traceparent === undefined ? "" : `,"traceparent":${JSON.stringify(carried.traceparent)}`;
    const body = `${head}${JSON.stringify(id)},"subject":${JSON.stringify(instance)},"time":"${this.#timeOf(at)}"${trace},"data":${JSON.stringify(data)}}`;
    return { subject, id, headers: headersOf(carried), body };
  }

  #frame({ tenant, flow, event }: OutgoingEvent): Frame {
    const name = `${tenant}\u0000${flow}\u0000${event}`;
    const known = this.#frames.get(name);
    if (known) return known;
    if (this.#frames.size >= FRAMES_MAX) this.#frames.clear();
    const source = JSON.stringify(`assent/${tenant}/${flow}`);
    const head = `{"specversion":"1.0","source":${source},"type":${JSON.stringify(event)},"datacontenttype":"application/json","id":`;
    const frame = { subject: outSubject({ tenant, flow, event }), head };
    this.#frames.set(name, frame);
    return frame;
  }

  /** Events of one turn share their instant. */
  #timeOf(at: EpochMs): string {
    if (at !== this.#at) {
      this.#at = at;
      this.#time = new Date(at).toISOString();
    }
    return this.#time;
  }
}

function headersOf({ traceparent, tag }: Carried): Headers {
  if (traceparent === undefined && tag === undefined) return PLAIN_HEADERS;
  return {
    "content-type": CONTENT_TYPE,
    ...(traceparent !== undefined && { traceparent }),
    ...(tag !== undefined && { "X-Gray-Tag": tag }),
  };
}
