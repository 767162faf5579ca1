/** Requests at a rate that does not wait for answers, as the world sends them. */
export interface Offer {
  readonly perSecond: number;
  readonly seconds: number;
  /** One request. */
  send(): Promise<"accepted" | "turned-away">;
}

export interface Offered {
  readonly accepted: number;
  readonly turnedAway: number;
  /** Of those that were accepted, from the instant at which they were due. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const TICK_MS = 1;

/** Resolves when all are answered. @throws what `send` throws. */
export async function offer({ perSecond, seconds, send }: Offer): Promise<Offered> {
  const latencies: number[] = [];
  let turnedAway = 0;
  const one = async (dueAtMs: number): Promise<void> => {
    if ((await send()) === "turned-away") turnedAway++;
    else latencies.push(performance.now() - dueAtMs);
  };
  const all = Math.round(perSecond * seconds);
  const answers: Promise<void>[] = [];
  const startedMs = performance.now();
  const dueAtMs = (number: number): number => startedMs + (number * 1_000) / perSecond;
  while (answers.length < all) {
    const now = performance.now();
    while (answers.length < all && dueAtMs(answers.length) <= now) answers.push(one(dueAtMs(answers.length)));
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  await Promise.all(answers);
  latencies.sort((a, b) => a - b);
  const quantile = (part: number): number => latencies[Math.floor(part * (latencies.length - 1))] ?? 0;
  return { accepted: latencies.length, turnedAway, p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
}
