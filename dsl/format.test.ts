import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { format } from "./format.ts";
import { parse } from "./parse.ts";
import { everything, leaveApproval } from "./syntax-samples.ts";

function formatted(text: string): string {
  const result = format(text);
  assert.ok("text" in result, JSON.stringify(result));
  return result.text;
}

/** The tree without places, and without the statements' text. */
function treeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(treeOf);
  if (typeof value !== "object" || value === null) return value;
  const written = "body" in value;
  const entries = Object.entries(value).filter(([key]) => !/[sS]pan$/.test(key) && !(written && key === "text"));
  return Object.fromEntries(entries.map(([key, inner]) => [key, treeOf(inner)]));
}

function commentsOf(text: string): string[] {
  return parse(text, "x.flow")
    .comments.map((comment) => comment.text.replace(/\r\n?/g, "\n").trimEnd())
    .sort();
}

function holdsLaws(text: string): void {
  const once = formatted(text);
  assert.equal(formatted(once), once, "formatting twice changes something");
  assert.deepEqual(treeOf(parse(once, "x").ast), treeOf(parse(text, "x").ast));
  assert.deepEqual(commentsOf(once), commentsOf(text));
}

describe("format", () => {
  it("leaves the one layout as it is", () => {
    assert.equal(formatted(leaveApproval), leaveApproval);
    assert.equal(formatted(everything), everything);
  });

  for (const [what, text, expected] of [
    [
      "arrows, columns and spaces",
      'state machine "x"{\ntransitions{\nA   ->B on "e"   if a<3\n}}',
      ['state machine "x" {', "  transitions {", '    A → B on "e" if a < 3', "  }", "}"],
    ],
    [
      "one item per line",
      'state machine "x" { initial: A; states: [A,B,] }',
      ['state machine "x" {', "  initial: A", "  states: [A, B,]", "}"],
    ],
    [
      "blocks on one line",
      'state machine "x" { state A { approval by p { due: 1d } } state B { approval by q } }',
      [
        'state machine "x" {',
        "  state A {",
        "    approval by p {",
        "      due: 1d",
        "    }",
        "  }",
        "  state B {",
        "    approval by q",
        "  }",
        "}",
      ],
    ],
    [
      "comments and blank lines",
      '// top\n\n\n\nstate machine "x" { // why\n\n\n/* a */ initial: A // b\n\n// c\n}\n// end',
      ["// top", "", 'state machine "x" { // why', "  /* a */ initial: A // b", "", "  // c", "}", "// end"],
    ],
    [
      "lists over several lines",
      'test "t" of "f" { start { a: 1,\nb: [\n1, 2\n] } key "k" }',
      ['test "t" of "f" {', "  start {", "    a: 1,", "    b: [", "      1, 2", "    ]", '  } key "k"', "}"],
    ],
    [
      "lines that go on",
      'state machine "x" { transitions { A → B on "e"\n→ f()\n→ g(-1, a - 1)\n} }',
      ['state machine "x" {', "  transitions {", '    A → B on "e"', "      → f()", "      → g(-1, a - 1)", "  }", "}"],
    ],
    ["CRLF", 'use "a"\r\nuse "b"\r\n', ['use "a"', 'use "b"']],
  ] as const) {
    it(`lays out ${what}`, () => {
      assert.equal(formatted(text), `${expected.join("\n")}\n`);
      holdsLaws(text);
    });
  }

  it("does not touch a text with mistakes", () => {
    const result = format('state machine "x" { initial }');
    assert.ok("diagnostics" in result);
    assert.deepEqual(
      result.diagnostics.map((one) => one.code),
      ["FLOW010"],
    );
  });

  it("keeps meaning and comments, and is idempotent", () => {
    const insertion = fc.record({
      at: fc.nat({ max: everything.length }),
      put: fc.constantFrom("\n", "\n\n\n", "  ", "\r\n", "// c\n", "/* c */", "/// d\n", ";", ", ", "\t"),
    });
    const texts = fc
      .array(insertion, { maxLength: 8 })
      .map((all) => all.reduce((now, { at, put }) => now.slice(0, at) + put + now.slice(at), everything));
    let laidOut = 0;
    fc.assert(
      fc.property(texts, (text) => {
        if (!("text" in format(text))) return;
        laidOut++;
        holdsLaws(text);
      }),
      { numRuns: 300 },
    );
    assert.ok(laidOut > 20, `only ${laidOut} texts were sound`);
  });
});
