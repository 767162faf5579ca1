import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compile } from "../compile.ts";
import { Workspace } from "./workspace.ts";

/** Whatever was typed before, a workspace says of a text what a fresh look at it says. */

const SHARED = `calendar "office" { timezone: "Asia/Shanghai" }
matrix signOff(amount: money) {
  amount      → approvers
  [0, 5_000)  → manager
  [5_000, ..) → manager then finance
}
`;

/** With something to say in every flow: an overlap, a line that never applies, a broken promise, a path without end. */
const TEXT = `use "./shared.flow"

state machine "outer" {
  data { amount: money
    days: int? }
  calendar: "office"
  people { manager = managerOf(initiator)
    finance = group("finance") }
  initial: DRAFT
  states: [DRAFT, REVIEW, CHECK, DONE, GONE]
  final: [DONE, GONE]
  state REVIEW { approval by signOff(amount) { due: 2 workdays } }
  state CHECK { run flow "inner" on "go" with { amount: amount } }
  transitions {
    DRAFT → REVIEW on "submit" by initiator if amount > 5
    DRAFT → CHECK on "submit" by initiator if amount > 500
    REVIEW → CHECK on approved
    REVIEW → GONE on rejected → notify(initiator)
    CHECK → DONE on done
    CHECK → GONE on done if outcome == REFUSED
  }
  ensure { never DONE without approval by manager
    reaches final within 10d }
}

state machine "inner" {
  data { amount: money }
  events { "go" { amount } }
  initial: START
  states: [START, LOOKING, FINE, REFUSED]
  final: [FINE, REFUSED]
  state LOOKING { approval by group("inner") }
  transitions {
    START → LOOKING on "go" if amount > 0
    LOOKING → FINE on approved if amount >= 10
    LOOKING → FINE on approved else
    LOOKING → REFUSED on rejected
    LOOKING → REFUSED after 3d
    LOOKING → FINE after 5d
  }
  ensure { never FINE without LOOKING }
}

state machine "alone" {
  data { kind: Kind = one of [x, y, z] }
  initial: A
  states: [A, B, C]
  final: [C]
  transitions {
    A → B on "go" if kind == x
    B → C on "end" if kind in [x, y] → render("paper")
    B → A on "end" if kind == z
  }
  ensure { never C without B }
}

document "paper" { template: "paper"
  kind = kind }

test "it waits" of "inner" {
  as "alice"
  start { amount: 1 }
  expect START
}
`;

const SNIPPETS = [
  "",
  "\n",
  " ",
  "// x\n",
  "if amount > 7 ",
  "D",
  "}",
  "{",
  "5",
  "LOOKING",
  '"',
  "→",
  "else",
  "outer",
  "kind",
  "，",
];

interface Edit {
  readonly at: number;
  readonly removed: number;
  readonly inserted: string;
  /** Take the edit before back first. */
  readonly undo: boolean;
  readonly shared: boolean;
}

const edits: fc.Arbitrary<readonly Edit[]> = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    removed: fc.constantFrom(0, 0, 0, 1, 3, 12),
    inserted: fc.constantFrom(...SNIPPETS),
    undo: fc.boolean(),
    shared: fc.integer({ min: 0, max: 9 }).map((number) => number === 0),
  }),
  { minLength: 2, maxLength: 8 },
);

function edited(text: string, { at, removed, inserted }: Edit): string {
  const start = Math.floor(at * text.length);
  return text.slice(0, start) + inserted + text.slice(start + removed);
}

test("after any edits a file is judged as if it had been opened just now", () => {
  fc.assert(
    fc.property(edits, (several) => {
      const workspace = new Workspace();
      let [shared, text, before] = [SHARED, TEXT, TEXT];
      workspace.set("shared.flow", shared);
      workspace.set("a.flow", text);
      for (const edit of several) {
        if (edit.undo) text = before;
        before = text;
        if (edit.shared) shared = edited(shared, edit);
        else text = edited(text, edit);
        workspace.set("shared.flow", shared);
        workspace.set("a.flow", text);
        const { ast: _, ...incremental } = workspace.compiled("a.flow")!;
        const file = (path: string) => (path === "shared.flow" ? shared : undefined);
        const { ast: __, ...fresh } = compile(text, "a.flow", { file });
        assert.deepEqual(incremental, fresh);
      }
    }),
    { numRuns: 20 },
  );
});
