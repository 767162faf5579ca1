import { spawn } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import type { Fault } from "./faults.ts";

/** Within so many seeds every fault is found. */
export const SEEDS_MAX = 200;

export interface FaultResult {
  readonly fault: Fault;
  /** Seeds until the first that failed; absent: none did. */
  readonly seeds?: number;
  /** The promise that was found broken; or what else went wrong. */
  readonly check: string;
}

const MAIN = resolve(import.meta.dirname, "../main.ts");

/** Looks for each fault in a process of its own. @param found is told of each. */
export async function runFaults(
  faults: readonly Fault[],
  found: (result: FaultResult) => void,
): Promise<readonly FaultResult[]> {
  const waiting = [...faults];
  const results: FaultResult[] = [];
  const lane = async (): Promise<void> => {
    for (let fault = waiting.shift(); fault; fault = waiting.shift()) {
      const result = await runFault(fault);
      results.push(result);
      found(result);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
  return results;
}

async function runFault(fault: Fault): Promise<FaultResult> {
  const child = spawn(process.execPath, [MAIN, "--fault", fault.name], { stdio: ["ignore", "pipe", "pipe"] });
  const [output, problem] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  const line = output.trim().split("\n").at(-1) ?? "";
  if (child.exitCode !== 0) return { fault, check: problem.match(/^\w*Error.*/m)?.[0] ?? line };
  return { fault, ...(JSON.parse(line) as Pick<FaultResult, "seeds" | "check">) };
}
