import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { connect, type JetStreamManager, type NatsConnection } from "nats";
import { freePort, NodeProcess } from "../../examples/demo/node-process.ts";
import { type MongoServer, startMongoServer } from "../../scripts/mongo-server.ts";
import { type NatsServer, startNatsServer } from "../../scripts/nats-server.ts";
import type { Evidence, Sent } from "./checker-testing.ts";
import { countEffectsLeft, readEvidence } from "./evidence-testing.ts";
import { FLOW, Load, type Pace } from "./load-testing.ts";
import { countEvents, Ledger, type Received, readEvents } from "./receivers-testing.ts";
import { TcpProxy } from "./tcp-proxy-testing.ts";

/** Nodes, servers and receivers as processes of their own, and the clients that load them. */

export interface Setup {
  readonly store: "sqlite" | "mongodb";
  readonly nodes: number;
  readonly pace: Pace;
}

/** A partition of a node that died moves after eight seconds; a machine with much else to do takes its time. */
const SETTLED_MS = 120_000;
const LOOK_MS = 250;
/** A node that is started again carries out what the one before had left. */
const STARTS_MAX = 5;

export class World {
  readonly nodes: readonly NodeProcess[];
  readonly nats: NatsServer;
  /** Absent on SQLite. */
  readonly mongo: MongoServer | undefined;
  /** The way of the last node, and of no other, to the bus and to the store. */
  readonly toBus: TcpProxy;
  readonly toStore: TcpProxy | undefined;
  readonly load: Load;
  isKept = false;
  readonly #ledger: Ledger;
  readonly #folder: string;
  readonly #storeUrl: string;
  readonly #connection: NatsConnection;
  readonly #manager: JetStreamManager;

  /** All is up and under load. */
  static async start({ store, nodes: count, pace }: Setup, context: TestContext): Promise<World> {
    const folder = mkdtempSync(join(tmpdir(), "assent-faults-"));
    let world: World | undefined;
    context.after(() => {
      if (!world?.isKept) rmSync(folder, { recursive: true, force: true });
    });
    const nats = await startNatsServer();
    context.after(() => nats.stop());
    const mongo = store === "mongodb" ? await startMongoServer("own") : undefined;
    context.after(() => mongo?.stop());
    const ledger = await Ledger.start();
    context.after(() => ledger.stop());
    const [toBus, toStore] = [
      await TcpProxy.start(Number(new URL(nats.url).port)),
      mongo && (await TcpProxy.start(mongo.port)),
    ];
    context.after(() => Promise.all([toBus.stop(), toStore?.stop()]));
    writeFileSync(join(folder, "job.flow"), FLOW);
    writeFileSync(join(folder, "assent.config.json"), JSON.stringify({ services: { ledger: ledger.url } }));
    const storeUrl = mongo?.url("assent-faults") ?? `sqlite:${join(folder, "assent.db")}`;
    const nodes: NodeProcess[] = [];
    for (let n = 0; n < count; n++) {
      const isLast = n === count - 1;
      const env = {
        ASSENT_NATS: isLast ? `nats://127.0.0.1:${toBus.port}` : nats.url,
        ASSENT_STORE: isLast && toStore ? `mongodb://127.0.0.1:${toStore.port}/assent-faults` : storeUrl,
      };
      nodes.push(new NodeProcess({ paths: [join(folder, "job.flow")], folder, cwd: folder, env }, await freePort()));
    }
    context.after(() => Promise.all(nodes.map((node) => node.stop())));
    await Promise.all(nodes.map((node) => node.start()));
    const connection = await connect({ servers: nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 200 });
    context.after(() => connection.close());
    const manager = await connection.jetstreamManager();
    world = new World({ nodes, nats, mongo, toBus, toStore, ledger, folder, storeUrl, connection, manager }, pace);
    return world;
  }

  private constructor(
    parts: Pick<World, "nodes" | "nats" | "mongo" | "toBus" | "toStore"> & {
      readonly ledger: Ledger;
      readonly folder: string;
      readonly storeUrl: string;
      readonly connection: NatsConnection;
      readonly manager: JetStreamManager;
    },
    pace: Pace,
  ) {
    ({ nodes: this.nodes, nats: this.nats, mongo: this.mongo, toBus: this.toBus, toStore: this.toStore } = parts);
    this.#ledger = parts.ledger;
    this.#folder = parts.folder;
    this.#storeUrl = parts.storeUrl;
    this.#connection = parts.connection;
    this.#manager = parts.manager;
    const [first] = this.nodes;
    const target = {
      urls: this.nodes.map(({ url }) => url),
      tokenOf: (user: string) => first!.tokens.get(user)!,
      jetStream: this.#connection.jetstream(),
    };
    this.load = new Load(target, pace);
  }

  /** Ends the load, waits until nothing is under way any more, and stops all nodes. */
  async end(): Promise<Evidence> {
    await this.load.end();
    const { sent, refused } = this.load;
    await this.#untilSettled(sent);
    await this.#stopWithNothingLeft();
    const [events, stored] = [await this.#events(), await readEvidence(this.#storeUrl)];
    return { sent, refused, events, calls: this.#ledger.calls, ...stored };
  }

  /** Those that the flow emits, each as often as it arrived. */
  async #events(): Promise<readonly Received[]> {
    const all = await readEvents(this.#connection.jetstream(), this.#manager);
    return all.filter(({ event }) => event.startsWith("on"));
  }

  /** For who looks for the cause. @returns where it is. */
  keep(): string {
    this.isKept = true;
    for (const [n, { log }] of this.nodes.entries())
      writeFileSync(join(this.#folder, `node-${n}.log`), log.map((line) => JSON.stringify(line)).join("\n"));
    return `the logs of the nodes, and a store that is a file, are in ${this.#folder}`;
  }

  /** If that does not come, the check says what is missing. */
  async #untilSettled(sent: readonly Sent[]): Promise<void> {
    const expected = sent.reduce((sum, { id }) => sum + eventsOf(id), 0);
    for (const until = performance.now() + SETTLED_MS; performance.now() < until; await pause(LOOK_MS)) {
      const { state } = await this.#manager.streams.info("ASSENT_IN");
      if (state.messages > 0 || (await countEvents(this.#manager)) < expected) continue;
      if (new Set((await this.#events()).map(({ id }) => id)).size >= expected) return;
    }
  }

  async #stopWithNothingLeft(): Promise<void> {
    for (let starts = 0; ; starts++) {
      for (const node of this.nodes) assert.equal(await node.stop(), 0, "the node stops cleanly");
      if (starts === STARTS_MAX || (await countEffectsLeft(this.#storeUrl)) === 0) return;
      await Promise.all(this.nodes.map((node) => node.start()));
    }
  }
}

/** What follows from a command of the load: an approval is booked, and done a second later. */
function eventsOf(id: string): number {
  if (id.endsWith("/carol")) return 2;
  return /\/(tick|remark|submit)/.test(id) ? 1 : 0;
}
