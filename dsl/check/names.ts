import type { ExpressionAst, Name } from "../ast.ts";
import type { Expression, Type } from "../definition.ts";
import { article, capital, plain, present } from "./checked.ts";
import { pathOf } from "./narrowing.ts";
import { type Checked, isDamaged, type Scope } from "./scope.ts";
import { didYouMean } from "./suggest.ts";
import { APPROVALS, DATETIME, DURATION, ORG, TEXT, USER } from "./types.ts";

type Builtin = Extract<Expression, { kind: "builtin" }>["name"];

const BUILTINS: ReadonlyMap<string, Type> = new Map<Builtin, Type>([
  ["actor", USER],
  ["initiator", USER],
  ["now", DATETIME],
  ["elapsed", DURATION],
  ["approvals", APPROVALS],
  ["key", TEXT],
  ["state", TEXT],
]);

/** Names of the language that a data field of the same name hides, and what still says them. */
export const HIDEABLE_NAMES: ReadonlyMap<string, string | undefined> = new Map([
  ...["actor", "initiator", "now", "state", "elapsed", "approvals"].map((name) => [name, `machine.${name}`] as const),
  ["outcome", "machine.outcome"],
  ["event", undefined],
  ["data", undefined],
  ["machine", undefined],
]);

/** Does a bare name stand for something by itself, whatever its place asks for? */
export function nameIsKnown(name: string, scope: Scope): boolean {
  if (itemDepth(name, scope) !== undefined || scope.flow.fields.has(name) || BUILTINS.has(name)) return true;
  return name === "outcome" && scope.outcome !== undefined;
}

/** A bare name: an item's field, a member of the expected enum, a data field, a built-in name. */
export function checkName({ text, span }: Name, scope: Scope, expected?: Type): Checked | undefined {
  const { flow } = scope;
  const item = itemNamed(text, scope);
  if (item) return item;
  if (flow.fields.has(text)) return memberInstead(text, scope, expected) ?? fieldNamed(text, scope);
  if (expected?.kind === "enum" && hasMember(expected, text)) return enumMember(text, expected);
  if (BUILTINS.has(text)) return builtin(text as Builtin, scope);
  if (text === "outcome" && scope.outcome) return outcomeOf(scope.outcome);
  if (expected === undefined) {
    const only = onlyEnumWith(text, scope);
    if (only) return enumMember(text, only);
  }
  return unknownName({ text, span }, scope, expected);
}

function unknownName({ text, span }: Pick<Name, "text" | "span">, scope: Scope, expected: Type | undefined): undefined {
  const { flow } = scope;
  if (isDamaged(text, flow)) return undefined;
  if (expected?.kind === "enum") {
    const known = [...expected.members, ...flow.fields.keys()];
    const members = expected.members.map((member) => `\`${member}\``).join(", ");
    return flow.report.add("FLOW107", span, `\`${text}\` is not one of ${members}.`, didYouMean(text, known, span));
  }
  if (text === "outcome") {
    return flow.report.add(
      "FLOW101",
      span,
      "`outcome` is known only where a sub-flow has ended, and no flow is run here.",
    );
  }
  if (flow.people.has(text)) {
    return flow.report.add("FLOW101", span, `\`${text}\` names people, and here a value is expected.`, {
      hint: "People stand where somebody is asked or told, such as `approval by`, `by` and `notify(..)`.",
    });
  }
  const known = [...itemNames(scope), ...flow.fields.keys(), ...BUILTINS.keys()];
  return flow.report.add(
    "FLOW101",
    span,
    `There is no field or built-in name \`${text}\`.`,
    didYouMean(text, known, span),
  );
}

/** `.field`: of `event`, `data` and `machine`, the initiator, a record, or of every item of a list. */
export function checkMember(ast: Extract<ExpressionAst, { kind: "member" }>, scope: Scope): Checked | undefined {
  const { of, name } = ast;
  if (of.kind === "name" && !nameIsKnown(of.name.text, scope)) {
    if (of.name.text === "event") return payloadField(name, ast, scope);
    if (of.name.text === "data") return dataField(name, scope);
    if (of.name.text === "machine") return machineName(name, scope);
    if (scope.branches && isBranch(of.name.text, scope)) return branchState(of.name, name, scope);
  }
  const base = scope.check(of, scope);
  if (base === undefined || !present(base, of, scope)) return undefined;
  const { expression, secret } = base;
  if (expression.kind === "builtin" && expression.name === "initiator") return initiatorMember(expression, name, scope);
  const plucks = expression.type.kind === "list" && expression.type.of.kind === "record";
  const record = expression.type.kind === "list" ? expression.type.of : expression.type;
  if (record.kind !== "record") {
    return scope.flow.report.add(
      "FLOW103",
      name.span,
      `${capital(article(expression.type))} has no field \`${name.text}\`.`,
    );
  }
  const field = record.fields.find((known) => known.name === name.text);
  if (field === undefined) {
    const known = record.fields.map((other) => other.name);
    return scope.flow.report.add(
      "FLOW103",
      name.span,
      `There is no field \`${name.text}\` in it.`,
      didYouMean(name.text, known, name.span),
    );
  }
  if (plucks) {
    const type: Type = { kind: "list", of: field.type };
    return { expression: { kind: "pluck", of: expression, name: name.text, type }, optional: false, secret };
  }
  return readable({ kind: "member", of: expression, name: name.text, type: field.type }, field.optional, secret, scope);
}

/** What reads a value that may be absent counts as there once it was tested. */
function readable(expression: Expression, optional: boolean, secret: boolean, scope: Scope): Checked {
  const path = optional ? pathOf(expression, scope.items.length) : undefined;
  return { expression, optional: optional && !(path !== undefined && scope.narrowed.has(path)), secret };
}

// ------------------------------------------------------------------------------------------------------------------ //
// Data
// ------------------------------------------------------------------------------------------------------------------ //

function fieldNamed(name: string, scope: Scope): Checked | undefined {
  const field = scope.flow.fields.get(name);
  if (field === undefined) return undefined;
  const optional = field.optional || (scope.draft && field.default === undefined);
  return readable({ kind: "field", name, type: field.type }, optional, field.secret, scope);
}

/** `kind == travel` means the member also where a field of another type is called `travel`. */
function memberInstead(name: string, { flow }: Scope, expected: Type | undefined): Checked | undefined {
  if (expected?.kind !== "enum" || !expected.members.includes(name)) return undefined;
  return flow.fields.get(name)?.type.kind === "enum" ? undefined : enumMember(name, expected);
}

function dataField(name: Name, scope: Scope): Checked | undefined {
  const { flow } = scope;
  if (flow.fields.has(name.text)) return fieldNamed(name.text, scope);
  if (isDamaged(name.text, flow)) return undefined;
  return flow.report.add(
    "FLOW103",
    name.span,
    `There is no field \`${name.text}\`.`,
    didYouMean(name.text, flow.fields.keys(), name.span),
  );
}

function payloadField(name: Name, ast: ExpressionAst, scope: Scope): Checked | undefined {
  const { flow, event } = scope;
  if (event === undefined) {
    return flow.report.add("FLOW131", ast.span, "`event` is known only on a line that an outside event triggers.");
  }
  const field = event.payload.get(name.text);
  if (field) {
    // An event may leave a data field out that was set before.
    const optional = field.optional || field.data;
    return readable({ kind: "payload", name: name.text, type: field.type }, optional, field.secret, scope);
  }
  if (event.payload.has(name.text) || isDamaged(name.text, flow)) return undefined;
  const message = `The event \`${event.definition.name}\` carries no \`${name.text}\`.`;
  return flow.report.add("FLOW103", name.span, message, didYouMean(name.text, event.payload.keys(), name.span));
}

/** Where any final state can be reached, as of a flow that is not known here, the enum has no members: any name is one. */
function hasMember(type: Extract<Type, { kind: "enum" }>, name: string): boolean {
  return type.members.includes(name) || (type.members.length === 0 && type.name === "outcome");
}

function enumMember(name: string, type: Type): Checked {
  return plain({ kind: "literal", type, value: name });
}

/** Where nothing asks for a type, as in arguments of functions, a member that one enum alone has still says enough. */
function onlyEnumWith(name: string, { flow }: Scope): Type | undefined {
  const types = [
    ...flow.file.enums.values(),
    ...[...flow.fields.values()].flatMap((field) => (field ? [field.type] : [])),
  ];
  const having = types.filter((type) => type.kind === "enum" && type.members.includes(name));
  return new Set(having.map((type) => JSON.stringify(type))).size === 1 ? having[0] : undefined;
}

// ------------------------------------------------------------------------------------------------------------------ //
// Built-in names
// ------------------------------------------------------------------------------------------------------------------ //

function machineName(name: Name, scope: Scope): Checked | undefined {
  if (name.text === "outcome" && scope.outcome) return outcomeOf(scope.outcome);
  if (BUILTINS.has(name.text)) return builtin(name.text as Builtin, scope);
  const hint = didYouMean(name.text, BUILTINS.keys(), name.span);
  return scope.flow.report.add("FLOW101", name.span, `There is no built-in name \`${name.text}\`.`, hint);
}

function builtin(name: Builtin, scope: Scope): Checked {
  const type: Type = name === "state" ? stateType(scope) : BUILTINS.get(name)!;
  return readable({ kind: "builtin", name, type }, name === "actor" && !scope.hasActor, false, scope);
}

function outcomeOf(type: Type): Checked {
  return plain({ kind: "builtin", name: "outcome", type });
}

function isBranch(name: string, scope: Scope): boolean {
  return scope.branches?.has(name) ?? false;
}

/** `BRANCH.state`: where the branch stands; absent if its condition kept it from being entered. */
function branchState(branch: Name, name: Name, scope: Scope): Checked | undefined {
  const { states, always } = scope.branches!.get(branch.text)!;
  if (name.text === "state") {
    const type: Type = { kind: "enum", name: "state", members: states };
    return readable({ kind: "branch-state", branch: branch.text, type }, !always, false, scope);
  }
  const message = `Of a branch only \`${branch.text}.state\` is known.`;
  return scope.flow.report.add("FLOW103", name.span, message, didYouMean(name.text, ["state"], name.span));
}

function stateType({ flow }: Scope): Type {
  return { kind: "enum", name: "state", members: [...flow.states.keys()] };
}

const INITIATOR_MEMBERS: ReadonlyMap<string, Type> = new Map([
  ["name", TEXT],
  ["org", ORG],
  ["tags", { kind: "list", of: TEXT }],
]);

function initiatorMember(of: Expression, name: Name, { flow }: Scope): Checked | undefined {
  const type = INITIATOR_MEMBERS.get(name.text);
  if (type) return plain({ kind: "member", of, name: name.text, type });
  const hint = didYouMean(name.text, INITIATOR_MEMBERS.keys(), name.span);
  return flow.report.add(
    "FLOW103",
    name.span,
    `\`initiator\` has \`name\`, \`org\` and \`tags\`, no \`${name.text}\`.`,
    hint,
  );
}

// ------------------------------------------------------------------------------------------------------------------ //
// Items of `any … where` and `all … where`
// ------------------------------------------------------------------------------------------------------------------ //

/** How many lists further out the name belongs to. An item that is no record is called `item`. */
function itemDepth(name: string, { items }: Scope): number | undefined {
  const depth = items.findIndex((type) =>
    type.kind === "record" ? type.fields.some((field) => field.name === name) : name === "item",
  );
  return depth === -1 ? undefined : depth;
}

function itemNamed(name: string, scope: Scope): Checked | undefined {
  const depth = itemDepth(name, scope);
  const item = depth === undefined ? undefined : scope.items[depth];
  if (depth === undefined || item === undefined) return undefined;
  if (item.kind !== "record") return plain({ kind: "item", depth, type: item });
  const field = item.fields.find((known) => known.name === name)!;
  return readable({ kind: "item", depth, name, type: field.type }, field.optional, false, scope);
}

function itemNames({ items }: Scope): readonly string[] {
  return items.flatMap((type) => (type.kind === "record" ? type.fields.map(({ name }) => name) : ["item"]));
}
