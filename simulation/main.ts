import { parseArgs } from "node:util";
import { applyFault } from "./faults/apply.ts";
import { FAULTS } from "./faults/faults.ts";
import { runFaults, SEEDS_MAX } from "./faults/run-faults.ts";
import type { SimulationResult } from "./simulate.ts";

const USAGE = `npm run sim -- [--seeds N] [--from SEED]   runs N seeds (200) on all cores
npm run sim -- --seed SEED                 runs one seed and prints all that happens
npm run sim -- --faults                    looks for every seeded fault, and prints the seeds that it took
npm run sim -- --fault NAME                looks for one of them, in this process`;

async function main(given: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...given],
    options: {
      seeds: { type: "string", default: "200" },
      from: { type: "string", default: "1" },
      seed: { type: "string" },
      faults: { type: "boolean", default: false },
      fault: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return print(USAGE);
  if (values.seed !== undefined) return one(Number(values.seed));
  if (values.fault !== undefined) return lookFor(values.fault);
  return values.faults ? allFaults() : many(Number(values.from), Number(values.seeds));
}

/** What happens loads the code of the nodes, so that a fault can be put in before. */
const world = () => import("./simulate.ts");

async function one(seed: number): Promise<number> {
  const { simulate } = await world();
  const result = await simulate(seed, (line) => console.log(line));
  console.log(`seed ${seed}: ${JSON.stringify(result.figures)}, trace ${result.traceHash}`);
  return report([result].filter(({ violations }) => violations.length > 0));
}

async function many(from: number, count: number): Promise<number> {
  const { runSeeds } = await import("./seeds.ts");
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  let last = 0;
  const began = performance.now();
  const told = ({ done, failed }: { readonly done: number; readonly failed: readonly SimulationResult[] }) => {
    last = done;
    const perSecond = (done / (performance.now() - began)) * 1_000;
    process.stderr.write(`\r${done} of ${count} seeds, ${failed.length} failed, ${perSecond.toFixed(1)}/s `);
  };
  const failed = await runSeeds(from, count, told, stop.signal);
  process.stderr.write("\n");
  if (stop.signal.aborted) console.log(`stopped after ${last} seeds from ${from} on`);
  const status = report(failed);
  if (status === 0) console.log(`${last} seeds, all promises kept`);
  return stop.signal.aborted ? 130 : status;
}

function report(failed: readonly SimulationResult[]): number {
  for (const { seed, violations } of failed) {
    console.log(`seed ${seed} (npm run sim -- --seed ${seed}):`);
    for (const { check, what } of violations.slice(0, 10)) console.log(`  ${check}: ${what}`);
  }
  return failed.length === 0 ? 0 : 1;
}

/** Prints what was found as one line of JSON. */
async function lookFor(name: string): Promise<number> {
  const fault = FAULTS.find((one) => one.name === name);
  if (!fault) return print(`there is no fault \`${name}\`, but ${FAULTS.map((one) => one.name).join(", ")}`, 2);
  applyFault(fault);
  const { simulate } = await world();
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    const { violations } = await simulate(seed);
    if (violations[0]) return print(JSON.stringify({ seeds: seed, check: violations[0].check }));
  }
  return print(JSON.stringify({ check: `not found within ${SEEDS_MAX} seeds` }));
}

async function allFaults(): Promise<number> {
  const results = await runFaults(FAULTS, ({ fault, seeds, check }) => {
    console.log(`${fault.name.padEnd(28)}${String(seeds ?? "—").padStart(4)}  ${check.padEnd(40)} ${fault.what}`);
  });
  const missed = results.filter(({ seeds }) => seeds === undefined);
  console.log(`${results.length - missed.length} of ${results.length} faults found`);
  return missed.length === 0 ? 0 : 1;
}

function print(text: string, status = 0): number {
  console.log(text);
  return status;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
