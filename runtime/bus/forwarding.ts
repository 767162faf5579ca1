import type { BusMessage, Headers, OutMessage } from "../ports.ts";
import { inSubject, parseInSubject } from "./subjects.ts";

/**
 * A message whose key is not in its subject is sent on under one that has it, so that the stream sorts it. It gets an id of
 * its own there, for under the old one the stream would drop it, and says what it was called.
 */
const HEADER = "Assent-Forwarded";

/** What a message was called in the stream before it was sent on. */
export interface Forwarded {
  readonly source: "nats-msg-id" | "stream-sequence";
  readonly id: string;
}

/** The message with its key in the subject. */
export function withKey({ subject, headers, body, sequence }: BusMessage, key: string): OutMessage {
  const { "Nats-Msg-Id": id, ...rest } = headers;
  const called = id === undefined ? `stream-sequence ${sequence}` : `nats-msg-id ${id}`;
  const kept = Object.entries(rest).filter(([name]) => !name.toLowerCase().startsWith("nats-"));
  return {
    subject: inSubject({ ...parseInSubject(subject)!, key }),
    id: `forwarded:${sequence}`,
    headers: { ...Object.fromEntries(kept), [HEADER]: called } satisfies Headers,
    body: Buffer.from(body).toString("utf8"),
  };
}

/** @param headers their names in lower case. */
export function forwardedFrom(headers: ReadonlyMap<string, string>): Forwarded | undefined {
  const [, source, id] = /^(nats-msg-id|stream-sequence) (.+)$/s.exec(headers.get(HEADER.toLowerCase()) ?? "") ?? [];
  return source === undefined ? undefined : { source: source as Forwarded["source"], id: id! };
}
