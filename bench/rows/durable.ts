import { join } from "node:path";
import { InProcessBus } from "../../runtime/index.ts";
import { type Driven, drive, type Lane, until } from "../drive.ts";
import { withFolder } from "../folder.ts";
import type { Benchmark, Size } from "../harness.ts";
import { employee, managerOf, openOurs, ourEffectsDelivered, ourLane } from "../ours.ts";
import { type Answer, Approvals } from "../reference/approvals.ts";

/** Durable decisions in process: start and approve, each answered after its commit, effects delivered. */

interface Load {
  readonly inFlight: number;
  readonly cases: Record<Size, number>;
}

export const MANY: Load = { inFlight: 256, cases: { quick: 1_000, full: 15_000 } };
const ONE: Load = { inFlight: 1, cases: { quick: 50, full: 500 } };
const REFERENCE = "hand-written, SQLite, journal first";

export const durable: readonly Benchmark[] = [
  {
    id: "durable-256",
    what: "durable decisions in process, 256 in flight, effects delivered",
    unit: "decisions/s",
    better: "higher",
    referenceName: REFERENCE,
    goal: 0.7,
    ours: async (size) => (await ours(MANY, size)).decisionsPerSecond,
    reference: async (size) => (await reference(MANY, size, { lists: false })).decisionsPerSecond,
  },
  {
    id: "durable-sustained",
    what: "the same until tasks, instances and outbox are caught up",
    unit: "decisions/s",
    better: "higher",
    referenceName: "hand-written, SQLite, with the same rows",
    goal: 0.7,
    ours: async (size) => (await ours(MANY, size, { caughtUp: true })).decisionsPerSecond,
    reference: async (size) => (await reference(MANY, size, { lists: true })).decisionsPerSecond,
  },
  {
    id: "durable-1",
    what: "one durable decision in process, 1 in flight, p50",
    unit: "ms",
    better: "lower",
    referenceName: REFERENCE,
    goal: 0.5,
    ours: async (size) => (await ours(ONE, size)).p50Ms,
    reference: async (size) => (await reference(ONE, size, { lists: false })).p50Ms,
  },
];

/** @param caughtUp whether the end is when the lists say everything, not only the journal. */
export function ours(load: Load, size: Size, { caughtUp = false } = {}): Promise<Driven> {
  return withFolder(async (folder) => {
    const bus = new InProcessBus();
    const approved = await countApproved(bus);
    const node = await openOurs(folder, bus);
    await node.start();
    const lane = ourLane(node);
    const delivered = async (): Promise<void> => {
      await ourEffectsDelivered(node);
      // Reading makes the store bring in what still waits.
      if (caughtUp) await node.store.tasks({ tenant: "default", assignee: managerOf(employee(0)) }, { limit: 1 });
    };
    const driven = await warmThenDrive(lane, load, size, delivered);
    await node.stop();
    approved.check(load.cases[size]);
    return driven;
  });
}

function reference(load: Load, size: Size, { lists }: { lists: boolean }): Promise<Driven> {
  return withFolder(async (folder) => {
    const bus = new InProcessBus();
    const approved = await countApproved(bus);
    const publish = (messages: readonly { id: string; subject: string; body: string }[]) =>
      bus.publish(messages.map((message) => ({ ...message, headers: {} })));
    const approvals = new Approvals({ file: join(folder, "reference.db"), lists, managerOf, publish });
    const driven = await warmThenDrive(referenceLane(approvals), load, size, () => until(() => approvals.idle));
    await approvals.close();
    approved.check(load.cases[size]);
    return driven;
  });
}

function referenceLane(approvals: Approvals): Lane {
  return {
    async start(number) {
      const form = { title: `paper ${number}`, amount: "1280.50", urgent: false };
      const names = { commandId: `start-${number}`, key: `P-${number}`, initiator: employee(number) };
      expectState(await approvals.start({ ...names, ...form }), "REVIEW");
    },
    async approve(number) {
      const names = { commandId: `approve-${number}`, taskId: `P-${number}-1`, actor: managerOf(employee(number)) };
      expectState(await approvals.decide({ ...names, decision: "approve" }), "APPROVED");
    },
  };
}

function expectState(answer: Answer, state: string): void {
  if (answer.kind !== "accepted" || answer.purchase.state !== state)
    throw new Error(`expected ${state}: ${JSON.stringify(answer)}`);
}

/** As many cases again, at most 2,000, come first and are not counted. */
async function warmThenDrive(lane: Lane, load: Load, size: Size, delivered: () => Promise<void>): Promise<Driven> {
  const lanes = Array.from({ length: load.inFlight }, () => lane);
  const count = load.cases[size];
  await drive(lanes, { from: count, count: warmUpOf(count) }, delivered);
  return drive(lanes, { from: 0, count }, delivered);
}

const warmUpOf = (cases: number): number => Math.min(cases, 2_000);

/** Every approval's event has to arrive. */
async function countApproved(bus: InProcessBus): Promise<{ check(cases: number): void }> {
  const seen = new Set<string>();
  await bus.subscribe("assent.out.*.*.onApproved", (message) => void seen.add(message.id));
  return {
    check(cases) {
      const expected = cases + warmUpOf(cases);
      if (seen.size !== expected) throw new Error(`${seen.size} events \`onApproved\` arrived, expected ${expected}`);
    },
  };
}
