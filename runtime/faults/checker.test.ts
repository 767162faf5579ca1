import assert from "node:assert/strict";
import { test } from "node:test";
import { type Decided, type Evidence, findFaults, type Sent } from "./checker-testing.ts";

/** The checker sees what is wrong: each change to evidence in which nothing is gives its line. */

const sent = (id: string, more: Partial<Sent> = {}): Sent => ({
  ...{ id, instance: "i", lane: "a", kind: "command", acknowledged: true },
  ...more,
});
const decided = (command: string, version: number, more: Partial<Decided> = {}): Decided => ({
  ...{ command, kind: "event", version, emitted: [`e${version}`], calls: false },
  ...more,
});
const received = (id: string, body = "{}") => ({ id, event: "onTick", instance: "i", body });

const FINE: Evidence = {
  sent: [
    sent("c1", { version: 1 }),
    sent("c2", { version: 2 }),
    sent("junk", { kind: "undecidable" }),
    sent("never", { acknowledged: false }),
  ],
  refused: [],
  journal: [
    {
      ...{ instance: "i", isChained: true, state: "DONE" },
      decisions: [decided("c1", 1), decided("c2", 2, { calls: true }), decided("t", 3, { kind: "timer", emitted: [] })],
    },
  ],
  events: [received("e1"), received("e2"), received("e2")],
  calls: [
    { instance: "i", idempotencyKey: "k" },
    { instance: "i", idempotencyKey: "k" },
  ],
  letters: [{ id: "junk", reason: "not JSON" }],
  effectsLeft: [],
  differing: [],
};
const [ONE] = FINE.journal;
const journalOf = (decisions: readonly Decided[], state = "DONE"): Partial<Evidence> => ({
  journal: [{ ...ONE!, decisions, state }],
});
const [C1, C2, TIMER] = ONE!.decisions as [Decided, Decided, Decided];

const CASES: readonly (readonly [name: string, change: Partial<Evidence>, says: string])[] = [
  ["a refusal", { refused: ["c2: 409"] }, "refused: c2: 409"],
  ["a lost command", journalOf([C1, { ...TIMER, version: 2 }]), "c2: acknowledged and lost"],
  ["a doubled command", journalOf([C1, C2, C2, TIMER]), "c2: decided twice"],
  ["a command of nobody", journalOf([C1, C2, decided("x", 3), TIMER]), "x: nobody sent it, i has it"],
  [
    "another version",
    journalOf([{ ...C1, version: 2 }, C2, TIMER]),
    "c1: acknowledged with version 1, the journal has 2",
  ],
  ["a wrong order", journalOf([C2, C1, TIMER]), "c2: out of order in a"],
  ["a gap", journalOf([C1, { ...C2, version: 3 }, TIMER]), "i: decision 2 has version 3"],
  ["a broken chain", { journal: [{ ...ONE!, isChained: false }] }, "i: the chain of hashes is broken"],
  ["a timer lost", journalOf([C1, C2]), "i: 0 timers fired instead of 1"],
  ["a timer twice", journalOf([C1, C2, TIMER, TIMER]), "i: 2 timers fired instead of 1"],
  ["one that stands still", journalOf([C1, C2], "BOOKED"), "i: stands still in BOOKED"],
  ["a lost event", { events: [received("e1")] }, "event e2: never received"],
  ["an event of nobody", { events: [...FINE.events, received("e9")] }, "event e9: received and never emitted"],
  ["copies that differ", { events: [...FINE.events, received("e1", "[]")] }, "event e1: its copies differ"],
  ["one id for two events", journalOf([C1, { ...C2, emitted: ["e1"] }, TIMER]), "event e1: emitted twice under one id"],
  ["a lost call", { calls: [] }, "i: 1 calls, received under 0 keys"],
  [
    "a call under two keys",
    { calls: [...FINE.calls, { instance: "i", idempotencyKey: "l" }] },
    "i: 1 calls, received under 2 keys",
  ],
  [
    "a call of nobody",
    { calls: [...FINE.calls, { instance: "j", idempotencyKey: "k" }] },
    "j: called for, and not there",
  ],
  ["a lost message", { letters: [] }, "junk: neither decided nor a dead letter"],
  [
    "a dead letter without reason",
    { letters: [...FINE.letters, { id: "c1", reason: "away" }] },
    "c1: a dead letter, because away",
  ],
  ["an effect left", { effectsLeft: ["i:1:0"] }, "effect i:1:0: left over"],
  ["lists that differ", { differing: ["i"] }, "lists differ from the journal: i"],
];

test("nothing is wrong with what was delivered twice under one key", () => {
  assert.deepEqual(findFaults(FINE), []);
});

for (const [name, change, says] of CASES)
  test(`${name} is found`, () => {
    const faults = findFaults({ ...FINE, ...change });
    assert.ok(faults.includes(says), faults.join("\n"));
  });
