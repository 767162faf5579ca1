import { instanceId } from "../../engine/index.ts";
import type { AssentNode } from "../../runtime/index.ts";
import { withFolder } from "../folder.ts";
import type { Benchmark, Size } from "../harness.ts";
import { type Offered, offer } from "../open-loop.ts";
import { employee, openOurs } from "../ours.ts";

/**
 * Starts are offered at half the rate that a node can sustain, then at twice, then at half again, whatever it answers.
 * Callers in process, so that the node is what is overloaded, not the client.
 */

const SECONDS: Record<Size, number> = { quick: 1, full: 5 };
/** At once, to find the rate. */
const IN_FLIGHT = 128;
/** Resident memory at twice the rate, beside that before. */
const GROWTH_MAX = 2;

export const overload: readonly Benchmark[] = [
  {
    id: "overload",
    what: "p99 of what is accepted at twice the sustainable rate",
    unit: "ms",
    better: "lower",
    referenceName: "5 × the p99 at half the rate",
    goal: 1,
    ours: async (size) => (await phases(size)).over.p99Ms,
    reference: async (size) => 5 * (await phases(size)).normal.p99Ms,
  },
];

interface Phases {
  readonly normal: Offered;
  readonly over: Offered;
  readonly after: Offered;
}

/** Of this run: both sides of the ratio come from it. */
let measured: Phases | undefined;

async function phases(size: Size): Promise<Phases> {
  const known = measured;
  measured = known ? undefined : await withFolder((folder) => run(folder, size));
  return known ?? measured!;
}

async function run(folder: string, size: Size): Promise<Phases> {
  const node = await openOurs(folder);
  await node.start();
  const seconds = SECONDS[size];
  const send = starter(node);
  const sustained = await rateOf(send, seconds);
  const normal = await offer({ perSecond: sustained / 2, seconds, send });
  const before = process.memoryUsage.rss();
  const over = await offer({ perSecond: sustained * 2, seconds, send });
  const growth = process.memoryUsage.rss() / before;
  const after = await offer({ perSecond: sustained / 2, seconds, send });
  await node.stop();
  if (over.turnedAway === 0) throw new Error("nobody was turned away at twice the sustainable rate");
  if (growth > GROWTH_MAX) throw new Error(`memory grew ${growth.toFixed(1)} times`);
  if (after.turnedAway > after.accepted) throw new Error(`it did not recover: ${JSON.stringify(after)}`);
  return { normal, over, after };
}

/** Starts per second, with some always under way. */
async function rateOf(send: () => Promise<unknown>, seconds: number): Promise<number> {
  const startedMs = performance.now();
  const passedMs = (): number => performance.now() - startedMs;
  let done = 0;
  const lane = async (): Promise<void> => {
    for (; passedMs() < seconds * 1_000; done++) await send();
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return (done * 1_000) / passedMs();
}

function starter(node: AssentNode): () => Promise<"accepted" | "turned-away"> {
  const ids = { tenant: "default", flow: "bench-purchase" } as const;
  let next = 0;
  return async () => {
    const key = `P-${next++}`;
    const instance = instanceId(ids.tenant, ids.flow, key);
    const initiator = { id: employee(next) };
    const command = {
      ...({ kind: "start", id: `start-${key}`, source: "bench", actor: initiator.id } as const),
      ...{ tenant: ids.tenant, instance, key, initiator, data: {}, event: "submit" },
      payload: { title: key, amount: "1280.50", urgent: false },
    };
    try {
      const reply = await node.request({ ...ids, instance, command });
      if (reply.kind !== "accepted") throw new Error(JSON.stringify(reply));
      return "accepted";
    } catch (error) {
      if (error instanceof Error && error.name === "Overloaded") return "turned-away";
      throw error;
    }
  };
}
