import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { SimulationResult } from "./simulate.ts";

export interface Progress {
  readonly done: number;
  readonly failed: readonly SimulationResult[];
}

/** So many seeds at a time. */
const CHUNK = 10;

/** Runs seeds on all cores. @param told after each chunk. @returns what failed. */
export async function runSeeds(
  from: number,
  count: number,
  told: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<readonly SimulationResult[]> {
  const failed: SimulationResult[] = [];
  let next = from;
  let done = 0;
  const lane = async (): Promise<void> => {
    const worker = new Worker(new URL("./worker.ts", import.meta.url));
    try {
      while (next < from + count && !signal.aborted) {
        const chunk = { from: next, count: Math.min(CHUNK, from + count - next) };
        next += chunk.count;
        worker.postMessage(chunk);
        const [results] = (await once(worker, "message", { signal })) as [readonly SimulationResult[]];
        done += chunk.count;
        failed.push(...results);
        told({ done, failed });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
  return failed.toSorted((a, b) => a.seed - b.seed);
}
