import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { anyText, fuzzRuns, smallText, spansOf } from "./fuzz-testing.ts";
import { parse } from "./parse.ts";

it("any text is read without a throw, with every place in it", () => {
  const texts = fc.oneof({ weight: 9, arbitrary: smallText }, { weight: 1, arbitrary: anyText });
  const isRead = fc.property(texts, (text) => {
    const { ast, diagnostics, comments } = parse(text, "x.flow");
    for (const { start, end } of spansOf([ast, diagnostics, comments]))
      assert.ok(0 <= start && start <= end && end <= text.length, `${start}-${end}`);
  });
  fc.assert(isRead, { numRuns: fuzzRuns(70_000) });
});
