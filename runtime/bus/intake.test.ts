import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { BusMessage } from "../ports.ts";
import { BATCH_MAX, type Delivery, Intake, RETRY_AFTER_FAILURE_MS } from "./intake.ts";

/** An intake whose delays end when the test says so, and whose handler leaves everything to the test. */
class Bench {
  readonly batches: (readonly BusMessage[])[] = [];
  readonly out: BusMessage[] = [];
  readonly acked: number[] = [];
  readonly delays: { delayMs: number; callBack: () => void }[] = [];
  readonly problems: unknown[] = [];
  failNext = false;
  readonly intake = new Intake({
    handler: async (messages) => {
      if (this.failNext) {
        this.failNext = false;
        throw new Error("handler");
      }
      this.batches.push(messages);
      this.out.push(...messages);
    },
    onProblem: (error) => this.problems.push(error),
    after: (delayMs, callBack) => {
      const delay = { delayMs, callBack };
      this.delays.push(delay);
      return () => void this.delays.splice(this.delays.indexOf(delay), 1);
    },
  });

  offer(subject: string, ...positions: readonly number[]): void {
    for (const position of positions) this.intake.offer(this.delivery(subject, position));
  }

  delivery(subject: string, position: number, deliveries = 1): Delivery {
    return { subject, position, headers: {}, body: new Uint8Array(), deliveries, ack: () => this.acked.push(position) };
  }

  /** Everything that is due has run, the handler included. */
  settle(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  endDelays(): void {
    for (const { callBack } of this.delays.splice(0)) callBack();
  }

  take(): number[] {
    return this.out.splice(0).map((message) => Number(message.sequence));
  }
}

describe("the intake", () => {
  test("hands out in batches what came together", async () => {
    const bench = new Bench();
    for (let position = 1; position <= BATCH_MAX + 10; position++) bench.offer("a", position);
    await bench.settle();
    assert.deepEqual(
      bench.batches.map((batch) => batch.length),
      [BATCH_MAX, 10],
    );
  });

  test("holds a subject until the delay is over and all that is out of it is settled; others go on", async () => {
    const bench = new Bench();
    bench.offer("a", 1, 2);
    await bench.settle();
    const [first, second] = bench.out.splice(0);
    first!.retry(500);
    bench.offer("a", 3);
    bench.offer("b", 4);
    await bench.settle();
    assert.deepEqual(bench.take(), [4]);
    assert.deepEqual(
      bench.delays.map(({ delayMs }) => delayMs),
      [500],
    );
    bench.endDelays();
    await bench.settle();
    assert.deepEqual(bench.take(), [], "the second is still out");
    second!.retry(0);
    bench.endDelays();
    await bench.settle();
    assert.deepEqual(
      bench.out.map((message) => message.deliveries),
      [2, 2, 1],
    );
    assert.deepEqual(bench.take(), [1, 2, 3]);
  });

  test("what waits in the queue behind a retried message waits with it", async () => {
    const bench = new Bench();
    const arrived: BusMessage[] = [];
    let release = () => {};
    const intake = new Intake({
      handler: async (messages) => {
        arrived.push(...messages);
        if (arrived.length === 1) await new Promise<void>((resolve) => (release = resolve));
      },
      onProblem: (error) => assert.ifError(error),
      after: (delayMs, callBack) => {
        bench.delays.push({ delayMs, callBack });
        return () => {};
      },
    });
    intake.offer(bench.delivery("a", 1));
    await bench.settle();
    intake.offer(bench.delivery("a", 2));
    intake.offer(bench.delivery("b", 3));
    arrived[0]!.retry(10);
    release();
    await bench.settle();
    assert.deepEqual(
      arrived.map(({ sequence }) => sequence),
      ["1", "3"],
    );
    bench.endDelays();
    await bench.settle();
    assert.deepEqual(
      arrived.map(({ sequence }) => sequence),
      ["1", "3", "1", "2"],
    );
  });

  test("what a failing handler left is retried", async () => {
    const bench = new Bench();
    bench.failNext = true;
    bench.offer("a", 1, 2);
    await bench.settle();
    assert.equal(bench.problems.length, 1);
    assert.ok(bench.delays.every(({ delayMs }) => delayMs === RETRY_AFTER_FAILURE_MS));
    bench.endDelays();
    await bench.settle();
    assert.deepEqual(bench.take(), [1, 2]);
  });

  test("the same message again is not handed out again, but acked the new way", async () => {
    const bench = new Bench();
    bench.offer("a", 1);
    await bench.settle();
    const acks: string[] = [];
    bench.intake.offer({ ...bench.delivery("a", 1, 2), ack: () => acks.push("new") });
    await bench.settle();
    assert.equal(bench.out.length, 1);
    bench.out[0]!.ack();
    bench.out[0]!.ack();
    bench.out[0]!.retry(0);
    assert.deepEqual([acks, bench.acked], [["new"], []]);
    assert.deepEqual([...bench.intake.unsettled()], []);
  });

  test("what is forgotten may come again, what is out is not forgotten", async () => {
    const bench = new Bench();
    bench.offer("a", 1, 2);
    await bench.settle();
    bench.out[0]!.retry(5);
    bench.offer("a", 3);
    bench.intake.forget();
    assert.deepEqual(
      [...bench.intake.unsettled()].map(({ position }) => position),
      [2],
    );
    bench.out[1]!.ack();
    bench.take();
    bench.offer("a", 1, 3);
    bench.endDelays();
    await bench.settle();
    assert.deepEqual(bench.take(), [1, 3]);
  });

  test("after stopping nothing comes any more", async () => {
    const bench = new Bench();
    bench.offer("a", 1);
    await bench.settle();
    bench.offer("a", 2);
    bench.intake.stop();
    await bench.settle();
    bench.out[0]!.retry(1);
    assert.deepEqual(bench.delays, []);
    assert.deepEqual(bench.take(), [1]);
  });

  test("whatever is retried, each subject is acked in order and nothing is lost", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 40 }),
        fc.infiniteStream(fc.constantFrom("ack", "ack", "retry", "delay")),
        async (subjects, choices) => {
          const bench = new Bench();
          subjects.forEach((subject, index) => {
            bench.offer(subject, index);
          });
          const ackedOf = new Map<string, number[]>();
          await bench.settle();
          while ([...bench.intake.unsettled()].length > 0) {
            const failed = new Set<string>();
            for (const message of bench.out.splice(0)) {
              const choice = choices.next().value;
              if (choice === "delay") bench.endDelays();
              if (choice === "retry" || failed.has(message.subject)) {
                failed.add(message.subject);
                message.retry(1);
              } else {
                message.ack();
                ackedOf.set(message.subject, [...(ackedOf.get(message.subject) ?? []), Number(message.sequence)]);
              }
            }
            bench.endDelays();
            await bench.settle();
          }
          for (const [subject, acked] of ackedOf) {
            assert.deepEqual(
              acked,
              [...subjects.keys()].filter((index) => subjects[index] === subject),
            );
          }
          assert.equal(bench.acked.length, subjects.length);
        },
      ),
      { numRuns: 60 },
    );
  });
});
