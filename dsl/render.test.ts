import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Diagnostic } from "./diagnostic.ts";
import { parse } from "./parse.ts";
import { diagnosticToJson, positionOf, renderDiagnostic } from "./render.ts";

const file = "a/x.flow";

function first(text: string): Diagnostic {
  const [diagnostic] = parse(text, file).diagnostics;
  assert.ok(diagnostic);
  return diagnostic;
}

describe("positionOf", () => {
  const text = "ab\n财务x\r\n🎉y\rz";
  for (const [at, line, column] of [
    [0, 1, 1],
    [2, 1, 3],
    [3, 2, 1],
    [5, 2, 3],
    [6, 2, 4],
    [7, 2, 5],
    [8, 3, 1],
    [10, 3, 3],
    [12, 4, 1],
    [13, 4, 2],
  ] as const) {
    it(`finds offset ${at}`, () => assert.deepEqual(positionOf(text, at), { line, column }));
  }
});

describe("renderDiagnostic", () => {
  for (const [what, text, expected] of [
    [
      "the line and the place",
      'state machine "x" {\n  initial DRAFT\n}',
      [
        "error[FLOW010]: Expected `:`, found `DRAFT`.",
        "  ┌─ a/x.flow:2:11",
        "2 │   initial DRAFT",
        "  │           ^^^^^",
        "  = hint: Write it like `initial: DRAFT`.",
      ],
    ],
    [
      "wide characters and tabs",
      'state machine "x" {\r\n\ttitle: "财务" 复核\r\n}',
      [
        "error[FLOW010]: Expected the end of the line, found `复核`.",
        "  ┌─ a/x.flow:2:14",
        '2 │   title: "财务" 复核',
        "  │                 ^^^^",
      ],
    ],
    [
      "an emoji",
      'state machine "🎉" {\n/* 🎉 */ title 3\n}',
      [
        "error[FLOW010]: Expected `:`, found `3`.",
        "  ┌─ a/x.flow:2:16",
        "2 │ /* 🎉 */ title 3",
        "  │                ^",
        '  = hint: Write it like `title: "Leave"`.',
      ],
    ],
    [
      "the end of a line, and a hint",
      'document "d" {',
      [
        "error[FLOW011]: This `{` is not closed.",
        "  ┌─ a/x.flow:1:14",
        '1 │ document "d" {',
        "  │              ^",
        "  = hint: Add the `}` it lacks.",
      ],
    ],
  ] as const) {
    it(`shows ${what}`, () => {
      assert.equal(renderDiagnostic(first(text), text, { color: false }), expected.join("\n"));
    });
  }

  it("shows an example, a path and related places", () => {
    const text = "one\ntwo\n";
    const diagnostic: Diagnostic = {
      code: "FLOW201",
      severity: "warning",
      message: "No line applies.",
      file,
      span: { start: 4, end: 7 },
      counterExample: { amount: "5000.00", days: null },
      path: ["A", "B"],
      related: [{ message: "declared here", file, span: { start: 0, end: 3 } }],
    };
    assert.equal(
      renderDiagnostic(diagnostic, text, { color: false }),
      [
        "warning[FLOW201]: No line applies.",
        "  ┌─ a/x.flow:2:1",
        "2 │ two",
        "  │ ^^^",
        "  = example: amount = 5000.00, days = null",
        "  = path: A → B",
        "  = declared here (a/x.flow:1:1)",
      ].join("\n"),
    );
  });

  it("shows a test that fails", () => {
    const text = "one\n";
    const test = 'test "t" of "x" {\n  start { }\n}\n';
    const span = { start: 0, end: 3 };
    const diagnostic: Diagnostic = { code: "FLOW250", severity: "error", message: "Broken.", file, span, test };
    assert.equal(
      renderDiagnostic(diagnostic, text, { color: false }),
      [
        "error[FLOW250]: Broken.",
        "  ┌─ a/x.flow:1:1",
        "1 │ one",
        "  │ ^^^",
        "  = a test that fails for as long as it is so:",
        '      test "t" of "x" {',
        "        start { }",
        "      }",
      ].join("\n"),
    );
    assert.equal(diagnosticToJson(diagnostic, text).test, test);
  });

  it("shows everything in Chinese", () => {
    const text = "one\n";
    const diagnostic: Diagnostic = {
      code: "FLOW203",
      severity: "error",
      message: "`A` is not final, and no line leaves it.",
      file,
      span: { start: 0, end: 3 },
      counterExample: { amount: "5.00" },
      path: ["B", "A"],
      hint: "Add a line that leaves it, or list it in `final`.",
      related: [{ message: "It stands here.", file: "a/y.flow", span: { start: 0, end: 3 } }],
    };
    assert.equal(
      renderDiagnostic(diagnostic, text, { color: false, language: "zh" }),
      [
        "错误[FLOW203]: `A` 不是终态，却没有离开它的流转。",
        "  ┌─ a/x.flow:1:1",
        "1 │ one",
        "  │ ^^^",
        "  = 反例：amount = 5.00",
        "  = 路径：B → A",
        "  = 提示：请加一条离开它的流转，或者把它列入 `final`。",
        "  = 写在此处。 (a/y.flow)",
      ].join("\n"),
    );
  });

  it("says nothing of an example in which nothing matters", () => {
    const diagnostic = { ...first("x"), counterExample: {} };
    assert.doesNotMatch(renderDiagnostic(diagnostic, "x", { color: false }), /example/);
  });

  it("colours nothing but what it adds, and shows no control characters", () => {
    const text = 'document "d" { \u0007 }';
    const colored = renderDiagnostic(first(text), text, { color: true });
    assert.ok(colored.startsWith("\u001b[31merror[FLOW001]\u001b[0m"));
    assert.ok(!colored.includes("\u0007") || colored.split("\n")[2]?.includes("·"));
  });
});

describe("diagnosticToJson", () => {
  it("counts lines and columns from 1", () => {
    const text = 'document "财务" {\r\n  a => b\r\n}';
    assert.deepEqual(diagnosticToJson(first(text), text), {
      code: "FLOW004",
      severity: "error",
      message: "Write `→` for `=>`.",
      file,
      span: { start: { line: 2, column: 5 }, end: { line: 2, column: 7 } },
      fix: [{ span: { start: { line: 2, column: 5 }, end: { line: 2, column: 7 } }, text: "→" }],
    });
  });
});
