import assert from "node:assert/strict";
import { test } from "node:test";
import type { BusMessage, Headers, OutMessage } from "../ports.ts";
import { withKey } from "./forwarding.ts";
import { type IncomingEvent, readIncoming } from "./incoming.ts";

const message = (headers: Headers, body: object): BusMessage => ({
  ...{ subject: "assent.in.t.leave.submit", headers, body: Buffer.from(JSON.stringify(body)) },
  ...{ sequence: "42", deliveries: 1, ack() {}, retry() {} },
});

const read = (from: Parameters<typeof readIncoming>[0]): IncomingEvent => {
  const incoming = readIncoming(from);
  assert.ok(incoming.ok);
  return incoming.incoming;
};

const arrived = ({ subject, id, headers, body }: OutMessage) =>
  read({ subject, headers: { ...headers, "Nats-Msg-Id": id }, body: Buffer.from(body), sequence: "77" });

const CASES: readonly [what: string, headers: Headers, body: object][] = [
  ["an id of NATS", { "Nats-Msg-Id": "m 1", "Assent-Key": "L-1", traceparent: "00-1-2-01" }, { days: 3 }],
  ["no id at all", { "Assent-Key": "L-1", "X-Gray-Tag": "beta", "Assent-Actor": "bob" }, { days: 3 }],
  [
    "an id as a CloudEvent",
    { "Nats-Msg-Id": "m1" },
    { specversion: "1.0", id: "e1", source: "erp", type: "x", subject: "L-1", data: { days: 3 } },
  ],
  ["an id in headers", { "ce-specversion": "1.0", "ce-id": "e%201", "ce-source": "erp", "ce-subject": "L-1" }, {}],
];

for (const [what, headers, body] of CASES) {
  test(`what has ${what} is the same command after it was sent on`, () => {
    const sent = message(headers, body);
    const first = read(sent);
    const forwarded = withKey(sent, first.key);
    assert.equal(forwarded.subject, "assent.in.t.leave.submit.L-1");
    assert.deepEqual(arrived(forwarded), first);
  });
}

test("it gets another id in the stream, and takes no orders to the server along", () => {
  const headers = { "Nats-Msg-Id": "m1", "Nats-Expected-Stream": "OTHER", "Assent-Key": "a.b" };
  const forwarded = withKey(message(headers, {}), "a.b");
  assert.equal(forwarded.id, "forwarded:42");
  assert.equal(forwarded.subject, "assent.in.t.leave.submit.a%2Eb");
  assert.deepEqual(Object.keys(forwarded.headers).toSorted(), ["Assent-Forwarded", "Assent-Key"]);
});
