/** The rows of a matrix as conditions on the arguments it is used with. */
import type { Expression, MatrixCell, Type } from "../definition.ts";

const BOOL: Type = { kind: "bool" };
const TRUE: Expression = { kind: "literal", type: BOOL, value: true };

export function conditionOfRow(cells: readonly MatrixCell[], values: readonly Expression[]): Expression {
  return joined(
    "and",
    cells.flatMap((cell, index) => {
      const value = values[index];
      return cell.kind === "any" || value === undefined ? [] : [conditionOfCell(cell, value)];
    }),
  );
}

function conditionOfCell(cell: Exclude<MatrixCell, { kind: "any" }>, of: Expression): Expression {
  if (cell.kind === "intervals") {
    return joined(
      "or",
      cell.intervals.map((interval): Expression => ({ kind: "in-interval", of, interval, type: BOOL })),
    );
  }
  const items = cell.values.map((value): Expression => ({ kind: "literal", type: of.type, value }));
  return { kind: "in-list", of, list: { kind: "list", type: { kind: "list", of: of.type }, items }, type: BOOL };
}

function joined(operator: "and" | "or", parts: readonly Expression[]): Expression {
  const [first, ...rest] = parts;
  return rest.reduce<Expression>(
    (left, right) => ({ kind: "binary", operator, left, right, type: BOOL }),
    first ?? TRUE,
  );
}
