import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Fifo } from "./fifo.ts";

test("a fifo does what an array does", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.record({ push: fc.nat({ max: 2_000 }) }), fc.record({ shift: fc.nat({ max: 2_000 }) })), {
        maxLength: 12,
      }),
      (steps) => {
        const fifo = new Fifo<number>();
        const array: number[] = [];
        let next = 0;
        for (const step of steps) {
          for (let n = 0; "push" in step && n < step.push; n++) {
            fifo.push(next);
            array.push(next++);
          }
          for (let n = 0; "shift" in step && n < step.shift; n++) assert.equal(fifo.shift(), array.shift());
          assert.equal(fifo.size, array.length);
          assert.equal(fifo.peek(), array[0]);
        }
        assert.deepEqual(fifo.drain(), array);
        assert.equal(fifo.size, 0);
      },
    ),
    { numRuns: 50 },
  );
});
