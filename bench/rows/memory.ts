import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { withFolder } from "../folder.ts";
import type { Benchmark, Size } from "../harness.ts";
import type { MemoryReport } from "../memory-child.ts";

/** What a node keeps in memory, measured in a process of its own right after the last instance was started. */

const CHILD = resolve(import.meta.dirname, "../memory-child.ts");
const INSTANCES: Record<Size, number> = { quick: 2_000, full: 100_000 };
const LIMIT_MIB = 600;
const MIB = 2 ** 20;

export const memory: readonly Benchmark[] = [
  {
    id: "memory",
    what: "100,000 open instances on SQLite, resident memory",
    unit: "MiB",
    better: "lower",
    referenceName: "the limit",
    goal: 1,
    ours: async (size) => (await reportFor(size)).rssBytes / MIB,
    reference: async () => LIMIT_MIB,
  },
];

const reports = new Map<Size, Promise<MemoryReport>>();

/** Measured once: it takes long and hardly varies. */
function reportFor(size: Size): Promise<MemoryReport> {
  const report = reports.get(size) ?? measureChild(INSTANCES[size]);
  reports.set(size, report);
  return report;
}

function measureChild(instances: number): Promise<MemoryReport> {
  return withFolder(async (folder) => {
    const args = [CHILD, "--folder", folder, "--instances", String(instances)];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const report = JSON.parse(stdout) as MemoryReport;
    if (report.open !== instances) throw new Error(`${report.open} instances are open, expected ${instances}`);
    return report;
  });
}
