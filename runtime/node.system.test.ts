import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { startWecomStandIn } from "../examples/wecom-stand-in/server.ts";
import { InProcessBus } from "./bus/in-process-bus.ts";
import { systemClock } from "./clock.ts";
import type { WecomApp } from "./connectors/wecom/index.ts";
import { embeddedDirectory, SEEDED_PEOPLE } from "./directory.ts";
import { documentFiles } from "./document-files.ts";
import { AssentNode } from "./node.ts";
import type { Headers, OutMessage, Store, StoredEffect } from "./ports.ts";
import { openMemoryStore } from "./stores/memory-store.ts";
import { event, KEYS, keyOf, start, storeWith } from "./testing.ts";

/** A whole node in this process: what leaves it, and what becomes of what does not get through. */

const FLOW = (label: string, emits: string) => `
state machine "payment" {
  label: "${label}"
  data {
    amount: money?
    card: text secret
  }
  events {
    "open" { card }
    "pay" { card }
  }
  initial: DRAFT
  states: [DRAFT, OPEN, REVIEW, PAID, STOPPED]
  final: [PAID, STOPPED]
  state REVIEW { approval by users("bob") }
  transitions {
    DRAFT → OPEN on "open"
    OPEN → REVIEW on "submit"
    OPEN → PAID on "pay" → emit("${emits}")
    REVIEW → PAID on approved
    REVIEW → STOPPED on rejected
  }
  routes { "pay" → "bank" }
}
`;
const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

interface CloudEvent {
  readonly type: string;
  readonly id: string;
  readonly specversion: string;
  readonly traceparent?: string;
  readonly data: Record<string, unknown>;
}

interface World {
  readonly node: AssentNode;
  readonly store: Store;
  readonly bus: InProcessBus;
  readonly folder: string;
  readonly out: OutMessage[];
  readonly alerts: { readonly fields: Record<string, unknown>; readonly message: string }[];
  /** The first event of the type, or the next one. */
  event(type: string): Promise<CloudEvent>;
}

async function open(
  context: TestContext,
  options: { store?: Store; wecom?: readonly WecomApp[] } = {},
): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), "assent-node-"));
  writeFileSync(join(folder, "payment.flow"), FLOW("1", "onPaid"));
  const bus = new InProcessBus();
  const out: OutMessage[] = [];
  const waiting = new Set<() => void>();
  await bus.subscribe("assent.out.>", (message) => {
    out.push(message);
    for (const wake of waiting) wake();
  });
  const alerts: World["alerts"] = [];
  const store = options.store ?? openMemoryStore();
  const node = new AssentNode({
    ...{ store, bus, clock: systemClock, keys: KEYS, services: {}, wecom: options.wecom ?? [] },
    directory: embeddedDirectory(SEEDED_PEOPLE),
    documents: documentFiles(folder),
    alert: (fields, message) => alerts.push({ fields: { ...fields }, message }),
    onError: (error) => assert.ifError(error),
  });
  for (const loaded of await node.registry.load([folder]))
    assert.equal(loaded.kind, "activated", JSON.stringify(loaded));
  await node.start();
  context.after(async () => {
    await node.stop();
    rmSync(folder, { recursive: true });
  });
  const find = (type: string) => out.map(({ body }) => JSON.parse(body) as CloudEvent).find((one) => one.type === type);
  return {
    ...{ node, store, bus, folder, out, alerts },
    async event(type) {
      for (;;) {
        const found = find(type);
        if (found) return found;
        await new Promise<void>((resolve) => waiting.add(resolve));
      }
    },
  };
}

const started = async ({ node }: World) => {
  for (const one of [start("A", "start A", "payment"), sent("A", "open", { card: "1" })]) {
    const reply = await node.submit(one);
    assert.equal(reply.kind, "accepted", JSON.stringify(reply));
  }
};
const sent = (key: string, name: string, payload = {}) => ({
  ...event(key, `${name} ${key}`, name, payload),
  ...keyOf(key, "payment"),
});

test("a trace goes from the command to its events, in the header and in the event", {
  timeout: 20_000,
}, async (context) => {
  const world = await open(context);
  const seen = Promise.withResolvers<Headers>();
  await world.bus.serve("assent.svc.bank.event", (_body, headers) => {
    seen.resolve(headers);
    return '{"ok":true}';
  });
  await started(world);
  await world.node.submit({ ...sent("A", "pay"), traceparent: TRACE });
  assert.equal((await seen.promise)["traceparent"], TRACE, "the service is told");
  assert.equal((await world.event("onPaid")).traceparent, TRACE);
  const traced = world.out.filter(({ headers }) => headers["traceparent"] === TRACE).map(({ subject }) => subject);
  assert.ok(traced.includes("assent.out.t.payment.onPaid"));
  assert.ok(!("traceparent" in (await world.event("instance.started"))), "no trace, none made up");
});

test("an effect that is given up is told everywhere; sent again it is carried out", {
  timeout: 20_000,
}, async (context) => {
  const world = await open(context);
  let answer = '{"error":"the account is closed","retryable":false}';
  const end = await world.bus.serve("assent.svc.bank.event", () => answer);
  const secret = "6222020200112233";
  await started(world);
  await world.node.submit({ ...sent("A", "pay", { card: secret }), traceparent: TRACE });
  const stuck = await world.event("effect.stuck");
  assert.deepEqual([stuck.data["state"], stuck.data["reason"]], ["dead", "the account is closed"]);
  assert.equal(stuck.traceparent, TRACE);
  const [alert] = world.alerts;
  assert.match(alert!.message, /given up/);
  assert.equal(alert!.fields["traceId"], TRACE.split("-")[1]);
  const id = String(stuck.data["effect"]);
  const found = async () =>
    (await world.store.effects("t", "dead", { limit: 9 })).items.find(({ effect }) => effect.id === id);
  assert.equal((await until(found)).effect.kind, "sealed");
  const opened = await world.node.deadLetters.read("t", id);
  assert.ok(opened?.kind === "effect" && !JSON.stringify(opened.content).includes(secret));
  assert.equal((opened.content as { event: unknown }).event, "pay", "it is readable, though it was sealed");
  assert.equal(await world.node.deadLetters.read("u", id), undefined, "of its tenant alone");
  assert.equal(await world.node.deadLetters.sendAgain("u", id), undefined);
  const paid = Promise.withResolvers<void>();
  end();
  await world.bus.serve("assent.svc.bank.event", () => {
    paid.resolve();
    return answer;
  });
  answer = '{"ok":true}';
  assert.deepEqual(await world.node.deadLetters.sendAgain("t", id), { kind: "renewed" });
  await paid.promise;
  await until(async () => ((await world.store.findEffect("t", id)) === undefined ? true : undefined));
});

test("an effect that is discarded is gone, and its history says by whom", { timeout: 20_000 }, async (context) => {
  const world = await open(context);
  await started(world);
  await world.node.submit(sent("A", "pay"));
  const key = keyOf("A", "payment");
  const waits = (left: readonly StoredEffect[]) =>
    left.find(({ error }) => /no service `bank` is there/.test(error ?? ""));
  const stored = await until(async () => waits(await world.store.effectsOfDecision("t", `${key.instance}:3`)));
  assert.equal(stored.state, "pending", "a service that is not there may come");
  assert.equal(await world.node.deadLetters.discard("t", stored.effect.id, "admin"), true);
  assert.equal(await world.store.findEffect("t", stored.effect.id), undefined);
  assert.match(JSON.stringify(await world.node.history(key)), /discarded by admin/);
  await world.event("onPaid");
});

test("changes of the registry are events like all others, and a removed file is one", {
  timeout: 20_000,
}, async (context) => {
  const world = await open(context);
  const file = join(world.folder, "payment.flow");
  writeFileSync(file, FLOW("2", "onPaid"));
  await world.node.registry.reload();
  const activated = await world.event("registry.activated");
  assert.deepEqual([activated.specversion, activated.data["file"]], ["1.0", file]);
  writeFileSync(file, FLOW("2", "onPaid").replace("initial: DRAFT", "initial: NOWHERE"));
  await world.node.registry.reload();
  assert.ok(JSON.stringify((await world.event("registry.refused")).data["problems"]).includes("NOWHERE"));
  rmSync(file);
  await world.node.registry.reload();
  assert.equal((await world.event("registry.removed")).data["file"], file);
  const subjects = world.out.map(({ subject }) => subject).filter((subject) => subject.includes("registry"));
  assert.deepEqual(
    subjects,
    ["activated", "refused", "removed"].map((kind) => `assent.out.default.payment.registry.${kind}`),
  );
});

test("people get their notifications by WeCom where the app has an agent id", { timeout: 20_000 }, async (context) => {
  const standIn = await startWecomStandIn({ corpId: "ww1", secret: "s" });
  context.after(() => standIn.close());
  const keys = { token: "t", aesKey: "a".repeat(43), secret: "s" };
  const app = { app: "main", tenant: "t", corpId: "ww1", api: standIn.url, agentId: 1_000_002, ...keys };
  const world = await open(context, { wecom: [app] });
  await started(world);
  await world.node.submit(sent("A", "submit"));
  const message = await until(async () => standIn.messages[0] as Record<string, unknown> | undefined);
  assert.deepEqual([message["touser"], message["agentid"], message["msgtype"]], ["bob", 1_000_002, "text"]);
  assert.match((message["text"] as { content: string }).content, /payment A: waits for your decision/);
});

test("a node sees what another one started after it had looked in vain", { timeout: 20_000 }, async (context) => {
  const shared = storeWith(openMemoryStore(), { close: async () => {} });
  const [one, two] = [await open(context, { store: shared }), await open(context, { store: shared })];
  const key = keyOf("A", "payment");
  assert.equal(await two.node.read(key), undefined);
  assert.equal((await two.node.submit(sent("A", "submit"))).kind, "not-found");
  await started(one);
  assert.equal((await two.node.read(key))?.instance.state, "OPEN");
  assert.equal((await two.node.submit(sent("A", "submit"))).kind, "accepted");
});

/** What `look` finds, as soon as it does; the test's own limit ends a search in vain. */
async function until<Found>(look: () => Promise<Found | undefined>): Promise<Found> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test("who can come again is turned away while too many wait, and nobody else", { timeout: 20_000 }, async (context) => {
  const { node } = await open(context);
  const requests = (from: number) =>
    Array.from({ length: 1_000 }, (_, n) => node.request(start(`R-${from + n}`, `start R-${from + n}`, "payment")));
  // All at once: nothing is answered in between.
  const [first, inside] = [requests(0), node.submit(start("inside", "start inside", "payment"))];
  const ended = await Promise.allSettled(first);
  const limit = ended.filter(({ status }) => status === "fulfilled").length;
  assert.ok(limit >= 256 && limit < 1_000, `${limit} were let in`);
  for (const one of ended) assert.ok(one.status === "fulfilled" || (one.reason as Error).name === "Overloaded");
  assert.equal((await inside).kind, "accepted");
  assert.equal((await node.request(start("R-999", "start R-999", "payment"))).kind, "accepted", "later");
});

test("changes of the registry and of services' circuits are events of the node", {
  timeout: 20_000,
}, async (context) => {
  const world = await open(context);
  const topics: string[] = [];
  world.node.events.subscribe(">", (_event, topic) => topics.push(topic));
  await world.bus.serve("assent.svc.bank.event", () => '{"error":"no database","retryable":true}');
  await started(world);
  await world.node.submit(sent("A", "pay"));
  for (let n = 0; n < 4; n++) {
    await world.node.submit({ ...start(`B${n}`, `s${n}`, "payment") });
    await world.node.submit({ ...sent(`B${n}`, "open", { card: "1" }) });
    await world.node.submit(sent(`B${n}`, "pay"));
  }
  await until(async () => (topics.includes("service.open") ? true : undefined));
  rmSync(join(world.folder, "payment.flow"));
  await world.node.registry.reload();
  assert.equal(topics.at(-1), "registry.removed");
});
