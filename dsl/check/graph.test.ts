import assert from "node:assert/strict";
import { test } from "node:test";
import { compile, type Diagnostic } from "../index.ts";
import { flow } from "./flow-fixture.ts";

function found(
  blocks: string,
  lines: string,
  states = "initial: A; states: [A, B, C, D]; final: [C, D]",
): readonly string[] {
  const text = `state machine "f" {
  people { boss = managerOf(initiator) }
  ${states}
  ${blocks}
  transitions { A → B on "go"\n ${lines} }
}
saga "s" { step pay() undo refund() }
state machine "g" { initial: X; states: [X, Y]; state X { handle by group("g") }; transitions { X → Y on done } }
`;
  const functions = ["pay", "refund"].map((name) => ({ name, kind: "action" as const }));
  return compile(text, "a.flow", { functions, groups: ["g"] }).diagnostics.map((one) => shown(one, text));
}

function shown({ code, span, path }: Diagnostic, text: string): string {
  return [code, text.slice(span.start, span.end), ...(path ? [path.join(" ")] : [])].join(" | ");
}

const branch = (name: string, states: string, lines: string, blocks = "") =>
  `branch ${name} { initial: S; states: [S, ${states}]; ${blocks}\n transitions { ${lines} } }`;
const parallel = (...branches: readonly string[]) => `state B { parallel { ${branches.join("\n")} join all } }`;

test("outcomes that need a line, by what a state does", () => {
  const approving = "state S { approval by boss }";
  const rows: readonly (readonly [blocks: string, lines: string, ...expected: readonly string[]])[] = [
    ["state B { approval by boss }", "B → C on approved", "FLOW207 | B"],
    ["state B { approval by boss { allow: [returnTo] } }", "B → C on approved\n B → D on rejected", "FLOW207 | B"],
    ["state B { approval by boss { allow: [withdraw] } }", "B → C on approved\n B → D on rejected"],
    ["state B { handle by boss }", `B → C on "x"\n B → D on "y"`, "FLOW207 | B"],
    ["state B { handle by boss }", "B → C on done\n B → D on rejected", "FLOW206 | on rejected"],
    [`state B { run saga "s" }`, "B → C on done\n B → D after 9d", "FLOW207 | B"],
    [`state B { run saga "s" }`, "B → C on done\n B → D on compensated"],
    [`state B { run flow "g" }`, "B → C on done\n B → D on compensated", "FLOW206 | on compensated"],
    [parallel(branch("one", "T", `S → T on "x"`)), `B → C on "y"\n B → D on "z"`, "FLOW207 | B"],
    [parallel(branch("one", "T", `S → T on approved`, approving)), "B → C on joined\n B → D after 9d", "FLOW207 | S"],
    [
      `state B { parallel { ${branch("one", "T", "S → T on approved", approving)} join all; reject: one } }`,
      "B → C on joined\n B → D on rejected",
    ],
    [
      `state B { parallel { ${branch("one", "T", "S → T on approved", approving)} join all; reject: one } }`,
      "B → C on joined\n B → D after 9d",
      "FLOW207 | B",
    ],
    ["", "B → C on approved\n B → D after 1d", "FLOW206 | on approved"],
    [
      "state C { revocable for 7d }",
      "B → C after 1d\n B → D after 2h\n C → D on withdrawn",
      "FLOW214 | B → C after 1d",
    ],
  ];
  for (const [blocks, lines, ...expected] of rows)
    assert.deepEqual(
      found(blocks, lines).filter((one) => !one.startsWith("FLOW204")),
      expected,
      blocks + lines,
    );
});

test("an outcome that a state can't have, and how it is left instead", () => {
  const hints = (block: string, lines: string) =>
    compile(flow({ blocks: block, lines }), "a.flow")
      .diagnostics.filter(({ code }) => code === "FLOW206")
      .map(({ hint }) => hint);
  assert.deepEqual(hints("state B { handle by boss }", "B → C on approved\n B → D on done"), [
    "What is handled ends with `on done`, never with a rejection.",
  ]);
  assert.deepEqual(hints("state B { approval by boss }", "B → C on approved\n B → D on rejected\n B → D on done"), [
    "An approval ends with `on approved` or `on rejected`.",
  ]);
  assert.deepEqual(hints("", "B → C on approved\n B → D after 1d"), [undefined]);
});

test("states of branches that can't be reached, or never end", () => {
  const rows: readonly (readonly [blocks: string, lines: string, ...expected: readonly string[]])[] = [
    [parallel(branch("one", "T, U", `S → T on "x"`)), "B → C on joined\n B → D after 9d", "FLOW204 | U"],
    [
      parallel(branch("one", "T, U", `S → T on "x"\n T → U on "x"\n U → T on "y"`)),
      "B → C on joined\n A → D after 9d",
      "FLOW205 | T | A B one.S one.T",
    ],
    [parallel(branch("one", "T, U", `S → T on "x"\n T → U on "x"\n U → T on "y"`)), "B → C on joined\n B → D after 9d"],
    [parallel(branch("one", "T", `S → T on "x"\n T → S on "y"\n T → D on "z"`)), "B → C on joined"],
  ];
  for (const [blocks, lines, ...expected] of rows) assert.deepEqual(found(blocks, lines), expected, blocks + lines);
});

test("a line out of a branch is a way of the parallel state", () => {
  const blocks = parallel(branch("one", "T", `S → T on "x"\n S → E on "y"`));
  const states = "initial: A; states: [A, B, C, E, D]; final: [C, D]";
  assert.deepEqual(found(blocks, `B → C on joined\n E → D on "z"`, states), []);
});
