import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Headers } from "../ports.ts";
import { BODY_BYTES_MAX, type IncomingEvent, readIncoming, type UnreadableCode } from "./incoming.ts";

const SUBJECT = "assent.in.default.leave-approval.submit.L-1";
const KEYLESS = "assent.in.default.leave-approval.submit";

function message(body: string | Uint8Array, headers: Headers = {}, subject = SUBJECT) {
  return { subject, headers, body: typeof body === "string" ? new TextEncoder().encode(body) : body, sequence: "41" };
}

const plain: IncomingEvent = {
  tenant: "default",
  flow: "leave-approval",
  event: "submit",
  key: "L-1",
  id: "41",
  source: "stream-sequence",
  payload: { days: 3.5 },
  headers: {},
};
const DAYS = '{"days":3.5}';
const EVENT = { specversion: "1.0", id: "e-1", source: "/hr", type: "submit", data: { days: 3.5 } };
const asEvent: IncomingEvent = { ...plain, id: "e-1", source: "/hr" };
const ceHeaders = { "ce-specversion": "1.0", "ce-id": "e-1", "ce-source": "/hr", "ce-type": "submit" };

const readable: readonly (readonly [string, ReturnType<typeof message>, IncomingEvent])[] = [
  ["plain JSON", message(DAYS), plain],
  ["no body", message(""), { ...plain, payload: {} }],
  [
    "plain JSON with a message id",
    message(DAYS, { "Nats-Msg-Id": "m-1" }),
    { ...plain, id: "m-1", source: "nats-msg-id", headers: { "Nats-Msg-Id": "m-1" } },
  ],
  ["the key in a header", message(DAYS, { "Assent-Key": "L-2" }, KEYLESS), { ...plain, key: "L-2" }],
  ["the subject's key before the header's", message(DAYS, { "Assent-Key": "L-2" }), plain],
  [
    "encoded tokens",
    message(DAYS, {}, "assent.in.acme%2Ecn.leave-approval.submit.%E5%90%88%20%E5%90%8C"),
    { ...plain, tenant: "acme.cn", key: "合 同" },
  ],
  [
    "who, in headers",
    message(DAYS, { "Assent-Initiator": "alice", "Assent-Actor": "bot" }),
    { ...plain, initiator: "alice", actor: "bot" },
  ],
  [
    "headers that are carried on, in any case",
    message(DAYS, { TraceParent: "00-1-2-01", "x-gray-tag": "beta", Other: "x" }),
    { ...plain, headers: { traceparent: "00-1-2-01", "X-Gray-Tag": "beta" } },
  ],
  [
    "structured, by content type",
    message(JSON.stringify(EVENT), { "content-type": "application/cloudevents+json; charset=utf-8" }),
    asEvent,
  ],
  ["structured, by its specversion", message(JSON.stringify(EVENT)), asEvent],
  [
    "structured, data in base64",
    message(JSON.stringify({ ...EVENT, data: undefined, data_base64: btoa(DAYS) })),
    asEvent,
  ],
  ["structured, without data", message(JSON.stringify({ ...EVENT, data: undefined })), { ...asEvent, payload: {} }],
  [
    "structured, the key in `subject`",
    message(JSON.stringify({ ...EVENT, subject: "L-3" }), { "Assent-Key": "L-2" }, KEYLESS),
    { ...asEvent, key: "L-3" },
  ],
  [
    "structured, who in extensions before headers",
    message(JSON.stringify({ ...EVENT, assentinitiator: "alice", assentactor: "bob" }), {
      "Assent-Initiator": "mallory",
    }),
    { ...asEvent, initiator: "alice", actor: "bob" },
  ],
  [
    "structured, traceparent",
    message(JSON.stringify({ ...EVENT, traceparent: "00-3-4-01" })),
    { ...asEvent, headers: { traceparent: "00-3-4-01" } },
  ],
  [
    "structured, its id before the message's",
    message(JSON.stringify(EVENT), { "Nats-Msg-Id": "m-1" }),
    { ...asEvent, headers: { "Nats-Msg-Id": "m-1" } },
  ],
  ["binary", message(DAYS, ceHeaders), asEvent],
  [
    "binary, percent-encoded attributes",
    message(DAYS, { ...ceHeaders, "ce-subject": "%E5%90%88%E5%90%8C", "ce-assentinitiator": "alice" }, KEYLESS),
    { ...asEvent, key: "合同", initiator: "alice" },
  ],
  [
    "binary, data that has a specversion of its own",
    message('{"specversion":"7"}', ceHeaders),
    { ...asEvent, payload: { specversion: "7" } },
  ],
];

const unreadable: readonly (readonly [string, ReturnType<typeof message>, UnreadableCode])[] = [
  ["another subject", message(DAYS, {}, "assent.in.default.leave-approval"), "bad-subject"],
  ["a token that decodes to nothing", message(DAYS, {}, "assent.in.default.leave-approval.submit.%E5"), "bad-subject"],
  ["too large", message(new Uint8Array(BODY_BYTES_MAX + 1)), "too-large"],
  ["not JSON", message("days: 3"), "not-json"],
  ["not UTF-8", message(new Uint8Array([0x22, 0xff, 0x22])), "not-json"],
  ["base64 of something else", message(JSON.stringify({ ...EVENT, data_base64: btoa("days: 3") })), "not-json"],
  ["a list", message("[1]"), "not-an-object"],
  ["null", message("null"), "not-an-object"],
  ["a number", message("7"), "not-an-object"],
  ["a CloudEvent whose data is text", message(JSON.stringify({ ...EVENT, data: "x" })), "not-an-object"],
  [
    "a CloudEvent that is a list",
    message("[]", { "Content-Type": "application/cloudevents-batch+json" }),
    "bad-cloud-event",
  ],
  ["another specversion", message(JSON.stringify({ ...EVENT, specversion: "0.3" })), "bad-cloud-event"],
  ["no specversion", message(DAYS, { "Content-Type": "application/cloudevents+json" }), "bad-cloud-event"],
  ["another specversion in a header", message(DAYS, { ...ceHeaders, "ce-specversion": "2.0" }), "bad-cloud-event"],
  ["an attribute that decodes to nothing", message(DAYS, { ...ceHeaders, "ce-subject": "%E5" }), "bad-header"],
  ["no key anywhere", message(DAYS, {}, KEYLESS), "no-key"],
];

describe("reading an incoming message", () => {
  for (const [what, given, expected] of readable) {
    test(what, () => assert.deepEqual(readIncoming(given), { ok: true, incoming: expected }));
  }

  for (const [what, given, code] of unreadable) {
    test(`unreadable: ${what}`, () => {
      const result = readIncoming(given);
      assert.equal(result.ok ? "readable" : result.code, code);
      assert.ok(!result.ok && result.reason.length > 0);
    });
  }

  test("the largest body is read", () => {
    const body = `{"a":"${"x".repeat(BODY_BYTES_MAX - '{"a":""}'.length)}"}`;
    assert.equal(readIncoming(message(body)).ok, true);
  });
});
