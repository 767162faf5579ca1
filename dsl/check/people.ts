import type { ExpressionAst, Name, PeopleArgumentAst, PeopleAst } from "../ast.ts";
import type { Expression, People, Type } from "../definition.ts";
import { functionArguments, inQuotes, useFunction, warnOnce, wrongPlace } from "./calls.ts";
import { article, capital, open, present } from "./checked.ts";
import { type Checked, type FlowScope, isDamaged, isLost, type Scope } from "./scope.ts";
import { didYouMean } from "./suggest.ts";
import { ORG, TEXT } from "./types.ts";

/** Where people stand: `assignee` and `actor` are known only at some places. */
export interface PeoplePlace {
  readonly scope: Scope;
  readonly assignee?: boolean;
  readonly actor?: boolean;
}

const WITH_ARGUMENT = ["group", "role", "dept", "position", "headOf"] as const;
const FUNCTIONS: ReadonlySet<string> = new Set([...WITH_ARGUMENT, "users", "managerOf", "managersOf", "chosen"]);

/** Resolves people; `undefined` if something was wrong and reported. */
export function checkPeople(ast: PeopleAst, place: PeoplePlace): People | undefined {
  switch (ast.kind) {
    case "name":
      return namedPeople(ast.name, place);
    case "value":
      return ast.value.kind === "name" ? namedPeople(ast.value.name, place) : valuePeople(ast.value, place);
    case "call":
      return calledPeople(ast, place);
  }
}

/** People written where an action takes an argument. */
export function peopleOf(ast: ExpressionAst): PeopleAst {
  if (ast.kind === "people") return ast.people;
  if (ast.kind === "name") return { kind: "name", name: ast.name, span: ast.span };
  if (ast.kind !== "call") return { kind: "value", value: ast, span: ast.span };
  const args = ast.arguments.map((value): PeopleArgumentAst => ({ kind: "expression", value }));
  return { kind: "call", name: ast.name, arguments: args, span: ast.span };
}

function namedPeople(name: Name, place: PeoplePlace): People | undefined {
  const { flow } = place.scope;
  if (flow.people.has(name.text)) return { kind: "named", name: name.text };
  if (flow.fields.has(name.text)) return valuePeople({ kind: "name", name, span: name.span }, place);
  switch (name.text) {
    case "initiator":
      return { kind: "initiator" };
    case "actor":
      if (place.actor) return actingPeople(name, place.scope);
      return flow.report.add("FLOW224", name.span, "`actor` is known only in actions.");
    case "assignee":
      if (place.assignee) return { kind: "assignee" };
      return flow.report.add("FLOW224", name.span, "`assignee` is known only in the steps of `overdue`.");
  }
  if (isDamaged(name.text, flow)) return undefined;
  const known = [...flow.people.keys(), ...userFields(flow), "initiator"];
  const message = `There are no people \`${name.text}\`.`;
  return flow.report.add("FLOW105", name.span, message, didYouMean(name.text, known, name.span));
}

/** Nobody acted where time did. */
function actingPeople({ span }: Name, { flow, hasActor, narrowed }: Scope): People | undefined {
  if (hasActor || narrowed.has("machine.actor")) return { kind: "actor" };
  return flow.report.add("FLOW122", span, "`actor` may be absent.", { hint: "Ask first: `actor is set and …`." });
}

function userFields(flow: FlowScope): readonly string[] {
  return [...flow.fields.values()].flatMap((field) => (field && holdsUsers(field.type) ? [field.name] : []));
}

function holdsUsers(type: Type): boolean {
  return type.kind === "user" || (type.kind === "list" && type.of.kind === "user");
}

/** A field or `event.reviewer`, which must be there. */
function valuePeople(ast: ExpressionAst, { scope }: PeoplePlace): People | undefined {
  if (ast.kind === "text") {
    return scope.flow.report.add("FLOW120", ast.span, "People stand here, not a text.", {
      hint: `Write \`users(${JSON.stringify(ast.value)})\`.`,
      fix: [{ span: ast.span, text: `users(${JSON.stringify(ast.value)})` }],
    });
  }
  const checked = scope.check(ast, scope);
  if (!checked || !open(checked, ast, scope) || !isThere(checked, ast, scope)) return undefined;
  if (holdsUsers(checked.expression.type)) return { kind: "value", value: checked.expression };
  const message = `${capital(article(checked.expression.type))} is nobody; people are a \`user\` or a \`list of user\`.`;
  return scope.flow.report.add("FLOW120", ast.span, message);
}

/** Reports people that may be absent. A field that is to be chosen is asked for in time. */
function isThere(checked: Checked, ast: ExpressionAst, scope: Scope): boolean {
  const { expression, optional } = checked;
  if (!optional || expression.kind !== "field" || !holdsUsers(expression.type)) return present(checked, ast, scope);
  const { name } = expression;
  scope.flow.report.add("FLOW122", ast.span, `\`${name}\` may be absent.`, {
    hint: `\`chosen(${name})\` asks for it before anybody is to decide.`,
  });
  return false;
}

type CallAst = Extract<PeopleAst, { kind: "call" }>;

function calledPeople(ast: CallAst, place: PeoplePlace): People | undefined {
  const { text } = ast.name;
  switch (text) {
    case "users":
      return users(ast, place);
    case "managerOf":
    case "managersOf":
      return managers(ast, text, place);
    case "chosen":
      return chosen(ast, place.scope);
  }
  if (place.scope.flow.file.matrices.has(text)) {
    const message = `The matrix \`${text}\` says the stages of an approval, which are no people.`;
    return place.scope.flow.report.add("FLOW224", ast.span, message);
  }
  const kind = WITH_ARGUMENT.find((name) => name === text);
  return kind ? withArgument(ast, kind, place.scope) : askedPeople(ast, place.scope);
}

function users(ast: CallAst, { scope }: PeoplePlace): People | undefined {
  const ids = ast.arguments.map((argument) => {
    if (argument.kind === "expression" && argument.value.kind === "text") return argument.value.value;
    const span = argument.kind === "expression" ? argument.value.span : argument.span;
    const details = argument.kind === "expression" ? inQuotes(argument.value) : {};
    return scope.flow.report.add("FLOW130", span, "`users` takes ids in quotes.", details);
  });
  if (ids.length === 0) return wrongArguments(ast, "one id or more", scope);
  for (const argument of ast.arguments) {
    if (argument.kind === "expression" && argument.value.kind === "text") warnUnknown("user", argument.value, scope);
  }
  return ids.every((id) => id !== undefined) ? { kind: "users", ids } : undefined;
}

function withArgument(ast: CallAst, kind: (typeof WITH_ARGUMENT)[number], scope: Scope): People | undefined {
  const [argument] = ast.arguments;
  if (ast.arguments.length !== 1 || argument?.kind !== "expression") return wrongArguments(ast, "one name", scope);
  const takesOrg = kind === "dept" || kind === "headOf";
  const isText = argument.value.kind === "text";
  if (argument.value.kind === "text" && (kind === "group" || kind === "role")) warnUnknown(kind, argument.value, scope);
  const checked = scope.check(argument.value, scope, isText ? TEXT : takesOrg ? ORG : undefined);
  if (!checked || !open(checked, argument.value, scope) || !present(checked, argument.value, scope)) return undefined;
  const { type } = checked.expression;
  if (type.kind === "text" || (takesOrg && type.kind === "org")) return { kind, argument: checked.expression };
  const message = `\`${kind}\` takes ${takesOrg ? "a text or an org" : "a text"}, not ${article(type)}.`;
  return scope.flow.report.add("FLOW120", argument.value.span, message);
}

/** Where the names of the directory are known, one that is none of them is a warning. */
function warnUnknown(
  what: "user" | "group" | "role",
  { value, span }: Extract<ExpressionAst, { kind: "text" }>,
  { flow }: Scope,
): void {
  const { users: ids, groups, roles } = flow.file;
  const known = { user: ids, group: groups, role: roles }[what];
  if (known === undefined || known.has(value)) return;
  const message = `Nobody has registered the ${what} \`${value}\`.`;
  warnOnce(flow, "FLOW306", `${what} ${value}`, span, message, didYouMean(value, known, span, true));
}

function managers(ast: CallAst, kind: "managerOf" | "managersOf", place: PeoplePlace): People | undefined {
  const { scope } = place;
  const [first, ...rest] = ast.arguments;
  const takes = kind === "managerOf" ? "a person, and perhaps `level 2`" : "a person and `up to 3` or `to top`";
  if (first?.kind !== "expression") return wrongArguments(ast, takes, scope);
  const of = checkPeople(peopleOf(first.value), place);
  return kind === "managerOf" ? managerOf(ast, of, rest, takes, scope) : managersOf(ast, of, rest, takes, scope);
}

function managerOf(
  ast: CallAst,
  of: People | undefined,
  rest: readonly PeopleArgumentAst[],
  takes: string,
  scope: Scope,
): People | undefined {
  const [level] = rest;
  if (rest.length > 1 || (level && level.kind !== "level")) return wrongArguments(ast, takes, scope);
  if (level && !isLevel(level.level)) {
    return scope.flow.report.add("FLOW219", level.span, "A level is a whole number from 1 to 100.");
  }
  return of && { kind: "managerOf", of, level: level?.level ?? 1 };
}

function managersOf(
  ast: CallAst,
  of: People | undefined,
  rest: readonly PeopleArgumentAst[],
  takes: string,
  scope: Scope,
): People | undefined {
  const [reach, order] = rest;
  const reaches = reach?.kind === "up-to" || reach?.kind === "to-top";
  if (!reaches || rest.length > 2 || (order && order.kind !== "top-down")) return wrongArguments(ast, takes, scope);
  if (reach.kind === "up-to" && !isLevel(reach.levels)) {
    return scope.flow.report.add("FLOW219", reach.span, "A number of levels is a whole number from 1 to 100.");
  }
  const upTo = reach.kind === "up-to" ? reach.levels : "top";
  return of && { kind: "managersOf", of, upTo, topDown: order !== undefined };
}

function isLevel(level: number): boolean {
  return Number.isInteger(level) && level >= 1 && level <= 100;
}

function chosen(ast: CallAst, scope: Scope): People | undefined {
  const { flow } = scope;
  const [argument] = ast.arguments;
  if (ast.arguments.length !== 1 || argument?.kind !== "expression" || argument.value.kind !== "name") {
    return wrongArguments(ast, "a field", scope);
  }
  const { text, span } = argument.value.name;
  const field = flow.fields.get(text);
  if (field && holdsUsers(field.type)) return { kind: "chosen", field: text };
  if (field) {
    return flow.report.add(
      "FLOW120",
      span,
      `\`chosen\` takes a field of type \`user\` or \`list of user\`, not ${article(field.type)}.`,
    );
  }
  if (flow.fields.has(text) || isDamaged(text, flow)) return undefined;
  return flow.report.add("FLOW103", span, `There is no field \`${text}\`.`, didYouMean(text, userFields(flow), span));
}

/** A function that somebody else serves. */
function askedPeople(ast: CallAst, scope: Scope): People | undefined {
  const { flow } = scope;
  const declared = flow.file.functions.get(ast.name.text);
  if (declared && declared.kind !== "people") return wrongPlace(ast.name, declared.kind, "where people stand", flow);
  const values = ast.arguments.flatMap((argument) => (argument.kind === "expression" ? [argument.value] : []));
  if (values.length !== ast.arguments.length) return wrongArguments(ast, "values", scope);
  // It may be a matrix of a file that could not be read.
  if (!declared && isLost(ast.name.text, flow)) return undefined;
  useFunction(flow, ast.name, "people", didYouMean(ast.name.text, FUNCTIONS, ast.name.span));
  const args: readonly Expression[] | undefined = functionArguments(values, scope);
  return args && { kind: "ask", name: ast.name.text, arguments: args };
}

function wrongArguments(ast: CallAst, takes: string, { flow }: Scope): undefined {
  return flow.report.add("FLOW108", ast.span, `\`${ast.name.text}\` takes ${takes}.`);
}
