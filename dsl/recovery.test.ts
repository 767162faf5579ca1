import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bareTree } from "./bare-tree.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { parse } from "./parse.ts";

function codesOf(text: string): string[] {
  return parse(text, "x.flow").diagnostics.map((one) => one.code);
}

function transitionsOf(lines: string): string[] {
  const text = `state machine "x" { transitions {\n${lines}\n} }`;
  return parse(text, "x.flow").ast.flows[0]!.transitions.map((one) => one.to.text);
}

function mend(text: string, diagnostics: readonly Diagnostic[]): string {
  const edits = diagnostics.flatMap((one) => one.fix ?? []).sort((a, b) => b.span.start - a.span.start);
  return edits.reduce((now, { span, text: to }) => now.slice(0, span.start) + to + now.slice(span.end), text);
}

const tenOtherMistakes = `calendar "cn" {
  timezone "Asia/Shanghai"
  hours: 09:00 .. 18:00
}
matrix m(a: int) {
  [0, 5) → x
  [5, ..) x
}
saga "s" {
  step a() undo b()
  step c() rety 5
  step () undo d()
}
state machine "m" {
  state S {
    parallel {
      branch a {
        states: [A, B]
        initial A
        transitions { A → B on "x" }
      }
      branch b if x > 1 {
        states: [A]
        finl: [A]
      }
      join all
      join
    }
  }
  ensure { never A; initiator never approves }
}
rollout "r" of "m" to label "2" {
  percent: 10
  tags: [
}
test "t" of "m" {
  admin suspends because "x"
  "u" approves in legal
  expect A
  "u" adds "v"
}
`;

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
    ['A → B on "y" if a in 【1，2】', 'A → B on "y" if a in [1,2]'],
    ['A －＞ B on "y"', 'A → B on "y"'],
    ["A ⇒ B on ‘y’", 'A → B on "y"'],
    ['A → B on "y" if a ≥ 3 && b ≠ 4', 'A → B on "y" if a >= 3 and b != 4'],
    ['A、C → B on "y"', 'A,C → B on "y"'],
    ['A → B on "y" if a ＝ 3', 'A → B on "y" if a == 3'],
    ['A → B on "y" → set（a ＝ 3）', 'A → B on "y" → set(a = 3)'],
  ] as const) {
    it(`takes ${written} for what it means, and mends it`, () => {
      const text = `state machine "x" { transitions {\n${written}\n} }`;
      const { ast, diagnostics } = parse(text, "x.flow");
      assert.equal(ast.flows[0]!.transitions.length, 1);
      const mended = mend(text, diagnostics);
      assert.equal(mended, text.replace(written, fixed));
      assert.deepEqual(parse(mended, "x.flow").diagnostics, []);
      const places = diagnostics.map(({ span }) => span.start);
      assert.equal(new Set(places).size, places.length, "one error each");
    });
  }

  it("leaves out a line with characters that mean nothing, with one diagnostic", () => {
    assert.deepEqual(codesOf('state machine "x" { transitions {\nA → B on "x" 🎉🎉 = 3\n} }'), ["FLOW001"]);
    assert.deepEqual(transitionsOf('A → B on "x" 🎉 = 3\nB → C on "y"'), ["C"]);
  });

  for (const [written, fixed] of [
    ["states: [A B]", "states: [A, B]"],
    ["states: [\nA\nB\nC]", "states: [\nA,\nB,\nC]"],
    ['events { "e" { a b } }', 'events { "e" { a, b } }'],
    ["data { a: { b: text c: int } }", "data { a: { b: text, c: int } }"],
    ['people { a = users("x" "y") }', 'people { a = users("x", "y") }'],
    [
      "state A { approval by p { allow: [transfer delegate] } }",
      "state A { approval by p { allow: [transfer, delegate] } }",
    ],
    ['transitions { A B → C on "e" if f(a b) }', 'transitions { A, B → C on "e" if f(a, b) }'],
    ["ensure { different people in [A b.B] }", "ensure { different people in [A, b.B] }"],
  ] as const) {
    it(`puts in the commas of ${JSON.stringify(written)}`, () => {
      const text = `state machine "x" {\n${written}\n}`;
      const { diagnostics, ast } = parse(text, "x.flow");
      assert.ok(diagnostics.every(({ code }) => code === "FLOW019"));
      assert.equal(diagnostics.length, fixed.split(",").length - written.split(",").length);
      const mended = mend(text, diagnostics);
      assert.equal(mended, text.replace(written, fixed));
      const again = parse(mended, "x.flow");
      assert.deepEqual(again.diagnostics, []);
      assert.deepEqual(bareTree(ast), bareTree(again.ast));
    });
  }

  for (const [written, fixed] of [
    ["state machine leave { initial: A }", 'state machine "leave" { initial: A }'],
    ["saga pay { step a() }", 'saga "pay" { step a() }'],
    ['state machine "x" { initial: "A" }', 'state machine "x" { initial: A }'],
    ['state machine "x" { routes { "e" → audit } }', 'state machine "x" { routes { "e" → "audit" } }'],
    ['test "t" of "x" { send submit }', 'test "t" of "x" { send "submit" }'],
  ] as const) {
    it(`puts the quotes of ${written} right`, () => {
      const { diagnostics, ast } = parse(written, "x.flow");
      assert.deepEqual(
        diagnostics.map(({ code }) => code),
        ["FLOW020"],
      );
      assert.equal(mend(written, diagnostics), fixed);
      const names = (tree: unknown) => JSON.stringify(bareTree(tree)).replaceAll(/"quoted":\w+/g, "");
      assert.equal(names(ast), names(parse(fixed, "x.flow").ast));
    });
  }

  it("takes keywords for what they nearly are, also where only the whole line tells", () => {
    const lines = [
      ['A → B onn "e" iff a annd b', 'A → B on "e" if a and b'],
      ['A → B on "e" byy initiator → sett(a = 1)', 'A → B on "e" by initiator → set(a = 1)'],
      ["A → B aftr 3d", "A → B after 3d"],
      ["A → B aetfr 3d", "A → B after 3d"],
      ['A → B on "e" → notify(managerOf(a, levl 2))', 'A → B on "e" → notify(managerOf(a, level 2))'],
    ] as const;
    for (const [written, fixed] of lines) {
      const { diagnostics, ast } = parse(`state machine "x" { transitons { ${written} } }`, "x.flow");
      assert.ok(
        diagnostics.every(({ code }) => code === "FLOW013"),
        written,
      );
      assert.deepEqual(bareTree(ast), bareTree(parse(`state machine "x" { transitions { ${fixed} } }`, "y").ast));
    }
  });

  it("takes words whose letters are mixed up for what they are", () => {
    for (const [written, meant] of [
      ["envets { }", "events"],
      ["staets: [A]", "states"],
      ["intiial: A", "initial"],
      ["dtaa { }", "data"],
    ] as const) {
      const { diagnostics } = parse(`state machine "x" { ${written} }`, "x.flow");
      assert.deepEqual(
        diagnostics.map(({ code, fix }) => [code, fix?.[0]?.text]),
        [["FLOW013", meant]],
      );
    }
  });

  it("does not guess where the guess helps nothing", () => {
    assert.deepEqual(codesOf('state machine "x" { data { amount money } }'), ["FLOW010"]);
    assert.deepEqual(codesOf('state machine "x" { transitions { A → B } }'), ["FLOW010"]);
    assert.deepEqual(codesOf('state machine "x" { banana: "x" }'), ["FLOW010"]);
  });

  for (const [what, block, line, next] of [
    ["an arrow", "transitions", 'A → B on "x" →', 'C → D on "y"'],
    ["an operator", "transitions", 'A → B on "x" if a >', 'C → D on "y"'],
    ["a word", "transitions", 'A → B on "x" if a and not', 'C → D on "y" by p'],
    ["a colon", "data", "a:", "b: int"],
    ["a sum", "people", "a = b +", "c = d"],
    ["a route", "routes", '"a" →', '"b" → "c"'],
    ["an event", "events", '"a" {} or', '"b" { x }'],
    ["a property", "ensure", "never A without B if x <", "never C without D"],
  ] as const) {
    it(`keeps the line after one that ends with ${what}`, () => {
      const { ast, diagnostics } = parse(`state machine "x" { ${block} {\n${line}\n${next}\n} }`, "x.flow");
      const sound = parse(`state machine "x" { ${block} {\n${next}\n} }`, "x.flow");
      assert.equal(diagnostics.length, 1);
      assert.deepEqual(sound.diagnostics, []);
      const kept = bareTree(ast) as { flows: Record<string, unknown>[] };
      const expected = bareTree(sound.ast) as { flows: Record<string, unknown>[] };
      const items = (flow: Record<string, unknown>) => (flow[block] as unknown[] | undefined) ?? flow["fields"];
      const [last] = items(expected.flows[0]!) as unknown[];
      assert.deepEqual((items(kept.flows[0]!) as unknown[]).at(-1), last);
    });
  }

  for (const [what, before, line, next] of [
    ["a document", 'document "d" {', "a = b *", "c = d"],
    ["a rollout", 'rollout "r" of "x" to label "1" {', "a:", "b: [1, 2)"],
    ["a matrix", "matrix m(a: int) {", "[0, 5) →", "[5, ..) → x"],
    ["a matrix with any", "matrix m(a: int, b: int) {", "[0, 5) any → x then", "any [5, ..) → x"],
    ["a saga", 'saga "s" {', "step a() and", "step b()"],
    ["a test", 'test "t" of "x" {', "expect a >", 'send "e"'],
    ["a test with a person", 'test "t" of "x" {', "expect a and", '"u" approves'],
    ["a test with another instance", 'test "t" of "x" {', "expect a ==", 'on b: "u" approves'],
    ["a calendar", 'calendar "c" {', "hours:", "weekend: [sat]"],
  ] as const) {
    it(`keeps the line after an unfinished one in ${what}`, () => {
      const { ast, diagnostics } = parse(`${before}\n${line}\n${next}\n}`, "x.flow");
      assert.equal(diagnostics.length, 1);
      assert.deepEqual(bareTree(ast), bareTree(parse(`${before}\n${next}\n}`, "x.flow").ast));
    });
  }

  for (const [before, broken, next, close] of [
    ['state machine "x" {', "initial A", "states: [A, B]", "}"],
    ['state machine "x" {', "initial:", "states: [A, B]", "}"],
    ['state machine "x" {', "states: [A, B", "final: [B]", "}"],
    ['state machine "x" {', 'title: "two words', "final: [B]", "}"],
    ['state machine "x" {', "banana { a; b }", "final: [B]", "}"],
    ['state machine "x" { transitions {', 'A → B on "x" →', 'C → D on "y"', "} }"],
    ['state machine "x" { transitions {', 'A → B on "x" → f(a', 'C → D on "y" → g(b)\n E → F on "z"', "} }"],
    ['state machine "x" { transitions {', 'A → B on "x" if a in [1, 2', 'C → D on "y"\n E → F on "z"', "} }"],
    ['state machine "x" { transitions {', 'A → B on "two words if a > 3', "C → D on done", "} }"],
    ['state machine "x" { data {', "a: one of [x, y = x", "b: one of [c, d] = c", "} }"],
    ['state machine "x" { people {', 'a = users("x", "two words', "b = c", "} }"],
    ['state machine "x" { ensure {', "different people in [A", "initiator never approves", "} }"],
    ['state machine "x" { state A { approval by p {', "overdue: [remind after 0h", "allow: [transfer]", "} } }"],
    ['source wecom "T" starts "x" on "e" {', 'a = control("x"', 'c = control("y")', "}"],
    ['saga "s" {', "step a(x retry 5", "step b()\n step c()", "}"],
    ['test "t" of "x" {', "expect a >", 'send "e"', "}"],
  ] as const) {
    it(`reads what stands behind the \`;\` of ${broken}`, () => {
      const { ast, diagnostics } = parse(`${before} ${broken}; ${next} ${close}\ndocument "d" { a = b }`, "x.flow");
      const sound = parse(`${before} ${next} ${close}\ndocument "d" { a = b }`, "x.flow");
      assert.deepEqual(sound.diagnostics, []);
      assert.equal(diagnostics.length, 1);
      assert.deepEqual(bareTree(ast), bareTree(sound.ast));
    });
  }

  it("finds a brace that lacks or is too much on one line, too", () => {
    const parts = 'initial: A; states: [A, B]; data { a: int }; transitions { A → B on "x" }';
    const without = parts.replace("int }", "int");
    const more = parts.replace("int }", "int } }");
    for (const [text, code] of [
      [without, "FLOW011"],
      [more, "FLOW012"],
    ] as const) {
      const { ast, diagnostics } = parse(`state machine "x" { ${text} }\ndocument "d" { a = b }`, "x.flow");
      assert.deepEqual(
        diagnostics.map((one) => one.code),
        [code],
      );
      const [flow] = ast.flows;
      assert.deepEqual([flow?.fields.length, flow?.transitions.length, ast.documents.length], [1, 1, 1], code);
    }
  });

  for (const [written, fixed] of [
    ['state machine "x {\n initial: A\n states: [A]\n}', 'state machine "x" {\n initial: A\n states: [A]\n}'],
    ['saga "s{ // pays\n step a()\n}\nuse "b"', 'saga "s"{ // pays\n step a()\n}\nuse "b"'],
    [
      'state machine "x" {\n state A { run saga "s }\n states: [A]\n}',
      'state machine "x" {\n state A { run saga "s" }\n states: [A]\n}',
    ],
    [
      'state machine "x" {\n events { "e { a } }\n states: [A]\n}',
      'state machine "x" {\n events { "e" { a } }\n states: [A]\n}',
    ],
    ['state machine "x" { title: "报销; states: [A] }', 'state machine "x" { title: "报销"; states: [A] }'],
    ['test "t" of "x" {\n send "e\n expect A\n}', 'test "t" of "x" {\n send "e"\n expect A\n}'],
  ] as const) {
    it(`closes the string of ${JSON.stringify(written)}`, () => {
      const { ast, diagnostics } = parse(written, "x.flow");
      assert.deepEqual(
        diagnostics.map(({ code }) => code),
        ["FLOW002"],
      );
      assert.equal(mend(written, diagnostics), fixed);
      assert.deepEqual(bareTree(ast), bareTree(parse(fixed, "x.flow").ast));
    });
  }

  it("says one thing of a head that no string can be made of", () => {
    for (const head of ['test "t of "x" {', 'state machine "two words {', 'source wecom "T starts "x" on "e" {']) {
      assert.deepEqual(codesOf(`${head}\n a\n}\nsaga "s" { step a() }`), ["FLOW002"], head);
    }
  });

  it("skips a field whose bracket is open, up to the next one", () => {
    const { ast, diagnostics } = parse(
      'test "t" of "x" {\n start { a: [1, 2, b: 3 }\n start { c: [1, 2 }\n}',
      "x.flow",
    );
    assert.deepEqual(
      diagnostics.map(({ code }) => code),
      ["FLOW010", "FLOW010"],
    );
    assert.equal(ast.tests[0]!.statements.length, 2);
  });

  it("says that `set` is no step in the checker, and nothing of its `=`", () => {
    assert.deepEqual(codesOf('saga "s" { step set(a = 3) }'), []);
    assert.deepEqual(codesOf('saga "s" { step f(a = 3) }'), ["FLOW004"]);
  });

  it("reports ten mistakes in the other constructs once each and keeps what is sound", () => {
    const { ast, diagnostics } = parse(tenOtherMistakes, "m.flow");
    const lines = diagnostics.map((one) => tenOtherMistakes.slice(0, one.span.start).split("\n").length);
    assert.deepEqual(lines, [2, 7, 11, 12, 19, 24, 27, 30, 34, 40]);
    const [flow] = ast.flows;
    assert.deepEqual(
      [
        ast.calendars[0]!.hours?.length,
        ast.matrices[0]!.rows.length,
        ast.sagas[0]!.steps.length,
        ast.rollouts[0]!.items.length,
      ],
      [1, 1, 2, 1],
    );
    const [parallel] = flow!.stateBlocks.flatMap((block) => block.parallel ?? []);
    assert.deepEqual(
      parallel!.branches.map((branch) => [branch.states.length, branch.transitions.length]),
      [
        [2, 1],
        [1, 0],
      ],
    );
    assert.equal(parallel!.join!.rule, "all");
    assert.equal(flow!.ensure.length, 1);
    assert.equal(ast.tests[0]!.statements.length, 3);
  });

  for (const [what, text] of [
    [
      "an approval",
      "state S { parallel {\n  branch a {\n    state A {\n      approval by p {\n        due: 1d\n    }\n  }\n  branch b {\n    states: [A]\n  }\n  join all\n} }",
    ],
    [
      "a branch",
      "  state S {\n    parallel {\n      branch a {\n        states: [A]\n      branch b {\n        states: [A]\n      }\n      join all\n    }\n  }",
    ],
    [
      "a parallel",
      '  state S {\n    parallel {\n      branch a {\n        states: [A]\n      }\n      branch b {\n        states: [A]\n      }\n    join all\n  }\n  state T {\n    run saga "s"\n  }',
    ],
  ] as const) {
    it(`goes on after ${what} that is not closed`, () => {
      const { ast, diagnostics } = parse(
        `state machine "x" {\n${text}\n  transitions {\n    A → B on "x"\n  }\n}\ndocument "d" { a = b }`,
        "x",
      );
      assert.deepEqual(
        diagnostics.map(({ code }) => code),
        ["FLOW011"],
      );
      const [block] = ast.flows[0]!.stateBlocks;
      assert.equal(block!.parallel!.branches.length, 2);
      assert.equal(ast.flows[0]!.transitions.length, 1);
      assert.equal(ast.documents.length, 1);
    });
  }
});

it("what stands a second time shows the first", () => {
  const text = `state machine "f" { initial: A; states: [A, B]; initial: B; transitions { A → B on "x" } }`;
  const [{ code, related = [] } = { code: "" }] = parse(text, "a.flow").diagnostics;
  assert.equal(code, "FLOW014");
  assert.deepEqual(
    related.map(({ span }) => span.start),
    [text.indexOf("initial")],
  );
});

it("a brace that lacks and one too much do not make up for each other", () => {
  const events = `"a" { n\n "b" { n }\n "c" n }\n "d" { n }`;
  const { ast, diagnostics } = parse(`state machine "f" {\n events {\n ${events}\n }\n initial: A\n}`, "a.flow");
  assert.deepEqual(
    diagnostics.map(({ code }) => code),
    ["FLOW011", "FLOW010"],
  );
  assert.deepEqual(
    ast.flows[0]!.events.map(({ name }) => name.text),
    ["a", "b", "c", "d"],
  );
});
