import assert from "node:assert/strict";
import { test } from "node:test";
import { compile } from "../index.ts";

interface Parts {
  readonly field: string;
  readonly blocks?: string;
  readonly lines?: string;
  readonly events?: string;
  readonly after?: string;
}

function flow({ field, blocks = "", lines = "R → S on approved", events = "", after = "" }: Parts): string {
  return `state machine "f" {
  data { amount: money; ${field} }
  events { "submit" { amount } ${events} }
  initial: D; states: [D, R, S, OK, NO]; final: [OK, NO]
  state R { approval by initiator { allow: [withdraw] } }
  ${blocks}
  transitions { D → R on "submit"
    ${lines}
    R → NO on rejected
    R → D on withdrawn
    S → OK on "end" }
}
${after}`;
}

/** What is said of data that is not there yet, with the lines that set it. */
function found(parts: Parts): readonly (readonly string[])[] {
  const text = flow(parts);
  const { diagnostics } = compile(text, "a.flow");
  const at = ({ start, end }: { readonly start: number; readonly end: number }) => text.slice(start, end);
  return diagnostics
    .filter(({ code, severity }) => code === "FLOW233" || severity === "error")
    .map(({ code, span, related = [] }) => [code, at(span), ...related.map((one) => at(one.span))]);
}

const SETS = "R → S on approved → set(total = amount)";
const EDITS = "state S { approval by initiator { edit: [note] } }";
const DECIDED = "S → OK on approved\n S → NO on rejected";

test("a required field that only later lines set", () => {
  const field = "total: money";
  const said = ["FLOW233", "total", "set(total = amount)"];
  const rows: readonly (readonly [what: string, parts: Parts, ...said: (readonly string[])[]])[] = [
    ["nothing else sets it", { field, lines: SETS }, said],
    ["on the way out of the initial state it is too late", { field, lines: `${SETS}\n D → R on "x"` }, said],
    ["before the initial state is left", { field, lines: `${SETS}\n D → D on "count" → set(total = 0)` }],
    ["an event brings it", { field, lines: SETS, events: `"amend" { total }` }],
    ["a default", { field: "total: money = 0", lines: SETS }],
    ["nobody but the start sets it", { field }],
    ["a test starts with it", { field, lines: SETS, after: `test "t" of "f" { start { total: 5 } }` }],
    [
      "another flow starts with it",
      {
        field,
        lines: SETS,
        after: `state machine "g" { initial: A; states: [A, B]; state A { run flow "f" on "submit" with { amount: 1; total: 2 } }; transitions { A → B on done } }`,
      },
    ],
    [
      "another flow begins it beside itself",
      {
        field,
        lines: SETS,
        after: `state machine "g" { initial: A; states: [A, B]; transitions { A → B on "x" → start("f", key, { total: 2 }) } }`,
      },
    ],
  ];
  for (const [what, parts, ...expected] of rows) assert.deepEqual(found(parts), expected, what);
});

test("an optional field that is read before anything sets it", () => {
  const field = "note: text?";
  const read = "if note is set";
  const [early, late] = [`R → S on approved ${read}\n R → S on approved else`, "R → S on approved"];
  const edit = "edit: [note]";
  const rows: readonly (readonly [what: string, parts: Parts, ...said: (readonly string[])[]])[] = [
    ["in a condition", { field, blocks: EDITS, lines: `${early}\n ${DECIDED}` }, ["FLOW233", "note", edit]],
    ["where it may be set", { field, blocks: EDITS, lines: `${late}\n S → OK on approved ${read}\n S → NO on rejected\n S → NO on approved else` }], // biome-ignore format: a table
    ["after a way back", { field, blocks: EDITS, lines: `${early}\n ${DECIDED}\n S → R on "again"` }],
    [
      "after a return to where it is read",
      { field, blocks: EDITS.replace("edit:", "allow: [returnTo]; edit:"), lines: `${early}\n ${DECIDED}\n S → NO on returned` }, // biome-ignore format: a table
    ],
    [
      "in the lines of a state whose people may fill it in",
      { field, blocks: "state S { handle by initiator { edit: [note] } }", lines: `${late}\n S → OK on done ${read}\n S → NO on done else` }, // biome-ignore format: a table
    ],
    ["behind a `set` of its own line", { field: `${field}; copy: text?`, lines: `R → S on approved → set(note = "x") → set(copy = note)` }], // biome-ignore format: a table
    [
      "by people, as somebody to be chosen",
      { field: "note: user?", blocks: EDITS.replace("by initiator", "by chosen(note)"), lines: `${late}\n ${DECIDED}` },
    ],
    [
      "in a branch, which a branch beside it sets",
      {
        field,
        blocks: `state S { parallel {
          branch a { initial: P; states: [P, Q]; transitions { P → Q on "p" → set(note = "x") } }
          branch b { initial: P; states: [P, Q]; transitions { P → Q on "q" if note is set } } } }`,
        lines: `${late}\n S → OK on joined`,
      },
    ],
    [
      "before the branch in which it is set",
      {
        field,
        blocks: `state S { parallel { branch a { initial: P; states: [P, Q]; transitions { P → Q on "p" → set(note = "x") } } } }`,
        lines: `${early}\n S → OK on joined`,
      },
      ["FLOW233", "note", `set(note = "x")`],
    ],
    ["an item's field of that name", { field: "note: text?; rows: list { note: text }", blocks: EDITS, lines: `R → S on approved if any rows where note == "x"\n R → S on approved else\n ${DECIDED}`, events: `"fill" { rows }` }], // biome-ignore format: a table
  ];
  for (const [what, parts, ...expected] of rows) assert.deepEqual(found(parts), expected, what);
});
