import type { FileAst } from "../ast.ts";
import type { Span } from "../diagnostic.ts";

/**
 * Operators and calls of an expression nest at most so deep. `a and b and c` nests, too; whoever walks the tree, here or
 * in the engine, may do so by calling itself.
 */
export const DEPTH_MAX = 500;

/** Where the tree is too deep, or `undefined`. */
export function tooDeep(ast: FileAst): Span | undefined {
  const waiting: { readonly node: object; readonly depth: number }[] = [{ node: ast, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, depth } = next;
    const span = "span" in node ? (node.span as Span) : undefined;
    if (span && depth > DEPTH_MAX) return span;
    // Every level takes a character at least, so what is short can't be deep.
    if (span && span.end - span.start + depth < DEPTH_MAX) continue;
    const below = span ? depth + 1 : depth;
    for (const part of Object.values(node)) {
      if (typeof part === "object" && part !== null) waiting.push({ node: part, depth: below });
    }
  }
  return undefined;
}
