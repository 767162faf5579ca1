import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { InProcessBus } from "./bus/in-process-bus.ts";
import { BusIngress } from "./bus-ingress.ts";
import { digestData } from "./data-digest.ts";
import { embeddedDirectory } from "./directory.ts";
import { decodeEffect } from "./entry.ts";
import { readHistory } from "./history.ts";
import { keyRing, newKeyRingSetting } from "./key-ring.ts";
import type { DeadLetter } from "./ports.ts";
import { openSqliteStore } from "./stores/sqlite-store.ts";
import { event, flow, keyOf, start, turnsOn } from "./testing.ts";

const SECRET = "6222-0000-1111-8888";

const FLOW = `
state machine "payment" {
  data {
    amount: money?
    card: text secret
  }
  events {
    "submit" { amount, card }
    "pay" { card }
  }
  initial: DRAFT
  states: [DRAFT, OPEN, PAID]
  final: [PAID]
  transitions {
    DRAFT → OPEN on "submit" → emit("onSubmit")
    OPEN → OPEN on "submit" → emit("onSubmit") → settle(card)
    OPEN → PAID on "pay" → settle(card) → emit("onPay")
  }
}
`;

test("a secret is nowhere in the store's files, and is there for who may have it", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "assent-secrets-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const definition = flow(FLOW, [{ name: "settle", kind: "action" }]);
  const store = await openSqliteStore(join(folder, "assent.db"));
  context.after(() => store.close());
  const turns = turnsOn({ store, definition, limits: { snapshotEvery: 2 } });
  const key = keyOf("A", "payment");
  const send = (id: string, name: string, payload: object) =>
    turns.submit({ ...event("A", id, name, payload), ...key });
  assert.equal((await turns.submit(start("A", "s", "payment"))).kind, "accepted");
  for (let n = 0; n < 70; n++) {
    assert.equal((await send(`e${n}`, "submit", { amount: n, card: SECRET })).kind, "accepted");
  }
  assert.equal((await send("p", "pay", { card: SECRET })).kind, "accepted");

  const fresh = turnsOn({ store, definition });
  assert.equal((await fresh.read(key))?.instance.data["card"], SECRET);
  const again = await fresh.submit({ ...event("A", "e1", "submit", { amount: 1, card: SECRET }), ...key });
  assert.equal(again.kind === "accepted" && again.duplicate, true, "known by a digest under the instance's key");
  const dataKey = await fresh.dataKey(key);
  const due = await store.dueEffects("all", Number.MAX_SAFE_INTEGER, 1_000);
  assert.ok(due.length > 0 && due.every(({ effect }) => effect.kind === "sealed"));
  const opened = due.map(({ effect }) => decodeEffect(effect, dataKey));
  assert.ok(JSON.stringify(opened.filter(({ kind }) => kind === "call")).includes(SECRET), "the action gets it");
  assert.ok(!JSON.stringify(opened.filter(({ kind }) => kind === "publish")).includes(SECRET), "events do not");
  const told = readHistory(await store.history(key), dataKey);
  const { instance } = (await fresh.read(key))!;
  assert.equal(told.at(-1)?.dataDigest, digestData(instance, dataKey).digest, "a digest of secrets has a key");
  assert.equal(told.length, 72);
  assert.ok(!JSON.stringify(told).includes(SECRET), "nor does the history");

  const files = () => readdirSync(folder).map((name) => readFileSync(join(folder, name)));
  assert.ok(
    files().some((bytes) => bytes.includes(key.instance)),
    "looks into the right files",
  );
  for (const bytes of files()) assert.ok(!bytes.includes(SECRET));
  await store.close();
  for (const bytes of files()) assert.ok(!bytes.includes(SECRET));
});

test("a refused message's secret does not lie in the dead letters", async () => {
  const definition = flow(FLOW, [{ name: "settle", kind: "action" }]);
  const keys = keyRing(newKeyRingSetting());
  const letters: DeadLetter[] = [];
  const ingress = new BusIngress({
    clock: { now: () => 0 },
    directory: embeddedDirectory({ people: [] }),
    keys,
    activeDefinition: () => definition,
    submit: async () => ({ kind: "not-found" }),
    deadLetter: async (letter) => void letters.push(letter),
    onError: (error) => assert.ifError(error),
  });
  const body = JSON.stringify({ card: SECRET });
  const bus = new InProcessBus();
  const settled = Promise.withResolvers<void>();
  await bus.consume(async (messages) => {
    await ingress.handle(messages);
    settled.resolve();
  });
  await bus.send({ subject: "assent.in.default.payment.submit.K", id: "1", headers: {}, body });
  await settled.promise;
  await bus.close();
  const kept = JSON.parse(letters[0]!.body) as { sealed: string };
  assert.ok(!letters[0]!.body.includes(SECRET));
  assert.equal(keys.unwrap(kept.sealed).toString("utf8"), body, "and it can be had back");
});
