import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { MatrixAst } from "../ast.ts";
import { Report } from "../check/report.ts";
import type { Interval, MatrixCell, MatrixDefinition, Type, Value } from "../definition.ts";
import { proveMatrix } from "./matrix.ts";

const MONEY: Type = { kind: "money", signed: false };
const INT: Type = { kind: "int" };
const DECIMAL: Type = { kind: "decimal" };
const DATE: Type = { kind: "date" };
const KIND: Type = { kind: "enum", members: ["travel", "equipment", "other"] };
const BOOL: Type = { kind: "bool" };
const TEXT: Type = { kind: "text" };

const ANY: MatrixCell = { kind: "any" };
const these = (...values: readonly Value[]): MatrixCell => ({ kind: "values", values });

/** `[1, 5)`, `(.., 3]`. */
function interval(text: string, read: (text: string) => Value = Number): MatrixCell {
  const [low = "", high = ""] = text.slice(1, -1).split(", ");
  const made: Interval = {
    ...(low === ".." ? {} : { low: { value: read(low), included: text.startsWith("[") } }),
    ...(high === ".." ? {} : { high: { value: read(high), included: text.endsWith("]") } }),
  };
  return { kind: "intervals", intervals: [made] };
}

function diagnostics(
  columns: Readonly<Record<string, Type>>,
  rows: readonly (readonly MatrixCell[])[],
  stepsMax?: number,
) {
  const matrix: MatrixDefinition = {
    name: "m",
    parameters: Object.entries(columns).map(([name, type]) => ({ name, type })),
    rows: rows.map((cells) => ({ cells, stages: [] })),
  };
  const name = { text: "m", quoted: false, span: { start: 0, end: 1 } };
  const asts = rows.map((_, index) => ({
    cells: [],
    stages: [],
    span: { start: 10 * index + 10, end: 10 * index + 19 },
  }));
  const ast: MatrixAst = { name, parameters: [], rows: asts, span: { start: 0, end: 9 } };
  const report = new Report("a.flow");
  proveMatrix(matrix, ast, 2, report, stepsMax);
  return report.diagnostics;
}

test("gaps stand at the name and overlaps at the later row, each with the parameters that matter", () => {
  type Row = readonly [Readonly<Record<string, Type>>, readonly (readonly MatrixCell[])[], readonly unknown[]];
  const rows: readonly Row[] = [
    [{ x: MONEY }, [[interval("[0, 499900]")], [interval("[500000, ..)")]], [["FLOW265", 0, { x: "4999.01" }]]],
    [{ x: MONEY }, [[interval("[0, 500000)")], [interval("[500000, ..)")]], []],
    [{ x: MONEY }, [[interval("(0, ..)")]], [["FLOW265", 0, { x: "0" }]]],
    [{ x: { kind: "money", signed: true } }, [[interval("[0, ..)")]], [["FLOW265", 0, { x: "-0.01" }]]],
    [{ x: INT }, [[interval("(.., 8)")], [interval("[8, 30]")], [interval("[31, ..)")]], []],
    [{ x: INT }, [[interval("(.., 8)")], [interval("[8, 30]")], [interval("[30, ..)")]], [["FLOW266", 30, { x: 30 }]]],
    [{ x: DECIMAL }, [[interval("(.., 8]", String)], [interval("[9, ..)", String)]], [["FLOW265", 0, { x: "8.1" }]]],
    [{ x: DATE }, [[interval("(.., 2026-09-30]", String)], [interval("[2026-10-01, ..)", String)]], []],
    [
      { x: DATE },
      [[interval("(.., 2026-09-30)", String)], [interval("[2026-10-01, ..)", String)]],
      [["FLOW265", 0, { x: "2026-09-30" }]],
    ],
    [{ k: KIND }, [[these("travel")], [these("other")]], [["FLOW265", 0, { k: "equipment" }]]],
    [{ k: KIND }, [[these("travel", "equipment")], [these("other")]], []],
    [{ b: BOOL }, [[these(true)]], [["FLOW265", 0, { b: false }]]],
    [{ t: TEXT }, [[these("x")], [these("y")]], [["FLOW265", 0, { t: "…" }]]],
    [{ t: TEXT }, [[these("x")], [ANY]], [["FLOW266", 20, { t: "x" }]]],
    [
      { x: MONEY, k: KIND },
      [
        [interval("[0, 100)"), ANY],
        [interval("[100, ..)"), these("travel", "other")],
      ],
      [["FLOW265", 0, { x: "1", k: "equipment" }]],
    ],
    [
      { x: MONEY, k: KIND },
      [
        [interval("[0, 100)"), ANY],
        [interval("[101, ..)"), ANY],
      ],
      [["FLOW265", 0, { x: "1" }]],
    ],
    [{ x: INT }, [], [["FLOW265", 0, {}]]],
  ];
  for (const [columns, cells, expected] of rows) {
    const actual = diagnostics(columns, cells).map(({ code, span, counterExample }) => [
      code,
      span.start,
      counterExample,
    ]);
    assert.deepEqual(actual, expected, JSON.stringify(cells));
  }
});

test("exactly one row for every case, or it is said", () => {
  const bound = fc.integer({ min: -3, max: 3 });
  const numbers = fc
    .tuple(bound, bound, fc.boolean(), fc.boolean())
    .map(
      ([low, high, closed, open]): MatrixCell => interval(`${closed ? "[" : "("}${low}, ${high}${open ? ")" : "]"}`),
    );
  const column = fc.oneof(
    numbers,
    fc.constant(ANY),
    fc.constantFrom("[0, ..)", "(.., 0)", "(.., 2]").map((text) => interval(text)),
  );
  const kinds = fc.oneof(
    fc.constant(ANY),
    fc.subarray(["travel", "equipment", "other"], { minLength: 1 }).map((values) => these(...values)),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(column, kinds, column), { maxLength: 5 }), (rows) => {
      const found = diagnostics({ a: INT, k: KIND, b: INT }, rows);
      const counts = new Set<number>();
      for (let a = -5; a <= 5; a += 1)
        for (let b = -5; b <= 5; b += 1)
          for (const k of KIND.kind === "enum" ? KIND.members : [])
            counts.add(rows.filter(([one, two, three]) => isIn(one, a) && isIn(two, k) && isIn(three, b)).length);
      assert.equal(
        found.some(({ code }) => code === "FLOW265"),
        counts.has(0),
      );
      assert.equal(
        found.some(({ code }) => code === "FLOW266"),
        Math.max(...counts) > 1,
      );
    }),
    { numRuns: 300 },
  );
});

function isIn(cell: MatrixCell, value: Value): boolean {
  if (cell.kind === "any") return true;
  if (cell.kind === "values") return cell.values.includes(value);
  return cell.intervals.some(
    ({ low, high }) =>
      (low === undefined || value > low.value || (low.included && value === low.value)) &&
      (high === undefined || value < high.value || (high.included && value === high.value)),
  );
}

test("past its limit a matrix is not proved", () => {
  const rows = [
    [these(true), ANY],
    [ANY, these(true)],
    [these(false), these(false)],
  ];
  const found = diagnostics({ a: BOOL, b: BOOL }, rows, 1).filter(({ code }) => code !== "FLOW266");
  assert.deepEqual(
    found.map(({ code }) => code),
    ["FLOW267"],
  );
});

test("144 rows of four columns are proved", () => {
  const amounts = ["[0, 10)", "[10, 20)", "[20, 30)", "[30, ..)"].map((text) => interval(text));
  const days = ["(.., 10)", "[10, 20)", "[20, ..)"].map((text) => interval(text));
  const kinds = KIND.kind === "enum" ? KIND.members.map((member) => these(member)) : [];
  const levels = ["(.., 0)", "[0, 5)", "[5, 9)", "[9, ..)"].map((text) => interval(text));
  const rows = amounts.flatMap((x) => kinds.flatMap((k) => days.flatMap((d) => levels.map((l) => [x, k, d, l]))));
  assert.equal(rows.length, 144);
  assert.deepEqual(diagnostics({ x: MONEY, k: KIND, d: INT, l: INT }, rows), []);
  const [code, example] = diagnostics({ x: MONEY, k: KIND, d: INT, l: INT }, rows.toSpliced(77, 1)).map(
    ({ code: one, counterExample }) => [one, counterExample],
  )[0]!;
  assert.equal(code, "FLOW265");
  assert.deepEqual(example, { x: "0.2", k: "travel", d: 10, l: 0 });
});
