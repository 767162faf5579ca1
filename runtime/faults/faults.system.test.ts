import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { needsMongoServer } from "../../scripts/mongo-server.ts";
import { needsNatsServer } from "../../scripts/nats-server.ts";
import { type Evidence, findFaults } from "./checker-testing.ts";
import { type Setup, World } from "./world-testing.ts";

/**
 * Real faults under load: processes are killed and stopped, connections are cut. Afterwards nothing that was acknowledged is
 * lost, nothing is doubled, all is in order. `ASSENT_FAULTS=long` goes on for hours, `SEED=N` repeats the moments of a run.
 */

const IS_LONG = process.env["ASSENT_FAULTS"] === "long";
const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
const TIMEOUT_MS = IS_LONG ? 3 * 3_600_000 : 300_000;

const ALONE: Setup = { store: "sqlite", nodes: 1, pace: { lanes: 6, approvers: 3, everyMs: 150 } };
/** The compatible servers that tests can have are slow, the more so with much in them. */
const THREE: Setup = { store: "mongodb", nodes: 3, pace: { lanes: 12, approvers: 2, everyMs: IS_LONG ? 3_000 : 800 } };

/** A node that could not be seen to live for so long has lost its partitions to the others. */
const LOST_MS = 9_000;
const BETWEEN_KILLS_MS = 2_000;
const CUTS = [
  { to: "toStore", how: "silence", forMs: LOST_MS },
  { to: "toBus", how: "break", forMs: 5_000 },
  { to: "toStore", how: "break", forMs: 5_000 },
  // Longer than the client of NATS needs to see that nobody answers any more.
  { to: "toBus", how: "silence", forMs: 35_000 },
] as const;

interface Scenario {
  readonly name: string;
  readonly setup: Setup;
  /** How often it is done. */
  readonly times: { readonly short: number; readonly long: number };
  readonly fault: (world: World, random: () => number, n: number) => Promise<void>;
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: "the node is killed",
    setup: ALONE,
    times: { short: 20, long: 1_000 },
    fault: async ({ nodes: [node] }, random) => {
      await pause(50 + 250 * random());
      await node!.kill();
      await node!.start();
    },
  },
  {
    name: "nats-server is killed, and stands still for seconds",
    setup: ALONE,
    times: { short: 1, long: 100 },
    fault: async ({ nats }, random) => {
      await pause(500 + 500 * random());
      await nats.kill();
      await pause(1_000 * random());
      await nats.start();
      await pause(500 + 500 * random());
      nats.freeze();
      await pause(2_000 + 2_000 * random());
      nats.thaw();
    },
  },
  {
    name: "one of three nodes is killed every two seconds",
    setup: THREE,
    times: { short: 6, long: 100 },
    fault: killOneOf,
  },
  {
    name: "the servers of three nodes are killed one after the other",
    setup: THREE,
    times: { short: 2, long: 50 },
    fault: async ({ mongo, nats }, random) => {
      await pause(1_000 + 1_000 * random());
      await mongo!.kill();
      await pause(1_000 * random());
      await mongo!.start();
      await pause(1_000 + 1_000 * random());
      await nats.kill();
      await pause(1_000 * random());
      await nats.start();
    },
  },
  {
    name: "one of three nodes is cut off, from the store and from the bus",
    setup: THREE,
    times: { short: 2, long: 40 },
    fault: async (world, _random, n) => {
      const { to, how, forMs } = CUTS[n % CUTS.length]!;
      await pause(1_000);
      world[to]![how]();
      await pause(forMs);
      world[to]!.heal();
    },
  },
  {
    name: "one of three nodes stands still for longer than its partitions are its own",
    setup: THREE,
    times: { short: 1, long: 30 },
    fault: async ({ nodes }, random) => {
      await pause(1_000);
      const { pid } = nodes[Math.floor(random() * nodes.length)]!;
      process.kill(pid, "SIGSTOP");
      await pause(LOST_MS);
      process.kill(pid, "SIGCONT");
    },
  },
];

/** Also one that has not come up again. */
async function killOneOf({ nodes }: World, random: () => number): Promise<void> {
  await pause(BETWEEN_KILLS_MS);
  const node = nodes[Math.floor(random() * nodes.length)]!;
  await node.kill();
  // Killed again before it was ready, it comes up the next time.
  node.start().catch(() => {});
}

describe(`real faults under load (SEED=${seed})`, needsNatsServer(), () => {
  for (const scenario of SCENARIOS) {
    const { skip } = scenario.setup.store === "mongodb" ? needsMongoServer("own") : { skip: false };
    test(scenario.name, { skip, timeout: TIMEOUT_MS }, (context) => run(scenario, context));
  }
});

async function run({ setup, times, fault }: Scenario, context: TestContext): Promise<void> {
  const world = await World.start(setup, context);
  const random = randomFrom(seed);
  const count = IS_LONG ? times.long : times.short;
  for (let n = 0; n < count; n++) await fault(world, random, n);
  const evidence = await world.end();
  context.diagnostic(`${count} times: ${summaryOf(evidence)}, ${world.load.repeated} more tries`);
  const faults = findFaults(evidence);
  if (faults.length > 0) assert.fail(`${faults.length} faults:\n${faults.slice(0, 50).join("\n")}\n${world.keep()}`);
  assert.ok(world.load.repeated > 0, "the faults were felt");
}

function summaryOf({ sent, events, calls, letters }: Evidence): string {
  const distinct = new Set(events.map(({ id }) => id)).size;
  return `${sent.length} acknowledged, ${distinct} events in ${events.length} messages, ${calls.length} calls, ${letters.length} dead letters`;
}

/** Park and Miller's generator. */
function randomFrom(from: number): () => number {
  let state = (from % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
