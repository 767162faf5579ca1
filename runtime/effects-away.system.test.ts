import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { needsNatsServer, startNatsServer } from "../scripts/nats-server.ts";
import { openNatsBus } from "./bus/nats-bus.ts";
import { systemClock } from "./clock.ts";
import { embeddedDirectory, SEEDED_PEOPLE } from "./directory.ts";
import { documentFiles } from "./document-files.ts";
import { AssentNode } from "./node.ts";
import { openMemoryStore } from "./stores/memory-store.ts";
import { event, KEYS, keyOf, start } from "./testing.ts";

const FLOW = `
state machine "payment" {
  initial: DRAFT
  states: [DRAFT, PAID]
  final: [PAID]
  transitions { DRAFT → PAID on "pay" }
  routes { "pay" → "bank" }
}
`;

test("a delivery outlives a bus that goes away and a service that comes late, and nothing is given up", {
  ...needsNatsServer(),
  timeout: 60_000,
}, async (context) => {
  const server = await startNatsServer();
  context.after(() => server.stop());
  const folder = mkdtempSync(join(tmpdir(), "assent-away-"));
  context.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "payment.flow"), FLOW);
  const store = openMemoryStore();
  const bus = await openNatsBus({ urls: server.url, onProblem: () => {} });
  const node = new AssentNode({
    ...{ store, bus, clock: systemClock, keys: KEYS, services: {}, wecom: [] },
    directory: embeddedDirectory(SEEDED_PEOPLE),
    documents: documentFiles(folder),
    onError: () => {},
  });
  await node.registry.load([folder]);
  await node.start();
  context.after(() => node.stop());
  await node.submit(start("A", "start A", "payment"));
  await server.kill();
  // HTTP goes on while the bus is away: the command is accepted.
  const paid = await node.submit({ ...event("A", "pay A", "pay"), ...keyOf("A", "payment") });
  assert.equal(paid.kind, "accepted");
  const waits = async () =>
    (await store.dueEffects("all", Number.MAX_SAFE_INTEGER, 9)).some(({ attempts }) => attempts > 0);
  await until(waits);
  await server.start();
  const nobody = async () =>
    (await store.dueEffects("all", Number.MAX_SAFE_INTEGER, 9)).some(({ error }) =>
      /no service `bank` is there/.test(error ?? ""),
    );
  await until(nobody);
  const delivered = Promise.withResolvers<string>();
  await bus.serve("assent.svc.bank.event", (body) => {
    delivered.resolve(body);
    return '{"ok":true}';
  });
  assert.equal((JSON.parse(await delivered.promise) as { event: string }).event, "pay");
  await until(async () => (await store.dueEffects("all", Number.MAX_SAFE_INTEGER, 9)).length === 0);
  assert.deepEqual((await store.effects("t", "dead", { limit: 9 })).items, []);
});

/** The test's own limit ends a wait in vain. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}
