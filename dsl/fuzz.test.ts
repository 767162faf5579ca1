import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { bareTree } from "./bare-tree.ts";
import { format } from "./format.ts";
import { anyText, generated, spansOf, spoilt } from "./fuzz-testing.ts";
import { parse } from "./parse.ts";
import { everything } from "./syntax-samples.ts";

/** How often each property is tried; very many times in `*.fuzz.test.ts`. */
const numRuns = 200;

function isReadWhole(text: string): void {
  const { diagnostics, ast } = parse(text, "x.flow");
  for (const { start, end } of spansOf([ast, diagnostics])) {
    assert.ok(0 <= start && start <= end && end <= text.length, `${start}-${end}`);
  }
  assert.deepEqual(
    diagnostics,
    diagnostics.toSorted((a, b) => a.span.start - b.span.start),
  );
}

function keepsItsLaws(text: string): boolean {
  const before = parse(text, "x.flow");
  const once = format(text);
  if (!("text" in once)) return false;
  const after = parse(once.text, "x.flow");
  assert.deepEqual(bareTree(after.ast), bareTree(before.ast));
  assert.deepEqual(format(once.text), once);
  const comments = (all: typeof before.comments) => all.map((one) => one.text.replace(/\r\n?/g, "\n").trimEnd()).sort();
  assert.deepEqual(comments(after.comments), comments(before.comments));
  return true;
}

describe("any text", () => {
  it("is read without a throw, with every place in it", () => {
    fc.assert(fc.property(anyText, isReadWhole), { numRuns });
  });

  it("keeps its meaning and its comments when it is laid out, and is laid out only once", () => {
    let laidOut = 0;
    const texts = fc.oneof(generated, generated, generated, spoilt(fc.constant(everything)));
    fc.assert(
      fc.property(texts, (text) => {
        if (keepsItsLaws(text)) laidOut++;
      }),
      { numRuns },
    );
    assert.ok(laidOut > numRuns / 5, `only ${laidOut} were sound`);
  });
});
