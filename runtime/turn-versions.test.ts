import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { compile, type Definition } from "../dsl/index.ts";
import type { Answer, Question } from "../engine/index.ts";
import { brokenLink, decode, type Entry } from "./entry.ts";
import type { Store } from "./ports.ts";
import { openMemoryStore } from "./stores/memory-store.ts";
import { HOUR_MS, keyOf, SetClock, start, to, turnsOn } from "./testing.ts";
import type { CommandDraft, Envelope, Reply, Turns } from "./turn.ts";

/** Versions of flows in a turn: sub-flows inside an instance, and instances that move to another version. */

const PARENT = `state machine "contract" {
  data { title: text? }
  initial: DRAFT
  states: [DRAFT, SEALING, SIGNED, STOPPED]
  final: [SIGNED, STOPPED]
  state SEALING { run flow "seal" on "request" with { document: "contract" } }
  transitions {
    DRAFT → SEALING on "submit"
    SEALING → SIGNED on done if outcome == SEALED
    SEALING → STOPPED on done else
  }
}
`;
const SEAL = (keeper: string, more = "") => `state machine "seal" {
  data {
    document: text
    ${more}
  }
  events { "pin" { ${more === "" ? "" : "code"} } }
  initial: ASKED
  states: [ASKED, KEEPER, SEALED, REFUSED]
  final: [SEALED, REFUSED]
  state KEEPER { approval by users("${keeper}") }
  transitions {
    ASKED → KEEPER on "request"
    ASKED → REFUSED on "pin"
    KEEPER → SEALED on approved
    KEEPER → REFUSED on rejected
  }
}
`;

const VERSIONS = ["2.0", "3.0"].map(
  (label) => `state machine "leave" {
  label: "${label}"
  data {
    days: int?
    ${label === "3.0" ? "card: text? secret" : ""}
  }
  events { "note" { days } "card" { ${label === "3.0" ? "card" : ""} } }
  initial: DRAFT
  states: [DRAFT, ${label === "2.0" ? "BOSS" : "MANAGER"}, DONE]
  final: [DONE]
  state ${label === "2.0" ? "BOSS" : "MANAGER"} { approval by users("bob") }
  transitions {
    DRAFT → DRAFT on "note"
    DRAFT → ${label === "2.0" ? "BOSS" : "MANAGER"} on "submit"
    ${label === "2.0" ? "BOSS" : "MANAGER"} → DONE on approved
    ${label === "2.0" ? "BOSS" : "MANAGER"} → DONE on rejected
    ${label === "2.0" ? "BOSS" : "MANAGER"} → DRAFT on "card"
  }
  ${label === "3.0" ? 'migrate from label "2.0" { BOSS → MANAGER }' : ""}
}
`,
);

function compiled(...texts: readonly string[]): readonly Definition[] {
  const { definitions, diagnostics } = compile(texts.join("\n"), "test.flow");
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === "error"),
    [],
  );
  return definitions;
}

/** Turns as a process starts them: all versions are known, `current` is the newest of each flow. */
function process(store: Store, all: readonly Definition[], current: readonly Definition[] = all): Turns {
  const versionFor = (flow: string) => current.findLast((one) => one.flow === flow);
  const ask = ({ kind, name, arguments: [label] }: Question): Answer | undefined => {
    if (kind !== "flow") return undefined;
    const found = label === undefined ? versionFor(name) : all.find((one) => one.flow === name && one.label === label);
    return found ? { definition: found.hash } : { failed: "no such version", retryable: false };
  };
  return turnsOn({ store, clock: new SetClock(), definition: all[0]!, others: all, versionFor, ask });
}

const sent = (flow: string, key: string, id: string, wish: object): Envelope => ({
  ...to(key, id, wish as CommandDraft),
  ...keyOf(key, flow),
});
const accepted = (reply: Reply) => {
  assert.ok(reply.kind === "accepted", JSON.stringify(reply));
  return reply;
};
const entriesOf = async (store: Store, key: string, flow: string, dataKey?: Buffer) =>
  (await store.history(keyOf(key, flow))).map(({ body }) => decode<Entry>(body, dataKey));

describe("a sub-flow", () => {
  const submit = sent("contract", "A", "submit", { kind: "event", event: "submit", payload: {}, actor: "alice" });
  const approve = (actor: string) =>
    sent("contract", "A", `approve ${actor}`, { kind: "decide", decision: "approve", actor });

  test("runs in its parent's instance, and stays on the version it started with, in a fresh process, too", async () => {
    const store = openMemoryStore();
    const before = compiled(PARENT, SEAL("bob"));
    const first = process(store, before);
    await first.submit(start("A", "start A", "contract"));
    const { instance } = accepted(await first.submit(submit));
    assert.deepEqual(
      [instance.state, instance.child?.state, instance.child?.id],
      ["SEALING", "KEEPER", `${instance.id}/1`],
    );
    const later = compiled(PARENT, SEAL("carol"));
    const fresh = process(store, [...before, ...later], later);
    const signed = accepted(await fresh.submit(approve("bob"))).instance;
    assert.deepEqual([signed.state, signed.outcome], ["SIGNED", "SIGNED"]);
    const again = process(store, [...before, ...later], later);
    assert.deepEqual((await again.read(keyOf("A", "contract")))?.instance, signed, "decided again");
    const then = await again.read(keyOf("A", "contract"), 2);
    assert.equal(then?.instance.child?.state, "KEEPER", "an earlier version of the instance");
    assert.equal(brokenLink(await store.history(keyOf("A", "contract"))), -1);
  });

  test("its definition is read before an instance is restored from a snapshot", async () => {
    const store = openMemoryStore();
    const all = compiled(PARENT, SEAL("bob"));
    const turns = turnsOn({
      store,
      definition: all[0]!,
      others: all,
      limits: { snapshotEvery: 1 },
      ask: ({ kind }) => (kind === "flow" ? { definition: all[1]!.hash } : undefined),
    });
    await turns.submit(start("A", "start A", "contract"));
    await turns.submit(submit);
    const loaded = new Map<string, Definition>();
    const asked: string[] = [];
    const fresh = turnsOn({
      ...{ store, definition: all[0]! },
      definitions: {
        known: (hash) => loaded.get(hash),
        load: async (hash) => {
          asked.push(hash);
          const found = all.find((one) => one.hash === hash);
          if (found) loaded.set(hash, found);
          return found;
        },
      },
    });
    assert.equal(accepted(await fresh.submit(approve("bob"))).instance.outcome, "SIGNED");
    assert.deepEqual(asked.toSorted(), all.map(({ hash }) => hash).toSorted());
  });

  test("one with secrets seals the instance from then on, and earlier commands are known all the same", async () => {
    const store = openMemoryStore();
    const all = compiled(PARENT, SEAL("bob", "code: text? secret"));
    const turns = process(store, all);
    const begin = start("A", "start A", "contract");
    await turns.submit(begin);
    assert.equal(await turns.dataKey(keyOf("A", "contract")), undefined);
    const first = accepted(await turns.submit(submit));
    const dataKey = await turns.dataKey(keyOf("A", "contract"));
    assert.ok(dataKey);
    const bodies = (await store.history(keyOf("A", "contract"))).map(({ body }) => body.startsWith("sealed:"));
    assert.deepEqual(bodies, [false, true]);
    for (const one of [turns, process(store, all)]) {
      assert.equal(accepted(await one.submit(begin)).duplicate, true);
      assert.deepEqual(accepted(await one.submit(submit)), { ...first, created: false, duplicate: true });
    }
    const other = { ...submit, command: { ...submit.command, payload: { title: "x" } } as CommandDraft };
    const reply = await turns.submit(other);
    assert.equal(reply.kind === "refused" && reply.refusal.code, "id-reused");
  });
});

describe("moving to another version", () => {
  const [old, next] = compiled(...VERSIONS) as [Definition, Definition];
  const command = (id: string, wish: object) => sent("leave", "A", id, wish);
  const migrate = command("m", { kind: "migrate", label: "3.0", reason: "new rules", actor: "admin" });

  async function atBoss(store: Store): Promise<Turns> {
    const turns = process(store, [old, next], [old]);
    await turns.submit(start("A", "start A", "leave"));
    accepted(await turns.submit(command("s", { kind: "event", event: "submit", payload: {}, actor: "alice" })));
    return turns;
  }

  test("what follows is decided by the new one; the entries name who decided, and replay", async () => {
    const store = openMemoryStore();
    const turns = await atBoss(store);
    // Together, so that all three wait for one turn.
    const [moved, , done] = await Promise.all([
      turns.submit(migrate),
      turns.submit(command("card", { kind: "event", event: "card", payload: { card: "6222" }, actor: "bob" })),
      turns.submit(command("s2", { kind: "event", event: "submit", payload: {}, actor: "alice" })),
    ]);
    assert.equal(accepted(moved).definition.hash, next.hash);
    assert.deepEqual([accepted(moved).instance.state, accepted(moved).instance.definition], ["MANAGER", next.hash]);
    assert.equal(accepted(done).instance.data["card"], "6222");
    const dataKey = await turns.dataKey(keyOf("A", "leave"));
    const entries = await entriesOf(store, "A", "leave", dataKey);
    assert.deepEqual(
      entries.map(({ definition, decisions }) => [definition, decisions.map(({ command: { kind } }) => kind).join()]),
      [
        [old.hash, "start"],
        [old.hash, "event"],
        [old.hash, "migrate"],
        [next.hash, "event,event"],
      ],
    );
    assert.ok(dataKey, "the new version has secrets");
    const stored = (await store.history(keyOf("A", "leave"))).map(({ body }) => body);
    assert.ok(stored.every((body) => !body.includes("6222")));
    const fresh = process(store, [old, next], [old]);
    const live = await turns.read(keyOf("A", "leave"));
    assert.deepEqual(await fresh.read(keyOf("A", "leave")), live);
    const then = await fresh.read(keyOf("A", "leave"), 2);
    assert.deepEqual([then?.instance.state, then?.definition.hash], ["BOSS", old.hash]);
  });

  test("a repetition is answered as the first time", async () => {
    const store = openMemoryStore();
    const turns = await atBoss(store);
    const first = accepted(await turns.submit(migrate));
    accepted(await turns.submit(command("d", { kind: "decide", decision: "approve", actor: "bob" })));
    for (const one of [turns, process(store, [old, next], [old])]) {
      const again = accepted(await one.submit(migrate));
      assert.deepEqual([again.instance, again.definition, again.duplicate], [first.instance, next, true]);
    }
  });

  test("a label that is not there is refused", async () => {
    const turns = await atBoss(openMemoryStore());
    const reply = await turns.submit({ ...migrate, command: { ...migrate.command, label: "9.9" } as CommandDraft });
    assert.equal(reply.kind === "refused" && reply.refusal.code, "no-such-target");
  });
});

test("a timer that moved by a suspension is stored as it is due now", async () => {
  const store = openMemoryStore();
  const clock = new SetClock();
  const turns = turnsOn({ store, clock });
  await turns.submit(start("A"));
  const [before] = await store.dueTimers("all", Number.MAX_SAFE_INTEGER, 9);
  await turns.submit(to("A", "suspend", { kind: "suspend", reason: "x", actor: "admin" } as never));
  assert.deepEqual(await store.dueTimers("all", Number.MAX_SAFE_INTEGER, 9), [], "none fires meanwhile");
  clock.ms += HOUR_MS;
  await turns.submit(to("A", "resume", { kind: "resume", reason: "x", actor: "admin" } as never));
  const due = (await store.dueTimers("all", Number.MAX_SAFE_INTEGER, 9)).map(({ timer }) => timer.dueAt);
  assert.deepEqual(due, [before!.timer.dueAt + HOUR_MS]);
});
