/**
 * Whether `written` is `meant` with one letter wrong, missing, too much or swapped with the next; two for long words, and
 * where a letter stands at another place.
 */
export function isNear(written: string, meant: string): boolean {
  if (Math.abs(written.length - meant.length) > 2 || meant.length < 2 || written.length < 2) return false;
  const [one, other] = [written.toLowerCase(), meant.toLowerCase()];
  const most = meant.length > 6 || (meant.length > 4 && isShuffled(one, other)) ? 2 : 1;
  return distance(one, other) <= most;
}

/** Whether two words have the same letters, and begin with the same one. */
function isShuffled(one: string, other: string): boolean {
  return one.length === other.length && one[0] === other[0] && sorted(one) === sorted(other);
}

function sorted(word: string): string {
  return [...word].sort().join("");
}

function distance(a: string, b: string): number {
  let [before, row]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const plain = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
      next.push(swapped ? Math.min(plain, before[j - 2]! + 1) : plain);
    }
    [before, row] = [row, next];
  }
  return row[b.length]!;
}
