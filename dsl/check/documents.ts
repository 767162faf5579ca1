import type { DocumentAst } from "../ast.ts";
import type { DocumentDefinition } from "../definition.ts";
import { warnOnce } from "./calls.ts";
import { open } from "./checked.ts";
import { unique } from "./declarations.ts";
import { plainScope } from "./expressions.ts";
import { type FlowScope, isSound } from "./scope.ts";

/** A document as the flow that renders it sees it: its fields are resolved in that flow. Absent values leave a blank. */
export function checkDocument(ast: DocumentAst, flow: FlowScope): DocumentDefinition | undefined {
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
    warnOnce(flow, "FLOW304", `template ${template.text}`, template.span, message);
  }
  if (!isSound(ast, flow.file)) flow.report.isIncomplete = true;
  if (!fields.every((field) => field !== undefined)) return undefined;
  return {
    name: ast.name.text,
    template: ast.template?.text ?? ast.name.text,
    fields,
    ...(ast.fallback ? { fallback: ast.fallback.text } : {}),
  };
}
