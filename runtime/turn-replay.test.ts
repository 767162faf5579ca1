import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Answer } from "../engine/index.ts";
import { brokenLink } from "./entry.ts";
import { replayTo } from "./live-instances.ts";
import type { Store } from "./ports.ts";
import { openMemoryStore } from "./stores/memory-store.ts";
import { decision, definitionsFrom, event, flow, HOUR_MS, keyOf, SetClock, start, to, turnsOn } from "./testing.ts";
import type { Envelope, Turns } from "./turn.ts";

const KEYS = ["A", "B", "C"];

type Step =
  | { readonly kind: "send"; readonly envelope: Envelope }
  /** Fires what is due then. */
  | { readonly kind: "wait"; readonly ms: number };

const key = fc.constantFrom(...KEYS);
/** Few, so that some come twice, with the same body or another. */
const id = fc.integer({ min: 0, max: 40 }).map((n) => `c${n}`);
const note = fc.constantFrom("a", "b");
const person = fc.constantFrom("alice", "bob", "carol");

const envelope: fc.Arbitrary<Envelope> = fc.oneof(
  fc.tuple(key, id).map(([k, c]) => start(k, c)),
  fc.tuple(key, id, note).map(([k, c, n]) => event(k, c, "remark", { note: n })),
  fc.tuple(key, id).map(([k, c]) => event(k, c, "submit", { amount: "12.50" })),
  fc.tuple(key, id).map(([k, c]) => event(k, c, "verify")),
  fc.tuple(key, id, person, fc.constantFrom("approve" as const, "reject" as const)).map((d) => decision(...d)),
  fc
    .tuple(key, id, person)
    .map(([k, c, actor]) => to(k, c, { kind: "return", to: { kind: "initiator" }, actor, reason: "again" })),
  fc.tuple(key, id).map(([k, c]) => to(k, c, { kind: "withdraw", actor: "alice" })),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: envelope.map((one) => ({ kind: "send" as const, envelope: one })) },
  { weight: 1, arbitrary: fc.constantFrom(1, 3, 9, 25).map((h) => ({ kind: "wait" as const, ms: h * HOUR_MS })) },
);

const definition = flow();
let answers = 0;
/** Every third answer comes later, every fifth is a no. */
const ask = ({ name }: { name: string }): Answer | Promise<Answer> | undefined => {
  if (name !== "solvent") return undefined;
  answers += 1;
  const answer: Answer = answers % 5 === 0 ? { ok: false, reason: "no" } : { ok: true };
  return answers % 3 === 0 ? Promise.resolve(answer) : answer;
};

async function fireDue(turns: Turns, store: Store, now: number): Promise<void> {
  for (const { tenant, instance, timer } of await store.dueTimers("all", now, 1_000)) {
    const command = { kind: "timer" as const, id: `timer:${timer.id}`, source: "timers", timer: timer.id };
    await turns.submit({ tenant, instance, command });
  }
}

/** Sends in groups, so that some commands share a turn. @returns how many were accepted for the first time. */
async function run(turns: Turns, store: Store, clock: SetClock, steps: readonly Step[]): Promise<void> {
  const underWay: Promise<unknown>[] = [];
  for (const [index, one] of steps.entries()) {
    if (one.kind === "send") underWay.push(turns.submit(one.envelope));
    if (one.kind === "send" && index % 4 !== 0) continue;
    await Promise.all(underWay.splice(0));
    if (one.kind === "wait") {
      clock.ms += one.ms;
      await fireDue(turns, store, clock.ms);
    }
  }
  await Promise.all(underWay);
}

async function check(store: Store, turns: Turns): Promise<void> {
  const fresh = turnsOn({ store, definition });
  for (const name of KEYS) {
    const live = await turns.read(keyOf(name));
    const entries = await store.history(keyOf(name));
    assert.equal(brokenLink(entries), -1);
    assert.deepEqual(
      (await fresh.read(keyOf(name)))?.instance,
      live?.instance,
      "loaded from the snapshot and its tail",
    );
    if (!live) continue;
    const replayed = await replayTo(entries, live.instance.version, undefined, definitionsFrom([definition]));
    assert.deepEqual(replayed, live.instance, "decided again from the beginning");
    const timers = await store.dueTimers("all", Number.MAX_SAFE_INTEGER, 1_000);
    const stored = timers.filter(({ instance }) => instance === live.instance.id).map(({ timer }) => timer.id);
    assert.deepEqual(stored.toSorted(), live.instance.timers.map((timer) => timer.id).toSorted(), "timers");
    const open = live.instance.round?.seats.flatMap(({ task }) => (task?.status === "open" ? [task.id] : [])) ?? [];
    const tasks = await store.tasks({ tenant: "t", instance: live.instance.id, status: "open" }, { limit: 100 });
    assert.deepEqual(tasks.items.map(({ task }) => task.id).toSorted(), open.toSorted(), "open tasks");
  }
}

describe("whatever is sent", () => {
  test("what is live, what is loaded and what is replayed are the same", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 120, size: "max" }), async (steps) => {
        const store = openMemoryStore();
        const clock = new SetClock();
        const turns = turnsOn({ store, definition, clock, ask, limits: { snapshotEvery: 5, commandsMax: 3 } });
        await run(turns, store, clock, steps);
        await check(store, turns);
      }),
      { numRuns: 60 },
    );
  });

  test("and two nodes on one store come to the same, with every id once", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 80, size: "max" }), async (steps) => {
        const store = openMemoryStore();
        const clock = new SetClock();
        const nodes = [1, 2].map(() => turnsOn({ store, definition, clock, ask, limits: { snapshotEvery: 5 } }));
        await Promise.all(nodes.map((turns) => run(turns, store, clock, steps)));
        for (const name of KEYS) {
          const entries = await store.history(keyOf(name));
          assert.equal(brokenLink(entries), -1);
          const ids = entries.flatMap(({ body }) =>
            (JSON.parse(body) as { decisions: { command: { source: string; id: string } }[] }).decisions.map(
              ({ command }) => `${command.source} ${command.id}`,
            ),
          );
          assert.equal(new Set(ids).size, ids.length);
        }
        await check(store, turnsOn({ store, definition }));
      }),
      { numRuns: 30 },
    );
  });
});
