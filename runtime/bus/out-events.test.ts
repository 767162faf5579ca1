import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { OutEvents, type OutgoingEvent } from "./out-events.ts";

const MOVED: OutgoingEvent = {
  tenant: "default",
  flow: 'the "v1.2"',
  instance: "0f",
  id: "0f:1:e0",
  event: "instance.moved",
  data: { key: "合同\u2028", to: "B" },
  at: Date.UTC(2026, 0, 5, 4),
  carried: {},
};
const KEEPS = { wants: () => true };

describe("an event on its way out", () => {
  test("is a CloudEvent under its own id", () => {
    const message = new OutEvents().message(MOVED, KEEPS);
    assert.ok(message);
    const { body, ...rest } = message;
    assert.deepEqual(rest, {
      subject: 'assent.out.default.the%20"v1%2E2".instance.moved',
      id: "0f:1:e0",
      headers: { "content-type": "application/cloudevents+json" },
    });
    assert.deepEqual(JSON.parse(body), {
      specversion: "1.0",
      id: "0f:1:e0",
      source: 'assent/default/the "v1.2"',
      type: "instance.moved",
      subject: "0f",
      time: "2026-01-05T04:00:00.000Z",
      datacontenttype: "application/json",
      data: { key: "合同\u2028", to: "B" },
    });
  });

  test("carries the trace and the tag on", () => {
    const carried = { traceparent: "00-1-2-01", tag: "beta" };
    const message = new OutEvents().message({ ...MOVED, carried }, KEEPS);
    assert.deepEqual(message?.headers, {
      "content-type": "application/cloudevents+json",
      traceparent: "00-1-2-01",
      "X-Gray-Tag": "beta",
    });
    assert.equal(JSON.parse(message.body).traceparent, "00-1-2-01");
  });

  test("is the same whenever it is written, whatever was written between", () => {
    const events = new OutEvents();
    const first = events.message(MOVED, KEEPS);
    const others = [
      { ...MOVED, event: "done", at: MOVED.at + 1 },
      { ...MOVED, flow: "other", tenant: "t" },
      { ...MOVED, id: "0f:2:e0", at: MOVED.at + 2 },
    ].map((other) => events.message(other, KEEPS)?.body);
    assert.equal(new Set([first?.body, ...others]).size, 4);
    assert.deepEqual(events.message(MOVED, KEEPS), first);
    assert.deepEqual(new OutEvents().message(MOVED, KEEPS), first);
  });

  test("is not written where nobody will see it", () => {
    const asked: string[] = [];
    const wants = (subject: string) => asked.push(subject) === 0;
    assert.equal(new OutEvents().message(MOVED, { wants }), undefined);
    assert.deepEqual(asked, ['assent.out.default.the%20"v1%2E2".instance.moved']);
  });
});
