import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import type { PreparedTemplate } from "../templates/index.ts";
import { NotSendable } from "./bus/bus-errors.ts";
import { InProcessBus } from "./bus/in-process-bus.ts";
import { EffectPerformer } from "./effects.ts";
import { decodeEffect } from "./entry.ts";
import { readHistory } from "./history.ts";
import { Outbox, type Work, type WorkResult } from "./outbox.ts";
import { type Effect, type EffectSettlement, type OutMessage, type Store, StoreUnavailable } from "./ports.ts";
import { Services } from "./services/services.ts";
import { openMemoryStore } from "./stores/memory-store.ts";
import { decision, event, keyOf, SetClock, start, storeWith, turnsOn } from "./testing.ts";
import type { Envelope, Turns } from "./turn.ts";

/** Effects outlive the process: what was committed is carried out, late or again, under a key that never changes. */

interface World {
  readonly store: Store;
  readonly clock: SetClock;
  readonly turns: Turns;
}

const emptyWorld = (): World => {
  const store = openMemoryStore();
  const clock = new SetClock();
  return { store, clock, turns: turnsOn({ store, clock }) };
};

/** An expense that bob approved: a `publish`, and a `call` of `book`. */
async function approved({ turns }: World, key = "A"): Promise<void> {
  for (const one of [start(key), event(key, "s", "submit"), decision(key, "d", "bob", "approve")]) {
    const reply = await turns.submit(one);
    assert.equal(reply.kind, "accepted", JSON.stringify(reply));
  }
}

interface Running {
  readonly outbox: Outbox;
  readonly errors: unknown[];
  /** Settles with the next batch that is settled, or could not be. */
  settled(): Promise<readonly EffectSettlement[]>;
  stop(): Promise<void>;
}

/** An outbox as a process starts it: it knows nothing but the store. */
function run(
  { store, clock, turns }: World,
  perform: (work: readonly Work[]) => Promise<readonly WorkResult[]>,
  options: {
    readonly dead?: (work: Work, error: string) => Promise<void>;
    readonly settle?: Store["settleEffects"];
  } = {},
): Running {
  let waiting = Promise.withResolvers<readonly EffectSettlement[]>();
  const errors: unknown[] = [];
  const settleEffects: Store["settleEffects"] = async (done) => {
    try {
      await (options.settle ?? store.settleEffects.bind(store))(done);
    } catch (error) {
      errors.push(error);
      throw error;
    } finally {
      waiting.resolve(done);
      waiting = Promise.withResolvers();
    }
  };
  const outbox = new Outbox({
    store: storeWith(store, { settleEffects }),
    clock,
    perform: async (work, over) => {
      for (const [index, result] of (await perform(work)).entries()) over(work[index]!, result);
    },
    open: async (key, { effect }) =>
      decodeEffect(effect, effect.kind === "sealed" ? await turns.dataKey(key) : undefined),
    dead: options.dead ?? (async () => undefined),
    onError: (error) => errors.push(error),
  });
  return { outbox, errors, settled: () => waiting.promise, stop: () => outbox.stop() };
}

const all =
  (result: WorkResult, seen: string[] = []) =>
  async (work: readonly Work[]): Promise<readonly WorkResult[]> => {
    seen.push(...work.map(({ effect }) => effect.id));
    return work.map(() => result);
  };

const left = async ({ store }: World) =>
  (await store.dueEffects("all", Number.MAX_SAFE_INTEGER, 100)).map(({ effect }) => effect.id);

describe("after a restart", { timeout: 20_000 }, () => {
  test("what was committed and not delivered is delivered", async () => {
    const world = emptyWorld();
    await approved(world);
    const committed = await left(world);
    assert.ok(committed.length >= 2);
    const seen: string[] = [];
    const process = run(world, all({ kind: "done" }, seen));
    const settled = process.settled();
    process.outbox.start();
    await settled;
    await process.stop();
    assert.deepEqual(seen.toSorted(), committed.toSorted());
    assert.deepEqual(await left(world), []);
  });

  test("what was delivered and not settled is delivered again, under the same key", async () => {
    const world = emptyWorld();
    await approved(world);
    const committed = await left(world);
    const seen: string[][] = [[], []];
    const full = async () => {
      throw new StoreUnavailable("disk full");
    };
    const first = run(world, all({ kind: "done" }, seen[0]), { settle: full });
    const tried = first.settled();
    first.outbox.start();
    await tried;
    await first.stop();
    assert.ok(first.errors[0] instanceof StoreUnavailable);
    assert.deepEqual((await left(world)).toSorted(), committed.toSorted());
    const second = run(world, all({ kind: "done" }, seen[1]));
    const settled = second.settled();
    second.outbox.start();
    await settled;
    await second.stop();
    assert.deepEqual(seen[0]!.toSorted(), committed.toSorted());
    assert.deepEqual(seen[1]!.toSorted(), committed.toSorted());
    assert.deepEqual(await left(world), []);
  });
});

describe("what does not succeed", { timeout: 20_000 }, () => {
  test("is tried again, each time twice as long after the last", async () => {
    const world = emptyWorld();
    await approved(world);
    const process = run(world, all({ kind: "retry", error: "away" }));
    const delays: number[] = [];
    for (let attempt = 0; attempt < 10; attempt++) {
      const settled = process.settled();
      attempt === 0 ? process.outbox.start() : process.outbox.kick();
      const [first] = await settled;
      assert.ok(first?.kind === "retry");
      delays.push(first.nextAt - world.clock.ms);
      world.clock.ms = first.nextAt;
    }
    await process.stop();
    assert.deepEqual(
      delays,
      [1, 2, 4, 8, 16, 32, 64, 128, 256, 300].map((seconds) => seconds * 1_000),
    );
    const { items } = await world.store.effects("t", "stuck", { limit: 10 });
    assert.ok(items.length >= 2 && items.every(({ error }) => error === "away"));
  });

  test("is not tried before it is due", async () => {
    const world = emptyWorld();
    await approved(world);
    const process = run(world, all({ kind: "retry", error: "away" }));
    const settled = process.settled();
    process.outbox.start();
    const [first] = await settled;
    await process.stop();
    assert.ok(first?.kind === "retry");
    assert.deepEqual(await world.store.dueEffects("all", first.nextAt - 1, 10), []);
    assert.ok((await world.store.dueEffects("all", first.nextAt, 10)).length >= 2);
  });

  test("is given up after five tries of an action, and the history says so once", async () => {
    const world = emptyWorld();
    await approved(world);
    const calls: string[] = [];
    const performer = performerOf(world, (key) => {
      calls.push(key);
      throw new Error("the ledger is closed");
    });
    const process = run(world, (work) => performer.perform(work), {
      dead: (work, error) => performer.dead(work, error),
    });
    process.outbox.start();
    await attempts(world, process);
    assert.equal(calls.length, 5);
    assert.equal(new Set(calls).size, 1, "under one key");
    const { items } = await world.store.effects("t", "dead", { limit: 10 });
    assert.deepEqual(
      items.map(({ effect, error }) => [effect.id, error]),
      [[calls[0], "the ledger is closed"]],
    );
    const failed = (await history(world)).filter(({ kind }) => kind === "effect-failed");
    assert.equal(failed.length, 1);
    assert.match(JSON.stringify(failed), /book.*the ledger is closed/);
  });

  test("a crash while it is given up tells the history once", async () => {
    const world = emptyWorld();
    await approved(world);
    const performer = performerOf(world, () => Promise.reject(new Error("closed")));
    let crashed = false;
    const settle: Store["settleEffects"] = async (done) => {
      if (!crashed && done.some(({ kind }) => kind === "dead")) {
        crashed = true;
        throw new StoreUnavailable("gone");
      }
      await world.store.settleEffects(done);
    };
    for (let process = 0; process < 2; process++) {
      const running = run(world, (work) => performer.perform(work), {
        dead: (work, error) => performer.dead(work, error),
        settle,
      });
      running.outbox.start();
      await attempts(world, running);
    }
    assert.equal(crashed, true);
    assert.equal((await world.store.effects("t", "dead", { limit: 10 })).items.length, 1);
    assert.equal((await history(world)).filter(({ kind }) => kind === "effect-failed").length, 1);
  });

  test("one that can't be opened holds up no other", async () => {
    const world = emptyWorld();
    await approved(world, "A");
    await approved(world, "B");
    const committed = await left(world);
    const seen: string[] = [];
    const process = run(world, all({ kind: "done" }, seen));
    const [broken] = committed;
    const stored = await world.store.dueEffects("all", Number.MAX_SAFE_INTEGER, 100);
    const dueEffects: Store["dueEffects"] = async () =>
      seen.length > 0
        ? []
        : stored.map((one) =>
            one.effect.id === broken ? { ...one, effect: { id: broken, kind: "sealed", box: "sealed:x" } } : one,
          );
    const outbox = run({ ...world, store: storeWith(world.store, { dueEffects }) }, all({ kind: "done" }, seen));
    await process.stop();
    const first = outbox.settled();
    outbox.outbox.start();
    const [retried] = await first;
    assert.deepEqual([retried?.id, retried?.kind], [broken, "retry"]);
    await outbox.settled();
    await outbox.stop();
    assert.deepEqual(seen.toSorted(), committed.filter((id) => id !== broken).toSorted());
  });
});

describe("events", () => {
  test("go out under ids that never change, whatever batch they are in", async () => {
    const world = emptyWorld();
    await approved(world);
    const bus = new InProcessBus();
    const out: OutMessage[] = [];
    await bus.subscribe("assent.out.>", (message) => out.push(message));
    const performer = performerOf(world, () => Promise.resolve(), bus);
    const work = (await world.store.dueEffects("all", Number.MAX_SAFE_INTEGER, 100)).map(
      ({ tenant, instance, effect, attempts: tries }): Work => ({
        tenant,
        instance,
        effect: effect as Effect,
        attempts: tries,
      }),
    );
    await performer.perform(work);
    const ids = out.map(({ id }) => id);
    assert.ok(out.some(({ subject }) => subject === "assent.out.t.expense.onApproved"));
    await performer.perform(work);
    assert.deepEqual(
      out.map(({ id }) => id),
      ids,
      "the bus has them already",
    );
    for (const { id, body } of out) assert.equal((JSON.parse(body) as { id: string }).id, id);
    await bus.close();
  });
});

function performerOf(
  { turns, clock, store }: World,
  book: (key: string) => Promise<void>,
  bus: InProcessBus = new InProcessBus(),
): EffectPerformer {
  return new EffectPerformer({
    bus,
    clock,
    store,
    functions: {
      has: (name) => name === "book",
      answer: () => undefined,
      perform: async (_name, _args, { key }) => book(key),
    },
    services: new Services({ bus, clock, urls: {} }),
    documents: { put: () => assert.fail("no document"), get: async () => undefined },
    template: () => undefined,
    render: () => assert.fail("no document"),
    submit: (envelope) => turns.submit(envelope),
    instanceOf: async (work, version) => (await turns.read(work, version))?.instance,
    ingest: () => assert.fail("no connector"),
    alert: () => {},
  });
}

/** Lets the time pass until nothing is tried any more, or the store failed. */
async function attempts({ store, clock }: World, { outbox, settled, errors, stop }: Running): Promise<void> {
  for (;;) {
    await settled();
    if (errors.length > 0) break;
    const { effect } = await store.nextDue("all");
    if (effect === undefined) break;
    clock.ms = Math.max(clock.ms, effect);
    outbox.kick();
  }
  await stop();
}

const history = async ({ store }: World) =>
  readHistory(await store.history(keyOf("A")), undefined).flatMap(({ lines }) => lines);

describe("a document", () => {
  const EFFECT = {
    id: `${keyOf("A").instance}:2:0`,
    kind: "render",
    document: "order",
    template: "order",
    data: {},
  } as const;

  /** Renders as a process does that has this template. @param next is deployed meanwhile. */
  async function renders(
    world: World,
    files: Map<string, string>,
    template: string,
    next = template,
  ): Promise<WorkResult> {
    const bus = new InProcessBus();
    let deployed = template;
    const performer = new EffectPerformer({
      ...{ bus, clock: world.clock, store: world.store, services: new Services({ bus, clock: world.clock, urls: {} }) },
      functions: { has: () => false, answer: () => undefined, perform: () => assert.fail("no action") },
      documents: {
        put: async (_tenant, _instance, name, bytes) => {
          files.set(name, Buffer.from(bytes).toString());
          return { sha256: "", path: "" };
        },
        get: async () => undefined,
      },
      template: () => ({ hash: `hash of ${deployed}` }) as PreparedTemplate,
      render: async () => {
        deployed = next;
        const sha256 = createHash("sha256").update(template).digest("hex");
        return { kind: "rendered", bytes: Buffer.from(template), sha256, contentSha256: sha256 };
      },
      submit: (envelope) => world.turns.submit(envelope),
      instanceOf: async (work, version) => (await world.turns.read(work, version))?.instance,
      ingest: () => assert.fail("no connector"),
      alert: () => {},
    });
    const [result] = await performer.perform([{ ...keyOf("A"), effect: EFFECT, attempts: 0 }]);
    return result!;
  }

  test("that was told of before a crash stays as it is, though the template has changed", async () => {
    const world = emptyWorld();
    await approved(world);
    const files = new Map<string, string>();
    for (const template of ["one", "two"]) assert.deepEqual(await renders(world, files, template), { kind: "done" });
    const told = (await history(world)).filter(({ kind }) => kind === "rendered");
    assert.equal(told.length, 1);
    assert.deepEqual([...files], [["order", "one"]]);
  });

  test("names the template that it was made from, though another is deployed while it is rendered", async () => {
    const world = emptyWorld();
    await approved(world);
    await renders(world, new Map(), "one", "two");
    const told = (await history(world)).flatMap((line) => (line.kind === "rendered" ? [line.templateHash] : []));
    assert.deepEqual(told, ["hash of one"]);
  });

  test("whose report is not among the newest commands any more is told of anew: history and file agree", async () => {
    const world = emptyWorld();
    await approved(world);
    const files = new Map<string, string>();
    await renders(world, files, "one");
    const forgetful = { ...world, turns: withoutRecent(world.turns) };
    assert.deepEqual(await renders(forgetful, files, "two"), { kind: "done" });
    const told = (await history(world)).flatMap((line) => (line.kind === "rendered" ? [line.sha256] : []));
    assert.equal(told.at(-1), createHash("sha256").update(files.get("order")!).digest("hex"));
  });

  /** As if the newest commands were others. */
  function withoutRecent(turns: Turns): Turns {
    const read: Turns["read"] = async (key, version) => {
      const found = await turns.read(key, version);
      return found && { ...found, instance: { ...found.instance, recent: [] } };
    };
    return Object.assign(Object.create(turns) as Turns, {
      read,
      submit: (envelope: Envelope) => turns.submit(envelope),
    });
  }
});

test("an event that can't be sent is given up, and those beside it leave", async () => {
  const world = emptyWorld();
  await approved(world);
  const bus = new InProcessBus();
  const left: string[] = [];
  await bus.subscribe("assent.out.>", ({ subject }) => left.push(subject));
  const publish = bus.publish.bind(bus);
  bus.publish = async (messages) => {
    if (messages.some(({ body }) => body.includes("too big"))) throw new NotSendable("too big");
    await publish(messages);
  };
  const performer = performerOf(world, () => Promise.resolve(), bus);
  const work = ["too big", "small"].map(
    (data, index): Work => ({
      ...{ ...keyOf("A"), attempts: 0, about: { flow: "expense", updatedAt: 0 } },
      effect: { id: `x:${index}:0`, kind: "publish", events: [{ id: `e${index}`, event: `e${index}`, data }] },
    }),
  );
  assert.deepEqual(await performer.perform(work), [{ kind: "dead", error: "too big" }, { kind: "done" }]);
  assert.deepEqual(left, ["assent.out.t.expense.e1"]);
});
