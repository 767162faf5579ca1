import { parentPort } from "node:worker_threads";
import { type SimulationResult, simulate } from "./simulate.ts";

/** One core: runs the seeds that it is given, and tells those that failed. */
parentPort!.on("message", async ({ from, count }: { readonly from: number; readonly count: number }) => {
  const failed: SimulationResult[] = [];
  for (let seed = from; seed < from + count; seed++) {
    const result = await simulate(seed);
    if (result.violations.length > 0) failed.push(result);
  }
  parentPort!.postMessage(failed);
});
