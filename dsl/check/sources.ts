/** `source wecom` blocks: how a form becomes the fields of a flow. */
import type { Name, SourceAst, SourceValueAst } from "../ast.ts";
import type { RecordField, SourceConversion, SourceDefinition, SourceValue, Type } from "../definition.ts";
import type { Span } from "../diagnostic.ts";
import { article } from "./checked.ts";
import { unique } from "./declarations.ts";
import type { Report } from "./report.ts";
import { type EventScope, type FileScope, type FlowScope, isDamaged, isSound } from "./scope.ts";
import { flowNamed } from "./sub-flows.ts";
import { didYouMean } from "./suggest.ts";
import { TEXT, USER } from "./types.ts";

type ControlAst = Extract<SourceValueAst, { kind: "control" }>;
type TableAst = Extract<SourceValueAst, { kind: "table" }>;

/** Names of a source that are no fields. */
const KEY = "key";
const INITIATOR = "initiator";

/** A source with everything it maps typed by its flow; `undefined` if it has errors or its flow isn't known here. */
export function checkSource(ast: SourceAst, file: FileScope, report: Report): SourceDefinition | undefined {
  const entries = new Map(
    unique(ast.fields, ({ name }) => name, "name", report).map((field) => [field.name.text, field]),
  );
  const when = checkWhen(ast, report);
  const line = headSpan(ast);
  const key = special(KEY, TEXT, entries, line, report);
  const initiator = special(INITIATOR, USER, entries, line, report);
  if (ast.connector.text !== "wecom") {
    report.add("FLOW221", ast.connector.span, `There is no connector \`${ast.connector.text}\`, only \`wecom\`.`);
  }
  const flow = flowNamed(ast.flow, { file, report });
  if (flow === undefined) return unknownFields(ast, file, report);
  const event = ast.event && eventNamed(ast.event, flow, report);
  if (ast.event && !event) return undefined;
  const fields = mappedFields(ast, event, flow, report);
  if (!report.isClean || !isSound(ast, file) || !key || !initiator || !when) return undefined;
  return {
    connector: "wecom",
    template: ast.template.text,
    when,
    flow: ast.flow.text,
    ...(ast.event ? { event: ast.event.text } : {}),
    key,
    initiator,
    fields,
  };
}

/** Without its flow, nothing that the source maps has a type. */
function unknownFields({ flow: { text, span } }: SourceAst, file: FileScope, report: Report): undefined {
  if (!file.flows.has(text)) return;
  const message = `The flow \`${text}\` stands in another file, so this source can't be checked or used.`;
  report.add("FLOW303", span, message, { hint: 'Say in which: `use "./….flow"`.' });
}

function eventNamed({ text, span }: Name, flow: FlowScope, report: Report): EventScope | undefined {
  const event = flow.events.get(text);
  if (event || isDamaged(text, { file: flow.file, report })) return event;
  const message = `The flow \`${flow.name}\` waits for no event \`${text}\`.`;
  return report.add("FLOW112", span, message, didYouMean(text, flow.events.keys(), span, true));
}

function checkWhen({ when }: SourceAst, report: Report): SourceDefinition["when"] | undefined {
  if (when === undefined) return "submitted";
  if (when.text === "submitted" || when.text === "approved") return when.text;
  const suggestion = didYouMean(when.text, ["submitted", "approved"], when.span);
  return report.add("FLOW221", when.span, "A source starts when a form is `submitted` or `approved`.", suggestion);
}

/** `source wecom "T" starts "flow" on "event"` without the block. */
function headSpan(ast: SourceAst): Span {
  return { start: ast.span.start, end: (ast.event ?? ast.flow).span.end };
}

type Entries = ReadonlyMap<string, SourceAst["fields"][number]>;

function special(name: string, type: Type, entries: Entries, line: Span, report: Report): SourceValue | undefined {
  const entry = entries.get(name);
  if (entry) return convert(entry.value, type, report);
  return report.add("FLOW222", line, `The source does not say \`${name}\`.`);
}

// ------------------------------------------------------------------------------------------------------------------ //
// Fields
// ------------------------------------------------------------------------------------------------------------------ //

/** With an event, the fields are those it carries; without one, all data fields. */
function mappedFields(
  ast: SourceAst,
  event: EventScope | undefined,
  flow: FlowScope,
  report: Report,
): SourceDefinition["fields"] {
  const known: ReadonlyMap<string, RecordField | undefined> = event ? event.payload : flow.fields;
  const entries = new Map(ast.fields.map((field) => [field.name.text, field]));
  reportMissing(ast, known, entries, flow, report);
  const mapped = [...entries.values()].filter(({ name }) => known.has(name.text) || !isSpecial(name.text));
  return mapped.flatMap(({ name, value }) => {
    const field = known.get(name.text);
    if (field === undefined) {
      if (!known.has(name.text) && !isDamaged(name.text, { file: flow.file, report }))
        reportUnknown(name, known, event, flow, report);
      return [];
    }
    const converted = convert(value, field.type, report);
    return converted ? [{ name: name.text, optional: isOptional(field, flow), value: converted }] : [];
  });
}

function isSpecial(name: string): boolean {
  return name === KEY || name === INITIATOR;
}

function isOptional(field: RecordField, flow: FlowScope): boolean {
  return field.optional || flow.fields.get(field.name)?.default !== undefined;
}

function reportMissing(
  ast: SourceAst,
  known: ReadonlyMap<string, RecordField | undefined>,
  entries: Entries,
  flow: FlowScope,
  report: Report,
): void {
  if (!ast.event) return;
  const missing = [...known.values()].filter(
    (field) =>
      field !== undefined &&
      !entries.has(field.name) &&
      !isOptional(field, flow) &&
      !isDamaged(field.name, { file: flow.file, report }),
  );
  if (missing.length === 0) return;
  const names = missing.map((field) => `\`${field?.name}\``).join(", ");
  report.add(
    "FLOW222",
    headSpan(ast),
    `\`${ast.event.text}\` needs ${names}, and the source does not map ${missing.length === 1 ? "it" : "them"}.`,
  );
}

function reportUnknown(
  { text, span }: Name,
  known: ReadonlyMap<string, unknown>,
  event: EventScope | undefined,
  flow: FlowScope,
  report: Report,
): void {
  const message =
    event && flow.fields.has(text)
      ? `The event \`${event.definition.name}\` does not list \`${text}\`.`
      : `There is no field \`${text}\`.`;
  report.add("FLOW103", span, message, didYouMean(text, known.keys(), span));
}

// ------------------------------------------------------------------------------------------------------------------ //
// Values
// ------------------------------------------------------------------------------------------------------------------ //

function convert(ast: SourceValueAst, type: Type, report: Report): SourceValue | undefined {
  switch (ast.kind) {
    case "property":
      return { kind: "property", path: ast.path.map(({ text }) => text) };
    case "control": {
      const conversion = controlConversion(ast, type, report);
      return conversion && { kind: "control", id: ast.id.text, convert: conversion, type };
    }
    case "table":
      return table(ast, type, report);
  }
}

function controlConversion(ast: ControlAst, type: Type, report: Report): SourceConversion | undefined {
  const item = type.kind === "list" && type.of.kind === "enum" ? type.of : type;
  if (ast.options) {
    if (item.kind === "enum") return optionsConversion(ast.options, item.members, report);
    return report.add("FLOW223", ast.span, `\`one of\` gives a member of an enum, not ${article(type)}.`);
  }
  if (ast.unit) {
    if (type.kind === "money" && ast.unit.text === "yuan") return { kind: "yuan" };
    const message =
      type.kind === "money" ? "Money comes `in yuan`." : `\`in ${ast.unit.text}\` gives money, not ${article(type)}.`;
    return report.add("FLOW223", ast.unit.span, message);
  }
  if (type.kind === "money") {
    return report.add("FLOW223", ast.span, "A control holds money in yuan; say so.", {
      hint: "Write `in yuan` after it.",
      fix: [{ span: { start: ast.span.end, end: ast.span.end }, text: " in yuan" }],
    });
  }
  if (item.kind === "enum") {
    return report.add("FLOW223", ast.span, "Say which option of the form is which member.", {
      hint: `Write \`one of { "…": ${item.members[0] ?? "member"}, … }\` after it.`,
    });
  }
  return { kind: "natural" };
}

function optionsConversion(
  options: NonNullable<ControlAst["options"]>,
  members: readonly string[],
  report: Report,
): SourceConversion {
  const texts: Record<string, string> = {};
  let otherwise: string | undefined;
  for (const { text, member } of options) {
    if (!members.includes(member.text)) {
      const message = `\`${member.text}\` is not one of ${members.map((known) => `\`${known}\``).join(", ")}.`;
      report.add("FLOW107", member.span, message, didYouMean(member.text, members, member.span));
    }
    if (text === "else") otherwise = member.text;
    else if (Object.hasOwn(texts, text.text)) {
      report.add("FLOW109", text.span, `The option \`${text.text}\` is given twice.`);
    } else texts[text.text] = member.text;
  }
  return { kind: "options", options: texts, ...(otherwise === undefined ? {} : { otherwise }) };
}

function table(ast: TableAst, type: Type, report: Report): SourceValue | undefined {
  if (type.kind !== "list" || type.of.kind !== "record") {
    return report.add("FLOW223", ast.span, `A table gives a list of records, not ${article(type)}.`);
  }
  const { fields } = type.of;
  const names = fields.map(({ name }) => name);
  const columns = unique(ast.columns, ({ name }) => name, "column", report).map(({ name, value }) => {
    const field = fields.find((known) => known.name === name.text);
    if (field) {
      const converted = convert(value, field.type, report);
      return converted && { name: name.text, value: converted };
    }
    const message = `The items have no field \`${name.text}\`.`;
    return report.add("FLOW103", name.span, message, didYouMean(name.text, names, name.span));
  });
  const missing = fields.filter(
    ({ name, optional }) => !optional && !ast.columns.some((column) => column.name.text === name),
  );
  if (missing.length > 0) {
    const message = `The items need ${missing.map(({ name }) => `\`${name}\``).join(", ")}.`;
    return report.add("FLOW222", ast.span, message);
  }
  return columns.every((column) => column !== undefined)
    ? { kind: "table", id: ast.id.text, columns, type }
    : undefined;
}
