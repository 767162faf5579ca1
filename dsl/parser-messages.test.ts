import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Diagnostic } from "./diagnostic.ts";
import { parse, read } from "./parse.ts";
import { everything } from "./syntax-samples.ts";

function messagesOf(text: string): string[] {
  return parse(text, "x.flow").diagnostics.map(({ message }) => message);
}

let samplesSpoilt: { readonly text: string; readonly diagnostics: readonly Diagnostic[] }[] | undefined;

/** Everything that can be written, with a sign of its own in place of each token in turn. */
function spoilt(): NonNullable<typeof samplesSpoilt> {
  samplesSpoilt ??= everything.split("\n\n").flatMap((text) =>
    read(text, "x.flow").tokens.map(({ startOffset, image }) => {
      const broken = `${text.slice(0, startOffset)}?${text.slice(startOffset + image.length)}`;
      return { text: broken, diagnostics: parse(broken, "x.flow").diagnostics };
    }),
  );
  return samplesSpoilt;
}

describe("how it is written", () => {
  for (const [item, hint] of [
    ["overdue: [reject]", "overdue: [remind after 0h, reject after 2d]"],
    ["overdue: [escalate after 1d]", "escalate to managerOf(assignee) after 1d"],
    ["due 2d", "due: 2d"],
    ["remind: 4h", "remind: every 4h at most 3"],
    ["allow: transfer", "allow: [transfer, returnTo]"],
    ["reason: on [reject]", "reason: required on [reject]"],
    ["maxReturns: many", "maxReturns: 3"],
  ] as const) {
    it(`is a hint at ${item}`, () => {
      const { diagnostics } = parse(`state machine "x" { state A { approval by p { ${item} } } }`, "x.flow");
      assert.deepEqual(
        diagnostics.map(({ hint }) => hint),
        [`Write it like \`${hint}\`.`],
      );
    });
  }

  it("is itself right", () => {
    // Hints that show a whole declaration or item of a machine; the rest stands within others.
    const wholes =
      /^(use|state|calendar|matrix|saga|document|source wecom|rollout|test|initial|data|ensure|migrate from|title)\b/;
    const shown = new Set(spoilt().flatMap(({ diagnostics }) => diagnostics.map(({ hint }) => hint ?? "")));
    const samples = [...shown].flatMap((hint) => /^Write it like `(.*)`\.$/.exec(hint)?.[1] ?? []);
    assert.ok(samples.length > 30, `${samples.length} hints`);
    for (const sample of samples.filter((one) => wholes.test(one))) {
      const text = sample.replaceAll("{ .. }", "{ }");
      const machine = `state machine "x" { ${text} }`;
      const found = [text, machine].map((one) => parse(one, "x.flow").diagnostics);
      assert.ok(
        found.some((diagnostics) => diagnostics.length === 0),
        sample,
      );
    }
  });
});

describe("what the parser expects", () => {
  for (const [text, message] of [
    [
      'test "t" of "x" { expect }',
      'Expected a state, a condition or what has happened, such as `emitted "x"`, found `}`.',
    ],
    ['test "t" of "x" { advance }', "Expected a duration, or `to` and a time, found `}`."],
    [
      'test "t" of "x" { expect A waiting for 5 }',
      'Expected a person such as `"bob"`, `group("finance")` or `nobody`, found `5`.',
    ],
    [
      'state machine "x" { state A { approval by p { overdue: [foo after 1d] } } }',
      "Expected `remind`, `escalate to`, `transfer to`, `approve` or `reject`, found `foo`.",
    ],
    [
      'state machine "x" { state A { approval by p { allow: [5] } } }',
      "Expected an operation such as `transfer`, found `5`.",
    ],
    ['state machine "x" { states: [A, 5] }', "Expected a name, found `5`."],
    ['state machine "x" { states: [A, B }', "Expected `]`, found `}`."],
    ['state machine "x" { states: [A, }', "Expected `]`, found `}`."],
    ['state machine "x" { states: [A? B] }', "Expected `]`, found `?`."],
    ['state machine "x" { ensure { never A without 5 } }', "Expected a state or `approval by`, found `5`."],
    ['state machine "x" { state A { approval by 5 } }', "Expected people such as `managerOf(initiator)`, found `5`."],
  ] as const) {
    it(`is named in ${text}`, () => assert.deepEqual(messagesOf(text), [message]));
  }

  it("is named everywhere", () => {
    let said = 0;
    for (const { text, diagnostics } of spoilt()) {
      said += diagnostics.length;
      for (const { message } of diagnostics) assert.ok(!message.includes("something else"), `${message}\n${text}`);
    }
    assert.ok(said > 500, `${said} mistakes`);
  });
});
