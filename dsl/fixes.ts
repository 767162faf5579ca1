import type { Diagnostic, TextEdit } from "./diagnostic.ts";

/** Rounds of mending and checking again. Most files need one, more where a fix uncovers another mistake. */
const ROUNDS_MAX = 10;

/** A text after its fixes were applied. */
export interface Mended {
  readonly text: string;
  /** Diagnostics whose fix was applied. */
  readonly fixes: number;
}

/**
 * Applies fixes and checks again, until none is left or {@link ROUNDS_MAX} rounds are over.
 * @param diagnose what is wrong in a text; spans and fixes are places in it.
 */
export function mend(text: string, diagnose: (text: string) => readonly Diagnostic[]): Mended {
  let mended: Mended = { text, fixes: 0 };
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const next = applyFixes(mended.text, diagnose(mended.text));
    if (next.fixes === 0) break;
    mended = { text: next.text, fixes: mended.fixes + next.fixes };
  }
  return mended;
}

/**
 * The text with the fixes of its diagnostics applied, first come, first served: a fix is applied whole, and left out
 * where one before it has changed the same place.
 */
export function applyFixes(text: string, diagnostics: readonly Diagnostic[]): Mended {
  const edits: TextEdit[] = [];
  let fixes = 0;
  for (const { fix } of diagnostics) {
    if (!fix || fix.length === 0 || fix.some((edit) => edits.some((other) => touches(edit, other)))) continue;
    edits.push(...fix);
    fixes += 1;
  }
  return { text: applyEdits(text, edits), fixes };
}

/** Edits that share a place, or insert at the same one, depend on their order. */
function touches({ span: one }: TextEdit, { span: other }: TextEdit): boolean {
  return one.start === other.start || (one.start < other.end && other.start < one.end);
}

function applyEdits(text: string, edits: readonly TextEdit[]): string {
  return edits
    .toSorted((one, other) => other.span.start - one.span.start)
    .reduce((now, { span, text: put }) => now.slice(0, span.start) + put + now.slice(span.end), text);
}
