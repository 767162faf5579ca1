import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { freePort, NodeProcess } from "../examples/demo/node-process.ts";

const DEADLINE_MS = 3_000;
const FLOW = `
state machine "order" {
  initial: DRAFT
  states: [DRAFT, FORGOTTEN]
  final: [FORGOTTEN]
  transitions { DRAFT → FORGOTTEN after ${DEADLINE_MS / 1_000}s → emit("onForgotten") }
}
`;

test("a timer that came due while no node ran fires when one starts, and once", {
  timeout: 60_000,
}, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "assent-timers-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "order.flow"), FLOW);
  const node = new NodeProcess({ paths: [join(folder, "order.flow")], folder, env: {} }, await freePort());
  context.after(() => node.stop());
  const ask = async (path: string, body?: object): Promise<Record<string, unknown>> => {
    const headers = { authorization: node.tokens.get("alice")!, "content-type": "application/json" };
    const init = body ? { method: "POST", headers, body: JSON.stringify(body) } : { headers };
    return (await (await fetch(`${node.url}${path}`, init)).json()) as Record<string, unknown>;
  };
  await node.start();
  const started = await ask("/v1/flows/order/instances", { key: "A" });
  const dueAt = Date.parse(String(started["startedAt"])) + DEADLINE_MS;
  assert.equal(await node.stop(), 0);
  assert.ok(Date.now() < dueAt, "it was stopped before the deadline");
  await new Promise((resolve) => setTimeout(resolve, dueAt - Date.now() + 100));
  await node.start();
  const path = `/v1/instances/${String(started["id"])}`;
  let state: unknown;
  while (state !== "FORGOTTEN") ({ state } = await ask(path));
  await node.stop();
  await node.start();
  const { items } = (await ask(`${path}/history`)) as { items: { command: { kind: string } }[] };
  assert.deepEqual(
    items.map(({ command }) => command.kind),
    ["start", "timer"],
  );
});
