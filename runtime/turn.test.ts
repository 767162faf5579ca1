import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Answer } from "../engine/index.ts";
import { brokenLink, decode, type Entry } from "./entry.ts";
import { type AppendRow, type Store, StoreUnavailable } from "./ports.ts";
import { openMemoryStore } from "./stores/memory-store.ts";
import {
  decision,
  definitionsFrom,
  EXPENSE,
  event,
  flow,
  KEYS,
  keyOf,
  SetClock,
  start,
  storeWith,
  to,
  turnsOn,
} from "./testing.ts";
import { Overloaded, type Reply, TURN_LIMITS, Turns } from "./turn.ts";

const accepted = (reply: Reply): Extract<Reply, { kind: "accepted" }> => {
  assert.equal(reply.kind, "accepted", JSON.stringify(reply));
  return reply as Extract<Reply, { kind: "accepted" }>;
};
const code = (reply: Reply): string => (reply.kind === "refused" ? reply.refusal.code : reply.kind);

/** Ids of all commands in the journal, in order. */
async function journal(store: Store, key: string): Promise<string[]> {
  const entries = await store.history(keyOf(key));
  assert.equal(brokenLink(entries), -1);
  assert.deepEqual(
    entries.map(({ sequence }) => sequence),
    entries.map((_, index) => index + 1),
  );
  return entries.flatMap(({ body }) => decode<Entry>(body, undefined).decisions.map(({ command }) => command.id));
}

async function remarks(turns: Turns, key: string, count: number, from = 0): Promise<void> {
  const numbers = Array.from({ length: count }, (_, index) => from + index);
  const replies = await Promise.all(
    numbers.map((n) => turns.submit(event(key, `remark ${n}`, "remark", { note: `${n}` }))),
  );
  for (const reply of replies) accepted(reply);
}

describe("a command is done once", () => {
  test("its repetition is answered as the first time", async () => {
    const store = openMemoryStore();
    const turns = turnsOn({ store });
    const first = accepted(await turns.submit(start("A")));
    assert.equal(first.created, true);
    await turns.submit(event("A", "e1", "remark", { note: "later" }));
    const again = accepted(await turns.submit(start("A")));
    assert.deepEqual([again.duplicate, again.created], [true, false]);
    assert.deepEqual(again.instance, first.instance);
    assert.deepEqual(await journal(store, "A"), ["start A", "e1"]);
  });

  test("also in the same turn as the first", async () => {
    const store = openMemoryStore();
    const turns = turnsOn({ store });
    const envelopes = [start("A"), start("A"), event("A", "e1", "remark"), start("A"), event("A", "e1", "remark")];
    const replies = (await Promise.all(envelopes.map((one) => turns.submit(one)))).map(accepted);
    assert.deepEqual(
      replies.map(({ duplicate, instance }) => [duplicate, instance.version]),
      [
        [false, 1],
        [true, 1],
        [false, 2],
        [true, 1],
        [true, 2],
      ],
    );
    assert.deepEqual(await journal(store, "A"), ["start A", "e1"]);
  });

  for (const [name, restart] of [
    ["after a hundred later commands", false],
    ["after a hundred later commands and a restart", true],
  ] as const) {
    test(name, async () => {
      const store = openMemoryStore();
      const before = turnsOn({ store });
      await before.submit(start("A"));
      const first = accepted(await before.submit(event("A", "e1", "remark", { note: "one" })));
      await remarks(before, "A", 100);
      const turns = restart ? turnsOn({ store }) : before;
      const again = accepted(await turns.submit(event("A", "e1", "remark", { note: "one" })));
      assert.equal(again.duplicate, true);
      assert.deepEqual(again.instance, first.instance);
      assert.equal(code(await turns.submit(event("A", "e1", "remark", { note: "two" }))), "id-reused");
      const started = accepted(await turns.submit(start("A")));
      assert.deepEqual([started.duplicate, started.instance.version], [true, 1]);
      assert.equal((await journal(store, "A")).length, 102);
    });
  }

  test("after its instance left the memory", async () => {
    const store = openMemoryStore();
    const turns = turnsOn({ store, limits: { cacheMax: 4 } });
    const keys = Array.from({ length: 20 }, (_, index) => `K${index}`);
    const all = () =>
      Promise.all(keys.flatMap((key) => [start(key), event(key, "e", "remark")].map((one) => turns.submit(one))));
    assert.ok((await all()).map(accepted).every(({ duplicate }) => !duplicate));
    assert.ok((await all()).map(accepted).every(({ duplicate }) => duplicate));
    for (const key of keys) assert.deepEqual(await journal(store, key), [`start ${key}`, "e"]);
  });

  test("the same id with another body, or of another person, is refused", async () => {
    const turns = turnsOn({ store: openMemoryStore() });
    await turns.submit(start("A"));
    await turns.submit(event("A", "e1", "remark", { note: "one" }));
    assert.equal(code(await turns.submit(event("A", "e1", "remark", { note: "two" }))), "id-reused");
    const other = to("A", "e1", { kind: "event", event: "remark", payload: { note: "one" }, actor: "bob" });
    assert.equal(code(await turns.submit(other)), "id-reused");
  });

  test("an id of another source is another command", async () => {
    const turns = turnsOn({ store: openMemoryStore() });
    await turns.submit(start("A"));
    const envelope = event("A", "e1", "remark");
    const other = { ...envelope, command: { ...envelope.command, source: "elsewhere" } };
    assert.equal(accepted(await turns.submit(envelope)).duplicate, false);
    assert.equal(accepted(await turns.submit(other)).duplicate, false);
  });

  test("a refused command leaves nothing, and its id is free", async () => {
    const store = openMemoryStore();
    const turns = turnsOn({ store });
    await turns.submit(start("A"));
    assert.equal(code(await turns.submit(decision("A", "d", "bob", "approve"))), "not-your-task");
    accepted(await turns.submit(event("A", "d", "submit", { amount: 5 })));
    assert.deepEqual(await journal(store, "A"), ["start A", "d"]);
  });
});

describe("starting", () => {
  test("a start asks the store for nothing where there is no such instance, and answers as the first where there is", async () => {
    const memory = openMemoryStore();
    let loads = 0;
    const store = storeWith(memory, {
      load: (keys) => {
        loads += keys.length;
        return memory.load(keys);
      },
    });
    const first = accepted(await turnsOn({ store }).submit(start("A")));
    assert.equal(loads, 0);
    const later = turnsOn({ store });
    const again = accepted(await later.submit(start("A")));
    assert.deepEqual([again.duplicate, again.created, again.instance], [true, false, first.instance]);
    const other = accepted(await turnsOn({ store }).submit(start("A", "another id")));
    assert.deepEqual([other.duplicate, other.created], [true, false]);
    assert.deepEqual(await journal(memory, "A"), ["start A"]);
  });

  test("a start that would be refused is a repetition all the same where it was accepted", async () => {
    const store = openMemoryStore();
    const first = accepted(await turnsOn({ store }).submit(start("A")));
    // The flow is gone meanwhile.
    const definition = flow(EXPENSE.replaceAll('"expense"', '"other"'));
    const turns = turnsOn({ store, definition });
    const original = flow();
    const known = new Turns(
      {
        store,
        clock: new SetClock(),
        keys: KEYS,
        versionFor: () => undefined,
        definitions: definitionsFrom([original]),
        ask: () => ({ ok: true }),
        committed: () => undefined,
      },
      TURN_LIMITS,
    );
    assert.deepEqual(accepted(await known.submit(start("A"))).instance, first.instance);
    assert.equal(code(await turns.submit(start("B"))), "not-found");
  });

  test("what was accepted long ago is looked up for all commands of a turn in one read, our own ids never", async () => {
    const memory = openMemoryStore();
    const asked: (readonly string[])[] = [];
    const store = storeWith(memory, {
      findCommands: (names) => {
        asked.push(names.map(({ id }) => id));
        return memory.findCommands(names);
      },
    });
    const turns = turnsOn({ store });
    for (const key of ["A", "B"]) {
      await turns.submit(start(key));
      await remarks(turns, key, 70);
    }
    asked.length = 0;
    const again = ["A", "B"].flatMap((key) => [
      event(key, "remark 0", "remark", { note: "0" }),
      event(key, "remark 69", "remark", { note: "69" }),
      event(key, `new ${key}`, "remark", { note: "new" }),
      event(key, "remark 1", "remark", { note: "another body" }),
      to(key, `timer:${key}`, { kind: "timer", timer: "gone" }),
    ]);
    const replies = await Promise.all(again.map((one) => turns.submit(one)));
    assert.deepEqual(asked, [["remark 0", "new A", "remark 1", "remark 0", "new B", "remark 1"]]);
    assert.deepEqual(
      replies
        .slice(0, 5)
        .map((reply) => (reply.kind === "accepted" ? [reply.duplicate, reply.instance.version] : code(reply))),
      [[true, 2], [true, 71], [false, 72], "id-reused", code(replies[4]!)],
    );
  });

  test("two racing starts of one key meet in one instance", async () => {
    const store = openMemoryStore();
    const turns = turnsOn({ store });
    const replies = (await Promise.all([turns.submit(start("A", "s1")), turns.submit(start("A", "s2"))])).map(accepted);
    assert.deepEqual(
      replies.map(({ created, duplicate }) => [created, duplicate]),
      [
        [true, false],
        [false, true],
      ],
    );
    assert.equal(replies[0]!.instance.id, replies[1]!.instance.id);
    assert.deepEqual(await journal(store, "A"), ["s1"]);
  });

  test("an event for a new key starts once, and is a duplicate when delivered again", async () => {
    const store = openMemoryStore();
    const delivered = () => {
      const { command } = start("A", "m1");
      const orStart = { ...command, event: "submit", payload: { amount: 5 } } as typeof command;
      return event("A", "m1", "submit", { amount: 5 }, { flow: "expense", orStart });
    };
    const turns = turnsOn({ store });
    const first = accepted(await turns.submit(delivered()));
    assert.deepEqual([first.created, first.instance.state], [true, "REVIEW"]);
    for (const node of [turns, turnsOn({ store })]) {
      const again = accepted(await node.submit(delivered()));
      assert.deepEqual([again.created, again.duplicate], [false, true]);
      assert.deepEqual(again.instance, first.instance);
    }
    assert.deepEqual(await journal(store, "A"), ["m1"]);
  });

  test("an unknown flow, or an event for a key that nothing started, is not found", async () => {
    const turns = turnsOn({ store: openMemoryStore() });
    assert.equal(code(await turns.submit({ ...start("A"), flow: "none" })), "not-found");
    assert.equal(code(await turns.submit(event("A", "e1", "remark"))), "not-found");
  });
});

describe("order and races", () => {
  test("commands of one instance are decided in the order they came", async () => {
    const store = openMemoryStore();
    const turns = turnsOn({ store, limits: { commandsMax: 7, batchMax: 3 } });
    const keys = ["A", "B", "C", "D", "E"];
    await Promise.all(
      keys.map(async (key) => {
        const started = turns.submit(start(key));
        await remarks(turns, key, 40);
        await started;
      }),
    );
    for (const key of keys) {
      const expected = Array.from({ length: 40 }, (_, n) => `remark ${n}`);
      assert.deepEqual(await journal(store, key), [`start ${key}`, ...expected]);
    }
  });

  test("where another node was first, it is decided again, and nothing is lost or doubled", async () => {
    const store = openMemoryStore();
    const [one, other] = [turnsOn({ store }), turnsOn({ store })];
    await one.submit(start("A"));
    await other.read(keyOf("A"));
    for (let round = 0; round < 20; round++)
      await Promise.all([remarks(one, "A", 5, round * 10), remarks(other, "A", 5, round * 10 + 5)]);
    const ids = await journal(store, "A");
    assert.equal(ids.length, 201);
    assert.equal(new Set(ids).size, 201);
    const mine = ids.filter((id) => id.startsWith("remark") && Number(id.slice(7)) % 10 < 5);
    assert.deepEqual(
      mine,
      mine.toSorted((a, b) => Number(a.slice(7)) - Number(b.slice(7))),
    );
  });

  test("one command sent to two nodes is done once", async () => {
    const store = openMemoryStore();
    const nodes = [turnsOn({ store }), turnsOn({ store })];
    await nodes[0]!.submit(start("A"));
    for (let n = 0; n < 150; n++) {
      const replies = await Promise.all(
        nodes.map((node) => node.submit(event("A", `e${n}`, "remark", { note: `${n}` }))),
      );
      assert.equal(replies.map(accepted).filter(({ duplicate }) => duplicate).length, 1);
    }
    assert.equal((await journal(store, "A")).length, 151);
  });

  test("many instances and a small memory: a taken row is never taken for written", async () => {
    const store = openMemoryStore();
    const nodes = [1, 2].map(() => turnsOn({ store, limits: { cacheMax: 1, batchMax: 2 } }));
    const keys = Array.from({ length: 12 }, (_, index) => `K${index}`);
    const all = nodes.flatMap((node, n) =>
      keys.flatMap((key) => [node.submit(start(key)), node.submit(event(key, `e${n}`, "remark"))]),
    );
    for (const reply of await Promise.all(all)) accepted(reply);
    for (const key of keys) {
      assert.deepEqual((await journal(store, key)).toSorted(), ["e0", "e1", `start ${key}`]);
    }
  });

  test("reading while commands come disturbs neither", async () => {
    const store = openMemoryStore();
    await turnsOn({ store }).submit(start("A"));
    const turns = turnsOn({ store });
    const sent = [
      turns.submit(event("A", "e0", "remark")),
      turns.read(keyOf("A")),
      turns.submit(event("A", "e1", "remark")),
    ];
    const [, read] = await Promise.all(sent);
    assert.ok(read);
    assert.deepEqual(await journal(store, "A"), ["start A", "e0", "e1"]);
  });

  test("`expectedVersion` refuses what was decided on an older look, but not a repetition", async () => {
    const turns = turnsOn({ store: openMemoryStore() });
    await turns.submit(start("A"));
    const looked = { expectedVersion: 1 };
    const replies = [
      await turns.submit(event("A", "e1", "remark", {}, looked)),
      await turns.submit(event("A", "e1", "remark", {}, looked)),
      await turns.submit(event("A", "e2", "remark", {}, looked)),
    ];
    assert.deepEqual(replies.map(code), ["accepted", "accepted", "version-conflict"]);
    assert.equal(accepted(replies[1]!).duplicate, true);
  });

  test("an earlier version reads as it was, one that never was as nothing", async () => {
    const store = openMemoryStore();
    const turns = turnsOn({ store });
    const seen = [accepted(await turns.submit(start("A"))).instance];
    for (let n = 0; n < 40; n++)
      seen.push(accepted(await turns.submit(event("A", `e${n}`, "remark", { note: `${n}` }))).instance);
    for (const instance of seen) assert.deepEqual((await turns.read(keyOf("A"), instance.version))?.instance, instance);
    for (const version of [0, 42, -1]) assert.equal(await turns.read(keyOf("A"), version), undefined);
  });
});

describe("when the store or the world fails", () => {
  test("of a series what comes after one that was not accepted is not decided; the others are", async () => {
    const store = openMemoryStore();
    let answers = 0;
    const turns = turnsOn({
      store,
      // The second question is answered with a failure that may go over.
      ask: ({ kind }) =>
        kind === "check" && ++answers === 2 ? { ok: false, retryable: true, reason: "away" } : undefined,
    });
    await turns.submit(start("S"));
    const series = { broken: false };
    const sent = ["1", "2", "3", "4"].map((id) => turns.submit(event("S", id, "verify", {}, { series })));
    const alone = turns.submit(event("S", "alone", "remark", { note: "x" }));
    const results = await Promise.allSettled(sent);
    assert.deepEqual(
      results.map((one) => (one.status === "fulfilled" ? one.value.kind : one.reason.name)),
      ["accepted", "refused", "HeldBack", "HeldBack"],
    );
    assert.equal((await alone).kind, "accepted");
    assert.ok(series.broken);
  });

  test("a write that fails breaks the series that it was of", async () => {
    const memory = openMemoryStore();
    let fails = false;
    const store = storeWith(memory, {
      append: (rows) => (fails ? Promise.reject(new StoreUnavailable("full")) : memory.append(rows)),
    });
    const turns = turnsOn({ store, limits: { commandsMax: 2 } });
    await turns.submit(start("S"));
    fails = true;
    const series = { broken: false };
    const sent = ["1", "2", "3"].map((id) => turns.submit(event("S", id, "remark", { note: id }, { series })));
    const results = await Promise.allSettled(sent);
    assert.deepEqual(
      results.map((one) => (one.status === "rejected" ? one.reason.name : one.value.kind)),
      ["StoreUnavailable", "StoreUnavailable", "HeldBack"],
    );
  });

  test("a failed write answers with an error and leaves the instance as it was", async () => {
    const memory = openMemoryStore();
    let full = false;
    const append = async (rows: readonly AppendRow[]) => {
      if (full) throw new StoreUnavailable("disk full");
      return memory.append(rows);
    };
    const committed: unknown[] = [];
    const store = storeWith(memory, { append });
    const turns = turnsOn({ store, committed: (rows) => committed.push(...rows) });
    await turns.submit(start("A"));
    const before = await turns.read(keyOf("A"));
    full = true;
    const failed = await Promise.allSettled([
      turns.submit(event("A", "e1", "submit")),
      turns.submit(event("A", "e1", "submit")),
      turns.submit(start("B")),
    ]);
    for (const one of failed) assert.ok(one.status === "rejected" && one.reason instanceof StoreUnavailable);
    assert.deepEqual(await turns.read(keyOf("A")), before);
    assert.equal(await turns.read(keyOf("B")), undefined);
    full = false;
    assert.equal(committed.length, 1);
    assert.equal(accepted(await turns.submit(event("A", "e1", "submit"))).duplicate, false);
    assert.equal(accepted(await turns.submit(start("B"))).created, true);
    assert.deepEqual(await journal(memory, "A"), ["start A", "e1"]);
    assert.equal(turns.waiting, 0);
  });

  test("a store that can't be read fails those who ask, not those who come later", async () => {
    const memory = openMemoryStore();
    await turnsOn({ store: memory }).submit(start("A"));
    let away = true;
    const load: Store["load"] = async (keys) => {
      if (away) throw new StoreUnavailable("away");
      return memory.load(keys);
    };
    const turns = turnsOn({ store: storeWith(memory, { load }) });
    await assert.rejects(turns.submit(event("A", "e1", "remark")), StoreUnavailable);
    await assert.rejects(turns.read(keyOf("A")), StoreUnavailable);
    away = false;
    accepted(await turns.submit(event("A", "e1", "remark")));
  });

  test("an instance that can't be restored does not take others with it", async () => {
    const memory = openMemoryStore();
    const first = turnsOn({ store: memory });
    await Promise.all([first.submit(start("A")), first.submit(start("B"))]);
    const load: Store["load"] = async (keys) =>
      (await memory.load(keys)).map((row) =>
        row.instance === keyOf("A").instance ? { ...row, snapshot: { ...row.snapshot!, body: "sealed:" } } : row,
      );
    const turns = turnsOn({ store: storeWith(memory, { load }) });
    const [a, b] = await Promise.allSettled([
      turns.submit(event("A", "e1", "remark")),
      turns.submit(event("B", "e1", "remark")),
    ]);
    assert.equal(a.status, "rejected");
    assert.equal(b.status, "fulfilled");
  });

  test("a question holds the later commands of its instance, not those of others", async () => {
    const store = openMemoryStore();
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const asked: string[] = [];
    const turns = turnsOn({
      store,
      ask: ({ name }) => {
        if (name !== "solvent") return undefined;
        asked.push(name);
        return promise;
      },
    });
    await Promise.all([turns.submit(start("A")), turns.submit(start("B"))]);
    const done: string[] = [];
    const sent = [event("A", "e1", "verify"), event("A", "e2", "remark"), event("B", "e3", "remark")].map((envelope) =>
      turns.submit(envelope).then((reply) => {
        done.push(envelope.command.id);
        return reply;
      }),
    );
    await sent[2];
    assert.deepEqual(done, ["e3"]);
    resolve({ ok: true });
    for (const reply of await Promise.all(sent)) accepted(reply);
    assert.deepEqual(await journal(store, "A"), ["start A", "e1", "e2"]);
    assert.deepEqual(asked, ["solvent"]);
  });

  test("without an answer in time the command is refused as one that may go better later", async () => {
    const never = new Promise<Answer>(() => {});
    const ask = ({ name }: { name: string }) => (name === "solvent" ? never : undefined);
    const turns = turnsOn({ store: openMemoryStore(), ask, limits: { answerTimeoutMs: 1 } });
    await turns.submit(start("A"));
    const [late, next] = await Promise.all([
      turns.submit(event("A", "e1", "verify")),
      turns.submit(event("A", "e2", "remark")),
    ]);
    assert.equal(code(late), "function-failed");
    assert.equal(late.kind === "refused" && late.refusal.retryable, true);
    assert.equal(accepted(next).instance.version, 2);
  });

  test("too many waiting commands are turned away, and nothing happened", async () => {
    const store = openMemoryStore();
    const turns = turnsOn({ store, limits: { waitingMax: 3 } });
    const replies = await Promise.allSettled(
      [start("A"), start("B"), start("C"), start("D")].map((one) => turns.submit(one)),
    );
    assert.deepEqual(
      replies.map(({ status }) => status),
      ["fulfilled", "fulfilled", "fulfilled", "rejected"],
    );
    assert.ok(replies[3]!.status === "rejected" && replies[3]!.reason instanceof Overloaded);
    assert.deepEqual(await store.history(keyOf("D")), []);
    accepted(await turns.submit(start("D")));
  });

  test("a clock that goes back does not make an instance younger", async () => {
    const clock = new SetClock();
    const store = openMemoryStore();
    const turns = turnsOn({ store, clock });
    const started = accepted(await turns.submit(start("A")));
    clock.ms -= 60_000;
    const later = accepted(await turns.submit(event("A", "e1", "remark")));
    assert.equal(later.instance.updatedAt, started.instance.updatedAt);
    assert.deepEqual((await turnsOn({ store }).read(keyOf("A"), 1))?.instance, started.instance);
  });
});

describe("what another node wrote meanwhile", () => {
  /** Both have the draft in memory; then one moves it on. */
  async function movedOn() {
    const store = openMemoryStore({ shared: true });
    const [here, there] = [turnsOn({ store }), turnsOn({ store })];
    accepted(await here.submit(start("A")));
    accepted(await there.submit(event("A", "remark", "remark")));
    accepted(await here.submit(event("A", "remark again", "remark")));
    const submit = event("A", "submit", "submit", { amount: "10.00", note: "n" });
    return { store, here, moved: accepted(await there.submit(submit)) };
  }

  test("is known before a command is refused", async () => {
    const { here } = await movedOn();
    assert.equal(accepted(await here.submit(decision("A", "yes", "bob", "approve"))).instance.state, "APPROVED");
  });

  test("is what a reader sees", async () => {
    const { here, moved } = await movedOn();
    assert.deepEqual((await here.read(keyOf("A")))?.instance, moved.instance);
  });

  test("costs a store of one's own no second look", async () => {
    let loads = 0;
    const inner = openMemoryStore();
    const store = storeWith(inner, {
      load: (keys) => {
        loads += 1;
        return inner.load(keys);
      },
    });
    const turns = turnsOn({ store });
    accepted(await turns.submit(start("A")));
    assert.equal((await turns.submit(decision("A", "no", "bob", "approve"))).kind, "refused");
    assert.equal(loads, 0);
  });
});
