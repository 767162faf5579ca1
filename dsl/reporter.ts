import type { SyntaxCode } from "./codes.ts";
import type { Diagnostic, Span, TextEdit } from "./diagnostic.ts";

/** After so many mistakes of syntax the rest of a file is not looked at. */
export const mistakesMax = 300;

/** Makes the diagnostics of one file. */
export class Reporter {
  diagnostics: Diagnostic[] = [];
  /** Where the lexer found something that may spoil the item around it: the parser is silent there. */
  readonly damage: number[] = [];
  /** The items that were skipped: what they declare is not in the tree. */
  readonly lost: Span[] = [];
  readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  /** Whether there were so many that nothing more is said. */
  get isFull(): boolean {
    return this.diagnostics.length >= mistakesMax;
  }

  error(
    code: SyntaxCode,
    message: string,
    span: Span,
    more: { hint?: string; fix?: readonly TextEdit[]; related?: readonly { message: string; span: Span }[] } = {},
  ): void {
    if (this.isFull) return;
    const { file } = this;
    const { related, ...rest } = more;
    const places = related && { related: related.map((place) => ({ ...place, file })) };
    this.diagnostics.push({ code, severity: "error", message, file, span, ...rest, ...places });
  }

  /** Says something else of what was reported at a place: there its meaning is known. */
  restate({ start, end }: Span, message: string, fix: readonly TextEdit[]): void {
    const index = this.diagnostics.findIndex(({ span }) => span.start === start && span.end === end);
    if (index !== -1) this.diagnostics[index] = { ...this.diagnostics[index]!, message, fix };
  }

  /** Everything in the order of the text; where there was too much, it says so at the end. */
  inOrder(): readonly Diagnostic[] {
    const found = this.diagnostics.toSorted((a, b) => a.span.start - b.span.start || a.span.end - b.span.end);
    if (!this.isFull) return found;
    const message = `There are more than ${mistakesMax} mistakes; the rest of the file was not looked at.`;
    const { span } = found.at(-1)!;
    return [...found, { code: "FLOW018", severity: "error", message, file: this.file, span }];
  }
}
