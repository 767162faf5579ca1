import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { instanceId } from "../engine/index.ts";
import { needsNatsServer, startNatsServer } from "../scripts/nats-server.ts";
import { Arrivals } from "./bus/bus-contract.ts";
import { openNatsBus } from "./bus/nats-bus.ts";
import { systemClock } from "./clock.ts";
import { embeddedDirectory, SEEDED_PEOPLE } from "./directory.ts";
import { documentFiles } from "./document-files.ts";
import { AssentNode } from "./node.ts";
import type { OutMessage } from "./ports.ts";
import { openMemoryStore } from "./stores/memory-store.ts";
import { KEYS } from "./testing.ts";

const FLOW = `
state machine "leave" {
  data { days: int }
  events { "submit" { days } }
  initial: DRAFT
  states: [DRAFT, SENT]
  final: [SENT]
  transitions { DRAFT → SENT on "submit" → emit("onSent") }
}
`;
const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

test("an event from NATS starts an instance, and what it causes carries its trace and tag", {
  ...needsNatsServer(),
  timeout: 60_000,
}, async (context) => {
  const server = await startNatsServer();
  const folder = mkdtempSync(join(tmpdir(), "assent-nats-node-"));
  writeFileSync(join(folder, "leave.flow"), FLOW);
  const bus = await openNatsBus({ urls: server.url });
  const node = new AssentNode({
    ...{ store: openMemoryStore(), bus, clock: systemClock, keys: KEYS, services: {}, wecom: [] },
    directory: embeddedDirectory(SEEDED_PEOPLE),
    documents: documentFiles(folder),
    onError: (error) => assert.ifError(error),
  });
  context.after(async () => {
    await node.stop();
    await server.stop();
    rmSync(folder, { recursive: true });
  });
  await node.registry.load([folder]);
  await node.start();
  const arrivals = new Arrivals<OutMessage>();
  await bus.subscribe("assent.out.default.leave.>", (message) => {
    if (!message.subject.includes("registry")) arrivals.add(message);
  });
  await bus.send({
    subject: "assent.in.default.leave.submit.L-1",
    id: "m-1",
    headers: { Traceparent: TRACE, "X-Gray-Tag": "beta", "Assent-Initiator": "alice" },
    body: '{"days":3}',
  });
  await arrivals.reach(4);
  const { instance } = (await node.read({ tenant: "default", instance: instanceId("default", "leave", "L-1") }))!;
  assert.deepEqual([instance.state, instance.initiator.id, instance.tag], ["SENT", "alice", "beta"]);
  const events = arrivals.items.map(({ subject }) => subject.split(".").slice(4).join("."));
  assert.deepEqual(events.toSorted(), ["instance.finished", "instance.moved", "instance.started", "onSent"]);
  for (const { id, headers, body } of arrivals.items) {
    assert.deepEqual([headers["traceparent"], headers["X-Gray-Tag"]], [TRACE, "beta"]);
    const event = JSON.parse(body);
    assert.deepEqual([event.id, event.time], [id, new Date(instance.updatedAt).toISOString()]);
  }
});
