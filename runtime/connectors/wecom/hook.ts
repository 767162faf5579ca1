import { createHash } from "node:crypto";
import type { EpochMs } from "../../../engine/index.ts";
import type { WecomApp } from "./app.ts";
import { readEnvelope, readEvent } from "./callback-xml.ts";
import { open } from "./crypto.ts";

/** Largest body of a callback. */
export const CALLBACK_BYTES_MAX = 1024 * 1024;
/** Older callbacks are refused, so that a recorded one can't be sent again later. */
export const CALLBACK_AGE_MAX_MS = 10 * 60 * 1000;

/** A query string as HTTP servers parse it. */
export type HookQuery = Readonly<Record<string, string | readonly string[] | undefined>>;

export type HookAnswer =
  /** Answer the text as it is, as `text/plain`, within a second. */
  | { readonly kind: "echo"; readonly status: 200; readonly body: string }
  /** Store the event, then answer 200 with an empty body; `sha256` is the same for every delivery of one change. */
  | {
      readonly kind: "event";
      readonly status: 200;
      readonly raw: { readonly plaintext: string; readonly sha256: string };
    }
  | { readonly kind: "refused"; readonly status: 400 | 401 | 413; readonly reason: string };

/** WeCom's check of the URL: `GET` with an encrypted `echostr`, whose plain text is the answer. */
export function checkUrl(app: WecomApp, request: { readonly query: HookQuery; readonly now: EpochMs }): HookAnswer {
  const echo = textOf(request.query, "echostr");
  if (echo === "") return refused(400, "the query has no `echostr`");
  // A query decoder may have made blanks of the `+` of base64.
  const opened = openCallback(app, request, echo.replaceAll(" ", "+"));
  return opened.ok ? { kind: "echo", status: 200, body: opened.text } : opened.answer;
}

/** A callback: `POST` with an encrypted event. Authenticates and reads it; what it means is decided later from the stored text. */
export function receive(
  app: WecomApp,
  request: { readonly query: HookQuery; readonly body: Uint8Array; readonly now: EpochMs },
): HookAnswer {
  if (request.body.length > CALLBACK_BYTES_MAX) return refused(413, `the body is over ${CALLBACK_BYTES_MAX} bytes`);
  const envelope = readEnvelope(Buffer.from(request.body).toString("utf8"));
  if (!envelope.ok) return refused(400, envelope.reason);
  const opened = openCallback(app, request, envelope.encrypt);
  if (!opened.ok) return opened.answer;
  const event = readEvent(opened.text);
  if (!event.ok) return refused(400, event.reason);
  const sha256 = createHash("sha256").update(opened.text).digest("hex");
  return { kind: "event", status: 200, raw: { plaintext: opened.text, sha256 } };
}

function openCallback(
  app: WecomApp,
  { query, now }: { readonly query: HookQuery; readonly now: EpochMs },
  encrypt: string,
): { readonly ok: true; readonly text: string } | { readonly ok: false; readonly answer: HookAnswer } {
  const [signature, timestamp, nonce] = ["msg_signature", "timestamp", "nonce"].map((name) => textOf(query, name));
  if (!signature || !timestamp || !nonce) return no(401, "the query has no `msg_signature`, `timestamp` and `nonce`");
  const keys = { token: app.token, aesKey: app.aesKey, receiveId: app.corpId };
  const opened = open(keys, { signature, timestamp, nonce, encrypt });
  if (!opened.ok) return no(opened.code === -40001 || opened.code === -40005 ? 401 : 400, opened.reason);
  if (!/^\d{1,12}$/.test(timestamp)) return no(401, "the timestamp is not in seconds");
  if (now - Number(timestamp) * 1000 > CALLBACK_AGE_MAX_MS) return no(401, "the callback is older than 10 minutes");
  const text = utf8(opened.message);
  return text === undefined ? no(400, "the message is not UTF-8") : { ok: true, text };
}

/** A name that stands there twice is none: which one was signed can't be told. */
function textOf(query: HookQuery, name: string): string {
  const value = query[name];
  return typeof value === "string" ? value : "";
}

function utf8(bytes: Buffer): string | undefined {
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes) ? text : undefined;
}

function refused(status: 400 | 401 | 413, reason: string): HookAnswer {
  return { kind: "refused", status, reason };
}

function no(status: 400 | 401, reason: string): { readonly ok: false; readonly answer: HookAnswer } {
  return { ok: false, answer: refused(status, reason) };
}
