import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { compile } from "../dsl/index.ts";
import { runTest } from "../engine/index.ts";

const REFERENCE = join(import.meta.dirname, "..", "docs", "language.md");

test("the examples of the language reference are sound, and their tests pass", () => {
  const examples = [...readFileSync(REFERENCE, "utf8").matchAll(/^```flow\n(.*?)^```$/gms)].map(([, text]) => text!);
  assert.ok(examples.length >= 3);
  for (const [index, text] of examples.entries()) {
    const { diagnostics, definitions, tests } = compile(text, `example-${index + 1}.flow`);
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    assert.deepEqual(errors, [], text);
    for (const block of tests) assert.equal(runTest(block, definitions, text).message, undefined);
  }
});

/** One line of a flow per construct that section 12 lists, by where it stands. */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  file: [
    'use "./x.flow"',
    'calendar "cn" { }',
    "matrix m(a: money) { }",
    'saga "s" { }',
    'rollout "r" of "x" to label "2" { }',
  ],
  flow: ['calendar: "cn"', "ensure { never B without R }", 'migrate from label "1" { A → R }'],
  state: ["parallel { }", 'run flow "f"', 'run saga "s"', "handle by m", "auto approve if a > 1 else reject"],
  stage: ["m and m", "m veto m", "m quorum 60% weight w", "one of m"],
  option: [
    ...["onSelf: skip", "repeated: ask", "onReturn: resume", "maxReturns: 3", "edit: [a]", "hide: [a]"],
    ...["abstain: leaves", "collect: all", "sign: required", "due: 2 workdays"],
    ...["delegate", "addBefore", "addAfter", "addBeside", "remove", "takeBack", "claim"].map(
      (operation) => `allow: [${operation}]`,
    ),
  ],
};

function flowWith(place: string, text: string): string {
  const approval = `approval by ${place === "stage" ? text : "m"} { ${place === "option" ? text : ""} }`;
  return `state machine "x" {
  data { a: money }
  people { m = managerOf(initiator) }
  ${place === "flow" ? text : ""}
  initial: A
  states: [A, R, B]
  final: [B]
  state R { ${place === "state" ? text : approval} }
  transitions {
    A → R on "go"
    R → B on approved
    R → A on rejected
  }
}
${place === "file" ? text : ""}
`;
}

test("what the reference says is refused, is refused by name", () => {
  for (const [place, texts] of Object.entries(REFUSED)) {
    for (const text of texts) {
      const { diagnostics } = compile(flowWith(place, text), "x.flow");
      assert.ok(
        diagnostics.some(({ code }) => code === "FLOW900"),
        text,
      );
    }
  }
});
