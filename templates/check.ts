import type { Type } from "../dsl/index.ts";
import {
  describePosition,
  type Placeholder,
  type PreparedTemplate,
  placeholders,
  type TemplateFault,
  type TemplateFaultCode,
} from "./template.ts";

/** A field of a flow's document block. */
export interface TemplateField {
  readonly name: string;
  readonly type: Type;
}

/** What keeps `template` from being filled with these fields; nothing if it fits. Fields that it doesn't use are fine. */
export function checkTemplate(template: PreparedTemplate, fields: readonly TemplateField[]): readonly TemplateFault[] {
  return placeholders(template).flatMap((placeholder) => faultsOf(placeholder, fields, "the document", template.name));
}

function faultsOf(
  placeholder: Placeholder,
  fields: readonly TemplateField[],
  owner: string,
  template: string,
): readonly TemplateFault[] {
  const { name, at } = placeholder;
  const fault = (code: TemplateFaultCode, what: string): readonly TemplateFault[] => [
    { code, message: `\`${name}\` in ${describePosition(at)} ${what}`, template, at },
  ];
  const type = fields.find((field) => field.name === name)?.type;
  if (type === undefined) return fault("unknown-placeholder", `is no field of ${owner}; ${known(name, fields)}`);
  if (placeholder.kind === "list") {
    const item = itemFields(type);
    if (item === undefined) return fault("not-a-list", `is ${describe(type)}; \`$each\` takes a list of records`);
    return placeholder.fields.flatMap((inner) => faultsOf(inner, item, `an item of \`${name}\``, template));
  }
  if (placeholder.kind === "condition") {
    return type.kind === "bool" ? [] : fault("not-a-condition", `is ${describe(type)}; \`$if\` takes a bool`);
  }
  if (isText(type)) return [];
  return fault("not-a-text", `is ${describe(type)}; write \`$each ${name}\` … \`$end\` to show its items`);
}

/** Records have no text of their own; lists of plain values are shown in one line. */
function isText(type: Type): boolean {
  return type.kind === "list" ? isText(type.of) : type.kind !== "record";
}

function itemFields(type: Type): readonly TemplateField[] | undefined {
  return type.kind === "list" && type.of.kind === "record" ? type.of.fields : undefined;
}

function describe(type: Type): string {
  if (type.kind === "list") return `a list of ${type.of.kind}`;
  return /^[aeiou]/.test(type.kind) ? `an ${type.kind}` : `a ${type.kind}`;
}

function known(name: string, fields: readonly TemplateField[]): string {
  if (fields.length === 0) return "it has no fields";
  const meant = nearest(
    name,
    fields.map((field) => field.name),
  );
  const names = fields.map((field) => `\`${field.name}\``).join(", ");
  return meant === undefined ? `known are ${names}` : `did you mean \`${meant}\`? Known are ${names}`;
}

/** The name that `name` was probably meant to be: at most three and at most half of its letters differ, case and `_` not counted. */
function nearest(name: string, names: readonly string[]): string | undefined {
  const plain = (text: string) => text.toLowerCase().replaceAll("_", "");
  const ranked = names.map((candidate) => ({ candidate, distance: distance(plain(name), plain(candidate)) }));
  const best = ranked.sort((a, b) => a.distance - b.distance)[0];
  return best !== undefined && best.distance <= Math.min(3, name.length / 2) ? best.candidate : undefined;
}

/** Letters to insert, delete or change to make `b` of `a` (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (letter === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
