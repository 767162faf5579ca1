/** What a flow declares: types, fields, events. */
import type { EventAst, ExpressionAst, FieldAst, FileAst, Name, TypeAst } from "../ast.ts";
import type { EventDefinition, Expression, FieldDefinition, PayloadField, Type, Value } from "../definition.ts";
import type { Span } from "../diagnostic.ts";
import { typedValue } from "./checked.ts";
import { plainScope } from "./expressions.ts";
import { HIDEABLE_NAMES } from "./names.ts";
import type { Report } from "./report.ts";
import { type EventScope, type FileScope, type FlowScope, isDamaged } from "./scope.ts";
import { didYouMean } from "./suggest.ts";
import { PLAIN_TYPES, sameMembers } from "./types.ts";

/** Says that a name was declared before. */
export function reportTwice(report: Report, what: string, name: Name, first: Span): void {
  report.add("FLOW109", name.span, `The ${what} \`${name.text}\` is declared twice.`, {
    related: [{ message: "It is declared here first.", span: first }],
  });
}

/** Keeps the first of each name and reports the others. */
export function unique<Item>(
  items: readonly Item[],
  nameOf: (item: Item) => Name,
  what: string,
  report: Report,
): readonly Item[] {
  const seen = new Map<string, Span>();
  return items.filter((item) => {
    const name = nameOf(item);
    const first = seen.get(name.text);
    if (first) reportTwice(report, what, name, first);
    else seen.set(name.text, name.span);
    return first === undefined;
  });
}

// ------------------------------------------------------------------------------------------------------------------ //
// Types
// ------------------------------------------------------------------------------------------------------------------ //

/** Enums named anywhere in the file: `Kind = one of [..]` declares `Kind` for all of it. */
export function namedEnums(ast: FileAst, report: Report): ReadonlyMap<string, Type> {
  const enums = new Map<string, { readonly type: Type; readonly span: Span }>();
  const parameters = ast.matrices.flatMap((matrix) => matrix.parameters.flatMap(({ type }) => withParts(type)));
  for (const type of [...ast.flows.flatMap(typesOf), ...parameters]) {
    if (type.kind !== "enum" || type.name === undefined) continue;
    const { name } = type;
    const members = [...new Set(type.members.map(({ text }) => text))];
    const first = enums.get(name.text);
    if (PLAIN_TYPES.has(name.text) || name.text === "money") {
      report.add("FLOW109", name.span, `\`${name.text}\` is a type of the language.`);
    } else if (first === undefined) {
      enums.set(name.text, { type: { kind: "enum", name: name.text, members }, span: name.span });
    } else if (first.type.kind === "enum" && !sameMembers(first.type.members, members)) {
      report.add("FLOW109", name.span, `The type \`${name.text}\` is declared twice, with other members.`, {
        related: [{ message: "It is declared here first.", span: first.span }],
      });
    }
  }
  return new Map([...enums].map(([name, { type }]) => [name, type]));
}

function typesOf(flow: FileAst["flows"][number]): readonly TypeAst[] {
  const written = [
    ...flow.fields.map(({ type }) => type),
    ...flow.events.flatMap(({ payload }) => payload.flatMap(({ type }) => type ?? [])),
  ];
  return written.flatMap(withParts);
}

function withParts(type: TypeAst): readonly TypeAst[] {
  if (type.kind === "list") return withParts(type.of);
  if (type.kind === "record") return type.fields.flatMap((field) => withParts(field.type));
  return [type];
}

/** The type that is meant. */
export function checkType(ast: TypeAst, file: FileScope, report: Report): Type | undefined {
  switch (ast.kind) {
    case "name":
      return namedType(ast.name, ast.signed, file, report);
    case "enum": {
      const members = unique(ast.members, (member) => member, "member", report).map(({ text }) => text);
      return { kind: "enum", ...(ast.name ? { name: ast.name.text } : {}), members };
    }
    case "list": {
      const of = checkType(ast.of, file, report);
      return of && { kind: "list", of };
    }
    case "record": {
      const fields = unique(ast.fields, ({ name }) => name, "field", report).map((field) => {
        const type = checkType(field.type, file, report);
        return type && { name: field.name.text, type, optional: field.optional };
      });
      return fields.every((field) => field !== undefined) ? { kind: "record", fields } : undefined;
    }
  }
}

function namedType(name: Name, signed: boolean, file: FileScope, report: Report): Type | undefined {
  if (name.text === "money") return { kind: "money", signed };
  const type = PLAIN_TYPES.get(name.text) ?? file.enums.get(name.text);
  if (type || isDamaged(name.text, { file, report })) return type;
  const known = [...PLAIN_TYPES.keys(), "money", ...file.enums.keys()];
  return report.add(
    "FLOW104",
    name.span,
    `There is no type \`${name.text}\`.`,
    didYouMean(ELSEWHERE.get(name.text.toLowerCase()) ?? name.text, known, name.span),
  );
}

/** What types are called in other languages. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ["boolean", "bool"],
  ["integer", "int"],
  ["long", "int"],
  ["number", "decimal"],
  ["double", "decimal"],
  ["float", "decimal"],
  ["string", "text"],
  ["str", "text"],
  ["timestamp", "datetime"],
  ["person", "user"],
]);

// ------------------------------------------------------------------------------------------------------------------ //
// Fields
// ------------------------------------------------------------------------------------------------------------------ //

/** The data fields, without their defaults. */
export function checkFields(
  asts: readonly FieldAst[],
  file: FileScope,
  report: Report,
): ReadonlyMap<string, FieldDefinition | undefined> {
  const fields = unique(asts, ({ name }) => name, "field", report);
  return new Map(
    fields.map(({ name, type: written, optional, secret }) => {
      const type = checkType(written, file, report);
      reportHiding(name, report);
      return [name.text, type && { name: name.text, type, optional, secret }];
    }),
  );
}

function reportHiding({ text, span }: Name, report: Report): void {
  if (!HIDEABLE_NAMES.has(text)) return;
  const builtin = HIDEABLE_NAMES.get(text);
  const which =
    builtin === undefined
      ? `\`data.${text}\` is the field.`
      : `\`data.${text}\` is the field, \`${builtin}\` the built-in.`;
  report.add("FLOW140", span, `The field \`${text}\` hides the built-in name.`, {
    hint: text === "data" ? "Give it another name." : which,
  });
}

/** The fields with their defaults, which need the other names to be known. */
export function withDefaults(
  asts: readonly FieldAst[],
  flow: FlowScope,
): ReadonlyMap<string, FieldDefinition | undefined> {
  const fields = new Map(flow.fields);
  for (const ast of asts) {
    const field = fields.get(ast.name.text);
    if (ast.default === undefined || field === undefined || field.default !== undefined) continue;
    const value = constant(ast.default, field.type, flow);
    fields.set(ast.name.text, value === undefined ? undefined : { ...field, default: value });
  }
  return fields;
}

/** The value of an expression that reads nothing. */
function constant(ast: ExpressionAst, type: Type, flow: FlowScope): Value | undefined {
  const noFields: FlowScope = { ...flow, fields: new Map() };
  const expression = typedValue(ast, plainScope(noFields), type);
  if (expression === undefined) return undefined;
  const value = literalValue(expression);
  if (value === undefined) return flow.report.add("FLOW130", ast.span, "A default is a constant.");
  if (type.kind === "money" && !type.signed && Number(value) < 0) {
    return flow.report.add("FLOW125", ast.span, "Money is never negative unless its type is `money signed`.");
  }
  return value;
}

function literalValue(expression: Expression): Value | undefined {
  if (expression.kind === "literal") return expression.value;
  if (expression.kind !== "list") return undefined;
  const items = expression.items.map(literalValue);
  return items.every((item) => item !== undefined) ? items : undefined;
}

// ------------------------------------------------------------------------------------------------------------------ //
// Events
// ------------------------------------------------------------------------------------------------------------------ //

/** The declared events, and those that lines name without declaring them. */
export function checkEvents(
  asts: readonly EventAst[],
  triggered: readonly string[],
  fields: ReadonlyMap<string, FieldDefinition | undefined>,
  file: FileScope,
  report: Report,
): ReadonlyMap<string, EventScope> {
  const events = new Map<string, EventScope>();
  for (const ast of unique(asts, ({ name }) => name, "event", report)) {
    const payload = new Map(
      unique(ast.payload, ({ name }) => name, "field", report).map((field) => [
        field.name.text,
        payloadField(field, fields, file, report),
      ]),
    );
    const definition: EventDefinition = {
      name: ast.name.text,
      payload: [...payload.values()].filter((field) => field !== undefined),
    };
    events.set(ast.name.text, { definition, payload });
  }
  for (const name of triggered) {
    if (!events.has(name)) events.set(name, { definition: { name, payload: [] }, payload: new Map() });
  }
  return events;
}

function payloadField(
  { name, type: written, optional, secret }: EventAst["payload"][number],
  fields: ReadonlyMap<string, FieldDefinition | undefined>,
  file: FileScope,
  report: Report,
): PayloadField | undefined {
  const field = fields.get(name.text);
  if (written) {
    const type = checkType(written, file, report);
    if (fields.has(name.text)) {
      return report.add("FLOW109", name.span, `\`${name.text}\` is a data field already.`, {
        hint: `To let the event set the field, write \`${name.text}\` alone.`,
      });
    }
    return type && { name: name.text, type, optional, secret, data: false };
  }
  if (field) return { name: name.text, type: field.type, optional: field.optional, secret: field.secret, data: true };
  if (fields.has(name.text) || isDamaged(name.text, { file, report })) return undefined;
  const message = `There is no data field \`${name.text}\`.`;
  const suggestion = didYouMean(name.text, fields.keys(), name.span);
  return report.add("FLOW103", name.span, message, {
    hint: `For a field of the event alone, write its type: \`${name.text}: text\`.`,
    ...suggestion,
  });
}
