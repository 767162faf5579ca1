import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bareTree } from "./bare-tree.ts";
import { parse, read } from "./parse.ts";
import { everything } from "./syntax-samples.ts";
import { keywordTexts } from "./tokens.ts";

/** Words that stand for a value or an operator wherever an expression is read. */
const inExpressions = new Set(["true", "false", "if", "not"]);
/** Actions with a form of their own. */
const actions = new Set(["set", "start"]);

describe("keywords", () => {
  it("are many", () => assert.ok(keywordTexts.length > 150));

  for (const word of keywordTexts) {
    it(`${word} is a name where no keyword can stand`, () => {
      const condition = inExpressions.has(word) ? `data.${word}` : word;
      const { ast, diagnostics } = parse(
        `state machine "x" {
          data {
            ${word}: int
            other: { ${word}: text }
          }
          events {
            "${word}" { ${word} }
            "e" { other, ${word}: user? }
          }
          people {
            ${word} = group("x")
          }
          initial: ${word}
          states: [${word}, B]
          final: [${word}]
          state ${word} {
            approval by ${word} all then ${word} {
              edit: [${word}]
              onEmpty: assign ${word}
            }
          }
          state P {
            parallel {
              branch ${word} {
                states: [${word}]
              }
              join all
            }
          }
          transitions {
            ${word}, B → ${word} on "${word}" by ${word} if ${condition} == 1 or event.${word} is set → ${actions.has(word) ? "act" : word}()
            B → ${word} on approved → set(${word} = 2)
            B → B on "e" if other.${word} == "x"
              and (any [1] where ${condition} > 3)
          }
          ensure {
            never ${word} without ${word}.${word}
            ${word} never approves
          }
        }
        document "d" {
          ${word} = data.${word}
        }
        rollout "r" of "x" to label "1" {
          ${word}: [1, 2)
        }
        test "t" of "x" {
          start { ${word}: 1, other: { ${word}: ${word} } }
          send "${word}"
          expect ${word === "not" ? "A" : word} waiting for nobody
          expect ${word}
          "u" returns to ${word}
          expect called ${word} 2 times
        }`,
        "x.flow",
      );
      assert.deepEqual(diagnostics, []);
      const [flow] = ast.flows;
      assert.deepEqual(
        flow!.fields.map((field) => field.name.text),
        [word, "other"],
      );
      assert.deepEqual(bareTree(flow!.states), [word, "B"]);
      assert.deepEqual(bareTree(flow!.transitions[0]!.from), [word, "B"]);
      assert.equal(flow!.transitions.length, 3);
      assert.equal(ast.tests[0]!.statements.length, 6);
    });
  }
});

describe("a keyword with one letter wrong", () => {
  const { tokens, ast: sound } = read(everything, "x.flow");
  const expected = bareTree(sound);

  it("is one error that mends it, and nothing else follows", () => {
    let mended = 0;
    for (const { tokenType, image, startOffset } of tokens) {
      if (!tokenType.name.startsWith("keyword ")) continue;
      const typo = image.length > 3 ? image[0] + image.slice(2) : image + image.at(-1);
      const text = everything.slice(0, startOffset) + typo + everything.slice(startOffset + image.length);
      const { ast, diagnostics } = parse(text, "x.flow");
      if (diagnostics.length === 0) continue;
      // At the beginning of a line such a word no longer joins it to the one before.
      if (image === "then" && /\n\s*$/.test(everything.slice(0, startOffset))) continue;
      const span = { start: startOffset, end: startOffset + typo.length };
      const where = everything.slice(startOffset - 20, startOffset + 20);
      assert.deepEqual(
        diagnostics.map((one) => [one.code, one.fix]),
        [["FLOW013", [{ span, text: image }]]],
        where,
      );
      assert.deepEqual(bareTree(ast), expected, where);
      mended++;
    }
    assert.ok(mended > 450, `only ${mended}`);
  });
});
