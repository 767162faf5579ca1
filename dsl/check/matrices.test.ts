import assert from "node:assert/strict";
import { test } from "node:test";
import { compile, type Definition } from "../index.ts";
import { flow, wrongs } from "./flow-fixture.ts";

const OUTCOMES = "B → C on approved\n B → D on rejected";

/** A flow whose approval asks a matrix. */
function withMatrix(matrix: string, use = "m(amount, kind)", people = ""): string {
  return flow({ blocks: `state B { approval by ${use} }`, lines: OUTCOMES, people, after: matrix });
}

const ROWS = "amount kind → who\n [0, 5_000) any → boss\n [5_000, ..) a → boss then board all\n [5_000, ..) b → board";
const matrix = (rows = ROWS, parameters = "amount: money, kind: Kind") => `matrix m(${parameters}) {\n ${rows}\n}`;

function definitionOf(text: string): Definition {
  const { definitions, diagnostics } = compile(text, "a.flow");
  assert.deepEqual(diagnostics, []);
  return definitions[0]!;
}

test("a matrix has typed cells, and rows with the people of the flow", () => {
  const { matrices, states } = definitionOf(withMatrix(matrix()));
  const [, b] = states;
  assert.deepEqual(
    b?.approval?.chain.map(
      (stage) => stage.kind === "matrix" && [stage.matrix, stage.arguments.map(({ kind }) => kind)],
    ),
    [["m", ["field", "field"]]],
  );
  const { rows } = matrices["m"]!;
  assert.deepEqual(
    rows.map(({ cells }) => cells),
    [
      [
        {
          kind: "intervals",
          intervals: [{ low: { value: 0, included: true }, high: { value: 500_000, included: false } }],
        },
        { kind: "any" },
      ],
      [
        { kind: "intervals", intervals: [{ low: { value: 500_000, included: true } }] },
        { kind: "values", values: ["a"] },
      ],
      [
        { kind: "intervals", intervals: [{ low: { value: 500_000, included: true } }] },
        { kind: "values", values: ["b"] },
      ],
    ],
  );
  assert.deepEqual(
    rows.map(({ stages }) => stages.map((stage) => stage.kind === "vote" && stage.groups[0]?.people)),
    [
      [{ kind: "named", name: "boss" }],
      [
        { kind: "named", name: "boss" },
        { kind: "named", name: "board" },
      ],
      [{ kind: "named", name: "board" }],
    ],
  );
});

test("columns may stand in another order than parameters", () => {
  const turned = matrix("kind amount → who\n any [0, 5) → boss\n any [5, ..) → board");
  const [row] = definitionOf(withMatrix(turned)).matrices["m"]!.rows;
  assert.deepEqual(
    row?.cells.map(({ kind }) => kind),
    ["intervals", "any"],
  );
});

test("options of the approval reach the rows", () => {
  const text = flow({
    blocks: "state A { approval by m(5, a) { reject: rest } }\n state B { handle by m(amount, kind) }",
    lines: "A → B on approved\n A → D on rejected\n B → C on done",
    after: matrix(),
  });
  const { matrices } = definitionOf(text);
  assert.deepEqual(
    Object.entries(matrices).map(([key, { name, rows }]) => {
      const [stage] = rows[0]!.stages;
      return stage?.kind === "auto" ? [] : [key, name, stage?.kind, stage?.groups[0]?.reject];
    }),
    [
      ["m reject rest", "m", "vote", "rest"],
      ["m handle", "m", "handle", "one"],
    ],
  );
});

test("`[a, b]` in a cell is the closed interval of two amounts, and a set of names", () => {
  const rows = "amount kind → who\n [0, 4] [a, b] → boss\n (4, ..) any → board";
  const [row] = definitionOf(withMatrix(matrix(rows))).matrices["m"]!.rows;
  assert.deepEqual(row?.cells, [
    { kind: "intervals", intervals: [{ low: { value: 0, included: true }, high: { value: 400, included: true } }] },
    { kind: "values", values: ["a", "b"] },
  ]);
});

test("money in cells is that of the flow that uses the matrix", () => {
  const text = withMatrix(matrix()).replace(`"f" {`, `"f" {\n currency: "JPY"`);
  const [row] = definitionOf(text).matrices["m"]!.rows;
  assert.deepEqual(row?.cells[0], {
    kind: "intervals",
    intervals: [{ low: { value: 0, included: true }, high: { value: 5000, included: false } }],
  });
});

test("what is wrong with a matrix, and where", () => {
  const rows: readonly (readonly [text: string, code: string, at: string])[] = [
    // Parameters.
    [withMatrix(matrix(ROWS, "amount: money, kind: Kin")), "FLOW104", "Kin"],
    [
      withMatrix(matrix("amount kind → who\n [0, ..) any → boss", "amount: money, kind: list of text")),
      "FLOW263",
      "list of text",
    ],
    [withMatrix(matrix(ROWS, "amount: money, kind: Kind, amount: int")), "FLOW109", "amount"],
    // Header and rows.
    [withMatrix(matrix(ROWS.replace("kind →", "kinds →"))), "FLOW103", "kinds"],
    [withMatrix(matrix("amount kind → who\n [0, ..) → boss")), "FLOW263", "[0, ..) → boss"],
    // Cells.
    [withMatrix(matrix(ROWS.replace(" a →", " c →"))), "FLOW107", "c"],
    [withMatrix(matrix(ROWS.replace("[0,", "[0.001,"))), "FLOW124", "0.001"],
    [withMatrix(matrix(ROWS.replace("[0,", "[-1,"))), "FLOW125", "-1"],
    [withMatrix(matrix(ROWS.replace("[0,", "[a,"))), "FLOW101", "a"],
    [withMatrix(matrix(ROWS.replace("any", "[0, 5)"))), "FLOW121", "[0, 5)"],
    // Gaps and overlaps stand at the name, or the later row.
    [withMatrix(matrix(ROWS.replace("[0,", "[1,"))), "FLOW265", "m"],
    // People.
    [withMatrix(matrix(ROWS.replace("→ board", "→ bord"))), "FLOW105", "bord"],
    [withMatrix(matrix(ROWS.replace("→ board", "→ m(amount, kind)"))), "FLOW224", "m(amount, kind)"],
    [withMatrix(matrix(ROWS.replace("→ board", "→ board quorum 4"))), "FLOW218", "board quorum 4"],
    // Uses.
    [withMatrix(matrix(), "m(amount)"), "FLOW108", "m(amount)"],
    [withMatrix(matrix(), "m(yes, kind)"), "FLOW120", "yes"],
    [
      withMatrix(matrix("amount kind → who\n any any → boss", "amount: int, kind: Kind"), "m(days, kind)"),
      "FLOW122",
      "days",
    ],
    [
      withMatrix(matrix("card kind → who\n any any → boss", "card: text, kind: Kind"), "m(card, kind)"),
      "FLOW123",
      "card",
    ],
    [withMatrix(matrix(), "m(amount, kind) quorum 2"), "FLOW228", "m(amount, kind) quorum 2"],
    [withMatrix(matrix(), "m(amount, kind) and boss"), "FLOW228", "m(amount, kind) and boss"],
    [withMatrix(matrix(), "boss { onEmpty: assign m(amount, kind) }"), "FLOW224", "m(amount, kind)"],
    [withMatrix(`${matrix()}\n${matrix()}`), "FLOW109", "m"],
  ];
  for (const [text, code, at] of rows) assert.deepEqual(wrongs(text), [[code, at]], text);
});

test("people in cells are looked up in each flow that uses the matrix, and reported for each", () => {
  const wrong = matrix(ROWS.replace("→ board", "→ bord"));
  const other = withMatrix("").replace(`"f"`, `"g"`);
  assert.deepEqual(wrongs(`${withMatrix(wrong)}\n${other}`), [
    ["FLOW105", "bord"],
    ["FLOW105", "bord"],
  ]);
  const twice = flow({
    blocks: "state A { approval by m(5, a) }\n state B { approval by m(amount, kind) }",
    lines: `A → B on approved\n A → D on rejected\n ${OUTCOMES}`,
    after: wrong,
  });
  assert.deepEqual(wrongs(twice), [["FLOW105", "bord"]]);
});

test("where nobody uses a matrix, only built-in names are looked at", () => {
  const unused = (who: string) => flow({ after: matrix(`amount kind → who\n any any → ${who}`) });
  assert.deepEqual(wrongs(unused("whoever then group(dept) then legalOf(x)")), []);
  assert.deepEqual(wrongs(unused("managerOf(whoever, up to 3)")), [["FLOW108", "managerOf(whoever, up to 3)"]]);
  assert.deepEqual(wrongs(flow({ after: matrix(ROWS.replace(" a →", " c →")) })), [["FLOW107", "c"]]);
});

test("a row of another number of cells is told in numbers that agree", () => {
  const messages = compile(withMatrix(matrix("amount kind → who\n [0, ..) → boss")), "a.flow").diagnostics.map(
    ({ message }) => message,
  );
  assert.ok(messages.includes("The row has 1 cell for 2 columns."), messages.join("\n"));
});
