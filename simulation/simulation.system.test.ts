import assert from "node:assert/strict";
import { test } from "node:test";
import { FAULTS } from "./faults/faults.ts";
import { runFaults } from "./faults/run-faults.ts";
import { runSeeds } from "./seeds.ts";

const inCi = process.env["CI"] === "true";
const SEEDS = inCi ? 500 : 100;
/** Elsewhere than in CI only some faults are looked for: each takes a process. */
const LOOKED_FOR = inCi ? FAULTS : FAULTS.filter((_, index) => index % 5 === 0);

test(`all promises are kept in ${SEEDS} worlds`, async () => {
  const failed = await runSeeds(1, SEEDS, () => {}, new AbortController().signal);
  const told = failed.map(
    ({ seed, violations: [first] }) => `npm run sim -- --seed ${seed}: ${first?.check}: ${first?.what}`,
  );
  assert.deepEqual(told, []);
});

test("the simulation finds mistakes that somebody could have made", async () => {
  const results = await runFaults(LOOKED_FOR, () => {});
  const missed = results
    .filter(({ seeds }) => seeds === undefined)
    .map(({ fault, check }) => `${fault.name}: ${check}`);
  assert.deepEqual(missed, []);
});
