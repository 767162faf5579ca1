import { type Code, codes } from "../codes.ts";
import type { Diagnostic, Span } from "../diagnostic.ts";

/** What a diagnostic may carry beside its sentence. */
export type Details = Partial<Pick<Diagnostic, "hint" | "fix" | "counterExample" | "path">> & {
  readonly related?: readonly { readonly message: string; readonly span: Span }[];
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
      ...(related ? { related: related.map((place) => ({ ...place, file: this.file })) } : {}),
    });
  }

  /** Nothing is wrong, and nothing was left open. */
  get isClean(): boolean {
    return !this.isIncomplete && !this.diagnostics.some(({ severity }) => severity === "error");
  }
}
