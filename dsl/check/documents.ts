import type { DocumentAst } from "../ast.ts";
import type { DocumentDefinition } from "../definition.ts";
import type { Span } from "../diagnostic.ts";
import { warnOnce } from "./calls.ts";
import { open } from "./checked.ts";
import { unique } from "./declarations.ts";
import { anyFlow, inFile } from "./elsewhere.ts";
import { plainScope } from "./expressions.ts";
import { Report } from "./report.ts";
import { type FlowScope, isSound, type Shared } from "./scope.ts";
import { didYouMean } from "./suggest.ts";

/** Documents as the flow that renders them sees them. `rendered`: where it says so first. */
export function checkDocuments(
  rendered: ReadonlyMap<string, Span>,
  flow: FlowScope,
): Readonly<Record<string, DocumentDefinition>> {
  const documents: Record<string, DocumentDefinition> = {};
  for (const [name, use] of rendered) {
    const document = flow.file.documents.get(name);
    const found = document && inFile(document.home, flow, use, (guest) => checkDocument(document.ast, guest));
    if (found) documents[name] = found;
  }
  return documents;
}

/** Checks a document that no flow of its file renders: of its names, those that are built in. */
export function checkUnusedDocument({ ast, home }: Shared<DocumentAst>): void {
  const report = new Report(home.file);
  checkDocument(ast, anyFlow(home, report));
  home.report.include(report);
}

/** Fields are resolved in the flow. Absent values leave a blank. */
function checkDocument(ast: DocumentAst, flow: FlowScope): DocumentDefinition | undefined {
  const scope = plainScope(flow);
  const fields = unique(ast.fields, ({ name }) => name, "field", flow.report).map((field) => {
    const checked = scope.check(field.value, scope);
    return checked && open(checked, field.value, scope)
      ? { name: field.name.text, value: checked.expression }
      : undefined;
  });
  for (const template of [ast.template, ast.fallback]) {
    if (!template || !flow.file.templates || flow.file.templates.has(template.text)) continue;
    const message = `The template \`${template.text}\` is not there.`;
    const suggestion = didYouMean(template.text, flow.file.templates, template.span, true);
    warnOnce(flow, "FLOW304", `template ${template.text}`, template.span, message, suggestion);
  }
  if (!isSound(ast, flow.file)) flow.report.isIncomplete = true;
  else if (!ast.template) {
    const hint = 'Write `template: "…"` in it.';
    flow.report.add("FLOW278", ast.name.span, `The document \`${ast.name.text}\` names no template.`, { hint });
  }
  if (!fields.every((field) => field !== undefined)) return undefined;
  return {
    name: ast.name.text,
    template: ast.template?.text ?? "",
    fields,
    ...(ast.fallback ? { fallback: ast.fallback.text } : {}),
  };
}
