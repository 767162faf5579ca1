import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { InProcessBus } from "./bus/in-process-bus.ts";
import { systemClock } from "./clock.ts";
import { embeddedDirectory, SEEDED_PEOPLE } from "./directory.ts";
import { documentFiles } from "./document-files.ts";
import { keyRing, MissingKey } from "./key-ring.ts";
import { AssentNode } from "./node.ts";
import type { Store } from "./ports.ts";
import { openMemoryStore } from "./stores/memory-store.ts";
import { event, keyOf, start } from "./testing.ts";

/** The key ring is rotated by restarting nodes with another one. */

const folder = mkdtempSync(join(tmpdir(), "assent-rekey-"));
after(() => rmSync(folder, { recursive: true }));
writeFileSync(
  join(folder, "payout.flow"),
  `
state machine "payout" {
  data { card: text? secret }
  events { "pay" { card } }
  initial: DRAFT
  states: [DRAFT, DONE]
  final: [DONE]
  transitions {
    DRAFT → DRAFT on "pay"
    DRAFT → DONE on "finish"
  }
}
`,
);

const setting = (...ids: readonly number[]) =>
  ids.map((id) => `k${id}:${Buffer.alloc(32, id).toString("base64")}`).join(",");

interface Said {
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

/** What a node with this ring says from its start to its end. */
async function withNode(
  store: Store,
  keys: string,
  work: (node: AssentNode) => Promise<void>,
): Promise<readonly Said[]> {
  const said: Said[] = [];
  const say = (fields: object, message: string) => void said.push({ fields: { ...fields }, message });
  const node = new AssentNode({
    ...{ store, bus: new InProcessBus(), clock: systemClock, keys: keyRing(keys), services: {}, wecom: [] },
    ...{ directory: embeddedDirectory(SEEDED_PEOPLE), documents: documentFiles(folder), note: say, alert: say },
    onError: (error) => assert.ifError(error),
  });
  await node.registry.load([folder]);
  await node.start();
  await work(node);
  await node.stop();
  return said;
}

const stateOf = async (node: AssentNode) => (await node.read(keyOf("A", "payout")))?.instance.state;
const pay = (id: string) => ({ ...event("A", id, "pay", { card: "hush" }), ...keyOf("A", "payout") });

test("a node that starts with a newer key wraps everything under it; then the older one is not needed", async () => {
  const store = openMemoryStore();
  const first = await withNode(store, setting(1), async (node) => {
    assert.equal((await node.submit(start("A", "start", "payout"))).kind, "accepted");
    assert.equal((await node.submit(pay("1"))).kind, "accepted");
  });
  assert.deepEqual(first, []);
  const rotated = await withNode(store, setting(2, 1), async () => {});
  assert.deepEqual(rotated, [
    {
      fields: { found: 1, rewrapped: 1, missing: 0, key: "k2" },
      message: "all data keys are wrapped under the newest key",
    },
  ]);
  const after = await withNode(store, setting(2), async (node) => {
    assert.equal(await stateOf(node), "DRAFT");
    assert.equal((await node.submit(pay("2"))).kind, "accepted");
  });
  assert.deepEqual(after, []);
  const lost = await withNode(store, setting(3), async (node) => {
    await assert.rejects(stateOf(node), MissingKey);
    await assert.rejects(
      node.submit(pay("3")),
      /sealed under the key `k2`, which the key ring \(ASSENT_KEYS\) does not have/,
    );
  });
  assert.equal(lost[0]?.message, "some of what is sealed can't be opened");
  await withNode(store, setting(2), async (node) => assert.equal((await node.submit(pay("3"))).kind, "accepted"));
});
