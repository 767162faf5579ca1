import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { instanceId, type StoryLine } from "../engine/index.ts";
import { freePort, NodeProcess } from "../examples/demo/node-process.ts";
import { type MongoServer, needsMongoServer, startMongoServer } from "../scripts/mongo-server.ts";
import { brokenLink, decode, type Entry } from "./entry.ts";
import type { Store } from "./ports.ts";
import { readStore } from "./settings.ts";
import { openStore } from "./stores/open-store.ts";

/** A node is killed while it works, again and again, and every time it goes on from what it had acknowledged. */

const KILLS = 50;
/** The compatible servers that tests can have are slow. */
const KILLS_MONGODB = 8;
const SENDERS = 8;
/** Of one life, in which at least some commands get through. */
const LOAD_MS = { sqlite: { least: 50, most: 300 }, mongodb: { least: 500, most: 2_000 } };
const FLOW = `
state machine "order" {
  data { amount: money? }
  events { "remark" { amount } }
  initial: DRAFT
  states: [DRAFT, REVIEW, APPROVED, REJECTED]
  final: [APPROVED, REJECTED]
  state REVIEW {
    approval by users("bob", "carol") all {
      due: 8h
    }
  }
  transitions {
    DRAFT → DRAFT on "remark"
    DRAFT → REVIEW on "submit" → emit("onSubmitted")
    REVIEW → APPROVED on approved → book(key) → notify(initiator) → emit("onApproved")
    REVIEW → REJECTED on rejected
  }
}
`;

/** An effect whose doing can be seen from outside: a line of a file per call. */
const FUNCTIONS = (file: string) => `
import { appendFileSync } from "node:fs";
export const book = {
  kind: "action",
  run: ({ arguments: [key], idempotencyKey }) => appendFileSync(${JSON.stringify(file)}, key + " " + idempotencyKey + "\\n"),
};
`;

/** SEED of the environment repeats the moments of a run. */
const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

/** Park and Miller's generator. */
function randomFrom(from: number): () => number {
  let state = (from % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** What senders asked for, and what they were told. */
interface Sent {
  readonly instance?: string;
  readonly acknowledged: boolean;
  readonly version?: number;
}

describe(`SIGKILL at ${KILLS} moments under load on SQLite (SEED=${seed})`, () => {
  test("every acknowledged command is there once, and every effect is delivered", { timeout: 240_000 }, (context) =>
    killAndCheck((folder) => `sqlite:${join(folder, "assent.db")}`, KILLS, context),
  );
});

describe(`SIGKILL at ${KILLS_MONGODB} moments under load on MongoDB (SEED=${seed})`, needsMongoServer(), () => {
  let server: MongoServer;
  before(async () => {
    server = await startMongoServer();
  });
  after(() => server.stop());

  test("every acknowledged command is there once, and every effect is delivered", { timeout: 240_000 }, (context) =>
    killAndCheck(() => server.url(`assent-kill-${process.pid}`), KILLS_MONGODB, context),
  );
});

async function killAndCheck(storeIn: (folder: string) => string, kills: number, context: TestContext): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "assent-kill-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const [booked, store] = [join(folder, "booked.txt"), storeIn(folder)];
  writeFileSync(booked, "");
  writeFileSync(join(folder, "order.flow"), FLOW);
  writeFileSync(join(folder, "functions.ts"), FUNCTIONS(booked));
  const env = { ASSENT_STORE: store };
  const node = new NodeProcess({ paths: [join(folder, "order.flow")], folder, env }, await freePort());
  context.after(() => node.stop());
  const random = randomFrom(seed);
  const sent = new Map<string, Sent>();
  for (let kill = 0; kill < kills; kill++) {
    await node.start();
    const load = new Load(node, `k${kill}`, sent);
    const { least, most } = LOAD_MS[store.startsWith("mongodb") ? "mongodb" : "sqlite"];
    await new Promise((resolve) => setTimeout(resolve, least + random() * (most - least)));
    await node.kill();
    await load.ended();
  }
  const acknowledged = [...sent.values()].filter((one) => one.acknowledged).length;
  context.diagnostic(`${acknowledged} commands acknowledged of ${sent.size}`);
  assert.ok(acknowledged > kills, "there was a load at all");
  await checkStore(store, sent);

  await node.start();
  await sendAgain(node, sent);
  await stopWithNothingLeft(node, store);
  const approved = await checkStore(store, sent);
  assert.ok(approved.length > 0, "some got through to their end");
  const calls = readFileSync(booked, "utf8").trim().split("\n");
  const byKey = Map.groupBy(new Set(calls), (line) => line.split(" ")[0]!);
  assert.deepEqual([...byKey.keys()].toSorted(), approved.toSorted(), "every action was done");
  for (const [key, lines] of byKey) assert.equal(lines.length, 1, `${key} was done under one idempotency key`);
  context.diagnostic(`${approved.length} approved, ${calls.length} actions done`);
}

/** Some senders, each with an instance at a time: start, a remark, submit, two decisions. */
class Load {
  readonly #node: NodeProcess;
  readonly #sent: Map<string, Sent>;
  readonly #senders: Promise<unknown>;

  constructor(node: NodeProcess, name: string, sent: Map<string, Sent>) {
    this.#node = node;
    this.#sent = sent;
    this.#senders = Promise.all(Array.from({ length: SENDERS }, (_, index) => this.#run(`${name}-${index}`)));
    this.#senders.catch(() => {});
  }

  async ended(): Promise<void> {
    await this.#senders;
  }

  /** Until the node does not answer any more. */
  async #run(name: string): Promise<void> {
    for (let n = 0; await this.#one(`${name}-${n}`); n++);
  }

  async #one(key: string): Promise<boolean> {
    for (const command of commandsOf(key)) {
      const answer = await post(this.#node, command);
      this.#sent.set(command.id, answer ? { acknowledged: true, ...answer } : { acknowledged: false });
      if (!answer) return false;
    }
    return true;
  }
}

interface Sending {
  readonly id: string;
  readonly user: string;
  readonly path: string;
  readonly body: object;
}

/** All that is ever sent for a key, in order. Ids of instances and tasks follow from the key. */
function commandsOf(key: string): readonly Sending[] {
  const instance = instanceId("default", "order", key);
  const events = (name: string, n: number) => ({
    id: `${key}/${n}`,
    user: "alice",
    path: `/v1/instances/${instance}/events`,
    body: { event: name, data: name === "remark" ? { amount: "12.50" } : {} },
  });
  const decides = (user: string, task: number, n: number) => ({
    id: `${key}/${n}`,
    user,
    path: `/v1/tasks/${instance}-${task}/decision`,
    body: { decision: "approve" },
  });
  return [
    { id: `${key}/0`, user: "alice", path: "/v1/flows/order/instances", body: { key } },
    events("remark", 1),
    events("submit", 2),
    decides("bob", 1, 3),
    decides("carol", 2, 4),
  ];
}

/** @returns the answer of a 2xx; `undefined` where the node went away before it answered. @throws for a refusal. */
async function post(node: NodeProcess, sending: Sending): Promise<{ instance: string; version: number } | undefined> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${node.url}${sending.path}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: node.tokens.get(sending.user)!,
        "idempotency-key": sending.id,
      },
      body: JSON.stringify(sending.body),
    });
    text = await response.text();
  } catch {
    return undefined;
  }
  assert.ok(response.ok, `${response.status} ${text}`);
  const { id, version } = JSON.parse(text) as { id: string; version: number };
  return { instance: id, version };
}

/** As callers do who got no answer: what was acknowledged is answered as then, what was not is done now. */
async function sendAgain(node: NodeProcess, sent: Map<string, Sent>): Promise<void> {
  const byKey = [...Map.groupBy(sent.keys(), (id) => id.split("/")[0]!)];
  const sendAll = async (key: string, ids: readonly string[]) => {
    for (const id of ids) {
      const answer = await post(node, commandsOf(key)[Number(id.split("/")[1])]!);
      assert.ok(answer);
      const { acknowledged, ...before } = sent.get(id)!;
      if (acknowledged) assert.deepEqual(answer, before);
      sent.set(id, { acknowledged: true, ...answer });
    }
  };
  while (byKey.length > 0) await Promise.all(byKey.splice(0, SENDERS).map(([key, ids]) => sendAll(key, ids)));
}

/** A stopped node leaves effects in the store: the next one goes on with them. */
async function stopWithNothingLeft(node: NodeProcess, setting: string): Promise<void> {
  for (let starts = 0; ; starts++) {
    assert.equal(await node.stop(), 0);
    const left = await effectsLeft(setting);
    if (left === 0) return;
    assert.ok(starts < 10, `${left} effects are still left`);
    await node.start();
  }
}

async function effectsLeft(setting: string): Promise<number> {
  const store = await openStore(readStore(setting)!, { alone: true });
  try {
    assert.deepEqual((await store.effects("default", "dead", { limit: 10 })).items, []);
    return (await store.dueEffects("all", Number.MAX_SAFE_INTEGER, 1_000)).length;
  } finally {
    await store.close();
  }
}

/** What the store says after a kill, or at the end. @returns keys of the approved ones. */
async function checkStore(setting: string, sent: ReadonlyMap<string, Sent>): Promise<readonly string[]> {
  const store = await openStore(readStore(setting)!, { alone: true });
  try {
    const byKey = Map.groupBy(sent, ([id]) => id.split("/")[0]!);
    const states = new Map<string, string>();
    for (const [key, commands] of byKey) {
      const state = await checkInstance(store, key, commands);
      if (state !== undefined) states.set(key, state);
    }
    return [...states].filter(([, state]) => state === "APPROVED").map(([key]) => key);
  } finally {
    await store.close();
  }
}

async function checkInstance(
  store: Store,
  key: string,
  commands: readonly (readonly [string, Sent])[],
): Promise<string | undefined> {
  const instance = instanceId("default", "order", key);
  const entries = await store.history({ tenant: "default", instance });
  assert.equal(brokenLink(entries), -1, `${key}: the chain is unbroken`);
  assert.deepEqual(
    entries.map(({ sequence }) => sequence),
    entries.map((_, index) => index + 1),
  );
  const decisions = entries.flatMap(({ body }) => decode<Entry>(body, undefined).decisions);
  const ids = decisions.map(({ command }) => command.id);
  assert.equal(new Set(ids).size, ids.length, `${key}: every command once`);
  for (const [id, { acknowledged, version }] of commands) {
    if (!acknowledged) continue;
    assert.equal(decisions.find(({ command }) => command.id === id)?.version, version, `${id} was acknowledged`);
  }
  const known = new Set(commands.map(([id]) => id));
  assert.deepEqual(
    ids.filter((id) => !known.has(id)),
    [],
    `${key}: nothing that nobody sent`,
  );
  const { items } = await store.instances({ tenant: "default", q: key }, { limit: 1_000 });
  const summary = items.find((row) => row.key === key);
  assert.equal(summary?.version, decisions.at(-1)?.version, `${key}: the summary stands where the journal stands`);
  await checkInbox(
    store,
    instance,
    decisions.flatMap(({ story }) => story),
  );
  const emitted = decisions.flatMap(({ story }) => story.flatMap((line) => (line.kind === "emitted" ? [line.id] : [])));
  assert.equal(new Set(emitted).size, emitted.length, `${key}: every event once`);
  return summary?.state;
}

/** Tasks and their deadlines are what the story says, also where the node was killed before they followed the journal. */
async function checkInbox(store: Store, instance: string, story: readonly StoryLine[]): Promise<void> {
  const opened = story.flatMap((line) => (line.kind === "task-opened" ? [line.task] : []));
  const decided = new Set(story.flatMap((line) => (line.kind === "decided" ? [line.task] : [])));
  const open = opened.filter((task) => !decided.has(task)).toSorted();
  const query = { tenant: "default", instance } as const;
  const tasks = async (status: "open" | "closed") =>
    (await store.tasks({ ...query, status }, { limit: 9 })).items.map(({ task }) => task.id).toSorted();
  assert.deepEqual(await tasks("open"), open, `${instance}: the inbox`);
  assert.deepEqual(await tasks("closed"), [...decided].toSorted(), `${instance}: what was decided`);
  const timers = await store.dueTimers("all", Number.MAX_SAFE_INTEGER, 100_000);
  assert.equal(timers.filter((timer) => timer.instance === instance).length, open.length, `${instance}: deadlines`);
}
