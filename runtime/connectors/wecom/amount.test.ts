import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { fenToYuan, plainDecimal, yuanToFen } from "./amount.ts";
import { vectors } from "./fixtures/vectors.ts";

describe("amounts", () => {
  for (const row of vectors.money_to_fen) {
    test(`${JSON.stringify(row.in)} yuan is ${row.fen} fen`, () => {
      const fen = yuanToFen(row.in);
      if (row.fen === "reject") assert.equal(fen.ok, false);
      else assert.deepEqual(fen, { ok: true, value: row.fen ?? undefined });
    });
  }

  const shortest: readonly [string, string | undefined][] = [
    ["007.50", "7.5"],
    ["120000.0", "120000"],
    ["-0.0", "0"],
    ["0.25", "0.25"],
    ["-3", "-3"],
    ["1e3", undefined],
    ["", undefined],
    ["0x10", undefined],
  ];
  for (const [text, expected] of shortest) {
    test(`${JSON.stringify(text)} is the decimal ${expected}`, () => {
      const decimal = plainDecimal(text);
      assert.equal(decimal.ok ? decimal.value : undefined, expected);
    });
  }

  test("fen and back is exact for every amount", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 16n), max: 10n ** 16n }), (fen) => {
        assert.deepEqual(yuanToFen(fenToYuan(String(fen))), { ok: true, value: String(fen) });
      }),
    );
  });
});
