import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";

const SCRATCH = resolve(import.meta.dirname, "../.cache/bench");
export const FLOWS = resolve(import.meta.dirname, "flows");

/** A folder for one measurement, on the disk that the repository is on: the system's temporary folder may be memory, not a disk. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  mkdirSync(SCRATCH, { recursive: true });
  const folder = mkdtempSync(join(SCRATCH, "run-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
