/** A place in a source text: `[start, end)` as UTF-16 offsets. Lines and columns are derived when shown. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export type Severity = "error" | "warning" | "hint";

/** A replacement of the text in `span` (an empty span inserts). */
export interface TextEdit {
  readonly span: Span;
  readonly text: string;
}

/**
 * What is wrong in a source text. A value, never thrown.
 * `code` is one of the catalogue in `codes.ts`; it is stable and never reused.
 */
export interface Diagnostic {
  readonly code: string;
  readonly severity: Severity;
  /** One plain sentence: what, and where it helps, why. User input stands in backticks. */
  readonly message: string;
  readonly file: string;
  readonly span: Span;
  /** What to do. */
  readonly hint?: string;
  /** Edits that mend it, safe to apply by a machine. */
  readonly fix?: readonly TextEdit[];
  /** Field values that show a gap or a broken property; money as a decimal string in the main unit. */
  readonly counterExample?: Readonly<Record<string, unknown>>;
  /** The way from `initial` to the state in question. */
  readonly path?: readonly string[];
  /** A `test` block, as text, that fails for as long as the property is broken on this path. */
  readonly test?: string;
  readonly related?: readonly { readonly message: string; readonly file: string; readonly span: Span }[];
}
