import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ExpressionAst, FlowAst } from "./ast.ts";
import { bareTree } from "./bare-tree.ts";
import { parse } from "./parse.ts";
import { FileParser } from "./parser.ts";
import { everything, leaveApproval } from "./syntax-samples.ts";

function sound(text: string) {
  const { ast, diagnostics } = parse(text, "x.flow");
  assert.deepEqual(diagnostics, []);
  return ast;
}

function flowOf(items: string): FlowAst {
  return sound(`state machine "x" {\n${items}\n}`).flows[0]!;
}

/** An expression as text, fully bracketed. */
function show(node: ExpressionAst): string {
  switch (node.kind) {
    case "name":
      return node.name.text;
    case "member":
      return `${show(node.of)}.${node.name.text}`;
    case "call":
      return `${node.name.text}(${node.arguments.map(show).join(", ")})`;
    case "binary":
      return `(${show(node.left)} ${node.operator} ${show(node.right)})`;
    case "not":
      return `not(${show(node.of)})`;
    case "negate":
      return `-(${show(node.of)})`;
    case "is-set":
      return `set?(${show(node.of)})`;
    case "if":
      return `if(${show(node.condition)}, ${show(node.then)}, ${show(node.else)})`;
    case "quantifier":
      return `${node.quantifier}(${show(node.list)}: ${show(node.where)})`;
    case "list":
      return `[${node.items.map(show).join(", ")}]`;
    case "interval": {
      const [low, high] = [node.low, node.high].map((bound) => (bound ? show(bound) : ".."));
      return `${node.lowIncluded ? "≤" : "<"}${low}|${high}${node.highIncluded ? "≥" : ">"}`;
    }
    case "record":
      return `{${node.fields.map((field) => `${field.name.text}: ${show(field.value)}`).join(", ")}}`;
    case "duration":
      return `${node.duration.amount}${node.duration.unit}`;
    case "percent":
      return `${node.text}%`;
    case "text":
      return JSON.stringify(node.value);
    case "bool":
      return String(node.value);
    case "people":
      return node.people.kind;
    default:
      return node.text;
  }
}

function conditionOf(text: string): string {
  return show(flowOf(`transitions { A → B on "e" if ${text}\n }`).transitions[0]!.condition!);
}

describe("the grammar", () => {
  it("is free of ambiguity", () => {
    assert.doesNotThrow(() => new FileParser(true));
  });
});

describe("parse", () => {
  it("reads the smallest flow", () => {
    const [flow] = sound(leaveApproval).flows;
    assert.equal(flow!.name.text, "leave-approval");
    assert.deepEqual(bareTree(flow!.states), ["DRAFT", "SUBMITTED", "REVIEWING", "APPROVED", "REJECTED", "CANCELLED"]);
    assert.deepEqual(bareTree(flow!.transitions[2]), {
      from: ["REVIEWING"],
      to: "APPROVED",
      trigger: { kind: "event", event: "approve" },
      else: false,
      condition: { kind: "call", name: "hasQuorum", arguments: [] },
      actions: [{ kind: "call", name: "emit", arguments: [{ kind: "text", value: "onApproved" }] }],
    });
    assert.deepEqual(bareTree(flow!.routes[1]!.targets), [
      { kind: "service", name: "notification-service" },
      { kind: "service", name: "audit-service" },
    ]);
  });

  it("reads every construct", () => {
    const ast = sound(everything);
    assert.equal(ast.flows[0]!.doc, "Spending.\nAbove the limit finance signs too.");
    assert.equal(ast.flows[0]!.fields.length, 10);
    assert.deepEqual(ast.flows[0]!.stateDocs, { DRAFT: "Not sent yet." });
    assert.equal(ast.flows[0]!.transitions.length, 11);
    assert.equal(ast.flows[0]!.stateBlocks.length, 9);
    assert.equal(ast.flows[0]!.stateBlocks.at(-1)!.doc, "Side by side.");
    assert.equal(ast.flows[0]!.ensure.length, 6);
    assert.equal(ast.matrices[0]!.doc, "Who signs what.");
    assert.equal(ast.matrices[0]!.rows.length, 3);
    assert.equal(ast.sagas[0]!.steps.length, 3);
    assert.equal(ast.rollouts[0]!.items.length, 5);
    assert.equal(ast.documents[0]!.fields.length, 2);
    assert.equal(ast.sources[0]!.fields.length, 5);
    assert.equal(ast.tests[0]!.statements.length, 75);
    assert.equal(ast.tests[0]!.startsAt, "2026-10-09T17:30");
  });

  it("is the same after a broken text as before it", () => {
    const before = parse(everything, "x.flow");
    parse('state machine "x" { transitions { A → (((( } "', "y.flow");
    assert.deepEqual(parse(everything, "x.flow"), before);
  });

  for (const [text, expected] of [
    ["text", { kind: "name", name: "text", signed: false }],
    ["money signed", { kind: "name", name: "money", signed: true }],
    ["one of [a, b,]", { kind: "enum", members: ["a", "b"] }],
    ["Kind = one of [a]", { kind: "enum", name: "Kind", members: ["a"] }],
    ["list of list of int", { kind: "list", of: { kind: "list", of: { kind: "name", name: "int", signed: false } } }],
  ] as const) {
    it(`reads the type ${text}`, () => {
      assert.deepEqual(bareTree(flowOf(`data {\n f: ${text}\n}`).fields[0]!.type), expected);
    });
  }

  it("reads optional, secret and default in any combination", () => {
    const { fields } = flowOf('data { a: int?; b: text secret; c: text? secret = "x"; d: K = one of [p, q] = p }');
    assert.deepEqual(
      fields.map((field) => [field.optional, field.secret, field.default && show(field.default)]),
      [
        [true, false, undefined],
        [false, true, undefined],
        [true, true, '"x"'],
        [false, false, "p"],
      ],
    );
  });

  for (const [text, expected] of [
    ["a or b and not c == d", "(a or (b and not((c == d))))"],
    ["a - b - c * -d / 2", "((a - b) - ((c * -(d)) / 2))"],
    ["not a is set or b + 1 is set", "(not(set?(a)) or set?((b + 1)))"],
    ["if a then b else if c then d else e or f", "if(a, b, if(c, d, (e or f)))"],
    ["any items where price > 1 and n == 2", "any(items: ((price > 1) and (n == 2)))"],
    ["any and all", "(any and all)"],
    ["x in [1, 2]", "(x in [1, 2])"],
    ["x in [1, 2)", "(x in ≤1|2>)"],
    ["x in (.., 3] and y", "((x in <..|3≥) and y)"],
    ["x in (0, ..)", "(x in <0|..>)"],
    ["x in (y)", "(x in y)"],
    ["f(a.b, {k: 1}) == 60%", "(f(a.b, {k: 1}) == 60%)"],
    ["d + 2d > 2026-10-01T09:00Z", "((d + 2d) > 2026-10-01T09:00Z)"],
    ["leave-days - used-days >= 5_000", "((leave-days - used-days) >= 5000)"],
    ['"\\u4e2d\\n" in initiator.tags', '("中\\n" in initiator.tags)'],
    ["a\n  and b or\n  c", "((a and b) or c)"],
    ["f(\n  a,\n  b\n)", "f(a, b)"],
    ["state == on and data.state == then", "((state == on) and (data.state == then))"],
  ] as const) {
    it(`reads the condition ${JSON.stringify(text)}`, () => assert.equal(conditionOf(text), expected));
  }

  for (const [text, from] of [
    ['any → B on "x"', "any"],
    ['A,\n  C → B\n  on "x"', undefined],
    ['A -> B on "x" ->\n f() -> g()', ["A"]],
    ['财务复核 → B on "x"', ["财务复核"]],
    ['été, ñandú, ß, µ, ª, ÿ → B on "x"', ["été", "ñandú", "ß", "µ", "ª", "ÿ"]],
    ['Żółć, Ωμέγα, Я, ひらがな → B on "x"', ["Żółć", "Ωμέγα", "Я", "ひらがな"]],
    ['𠮷 → B on "x"', ["𠮷"]],
  ] as const) {
    it(`reads or refuses the transition ${JSON.stringify(text)} by its line ends`, () => {
      const { ast, diagnostics } = parse(`state machine "x" { transitions {\n${text}\n} }`, "x.flow");
      assert.equal(diagnostics.length, from ? 0 : 2);
      assert.deepEqual(bareTree(ast.flows[0]!.transitions[0]?.from), from);
    });
  }

  it("reads facts of people and answers", () => {
    const { tests } = sound(`test "t" of "f" {
      given managersOf("bob") = ["m1", "m2"]; given checkBudget(1, travel) = no "over"; given scoreOf = 0.7
    }`);
    const facts = tests[0]!.statements.map(
      ({ body }) => body.kind === "complete" && body.statement.kind === "given" && body.statement.fact,
    );
    assert.deepEqual(facts, [
      { kind: "people", name: "managersOf", argument: "bob", people: ["m1", "m2"] },
      {
        kind: "answer",
        name: "checkBudget",
        arguments: [
          { kind: "number", text: "1" },
          { kind: "name", name: "travel" },
        ],
        answer: { ok: false, reason: "over" },
      },
      { kind: "answer", name: "scoreOf", answer: { value: { kind: "number", text: "0.7" } } },
    ]);
  });

  it("keeps a statement as it was written", () => {
    const { tests } = sound('test "t" of "f" {\n  "bob"   approves because "ok" // fine\n}');
    assert.equal(tests[0]!.statements[0]!.text, '"bob"   approves because "ok"');
  });

  it("finds comments", () => {
    const { comments } = parse("/// doc\n// line\n/* block\n */", "x.flow");
    assert.deepEqual(
      comments.map((comment) => [comment.kind, comment.text]),
      [
        ["doc", "/// doc"],
        ["line", "// line"],
        ["block", "/* block\n */"],
      ],
    );
  });
});
