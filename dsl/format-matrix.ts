import type { Element } from "./format.ts";
import { columns } from "./graph/text-columns.ts";
import * as t from "./tokens.ts";

/** Whether a space stands between two elements that are not in different columns. */
type Spaced = (before: Element, element: Element, index: number) => boolean;

interface Row {
  /** Where each cell begins, then the arrow. */
  readonly starts: readonly number[];
  /** How wide each cell is. */
  readonly widths: readonly number[];
}

/** Blanks between two columns. */
const gap = 2;

/**
 * How many spaces stand before which element, so that the cells of the matrix whose `{` is at `brace` stand in columns.
 * A row with a comment or a line break among its cells stays as it is.
 */
export function columnsOfMatrix(elements: readonly Element[], brace: number, spaced: Spaced): Map<number, number> {
  const rows = rowsOf(elements, brace, spaced);
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, width] of row.widths.entries()) widths[column] = Math.max(widths[column] ?? 0, width);
  }
  const spaces = new Map<number, number>();
  for (const row of rows) {
    for (const [column, width] of row.widths.entries()) {
      const isLast = column === row.widths.length - 1;
      spaces.set(row.starts[column + 1]!, widths[column]! - width + (isLast ? 1 : gap));
    }
  }
  return spaces;
}

function rowsOf(elements: readonly Element[], brace: number, spaced: Spaced): Row[] {
  const rows: Row[] = [];
  for (let index = brace + 1; index < elements.length; index++) {
    const { token, startsItem } = elements[index]!;
    if (token?.tokenType === t.RCurly) break;
    if (!token || !(startsItem || index === brace + 1)) continue;
    const row = rowAt(elements, index, spaced);
    if (row) rows.push(row);
  }
  return rows;
}

function rowAt(elements: readonly Element[], first: number, spaced: Spaced): Row | undefined {
  const starts = [first];
  const widths: number[] = [];
  let depth = 0;
  let width = 0;
  for (let index = first; index < elements.length; index++) {
    const { token, breaks, text } = elements[index]!;
    const before = elements[index - 1]!;
    if (!token || (index > first && breaks > 0)) return undefined;
    const isArrow = token.tokenType === t.Arrow;
    if (index > first && depth === 0 && (isArrow || beginsCell(before, elements[index]!))) {
      widths.push(width);
      starts.push(index);
      width = 0;
      if (isArrow) return { starts, widths };
    } else if (index > first && spaced(before, elements[index]!, index)) width += 1;
    width += columns(text);
    if (token.tokenType === t.LParen || token.tokenType === t.LSquare) depth++;
    else if (token.tokenType === t.RParen || token.tokenType === t.RSquare) depth--;
  }
  return undefined;
}

/** Values of a cell have commas between them; a `-` and a unit belong to their number. */
function beginsCell(before: Element, element: Element): boolean {
  const [left, right] = [before.token?.tokenType, element.token!.tokenType];
  if (left === t.Comma || right === t.Comma || left === t.Minus) return false;
  return !(left === t.NumberLiteral && (right === t.K.workdays || right === t.K.workhours));
}
