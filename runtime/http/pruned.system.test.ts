import assert from "node:assert/strict";
import { test } from "node:test";
import { retain } from "../retention/retention.ts";
import { newSigningKeySetting, signingKey } from "../retention/signing.ts";
import { definitionsFrom, KEYS } from "../testing.ts";
import { openWorld } from "./testing.ts";

const FLOW = `
state machine "trip" {
  data { note: text? }
  events { "remark" { note } }
  initial: DRAFT
  states: [DRAFT, DONE]
  final: [DONE]
  transitions {
    DRAFT → DRAFT on "remark"
    DRAFT → DONE on "finish"
  }
}
`;

test("an instance whose history was pruned says so, and is else as it was", async (context) => {
  const world = await openWorld({ flows: FLOW });
  context.after(() => world.close());
  const { json: created } = await world.send("alice", "POST", "/v1/flows/trip/instances", { key: "T-1" });
  const path = `/v1/instances/${created.id}`;
  for (const event of ["remark", "finish"]) await world.send("alice", "POST", `${path}/events`, { event });
  const [before, whole] = await Promise.all([
    world.send("alice", "GET", path),
    world.send("alice", "GET", `${path}/history`),
  ]);
  assert.equal(whole.json.pruned, undefined);
  assert.equal((await world.send("alice", "GET", `${path}?at=2`)).status, 200);

  const { definition } = (await world.turns.read({ tenant: "default", instance: created.id }))!;
  const signer = signingKey(newSigningKeySetting());
  const ports = { store: world.store, keys: KEYS, definitions: definitionsFrom([definition]), signer };
  const now = Date.now() + 86_400_000;
  const { pruned } = await retain({ ...ports, settings: () => ({ keepDays: 0 }) }, now);
  assert.equal(pruned, 1);

  const history = await world.send("alice", "GET", `${path}/history`);
  const gone = { through: 3, at: new Date(now).toISOString(), hash: whole.json.items.at(-1).hash };
  assert.deepEqual(history.json, { items: [], pruned: gone });
  assert.deepEqual((await world.send("alice", "GET", path)).json, before.json);
  assert.deepEqual((await world.send("alice", "GET", `${path}/explain`)).json.pruned, gone);
  const at = await world.send("alice", "GET", `${path}?at=2`);
  assert.deepEqual([at.status, at.json.code], [410, "pruned"]);
  assert.match(at.json.detail, /the entries up to 3 were pruned on /);
  for (const other of ["bob", "other/alice"])
    for (const route of ["history", "explain"])
      assert.equal((await world.send(other, "GET", `${path}/${route}`)).status, 404, `${other} ${route}`);
  const again = await world.send("alice", "POST", "/v1/flows/trip/instances", { key: "T-1" });
  assert.deepEqual([again.status, again.json.id, again.json.state], [200, created.id, "DONE"]);
});
