import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { rmbUpper } from "./rmb-upper.ts";

interface Vectors {
  readonly vectors: readonly { readonly fen: string; readonly upper: string }[];
}
const { vectors } = JSON.parse(readFileSync(new URL("./fixtures/rmb.json", import.meta.url), "utf8")) as Vectors;

test("every published amount is written as the regulations print it", () => {
  assert.ok(vectors.length > 80);
  for (const { fen, upper } of vectors) assert.equal(rmbUpper(BigInt(fen)), upper, fen);
});

test("a number and a bigint give the same text", () => {
  assert.equal(rmbUpper(12_850_050), "壹拾贰万捌仟伍佰元零伍角整");
  assert.equal(rmbUpper(0), "零元整");
});

test("what is written reads back as the amount", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n }), (fen) => {
      assert.equal(readUpper(rmbUpper(fen)), fen);
    }),
    { numRuns: 500 },
  );
});

/** An independent reader: sums digits by their units, ignoring 零 and 整. */
function readUpper(text: string): bigint {
  if (text.startsWith("负")) return -readUpper(text.slice(1));
  const units: Record<string, bigint> = { 拾: 10n, 佰: 100n, 仟: 1000n };
  let [total, section, yi, digit] = [0n, 0n, 0n, 0n];
  for (const sign of text) {
    const value = "零壹贰叁肆伍陆柒捌玖".indexOf(sign);
    if (value >= 0) digit = BigInt(value);
    else if (units[sign] !== undefined) section += digit * units[sign];
    else if (sign === "万") total += (section + digit) * 10_000n;
    else if (sign === "亿") [yi, total] = [(total + section + digit) * 100_000_000n, 0n];
    else if (sign === "元") total = (yi + total + section + digit) * 100n;
    else if (sign === "角") total += digit * 10n;
    else if (sign === "分") total += digit;
    if (value < 0) digit = 0n;
    if ("万亿元".includes(sign)) section = 0n;
  }
  return total;
}
