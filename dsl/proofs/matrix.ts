/** Matrices: every combination of values has exactly one row. */
import type { MatrixAst } from "../ast.ts";
import type { Report } from "../check/report.ts";
import type { Interval, MatrixCell, MatrixDefinition, Type } from "../definition.ts";
import { type Model, modelOf } from "./models.ts";
import { showValue, wholeOf } from "./values.ts";
import { isNumeric, maskOfRange, maskOfValues, rangeOf, seal, type Variable } from "./variables.ts";

/** Combinations of columns' cells that are looked at. */
const STEPS_MAX = 200_000;

/**
 * Reports a gap at the matrix's name and overlaps at the later row, each with an example. The rows of the tree are those
 * of the definition.
 */
export function proveMatrix(
  matrix: MatrixDefinition,
  ast: MatrixAst,
  currencyDecimals: number,
  report: Report,
  stepsMax = STEPS_MAX,
): void {
  const columns = matrix.parameters.map(({ name, type }, index) => columnOf(name, type, index, matrix));
  const rows = matrix.rows.map(({ cells }) => columns.map((column, index) => maskOfCell(cells[index]!, column)));
  const shown = (masks: readonly bigint[]) => exampleOf(columns, masks, currencyDecimals);
  reportOverlaps(rows, (later, earlier, common) => {
    report.add("FLOW266", ast.rows[later]!.span, `This row and one above of \`${matrix.name}\` apply together.`, {
      hint: "Narrow one of them, so that every case has exactly one row.",
      counterExample: shown(common),
      related: [{ message: "This row applies then, too.", span: ast.rows[earlier]!.span }],
    });
  });
  const gap = new GapSearch(columns, rows, stepsMax).find();
  if (gap === "unclear") {
    report.add("FLOW267", ast.name.span, `\`${matrix.name}\` is too large to be proved complete.`, {
      hint: "Split it into smaller ones.",
    });
  } else if (gap) {
    const example = shown(gap);
    report.add("FLOW265", ast.name.span, `${sentence(example)} matches no row of \`${matrix.name}\`.`, {
      hint: "Add a row for it, or widen one.",
      counterExample: example,
    });
  }
}

/** Cases that both rows have, with an example of one. */
export interface ChangedRegion {
  /** Rows, by number. */
  readonly before: number;
  readonly after: number;
  readonly example: Readonly<Record<string, unknown>>;
}

/**
 * Where two versions of a matrix, whose parameters have the same types, differ.
 * @param isChanged does the row of the old one say something else than that of the new one?
 */
export function changedRegions(
  before: MatrixDefinition,
  after: MatrixDefinition,
  currencyDecimals: number,
  isChanged: (before: number, after: number) => boolean,
): readonly ChangedRegion[] {
  const both: MatrixDefinition = { ...after, rows: [...before.rows, ...after.rows] };
  const columns = after.parameters.map(({ name, type }, index) => {
    return columnOf(name, withMembers(type, before.parameters[index]!.type), index, both);
  });
  const masks = both.rows.map(({ cells }) => columns.map((column, index) => maskOfCell(cells[index]!, column)));
  const [old, now] = [masks.slice(0, before.rows.length), masks.slice(before.rows.length)];
  return old.flatMap((row, from) =>
    now.flatMap((other, to): readonly ChangedRegion[] => {
      if (!isChanged(from, to)) return [];
      const common = row.map((mask, column) => mask & other[column]!);
      if (common.includes(0n)) return [];
      return [{ before: from, after: to, example: exampleOf(columns, common, currencyDecimals) }];
    }),
  );
}

function withMembers(type: Type, other: Type): Type {
  if (type.kind !== "enum" || other.kind !== "enum") return type;
  return { ...type, members: [...new Set([...type.members, ...other.members])] };
}

function sentence(example: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(example).map(([name, value]) => `\`${name} = ${String(value)}\``);
  return parts.length === 0 ? "Every case" : parts.join(" with ");
}

/** Each row is reported once, with the first one above that it has something in common with. */
function reportOverlaps(
  rows: readonly (readonly bigint[])[],
  found: (later: number, earlier: number, common: readonly bigint[]) => void,
): void {
  for (const [later, row] of rows.entries()) {
    for (let earlier = 0; earlier < later; earlier += 1) {
      const other = rows[earlier]!;
      if (row.some((mask, column) => (mask & other[column]!) === 0n)) continue;
      found(
        later,
        earlier,
        row.map((mask, column) => mask & other[column]!),
      );
      break;
    }
  }
}

/** Goes through the columns; what the rows don't tell apart is looked at once. */
class GapSearch {
  private readonly columns: readonly Variable[];
  private readonly rows: readonly (readonly bigint[])[];
  /** Sets of rows that leave no gap from a column on. */
  private readonly closed = new Set<string>();
  /** Columns from which on a row asks for nothing. */
  private readonly asksUntil: readonly number[];
  private stepsLeft: number;

  constructor(columns: readonly Variable[], rows: readonly (readonly bigint[])[], stepsMax: number) {
    this.columns = columns;
    this.rows = rows;
    this.stepsLeft = stepsMax;
    this.asksUntil = rows.map((row) => row.findLastIndex((mask, column) => mask !== columns[column]!.full) + 1);
  }

  /** The cells of every column that no row covers. */
  find(): readonly bigint[] | "unclear" | undefined {
    return this.from(
      0,
      this.rows.map((_, index) => index),
    );
  }

  private from(column: number, left: readonly number[]): readonly bigint[] | "unclear" | undefined {
    const rest = this.columns.slice(column);
    if (left.length === 0) return rest.map(({ full }) => full);
    const variable = rest[0];
    if (variable === undefined || left.some((row) => this.asksUntil[row]! <= column)) return undefined;
    const key = `${column} ${left.join(",")}`;
    if (this.closed.has(key)) return undefined;
    for (const [cells, rows] of this.kinds(variable, column, left)) {
      this.stepsLeft -= 1;
      if (this.stepsLeft < 0) return "unclear";
      const gap = this.from(column + 1, rows);
      if (gap) return gap === "unclear" ? gap : [cells, ...gap];
    }
    this.closed.add(key);
    return undefined;
  }

  /** Cells of the column that the same rows cover, together. */
  private kinds(
    variable: Variable,
    column: number,
    left: readonly number[],
  ): Iterable<readonly [bigint, readonly number[]]> {
    const kinds = new Map<string, [bigint, readonly number[]]>();
    for (const index of variable.cells.keys()) {
      const cell = 1n << BigInt(index);
      const rows = left.filter((row) => this.rows[row]![column]! & cell);
      const key = rows.join(",");
      const kind = kinds.get(key);
      if (kind) kind[0] |= cell;
      else kinds.set(key, [cell, rows]);
    }
    return kinds.values();
  }
}

// ------------------------------------------------------------------------------------------------------------------ //
// Columns
// ------------------------------------------------------------------------------------------------------------------ //

function columnOf(name: string, type: Type, index: number, matrix: MatrixDefinition): Variable {
  const known = type.kind === "bool" ? ["true", "false"] : type.kind === "enum" ? type.members : [];
  const column: Variable = {
    index,
    kind: "data",
    key: name,
    path: name,
    type,
    roots: new Set([name]),
    mayBeAbsent: false,
    ...(isNumeric(type) ? rangeOf(type) : {}),
    mentioned: new Set(),
    cuts: new Set(),
    values: new Set(known),
    open: !isNumeric(type) && known.length === 0,
    cells: [],
    full: 0n,
  };
  for (const { cells } of matrix.rows) addCell(cells[index]!, column);
  seal(column);
  return column;
}

function addCell(cell: MatrixCell, column: Variable): void {
  if (cell.kind === "values") for (const value of cell.values) column.values.add(String(value));
  if (cell.kind !== "intervals") return;
  for (const interval of cell.intervals) {
    const { low, high } = boundsOf(interval, column.type);
    if (low !== undefined) column.cuts.add(low);
    if (high !== undefined) column.cuts.add(high + 1n);
    for (const bound of [interval.low, interval.high])
      if (bound) column.mentioned.add(wholeOf(column.type, bound.value));
  }
}

/** Both included, in whole steps of the type. */
function boundsOf({ low, high }: Interval, type: Type): { readonly low?: bigint; readonly high?: bigint } {
  return {
    ...(low ? { low: wholeOf(type, low.value) + (low.included ? 0n : 1n) } : {}),
    ...(high ? { high: wholeOf(type, high.value) - (high.included ? 0n : 1n) } : {}),
  };
}

function maskOfCell(cell: MatrixCell, column: Variable): bigint {
  switch (cell.kind) {
    case "any":
      return column.full;
    case "values":
      return maskOfValues(column, new Set(cell.values.map(String)));
    case "intervals":
      return cell.intervals.reduce((mask, interval) => {
        const { low, high } = boundsOf(interval, column.type);
        return mask | maskOfRange(column, low, high);
      }, 0n);
  }
}

/** The parameters that matter: the others may be anything. */
function exampleOf(
  columns: readonly Variable[],
  masks: readonly bigint[],
  currencyDecimals: number,
): Record<string, unknown> {
  const model = modelOf(columns, masks) as Model;
  const shown = columns.flatMap(({ path, type, full }, index) =>
    masks[index] === full ? [] : [[path, showValue(model[index]!, type, currencyDecimals)] as const],
  );
  return Object.fromEntries(shown);
}
