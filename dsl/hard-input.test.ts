import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { maxFileLength, parse } from "./parse.ts";
import { mistakesMax } from "./reporter.ts";

function codesOf(text: string): string[] {
  return parse(text, "x.flow").diagnostics.map((one) => one.code);
}

function condition(text: string): string[] {
  return codesOf(`state machine "x" { transitions {\nA → B on "e" if ${text}\n} }`);
}

describe("hard input", () => {
  it("is refused beyond 5 MiB, and read up to it", () => {
    assert.deepEqual(codesOf(" ".repeat(maxFileLength + 1)), ["FLOW006"]);
    const line = '    DRAFT → REVIEWING on "submit" by initiator if amount > 5 → emit("x")\n';
    const [before, after] = ['state machine "x" {\n  transitions {\n', "  }\n}\n"];
    const lines = Math.floor((maxFileLength - before.length - after.length) / line.length);
    const { ast, diagnostics } = parse(before + line.repeat(lines) + after, "x.flow");
    assert.deepEqual(diagnostics, []);
    assert.equal(ast.flows[0]!.transitions.length, lines);
  });

  it("reads ten thousand states", () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `S${index}`);
    const lines = names.slice(1).map((name, index) => `${names[index]} → ${name} on "go"`);
    const text = `state machine "x" {\ninitial: S0\nstates: [${names.join(", ")}]\ntransitions {\n${lines.join("\n")}\n}\n}`;
    const { ast, diagnostics } = parse(text, "x.flow");
    assert.deepEqual(diagnostics, []);
    assert.equal(ast.flows[0]!.transitions.length, 9_999);
  });

  for (const [open, close] of [
    ["(", ")"],
    ["[", "]"],
    ["f(", ")"],
    ["{ a: ", "}"],
    ["if a then ", " else b"],
    ["any a where ", ""],
  ] as const) {
    it(`nests ${open} to a limit`, () => {
      assert.deepEqual(condition(`${open.repeat(95)}a${close.repeat(95)}`), []);
      assert.deepEqual(condition(`${open.repeat(1_000)}a${close.repeat(1_000)}`), ["FLOW005"]);
    });
  }

  it("nests types, branches, tables and else to a limit", () => {
    assert.deepEqual(condition(`${"if a then b else ".repeat(1_000)}c`), ["FLOW005"]);
    assert.deepEqual(codesOf(`state machine "x" { data { a: ${"list of ".repeat(1_000)}int } }`), ["FLOW005"]);
    const branches = (depth: number) =>
      `state machine "x" { ${"state A { parallel { branch b { ".repeat(depth)}${"} } }".repeat(depth)} }`;
    assert.deepEqual(codesOf(branches(30)), []);
    assert.deepEqual(codesOf(branches(1_000)), ["FLOW005"]);
    const tables = (depth: number) =>
      `source w "T" starts "f" { ${'a = table("x") { '.repeat(depth)}b = c${" }".repeat(depth)} }`;
    assert.deepEqual(codesOf(tables(90)), []);
    assert.deepEqual(codesOf(tables(1_000)), ["FLOW005"]);
  });

  for (const [what, line] of [
    ["misspelt words", "A → B onn"],
    ["nonsense", "foo bar baz"],
    ["strange signs", "🎉🎉 = “"],
    ["missing colons", "amount money"],
    ["closing braces", "}"],
    ["misspelt items", "titel: 5"],
    ["escapes", 'title: "\\q"'],
  ] as const) {
    it(`says so where there are too many ${what}`, () => {
      const { ast, diagnostics } = parse(`state machine "x" {\n${`${line}\n`.repeat(300_000)}}`, "x.flow");
      assert.equal(diagnostics.length, mistakesMax + 1);
      assert.equal(diagnostics.at(-1)!.code, "FLOW018");
      assert.deepEqual(ast.flows, []);
    });
  }

  for (const [what, text] of [
    ["opening braces", "{".repeat(1_000_000)],
    ["opening brackets", "[(".repeat(1_000_000)],
    ["braces too much on one line", "}; data {".repeat(100_000)],
    ["quotes", '"'.repeat(1_000_000)],
    ["a string that is not closed before braces", `"${"{".repeat(1_000_000)}`],
    ["a string that is not closed before semicolons", `"${";".repeat(1_000_000)}`],
    ["NULs", "\0".repeat(1_000_000)],
    ["signs for what is no UTF-8", "\ufffd".repeat(1_000_000)],
    ["halves of characters", "\ud83c".repeat(1_000_000)],
    ["comments within comments", "/*".repeat(1_000_000)],
    ["a list that breaks off", `state machine "x" { states: [${"A, ".repeat(300_000)}`],
  ] as const) {
    it(`reads ${what} to the end`, () => {
      const { diagnostics } = parse(text, "x.flow");
      assert.ok(diagnostics.length > 0);
      for (const { span, message } of diagnostics) {
        assert.ok(0 <= span.start && span.start <= span.end && span.end <= text.length);
        assert.ok(message.length < 300, message);
      }
    });
  }

  it("names characters that can't be seen", () => {
    assert.equal(parse("\0", "x").diagnostics[0]!.message, "`U+0000` means nothing here.");
  });

  it("takes a byte order mark and blanks of other scripts for blanks", () => {
    assert.deepEqual(codesOf('\ufeffstate\u3000machine\u00a0"x" {}'), []);
  });

  for (const newLine of ["\n", "\r\n", "\r"]) {
    it(`counts places exactly with ${JSON.stringify(newLine)}`, () => {
      const text = ["// 报销 🎉", 'state machine "费用🎉" {', "  initial: 草稿 🎉", "}"].join(newLine);
      const { ast, diagnostics } = parse(text, "x.flow");
      assert.deepEqual(
        diagnostics.map(({ span }) => text.slice(span.start, span.end)),
        ["🎉"],
      );
      const { span } = ast.flows[0]!.name;
      assert.equal(text.slice(span.start, span.end), '"费用🎉"');
    });
  }
});
