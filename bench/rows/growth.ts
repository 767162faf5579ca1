import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { withFolder } from "../folder.ts";
import type { GrowthReport } from "../growth-child.ts";
import type { Benchmark, Size } from "../harness.ts";

/** The same decisions in an empty node and in one where very much is open, each in a process of its own. */

const CHILD = resolve(import.meta.dirname, "../growth-child.ts");
const OPEN: Record<Size, number> = { quick: 2_000, full: 1_000_000 };
const DEFINITIONS: Record<Size, number> = { quick: 50, full: 10_000 };
const CASES: Record<Size, number> = { quick: 400, full: 8_000 };
const LIMIT_MIB = 1_024;
const MIB = 2 ** 20;

export const growth: readonly Benchmark[] = [
  {
    id: "growth",
    what: "a decision with 1,000,000 instances, as many timers and 10,000 flows, p99",
    unit: "ms",
    better: "lower",
    referenceName: "the same node, empty",
    goal: 1 / 1.3,
    ours: async (size) => (await grown(size)).p99Ms,
    reference: async (size) => (await measureChild(0, 0, CASES[size])).p99Ms,
  },
  {
    id: "growth-memory",
    what: "the same: resident memory",
    unit: "MiB",
    better: "lower",
    referenceName: "the limit",
    goal: 1,
    ours: async (size) => (await grown(size)).rssBytes / MIB,
    reference: async () => LIMIT_MIB,
  },
];

const reports = new Map<Size, Promise<GrowthReport>>();

/** Measured once: it takes minutes to grow. */
function grown(size: Size): Promise<GrowthReport> {
  const report = reports.get(size) ?? measureChild(OPEN[size], DEFINITIONS[size], CASES[size]);
  reports.set(size, report);
  return report;
}

function measureChild(instances: number, definitions: number, cases: number): Promise<GrowthReport> {
  return withFolder(async (folder) => {
    const counts = { instances, definitions, cases };
    const args = Object.entries(counts).flatMap(([name, count]) => [`--${name}`, `${count}`]);
    const { stdout } = await promisify(execFile)(process.execPath, [CHILD, "--folder", folder, ...args]);
    const report = JSON.parse(stdout) as GrowthReport;
    if (report.timers !== instances) throw new Error(`${report.timers} timers wait, expected ${instances}`);
    if (report.flows < definitions) throw new Error(`${report.flows} flows are active, expected ${definitions}`);
    return report;
  });
}
