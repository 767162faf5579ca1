import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { bareTree } from "./bare-tree.ts";
import { format } from "./format.ts";
import { parse } from "./parse.ts";
import { everything, leaveApproval } from "./syntax-samples.ts";

function formatted(text: string): string {
  const result = format(text);
  assert.ok("text" in result, JSON.stringify(result));
  return result.text;
}

function commentsOf(text: string): string[] {
  return parse(text, "x.flow")
    .comments.map((comment) => comment.text.replace(/\r\n?/g, "\n").trimEnd())
    .sort();
}

function holdsLaws(text: string): void {
  const once = formatted(text);
  assert.equal(formatted(once), once, "formatting twice changes something");
  assert.deepEqual(bareTree(parse(once, "x").ast), bareTree(parse(text, "x").ast));
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
      ['state machine "x" {', "  initial: A", "  states: [A, B]", "}"],
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
      "comments within a line",
      'state machine "x" {\nstates: [A /* 1 */ , /* 2 */ B /* 3 */ ]\ntransitions { A → B on "x" → set( /* 4 */ a = 3 /* 5 */ ) }\n}',
      [
        'state machine "x" {',
        "  states: [A /* 1 */, /* 2 */ B /* 3 */]",
        "  transitions {",
        '    A → B on "x" → set(/* 4 */ a = 3 /* 5 */)',
        "  }",
        "}",
      ],
    ],
    [
      "lists over several lines",
      'test "t" of "f" { start { a: 1,\nb: [\n1, 2\n] } key "k" }',
      ['test "t" of "f" {', "  start {", "    a: 1,", "    b: [", "      1, 2", "    ]", '  } key "k"', "}"],
    ],
    [
      "comments among the elements of a list",
      'state machine "x" { events { "e" { a, // one\n// two\nb, /* three */\nc } } }\nsource wecom "T" starts "x" on "e" { t = table("t") { a = control("b"), // c\nb = control("d") } }',
      [
        'state machine "x" {',
        "  events {",
        '    "e" {',
        "      a, // one",
        "      // two",
        "      b, /* three */",
        "      c",
        "    }",
        "  }",
        "}",
        'source wecom "T" starts "x" on "e" {',
        '  t = table("t") {',
        '    a = control("b"), // c',
        '    b = control("d")',
        "  }",
        "}",
      ],
    ],
    [
      "lines that go on",
      'state machine "x" { transitions { A → B on "e"\n→ f()\n→ g(-1, a - 1)\n} }',
      ['state machine "x" {', "  transitions {", '    A → B on "e"', "      → f()", "      → g(-1, a - 1)", "  }", "}"],
    ],
    [
      "matrices in columns, Chinese as wide as it is",
      "matrix m(kind:Kind,amount:money){\nkind amount→approvers\n差旅,餐饮 [0,5)→a then b\n// why\nany -1 , (5 , ..)→ c\n\nx /* here */ any → d\n}",
      [
        "matrix m(kind: Kind, amount: money) {",
        "  kind        amount      → approvers",
        "  差旅, 餐饮  [0, 5)      → a then b",
        "  // why",
        "  any         -1, (5, ..) → c",
        "",
        "  x /* here */ any → d",
        "}",
      ],
    ],
    [
      "branches",
      'state machine "x"{state A{parallel{branch a if b{states:[X]\nstate X{run flow "f" with{a:1}}} branch c else{states:[Y]} join all;reject:one}}}',
      [
        'state machine "x" {',
        "  state A {",
        "    parallel {",
        "      branch a if b {",
        "        states: [X]",
        "        state X {",
        '          run flow "f" with { a: 1 }',
        "        }",
        "      }",
        "      branch c else {",
        "        states: [Y]",
        "      }",
        "      join all",
        "      reject: one",
        "    }",
        "  }",
        "}",
      ],
    ],
    [
      "blocks of a file",
      'calendar "c"{hours:[09:00..12:00,];weekend:[sat]}\nsaga "s"{step a(x)undo b(x)\nand c()}\nrollout "r" of "x" to label "1"{amount:(0,..)}',
      [
        'calendar "c" {',
        "  hours: [09:00 .. 12:00]",
        "  weekend: [sat]",
        "}",
        'saga "s" {',
        "  step a(x) undo b(x)",
        "    and c()",
        "}",
        'rollout "r" of "x" to label "1" {',
        "  amount: (0, ..)",
        "}",
      ],
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
