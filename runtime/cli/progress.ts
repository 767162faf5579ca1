import type { Io } from "./io.ts";
import type { Progress } from "./sources.ts";

/** What is done sooner shows no bar. */
const SHOWN_AFTER_MS = 250;
const REDRAWN_AFTER_MS = 100;
const WIDTH = 30;

/**
 * A bar on the terminal of standard error for what takes long; it is gone when everything is done.
 * @returns `undefined` where standard error is no terminal.
 */
export function progressBar(
  { status }: Pick<Io, "status">,
  nowMs: () => number = () => performance.now(),
): Progress | undefined {
  if (!status) return undefined;
  let dueMs = nowMs() + SHOWN_AFTER_MS;
  let isShown = false;
  return (done, all) => {
    if (done === all) {
      if (isShown) status("");
      return;
    }
    if (nowMs() < dueMs) return;
    dueMs = nowMs() + REDRAWN_AFTER_MS;
    isShown = true;
    status(barText(done, all));
  };
}

/** `██████░░░░░░ 120/600`. */
function barText(done: number, all: number): string {
  const full = Math.floor((done / all) * WIDTH);
  return `${"█".repeat(full)}${"░".repeat(WIDTH - full)} ${done}/${all}`;
}
