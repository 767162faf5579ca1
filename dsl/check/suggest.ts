import type { Span } from "../diagnostic.ts";
import type { Details } from "./report.ts";

/** Hint and fix that replace a misspelt name by the nearest known one; nothing if none is near. */
export function didYouMean(written: string, known: Iterable<string>, span: Span, quoted = false): Details {
  const near = nearest(written, known);
  if (near === undefined) return {};
  return {
    hint: `Did you mean \`${near}\`?`,
    fix: [{ span, text: quoted ? JSON.stringify(near) : near }],
  };
}

/**
 * The known name with the fewest typing mistakes between, at most a third of its length. A name of one or two letters
 * is not taken for another one.
 */
export function nearest(written: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const name of known) {
    const longest = Math.max(name.length, written.length);
    const most = Math.floor(longest / 3);
    if (Math.abs(name.length - written.length) > most) continue;
    const distance =
      name.toLowerCase() === written.toLowerCase() ? 0 : typingMistakes(written.toLowerCase(), name.toLowerCase());
    if (distance <= most && distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function typingMistakes(from: string, to: string): number {
  let before: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const next = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let least = Math.min(last[column]! + 1, next[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1));
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]) {
        least = Math.min(least, before[column - 2]! + 1);
      }
      next.push(least);
    }
    [before, last] = [last, next];
  }
  return last[to.length]!;
}
