import { UnknownCursor } from "../ports.ts";

/** Where a page ended: the sort key of its last row. */
export type Position = readonly (string | number)[];

/** A cursor names its list and tenant, so that one of another is refused instead of giving a page from nowhere. */
export function encodeCursor(list: string, tenant: string, position: Position): string {
  return Buffer.from(JSON.stringify([list, tenant, ...position])).toString("base64url");
}

/**
 * @param first the position before everything; the cursor's must have the same types.
 * @throws {UnknownCursor}
 */
export function decodeCursor(list: string, tenant: string, cursor: string | undefined, first: Position): Position {
  if (cursor === undefined) return first;
  const cells = parse(cursor);
  const [of, whose, ...position] = cells;
  const fits = position.length === first.length && first.every((cell, i) => typeof cell === typeof position[i]);
  if (of !== list || whose !== tenant || !fits)
    throw new UnknownCursor("this cursor is not of this list: ask for the first page again, without a cursor");
  return position as Position;
}

function parse(cursor: string): readonly unknown[] {
  try {
    const cells: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    return Array.isArray(cells) ? cells : [];
  } catch {
    return [];
  }
}
