import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { maxFileLength, parse } from "./parse.ts";
import { everything, leaveApproval } from "./syntax-samples.ts";

function codesOf(text: string): string[] {
  return parse(text, "x.flow").diagnostics.map((one) => one.code);
}

function transitionsOf(lines: string): string[] {
  const text = `state machine "x" { transitions {\n${lines}\n} }`;
  return parse(text, "x.flow").ast.flows[0]!.transitions.map((one) => one.to.text);
}

const tenMistakes = `state machine "m" {
  titel: "one"
  initial: DRAFT
  states: [DRAFT, REVIEWING, PAID, DONE]
  data {
    amount money
    days: int
  }
  state REVIEWING {
    approval by manager {
      due: 48
      remind: every 4h
    }
  }
  transitions {
    DRAFT → REVIEWING onn "submit"
    REVIEWING → PAID
    REVIEWING => DONE on approved if days == 3
    PAID → DONE on "pay if days > 1
    PAID → DONE on "paid" if days >
    PAID → DONE on "x" → emit("a"
    PAID → DONE on "y" → emit("b")
  }
}
document "d" {
  template: 5
  x = y
}
`;

describe("recovery", () => {
  it("reports ten mistakes once each and keeps what is sound", () => {
    const { ast, diagnostics } = parse(tenMistakes, "m.flow");
    assert.deepEqual(
      diagnostics.map((one) => [tenMistakes.slice(0, one.span.start).split("\n").length, one.code]),
      [
        [2, "FLOW013"],
        [6, "FLOW010"],
        [11, "FLOW010"],
        [16, "FLOW013"],
        [17, "FLOW010"],
        [18, "FLOW004"],
        [19, "FLOW002"],
        [20, "FLOW010"],
        [21, "FLOW010"],
        [26, "FLOW010"],
      ],
    );
    const [flow] = ast.flows;
    assert.deepEqual(
      flow!.settings.map((one) => one.value.text),
      ["one"],
    );
    assert.deepEqual(
      flow!.fields.map((one) => one.name.text),
      ["days"],
    );
    assert.deepEqual(
      flow!.stateBlocks[0]!.approval!.options.map((one) => one.kind),
      ["remind"],
    );
    assert.equal(flow!.transitions.length, 3);
    assert.deepEqual(
      ast.documents[0]!.fields.map((one) => one.name.text),
      ["x"],
    );
  });

  for (const [what, text, codes, transitions] of [
    ["a block that is not closed", 'data {\n x: int\n transitions {\n A → B on "x"\n }', ["FLOW011"], 1],
    ["a brace too much", 'data {\n x: int\n }\n }\n transitions {\n A → B on "x"\n }', ["FLOW012"], 1],
    ["a list that is not closed", 'states: [A, B\n transitions {\n A → B on "x"\n }', ["FLOW010"], 1],
    ["an unknown item with a block", 'banana {\n a b c {\n }\n }\n transitions {\n A → B on "x"\n }', ["FLOW010"], 1],
    ["two lines in one", 'transitions {\n A → B on "x" C → D on "y"\n E → F on "z"\n }', ["FLOW010"], 1],
    ["an item twice", 'initial: A\n initial: B\n transitions {\n A → B on "x"\n }', ["FLOW014"], 1],
  ] as const) {
    it(`goes on after ${what}`, () => {
      const { ast, diagnostics } = parse(`state machine "a" {\n${text}\n}\ndocument "d" { a = b }`, "x.flow");
      assert.deepEqual(
        diagnostics.map((one) => one.code),
        codes,
      );
      assert.equal(ast.flows[0]!.transitions.length, transitions);
      assert.equal(ast.documents.length, 1);
    });
  }

  for (const [written, fixed] of [
    ['A，B → C on "y"', 'A,B → C on "y"'],
    ["A → B on “y”", 'A → B on "y"'],
    ['A => B on "y"', 'A → B on "y"'],
    ['A → B on "y" if a&&b', 'A → B on "y" if a and b'],
    ['A → B on "y" if !a || b', 'A → B on "y" if not a or b'],
    ['A → B on "y" if a = 3', 'A → B on "y" if a == 3'],
    ['A → B on "y" if a ＞= 3', 'A → B on "y" if a >= 3'],
    ['A → B on "y" → f（a）', 'A → B on "y" → f(a)'],
    ['A → B on "y" if a in (0, ..]', 'A → B on "y" if a in (0, ..)'],
  ] as const) {
    it(`takes ${written} for what it means, and mends it`, () => {
      const text = `state machine "x" { transitions {\n${written}\n} }`;
      const { ast, diagnostics } = parse(text, "x.flow");
      assert.equal(ast.flows[0]!.transitions.length, 1);
      const edits = diagnostics.flatMap((one) => one.fix ?? []).sort((a, b) => b.span.start - a.span.start);
      const mended = edits.reduce(
        (now, { span, text: to }) => now.slice(0, span.start) + to + now.slice(span.end),
        text,
      );
      assert.equal(mended, text.replace(written, fixed));
      assert.deepEqual(parse(mended, "x.flow").diagnostics, []);
    });
  }

  it("leaves out a line with characters that mean nothing, with one diagnostic", () => {
    assert.deepEqual(codesOf('state machine "x" { transitions {\nA → B on "x" 🎉🎉 = 3\n} }'), ["FLOW001"]);
    assert.deepEqual(transitionsOf('A → B on "x" 🎉 = 3\nB → C on "y"'), ["C"]);
  });

  for (const [text, what] of [
    ['use "./a.flow"', "`use`"],
    ['calendar "cn" {\n hours: 09:00 .. 18:00\n}', "`calendar`"],
    ["matrix m(a: money) {\n a → approvers\n [0, ..) → x\n}", "`matrix`"],
    ['saga "s" { step a() undo b() }', "`saga`"],
    ['rollout "r" of "x" to label "3" { percent: 10 }', "`rollout`"],
    ['state machine "x" { calendar: "cn" }', "`calendar`"],
    ['state machine "x" { ensure { never A without B } }', "`ensure`"],
    ['state machine "x" { migrate from label "1" { A → B } }', "`migrate`"],
    ['state machine "x" { state A { parallel { branch b { } join all } } }', "`parallel`"],
    ['state machine "x" { state A { run saga "s" } }', "`run saga`"],
    ['state machine "x" { state A { run flow "s" on "e" with { a: 1 } } }', "`run flow`"],
    ['state machine "x" { state A { handle by p { due: 1d } } }', "`handle by`"],
    ['state machine "x" { state A { auto approve if a else reject } }', "`auto approve`"],
    ['state machine "x" { state A { revocable for 3d } }', "`revocable for`"],
    ['state machine "x" { state A { approval by one of p } }', "`one of` people"],
    ['state machine "x" { state A { approval by p all and q any } }', "A stage of several groups (`and`)"],
    ['state machine "x" { state A { approval by p quorum 60% weight w } }', "`weight`"],
    ['state machine "x" { state A { approval by p veto q } }', "`veto`"],
    ['state machine "x" { state A { approval by p { onSelf: skip } } }', "`onSelf`"],
    ['state machine "x" { state A { approval by p { abstain: leaves } } }', "`abstain`"],
    ['state machine "x" { state A { approval by p { due: 2 workdays } } }', "Working time (`workdays`)"],
    ['state machine "x" { state A { approval by p { allow: [transfer, delegate] } } }', "`delegate`"],
    ['test "t" of "x" { "u" delegates to "v" }', "`delegates`"],
    ['test "t" of "x" { "u" takes back }', "`takes`"],
    ['test "t" of "x" { "u" approves on behalf of "v" }', "`on behalf of`"],
    ['test "t" of "x" { "u" approves in legal }', "`in` a branch"],
    ['test "t" of "x" { admin suspends because "x" }', "`admin` in a test"],
    ['test "t" of "x" { migrate to label "3" }', "`migrate` in a test"],
    ['test "t" of "x" { expect undone pay }', "`undone`"],
    ['test "t" of "x" { expect X in legal }', "`in` a branch"],
    ['test "t" of "x" { given away "b" from 2026-01-05 to 2026-01-09 deputy "d" }', "`given away`"],
  ] as const) {
    it(`says that ${what} is left out in ${JSON.stringify(text)}`, () => {
      assert.deepEqual(
        parse(text, "x.flow").diagnostics.map((one) => [one.code, one.severity, one.message]),
        [["FLOW900", "error", `${what} is part of the language, but this version does not run it yet.`]],
      );
    });
  }

  it("limits size and depth", () => {
    assert.deepEqual(codesOf(" ".repeat(maxFileLength + 1)), ["FLOW006"]);
    const condition = (text: string) => codesOf(`state machine "x" { transitions {\nA → B on "e" if ${text}\n} }`);
    for (const [open, close] of [
      ["(", ")"],
      ["[", "]"],
      ["f(", ")"],
      ["{ a: ", "}"],
      ["if a then ", " else b"],
      ["any a where ", ""],
    ] as const) {
      assert.deepEqual(condition(`${open.repeat(95)}a${close.repeat(95)}`), []);
      assert.deepEqual(condition(`${open.repeat(300)}a${close.repeat(300)}`), ["FLOW005"]);
    }
    assert.deepEqual(condition(`${"if a then b else ".repeat(300)}c`), ["FLOW005"]);
    assert.deepEqual(codesOf(`state machine "x" { data { a: ${"list of ".repeat(300)}int } }`), ["FLOW005"]);
  });

  it("never throws, and every place lies in the text", () => {
    const sample = leaveApproval + everything;
    const at = fc.nat({ max: sample.length });
    const mutation = fc.record({ at, drop: fc.nat({ max: 30 }), put: fc.oneof(fc.string({ unit: "binary" }), signs) });
    const mutated = fc
      .array(mutation, { minLength: 1, maxLength: 6 })
      .map((edits) => edits.reduce((now, { at, drop, put }) => now.slice(0, at) + put + now.slice(at + drop), sample));
    fc.assert(
      fc.property(
        fc.oneof(
          mutated,
          fc.string({ unit: "binary" }),
          fc.array(signs).map((all) => all.join(" ")),
        ),
        (text) => {
          const { diagnostics, ast } = parse(text, "x.flow");
          const spans = [...diagnostics.map((one) => one.span), ...spansOf(ast)];
          for (const { start, end } of spans)
            assert.ok(0 <= start && start <= end && end <= text.length, `${start}-${end}`);
        },
      ),
      { numRuns: 300 },
    );
  });
});

const signs = fc.constantFrom(
  ...'{ } ( ) [ ] → , : ; " . .. ? = == - + ! ， “ // /* */ \n state machine "x" data if then else any on by at test'.split(
    " ",
  ),
);

function spansOf(value: unknown): { start: number; end: number }[] {
  if (Array.isArray(value)) return value.flatMap(spansOf);
  if (typeof value !== "object" || value === null) return [];
  if ("start" in value && "end" in value) return [value as { start: number; end: number }];
  return Object.values(value).flatMap(spansOf);
}
