import assert from "node:assert/strict";
import { test } from "node:test";
import { compile, type Definition } from "../index.ts";
import { flow, wrongs } from "./flow-fixture.ts";

const STATES = "initial: A; states: [A, P, B, C, D]; final: [C, D]";
const LEGAL = `branch legal {
    initial: REVIEW; states: [REVIEW, OK]
    state REVIEW { approval by boss { allow: [withdraw] } }
    transitions { REVIEW → OK on approved\n REVIEW → D on rejected }
  }`;
const FINANCE = `branch finance if amount > 5_000 {
    initial: CHECK; states: [CHECK, FINE]
    transitions { CHECK → FINE on "checked" }
  }`;

/** A flow with a parallel state. */
function withParallel(branches: string, more: { readonly lines?: string; readonly head?: string } = {}): string {
  return flow({
    head: more.head ?? "",
    states: STATES,
    blocks: `state P { parallel { ${branches} } }`,
    lines: more.lines ?? `P → B on joined\n B → C on "x"\n B → D on "y"`,
  }).replace('A → B on "go"', 'A → P on "go"');
}

const BOTH = `${LEGAL}\n ${FINANCE}\n join all`;

function definitionOf(text: string): Definition {
  const { definitions, diagnostics } = compile(text, "a.flow");
  assert.deepEqual(diagnostics, []);
  return definitions[0]!;
}

test("branches are machines in a state", () => {
  const definition = definitionOf(withParallel(BOTH));
  const parallel = definition.states[1]?.parallel;
  assert.deepEqual(
    parallel?.branches.map(({ name, initial, states, otherwise }) => [
      name,
      initial,
      states.map(({ name: state, final }) => [state, final]),
      otherwise,
    ]),
    [
      [
        "legal",
        "REVIEW",
        [
          ["REVIEW", false],
          ["OK", true],
        ],
        false,
      ],
      [
        "finance",
        "CHECK",
        [
          ["CHECK", false],
          ["FINE", true],
        ],
        false,
      ],
    ],
  );
  assert.deepEqual([parallel?.join, parallel?.rejectOne], [{ kind: "all" }, false]);
  assert.deepEqual(
    parallel?.branches.map(({ condition }) => condition?.kind),
    [undefined, "binary"],
  );
  assert.deepEqual(
    parallel?.branches[0]?.transitions.map(({ to, up }) => [to, up]),
    [
      ["OK", undefined],
      ["D", 1],
    ],
  );
  assert.ok(definition.events.some(({ name }) => name === "checked"));
});

test("joins", () => {
  const joinOf = (join: string) => {
    const parallel = definitionOf(withParallel(`${LEGAL}\n ${FINANCE.replace(" if amount > 5_000", "")}\n ${join}`))
      .states[1]?.parallel;
    return [parallel?.join, parallel?.rejectOne];
  };
  assert.deepEqual(joinOf(""), [{ kind: "all" }, false]);
  assert.deepEqual(joinOf("join any"), [{ kind: "any" }, false]);
  assert.deepEqual(joinOf("join 2"), [{ kind: "count", count: 2 }, false]);
  const rejecting = withParallel(BOTH.replace("join all", "join all\n reject: one"), {
    lines: 'P → B on joined\n P → D on rejected\n B → C on "x"',
  });
  assert.equal(definitionOf(rejecting).states[1]?.parallel?.rejectOne, true);
});

test("names are looked up in the branch first", () => {
  const own = LEGAL.replaceAll("OK", "C").replace("REVIEW → D", "REVIEW → B");
  const parallel = definitionOf(withParallel(`${own}\n ${FINANCE}`)).states[1]?.parallel;
  assert.deepEqual(
    parallel?.branches[0]?.transitions.map(({ to, up }) => [to, up]),
    [
      ["C", undefined],
      ["B", 1],
    ],
  );
});

test("a branch within a branch may lead out of both", () => {
  const inner = `branch outer {
    initial: N; states: [N, OK]
    state N { parallel { branch inner { initial: M; states: [M, O]; transitions { M → O on "m"\n M → OK on "n"\n M → D on "o" } } } }
    transitions { N → OK on joined }
  }`;
  const [branch] = definitionOf(withParallel(inner)).states[1]?.parallel?.branches ?? [];
  const lines = branch?.states[0]?.parallel?.branches[0]?.transitions;
  assert.deepEqual(
    lines?.map(({ to, up }) => [to, up]),
    [
      ["O", undefined],
      ["OK", 1],
      ["D", 2],
    ],
  );
});

test("`BRANCH.state` is known where branches are joined, and may be absent where a branch need not be entered", () => {
  const joined = (condition: string) =>
    withParallel(BOTH, { lines: `P → B on joined if ${condition}\n P → D on joined else\n B → C on "x"` });
  assert.deepEqual(wrongs(joined("legal.state == OK")), []);
  assert.deepEqual(wrongs(joined("finance.state is set and finance.state == FINE")), []);
  assert.deepEqual(wrongs(joined("finance.state == FINE")), [["FLOW122", "finance.state"]]);
  assert.deepEqual(wrongs(joined("legal.state == FINE")), [["FLOW107", "FINE"]]);
  assert.deepEqual(wrongs(joined("legal.stage == OK")), [["FLOW103", "stage"]]);
  const elsewhere = withParallel(BOTH, { lines: 'P → B on joined\n B → C on "x" if legal.state == OK\n B → D on "y"' });
  assert.deepEqual(wrongs(elsewhere), [["FLOW101", "legal"]]);
});

test("a branch of the initial state sees fields that may be missing", () => {
  const text = flow({
    states: "initial: A; states: [A, B, C, D]; final: [C, D]",
    blocks: `state A { parallel { branch x { initial: X; states: [X, Y]
      transitions { X → Y on "y" if amount > 5 } } } }\n state B { approval by boss }`,
    lines: "B → C on approved\n B → D on rejected",
  }).replace('A → B on "go"', "A → B on joined");
  assert.deepEqual(wrongs(text), [["FLOW122", "amount"]]);
});

test("what is wrong with branches, and where", () => {
  const rows: readonly (readonly [text: string, wrong: readonly (readonly [string, string])[]])[] = [
    [withParallel(`${LEGAL}\n ${LEGAL}`), [["FLOW109", "legal"]]],
    [withParallel(BOTH.replace("join all", "join 3")), [["FLOW270", "join 3"]]],
    [withParallel(BOTH.replace("join all", "join 0")), [["FLOW219", "join 0"]]],
    [withParallel(BOTH.replace("> 5_000", "> kind")), [["FLOW120", "amount > kind"]]],
    [withParallel(BOTH.replace("REVIEW → D", "REVIEW → FINE")), [["FLOW271", "FINE"]]],
    [
      withParallel(BOTH.replace("REVIEW → D on", "REVIEW → FINE on").replace("rejected", "returned")),
      [["FLOW271", "FINE"]],
    ],
    [withParallel(BOTH.replace("REVIEW → D", "REVIEW → Q")), [["FLOW102", "Q"]]],
    [withParallel(BOTH.replace("REVIEW → D", "A → D")), [["FLOW102", "A"]]],
    [withParallel(BOTH.replace("[REVIEW, OK]", "[REVIEW, OK, OK]")), [["FLOW109", "OK"]]],
    [withParallel(BOTH.replace("initial: REVIEW; ", "")), [["FLOW201", "legal"]]],
    [withParallel(BOTH.replace("initial: REVIEW", "initial: CHECK")), [["FLOW102", "CHECK"]]],
    [withParallel(`${LEGAL}\n ${FINANCE.replace("if amount > 5_000", "else")}`), [["FLOW215", "finance"]]],
    [
      withParallel(
        `${BOTH.replace("join all", "")} ${FINANCE.replace("finance if amount > 5_000", "x else")}\n ${FINANCE.replace("finance if amount > 5_000", "y else")}`,
      ),
      [["FLOW272", "y"]],
    ],
    [withParallel(""), [["FLOW270", "parallel {  }"]]],
    [withParallel(BOTH.replace("OK]", "OK]; final: [OK]").replace("REVIEW → OK", "OK → OK")), [["FLOW202", "OK"]]],
  ];
  for (const [text, wrong] of rows) assert.deepEqual(wrongs(text), wrong, text);
});

test("an `else` branch stands beside conditional ones", () => {
  const otherwise = FINANCE.replace("finance if amount > 5_000", "rest else");
  const parallel = definitionOf(withParallel(`${BOTH.replace("join all", "")} ${otherwise}`)).states[1]?.parallel;
  assert.deepEqual(
    parallel?.branches.map(({ otherwise: isElse }) => isElse),
    [false, false, true],
  );
});

test("a state does one thing, and a final one nothing", () => {
  const rows: readonly (readonly [parts: Parameters<typeof flow>[0], wrong: readonly (readonly [string, string])[]])[] =
    [
      [
        {
          blocks: `state B { approval by boss\n run saga "s" }`,
          lines: "B → C on approved\n B → D on rejected",
          after: `saga "s" { step a() }`,
        },
        [["FLOW226", `run saga "s"`]],
      ],
      [
        { blocks: "state B { handle by boss\n approval by boss }", lines: "B → C on done" },
        [["FLOW226", "approval by boss"]],
      ],
      [
        { blocks: "state B { approval by boss\n handle by boss }", lines: "B → C on approved\n B → D on rejected" },
        [["FLOW226", "handle by boss"]],
      ],
      [
        {
          blocks: `state B { approval by boss }\n state C { run saga "s" }`,
          lines: "B → C on approved\n B → D on rejected",
          after: `saga "s" { step a() }`,
        },
        [["FLOW220", "C"]],
      ],
      [
        { blocks: "state B { approval by boss\n revocable for 7d }", lines: "B → C on approved\n B → D on rejected" },
        [["FLOW227", "revocable for 7d"]],
      ],
    ];
  for (const [parts, wrong] of rows) assert.deepEqual(wrongs(flow(parts)), wrong);
});

test("a revocable final state is left by a withdrawal only", () => {
  const revocable = (lines: string, states = "initial: A; states: [A, B, C, D]; final: [C, D]") =>
    flow({
      states,
      blocks: "state B { approval by boss }\n state C { revocable for 7d }",
      lines: `B → C on approved\n B → D on rejected\n ${lines}`,
    });
  assert.deepEqual(wrongs(revocable("C → D on withdrawn")), []);
  assert.deepEqual(wrongs(revocable("C → D on withdrawn", "initial: A; states: [A, B, C, D]")), []);
  assert.deepEqual(definitionOf(revocable("C → D on withdrawn", "initial: A; states: [A, B, C, D]")).states[2], {
    name: "C",
    final: true,
    revocableFor: { kind: "natural", ms: 604_800_000 },
  });
  assert.deepEqual(wrongs(revocable('C → D on "x"')), [["FLOW202", "C"]]);
  assert.deepEqual(wrongs(revocable("D → A on withdrawn")), [["FLOW202", "D"]]);
});
