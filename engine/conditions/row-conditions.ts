/** Rows of matrices as conditions. */
import type { Expression, MatrixCell, Type } from "../../dsl/index.ts";

/** That the arguments lie in the row's cells; `undefined`: they always do. */
export function rowCondition(cells: readonly MatrixCell[], args: readonly Expression[]): Expression | undefined {
  const parts = cells.flatMap((cell, column) => cellCondition(cell, args[column]!) ?? []);
  return parts.length === 0 ? undefined : joined("and", parts);
}

const BOOL: Type = { kind: "bool" };

function cellCondition(cell: MatrixCell, of: Expression): Expression | undefined {
  switch (cell.kind) {
    case "any":
      return undefined;
    case "values": {
      const items = cell.values.map((value): Expression => ({ kind: "literal", type: of.type, value }));
      const list: Expression = { kind: "list", items, type: { kind: "list", of: of.type } };
      return { kind: "in-list", of, list, type: BOOL };
    }
    case "intervals":
      return joined(
        "or",
        cell.intervals.map((interval) => ({ kind: "in-interval", of, interval, type: BOOL })),
      );
  }
}

function joined(operator: "and" | "or", parts: readonly Expression[]): Expression {
  return parts.reduce((left, right) => ({ kind: "binary", operator, left, right, type: BOOL }));
}
