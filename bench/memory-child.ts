import { parseArgs } from "node:util";
import { openOurs, ourEffectsDelivered, ourLane } from "./ours.ts";

/** `node memory-child.ts --folder DIR --instances N`: starts N instances, leaves them open and prints what it holds then. */

export interface MemoryReport {
  /** Counted in the store. */
  readonly open: number;
  readonly rssBytes: number;
  readonly peakRssBytes: number;
}

const IN_FLIGHT = 256;
const PAGE = 1_000;

const { values } = parseArgs({ options: { folder: { type: "string" }, instances: { type: "string" } } });
console.log(JSON.stringify(await hold(values.folder!, Number(values.instances))));

async function hold(folder: string, instances: number): Promise<MemoryReport> {
  const node = await openOurs(folder);
  await node.start();
  const lane = ourLane(node);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < instances) await lane.start(next++);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  await ourEffectsDelivered(node);
  const rssBytes = process.memoryUsage.rss();
  const peakRssBytes = process.resourceUsage().maxRSS * 1_024;
  const open = await countOpen(node.store);
  await node.stop();
  return { open, rssBytes, peakRssBytes };
}

async function countOpen(store: Awaited<ReturnType<typeof openOurs>>["store"]): Promise<number> {
  let open = 0;
  let cursor: string | undefined;
  do {
    const query = { tenant: "default", flow: "bench-purchase", state: "REVIEW" };
    const page = await store.instances(query, { limit: PAGE, ...(cursor !== undefined && { cursor }) });
    open += page.items.length;
    cursor = page.cursor;
  } while (cursor !== undefined);
  return open;
}
