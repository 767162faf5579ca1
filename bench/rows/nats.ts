import { join } from "node:path";
import { connect, type JetStreamManager } from "nats";
import { openNatsBus } from "../../runtime/index.ts";
import { needsNatsServer, startNatsServer } from "../../scripts/nats-server.ts";
import { until } from "../drive.ts";
import { withFolder } from "../folder.ts";
import type { Benchmark, Size } from "../harness.ts";
import { openOurs } from "../ours.ts";
import { runReference } from "../reference/nats-pipeline.ts";

/** Events wait in the stream; measured from the first pull until all are decided and every reaction is in the stream out. */

const LOAD: Record<Size, { readonly events: number; readonly instances: number }> = {
  quick: { events: 2_000, instances: 200 },
  full: { events: 20_000, instances: 2_000 },
};
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
    goal: 0.35,
    unavailable: () => needsNatsServer().skip || undefined,
    ours: (size) => withServer((url, folder) => ours(url, folder, size)),
    reference: (size) =>
      withServer(async (url, folder) => {
        const { eventsPerSecond } = await runReference({ url, folder, body: BODY, ...LOAD[size] });
        return eventsPerSecond;
      }),
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

/** The stream is a work queue: what is in it was not acked, so it may not be decided yet. */
async function waiting(manager: JetStreamManager): Promise<number> {
  return (await manager.streams.info("ASSENT_IN")).state.messages;
}

async function countReactions(manager: JetStreamManager): Promise<number> {
  const { state } = await manager.streams.info("ASSENT_OUT", { subjects_filter: REACTION });
  return state.subjects?.[REACTION] ?? 0;
}
