import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { EventBus } from "./event-bus.ts";

interface Numbered {
  readonly n: number;
}

const numbered = (n: number): Numbered => ({ n });

describe("topics", () => {
  const TOPICS: readonly [pattern: string, topic: string, arrives: boolean][] = [
    ["a.b", "a.b", true],
    ["a.b", "a.b.c", false],
    ["a.*", "a.b", true],
    ["a.*", "a.b.c", false],
    ["*.b.*", "a.b.c", true],
    ["a.>", "a", false],
    ["a.>", "a.b", true],
    ["a.>", "a.b.c.d", true],
    [">", "a", true],
  ];
  for (const [pattern, topic, arrives] of TOPICS) {
    test(`\`${topic}\` ${arrives ? "reaches" : "does not reach"} who subscribed to \`${pattern}\``, () => {
      const bus = new EventBus<Numbered>();
      const seen: string[] = [];
      bus.subscribe(pattern, (_event, at) => seen.push(at));
      assert.equal(bus.has(topic), arrives);
      bus.publish(topic, numbered(1));
      assert.deepEqual(seen, arrives ? [topic] : []);
    });
  }

  test("who comes later gets what is published later, who leaves nothing more", () => {
    const bus = new EventBus<Numbered>();
    const [first, second]: [number[], number[]] = [[], []];
    const leave = bus.subscribe("a", ({ n }) => first.push(n));
    bus.publish("a", numbered(1));
    bus.subscribe("*", ({ n }) => second.push(n));
    bus.publish("a", numbered(2));
    leave();
    leave();
    bus.publish("a", numbered(3));
    assert.deepEqual(
      [first, second],
      [
        [1, 2],
        [2, 3],
      ],
    );
  });

  test("who was asked to leave by somebody before gets nothing more, also of the event under way", () => {
    const bus = new EventBus<Numbered>();
    const seen: number[] = [];
    let leave = (): void => {};
    bus.subscribe("a", () => leave());
    leave = bus.subscribe("a", ({ n }) => seen.push(n));
    bus.publish("a", numbered(1));
    assert.deepEqual(seen, []);
  });

  test("buses of one process know nothing of each other", () => {
    const [one, other] = [new EventBus<Numbered>(), new EventBus<Numbered>()];
    const seen: number[] = [];
    one.use(() => undefined);
    other.subscribe(">", ({ n }) => seen.push(n));
    one.publish("a", numbered(1));
    other.publish("a", numbered(2));
    assert.deepEqual([seen, one.figures.stopped, other.figures.stopped], [[2], 1, 0]);
  });
});

describe("middleware", () => {
  for (const count of [0, 1, 2, 3, 4, 7]) {
    test(`${count} of them see an event in the order in which they were named`, () => {
      const bus = new EventBus<{ readonly path: string }>();
      for (let n = 0; n < count; n++) bus.use(({ path }) => ({ path: path + n }));
      const seen: string[] = [];
      bus.subscribe(">", ({ path }) => seen.push(path));
      bus.publish("a", { path: ">" });
      assert.deepEqual(seen, [`>${"0123456".slice(0, count)}`]);
    });
  }

  for (const count of [1, 2, 3, 5]) {
    for (let stopping = 0; stopping < count; stopping++) {
      test(`number ${stopping + 1} of ${count} stops an event: nobody behind it sees it, and it is counted`, () => {
        const bus = new EventBus<Numbered>();
        const seen: string[] = [];
        for (let n = 0; n < count; n++) {
          bus.use((event) => {
            seen.push(`middleware ${n}`);
            return n === stopping ? undefined : event;
          });
        }
        bus.subscribe(">", () => seen.push("subscriber"));
        bus.publish("a", numbered(1));
        assert.deepEqual(
          seen,
          Array.from({ length: stopping + 1 }, (_, n) => `middleware ${n}`),
        );
        assert.equal(bus.figures.stopped, 1);
      });
    }
  }

  test("what one throws reaches who publishes", () => {
    const bus = new EventBus<Numbered>();
    bus.use(() => {
      throw new Error("no");
    });
    assert.throws(() => bus.publish("a", numbered(1)), /no/);
  });
});

/** A handler that finishes with an event when it is told to. */
class Slow {
  readonly begun: number[] = [];
  readonly #ends: (() => void)[] = [];

  readonly handle = ({ n }: Numbered): Promise<void> => {
    this.begun.push(n);
    return new Promise((resolve) => this.#ends.push(resolve));
  };

  /** With the oldest one; resolves when the next has begun, if any waits. */
  async finish(): Promise<void> {
    this.#ends.shift()?.();
    await ticks();
  }
}

/** Long enough for what is already decided to happen. */
const ticks = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("back-pressure", () => {
  test("a busy handler gets its events one by one, in order, and others don't wait for it", async () => {
    const bus = new EventBus<Numbered>();
    const slow = new Slow();
    const quick: number[] = [];
    bus.subscribe("a", slow.handle);
    bus.subscribe("a", ({ n }) => quick.push(n));
    for (const n of [1, 2, 3]) assert.equal(bus.publish("a", numbered(n)), undefined);
    assert.deepEqual([slow.begun, quick, bus.figures.waiting], [[1], [1, 2, 3], 2]);
    for (const begun of [
      [1, 2],
      [1, 2, 3],
      [1, 2, 3],
    ]) {
      await slow.finish();
      assert.deepEqual(slow.begun, begun);
    }
    bus.publish("a", numbered(4));
    assert.deepEqual(slow.begun, [1, 2, 3, 4]);
  });

  test("a full queue makes the publisher wait until there is room; nothing is dropped", async () => {
    const bus = new EventBus<Numbered>();
    const slow = new Slow();
    bus.subscribe("a", slow.handle, { queueMax: 2 });
    const published = [1, 2, 3, 4, 5].map((n) => bus.publish("a", numbered(n)));
    assert.deepEqual(
      published.map((room) => room === undefined),
      [true, true, true, false, false],
    );
    let hasRoom = 0;
    for (const room of published) void room?.then(() => hasRoom++);
    await ticks();
    assert.equal(hasRoom, 0);
    await slow.finish();
    assert.equal(hasRoom, 1);
    for (let n = 0; n < 4; n++) await slow.finish();
    assert.equal(hasRoom, 2);
    assert.deepEqual([slow.begun, bus.figures], [[1, 2, 3, 4, 5], { dropped: 0, waiting: 0, stopped: 0 }]);
  });

  test("only who asked for lossy loses the oldest that wait, and they are counted, also after he left", async () => {
    const bus = new EventBus<Numbered>();
    const [lossy, whole] = [new Slow(), new Slow()];
    const leave = bus.subscribe("a", lossy.handle, { queueMax: 2, lossy: true });
    bus.subscribe("a", whole.handle);
    for (let n = 1; n <= 6; n++) assert.equal(bus.publish("a", numbered(n)), undefined);
    for (let n = 0; n < 6; n++) {
      await lossy.finish();
      await whole.finish();
    }
    assert.deepEqual([lossy.begun, whole.begun, bus.figures.dropped], [[1, 5, 6], [1, 2, 3, 4, 5, 6], 3]);
    leave();
    assert.equal(bus.figures.dropped, 3);
  });

  test("who leaves lets the publishers go that wait for him", async () => {
    const bus = new EventBus<Numbered>();
    const slow = new Slow();
    const leave = bus.subscribe("a", slow.handle, { queueMax: 1 });
    const rooms = [1, 2, 3].map((n) => bus.publish("a", numbered(n)));
    leave();
    await rooms[2];
    await slow.finish();
    assert.deepEqual([slow.begun, bus.publish("a", numbered(4)), slow.begun], [[1], undefined, [1]]);
  });

  test("a handler that fails, at once or later, is told of and goes on", async () => {
    const problems: unknown[] = [];
    const bus = new EventBus<Numbered>((error) => problems.push(error));
    const seen: number[] = [];
    bus.subscribe("a", async ({ n }) => {
      seen.push(n);
      throw new Error(`later ${n}`);
    });
    bus.subscribe("a", ({ n }) => {
      throw new Error(`at once ${n}`);
    });
    bus.publish("a", numbered(1));
    bus.publish("a", numbered(2));
    await ticks();
    assert.deepEqual(seen, [1, 2]);
    assert.deepEqual(problems.map((error) => (error as Error).message).toSorted(), [
      "at once 1",
      "at once 2",
      "later 1",
      "later 2",
    ]);
  });

  test("whatever is published while handlers are busy or not, everybody sees all of it in order", async () => {
    const step = fc.record({ count: fc.nat(5), finish: fc.nat(3) });
    await fc.assert(
      fc.asyncProperty(fc.array(step), fc.integer({ min: 1, max: 4 }), async (steps, queueMax) => {
        const bus = new EventBus<Numbered>();
        const slow = new Slow();
        const quick: number[] = [];
        bus.subscribe("a", slow.handle, { queueMax });
        bus.subscribe("a", ({ n }) => quick.push(n));
        let sent = 0;
        for (const { count, finish } of steps) {
          for (let n = 0; n < count; n++) void bus.publish("a", numbered(++sent));
          for (let n = 0; n < finish; n++) await slow.finish();
        }
        while (slow.begun.length < sent) await slow.finish();
        const all = Array.from({ length: sent }, (_, n) => n + 1);
        assert.deepEqual([slow.begun, quick], [all, all]);
      }),
      { numRuns: 50 },
    );
  });
});
