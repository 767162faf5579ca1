import { type Code, codes } from "../codes.ts";
import type { Diagnostic, Span } from "../diagnostic.ts";

/** What a diagnostic may carry beside its sentence. */
export type Details = Partial<Pick<Diagnostic, "hint" | "fix" | "counterExample" | "path" | "test">> & {
  /** `file` absent: the file of the report. */
  readonly related?: readonly { readonly message: string; readonly span: Span; readonly file?: string }[];
};

/** Collects what is wrong in one file or one flow of it. */
export class Report {
  readonly file: string;
  readonly diagnostics: Diagnostic[] = [];
  /** Something could not be resolved because of a syntax error, which was reported elsewhere. */
  isIncomplete = false;

  constructor(file: string) {
    this.file = file;
  }

  /** Adds a diagnostic; its severity is that of the code. Answers nothing, so that `return report.add(..)` gives up. */
  add(code: Code, span: Span, message: string, details: Details = {}): undefined {
    const { related, ...rest } = details;
    this.diagnostics.push({
      code,
      severity: codes[code].severity,
      message,
      file: this.file,
      span,
      ...rest,
      ...(related ? { related: related.map((place) => ({ file: this.file, ...place })) } : {}),
    });
  }

  /** Adds what another report has found in the same file. */
  include(other: Report): void {
    this.diagnostics.push(...other.diagnostics);
    this.isIncomplete ||= other.isIncomplete;
  }

  /** Nothing is wrong, and nothing was left open. */
  get isClean(): boolean {
    return !this.isIncomplete && !this.diagnostics.some(({ severity }) => severity === "error");
  }
}
