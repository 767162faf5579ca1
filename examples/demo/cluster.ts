/** Three nodes on NATS and a shared store; one is killed in the middle, and the story goes on. */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, headers as natsHeaders } from "nats";
import { describeMongoServer, startMongoServer } from "../../scripts/mongo-server.ts";
import { findNatsServer, startNatsServer } from "../../scripts/nats-server.ts";
import { Client, type InstanceView } from "./client.ts";
import { freePort, NodeProcess, withTimeout } from "./node-process.ts";

const NAMES = ["A", "B", "C"] as const;
type Name = (typeof NAMES)[number];
const PARTITIONS = 16;
const LEAVES = 12;

const started = performance.now();
const say = (text: string): void => console.log(text);
const step = (title: string): void => say(`\n[${((performance.now() - started) / 1000).toFixed(1)} s] ${title}`);

if (!findNatsServer() || !describeMongoServer())
  throw new Error("the demo needs a nats-server and a MongoDB server; `npm run servers` makes them");

const folder = mkdtempSync(join(tmpdir(), "assent-demo-"));
const flow = join(folder, "leave-approval");
cpSync(join(import.meta.dirname, "..", "leave-approval"), flow, { recursive: true });
const nats = await startNatsServer();
const mongo = await startMongoServer();
const connection = await connect({ servers: nats.url });
const nodes = new Map<Name, NodeProcess>();
const client = (name: Name): Client => new Client(nodes.get(name)!);

process.once("SIGINT", () => {
  rmSync(folder, { recursive: true, force: true });
  process.exit(130);
});

try {
  await threeNodesStart();
  await eventsArrive();
  await peopleDecideAnywhere();
  await oneIsKilled();
  await itComesBack();
  await theEnd();
} catch (error) {
  console.error(`\nThe demo failed: ${error instanceof Error ? error.stack : error}`);
  process.exitCode = 1;
} finally {
  await Promise.all([...nodes.values()].map((node) => node.stop()));
  await connection.close();
  await nats.stop();
  await mongo.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function threeNodesStart(): Promise<void> {
  step("1. Three nodes start on one store and one NATS");
  say(`   store: ${describeMongoServer()}, bus: NATS JetStream`);
  for (const name of NAMES) {
    const node = new NodeProcess(
      { paths: [flow], folder, env: { ASSENT_STORE: mongo.url("assent-demo"), ASSENT_NATS: nats.url } },
      await freePort(),
    );
    nodes.set(name, node);
    say(`   node ${name} is ready after ${await node.start()} ms at ${node.url}`);
  }
  const shares = await shared(NAMES);
  say(`   they share the ${PARTITIONS} partitions: ${shares}`);
}

/** Each of them carries out its share of the partitions. */
async function shared(alive: readonly Name[]): Promise<string> {
  const least = Math.floor(PARTITIONS / alive.length);
  const counts = await client(alive[0]!).until("the partitions to be shared", async () => {
    const owned = await Promise.all(alive.map(owns));
    const isFair = owned.every((count) => count >= least);
    return isFair && owned.reduce((sum, count) => sum + count, 0) === PARTITIONS ? owned : undefined;
  });
  return alive.map((name, index) => `${name} ${counts[index]}`).join(", ");
}

async function owns(name: Name): Promise<number> {
  const figures = await client(name).text("/metrics");
  return Number(/^assent_owned_partitions (\d+)$/m.exec(figures)?.[1] ?? 0);
}

async function eventsArrive(): Promise<void> {
  step(`2. Events arrive on NATS: ${LEAVES} leaves are submitted`);
  for (const key of leaves(1)) await event("submit", key, "alice");
  await standAt("A", leaves(1), "SUBMITTED");
  const by = await Promise.all(NAMES.map(async (name) => `${name} ${await decided(name)}`));
  say(`   each node took the messages of its partitions: ${by.join(", ")}`);
}

/** Commands that a node decided. */
async function decided(name: Name): Promise<number> {
  const figures = await client(name).text("/metrics");
  const counts = [...figures.matchAll(/^assent_commands_total\{[^}]*kind="(?:start|event)"[^}]*\} (\d+)$/gm)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

function leaves(series: number): readonly string[] {
  return Array.from({ length: LEAVES }, (_, n) => `L-${series}-${String(n + 1).padStart(2, "0")}`);
}

async function event(name: string, key: string, actor: string): Promise<void> {
  const subject = `assent.in.default.leave-approval.${name}.${key}`;
  const headers = natsHeaders();
  headers.set("Assent-Actor", actor);
  headers.set("Nats-Msg-Id", `${subject}-${actor}`);
  await connection.jetstream().publish(subject, "{}", { headers });
}

/** As a node tells it. */
async function standAt(name: Name, keys: readonly string[], state: string): Promise<readonly InstanceView[]> {
  return client(name).until(`${keys.length} leaves at ${state}`, async () => {
    const path = `/v1/instances?flow=leave-approval&state=${state}&limit=200`;
    const { items } = await client(name).get<{ items: InstanceView[] }>("admin", path);
    const found = items.filter(({ key }) => keys.includes(key));
    return found.length === keys.length ? found : undefined;
  });
}

async function peopleDecideAnywhere(): Promise<void> {
  step("3. A command may go to any node: it is decided there");
  const found = await standAt("B", leaves(1), "SUBMITTED");
  for (const [index, { id }] of found.entries()) {
    const name = NAMES[index % NAMES.length]!;
    await client(name).post("alice", `/v1/instances/${id}/events`, { event: "assignReviewer" });
  }
  await standAt("C", leaves(1), "REVIEWING");
  say(`   ${LEAVES} leaves are in review; A, B and C each decided a third of it, whoever has the partition`);
}

async function oneIsKilled(): Promise<void> {
  step("4. In the middle node B is killed (SIGKILL)");
  const lost = await owns("B");
  for (const key of leaves(1).slice(0, LEAVES / 2)) await event("approve", key, "carol");
  await nodes.get("B")!.kill();
  say(`   it had ${lost} partitions, and messages of theirs in its hands`);
  for (const key of leaves(1).slice(LEAVES / 2)) await event("approve", key, "carol");
  for (const key of leaves(2)) await event("submit", key, "alice");
  const killedAt = performance.now();
  const shares = await shared(["A", "C"]);
  say(`   after ${((performance.now() - killedAt) / 1000).toFixed(1)} s its partitions are theirs: ${shares}`);
  await standAt("A", leaves(1), "APPROVED");
  await standAt("C", leaves(2), "SUBMITTED");
  say("   all leaves of before are approved, and those that came meanwhile are submitted");
}

async function itComesBack(): Promise<void> {
  step("5. It is started again and gets its share");
  await nodes.get("B")!.start();
  say(`   ${await shared(NAMES)}`);
  const [first] = await standAt("B", leaves(2), "SUBMITTED");
  await client("B").post("alice", `/v1/instances/${first!.id}/events`, { event: "assignReviewer" });
  say(`   and decides: ${first!.key} is in review`);
}

async function theEnd(): Promise<void> {
  step("6. Nothing is lost, nothing is there twice");
  const manager = await connection.jetstreamManager();
  const subject = "assent.out.default.leave-approval.onApproved";
  await client("A").until("every approval to be told", async () => {
    const { state } = await manager.streams.info("ASSENT_OUT", { subjects_filter: subject });
    return state.subjects?.[subject] === LEAVES ? true : undefined;
  });
  say(`   ${LEAVES} leaves approved, ${LEAVES} times onApproved in the stream`);
  for (const { id, key } of await standAt("A", leaves(1), "APPROVED")) {
    const lines = await client("C").story("admin", id);
    const events = lines.filter(({ kind }) => kind === "moved").length;
    assert.equal(events, 3, `${key} moved three times`);
  }
  const { state } = await manager.streams.info("ASSENT_IN");
  assert.equal(state.messages, 0, "nothing waits in the stream");
  for (const name of NAMES) {
    const code = await withTimeout(nodes.get(name)!.stop(), "the node to stop");
    assert.equal(code, 0, "the node stops cleanly");
  }
  say("   the stream is empty, every leave has its three steps once, and all nodes stop cleanly");
}
