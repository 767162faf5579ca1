import type { FlowAst } from "../ast.ts";
import { Report } from "../check/report.ts";
import type { Definition } from "../definition.ts";
import type { Diagnostic, Span, TextEdit } from "../diagnostic.ts";
import { proveFlow } from "./prove.ts";

/** What a proof found, with places counted from the beginning of the flow. */
interface Proof {
  readonly diagnostics: readonly Diagnostic[];
  readonly isIncomplete: boolean;
}

/**
 * Proofs of one file that were done before. An editor has a file checked with every keystroke, and most flows of it are as
 * they were: a flow with the same definition, in the same words, has the same proofs, wherever in the file it stands now.
 */
export class KnownProofs {
  private known = new Map<string, Proof>();
  private asked = new Map<string, Proof>();

  /** Like {@link proveFlow}. `text`: of the whole file. */
  prove(
    definition: Definition,
    ast: FlowAst,
    text: string,
    report: Report,
    flows: ReadonlyMap<string, Definition>,
  ): void {
    const { start, end } = ast.span;
    const hashes = [definition, ...flows.values()].map(({ hash }) => hash);
    const key = `${hashes.join(" ")} ${text.slice(start, end)}`;
    const before = this.known.get(key) ?? this.asked.get(key);
    const proof = before ?? prove(definition, ast, report.file, flows);
    if (proof.diagnostics.every((diagnostic) => liesWithin(diagnostic, end - start))) this.asked.set(key, proof);
    report.diagnostics.push(...proof.diagnostics.map((diagnostic) => moved(diagnostic, start)));
    report.isIncomplete ||= proof.isIncomplete;
  }

  /** To be called when the file has been checked: what was not asked for is forgotten. */
  forgetOthers(): void {
    this.known = this.asked;
    this.asked = new Map();
  }
}

function prove(definition: Definition, ast: FlowAst, file: string, flows: ReadonlyMap<string, Definition>): Proof {
  const report = new Report(file);
  proveFlow(definition, ast, report, flows);
  const diagnostics = report.diagnostics.map((diagnostic) => moved(diagnostic, -ast.span.start));
  return { diagnostics, isIncomplete: report.isIncomplete };
}

/** Are all its places in the flow? Others may be elsewhere next time. */
function liesWithin({ span, fix, related, file }: Diagnostic, length: number): boolean {
  const spans = [span, ...(fix ?? []).map((edit) => edit.span), ...(related ?? []).map((place) => place.span)];
  const isHere = related?.every((place) => place.file === file) ?? true;
  return isHere && spans.every(({ start, end }) => start >= 0 && end <= length);
}

function moved(diagnostic: Diagnostic, by: number): Diagnostic {
  const { span, fix, related } = diagnostic;
  const move = ({ start, end }: Span): Span => ({ start: start + by, end: end + by });
  const moveEdit = (edit: TextEdit): TextEdit => ({ ...edit, span: move(edit.span) });
  return {
    ...diagnostic,
    span: move(span),
    ...(fix && { fix: fix.map(moveEdit) }),
    ...(related && { related: related.map((place) => ({ ...place, span: move(place.span) })) }),
  };
}
