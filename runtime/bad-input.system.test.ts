import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { instanceId } from "../engine/index.ts";
import { approvalChangeXml, callback } from "../examples/wecom-stand-in/callback.ts";
import {
  type ApprovalForm,
  PURCHASE_CONTRACT_TEMPLATE,
  type PurchaseContract,
  purchaseContractForm,
} from "../examples/wecom-stand-in/purchase-contract-form.ts";
import { startWecomStandIn, type WecomStandIn } from "../examples/wecom-stand-in/server.ts";
import { InProcessBus } from "./bus/in-process-bus.ts";
import { systemClock } from "./clock.ts";
import type { WecomApp } from "./connectors/wecom/index.ts";
import { embeddedDirectory, SEEDED_PEOPLE } from "./directory.ts";
import { documentFiles } from "./document-files.ts";
import { createHttpApp } from "./http/app.ts";
import { createIdentity } from "./identity.ts";
import { AssentNode } from "./node.ts";
import type { DeadLetter, Store } from "./ports.ts";
import { openMemoryStore } from "./stores/memory-store.ts";
import { openSqliteStore } from "./stores/sqlite-store.ts";
import { KEYS } from "./testing.ts";

/** What comes in wrong gets a clear error and changes nothing: a whole node over HTTP, the hook and the bus. */

const EXAMPLE = join(import.meta.dirname, "..", "examples", "contract-approval");
const TENANT = "default";
const FLOW = "contract-approval";
const KNOWN = { tenant: TENANT, instance: instanceId(TENANT, FLOW, "HT-1") };
const CONTRACT = {
  contractNo: "HT-1",
  title: "服务器",
  partyB: "云栈",
  kind: "purchase",
  total: "9000.00",
  deliverOn: "2026-03-31",
  items: [],
};

interface World {
  readonly node: AssentNode;
  readonly store: Store;
  readonly bus: InProcessBus;
  readonly url: string;
  post(user: string | undefined, path: string, body: string, type?: string): Promise<{ status: number; json: Problem }>;
  close(): Promise<void>;
}

interface Problem {
  readonly code?: string;
  readonly detail?: string;
  readonly errors?: readonly { readonly field: string; readonly code: string }[];
  readonly id?: string;
  readonly tasks?: readonly { readonly id: string }[];
}

async function openNode(store: Store, folder: string, wecom: readonly WecomApp[] = []): Promise<World> {
  const bus = new InProcessBus();
  const directory = embeddedDirectory(SEEDED_PEOPLE);
  const documents = documentFiles(folder);
  const node = new AssentNode({
    store,
    bus,
    clock: systemClock,
    keys: KEYS,
    directory,
    documents,
    services: {},
    wecom,
    onError: () => {},
  });
  for (const event of await node.registry.load([folder])) assert.equal(event.kind, "activated", JSON.stringify(event));
  const identity = createIdentity({ devKey: randomBytes(32).toString("base64"), person: directory.person });
  const app = createHttpApp({
    submit: node.submit,
    read: node.read,
    history: (key) => node.history(key),
    pruned: (key) => node.pruned(key),
    store,
    deadLetters: node.deadLetters,
    documents,
    bus,
    activeDefinition: node.activeDefinition,
    definition: node.definition,
    identify: identity.identify,
    isAdmin: identity.isAdmin,
    person: node.person,
    wecom: node.wecom,
    metrics: async () => "",
    readiness: node.readiness,
    log: { info() {}, warn() {}, error() {} },
  });
  const server = createServer(app.callback()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await node.start();
  return {
    node,
    store,
    bus,
    url,
    async post(user, path, body, type = "application/json") {
      const authorization = user === undefined ? undefined : `Bearer ${await identity.issueDevToken(user)}`;
      const headers = { "content-type": type, ...(authorization !== undefined && { authorization }) };
      const response = await fetch(`${url}${path}`, { method: "POST", headers, body });
      const text = await response.text();
      return { status: response.status, json: text === "" ? {} : (JSON.parse(text) as Problem) };
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await node.stop();
    },
  };
}

/** Everything that a mistake might have touched. */
async function everything({ store }: World) {
  const page = { limit: 1_000 };
  return {
    instances: (await store.instances({ tenant: TENANT }, page)).items,
    history: await store.history(KNOWN),
    tasks: (await store.tasks({ tenant: TENANT }, page)).items,
    timers: await store.dueTimers("all", Number.MAX_SAFE_INTEGER, 1_000),
    effects: await store.dueEffects("all", Number.MAX_SAFE_INTEGER, 1_000),
  };
}

const letters = async ({ store }: World): Promise<readonly DeadLetter[]> =>
  (await store.deadLetters(TENANT, { limit: 1_000 })).items;

/** Asks again and again; nothing tells from outside when an effect is done. */
async function until<T>(what: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await what();
    if (found !== undefined) return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Nothing is left to be carried out. */
const settled = (world: World): Promise<true> =>
  until(async () =>
    (await world.store.dueEffects("all", Number.MAX_SAFE_INTEGER, 1)).length === 0 ? true : undefined,
  );

let folder: string;
let standIn: WecomStandIn;
let app: WecomApp;
let world: World;
/** bob's open one of the known instance, and a closed one of another. */
let openTask: string;
let closedTask: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "assent-bad-input-"));
  cpSync(EXAMPLE, folder, { recursive: true });
  standIn = await startWecomStandIn({ corpId: "ww0000000000000001", secret: "s3cret" });
  app = {
    app: "contracts",
    tenant: TENANT,
    corpId: "ww0000000000000001",
    token: "OwnTestToken0001",
    aesKey: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    secret: "s3cret",
    api: standIn.url,
  };
  world = await openNode(openMemoryStore(), folder, [app]);
  openTask = await begin("HT-1");
  closedTask = await begin("HT-2");
  assert.equal((await world.post("bob", `/v1/tasks/${closedTask}/decision`, '{"decision":"approve"}')).status, 200);
  await settled(world);
});

after(async () => {
  await world.close();
  await standIn.close();
  rmSync(folder, { recursive: true });
});

async function begin(key: string): Promise<string> {
  const body = JSON.stringify({ key, event: "submit", payload: CONTRACT });
  const { status, json } = await world.post("alice", `/v1/flows/${FLOW}/instances`, body);
  assert.equal(status, 201, JSON.stringify(json));
  return json.tasks![0]!.id;
}

describe("over HTTP", () => {
  const events = `/v1/instances/${KNOWN.instance}/events`;
  const starts = `/v1/flows/${FLOW}/instances`;
  const huge = JSON.stringify({ event: "cancel", data: { remark: "x".repeat(1024 * 1024) } });
  const submit = (change: object) => JSON.stringify({ event: "submit", payload: { ...CONTRACT, ...change } });
  const rows: readonly [string, string | undefined, () => string, string, number, string][] = [
    ["without a token", undefined, () => events, '{"event":"cancel"}', 401, "unauthenticated"],
    ["JSON that is not", "alice", () => events, '{"event":', 400, "malformed-body"],
    ["a body over the limit", "alice", () => events, huge, 413, "body-too-large"],
    ["an unknown event", "alice", () => events, '{"event":"approveAll"}', 409, "unknown-event"],
    ["an unknown field of a request", "alice", () => events, '{"event":"cancel","force":true}', 422, "unknown-field"],
    ["an unknown field of an event", "alice", () => starts, submit({ discount: 1 }), 422, "unknown-field"],
    ["text where money belongs", "alice", () => starts, submit({ total: "a lot" }), 422, "wrong-type"],
    ["a fraction of a fen", "alice", () => starts, submit({ total: "1.005" }), 422, "wrong-type"],
    ["a field that is missing", "alice", () => starts, submit({ title: undefined }), 422, "missing-field"],
    ["a day that is none", "alice", () => starts, submit({ deliverOn: "2026-02-30" }), 422, "wrong-type"],
    ["an unknown flow", "alice", () => "/v1/flows/nothing/instances", "{}", 404, "not-found"],
    [
      "a task of somebody else",
      "dave",
      () => `/v1/tasks/${openTask}/decision`,
      '{"decision":"approve"}',
      409,
      "not-your-task",
    ],
    [
      "a task that is closed",
      "bob",
      () => `/v1/tasks/${closedTask}/decision`,
      '{"decision":"reject","reason":"no"}',
      409,
      "task-closed",
    ],
    [
      "a decision that there is not",
      "bob",
      () => `/v1/tasks/${openTask}/decision`,
      '{"decision":"maybe"}',
      422,
      "wrong-type",
    ],
  ];
  for (const [name, user, path, body, status, code] of rows) {
    test(name, async () => {
      const earlier = await everything(world);
      const answer = await world.post(user, path(), body);
      assert.deepEqual([answer.status, answer.json.code], [status, code], JSON.stringify(answer.json));
      assert.ok(answer.json.detail);
      assert.deepEqual(await everything(world), earlier);
    });
  }
});

describe("at WeCom's hook", { timeout: 30_000 }, () => {
  const change = (spNo: string, template = PURCHASE_CONTRACT_TEMPLATE) =>
    approvalChangeXml(app, { spNo, template, status: 1, change: 1, applicant: "alice", atMs: Date.now() });
  const post = ({ search, body }: { search: string; body: string }) =>
    world.post(undefined, `/hooks/wecom/contracts${search}`, body, "text/xml");
  /** Signed as it should be, whatever the content is. */
  const signed = (encrypted: string) => {
    const [timestamp, nonce] = [String(Math.floor(Date.now() / 1_000)), "1"];
    const sum = createHash("sha1").update([app.token, timestamp, nonce, encrypted].sort().join("")).digest("hex");
    const body = `<xml><ToUserName>${app.corpId}</ToUserName><Encrypt>${encrypted}</Encrypt></xml>`;
    return { search: `?${new URLSearchParams({ msg_signature: sum, timestamp, nonce })}`, body };
  };
  const DOCTYPE = '<!DOCTYPE x [<!ENTITY e "boom">]>';

  const refused: readonly [string, () => { search: string; body: string }, number][] = [
    ["a wrong signature", () => callback({ ...app, token: "wrong" }, change("1"), Date.now()), 401],
    ["another firm's callback", () => callback({ ...app, corpId: "ww0" }, change("1"), Date.now()), 401],
    ["a body that does not decrypt", () => signed(Buffer.alloc(64, 1).toString("base64")), 400],
    ["a body that is no ciphertext", () => signed("hello"), 400],
    ["an old callback", () => callback(app, change("1"), Date.now() - 11 * 60_000), 401],
    ["a DOCTYPE outside", () => ({ ...signed("x"), body: `${DOCTYPE}${signed("x").body}` }), 400],
    ["a DOCTYPE inside", () => callback(app, DOCTYPE + change("1"), Date.now()), 400],
    ["no XML at all", () => ({ ...signed("x"), body: "hello" }), 400],
    ["a body over the limit", () => ({ ...signed("x"), body: "x".repeat(1024 * 1024 + 1) }), 413],
  ];
  for (const [name, sent, status] of refused) {
    test(name, async () => {
      const earlier = await everything(world);
      const answer = await post(sent());
      assert.equal(answer.status, status, JSON.stringify(answer.json));
      assert.deepEqual(await everything(world), earlier);
    });
  }

  test("an unknown app", async () => {
    const { search, body } = callback(app, change("1"), Date.now());
    assert.equal((await world.post(undefined, `/hooks/wecom/none${search}`, body, "text/xml")).status, 404);
  });

  test("an unknown template id is somebody else's form: taken, and nothing starts", async () => {
    const earlier = await everything(world);
    assert.equal((await post(callback(app, change("2", "another"), Date.now()))).status, 200);
    await settled(world);
    assert.deepEqual(await everything(world), earlier);
  });

  const without = (form: ApprovalForm, id: string): ApprovalForm => ({
    ...form,
    apply_data: { contents: form.apply_data.contents.filter((control) => control.id !== id) },
  });
  const entered = (spNo: string, contract: Partial<PurchaseContract>) => purchaseContractForm(spNo, { contract });
  const unfit: readonly [string, string, ApprovalForm | undefined, RegExp][] = [
    ["a control that is missing", "3", without(purchaseContractForm("3"), "Money-1"), /`Money-1` for total/],
    ["text where money belongs", "4", entered("4", { total: "a lot" }), /`Money-1` for total/],
    ["an option that the flow does not list", "5", entered("5", { kind: "赠与" as never }), /`Selector-1` for kind/],
    ["a number that WeCom does not know", "6", undefined, /`6` can't be fetched/],
  ];
  for (const [name, spNo, form, reason] of unfit) {
    test(`${name} goes to the dead letters, and nothing starts`, async () => {
      const earlier = await everything(world);
      if (form) standIn.put(form);
      assert.equal((await post(callback(app, change(spNo), Date.now()))).status, 200);
      const about = `<SpNoStr><![CDATA[${spNo}]]>`;
      const letter = await until(async () => (await letters(world)).find((one) => one.body.includes(about)));
      assert.equal(letter.origin, "wecom");
      assert.match(letter.reason, reason);
      await settled(world);
      assert.deepEqual(await everything(world), earlier);
    });
  }
});

describe("a form that did not fit", { timeout: 30_000 }, () => {
  test("starts its instance when it was mended and the letter is sent again", async () => {
    const letter = (await letters(world)).find(
      ({ origin, reason }) => origin === "wecom" && /`6` can't be fetched/.test(reason),
    );
    const { deadLetters } = world.node;
    const refused = await deadLetters.sendAgain(TENANT, letter!.id);
    assert.equal(refused?.kind, "not-accepted");
    assert.ok(await deadLetters.read(TENANT, letter!.id), "it stays");
    standIn.put(purchaseContractForm("6"));
    assert.deepEqual(await deadLetters.sendAgain(TENANT, letter!.id), { kind: "accepted" });
    assert.equal(await deadLetters.read(TENANT, letter!.id), undefined);
    const found = await world.store.instances({ tenant: TENANT, q: "6" }, { limit: 10 });
    assert.ok(found.items.some(({ key }) => key === "6"));
  });
});

describe("on the bus", { timeout: 30_000 }, () => {
  const subject = (event: string, key = "HT-9") => `assent.in.${TENANT}.${FLOW}.${event}.${key}`;
  const rows: readonly [string, string, string, RegExp][] = [
    ["a message that is not JSON", subject("submit"), "{hello", /JSON/],
    ["JSON that is no object", subject("submit"), "[1]", /object/],
    ["a subject without an event", `assent.in.${TENANT}.${FLOW}`, "{}", /assent\.in/],
    ["an unknown event", subject("approveAll"), "{}", /unknown-event/],
    ["an unknown field", subject("submit"), JSON.stringify({ ...CONTRACT, discount: 1 }), /unknown-field|discount/],
    [
      "text where money belongs",
      subject("submit"),
      JSON.stringify({ ...CONTRACT, total: "a lot" }),
      /wrong-type|total/,
    ],
    ["an unknown flow", `assent.in.${TENANT}.nothing.submit.K`, "{}", /no flow `nothing`/],
  ];
  for (const [index, [name, to, body, reason]] of rows.entries()) {
    test(`${name} goes to the dead letters with the reason, and as it came`, async () => {
      const earlier = await everything(world);
      const headers = { "Assent-Initiator": "alice", "Assent-Actor": "alice" };
      await world.bus.send({ subject: to, id: `bad-${index}`, headers, body });
      const letter = await until(async () => (await letters(world)).find((one) => one.body.includes(`"bad-${index}"`)));
      assert.match(letter.reason, reason);
      const { subject: from, body: came } = JSON.parse(letter.body) as { subject: string; body: string };
      assert.deepEqual([from, came], [to, body]);
      assert.deepEqual(await everything(world), earlier);
    });
  }
});

test("a template with an unknown placeholder is refused at load, with its position", async () => {
  const file = join(folder, "contract-approval.flow");
  const good = readFileSync(file, "utf8");
  const earlier = world.node.activeDefinition(FLOW);
  writeFileSync(file, good.replace(/\n {2}totalUpper = .*/, "").replace('"采购合同审批"', '"采购"'));
  const refusal = (await world.node.registry.load([file]))[0]!;
  writeFileSync(file, good);
  assert.ok(refusal.kind === "refused");
  const [fault] = refusal.diagnostics;
  assert.equal(fault?.code, "FLOW402");
  assert.match(fault!.message, /template `purchase-contract`: `totalUpper` in word\/document\.xml, paragraph \d+ /);
  assert.equal(refusal.text.slice(fault!.span.start, fault!.span.end), '"purchase-contract"');
  assert.equal(world.node.activeDefinition(FLOW), earlier, "the version before stays");
});

test("a full disk: 503, nothing half-written, and it goes on when there is room", async () => {
  const place = mkdtempSync(join(tmpdir(), "assent-full-"));
  const path = join(place, "assent.db");
  const start = (key: string) =>
    JSON.stringify({ key, event: "submit", payload: { ...CONTRACT, remark: "x".repeat(9_000) } });
  const full = await openNode(await openSqliteStore(path, { pagesMax: 400 }), folder);
  const acknowledged: string[] = [];
  let answer: Awaited<ReturnType<World["post"]>>;
  for (let n = 0; ; n++) {
    answer = await full.post("alice", `/v1/flows/${FLOW}/instances`, start(`K${n}`));
    if (answer.status !== 201) break;
    acknowledged.push(`K${n}`);
  }
  assert.deepEqual([answer.status, answer.json.code], [503, "store-unavailable"], JSON.stringify(answer.json));
  assert.ok(acknowledged.length > 0);
  const failed = `K${acknowledged.length}`;
  assert.equal(await full.node.read({ tenant: TENANT, instance: instanceId(TENANT, FLOW, failed) }), undefined);
  await full.close();

  const again = await openNode(await openSqliteStore(path), folder);
  const { instances, tasks } = await everything(again);
  assert.deepEqual(instances.map(({ key }) => key).toSorted(), acknowledged.toSorted());
  assert.equal(tasks.length, acknowledged.length);
  assert.equal((await again.post("alice", `/v1/flows/${FLOW}/instances`, start(failed))).status, 201);
  await settled(again);
  await again.close();
  rmSync(place, { recursive: true });
});
