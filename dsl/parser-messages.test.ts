import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parse, read } from "./parse.ts";
import { everything } from "./syntax-samples.ts";

function messagesOf(text: string): string[] {
  return parse(text, "x.flow").diagnostics.map(({ message }) => message);
}

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
    for (const text of everything.split("\n\n")) {
      for (const { startOffset, image } of read(text, "x.flow").tokens) {
        const spoilt = `${text.slice(0, startOffset)}?${text.slice(startOffset + image.length)}`;
        const messages = messagesOf(spoilt);
        said += messages.length;
        for (const message of messages) assert.ok(!message.includes("something else"), `${message}\n${spoilt}`);
      }
    }
    assert.ok(said > 500, `${said} mistakes`);
  });
});
