/** The `test` blocks that proofs show fail on the engine, in their last line, for as long as the property is broken. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compile } from "../dsl/index.ts";
import { runTest } from "./simulator.ts";

interface Parts {
  readonly before?: string;
  readonly states?: string;
  readonly blocks: string;
  readonly lines?: string;
  readonly ensure: string;
}

function flow({ before = "", states, blocks, lines, ensure }: Parts): string {
  return `${before}
state machine "f" {
  data { amount: money; days: int?; who: user? }
  events { "submit" { amount, days } "amend" { amount } }
  people { boss = managerOf(initiator); finance = group("finance"); board = users("u1", "u2", "u3") }
  initial: D
  states: [${states ?? "D, R, OK, NO"}]
  final: [OK, NO]
  ${blocks}
  transitions { D → R on "submit"
    ${lines ?? "R → OK on approved\n R → NO on rejected"} }
  ensure { ${ensure} }
}
`;
}

/** What the last line says that fails; `undefined`: no property is broken, or no test is shown. */
function failing(text: string): string | undefined {
  const broken = compile(text, "a.flow").diagnostics.find(({ test: shown }) => shown !== undefined);
  if (!broken?.test) return undefined;
  const whole = `${text}${broken.test}`;
  const { definitions, unsound, tests, diagnostics } = compile(whole, "a.flow");
  const others = diagnostics.filter(({ severity, code }) => severity === "error" && !/^FLOW25[03]/.test(code));
  assert.deepEqual(others, [], whole);
  const lines = broken.test.trimEnd().split("\n");
  const result = runTest(tests.at(-1)!, [...definitions, ...unsound], whole);
  const last = lines.at(-2)!.trim();
  assert.equal(result.message?.split("\n")[0], last, whole);
  return last;
}

const legal = (options = "join all", finance = "finance") => `state R { parallel {
  branch legal { initial: A; states: [A, X, Z]; state A { approval by boss }; transitions { A → X on approved; A → Z on rejected } }
  branch fin if amount > 5_000 { initial: A; states: [A, X]; state A { approval by ${finance} }; transitions { A → X on approved; A → NO on rejected } }
  ${options} } }`;
const SEAL = `state machine "seal" { data { copies: int }; initial: A; states: [A, S, Q]; final: [S, Q]
  state A { approval by group("seal") quorum 2 }; transitions { A → S on approved; A → Q on rejected } }`;
const STAMP = `state machine "stamp" { data { copies: int = 1 }; people { boss = managerOf(initiator) }; initial: A; states: [A, B, S, Q]; final: [S, Q]
  state B { approval by boss }
  transitions { A → B on "ask"; B → S on approved if copies > 3; B → Q on approved else; B → Q on rejected } }`;
const FOUR = "D, R, S, OK, NO";
const DECIDED = "R → OK on approved\n R → NO on rejected";
const TWICE = "R → S on approved\n R → NO on rejected\n S → OK on approved\n S → NO on rejected";

const ROWS: readonly (readonly [what: string, parts: Parts, last?: string])[] = [
  [
    "the state is one of a branch",
    { blocks: legal(), lines: "R → OK on joined", ensure: "never fin.X without legal.X" },
    "expect fin.state != X",
  ],
  [
    "a branch is not entered",
    { blocks: legal(), lines: "R → OK on joined", ensure: "never OK without approval by finance" },
  ],
  ["one branch is enough", { blocks: legal("join any"), lines: "R → OK on joined", ensure: "never OK without fin.X" }],
  [
    "nobody has to approve in a branch",
    {
      blocks: legal("join all", "finance { onEmpty: skip }"),
      lines: "R → OK on joined",
      ensure: "never OK without approval by finance if amount > 6_000",
    },
  ],
  [
    "a sub-flow does without them",
    {
      before: SEAL,
      blocks: `state R { run flow "seal" with { copies: 1 } }`,
      lines: "R → OK on done if outcome == S\n R → NO on done else",
      ensure: "never OK without approval by finance",
    },
  ],
  [
    "a sub-flow that ends otherwise",
    {
      before: SEAL,
      blocks: `state R { run flow "seal" with { copies: 1 } }`,
      lines: "R → OK on done",
      ensure: `never OK without approval by group("seal")`,
    },
  ],
  [
    "a sub-flow by the data that it is given",
    {
      before: STAMP,
      blocks: `state R { run flow "stamp" on "ask" with { copies: 2 + 3 } }`,
      lines: "R → OK on done if outcome == S\n R → NO on done else",
      ensure: "never OK without approval by finance",
    },
  ],
  [
    "the initiator's seat is skipped",
    { blocks: `state R { approval by users("u", "w") all { onSelf: skip } }`, ensure: `never OK without approval by users("u")` }, // biome-ignore format: a table
  ],
  [
    "the initiator's seat in a group is skipped",
    { blocks: "state R { approval by finance all { onSelf: skip } }", ensure: "never OK without approval by finance" },
  ],
  [
    "somebody has decided another state",
    {
      states: FOUR,
      blocks: `state R { handle by users("u", "v") }\n state S { approval by users("u", "w") all }`,
      lines: "R → S on done\n S → OK on approved\n S → NO on rejected",
      ensure: `different people in [R, S]; never OK without approval by users("u")`,
    },
  ],
  ["a weight", { blocks: "state R { approval by board quorum 60% weight scoreOf }", ensure: "never OK without approval by finance" }], // biome-ignore format: a table
  ["people who are chosen", { blocks: "state R { approval by chosen(who) }", ensure: "never OK without approval by finance" }], // biome-ignore format: a table
  [
    "an instant",
    {
      blocks: "state R { approval by finance }",
      lines: `${DECIDED}\n R → OK at now + 3d`,
      ensure: "never OK without approval by finance",
    },
  ],
  [
    "the initiator is asked",
    { blocks: "state R { approval by finance { onSelf: ask } }", ensure: "initiator never approves" },
    `expect not history containing "gets no seat"`,
  ],
  [
    "nobody else is asked",
    { blocks: `state R { approval by boss then users("u") }`, ensure: `users("u") never approves` },
    `expect not history containing "is held"`,
  ],
  [
    "nobody is left for the second state",
    {
      states: FOUR,
      blocks: `state R { approval by users("u", "v") all }\n state S { approval by users("u", "v") }`,
      lines: TWICE,
      ensure: "different people in [R, S]",
    },
    `expect not history containing "is held"`,
  ],
  ["no end of a wait", { blocks: "state R { approval by boss }", ensure: "reaches final within 5d" }],
  [
    "no end of a wait in a branch",
    { blocks: legal(), lines: "R → OK on joined", ensure: "reaches final within 5d" },
    "expect state == OK or state == NO",
  ],
  ["a long wait", { blocks: "state R { approval by boss }", lines: `${DECIDED}\n R → NO after 9d`, ensure: "reaches final within 5d" }], // biome-ignore format: a table
  [
    "deadlines one after the other",
    {
      blocks: "state R { approval by boss then board sequence { due: 3d; overdue: [approve after 1d] } }",
      ensure: "reaches final within 15d",
    },
  ],
  [
    "states one after the other",
    {
      states: FOUR,
      blocks: "state R { approval by boss }",
      lines: "R → S on approved\n R → NO on rejected\n R → NO after 3d\n S → OK after 3d",
      ensure: "reaches final within 5d",
    },
  ],
  [
    "a circle",
    {
      states: FOUR,
      blocks: "state R { approval by boss }",
      lines: "R → S on approved\n R → NO on rejected\n R → NO after 3d\n S → R after 1d",
      ensure: "reaches final within 30d",
    },
  ],
];

for (const [what, parts, last] of ROWS) {
  test(`a test shows that ${what}`, () => {
    const said = failing(flow(parts));
    assert.ok(said, "a test is shown");
    if (last !== undefined) assert.equal(said, last);
  });
}

test("what is shown fails for flows that nobody thought of, too", () => {
  const stage = fc.constantFrom("boss", "finance all", `users("u", "w") all`, "board", "board quorum 2", `users("u")`);
  const options = fc.constantFrom(
    "",
    "onSelf: skip",
    "onEmpty: skip",
    "allow: [abstain]",
    "due: 2d; overdue: [reject after 1d]",
    "due: 1d; overdue: [remind after 0h, approve after 1d]",
    "onSelf: ask",
  );
  const block = fc.record({
    first: stage,
    second: fc.option(stage),
    options,
    afterDays: fc.option(fc.constantFrom(2, 5)),
  });
  const ensure = fc.constantFrom(
    "never OK without approval by boss",
    "never OK without approval by finance",
    `never OK without approval by users("u")`,
    "never OK without S",
    "initiator never approves",
    `users("u") never approves`,
    "different people in [R, S]",
    "reaches final within 4d",
    "reaches final within 9d",
  );
  let shown = 0;
  fc.assert(
    fc.property(block, block, fc.boolean(), ensure, (one, other, isBack, property) => {
      const blocks = [["R", one] as const, ["S", other] as const].map(
        ([name, { first, second, options: own }]) =>
          `state ${name} { approval by ${first}${second ? ` then ${second}` : ""} { ${own} } }`,
      );
      const timers = [["R", one] as const, ["S", other] as const].flatMap(([name, { afterDays }]) =>
        afterDays === null ? [] : [`${name} → NO after ${afterDays}d`],
      );
      const lines = `R → S on approved if amount > 5\n R → OK on approved else\n R → NO on rejected
        S → ${isBack ? "R" : "OK"} on approved\n S → NO on rejected\n ${timers.join("\n")}`;
      if (failing(flow({ states: FOUR, blocks: blocks.join("\n"), lines, ensure: property }))) shown += 1;
    }),
    { numRuns: 150 },
  );
  assert.ok(shown > 30, `${shown} tests were shown`);
});
