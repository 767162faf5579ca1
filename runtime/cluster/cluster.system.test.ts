import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { connect } from "nats";
import { instanceId } from "../../engine/index.ts";
import { type NatsServer, needsNatsServer, startNatsServer } from "../../scripts/nats-server.ts";
import { openNatsBus } from "../bus/nats-bus.ts";
import { systemClock } from "../clock.ts";
import { embeddedDirectory, SEEDED_PEOPLE } from "../directory.ts";
import { documentFiles } from "../document-files.ts";
import { decode, type Entry } from "../entry.ts";
import { AssentNode } from "../node.ts";
import type { OutMessage, Store } from "../ports.ts";
import { openMemoryStore } from "../stores/memory-store.ts";
import { KEYS } from "../testing.ts";
import { partitionOf } from "./partition.ts";

/** Nodes on one store and one NATS: work moves with the partitions, and each instance's events stay in order. */

const FLOW = `
state machine "counter" {
  data { n: int? }
  events { "tick" { n } }
  initial: OPEN
  states: [OPEN, DONE]
  final: [DONE]
  transitions {
    OPEN → OPEN on "tick" → emit("onTick")
    OPEN → DONE after 1s → emit("onDone")
  }
}
`;
const KEY_COUNT = 24;
const LOOK_MS = 100;
const PARTITIONS = 16;

describe("several nodes on NATS and one store", { ...needsNatsServer(), timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "assent-cluster-"));
  let server: NatsServer;
  let store: Store;
  let nodes: Map<string, AssentNode>;
  /** By node: effects that it carried out. */
  let performed: Map<string, number>;
  let sent: Map<string, number>;
  before(async () => {
    writeFileSync(join(folder, "counter.flow"), FLOW);
  });
  beforeEach(async () => {
    server = await startNatsServer();
    store = openMemoryStore({ shared: true });
    [nodes, performed, sent] = [new Map(), new Map(), new Map()];
  });
  afterEach(async () => {
    for (const node of nodes.values()) await node.stop();
    await server.stop();
  });
  after(() => rmSync(folder, { recursive: true }));

  async function start(name: string): Promise<AssentNode> {
    const bus = await openNatsBus({ urls: server.url, partitions: PARTITIONS });
    const ignore = () => {};
    const node = new AssentNode({
      ...{ store: shielded(store), bus, clock: systemClock, keys: KEYS, services: {}, wecom: [] },
      ...{ node: name, partitions: PARTITIONS, lookMs: LOOK_MS },
      directory: embeddedDirectory(SEEDED_PEOPLE),
      documents: documentFiles(folder),
      observe: {
        ...{ decided: ignore, committed: ignore, journalWritten: ignore, overQuota: ignore },
        performed: () => performed.set(name, (performed.get(name) ?? 0) + 1),
      } as NonNullable<ConstructorParameters<typeof AssentNode>[0]["observe"]>,
      onError: (error) => assert.ifError(error),
    });
    await node.registry.load([folder]);
    await node.start();
    nodes.set(name, node);
    return node;
  }

  /** One node that stops must not close the store of the others. */
  const shielded = (shared: Store): Store =>
    new Proxy(shared, {
      get: (target, name) => {
        if (name === "close") return async () => {};
        const value = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });

  async function stop(name: string): Promise<void> {
    const node = nodes.get(name)!;
    nodes.delete(name);
    await node.stop();
  }

  const tick = (key: string): OutMessage => {
    const n = (sent.get(key) ?? 0) + 1;
    sent.set(key, n);
    const id = `${key}/${n}`;
    return { subject: `assent.in.default.counter.tick.${key}`, id, headers: {}, body: JSON.stringify({ n }) };
  };

  const ticks = (count: number): OutMessage[] => Array.from({ length: count }, (_, n) => tick(`k${n % KEY_COUNT}`));

  /** What was accepted of an instance, in order. */
  async function accepted(key: string): Promise<readonly number[]> {
    const instance = instanceId("default", "counter", key);
    const entries = await store.history({ tenant: "default", instance });
    return entries
      .flatMap(({ body }) => decode<Entry>(body, undefined).decisions)
      .flatMap(({ command }) => ("payload" in command ? [command.payload?.["n"] as number] : []));
  }

  async function assertAllInOrder(): Promise<void> {
    for (const [key, count] of sent) {
      const expected = Array.from({ length: count }, (_, n) => n + 1);
      await until(async () => (await accepted(key)).length >= count);
      assert.deepEqual(await accepted(key), expected, key);
    }
  }

  test("every message is decided once and in order while nodes come and go, and every effect leaves", async () => {
    const outside = await openNatsBus({ urls: server.url, partitions: PARTITIONS });
    await start("a");
    await outside.publish(ticks(240));
    const joining = start("b");
    await outside.publish(ticks(240));
    await joining;
    await start("c");
    await outside.publish(ticks(240));
    const leaving = stop("a");
    await outside.publish(ticks(240));
    await leaving;
    await start("d");
    await stop("b");
    await outside.publish(ticks(240));
    await assertAllInOrder();
    const total = [...sent.values()].reduce((sum, count) => sum + count, 0);
    await until(async () => (await counted(server, "assent.out.default.counter.onTick")) >= total);
    assert.equal(await counted(server, "assent.out.default.counter.onTick"), total);
    await until(async () => (await store.dueEffects("all", Number.MAX_SAFE_INTEGER, 1)).length === 0);
    await until(async () => {
      const { claims } = await store.cluster();
      return claims.every(({ node }) => node === "c" || node === "d");
    });
    assert.ok((performed.get("a") ?? 0) > 0 && (performed.get("b") ?? 0) > 0);
    await outside.close();
  });

  test("what is decided at one node is carried out by whoever has the partition, timers too", async () => {
    const [a, b] = [await start("a"), await start("b")];
    await until(async () => {
      const { claims } = await store.cluster();
      return claims.filter(({ node }) => node === "b").length === PARTITIONS / 2;
    });
    const { claims } = await store.cluster();
    const ofB = new Set(claims.filter(({ node }) => node === "b").map(({ partition }) => partition));
    const key = Array.from({ length: 99 }, (_, n) => `own-${n}`).find((one) =>
      ofB.has(partitionOf("default", "counter", one, PARTITIONS)),
    )!;
    performed.clear();
    const instance = instanceId("default", "counter", key);
    const reply = await a.submit({
      ...{ tenant: "default", instance, flow: "counter" },
      command: {
        ...{ kind: "start", id: "s", source: "test", tenant: "default", instance, key, data: {} },
        ...{ initiator: { id: "alice" }, actor: "alice", event: "tick", payload: { n: 1 } },
      },
    });
    assert.equal(reply.kind, "accepted");
    await until(async () => (await counted(server, "assent.out.default.counter.onDone")) === 1);
    assert.deepEqual([...performed.keys()], ["b"]);
    assert.equal((await b.read({ tenant: "default", instance }))?.instance.state, "DONE");
  });

  test("a message without a key in its subject is sent on to the partition of its key", async () => {
    await start("a");
    await start("b");
    const outside = await openNatsBus({ urls: server.url, partitions: PARTITIONS });
    const message = {
      ...{ subject: "assent.in.default.counter.tick", id: "x-1", body: '{"n":7}' },
      headers: { "Assent-Key": "keyless", "Assent-Actor": "alice" },
    };
    await outside.send(message);
    await until(async () => (await accepted("keyless")).length === 1);
    // As it was sent, and as a client that was not answered sends it again with its key.
    await outside.send({ ...message, id: "x-1", subject: "assent.in.default.counter.tick.keyless" });
    await outside.send({ ...message, id: "x-2", body: '{"n":8}' });
    await until(async () => (await accepted("keyless")).includes(8));
    assert.deepEqual(await accepted("keyless"), [7, 8]);
    await outside.close();
  });
});

async function counted(server: NatsServer, subject: string): Promise<number> {
  const connection = await connect({ servers: server.url });
  const { state } = await (await connection.jetstreamManager()).streams.info("ASSENT_OUT", {
    subjects_filter: subject,
  });
  await connection.close();
  return state.subjects?.[subject] ?? 0;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause(20);
}
