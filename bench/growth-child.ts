import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { parseArgs } from "node:util";
import { instanceId } from "../engine/index.ts";
import { drive, until } from "./drive.ts";
import { generatedFlow, SHARED_FILE, sharedText } from "./generated-flows.ts";
import { employee, openOurs, ourEffectsDelivered, ourLane } from "./ours.ts";

/**
 * `node growth-child.ts --folder DIR --instances N --definitions N --cases N`: a node in which so much is open, each
 * instance with its timer, decides some cases; prints a {@link GrowthReport}.
 */

export interface GrowthReport {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly rssBytes: number;
  readonly timers: number;
  readonly flows: number;
}

const IN_FLIGHT = 256;
const DRIVEN_IN_FLIGHT = 16;
const SETTLE_MS = 2_000;

if (import.meta.main) {
  const option = { type: "string" } as const;
  const options = { folder: option, instances: option, definitions: option, cases: option };
  const { values } = parseArgs({ options });
  const count = (name: "instances" | "definitions" | "cases"): number => Number(values[name] ?? 0);
  console.log(JSON.stringify(await grow(values.folder!, count("instances"), count("definitions"), count("cases"))));
}

async function grow(folder: string, instances: number, definitions: number, cases: number): Promise<GrowthReport> {
  writeFileSync(join(folder, SHARED_FILE), sharedText);
  for (let number = 0; number < definitions; number++)
    writeFileSync(join(folder, `flow-${number}.flow`), generatedFlow(number));
  const node = await openOurs(folder, undefined, undefined, [folder]);
  await node.start();
  await startMany(node, instances);
  await ourEffectsDelivered(node);
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const lanes = Array.from({ length: DRIVEN_IN_FLIGHT }, () => ourLane(node));
  const delivered = () => ourEffectsDelivered(node);
  await drive(lanes, { from: cases, count: cases >> 2 }, delivered);
  const { p50Ms, p99Ms } = await drive(lanes, { from: 0, count: cases }, delivered);
  const rssBytes = process.memoryUsage.rss();
  const flows = node.registry.current.flows().length;
  await node.stop();
  const timers = countTimers(join(folder, "ours.db"));
  return { p50Ms, p99Ms, rssBytes, timers, flows };
}

/** Each waits for its superior, and for its deadline in a month. */
async function startMany(node: Awaited<ReturnType<typeof openOurs>>, instances: number): Promise<void> {
  const flow = "bench-deadline";
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < instances) {
      const number = next++;
      const key = `D-${number}`;
      const instance = instanceId("default", flow, key);
      const initiator = { id: employee(number) };
      const command = {
        ...({ kind: "start", id: `start-${number}`, source: "bench", actor: initiator.id } as const),
        ...{ tenant: "default", instance, key, initiator, data: {}, event: "submit" },
        payload: { title: `paper ${number}` },
      };
      const reply = await node.submit({ tenant: "default", flow, instance, command });
      if (reply.kind !== "accepted") throw new Error(`not started: ${JSON.stringify(reply).slice(0, 500)}`);
      if (node.figures.pendingEffects > 5_000) await until(() => node.figures.pendingEffects < 1_000);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
}

function countTimers(file: string): number {
  const database = new DatabaseSync(file, { readOnly: true });
  const row = database.prepare("SELECT count(*) AS timers FROM timers").get()!;
  database.close();
  return Number(row["timers"]);
}
