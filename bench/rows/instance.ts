import assert from "node:assert/strict";
import type { Instance } from "../../engine/index.ts";
import { decodeStored, encodeStored } from "../../runtime/index.ts";
import { microsecondsPer } from "../cpu.ts";
import type { Benchmark, Size } from "../harness.ts";
import { InMemory, type MemoryStep, readDefinition, worldOf } from "../in-memory.ts";

/** What an instance costs: stored, and after a long life. */

const STEPS: Record<Size, number> = { quick: 200, full: 5_000 };
const CODINGS: Record<Size, number> = { quick: 2_000, full: 50_000 };
const BYTES_MAX = 3_072;
const TEAM = Array.from({ length: 200 }, (_, n) => `member-${n}`);
const ROUNDS = 20;
/** With the decisions of each round but the last, and what opens the next: 1,000 commands. */
const DECISIONS_PER_ROUND = 49;

export const instances: readonly Benchmark[] = [
  {
    ...{ id: "instance-json", what: "a stored instance written and read", unit: "µs", better: "lower" },
    referenceName: "JSON.stringify and JSON.parse",
    goal: 1 / 1.5,
    ours: async (size) =>
      coding(size, (instance) => decodeStored<Instance>(encodeStored(instance, undefined), undefined)),
    reference: async (size) => coding(size, (instance) => JSON.parse(JSON.stringify(instance)) as Instance),
  },
  {
    ...{ id: "instance-size", what: "a stored instance in its third state", unit: "KiB", better: "lower", goal: 1 },
    referenceName: "the limit",
    ours: async () => encodeStored(typical(), undefined).length / 1_024,
    reference: async () => BYTES_MAX / 1_024,
  },
  {
    ...{ id: "flat", what: "a decision after 1,000 commands and 20 rounds of 200", unit: "µs", better: "lower" },
    referenceName: "the same in a fresh instance",
    goal: 1 / 1.3,
    ours: async (size) => deciding(size, ...longLived()),
    reference: async (size) => deciding(size, ...fresh(TEAM)),
  },
  {
    ...{ id: "seats", what: "a decision where 200 seats are open", unit: "µs", better: "lower" },
    referenceName: "where 2 are open",
    ours: async (size) => deciding(size, ...fresh(TEAM)),
    reference: async (size) => deciding(size, ...fresh(TEAM.slice(0, 2))),
  },
];

/** Of the three states the third is open: two have decided, three are asked. */
function typical(): Instance {
  const world = worldOf({ managerOf: ["bob"], group: ["fay"] });
  const payload = { title: "paper 1", amount: "60000.00", urgent: false };
  const run = new InMemory(readDefinition("bench-stages"), world).start(payload).approve("bob", "fay");
  assert.equal(run.instance?.state, "BOARD");
  return run.instance;
}

function coding(size: Size, copy: (instance: Instance) => Instance): number {
  const instance = typical();
  assert.deepEqual(copy(instance), instance);
  return microsecondsPer(CODINGS[size], () => copy(instance).version === instance.version);
}

function fresh(team: readonly string[]): [InMemory, MemoryStep] {
  const run = new InMemory(readDefinition("bench-team"), worldOf({ group: team })).start();
  return [run, run.next({ kind: "decide", actor: team[0]!, decision: "approve" })];
}

/** Everybody has decided in some round, and all seats of the newest are open. */
function longLived(): [InMemory, MemoryStep] {
  const [run] = fresh(TEAM);
  for (let round = 1; round < ROUNDS; round++) {
    const from = (round * DECISIONS_PER_ROUND) % TEAM.length;
    const deciders = Array.from({ length: DECISIONS_PER_ROUND + 3 }, (_, n) => TEAM[(from + n) % TEAM.length]!);
    run.approve(...deciders).take({ kind: "event", event: "again", payload: {} });
  }
  assert(run.instance && run.instance.version >= 1_000, `only ${run.instance?.version} commands`);
  assert.equal(run.instance.round?.number, ROUNDS);
  return [run, run.next({ kind: "decide", actor: TEAM[0]!, decision: "approve" })];
}

function deciding(size: Size, run: InMemory, step: MemoryStep): number {
  return microsecondsPer(STEPS[size], () => run.decide(step)?.instance.state === "REVIEW");
}
