import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parse } from "../parse.ts";
import { localize, translate } from "./localize.ts";
import { literalsOf, messageSources } from "./sources-testing.ts";
import { sentences } from "./zh.ts";
import { changes } from "./zh-changes.ts";
import { notes } from "./zh-notes.ts";
import { phrases } from "./zh-phrases.ts";

/** Words that are the same in Chinese. */
const SHARED = /saga|JSON|UTF-8|ISO|MiB|CNY|\bid\b/g;

/** English words outside backticks. */
function englishIn(chinese: string): readonly string[] {
  return (
    chinese
      .replace(/`[^`]*`/g, "")
      .replace(SHARED, "")
      .match(/[A-Za-z]{2,}/g) ?? []
  );
}

describe("translate", () => {
  for (const [what, english, chinese] of [
    ["a message without holes", "There is no branch to join.", "没有可汇合的分支。"],
    ["what the author wrote, as it is", "There is no state `a` and `b`.", "没有状态 `a` and `b`。"],
    ["holes in another order", "Write `:` for `：`.", "请把 `：` 写作 `:`。"],
    ["a phrase in a hole", "Expected a state, found the end.", "此处应为状态，却是结尾。"],
    ["what has backticks itself", "There is no state `a`b`.", "没有状态 `a`b`。"],
    ["a list", "Expected `on`, `after` or `at`, found `x`.", "此处应为 `on`、`after` 或 `at`，却是 `x`。"],
    ["the nearest of several", "`x` takes a text here, not an `int`.", "`x` 在此处需要文本，而不是 `int`。"],
    ["a number", "1 person can't give so many approvals.", "1 个人给不出这么多同意。"],
    [
      "how a sub-flow ends",
      "It is started → `D`; the flow of `R` ends in `S` → `OK`.",
      "启动 → `D`；`R` 的子流程结束于 `S` → `OK`。",
    ],
    [
      "a story",
      "It is started with `a = 1` → `A`; somebody changes the form: `a = 2`; `A` is approved (`f()` answers `true`) → `B`.",
      "启动，`a = 1` → `A`；有人修改表单：`a = 2`；`A` 通过（`f()` 回答 `true`） → `B`。",
    ],
  ] as const) {
    it(`translates ${what}`, () => assert.equal(translate(english), chinese));
  }

  it("knows nothing of other sentences", () => assert.equal(translate("The weather is fine."), undefined));
});

describe("localize", () => {
  const [diagnostic] = parse('state machine "x" { initail: A }', "x.flow").diagnostics;
  assert.ok(diagnostic);

  it("leaves English as it is", () => assert.equal(localize(diagnostic, "en"), diagnostic));

  it("translates the message, the hint and what is related, and keeps the rest", () => {
    const related = [{ message: "It stands here.", file: "y.flow", span: { start: 0, end: 1 } }];
    const whole = { ...diagnostic, hint: "Did you mean `initial`?", related };
    assert.deepEqual(localize(whole, "zh"), {
      ...whole,
      message: "`initail` 在此处不是关键字，是否想写 `initial`？",
      hint: "是否想写 `initial`？",
      related: [{ ...related[0], message: "写在此处。" }],
    });
  });

  it("keeps what has no translation", () => {
    const message = "The weather is fine.";
    assert.equal(localize({ ...diagnostic, message }, "zh").message, message);
  });
});

describe("the catalogue", () => {
  it("has every sentence that the sources say", () => {
    const literals = messageSources("*.ts", "check/*.ts", "proofs/*.ts", "editor/vocabulary.ts").flatMap(literalsOf);
    const said = literals.filter((text) => /^[A-Z`x{].*[a-z] .*[.?]$/s.test(text) && !text.includes("\n"));
    assert.ok(said.length > 200, "the sources are read");
    const missing = said.filter((text) => englishIn(translate(text) ?? text).length > 0);
    assert.deepEqual(missing, []);
  });

  it("has everything that the parser expects", () => {
    const literals = messageSources("parser*.ts", "tokens.ts").flatMap(literalsOf);
    const expected = literals.filter((text) => /^(a|an|the|anything|what|people|hours|`.*`)[, ] ?.*[^.?]$/.test(text));
    assert.ok(expected.length > 40, "the sources are read");
    const missing = expected.filter(
      (text) => englishIn(translate(`Expected ${text}, found \`x\`.`) ?? text).length > 0,
    );
    assert.deepEqual(missing, []);
  });

  it("has every hole in both languages, and no English in the Chinese", () => {
    for (const [english, chinese] of Object.entries({ ...sentences, ...changes, ...notes, ...phrases })) {
      const holes = (text: string) => new Set(text.match(/\{\d\}/g));
      assert.deepEqual(holes(chinese), holes(english), english);
      assert.deepEqual(englishIn(chinese), [], english);
    }
  });
});
