import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Diagnostic, TextEdit } from "./diagnostic.ts";
import { applyFixes, mend } from "./fixes.ts";
import { compile } from "./index.ts";

type Edit = readonly [start: number, end: number, text: string];

function diagnostic(...edits: readonly Edit[]): Diagnostic {
  const fix = edits.map(([start, end, text]): TextEdit => ({ span: { start, end }, text }));
  const span = { start: 0, end: 0 };
  return { code: "FLOW004", severity: "error", message: "", file: "x.flow", span, ...(fix.length > 0 && { fix }) };
}

describe("applyFixes", () => {
  for (const [what, fixes, text, count] of [
    ["nothing without a fix", [[]], "abcdef", 0],
    ["a replacement", [[[1, 3, "X"]]], "aXdef", 1],
    ["several, in any order", [[[4, 5, "Y"]], [[0, 1, "XX"]]], "XXbcdYf", 2],
    ["an insertion before a replacement that begins later", [[[1, 1, "X"]], [[2, 3, "Y"]]], "aXbYdef", 2],
    ["an insertion at the end of a replacement", [[[1, 3, "Y"]], [[3, 3, "X"]]], "aYXdef", 2],
    ["of two that overlap the first", [[[1, 4, "X"]], [[3, 5, "Y"]]], "aXef", 1],
    ["of two at one place the first", [[[2, 2, "X"]], [[2, 2, "Y"]]], "abXcdef", 1],
    ["a fix of several edits", [[[0, 0, "("], [6, 6, ")"]]], "(abcdef)", 1], // biome-ignore format: a table
    ["a fix whole or not at all", [[[0, 1, "X"]], [[0, 1, "Y"], [4, 5, "Z"]]], "Xbcdef", 1], // biome-ignore format: a table
  ] as const) {
    it(`applies ${what}`, () => {
      const diagnostics = fixes.map((edits) => diagnostic(...edits));
      assert.deepEqual(applyFixes("abcdef", diagnostics), { text, fixes: count });
    });
  }
});

describe("mend", () => {
  const wrong = (text: string) => compile(text, "x.flow").diagnostics;

  it("mends what a mended mistake has hidden, too", () => {
    const text = `state machine "x" {
  initail：A
  states: [A, B，C]
  trasitions { A => B on "go" if key = "k" and initiater != "u"; B -> C after 3d }
}`;
    const mended = mend(text, wrong);
    assert.equal(
      mended.text,
      `state machine "x" {
  initial:A
  states: [A, B,C]
  transitions { A → B on "go" if key == "k" and initiator != "u"; B -> C after 3d }
}`,
    );
    assert.equal(mended.fixes, 7);
    assert.deepEqual(wrong(mended.text), []);
  });

  it("takes commas between items of a block for what ends them", () => {
    const text = `state machine "x" {
  data { a: int, b: int，c: int },
  initial: A，
  states: [A, B],
  transitions { A → B after 3d if key == "k", A → B after 4d else }
},`;
    const before = wrong(text).map(({ code, message }) => `${code} ${message}`);
    const between = (sign: string) => `FLOW004 Write \`;\` for \`${sign}\`: it stands between items of a block.`;
    const behind = (sign: string) => `FLOW004 Leave out the \`${sign}\`: an item of a block ends with its line.`;
    assert.deepEqual(before, [
      between(","),
      between("，"),
      ...[behind(","), behind("，"), behind(",")],
      between(","),
      behind(","),
    ]);
    assert.equal(
      mend(text, wrong).text,
      `state machine "x" {
  data { a: int; b: int;c: int }
  initial: A
  states: [A, B]
  transitions { A → B after 3d if key == "k"; A → B after 4d else }
}`,
    );
  });

  it("does not take one short name for another", () => {
    const text = `state machine "x" { data { kind: one of [a, b] }; initial: A; states: [A, B]
  transitions { A → C on "go" if kind is set and kind == c; A → B after 3d } }`;
    const found = wrong(text).filter(({ severity }) => severity === "error");
    assert.deepEqual(
      found.map(({ code, hint, fix }) => ({ code, hint, fix })),
      ["FLOW102", "FLOW107"].map((code) => ({ code, hint: undefined, fix: undefined })),
    );
  });

  it("leaves a sound text as it is", () => {
    const text = 'state machine "x" { initial: A; states: [A, B]; transitions { A → B after 3d } }';
    assert.deepEqual(mend(text, wrong), { text, fixes: 0 });
  });

  it("comes to an end where fixes undo each other", () => {
    const turn = (text: string) => [diagnostic([0, 1, text === "a" ? "b" : "a"])];
    assert.deepEqual(mend("a", turn), { text: "a", fixes: 10 });
  });
});
