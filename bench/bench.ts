import { writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { type Benchmark, measure, type Row, type Size, table } from "./harness.ts";
import { bus } from "./rows/bus.ts";
import { checking } from "./rows/check.ts";
import { durable } from "./rows/durable.ts";
import { engine } from "./rows/engine.ts";
import { growth } from "./rows/growth.ts";
import { guards } from "./rows/guard.ts";
import { http } from "./rows/http.ts";
import { instances } from "./rows/instance.ts";
import { memory } from "./rows/memory.ts";
import { mongodb } from "./rows/mongodb.ts";
import { nats } from "./rows/nats.ts";
import { overload } from "./rows/overload.ts";
import { parsing } from "./rows/parse.ts";
import { besideRestate } from "./rows/restate.ts";
import { simulator } from "./rows/simulator.ts";
import { starting } from "./rows/start.ts";

/** `npm run bench [-- --quick] [-- --only ID,ID]`: see README.md. */

const BENCHMARKS: readonly Benchmark[] = [
  ...durable,
  ...http,
  ...besideRestate,
  ...nats,
  ...mongodb,
  ...bus,
  ...overload,
  ...engine,
  ...instances,
  ...simulator,
  ...guards,
  ...parsing,
  ...checking,
  ...memory,
  ...growth,
  ...starting,
];
const OUT = resolve(import.meta.dirname, "out.json");

// A broken row may leave a server or a worker behind.
process.exit(await main());

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { quick: { type: "boolean", default: false }, only: { type: "string" } } });
  const size: Size = values.quick ? "quick" : "full";
  const chosen = choose(values.only);
  if (typeof chosen === "string") {
    console.error(chosen);
    return 2;
  }
  const rows: Row[] = [];
  for (const benchmark of chosen) {
    console.error(`${benchmark.id}: ${benchmark.what} …`);
    const row = await measure(benchmark, size);
    if (row.problem !== undefined) console.error(row.problem);
    rows.push(row);
  }
  console.log(table(rows));
  writeFileSync(OUT, `${JSON.stringify(report(rows), undefined, 2)}\n`);
  const broken = rows.some((row) => row.problem !== undefined);
  const missed = rows.some((row) => !row.ok);
  return broken || (missed && size === "full") ? 1 : 0;
}

/** @returns what is wrong with the choice. */
function choose(only: string | undefined): readonly Benchmark[] | string {
  if (only === undefined) return BENCHMARKS;
  const ids = only.split(",");
  const unknown = ids.filter((id) => !BENCHMARKS.some((benchmark) => benchmark.id === id));
  const known = BENCHMARKS.map(({ id }) => id).join(", ");
  return unknown.length > 0
    ? `no benchmark \`${unknown.join("`, `")}\`: there are ${known}`
    : BENCHMARKS.filter(({ id }) => ids.includes(id));
}

function report(rows: readonly Row[]): object {
  const [cpu] = cpus();
  const machine = { cpu: cpu?.model ?? "unknown", cpus: cpus().length, memoryMiB: Math.round(totalmem() / 2 ** 20) };
  return { machine, node: process.version, date: new Date().toISOString(), rows };
}
