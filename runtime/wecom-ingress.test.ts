import assert from "node:assert/strict";
import { test } from "node:test";
import { approvalChangeXml } from "../examples/wecom-stand-in/callback.ts";
import type { WecomApp } from "./connectors/wecom/index.ts";
import { embeddedDirectory, SEEDED_PEOPLE } from "./directory.ts";
import type { RawEffect } from "./ports.ts";
import { openMemoryStore } from "./stores/memory-store.ts";
import { NOON, SetClock } from "./testing.ts";
import { WecomIngress } from "./wecom-ingress.ts";

const APP: WecomApp = {
  app: "contracts",
  tenant: "t",
  corpId: "ww1",
  token: "t",
  aesKey: "k",
  secret: "s",
  api: "http://127.0.0.1:9",
};

test("an event that is no approval of ours is put into the log with its reason, and done", async () => {
  const noted: [object, string][] = [];
  const nobody = () => assert.fail("it concerns nobody");
  const ingress = new WecomIngress({
    clock: new SetClock(),
    store: openMemoryStore(),
    directory: embeddedDirectory(SEEDED_PEOPLE),
    api: { approvalDetail: nobody, sendText: nobody },
    apps: [APP],
    sources: () => [],
    partitions: 16,
    ...{ submit: nobody, exists: nobody, deadLetter: nobody, stored: nobody },
    note: (fields, message) => noted.push([fields, message]),
  });
  const change = { spNo: "1", template: "C4Other", status: 2, change: 2, applicant: "alice", atMs: NOON };
  const id = "in/contracts/0f";
  const effect: RawEffect = {
    id,
    kind: "ingest",
    connector: "wecom",
    app: APP.app,
    xml: approvalChangeXml(APP, change),
  };
  const result = await ingress.perform(effect, { tenant: "t", instance: id, effect, attempts: 0 });
  assert.deepEqual(result, { kind: "done" });
  const reason = "no flow has a source for the template `C4Other`";
  assert.deepEqual(noted, [[{ app: "contracts", event: id, reason }, "a WeCom event was ignored"]]);
});
