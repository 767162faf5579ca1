/** One who starts a case and approves it, and waits for each answer: a caller in process, or a connection. */
export interface Lane {
  /** @throws if the case does not start. */
  start(number: number): Promise<void>;
  /** @throws if the case is not approved then. */
  approve(number: number): Promise<void>;
}

export interface Driven {
  /** Start and approval are one decision each; until the last effect is delivered. */
  readonly decisionsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/**
 * Every lane does one case after the other, so as many commands are in flight as there are lanes.
 * @param delivered resolves when all effects of what was answered are delivered.
 */
export async function drive(
  lanes: readonly Lane[],
  cases: { readonly from: number; readonly count: number },
  delivered: () => Promise<void>,
): Promise<Driven> {
  const latenciesMs: number[] = [];
  let next = cases.from;
  const end = cases.from + cases.count;
  const timed = async (step: Promise<void>): Promise<void> => {
    const started = performance.now();
    await step;
    latenciesMs.push(performance.now() - started);
  };
  const work = async (lane: Lane): Promise<void> => {
    while (next < end) {
      const number = next++;
      await timed(lane.start(number));
      await timed(lane.approve(number));
    }
  };
  const started = performance.now();
  await Promise.all(lanes.map(work));
  await delivered();
  const seconds = (performance.now() - started) / 1_000;
  latenciesMs.sort((a, b) => a - b);
  const quantile = (part: number) => latenciesMs[Math.floor(part * (latenciesMs.length - 1))]!;
  return { decisionsPerSecond: (2 * cases.count) / seconds, p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
}

/** Looks until it holds. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 1));
}
