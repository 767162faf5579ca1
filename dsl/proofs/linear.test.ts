import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Inequality, type Range, solve } from "./linear.ts";

const SIZE = 4;
const range: Range = { low: BigInt(-SIZE), high: BigInt(SIZE), preferred: 0n };

function holds({ terms, max }: Inequality, values: readonly bigint[]): boolean {
  let sum = 0n;
  for (const [unknown, coefficient] of terms) sum += coefficient * values[unknown]!;
  return sum <= max;
}

function* everyPoint(unknowns: number): Generator<readonly bigint[]> {
  if (unknowns === 0) {
    yield [];
    return;
  }
  for (const rest of everyPoint(unknowns - 1))
    for (let value = -SIZE; value <= SIZE; value += 1) yield [...rest, BigInt(value)];
}

test("whole numbers are found exactly where there are any", () => {
  const coefficient = fc.bigInt({ min: -4n, max: 4n });
  const row = fc.record({
    parts: fc.array(coefficient, { minLength: 3, maxLength: 3 }),
    max: fc.bigInt({ min: -9n, max: 9n }),
  });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 5 }), (rows) => {
      const inequalities = rows.map(({ parts, max }): Inequality => {
        const terms = parts.flatMap((part, unknown) => (part === 0n ? [] : [[unknown, part] as const]));
        return { terms: new Map(terms), max };
      });
      const found = solve(inequalities, new Map([0, 1, 2].map((unknown) => [unknown, range])));
      if (typeof found === "string") {
        const points = [...everyPoint(3)];
        assert.equal(found, "none");
        assert.ok(!points.some((point) => inequalities.every((one) => holds(one, point))));
      } else {
        const values = [0, 1, 2].map((unknown) => found.get(unknown)!);
        assert.ok(inequalities.every((one) => holds(one, values)));
        assert.ok(values.every((value) => value >= range.low && value <= range.high));
      }
    }),
    { numRuns: 400 },
  );
});

test("what fractions could satisfy and whole numbers can't has no solution", () => {
  // 2a - 4b = 1.
  const terms = new Map([
    [0, 2n],
    [1, -4n],
  ]);
  const contrary = new Map([
    [0, -2n],
    [1, 4n],
  ]);
  const found = solve(
    [
      { terms, max: 1n },
      { terms: contrary, max: -1n },
    ],
    new Map([
      [0, range],
      [1, range],
    ]),
  );
  assert.equal(found, "none");
});
