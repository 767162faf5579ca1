import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { freePort, NodeProcess } from "../examples/demo/node-process.ts";

/** A saga on a node that is killed in the middle of a step: nothing is lost, everything goes under its own key. */

const FLOW = `
use "./payments.flow"
state machine "payment" {
  data { amount: money? }
  events { "pay" { amount } }
  initial: DRAFT
  states: [DRAFT, PAYING, PAID, FAILED]
  state PAYING { run flow "pay-out" on "go" with { amount: 12 } }
  transitions {
    DRAFT → PAYING on "pay"
    PAYING → PAID on done if outcome == DONE
    PAYING → FAILED on done else
  }
}
`;
const PAYMENTS = `
state machine "pay-out" {
  data { amount: money }
  initial: ASKED
  states: [ASKED, RUNNING, DONE, UNDONE]
  final: [DONE, UNDONE]
  state RUNNING { run saga "transfer" }
  transitions {
    ASKED → RUNNING on "go"
    RUNNING → DONE on done
    RUNNING → UNDONE on compensated
  }
}
saga "transfer" {
  step reserve(amount) undo release(amount)
  step send(key) retry 2 backoff 10ms .. 20ms
  onStuck: assign users("erin")
}
`;
/** The first call of `send` does not end; with the key `BAD` it always fails. */
const FUNCTIONS = (file: string) => `
import { appendFileSync, readFileSync } from "node:fs";
const FILE = ${JSON.stringify(file)};
const called = (name, key) => appendFileSync(FILE, name + " " + key + "\\n");
const action = (run) => ({ kind: "action", run });
export const reserve = action(({ idempotencyKey }) => called("reserve", idempotencyKey));
export const release = action(({ idempotencyKey }) => called("release", idempotencyKey));
export const send = action(({ arguments: [key], idempotencyKey }) => {
  const before = readFileSync(FILE, "utf8");
  called("send", idempotencyKey);
  if (key === "BAD") throw new Error("no such account");
  if (!before.includes("send ")) return new Promise(() => undefined);
});
`;

test("a killed node makes the try again under its key; one that fails for good is undone", {
  timeout: 60_000,
}, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "assent-saga-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "calls.txt");
  writeFileSync(file, "");
  writeFileSync(join(folder, "payment.flow"), FLOW);
  writeFileSync(join(folder, "payments.flow"), PAYMENTS);
  writeFileSync(join(folder, "functions.ts"), FUNCTIONS(file));
  const node = new NodeProcess({ paths: [join(folder, "payment.flow")], folder, env: {} }, await freePort());
  context.after(() => node.stop());
  const ask = async (user: string, path: string, body?: object): Promise<Record<string, unknown>> => {
    const headers = { authorization: node.tokens.get(user)!, "content-type": "application/json" };
    const init = body ? { method: "POST", headers, body: JSON.stringify(body) } : { headers };
    return (await (await fetch(`${node.url}${path}`, init)).json()) as Record<string, unknown>;
  };
  const finished = async (id: unknown): Promise<Record<string, unknown>> => {
    for (;;) {
      const seen = await ask("alice", `/v1/instances/${String(id)}`);
      if (seen["outcome"] !== undefined) return seen;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await node.start();
  const started = await ask("alice", "/v1/flows/payment/instances", { key: "A", event: "pay" });
  assert.equal((started["subFlow"] as Record<string, unknown>)["state"], "RUNNING", JSON.stringify(started));
  while (!readFileSync(file, "utf8").includes("send ")) await new Promise((resolve) => setTimeout(resolve, 20));
  await node.kill();
  await node.start();
  assert.equal((await finished(started["id"]))["outcome"], "PAID");
  const calls = readFileSync(file, "utf8").trim().split("\n");
  assert.deepEqual(
    calls.map((line) => line.split(" ")[0]),
    ["reserve", "send", "send"],
  );
  assert.equal(new Set(calls.slice(1)).size, 1, "the same key");

  const failing = await ask("alice", "/v1/flows/payment/instances", { key: "BAD", event: "pay" });
  assert.equal((await finished(failing["id"]))["outcome"], "FAILED");
  const later = readFileSync(file, "utf8").trim().split("\n").slice(3);
  assert.deepEqual(
    later.map((line) => line.split(" ")[0]),
    ["reserve", "send", "send", "send", "release"],
  );
  assert.equal(new Set(later.slice(1, 4)).size, 1, "each try has the step's key");
});
