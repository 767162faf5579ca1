import { type FSWatcher, statSync, watch } from "node:fs";
import { dirname } from "node:path";
import type { Io } from "./io.ts";

/** Several writes of one save come as one change. */
const SETTLE_MS = 80;
const WATCHED = /\.(flow|docx|ts|js|json)$/;

/**
 * Runs once, and again whenever something of the PATHs changes, until it is interrupted.
 * @returns the exit code of an interrupted command.
 */
export async function runAndWatch(paths: readonly string[], io: Io, run: () => Promise<number>): Promise<number> {
  let settling: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const again = (): void => {
    running = running.then(run).then(
      () => io.err("watching; end with Ctrl-C"),
      (error: unknown) => io.err(`error: ${error instanceof Error ? error.message : String(error)}`),
    );
  };
  const touched = (name: string | null): void => {
    if (name !== null && !WATCHED.test(name)) return;
    clearTimeout(settling);
    settling = setTimeout(again, SETTLE_MS);
  };
  const watchers = paths.map((path) => watcherOf(path, touched));
  again();
  await new Promise<void>((resolve) => process.once("SIGINT", resolve).once("SIGTERM", resolve));
  clearTimeout(settling);
  for (const watcher of watchers) watcher.close();
  await running;
  return INTERRUPTED;
}

const INTERRUPTED = 130;

/** The folder of a file, since editors put a new file in the place of the old one. */
function watcherOf(path: string, touched: (name: string | null) => void): FSWatcher {
  const folder = statSync(path).isDirectory() ? path : dirname(path);
  const watcher = watch(folder, { recursive: true }, (_event, name) => touched(name));
  watcher.on("error", () => touched(null));
  return watcher;
}
