import assert from "node:assert/strict";
import { test } from "node:test";
import { AWAY_TRIES_MAX, EffectFailures, TRIES_MAX } from "./effect-failures.ts";
import type { Work, WorkResult } from "./outbox.ts";
import { StoreUnavailable } from "./ports.ts";
import { ServiceCallFailed } from "./services/service-call-failed.ts";
import { Overloaded } from "./turn.ts";

const work = (attempts: number): Work => ({
  ...{ tenant: "t", instance: "i", attempts },
  effect: { id: "i:1:0", kind: "publish", events: [] },
});

/** Tries until it is given up, or `limit` times. */
function tries(connected: boolean, errorOf: (n: number) => Error, limit: number): readonly WorkResult[] {
  const failures = new EffectFailures({ connected }, () => 0.5);
  const results: WorkResult[] = [];
  for (let n = 0; n < limit && results.at(-1)?.kind !== "dead"; n++) results.push(failures.judge(work(n), errorOf(n)));
  return results;
}

const failed = () => new ServiceCallFailed("closed", "failed");
const away = () => new ServiceCallFailed("nobody there", "away");

const ROWS: readonly [
  what: string,
  connected: boolean,
  error: (n: number) => Error,
  triesUntilDead: number | "never",
][] = [
  ["what the service refused", true, () => new ServiceCallFailed("no", "refused"), 1],
  ["what the service could not do", true, failed, TRIES_MAX],
  ["an action that throws", true, () => new Error("closed"), TRIES_MAX],
  ["a service that is not there", true, away, AWAY_TRIES_MAX],
  ["a service that nobody can ask, because the bus is away", false, away, "never"],
  ["an action that throws while the bus is away", false, () => new Error("closed"), TRIES_MAX],
  ["a node without room", true, () => new Overloaded("full"), "never"],
  ["a store that is away", true, () => new StoreUnavailable("gone"), "never"],
  ["a service that came back and could not do it", true, (n) => (n < 30 ? away() : failed()), 30 + TRIES_MAX],
];

for (const [what, connected, error, expected] of ROWS) {
  test(`${what} is given up after ${expected} tries`, () => {
    const results = tries(connected, error, 1_000);
    if (expected === "never") assert.equal(results.at(-1)?.kind, "retry");
    else assert.deepEqual([results.length, results.at(-1)?.kind], [expected, "dead"]);
  });
}

const delays = (results: readonly WorkResult[]) => results.map((result) => result.kind === "retry" && result.afterMs);

test("each time twice as long after the last, five minutes at most, and soon again while the bus is away", () => {
  assert.deepEqual(delays(tries(true, away, 12)).slice(0, 10), [
    ...[1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000],
  ]);
  assert.deepEqual(delays(tries(false, away, 8)).slice(3), [8_000, 16_000, 30_000, 30_000, 30_000]);
});

test("what failed together comes back at different times", () => {
  const afterMs = (random: number) =>
    delays([new EffectFailures({ connected: true }, () => random).judge(work(0), away())]);
  assert.deepEqual([afterMs(0), afterMs(1)], [[750], [1_250]]);
});

test("one that is sent again has all its tries again", () => {
  const failures = new EffectFailures({ connected: true }, () => 0.5);
  for (let n = 0; n < TRIES_MAX; n++) failures.judge(work(n), failed());
  assert.equal(failures.judge(work(0), failed()).kind, "retry");
});
