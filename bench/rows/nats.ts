import { join } from "node:path";
import { connect, headers, type JetStreamManager, type MsgHdrs, type NatsConnection } from "nats";
import { instanceId } from "../../engine/index.ts";
import { openNatsBus } from "../../runtime/index.ts";
import { needsNatsServer, startNatsServer } from "../../scripts/nats-server.ts";
import { until } from "../drive.ts";
import { withFolder } from "../folder.ts";
import type { Benchmark, Size } from "../harness.ts";
import { openOurs } from "../ours.ts";
import { REFERENCE_REACTION, referenceEvent, runReference, withReference } from "../reference/nats-pipeline.ts";

/** Events wait in the stream; measured from the first pull until all are decided and every reaction is in the stream out. */

const LOAD: Record<Size, { readonly events: number; readonly instances: number }> = {
  quick: { events: 2_000, instances: 200 },
  full: { events: 20_000, instances: 2_000 },
};
const PACED: Record<Size, { readonly events: number; readonly perSecond: number }> = {
  quick: { events: 1_000, perSecond: 1_000 },
  full: { events: 10_000, perSecond: 2_000 },
};
const PACE_MS = 2;
const BODY = '{"days":3}';
const REACTION = "assent.out.default.bench-toggle.done";
const LOOK_EVERY_MS = 5;
const PATIENCE_MS = 60_000;

export const nats: readonly Benchmark[] = [
  {
    id: "nats",
    what: "NATS event in → durable → event out",
    unit: "events/s",
    better: "higher",
    referenceName: "hand-written, NATS + SQLite",
    goal: 0.6,
    unavailable: () => needsNatsServer().skip || undefined,
    ours: (size) => withServer((url, folder) => ours(url, folder, size)),
    reference: (size) =>
      withServer(async (url, folder) => {
        const { eventsPerSecond } = await runReference({ url, folder, body: BODY, ...LOAD[size] });
        return eventsPerSecond;
      }),
  },
  {
    id: "nats-p99",
    what: "NATS event published → event out seen, 2,000/s, p99",
    unit: "ms",
    better: "lower",
    referenceName: "hand-written, NATS + SQLite",
    goal: 1 / 1.25,
    unavailable: () => needsNatsServer().skip || undefined,
    ours: (size) => withServer((url, folder) => ourP99(url, folder, size)),
    reference: (size) => withServer((url, folder) => referenceP99(url, folder, size)),
  },
];

/** Each measurement has a server of its own, whose streams are on the same disk as the database. */
function withServer<T>(work: (url: string, folder: string) => Promise<T>): Promise<T> {
  return withFolder(async (folder) => {
    const server = await startNatsServer({ folder: join(folder, "nats") });
    try {
      return await work(server.url, folder);
    } finally {
      await server.stop();
    }
  });
}

async function ours(url: string, folder: string, size: Size): Promise<number> {
  const { events, instances } = LOAD[size];
  const bus = await openNatsBus({ urls: url });
  await bus.publish(
    Array.from({ length: events }, (_, n) => ({
      subject: `assent.in.default.bench-toggle.tick.k${n % instances}`,
      ...{ id: `e${n}`, headers: {}, body: BODY },
    })),
  );
  const node = await openOurs(folder, bus);
  const connection = await connect({ servers: url });
  const manager = await connection.jetstreamManager();
  const started = performance.now();
  await node.start();
  for (let left = events; left > 0; left = await waiting(manager)) {
    if (performance.now() - started > PATIENCE_MS) throw new Error(`${left} of ${events} events are still waiting`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  await until(() => node.figures.pendingEffects === 0);
  const seconds = (performance.now() - started) / 1_000;
  const reactions = await countReactions(manager);
  await connection.close();
  await node.stop();
  if (reactions !== events) throw new Error(`${reactions} reactions for ${events} events`);
  return events / seconds;
}

async function ourP99(url: string, folder: string, size: Size): Promise<number> {
  const node = await openOurs(folder, await openNatsBus({ urls: url }));
  await node.start();
  const client = await connect({ servers: url });
  const keys = new Map<string, string>();
  const p99 = await pacedP99(client, size, {
    reaction: REACTION,
    keyOf: (body) => keys.get((body as { subject: string }).subject)!,
    publish: (key, id) => {
      keys.set(instanceId("default", "bench-toggle", key), key);
      client.publish(`assent.in.default.bench-toggle.tick.${key}`, BODY, { headers: withId(id) });
    },
  });
  await client.close();
  await node.stop();
  return p99;
}

function referenceP99(url: string, folder: string, size: Size): Promise<number> {
  return withReference({ url, folder }, async ({ pump }) => {
    const client = await connect({ servers: url });
    const pumping = pump(PACED[size].events);
    const p99 = await pacedP99(client, size, {
      reaction: REFERENCE_REACTION,
      keyOf: (body) => (body as { key: string }).key,
      publish: (key, id) => client.publish(referenceEvent(key), BODY, { headers: withId(id) }),
    });
    await pumping;
    await client.close();
    return p99;
  });
}

function withId(id: string): MsgHdrs {
  const sent = headers();
  sent.set("Nats-Msg-Id", id);
  return sent;
}

interface Pipeline {
  /** Subject of the reactions. */
  readonly reaction: string;
  /** Of the instance whose event it answers. */
  keyOf(body: unknown): string;
  publish(key: string, id: string): void;
}

/** Publishes at its pace whatever comes back; an instance of its own for each event. @returns p99 in ms, the first tenth left out. */
async function pacedP99(client: NatsConnection, size: Size, pipeline: Pipeline): Promise<number> {
  const { events, perSecond } = PACED[size];
  const sentMs = new Map<string, number>();
  const latenciesMs: number[] = [];
  client.subscribe(pipeline.reaction, {
    callback: (_error, message) => {
      const key = pipeline.keyOf(message.json());
      latenciesMs.push(performance.now() - sentMs.get(key)!);
    },
  });
  await client.flush();
  const started = performance.now();
  for (let sent = 0; sent < events; ) {
    const due = Math.min(events, Math.ceil(((performance.now() - started) / 1_000) * perSecond));
    for (; sent < due; sent++) {
      sentMs.set(`k${sent}`, performance.now());
      pipeline.publish(`k${sent}`, `e${sent}`);
    }
    await new Promise((resolve) => setTimeout(resolve, PACE_MS));
  }
  const patience = performance.now() + PATIENCE_MS;
  await until(() => latenciesMs.length >= events || performance.now() > patience);
  if (latenciesMs.length !== events) throw new Error(`${latenciesMs.length} reactions for ${events} events`);
  const counted = latenciesMs.slice(events / 10).toSorted((a, b) => a - b);
  return counted[Math.floor(0.99 * (counted.length - 1))]!;
}

/** The stream is a work queue: what is in it was not acked, so it may not be decided yet. */
async function waiting(manager: JetStreamManager): Promise<number> {
  return (await manager.streams.info("ASSENT_IN")).state.messages;
}

async function countReactions(manager: JetStreamManager): Promise<number> {
  const { state } = await manager.streams.info("ASSENT_OUT", { subjects_filter: REACTION });
  return state.subjects?.[REACTION] ?? 0;
}
