import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Clock, Held, Store } from "../ports.ts";
import { openMemoryStore } from "../stores/memory-store.ts";
import { storeWith } from "../testing.ts";
import { LOOK_MS, Ownership } from "./ownership.ts";

/** Time that passes when the test says so. */
class HandClock implements Clock {
  #nowMs = 0;
  readonly #waiting = new Set<{ readonly atMs: number; readonly callBack: () => void }>();

  readonly now = () => this.#nowMs;
  readonly steadyMs = () => this.#nowMs;
  readonly soon = (callBack: () => void) => void setImmediate(callBack);
  readonly after = (delayMs: number, callBack: () => void) => {
    const one = { atMs: this.#nowMs + delayMs, callBack };
    this.#waiting.add(one);
    return () => void this.#waiting.delete(one);
  };

  /** All that is due meanwhile is done, with what follows from it at once. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const [next] = [...this.#waiting].filter(({ atMs }) => atMs <= untilMs).toSorted((a, b) => a.atMs - b.atMs);
      if (!next) break;
      this.#nowMs = next.atMs;
      this.#waiting.delete(next);
      next.callBack();
      await settled();
    }
    this.#nowMs = untilMs;
    await settled();
  }
}

const settled = async (): Promise<void> => {
  for (let n = 0; n < 20; n++) await Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
};

const PARTITIONS = 8;

/** Nodes on one store, of which each can be cut off from it. */
class Nodes {
  readonly store = openMemoryStore({ shared: true });
  readonly clock = new HandClock();
  readonly errors: unknown[] = [];
  readonly taken: [node: string, held: readonly Held[]][] = [];
  readonly found: string[] = [];
  /** Work that is under way when partitions change. */
  underWay: Promise<void> = Promise.resolve();
  readonly all = new Map<string, Ownership>();
  /** Nodes that the bus does not reach. */
  readonly away = new Set<string>();

  add(node: string, store: Store = this.store, clock: Clock = this.clock): Ownership {
    const ownership = new Ownership({
      ...{ store, clock, node, partitions: PARTITIONS },
      isConnected: () => !this.away.has(node),
      changed: async (held) => {
        this.taken.push([node, held]);
        await this.underWay;
      },
      found: () => this.found.push(node),
      released: () => {
        for (const [name, other] of this.all) if (name !== node) void other.look();
      },
      onError: (error) => this.errors.push(error),
    });
    this.all.set(node, ownership);
    return ownership;
  }

  counts(): Record<string, number> {
    return Object.fromEntries([...this.all].map(([name, node]) => [name, node.partitions().length]));
  }

  /** No partition is two nodes'. */
  assertNoneTwice(): void {
    const held = [...this.all.values()].flatMap((node) => node.partitions());
    assert.equal(new Set(held).size, held.length, "a partition has two owners");
  }
}

describe("owning partitions", () => {
  test("one node has all of them after its first look", async () => {
    const nodes = new Nodes();
    const a = nodes.add("a");
    await a.start();
    assert.equal(a.partitions().length, PARTITIONS);
    assert.ok(a.has(3) && !a.has(PARTITIONS));
    assert.deepEqual(nodes.taken.at(-1)?.[1].length, PARTITIONS);
    await a.stop();
  });

  test("nodes that come get their share, never one that another still has", async () => {
    const nodes = new Nodes();
    for (const name of ["a", "b", "c"]) {
      await nodes.add(name).start();
      for (let n = 0; n < 4; n++) {
        await nodes.clock.pass(LOOK_MS / 2);
        nodes.assertNoneTwice();
      }
    }
    assert.deepEqual(Object.values(nodes.counts()).toSorted(), [2, 3, 3]);
    for (const node of nodes.all.values()) await node.stop();
  });

  test("what is under way of a partition is finished before another may have it", async () => {
    const nodes = new Nodes();
    await nodes.add("a").start();
    const work = Promise.withResolvers<void>();
    nodes.underWay = work.promise;
    await nodes.add("b").start();
    await nodes.clock.pass(LOOK_MS * 2);
    assert.deepEqual(nodes.counts(), { a: 4, b: 0 });
    nodes.underWay = Promise.resolve();
    work.resolve();
    await nodes.clock.pass(LOOK_MS);
    assert.deepEqual(nodes.counts(), { a: 4, b: 4 });
    for (const node of nodes.all.values()) await node.stop();
  });

  test("work that does not end is waited for only so long", async () => {
    const nodes = new Nodes();
    await nodes.add("a").start();
    nodes.underWay = new Promise(() => {});
    await nodes.add("b").start();
    await nodes.clock.pass(LOOK_MS * 8);
    assert.deepEqual(nodes.counts(), { a: 4, b: 4 });
    for (const node of nodes.all.values()) await node.stop();
  });

  test("a node that stops lets go at once", async () => {
    const nodes = new Nodes();
    const [a, b] = [nodes.add("a"), nodes.add("b")];
    await a.start();
    await b.start();
    await nodes.clock.pass(LOOK_MS * 3);
    await a.stop();
    assert.deepEqual(a.partitions(), []);
    await settled();
    assert.equal(b.partitions().length, PARTITIONS, "without waiting for the next look");
    assert.deepEqual(
      (await nodes.store.cluster()).members.map(({ node }) => node),
      ["b"],
    );
    await b.stop();
  });

  test("a node that dies is waited for, then others have what was its own, and it is buried once", async () => {
    const nodes = new Nodes();
    for (const name of ["a", "b", "c"]) await nodes.add(name).start();
    await nodes.clock.pass(LOOK_MS * 4);
    const dead = await cutOff(nodes, "b");
    await nodes.clock.pass(LOOK_MS * 4);
    assert.ok(nodes.counts()["a"]! + nodes.counts()["c"]! < PARTITIONS, "it may still be alive");
    await nodes.clock.pass(LOOK_MS * 4);
    assert.deepEqual([nodes.counts()["a"], nodes.counts()["c"]], [4, 4]);
    assert.deepEqual(dead.partitions(), []);
    assert.equal(nodes.found.length, 1);
    for (const node of ["a", "c"]) await nodes.all.get(node)!.stop();
  });

  /** In place of a node comes one that does not reach the store any more. */
  async function cutOff(nodes: Nodes, name: string): Promise<Ownership> {
    const away = async (): Promise<never> => {
      throw new Error("away");
    };
    await nodes.all.get(name)!.stop();
    // Its claims as it had them, and a heart that beats no more.
    const deadStore = storeWith(nodes.store, { beat: away });
    const view = await nodes.store.cluster();
    const free = view.claims.filter(({ node }) => node === undefined || node === name);
    await nodes.store.beat({ node: name, beats: 99 });
    for (const { partition, epoch } of free.slice(0, 3))
      await nodes.store.claim({ partition, epoch: epoch + 1, node: name });
    const dead = nodes.add(name, deadStore);
    await dead.start();
    return dead;
  }

  test("a node that starts where another was killed has at once what that one had", async () => {
    const nodes = new Nodes();
    await nodes.add("a").start("here");
    nodes.all.delete("a");
    const b = nodes.add("b");
    await b.start("here");
    assert.equal(b.partitions().length, PARTITIONS);
    assert.deepEqual([nodes.found, (await nodes.store.cluster()).members.map(({ node }) => node)], [["b"], ["b"]]);
    await b.stop();
  });

  test("a node that was paused has nothing when it wakes, and claims what is free", async () => {
    const nodes = new Nodes();
    const paused = new HandClock();
    const a = nodes.add("a", nodes.store, paused);
    const b = nodes.add("b");
    await a.start();
    await b.start();
    await nodes.clock.pass(LOOK_MS * 8);
    assert.equal(b.partitions().length, PARTITIONS, "the rival has all");
    await paused.pass(LOOK_MS * 4);
    nodes.assertNoneTwice();
    await nodes.clock.pass(LOOK_MS * 2);
    await paused.pass(LOOK_MS * 2);
    await nodes.clock.pass(LOOK_MS * 2);
    nodes.assertNoneTwice();
    assert.deepEqual(nodes.counts(), { a: 4, b: 4 });
    for (const node of nodes.all.values()) await node.stop();
  });

  test("a node that can't reach the store carries out nothing after a lease time", async () => {
    const nodes = new Nodes();
    let isAway = false;
    const flaky = storeWith(nodes.store, {
      beat: (member) => (isAway ? Promise.reject(new Error("away")) : nodes.store.beat(member)),
    });
    const a = nodes.add("a", flaky);
    await a.start();
    isAway = true;
    await nodes.clock.pass(LOOK_MS * 3);
    assert.equal(a.partitions().length, PARTITIONS);
    await nodes.clock.pass(LOOK_MS);
    assert.deepEqual([a.partitions().length, a.has(0)], [0, false]);
    isAway = false;
    await nodes.clock.pass(LOOK_MS);
    assert.equal(a.partitions().length, PARTITIONS);
    assert.ok(nodes.errors.length > 0);
    await a.stop();
  });

  test("a node that the bus does not reach for a while lets others have its partitions, and gets its share again", async () => {
    const nodes = new Nodes();
    for (const name of ["a", "b"]) await nodes.add(name).start();
    await nodes.clock.pass(LOOK_MS * 3);
    nodes.away.add("a");
    await nodes.clock.pass(LOOK_MS * 2);
    assert.deepEqual(nodes.counts(), { a: 4, b: 4 }, "it may be back in a moment");
    await nodes.clock.pass(LOOK_MS * 3);
    assert.deepEqual(nodes.counts(), { a: 0, b: 8 });
    nodes.away.add("b");
    await nodes.clock.pass(LOOK_MS * 6);
    assert.deepEqual(nodes.counts(), { a: 4, b: 4 }, "while it reaches nobody, all do the rest");
    nodes.away.clear();
    await nodes.clock.pass(LOOK_MS * 3);
    assert.deepEqual(nodes.counts(), { a: 4, b: 4 });
    for (const node of nodes.all.values()) await node.stop();
  });

  test("who is asked to look while looking looks once more", async () => {
    const nodes = new Nodes();
    let looks = 0;
    const counting = storeWith(nodes.store, {
      cluster: () => {
        looks += 1;
        return nodes.store.cluster();
      },
    });
    const a = nodes.add("a", counting);
    const started = a.start();
    void a.look();
    void a.look();
    await started;
    await settled();
    assert.equal(looks, 2);
    await a.stop();
  });
});
