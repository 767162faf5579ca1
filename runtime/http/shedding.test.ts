import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import { shedding } from "./shedding.ts";

interface Sent {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
}

/** @returns what was answered before the handler had it; `undefined`: the handler has it. */
function ask(method: string, url: string, turnedAwayForMs: number | undefined): Sent | undefined {
  const sent: Sent = {};
  const response = {
    writeHead: (status: number, headers: Record<string, string>) => Object.assign(sent, { status, headers }),
    end: (body: string) => Object.assign(sent, { body }),
  };
  let isHandled = false;
  const listener = shedding(
    () => turnedAwayForMs,
    () => {
      isHandled = true;
    },
  );
  listener(
    { method, url } as IncomingMessage,
    response as unknown as ServerResponse<IncomingMessage> & { req: IncomingMessage },
  );
  return isHandled ? undefined : sent;
}

test("a command that would wait too long is answered with 503 and when to come again", () => {
  const { status, headers, body } = ask("POST", "/v1/tasks/t/decision", 1_200)!;
  const { code, traceId } = JSON.parse(body!) as { code: string; traceId: string };
  assert.deepEqual([status, headers!["Retry-After"], code], [503, "2", "overloaded"]);
  assert.equal(headers!["x-trace-id"], traceId);
});

const LET_IN: readonly [method: string, url: string, turnedAwayForMs: number | undefined][] = [
  ["POST", "/v1/tasks/t/decision", undefined],
  ["GET", "/v1/tasks", 1_200],
  ["POST", "/hooks/wecom/app", 1_200],
  ["GET", "/metrics", 1_200],
];
for (const [method, url, turnedAwayForMs] of LET_IN) {
  test(`${method} ${url} is let in${turnedAwayForMs === undefined ? "" : ", though too many wait"}`, () => {
    assert.equal(ask(method, url, turnedAwayForMs), undefined);
  });
}
