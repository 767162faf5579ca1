import assert from "node:assert/strict";
import { test } from "node:test";
import { Admission } from "./admission.ts";

/** A queue that answers so many per millisecond, on a clock of its own. */
class Queue {
  nowMs = 0;
  waiting = 0;
  answered = 0;
  readonly admission = new Admission(
    { clock: { steadyMs: () => this.nowMs }, waiting: () => this.waiting, answered: () => this.answered },
    { waitMaxMs: 50, waitingFree: 20 },
  );

  /** @returns how many of those that came were turned away. */
  pass(ms: number, { come, answer }: { readonly come: number; readonly answer: number }): number {
    let turnedAway = 0;
    for (let n = 0; n < ms; n++) {
      this.nowMs += 1;
      for (let m = 0; m < come; m++) {
        if (this.admission.turnedAwayForMs() === undefined) this.waiting += 1;
        else turnedAway += 1;
      }
      const done = Math.min(answer, this.waiting);
      this.waiting -= done;
      this.answered += done;
    }
    return turnedAway;
  }
}

test("while as many are answered as come nobody is turned away", () => {
  const queue = new Queue();
  assert.equal(queue.pass(2_000, { come: 4, answer: 4 }), 0);
});

test("at twice the rate those are let in that are answered in time, the others are turned away", () => {
  const queue = new Queue();
  queue.pass(1_000, { come: 4, answer: 4 });
  const turnedAway = queue.pass(4_000, { come: 8, answer: 4 });
  assert.ok(turnedAway > 15_000 && turnedAway < 16_001, `${turnedAway}`);
  assert.ok(queue.waiting <= 4 * 50 + 8, `${queue.waiting} wait`);
});

test("when it takes longer fewer may wait, and when it takes less time again more", () => {
  const queue = new Queue();
  queue.pass(3_000, { come: 8, answer: 4 });
  const limit = queue.admission.limit;
  queue.pass(3_000, { come: 8, answer: 1 });
  assert.ok(queue.admission.limit < limit / 2, `${queue.admission.limit}`);
  assert.equal(queue.pass(3_000, { come: 1, answer: 8 }), 0);
  queue.pass(3_000, { come: 12, answer: 8 });
  assert.ok(queue.admission.limit > limit, `${queue.admission.limit}`);
});

test("a burst that is small is let in, however slow it was before", () => {
  const queue = new Queue();
  queue.pass(3_000, { come: 8, answer: 0 });
  queue.waiting = 0;
  assert.equal(queue.pass(1, { come: 20, answer: 0 }), 0);
});

test("who is turned away learns when those before him will be answered", () => {
  const queue = new Queue();
  queue.pass(3_000, { come: 8, answer: 4 });
  queue.waiting = 4_000;
  assert.ok(Math.abs(queue.admission.turnedAwayForMs()! - 1_000) < 100);
  queue.pass(5_000, { come: 1, answer: 0 });
  assert.equal(queue.admission.turnedAwayForMs(), 30_000);
});
