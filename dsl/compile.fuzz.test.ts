import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { compile } from "./compile.ts";
import { COMPLETE, EVERYTHING } from "./compile-fixtures.ts";
import { fuzzRuns, reworded, smallText, spansOf } from "./fuzz-testing.ts";

/** Places in the text; `related` may be in another file. */
function places(text: string): { readonly start: number; readonly end: number }[] {
  const { diagnostics } = compile(text, "x.flow");
  return spansOf(diagnostics.map(({ span, fix }) => [span, fix]));
}

it("any text is checked without a throw, with every diagnostic in it", () => {
  const flows = reworded(fc.constantFrom(COMPLETE, EVERYTHING));
  const texts = fc.oneof({ weight: 9, arbitrary: smallText }, { weight: 1, arbitrary: flows });
  const isChecked = fc.property(texts, (text) => {
    for (const { start, end } of places(text))
      assert.ok(0 <= start && start <= end && end <= text.length, `${start}-${end}`);
  });
  fc.assert(isChecked, { numRuns: fuzzRuns(30_000) });
});
