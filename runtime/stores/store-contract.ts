import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { AppendRow, DeadLetter, Effect, Projection, Store, StoredEffect, Task, Timer } from "../ports.ts";
import { UnknownCursor } from "../ports.ts";
import { STUCK_ATTEMPTS } from "./limits.ts";

/** A store whose process dies: what was not projected then lies only in the journal. */
export interface Crashing {
  /** The store projects nothing by itself; `afterCrash` opens another one on what is durable at that moment. */
  open(): Promise<{ readonly store: Store; readonly afterCrash: () => Promise<Store> }>;
}

/**
 * What every store promises, whatever it is made of. Each test gets an empty store.
 * @param crashing absent for a store that ends with its process.
 */
export function describeStore(what: string, open: () => Promise<Store>, crashing?: Crashing): void {
  describe(`${what}: the store's promises`, () => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());
    for (const [title, promise] of promises) test(title, () => promise(store));
  });
  const skip = crashing === undefined && `${what} ends with its process`;
  describe(`${what}: what it promises across a crash`, { skip }, () => {
    for (const [title, promise] of afterCrash) {
      test(title, async () => {
        const opened = await crashing!.open();
        const stores = [opened.store];
        try {
          await promise(opened.store, async () => {
            const again = await opened.afterCrash();
            stores.push(again);
            return again;
          });
        } finally {
          for (const one of stores) await one.close();
        }
      });
    }
  });
}

// ---------------------------------------------------------------------------------------------------------------- //
// Rows to write
// ---------------------------------------------------------------------------------------------------------------- //

type RowParts = Partial<Omit<AppendRow, "projection">> & { readonly projection?: Partial<Projection> };

/** An entry of the instance `i` of tenant `t` with its summary; every part can be replaced. */
export function row(parts: RowParts = {}): AppendRow {
  const { tenant = "t", instance = "i", partition = 3, sequence = 1, at = 1_000 * sequence } = parts;
  const summary = {
    ...{ flow: "leave", key: `K-${instance}`, state: "review", initiator: "alice", definition: "d1" },
    ...{ version: sequence, startedAt: 1_000, updatedAt: at },
  };
  const nothing = { tasks: [], timersSet: [], timersGone: [], effects: [], oldCommands: [] };
  const { body = `{"entry":${sequence}}`, hash = `h${sequence}` } = parts;
  const projection = { summary, ...nothing, ...parts.projection };
  return { tenant, instance, partition, sequence, at, body, hash, projection };
}

export function task(id: string, parts: Partial<Task> = {}): Task {
  return { id, assignee: "bob", status: "open", state: "review", stage: 0, openedAt: 1_000, ...parts };
}

export function effect(id: string): Effect {
  return { id, kind: "notify", to: ["bob"], copy: false, about: { kind: "moved", from: "a", to: "b" } };
}

function timer(id: string, dueAt: number): Timer {
  return { id, dueAt, purpose: { kind: "due", seat: 0 } };
}

function letter(id: string, parts: Partial<DeadLetter> = {}): DeadLetter {
  return { id, tenant: "t", at: 5, origin: "bus", reason: "not JSON", body: "{", ...parts };
}

const KEY = { tenant: "t", instance: "i" };
/** What is told of an effect of {@link row}. */
const OF_KEY = { ...KEY, partition: 3 };

/** Every item of a list, page by page. */
async function all<Item>(
  list: (page: { limit: number; cursor?: string }) => Promise<{ items: readonly Item[]; cursor?: string }>,
) {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const page = await list({ limit: 2, ...(cursor !== undefined && { cursor }) });
    assert.ok(page.items.length <= 2);
    items.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return items;
}

function effectIds(effects: readonly StoredEffect[]): readonly string[] {
  return effects.map(({ effect: { id } }) => id);
}

// ---------------------------------------------------------------------------------------------------------------- //
// Promises
// ---------------------------------------------------------------------------------------------------------------- //

type Promised = readonly [title: string, promise: (store: Store) => Promise<void>];

const journal: readonly Promised[] = [
  [
    "an entry comes back as it was written, in history and in load",
    async (store) => {
      assert.deepEqual(await store.append([row()]), { taken: [] });
      const entry = { sequence: 1, at: 1_000, body: '{"entry":1}', hash: "h1" };
      assert.deepEqual(await store.history(KEY), [entry]);
      assert.deepEqual(await store.load([KEY]), [{ ...KEY, tail: [entry] }]);
    },
  ],
  [
    "a taken key is reported and nothing of its row is projected; the other rows go in",
    async (store) => {
      await store.append([row()]);
      const late = row({
        body: "late",
        projection: {
          snapshot: "late",
          wrappedKey: "late",
          tasks: [task("i-1")],
          timersSet: [timer("1", 1)],
          effects: [effect("late")],
          oldCommands: [{ source: "s", id: "late", digest: "d", version: 1, sequence: 1 }],
          summary: { ...row().projection.summary!, state: "late" },
        },
      });
      const { taken } = await store.append([
        late,
        row({ instance: "other", projection: { effects: [effect("other")] } }),
      ]);
      assert.deepEqual(taken, [KEY]);
      assert.deepEqual(
        (await store.history(KEY)).map(({ body }) => body),
        ['{"entry":1}'],
      );
      assert.deepEqual(await store.load([KEY]), [{ ...KEY, tail: await store.history(KEY) }]);
      assert.deepEqual((await store.tasks({ tenant: "t" }, { limit: 9 })).items, []);
      assert.deepEqual(await store.dueTimers("all", 9_999, 9), []);
      assert.deepEqual(await store.findCommands([{ ...KEY, source: "s", id: "late" }]), [undefined]);
      assert.deepEqual(effectIds(await store.dueEffects("all", 9_999, 9)), ["other"]);
      assert.deepEqual((await store.instances({ tenant: "t", state: "late" }, { limit: 9 })).items, []);
    },
  ],
  [
    "of two racing appends of one key exactly one wins",
    async (store) => {
      const racers = ["a", "b", "c", "d"].map((body) => row({ body, projection: { effects: [effect(body)] } }));
      const results = await Promise.all(racers.map((racer) => store.append([racer])));
      assert.equal(results.filter(({ taken }) => taken.length === 0).length, 1);
      const [entry, ...more] = await store.history(KEY);
      assert.deepEqual(more, []);
      assert.deepEqual(effectIds(await store.dueEffects("all", 9_999, 9)), [entry!.body]);
    },
  ],
  [
    "an append that fails leaves whole rows or none",
    async (store) => {
      const names = ["a", "b", "c"];
      // Some stores have a limit for one entry.
      const body = "x".repeat(17 * 1_048_576);
      const rows = names.map((instance) =>
        row({
          instance,
          ...(instance === "b" && { body }),
          projection: { tasks: [task(`${instance}-1`)], effects: [effect(`${instance}:1:0`)] },
        }),
      );
      const result = await store.append(rows).catch(() => undefined);
      if (result) assert.deepEqual(result, { taken: [] });
      const tasks = (await store.tasks({ tenant: "t" }, { limit: 9 })).items.map(({ instance }) => instance);
      const effects = (await store.dueEffects("all", 9_999, 9)).map(({ instance }) => instance);
      const histories = await Promise.all(names.map((instance) => store.history({ tenant: "t", instance })));
      const written = names.filter((_, index) => histories[index]!.length > 0);
      assert.deepEqual([tasks.toSorted(), effects.toSorted()], [written, written]);
      assert.deepEqual((await store.append([row({ instance: "d" })])).taken, []);
    },
  ],
  [
    "history is in order of sequence",
    async (store) => {
      for (const sequence of [1, 2, 3]) await store.append([row({ sequence })]);
      await Promise.all([4, 5, 6, 7, 8, 9, 10, 11].map((sequence) => store.append([row({ sequence })])));
      assert.deepEqual(
        (await store.history(KEY)).map(({ sequence }) => sequence),
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
      );
    },
  ],
  [
    "what has no entry gives no row and no history",
    async (store) => {
      await store.append([row()]);
      assert.deepEqual(await store.load([{ tenant: "t", instance: "none" }]), []);
      assert.deepEqual(await store.load([]), []);
      assert.deepEqual(await store.history({ tenant: "none", instance: "i" }), []);
    },
  ],
  [
    "load gives the newest snapshot, the entries after it and the wrapped key, for many keys in their order",
    async (store) => {
      const names = Array.from({ length: 300 }, (_, n) => `i${n}`);
      await store.append(
        names.map((instance) => row({ instance, projection: { snapshot: "first", wrappedKey: "key" } })),
      );
      await store.append(
        names.map((instance) => row({ instance, sequence: 2, projection: { wrappedKey: "another" } })),
      );
      await store.append([
        row({ instance: "i7", sequence: 3, projection: { snapshot: "third" } }),
        row({ instance: "i8", sequence: 3 }),
      ]);
      await store.append([row({ instance: "i7", sequence: 4 })]);
      const asked = names.toReversed().map((instance) => ({ tenant: "t", instance }));
      const found = await store.load(asked);
      assert.deepEqual(
        found.map(({ instance }) => instance),
        names.toReversed(),
      );
      const shape = (instance: string) => {
        const { snapshot, tail, wrappedKey } = found.find((one) => one.instance === instance)!;
        return [snapshot?.body, snapshot?.sequence, snapshot?.hash, tail.map(({ sequence }) => sequence), wrappedKey];
      };
      assert.deepEqual(shape("i6"), ["first", 1, "h1", [2], "key"]);
      assert.deepEqual(shape("i7"), ["third", 3, "h3", [4], "key"]);
      assert.deepEqual(shape("i8"), ["first", 1, "h1", [2, 3], "key"]);
    },
  ],
  [
    "a raw event is an entry at 0 with an effect and no instance to be found",
    async (store) => {
      const raw = { id: "in/app/1:0", kind: "ingest", connector: "wecom", app: "app", xml: "<xml/>" } as const;
      const { summary: _, ...projection } = row().projection;
      const event = {
        ...row({ instance: "in/app/1", sequence: 0, at: 7 }),
        projection: { ...projection, effects: [raw] },
      };
      assert.deepEqual(await store.append([event]), { taken: [] });
      assert.deepEqual((await store.append([event])).taken, [{ tenant: "t", instance: "in/app/1" }]);
      assert.deepEqual(
        (await store.dueEffects("all", 7, 9)).map((due) => due.effect),
        [raw],
      );
      assert.deepEqual(
        (await store.load([event])).map(({ tail }) => tail.length),
        [1],
      );
      assert.deepEqual((await store.instances({ tenant: "t" }, { limit: 9 })).items, []);
    },
  ],
  [
    "big entries and any text come back unchanged",
    async (store) => {
      const texts = [
        "合同审批 🖋️ ¼ ‱",
        "nul \0 inside",
        "quote ' \" ` \\ %_",
        "文".repeat(1_048_576 / 2),
        "x".repeat(1_048_576),
        "",
      ];
      const names = ["员工/请假", "a\0b", "a'b", "per.cent%*>", "x".repeat(2_000), "é"];
      await store.append(
        names.map((instance, n) =>
          row({ instance, body: texts[n]!, projection: { snapshot: texts[n]!, tasks: [task(`${instance}-1`)] } }),
        ),
      );
      for (const [n, instance] of names.entries()) {
        const key = { tenant: "t", instance };
        assert.equal((await store.history(key))[0]?.body, texts[n]);
        assert.equal((await store.load([key]))[0]?.snapshot?.body, texts[n]);
        assert.deepEqual(
          (await store.tasks({ tenant: "t", instance }, { limit: 9 })).items.map((one) => one.task.id),
          [`${instance}-1`],
        );
      }
    },
  ],
  [
    "old commands are found by source and id",
    async (store) => {
      const command = { source: "erp", id: "c1", digest: "d", version: 3, sequence: 2 };
      await store.append([row({ projection: { oldCommands: [command, { ...command, id: "c2" }] } })]);
      const name = { ...KEY, source: "erp", id: "c1" };
      const asked = [{ ...name, source: "other" }, name, { ...name, tenant: "u" }, { ...name, id: "c2" }, name];
      const found = [undefined, command, undefined, { ...command, id: "c2" }, command];
      assert.deepEqual(await store.findCommands(asked), found);
      assert.deepEqual(await store.findCommands([]), []);
    },
  ],
];

const effects: readonly Promised[] = [
  [
    "effects are due oldest first, from their entry's time on, in the order of writing within it",
    async (store) => {
      await store.append([row({ instance: "late", at: 30, projection: { effects: [effect("late")] } })]);
      await store.append([row({ at: 10, projection: { effects: [effect("i:9:0"), effect("i:9:1")] } })]);
      await store.append([row({ at: 10, sequence: 2, projection: { effects: [effect("i:10:0")] } })]);
      assert.deepEqual(effectIds(await store.dueEffects("all", 9, 9)), []);
      assert.deepEqual(effectIds(await store.dueEffects("all", 10, 9)), ["i:9:0", "i:9:1", "i:10:0"]);
      assert.deepEqual(effectIds(await store.dueEffects("all", 10, 2)), ["i:9:0", "i:9:1"]);
      assert.deepEqual(effectIds(await store.dueEffects("all", 30, 9)).at(-1), "late");
      const [first] = await store.dueEffects("all", 10, 1);
      assert.deepEqual(first, { ...OF_KEY, effect: effect("i:9:0"), state: "pending", attempts: 0, nextAt: 10 });
      assert.deepEqual(await store.nextDue("all"), { effect: 10 });
    },
  ],
  [
    "a settled effect is gone, waits until its time, or is dead",
    async (store) => {
      await store.append([row({ at: 10, projection: { effects: ["done", "retry", "dead"].map(effect) } })]);
      await store.settleEffects([
        { tenant: "t", id: "done", kind: "done" },
        { tenant: "t", id: "retry", kind: "retry", nextAt: 50, error: "away" },
        { tenant: "t", id: "dead", kind: "dead", error: "never" },
        { tenant: "t", id: "unknown", kind: "done" },
        { tenant: "t", id: "unknown", kind: "dead", error: "never" },
      ]);
      assert.deepEqual(effectIds(await store.dueEffects("all", 49, 9)), []);
      assert.deepEqual(await store.nextDue("all"), { effect: 50 });
      const [retry] = await store.dueEffects("all", 50, 9);
      assert.deepEqual(retry, {
        ...OF_KEY,
        effect: effect("retry"),
        state: "pending",
        attempts: 1,
        nextAt: 50,
        error: "away",
      });
      const { items } = await store.effects("t", "dead", { limit: 9 });
      assert.deepEqual(items, [
        { ...OF_KEY, effect: effect("dead"), state: "dead", attempts: 1, nextAt: 10, error: "never" },
      ]);
      await store.settleEffects([{ tenant: "t", id: "dead", kind: "retry", nextAt: 20, error: "sent again" }]);
      assert.deepEqual(effectIds(await store.dueEffects("all", 20, 9)), ["dead"]);
      assert.deepEqual((await store.effects("t", "dead", { limit: 9 })).items, []);
    },
  ],
  [
    "an effect that failed often is stuck, and still tried",
    async (store) => {
      await store.append([row({ projection: { effects: [effect("e"), effect("fresh")] } })]);
      const failed = { tenant: "t", id: "e", kind: "retry", nextAt: 20, error: "away" } as const;
      for (let attempts = 1; attempts < STUCK_ATTEMPTS; attempts++) await store.settleEffects([failed]);
      assert.deepEqual((await store.effects("t", "stuck", { limit: 9 })).items, []);
      await store.settleEffects([failed]);
      assert.deepEqual(effectIds((await store.effects("t", "stuck", { limit: 9 })).items), ["e"]);
      assert.deepEqual(effectIds((await store.effects("t", "pending", { limit: 9 })).items), ["fresh"]);
      assert.deepEqual(
        (await store.dueEffects("all", 20, 9)).map(({ state, attempts }) => [state, attempts]),
        [["stuck", STUCK_ATTEMPTS]],
      );
    },
  ],
  [
    "effects are listed in pages, without gaps where times are equal",
    async (store) => {
      const ids = ["a", "b", "c", "d", "e"];
      await store.append([row({ at: 5, projection: { effects: ids.map(effect) } })]);
      await store.append([row({ tenant: "u", at: 5, projection: { effects: [effect("foreign")] } })]);
      assert.deepEqual(effectIds(await all((page) => store.effects("t", "pending", page))), ids);
    },
  ],
];

const timers: readonly Promised[] = [
  [
    "timers are due in order; one set again replaces the older, one that is gone is gone",
    async (store) => {
      const set = [timer("a", 30), timer("b", 10), timer("c", 20)];
      await store.append([
        row({ projection: { timersSet: set } }),
        row({ instance: "j", projection: { timersSet: [timer("a", 15)] } }),
      ]);
      const due = async (at: number) =>
        (await store.dueTimers("all", at, 9)).map(({ instance, timer: { id } }) => `${instance}/${id}`);
      assert.deepEqual(await due(9), []);
      assert.deepEqual(await due(30), ["i/b", "j/a", "i/c", "i/a"]);
      assert.deepEqual(await store.nextDue("all"), { timer: 10 });
      await store.append([
        row({ sequence: 2, projection: { timersSet: [timer("b", 40)], timersGone: ["c", "unknown"] } }),
      ]);
      assert.deepEqual(await due(99), ["j/a", "i/a", "i/b"]);
      assert.deepEqual(await store.dueTimers("all", 15, 1), [{ tenant: "t", instance: "j", timer: timer("a", 15) }]);
    },
  ],
  [
    "one entry may end a timer and set it anew",
    async (store) => {
      await store.append([row({ projection: { timersSet: [timer("a", 1)] } })]);
      await store.append([row({ sequence: 2, projection: { timersSet: [timer("a", 2)], timersGone: ["a"] } })]);
      assert.deepEqual(
        (await store.dueTimers("all", 9, 9)).map(({ timer: { dueAt } }) => dueAt),
        [2],
      );
    },
  ],
  [
    "dropped timers are gone, of that instance only",
    async (store) => {
      const projection = { timersSet: [timer("a", 1), timer("b", 2)] };
      await store.append([row({ projection }), row({ tenant: "u", projection })]);
      await store.dropTimers([
        { ...KEY, timer: "a" },
        { ...KEY, timer: "unknown" },
        { tenant: "t", instance: "unknown", timer: "b" },
      ]);
      assert.deepEqual(
        (await store.dueTimers("all", 9, 9)).map(({ tenant, timer: { id } }) => tenant + id),
        ["ua", "tb", "ub"],
      );
    },
  ],
];

const lists: readonly Promised[] = [
  [
    "tasks are found by assignee, instance and status, open ones first, then the newest",
    async (store) => {
      const tasks = [task("i-1"), task("i-2", { assignee: "carol" }), task("i-3", { openedAt: 3_000 })];
      await store.append([
        row({ projection: { tasks } }),
        row({ instance: "j", projection: { tasks: [task("j-1", { openedAt: 2_000 })] } }),
      ]);
      const closed = task("i-3", { openedAt: 3_000, status: "approved", closedAt: 4_000 });
      await store.append([row({ sequence: 2, projection: { tasks: [closed] } })]);
      const ids = async (query: object) =>
        (await store.tasks({ tenant: "t", ...query }, { limit: 9 })).items.map((one) => one.task.id);
      assert.deepEqual(await ids({ assignee: "bob" }), ["j-1", "i-1", "i-3"]);
      assert.deepEqual(await ids({ assignee: "bob", status: "open" }), ["j-1", "i-1"]);
      assert.deepEqual(await ids({ assignee: "bob", status: "closed" }), ["i-3"]);
      assert.deepEqual((await ids({ instance: "i" })).toSorted(), ["i-1", "i-2", "i-3"]);
      assert.deepEqual(await ids({ instance: "i", status: "closed" }), ["i-3"]);
      assert.deepEqual((await ids({ status: "open" })).length, 3);
      assert.deepEqual(await ids({ assignee: "dave" }), []);
      const [found] = (await store.tasks({ tenant: "t", status: "closed" }, { limit: 9 })).items;
      assert.deepEqual(found, { ...KEY, flow: "leave", task: closed });
    },
  ],
  [
    "a task that moved to another person left the first one's list",
    async (store) => {
      await store.append([row({ projection: { tasks: [task("i-1")] } })]);
      await store.append([row({ sequence: 2, projection: { tasks: [task("i-1", { assignee: "carol" })] } })]);
      assert.deepEqual((await store.tasks({ tenant: "t", assignee: "bob" }, { limit: 9 })).items, []);
      assert.equal((await store.tasks({ tenant: "t", assignee: "carol" }, { limit: 9 })).items.length, 1);
    },
  ],
  [
    "a shared task is in the list of everybody who may claim it, until somebody does, and again when they release it",
    async (store) => {
      const shared = (assignee: string, status: Task["status"] = "open") =>
        task("i-1", { assignee, status, candidates: ["bob", "carol"], openedAt: 2_000 });
      const lists = async (query: object = {}) => {
        const of = (assignee: string) => store.tasks({ tenant: "t", assignee, ...query }, { limit: 9 });
        const found = await Promise.all(["bob", "carol", "dave"].map(of));
        return found.map(({ items }) => items.map((one) => one.task.id).join());
      };
      await store.append([row({ projection: { tasks: [shared(""), task("i-2")] } })]);
      assert.deepEqual(await lists(), ["i-1,i-2", "i-1", ""]);
      assert.deepEqual(await lists({ status: "open", instance: "i" }), ["i-1,i-2", "i-1", ""]);
      assert.deepEqual(await lists({ status: "closed" }), ["", "", ""]);
      assert.deepEqual(await lists({ instance: "j" }), ["", "", ""]);
      await store.append([row({ sequence: 2, projection: { tasks: [shared("carol")] } })]);
      assert.deepEqual(await lists(), ["i-2", "i-1", ""]);
      await store.append([row({ sequence: 3, projection: { tasks: [shared("")] } })]);
      assert.deepEqual(await lists(), ["i-1,i-2", "i-1", ""]);
      await store.append([row({ sequence: 4, projection: { tasks: [shared("", "expired")] } })]);
      assert.deepEqual(await lists(), ["i-2", "", ""]);
      assert.deepEqual((await store.tasks({ tenant: "u", assignee: "bob" }, { limit: 9 })).items, []);
    },
  ],
  [
    "own and shared tasks come in pages, in one order, each once",
    async (store) => {
      const tasks = Array.from({ length: 9 }, (_, n) => {
        const openedAt = 1_000 + ((n * 5) % 9);
        return n % 2 === 0
          ? task(`i-${n}`, { openedAt })
          : task(`i-${n}`, { openedAt, assignee: "", candidates: ["bob"] });
      });
      await store.append([row({ projection: { tasks } })]);
      const found = await all((page) => store.tasks({ tenant: "t", assignee: "bob", status: "open" }, page));
      assert.deepEqual(
        found.map((one) => one.task.openedAt),
        tasks.map(({ openedAt }) => openedAt).toSorted((a, b) => b - a),
      );
    },
  ],
  [
    "tasks that wait are neither open nor closed",
    async (store) => {
      const tasks = [task("i-1", { status: "approved" }), task("i-2", { status: "waiting" }), task("i-3")];
      await store.append([row({ projection: { tasks } })]);
      const ids = async (query: object) =>
        (await store.tasks({ tenant: "t", ...query }, { limit: 9 })).items.map((one) => one.task.id);
      for (const [status, id] of [
        ["open", "i-3"],
        ["waiting", "i-2"],
        ["closed", "i-1"],
      ] as const)
        assert.deepEqual(await ids({ status }), [id]);
      assert.deepEqual(await ids({ assignee: "bob" }), ["i-3", "i-2", "i-1"]);
    },
  ],
  [
    "tasks come in pages, each once",
    async (store) => {
      const tasks = Array.from({ length: 7 }, (_, n) =>
        task(`i-${n}`, { openedAt: 1_000 + (n % 2), status: n < 3 ? "open" : "expired" }),
      );
      await store.append([row({ projection: { tasks } })]);
      const found = await all((page) => store.tasks({ tenant: "t", assignee: "bob" }, page));
      assert.deepEqual(
        found.map((one) => one.task.id).toSorted(),
        tasks.map(({ id }) => id),
      );
    },
  ],
  [
    "instances are found by flow, state, initiator and part of the key, the newest first, with their newest summary",
    async (store) => {
      const base = row().projection.summary!;
      const start = (instance: string, parts: object) =>
        store.append([row({ instance, projection: { summary: { ...base, key: instance, ...parts } } })]);
      await start("HT-1", {});
      await start("HT-2", { flow: "contract", initiator: "bob" });
      await start("QJ-3%", { state: "done", outcome: "approved" });
      const keys = async (query: object) =>
        (await store.instances({ tenant: "t", ...query }, { limit: 9 })).items.map(({ key }) => key);
      assert.deepEqual(await keys({}), ["QJ-3%", "HT-2", "HT-1"]);
      assert.deepEqual(await keys({ flow: "leave" }), ["QJ-3%", "HT-1"]);
      assert.deepEqual(await keys({ state: "review" }), ["HT-2", "HT-1"]);
      assert.deepEqual(await keys({ initiator: "bob", flow: "contract" }), ["HT-2"]);
      assert.deepEqual(await keys({ q: "HT" }), ["HT-2", "HT-1"]);
      assert.deepEqual(await keys({ q: "%" }), ["QJ-3%"]);
      const newest = { ...base, key: "HT-1", state: "done", outcome: "rejected", version: 2, updatedAt: 2_000 };
      await store.append([row({ instance: "HT-1", sequence: 2, projection: { summary: newest } })]);
      const { items } = await store.instances({ tenant: "t", q: "HT-1" }, { limit: 9 });
      assert.deepEqual(items, [{ tenant: "t", instance: "HT-1", ...newest }]);
    },
  ],
  [
    "instances come in pages, and what starts meanwhile doesn't disturb them",
    async (store) => {
      for (const n of [1, 2, 3, 4]) await store.append([row({ instance: `i${n}` })]);
      const first = await store.instances({ tenant: "t" }, { limit: 3 });
      await store.append([row({ instance: "i5" })]);
      const second = await store.instances({ tenant: "t" }, { limit: 3, cursor: first.cursor! });
      assert.deepEqual(
        [...first.items, ...second.items].map(({ instance }) => instance),
        ["i4", "i3", "i2", "i1"],
      );
      assert.equal(second.cursor, undefined);
    },
  ],
  [
    "a cursor of another tenant, of another list, or made up is refused",
    async (store) => {
      for (const tenant of ["t", "u"]) {
        const tasks = [1, 2, 3].map((n) => task(`${tenant}-${n}`));
        await store.append([row({ tenant, projection: { tasks } }), row({ tenant, instance: "j" })]);
      }
      const { cursor } = await store.tasks({ tenant: "t" }, { limit: 1 });
      await assert.rejects(store.tasks({ tenant: "u" }, { limit: 1, cursor: cursor! }), UnknownCursor);
      await assert.rejects(store.instances({ tenant: "t" }, { limit: 1, cursor: cursor! }), UnknownCursor);
      const json = (cells: unknown) => Buffer.from(JSON.stringify(cells)).toString("base64url");
      const madeUp = [
        "",
        "garbage",
        "💥",
        json(null),
        json({}),
        json(["tasks", "t"]),
        json(["tasks", "t", "1", 2, 3, 4]),
        json(["tasks", "t", null, 0, 0, ""]),
      ];
      for (const made of madeUp)
        await assert.rejects(store.tasks({ tenant: "t" }, { limit: 1, cursor: made }), UnknownCursor, made);
    },
  ],
  [
    "dead letters are kept with their reason, the newest first; one that comes again is one",
    async (store) => {
      for (const n of [1, 2, 3]) await store.deadLetter(letter(`l${n}`, { at: n }));
      await store.deadLetter(letter("l1", { reason: "no such flow" }));
      await store.deadLetter(letter("l1", { tenant: "u" }));
      const found = await all((page) => store.deadLetters("t", page));
      assert.deepEqual(
        found.map(({ id }) => id),
        ["l3", "l2", "l1"],
      );
      assert.deepEqual(found[2], letter("l1", { reason: "no such flow" }));
    },
  ],
  [
    "a dead letter is found by its id and dropped, in its tenant alone",
    async (store) => {
      for (const tenant of ["t", "u"]) await store.deadLetter(letter("bus/a.b/1", { tenant }));
      assert.deepEqual(await store.findDeadLetter("t", "bus/a.b/1"), letter("bus/a.b/1"));
      assert.equal(await store.findDeadLetter("t", "bus/a.b"), undefined);
      await store.dropDeadLetter("t", "bus/a.b/1");
      assert.equal(await store.findDeadLetter("t", "bus/a.b/1"), undefined);
      assert.deepEqual(await store.findDeadLetter("u", "bus/a.b/1"), letter("bus/a.b/1", { tenant: "u" }));
    },
  ],
  [
    "an effect is found by its id, with what is left of its decision, and renewed",
    async (store) => {
      const ids = ["i:1:0", "i:1:1", "i:1:2", "i:10:0", "i:2:0"];
      await store.append([row({ projection: { effects: ids.map((id) => effect(id)) } })]);
      await store.settleEffects([
        { tenant: "t", id: "i:1:0", kind: "done" },
        { tenant: "t", id: "i:1:2", kind: "dead", error: "closed" },
      ]);
      const left = await store.effectsOfDecision("t", "i:1");
      assert.deepEqual(left.map((one) => [one.effect.id, one.state]).sort(), [
        ["i:1:1", "pending"],
        ["i:1:2", "dead"],
      ]);
      assert.equal(await store.findEffect("t", "i:1:0"), undefined);
      assert.equal(await store.findEffect("u", "i:1:1"), undefined);
      assert.equal((await store.findEffect("t", "i:1:2"))?.error, "closed");
      await store.settleEffects([{ tenant: "t", id: "i:1:2", kind: "renew", nextAt: 7 }]);
      const renewed = (await store.findEffect("t", "i:1:2"))!;
      assert.deepEqual([renewed.state, renewed.attempts, renewed.nextAt, renewed.error], ["pending", 0, 7, undefined]);
    },
  ],
  [
    "of a setting that several make at once one stands, for all",
    async (store) => {
      const kept = await Promise.all(["a", "b", "c"].map((value) => store.keepSetting("made", value)));
      assert.equal(new Set(kept).size, 1);
      assert.equal(await store.getSetting("made"), kept[0]);
      assert.equal(await store.keepSetting("made", "late"), kept[0]);
    },
  ],
  [
    "settings are set, replaced and absent",
    async (store) => {
      assert.equal(await store.getSetting("name"), undefined);
      await store.setSetting("name", "a");
      await store.setSetting("name", "值");
      assert.equal(await store.getSetting("name"), "值");
    },
  ],
];

const rebuilding: readonly Promised[] = [
  [
    "the journal's instances are listed in pages, each once, without raw events",
    async (store) => {
      const { summary: _, ...nothing } = row().projection;
      await store.append([{ ...row({ instance: "in/a/1", sequence: 0 }), projection: nothing }]);
      for (const n of [1, 2, 3, 4, 5]) await store.append([row({ instance: `i${n}`, tenant: n % 2 ? "t" : "u" })]);
      await store.append([row({ instance: "i1", sequence: 2 })]);
      const found = await all((page) => store.journaled(page));
      assert.deepEqual(found.map(({ tenant, instance }) => `${tenant}/${instance}`).toSorted(), [
        ...["t/i1", "t/i3", "t/i5", "u/i2", "u/i4"],
      ]);
    },
  ],
  [
    "what lists have of an instance is read, and replaced whole",
    async (store) => {
      const projection = { tasks: [task("i-1"), task("i-2")], timersSet: [timer("1", 5), timer("2", 6)] };
      await store.append([row({ projection }), row({ tenant: "u", projection })]);
      const { summary } = row().projection;
      const stored = await store.projected(KEY);
      assert.deepEqual(stored, {
        ...{ partition: 3, sequence: 1, summary },
        ...{ tasks: projection.tasks, timers: projection.timersSet },
      });
      assert.equal(await store.projected({ tenant: "t", instance: "none" }), undefined);

      const command = { source: "s", id: "1", digest: "d", version: 1, sequence: 1 };
      const right = {
        partition: 3,
        sequence: 1,
        summary: { ...summary!, state: "done", outcome: "approved", initiator: "carol" },
        tasks: [task("i-2", { assignee: "", candidates: ["dave"] }), task("i-3")],
        timers: [timer("2", 9)],
        oldCommands: [command],
      };
      await store.reproject(KEY, right);
      const { oldCommands, ...lists } = right;
      assert.deepEqual(await store.projected(KEY), lists);
      assert.deepEqual(await store.findCommands([{ ...KEY, source: "s", id: "1" }]), [command]);
      const ids = async (assignee: string) =>
        (await store.tasks({ tenant: "t", assignee }, { limit: 9 })).items.map((one) => one.task.id);
      assert.deepEqual([await ids("bob"), await ids("dave")], [["i-3"], ["i-2"]]);
      assert.equal((await store.instances({ tenant: "t", initiator: "carol" }, { limit: 9 })).items.length, 1);
      assert.deepEqual(
        (await store.dueTimers("all", 99, 9)).map((due) => [due.tenant, due.timer.dueAt]),
        [
          ["u", 5],
          ["u", 6],
          ["t", 9],
        ],
      );
      // Entries go on from there.
      const next = { ...right.summary, state: "archived", definition: "d2", version: 2, updatedAt: 2_000 };
      await store.append([row({ sequence: 2, projection: { summary: next } })]);
      assert.deepEqual((await store.projected(KEY))?.summary, next);
    },
  ],
];

const cluster: readonly Promised[] = [
  [
    "work is found by its partition, of several the oldest first",
    async (store) => {
      const work = (at: number) => ({ timersSet: [timer("a", at)], effects: [effect(`e${at}`)] });
      await store.append([
        row({ instance: "i", partition: 3, at: 30, projection: work(30) }),
        row({ instance: "j", partition: 5, at: 10, projection: work(10) }),
        row({ instance: "k", partition: 7, at: 20, projection: work(20) }),
      ]);
      const found = async (partitions: readonly number[] | "all", at = 99, limit = 9) => [
        effectIds(await store.dueEffects(partitions, at, limit)).join(),
        (await store.dueTimers(partitions, at, limit)).map(({ instance }) => instance).join(),
      ];
      assert.deepEqual(await found([3]), ["e30", "i"]);
      assert.deepEqual(await found([3, 5]), ["e10,e30", "j,i"]);
      assert.deepEqual(await found([7, 3, 5], 25), ["e10,e20", "j,k"]);
      assert.deepEqual(await found([3, 5, 7], 99, 1), ["e10", "j"]);
      assert.deepEqual(await found("all"), ["e10,e20,e30", "j,k,i"]);
      assert.deepEqual(await found([4]), ["", ""]);
      assert.deepEqual(await found([]), ["", ""]);
      assert.deepEqual(await store.nextDue([3, 7]), { effect: 20, timer: 20 });
      assert.deepEqual(await store.nextDue([4]), {});
      assert.equal((await store.dueEffects([5], 99, 9))[0]?.partition, 5);
    },
  ],
  [
    "of those who claim one epoch of a partition at once, one has it",
    async (store) => {
      const claims = ["a", "b", "c", "d"].map((node) => ({ partition: 2, epoch: 1, node }));
      const won = await Promise.all(claims.map((claim) => store.claim(claim)));
      assert.equal(won.filter(Boolean).length, 1);
      assert.deepEqual((await store.cluster()).claims, [claims[won.indexOf(true)]]);
    },
  ],
  [
    "the newest claim of each partition holds; an older epoch can't be claimed any more",
    async (store) => {
      for (const epoch of [1, 2, 3]) assert.ok(await store.claim({ partition: 0, epoch, node: `n${epoch}` }));
      assert.ok(await store.claim({ partition: 1, epoch: 1, node: "n1" }));
      assert.ok(await store.claim({ partition: 1, epoch: 2 }));
      for (const epoch of [1, 2, 3]) assert.equal(await store.claim({ partition: 0, epoch, node: "late" }), false);
      const { claims } = await store.cluster();
      assert.deepEqual(
        claims.toSorted((a, b) => a.partition - b.partition),
        [
          { partition: 0, epoch: 3, node: "n3" },
          { partition: 1, epoch: 2 },
        ],
      );
    },
  ],
  [
    "members are those who gave a sign of life and were not buried",
    async (store) => {
      await store.beat({ node: "a", beats: 1 });
      await store.beat({ node: "b", beats: 1 });
      await store.beat({ node: "a", beats: 2 });
      await store.bury("b");
      await store.bury("nobody");
      assert.deepEqual((await store.cluster()).members, [{ node: "a", beats: 2 }]);
      await store.beat({ node: "b", beats: 7, isAway: true });
      assert.deepEqual(
        (await store.cluster()).members.find(({ node }) => node === "b"),
        { node: "b", beats: 7, isAway: true },
      );
      await store.beat({ node: "b", beats: 8 });
      assert.equal((await store.cluster()).members.length, 2);
      assert.deepEqual(
        (await store.cluster()).members.filter(({ isAway }) => isAway),
        [],
      );
    },
  ],
];

const tenants: readonly Promised[] = [
  [
    "tenants never meet, even with the same names for everything",
    async (store) => {
      for (const tenant of ["t", "u"]) {
        const mark = { state: tenant, assignee: "bob" };
        const summary = { ...row().projection.summary!, state: tenant };
        const projection = {
          summary,
          wrappedKey: tenant,
          tasks: [task("i-1", mark)],
          timersSet: [timer("1", 1)],
          effects: [effect("e")],
        };
        assert.deepEqual(await store.append([row({ tenant, body: tenant, projection })]), { taken: [] });
      }
      for (const tenant of ["t", "u"]) {
        const key = { tenant, instance: "i" };
        assert.deepEqual(
          (await store.history(key)).map(({ body }) => body),
          [tenant],
        );
        assert.deepEqual(
          (await store.load([key])).map(({ wrappedKey }) => wrappedKey),
          [tenant],
        );
        assert.deepEqual(
          (await store.tasks({ tenant }, { limit: 9 })).items.map((one) => one.task.state),
          [tenant],
        );
        assert.deepEqual(
          (await store.instances({ tenant }, { limit: 9 })).items.map(({ state }) => state),
          [tenant],
        );
      }
      await store.settleEffects([{ tenant: "t", id: "e", kind: "done" }]);
      assert.deepEqual(
        (await store.dueEffects("all", 9_999, 9)).map(({ tenant }) => tenant),
        ["u"],
      );
      assert.deepEqual((await store.effects("t", "pending", { limit: 9 })).items, []);
    },
  ],
];

const promises: readonly Promised[] = [
  ...journal,
  ...effects,
  ...timers,
  ...lists,
  ...rebuilding,
  ...cluster,
  ...tenants,
];

// ---------------------------------------------------------------------------------------------------------------- //
// Promises across a crash
// ---------------------------------------------------------------------------------------------------------------- //

type PromisedAfterCrash = readonly [
  title: string,
  promise: (store: Store, afterCrash: () => Promise<Store>) => Promise<void>,
];

const afterCrash: readonly PromisedAfterCrash[] = [
  [
    "what only the journal has is brought in, once and in order, and writing goes on",
    async (store, crash) => {
      const opened = {
        tasks: [task("i-1")],
        timersSet: [timer("1", 5), timer("2", 5)],
        effects: [effect("i:1:0")],
        wrappedKey: "key",
      };
      const j = row({ instance: "j", projection: { effects: [effect("j:1:0")] } });
      await store.append([row({ projection: opened }), j]);
      const closed = {
        tasks: [task("i-1", { status: "approved" })],
        timersGone: ["1"],
        effects: [effect("i:2:0")],
        oldCommands: [{ source: "s", id: "1", digest: "d", version: 1, sequence: 1 }],
      };
      const late = row({ instance: "j", body: "late", projection: { effects: [effect("late")] } });
      assert.equal((await store.append([row({ sequence: 2, projection: closed }), late])).taken.length, 1);

      const again = await crash();
      const due = await again.dueEffects("all", 9_999, 9);
      assert.deepEqual(due.map((one) => one.effect.id).toSorted(), ["i:1:0", "i:2:0", "j:1:0"]);
      assert.deepEqual(
        (await again.dueTimers("all", 9_999, 9)).map((one) => one.timer.id),
        ["2"],
      );
      const { items: tasks } = await again.tasks({ tenant: "t" }, { limit: 9 });
      assert.deepEqual(
        tasks.map((one) => [one.task.id, one.task.status]),
        [["i-1", "approved"]],
      );
      const { items: instances } = await again.instances({ tenant: "t" }, { limit: 9 });
      assert.deepEqual(
        instances.map(({ instance, version }) => [instance, version]),
        [
          ["j", 1],
          ["i", 2],
        ],
      );
      assert.equal((await again.findCommands([{ ...KEY, source: "s", id: "1" }]))[0]?.digest, "d");
      const [loaded] = await again.load([KEY]);
      assert.deepEqual([loaded?.wrappedKey, loaded?.tail.map(({ sequence }) => sequence)], ["key", [1, 2]]);
      assert.deepEqual((await again.append([row({ sequence: 2 })])).taken, [KEY]);
      assert.deepEqual((await again.append([row({ sequence: 3 }), row({ instance: "k" })])).taken, []);
      assert.equal((await again.instances({ tenant: "t" }, { limit: 9 })).items[0]?.instance, "k");
    },
  ],
  [
    "what was projected before is not brought in again: an effect that was carried out stays so",
    async (store, crash) => {
      await store.append([row({ projection: { effects: [effect("i:1:0"), effect("i:1:1")], tasks: [task("i-1")] } })]);
      assert.equal((await store.dueEffects("all", 9_999, 9)).length, 2);
      await store.settleEffects([{ tenant: "t", id: "i:1:0", kind: "done" }]);
      assert.deepEqual(effectIds(await store.dueEffects("all", 9_999, 9)), ["i:1:1"]);
      await store.append([row({ sequence: 2, projection: { tasks: [task("i-1", { status: "approved" })] } })]);
      const again = await crash();
      assert.deepEqual(effectIds(await again.dueEffects("all", 9_999, 9)), ["i:1:1"]);
      assert.equal((await again.tasks({ tenant: "t" }, { limit: 9 })).items[0]?.task.status, "approved");
    },
  ],
  [
    "dead letters, settings and what was settled otherwise are durable at once",
    async (store, crash) => {
      await store.append([row({ projection: { effects: [effect("i:1:0")] } })]);
      await store.settleEffects([{ tenant: "t", id: "i:1:0", kind: "dead", error: "never" }]);
      await store.deadLetter(letter("l1"));
      await store.setSetting("name", "value");
      const again = await crash();
      assert.equal((await again.findEffect("t", "i:1:0"))?.state, "dead");
      assert.deepEqual(await again.findDeadLetter("t", "l1"), letter("l1"));
      assert.equal(await again.getSetting("name"), "value");
    },
  ],
];
