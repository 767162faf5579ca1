import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { InProcessBus } from "../bus/in-process-bus.ts";
import { systemClock } from "../clock.ts";
import { embeddedDirectory, SEEDED_PEOPLE } from "../directory.ts";
import { documentFiles } from "../document-files.ts";
import { createMetrics } from "../metrics.ts";
import { AssentNode } from "../node.ts";
import { openMemoryStore } from "../stores/memory-store.ts";
import { event, KEYS, keyOf, start } from "../testing.ts";
import { TooOften } from "./quotas.ts";
import type { TenantsSettings } from "./tenant-settings.ts";

/** Quotas on a whole node: over the bus, in the figures, and where effects start instances. */

const FLOW = `
state machine "leave" {
  data { note: text? }
  events { "remark" { note } }
  initial: DRAFT
  states: [DRAFT, DONE]
  final: [DONE]
  transitions {
    DRAFT → DRAFT on "remark"
    DRAFT → DONE on "finish" → start("leave", "another", {})
  }
}
`;

async function open(context: TestContext, tenants: TenantsSettings) {
  const folder = mkdtempSync(join(tmpdir(), "assent-quotas-"));
  writeFileSync(join(folder, "leave.flow"), FLOW);
  const metrics = createMetrics();
  const store = openMemoryStore();
  const bus = new InProcessBus();
  const node = new AssentNode({
    ...{ store, bus, clock: systemClock, keys: KEYS, services: {}, wecom: [], tenants, observe: metrics },
    directory: embeddedDirectory(SEEDED_PEOPLE),
    documents: documentFiles(folder),
    onError: (error) => assert.ifError(error),
  });
  for (const loaded of await node.registry.load([folder]))
    assert.equal(loaded.kind, "activated", JSON.stringify(loaded));
  await node.start();
  context.after(async () => {
    await node.stop();
    rmSync(folder, { recursive: true });
  });
  return { node, store, bus, metrics };
}

const starting = (key: string) => start(key, `start ${key}`, "leave");
const of = (key: string, id: string, name: string) => ({ ...event(key, id, name), ...keyOf(key, "leave") });

test("messages that come too fast wait on the bus, and none goes to the dead letters", {
  timeout: 20_000,
}, async (context) => {
  const { node, store, bus, metrics } = await open(context, { "*": { commandsPerSecondMax: 3 } });
  for (let n = 0; n < 6; n++)
    await bus.send({ subject: `assent.in.default.leave.remark.K-${n}`, id: `m-${n}`, headers: {}, body: "{}" });
  for (;;) {
    const { items } = await store.instances({ tenant: "default" }, { limit: 9 });
    if (items.length === 6) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.deepEqual((await store.deadLetters("default", { limit: 9 })).items, []);
  assert.match(await metrics.text(), /assent_quota_refusals_total\{tenant="default",quota="commands-per-second"\} \d+/);
  await assert.rejects(async () => {
    for (let n = 0; n < 9; n++) await node.submit(of("K-1", `${n}`, "remark"));
  }, TooOften);
});

test("a start that is one too many is counted, by a message it goes to the dead letters, and effects wait for room", {
  timeout: 20_000,
}, async (context) => {
  const { node, store, bus, metrics } = await open(context, { t: { instancesMax: 1 }, default: { instancesMax: 0 } });
  assert.equal((await node.submit(starting("A"))).kind, "accepted");
  assert.equal((await node.submit(starting("B"))).kind, "refused");
  await bus.send({ subject: "assent.in.default.leave.remark.K-1", id: "m", headers: {}, body: "{}" });
  for (;;) {
    const { items } = await store.deadLetters("default", { limit: 9 });
    if (items.length === 1) {
      assert.match(items[0]!.reason, /^too-often: the tenant has 0 instances/);
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  // The one that ends makes room for the one that it starts.
  assert.equal((await node.submit(of("A", "f", "finish"))).kind, "accepted");
  while ((await store.usage("t")).openInstances < 1) await new Promise((resolve) => setTimeout(resolve, 20));
  const { items } = await store.instances({ tenant: "t" }, { limit: 9 });
  assert.deepEqual(items.map(({ key }) => key).sort(), ["A", "another"]);
  const text = await metrics.text();
  assert.match(text, /assent_quota_refusals_total\{tenant="t",quota="instances"\} 1/);
  assert.match(text, /assent_quota_refusals_total\{tenant="default",quota="instances"\} 1/);
});
