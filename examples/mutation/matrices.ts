import type { ExpressionAst, MatrixAst, TextEdit, TypeAst } from "../../dsl/index.ts";
import {
  briefly,
  inserted,
  type Mutant,
  type Operator,
  removed,
  replaced,
  type Sample,
  textAt,
  withoutElement,
} from "./sample.ts";

/** Tables with a hole or a double. */
export const matrixOperators: readonly Operator[] = [
  {
    name: "move a bound of a matrix by one unit",
    mutants: (sample) =>
      cellsIn(sample).flatMap(({ values, type }) => {
        const unit = type.kind === "name" && type.name.text === "money" ? 0.01 : 1;
        return values.flatMap((value) => boundsMoved(value, unit)).map((edit) => mutant(edit, sample));
      }),
  },
  {
    name: "open or close an interval of a matrix",
    mutants: (sample) =>
      cellsIn(sample).flatMap(({ values }) =>
        values.flatMap((value) => bracketsTurned(value, sample.text)).map((edit) => mutant(edit, sample)),
      ),
  },
  {
    name: "drop a row of a matrix",
    mutants: (sample) => rowsIn(sample).map(({ span }) => mutant(removed(span), sample)),
  },
  {
    name: "write a row of a matrix twice",
    mutants: (sample) =>
      rowsIn(sample).map(({ span }) => ({
        edits: [inserted(span.end, `\n${textAt(sample.text, span)}`)],
        what: briefly(sample.text, span),
      })),
  },
  {
    name: "drop a value from a cell",
    mutants: (sample) =>
      cellsIn(sample).flatMap(({ values }) =>
        values.length < 2 ? [] : values.map((_, index) => mutant(withoutElement(values, index), sample)),
      ),
  },
  { name: "narrow `any` to one value", mutants: narrowed },
  {
    name: "widen a cell to `any`",
    mutants: (sample) =>
      cellsIn(sample).map(({ span }) => ({ edits: [replaced(span, "any")], what: briefly(sample.text, span) })),
  },
];

function mutant(edit: TextEdit, { text }: Sample): Mutant {
  const line = text.slice(text.lastIndexOf("\n", edit.span.start) + 1, text.indexOf("\n", edit.span.start)).trim();
  return { edits: [edit], what: `${briefly(text, edit.span)} → ${edit.text || "nothing"} in ${line}` };
}

const rowsIn = ({ ast }: Sample) => ast.matrices.flatMap(({ rows }) => rows);

/** Cells with values, and the type of their column. */
function cellsIn({ ast }: Sample) {
  return ast.matrices.flatMap((matrix) =>
    matrix.rows.flatMap(({ cells }) =>
      cells.flatMap((cell, column) => {
        return cell.kind === "values" ? [{ ...cell, type: typeOf(matrix, column) }] : [];
      }),
    ),
  );
}

function typeOf({ header, parameters }: MatrixAst, column: number): TypeAst {
  const name = header?.columns[column]?.text;
  return parameters.find((parameter) => parameter.name.text === name)!.type;
}

/** One unit up, and down where that is not below zero. */
function boundsMoved(value: ExpressionAst, unit: number): readonly TextEdit[] {
  if (value.kind !== "interval") return [];
  return [value.low, value.high].flatMap((bound) => {
    if (bound?.kind !== "number") return [];
    const decimals = unit < 1 ? 2 : 0;
    const moved = [Number(bound.text) + unit, Number(bound.text) - unit].filter((to) => to >= 0);
    return moved.map((to) => replaced(bound.span, to.toFixed(decimals)));
  });
}

function bracketsTurned(value: ExpressionAst, text: string): readonly TextEdit[] {
  if (value.kind !== "interval") return [];
  const { start, end } = value.span;
  const low = value.low ? [replaced({ start, end: start + 1 }, text[start] === "[" ? "(" : "[")] : [];
  const high = value.high ? [replaced({ start: end - 1, end }, text[end - 1] === "]" ? ")" : "]")] : [];
  return [...low, ...high];
}

function narrowed(sample: Sample): readonly Mutant[] {
  const { ast } = sample;
  const enums = new Map(
    ast.flows.flatMap(({ fields }) =>
      fields.flatMap(({ type }) =>
        type.kind === "enum" && type.name ? [[type.name.text, type.members] as const] : [],
      ),
    ),
  );
  return ast.matrices.flatMap((matrix) =>
    matrix.rows.flatMap(({ cells }) =>
      cells.flatMap((cell, column): Mutant[] => {
        const type = typeOf(matrix, column);
        if (cell.kind !== "any" || type.kind !== "name") return [];
        const value = type.name.text === "bool" ? "true" : enums.get(type.name.text)?.[0]?.text;
        return value === undefined ? [] : [mutant(replaced(cell.span, value), sample)];
      }),
    ),
  );
}
