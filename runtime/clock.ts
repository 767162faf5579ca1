import type { Clock } from "./ports.ts";

/** The system's clock and timers. */
export const systemClock: Clock = {
  now: Date.now,
  steadyMs: () => performance.now(),
  after(delayMs, callBack) {
    const timer = setTimeout(callBack, delayMs);
    return () => clearTimeout(timer);
  },
  soon: (callBack) => void setImmediate(callBack),
};

/** As the system's, but what waits does not keep the process alive: for what nobody waits for. */
export const backgroundClock: Clock = {
  ...systemClock,
  after(delayMs, callBack) {
    const timer = setTimeout(callBack, delayMs).unref();
    return () => clearTimeout(timer);
  },
};

export const pause = (clock: Pick<Clock, "after">, ms: number): Promise<void> =>
  new Promise((resolve) => void clock.after(ms, resolve));

/** `late` if the work takes longer than that; it goes on all the same. */
export async function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T | "late"> {
  const { promise: late, resolve } = Promise.withResolvers<"late">();
  const callOff = clock.after(ms, () => resolve("late"));
  try {
    return await Promise.race([work, late]);
  } finally {
    callOff();
  }
}

/** Does work with a signal that is aborted when the time is over, by a `TimeoutError` as of `AbortSignal.timeout`. */
export async function signalled<T>(clock: Clock, ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const over = () => controller.abort(new DOMException("The operation was aborted due to timeout", "TimeoutError"));
  const callOff = clock.after(ms, over);
  try {
    return await work(controller.signal);
  } finally {
    callOff();
  }
}
