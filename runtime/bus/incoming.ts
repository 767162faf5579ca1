import { whyNotJson } from "../json-error.ts";
import type { BusMessage, Headers } from "../ports.ts";
import { forwardedFrom } from "./forwarding.ts";
import { type InSubject, parseInSubject } from "./subjects.ts";

/** Larger bodies go to the dead letters. It is also NATS's own default limit. */
export const BODY_BYTES_MAX = 1024 * 1024;

/** What a message in `assent.in.>` asks for, independent of how it was written. */
export interface IncomingEvent {
  readonly tenant: string;
  readonly flow: string;
  readonly event: string;
  /** The business key: the subject's sixth token, else the CloudEvent's `subject`, else the header `Assent-Key`. */
  readonly key: string;
  /** The command's id: the CloudEvent's, else `Nats-Msg-Id`, else the position in the stream. */
  readonly id: string;
  /** Whose id it is. Ids of different origin never meet, because this differs. */
  readonly source: string;
  readonly initiator?: string;
  readonly actor?: string;
  readonly payload: Readonly<Record<string, unknown>>;
  /** Those that everything it causes carries on: `traceparent`, `X-Gray-Tag`, `Nats-Msg-Id`. */
  readonly headers: Headers;
}

/** Why a message can't be read; it goes to the dead letters. */
export type UnreadableCode =
  | "bad-subject"
  | "too-large"
  | "not-json"
  | "not-an-object"
  | "bad-cloud-event"
  | "bad-header"
  | "no-key";

export type Incoming =
  | { readonly ok: true; readonly incoming: IncomingEvent }
  | { readonly ok: false; readonly code: UnreadableCode; readonly reason: string };

type Unreadable = Extract<Incoming, { ok: false }>;

/** A message's content, the three ways of writing it made one. Attributes have CloudEvents' lower-case names. */
interface Content {
  readonly ok: true;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly data: unknown;
}

/**
 * Reads a message: CloudEvents 1.0, structured (content type `application/cloudevents+json`, or a body with `specversion`)
 * or binary (`ce-` headers), else plain JSON, which is the event's data. No body at all is an event without data.
 * @see https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/nats-protocol-binding.md
 */
export function readIncoming(message: Pick<BusMessage, "subject" | "headers" | "body" | "sequence">): Incoming {
  const about = parseInSubject(message.subject);
  if (about === undefined)
    return unreadable(
      "bad-subject",
      `\`${message.subject}\` is not \`assent.in.TENANT.FLOW.EVENT[.KEY]\` with percent-encoded tokens`,
    );
  if (message.body.byteLength > BODY_BYTES_MAX)
    return unreadable("too-large", `the body has ${message.body.byteLength} bytes, ${BODY_BYTES_MAX} are allowed`);
  const headers = lowerCaseNames(message.headers);
  const content = readContent(headers, message.body);
  return content.ok ? toIncoming(about, message.sequence, headers, content) : content;
}

function toIncoming(
  about: InSubject,
  sequence: string,
  headers: ReadonlyMap<string, string>,
  { attributes, data }: Content,
): Incoming {
  if (!isObject(data)) return unreadable("not-an-object", `the event's data is ${kindOf(data)}, not an object`);
  const key = about.key ?? text(attributes["subject"]) ?? headers.get("assent-key");
  if (key === undefined)
    return unreadable("no-key", "no key in the subject, in the CloudEvent's `subject` or in the header `Assent-Key`");
  const { tenant, flow, event } = about;
  const { id, source } = identity(attributes, headers, sequence);
  const incoming: Growing<IncomingEvent> = {
    tenant,
    flow,
    event,
    key,
    id,
    source,
    payload: data,
    headers: carriedOn(attributes, headers),
  };
  const initiator = text(attributes["assentinitiator"]) ?? headers.get("assent-initiator");
  const actor = text(attributes["assentactor"]) ?? headers.get("assent-actor");
  if (initiator !== undefined) incoming.initiator = initiator;
  if (actor !== undefined) incoming.actor = actor;
  return { ok: true, incoming };
}

type Growing<Thing> = { -readonly [Name in keyof Thing]: Thing[Name] };

function identity(
  attributes: Content["attributes"],
  headers: ReadonlyMap<string, string>,
  sequence: string,
): { id: string; source: string } {
  const id = text(attributes["id"]);
  if (id !== undefined) return { id, source: text(attributes["source"]) ?? "cloudevents" };
  const forwarded = forwardedFrom(headers);
  if (forwarded) return { id: forwarded.id, source: forwarded.source };
  const messageId = headers.get("nats-msg-id");
  return messageId === undefined
    ? { id: sequence, source: "stream-sequence" }
    : { id: messageId, source: "nats-msg-id" };
}

/** As whoever sent it called it. */
function messageIdOf(headers: ReadonlyMap<string, string>): string | undefined {
  const forwarded = forwardedFrom(headers);
  if (forwarded) return forwarded.source === "nats-msg-id" ? forwarded.id : undefined;
  return headers.get("nats-msg-id");
}

function carriedOn(attributes: Content["attributes"], headers: ReadonlyMap<string, string>): Headers {
  const traceparent = text(attributes["traceparent"]) ?? headers.get("traceparent");
  const tag = headers.get("x-gray-tag");
  const messageId = messageIdOf(headers);
  const carried: Record<string, string> = {};
  if (traceparent !== undefined) carried["traceparent"] = traceparent;
  if (tag !== undefined) carried["X-Gray-Tag"] = tag;
  if (messageId !== undefined) carried["Nats-Msg-Id"] = messageId;
  return carried;
}

// ---------------------------------------------------------------------------------------------------------------- //
// The three ways of writing it
// ---------------------------------------------------------------------------------------------------------------- //

function readContent(headers: ReadonlyMap<string, string>, body: Uint8Array): Content | Unreadable {
  const structured = headers.get("content-type")?.toLowerCase().startsWith("application/cloudevents") ?? false;
  const binary = !structured && headers.has("ce-specversion");
  const parsed = parseJson(body);
  if (!parsed.ok) return parsed;
  if (binary) return binaryContent(headers, parsed.value);
  if (structured || (isObject(parsed.value) && typeof parsed.value["specversion"] === "string"))
    return structuredContent(parsed.value);
  return { ok: true, attributes: {}, data: parsed.value };
}

function structuredContent(event: unknown): Content | Unreadable {
  if (!isObject(event)) return unreadable("bad-cloud-event", `the CloudEvent is ${kindOf(event)}, not an object`);
  const wrong = wrongVersion(event["specversion"]);
  if (wrong !== undefined) return wrong;
  const encoded = event["data_base64"];
  if (encoded === undefined) return { ok: true, attributes: event, data: event["data"] ?? {} };
  if (typeof encoded !== "string") return unreadable("bad-cloud-event", "`data_base64` is not a string");
  const parsed = parseJson(Buffer.from(encoded, "base64"));
  return parsed.ok ? { ok: true, attributes: event, data: parsed.value } : parsed;
}

function binaryContent(headers: ReadonlyMap<string, string>, data: unknown): Content | Unreadable {
  const attributes: Record<string, string> = {};
  for (const [name, value] of headers) {
    if (!name.startsWith("ce-")) continue;
    const decoded = decodeHeader(value);
    if (decoded === undefined)
      return unreadable("bad-header", `the header \`${name}\` has a \`%\` that encodes nothing`);
    attributes[name.slice("ce-".length)] = decoded;
  }
  return wrongVersion(attributes["specversion"]) ?? { ok: true, attributes, data };
}

function wrongVersion(specversion: unknown): Unreadable | undefined {
  if (specversion === "1.0") return undefined;
  return unreadable(
    "bad-cloud-event",
    `CloudEvents \`specversion\` ${JSON.stringify(specversion) ?? "is missing"}: only "1.0" is read`,
  );
}

// Fatal: bytes that are no UTF-8 would otherwise turn into other text unnoticed.
const utf8 = new TextDecoder("utf-8", { fatal: true });

function parseJson(body: Uint8Array): { readonly ok: true; readonly value: unknown } | Unreadable {
  if (body.byteLength === 0) return { ok: true, value: {} };
  try {
    return { ok: true, value: JSON.parse(utf8.decode(body)) };
  } catch (error) {
    return unreadable(
      "not-json",
      `the body is not JSON: ${error instanceof SyntaxError ? whyNotJson(error) : "it is not UTF-8"}`,
    );
  }
}

/** Attributes in headers are percent-encoded as in the HTTP binding. */
function decodeHeader(value: string): string | undefined {
  if (!value.includes("%")) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

/** Header names are compared as HTTP does; NATS keeps the sender's case. Empty values say nothing. */
function lowerCaseNames(headers: Headers): ReadonlyMap<string, string> {
  const named = new Map<string, string>();
  for (const name in headers) {
    const value = headers[name]!;
    if (value !== "") named.set(name.toLowerCase(), value);
  }
  return named;
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : `a ${typeof value}`;
}

function unreadable(code: UnreadableCode, reason: string): Unreadable {
  return { ok: false, code, reason };
}
