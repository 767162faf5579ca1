import type { ActionAst } from "../ast.ts";
import type { Action } from "../definition.ts";
import type { Span } from "../diagnostic.ts";
import { functionArguments, textArgument, useFunction, wrongPlace } from "./calls.ts";
import { fitted, isNegative, open, present, value } from "./checked.ts";
import { checkPeople, peopleOf } from "./people.ts";
import { type FlowScope, isDamaged, isLost, type Scope } from "./scope.ts";
import { checkFlowFields, flowNamed } from "./sub-flows.ts";
import { didYouMean } from "./suggest.ts";
import { TEXT } from "./types.ts";

type CallAst = Extract<ActionAst, { kind: "call" }>;
type SetAst = Extract<ActionAst, { kind: "set" }>;
type StartAst = Extract<ActionAst, { kind: "start" }>;

const BUILTINS: ReadonlySet<string> = new Set(["emit", "notify", "cc", "render", "start", "set"]);

/** Is it an action of the language, no function? */
export function isBuiltinAction(name: string): boolean {
  return BUILTINS.has(name);
}

/** One action of a line. `routed`: the line's event has a route, so that its services may be asked. */
export function checkAction(ast: ActionAst, routed: boolean, scope: Scope): Action | undefined {
  switch (ast.kind) {
    case "set":
      return checkSet(ast, scope);
    case "start":
      return checkStart(ast, scope);
    case "call":
      return checkCallAction(ast, routed, scope);
  }
}

function checkCallAction(ast: CallAst, routed: boolean, scope: Scope): Action | undefined {
  const { text } = ast.name;
  switch (text) {
    case "emit": {
      const event = onlyText(ast, "an event", scope);
      if (event === undefined) return undefined;
      scope.flow.mentions.emitted.add(event);
      return { kind: "emit", event };
    }
    case "render": {
      const document = onlyText(ast, "a document", scope);
      return document === undefined ? undefined : renderAction(document, ast.arguments[0]!.span, scope.flow);
    }
    case "notify":
    case "cc": {
      const [people] = ast.arguments;
      if (people === undefined || ast.arguments.length > 1) return wrongArguments(ast, "people", scope.flow);
      const to = checkPeople(peopleOf(people), { scope, actor: true });
      return to && { kind: text, to };
    }
    default:
      return functionAction(ast, routed, scope);
  }
}

function onlyText(ast: CallAst, what: string, scope: Scope): string | undefined {
  const [argument] = ast.arguments;
  if (argument === undefined || ast.arguments.length > 1) return wrongArguments(ast, what, scope.flow);
  return textArgument(argument, `The name of ${what}`, scope);
}

function wrongArguments(ast: CallAst, takes: string, flow: FlowScope): undefined {
  return flow.report.add("FLOW108", ast.span, `\`${ast.name.text}\` takes ${takes}.`);
}

function renderAction(document: string, span: Span, flow: FlowScope): Action | undefined {
  if (flow.file.documents.has(document)) {
    const { documents } = flow.mentions;
    if (!documents.has(document)) documents.set(document, span);
    return { kind: "render", document };
  }
  if (isLost(document, flow)) return undefined;
  const known = flow.file.documents.keys();
  return flow.report.add(
    "FLOW106",
    span,
    `There is no document \`${document}\`.`,
    didYouMean(document, known, span, true),
  );
}

/** A check where somebody is asked before the commit, else an effect after it; what was declared wins. */
function functionAction(ast: CallAst, routed: boolean, scope: Scope): Action | undefined {
  const { flow } = scope;
  const kind = flow.file.functions.get(ast.name.text)?.kind ?? (routed ? "check" : "action");
  const args = functionArguments(ast.arguments, scope);
  if (kind !== "check" && kind !== "action") return wrongPlace(ast.name, kind, "after an arrow", flow);
  useFunction(flow, ast.name, kind);
  return args && { kind: "call", function: kind, name: ast.name.text, arguments: args };
}

// ------------------------------------------------------------------------------------------------------------------ //
// set and start
// ------------------------------------------------------------------------------------------------------------------ //

function checkSet(ast: SetAst, scope: Scope): Action | undefined {
  const { flow } = scope;
  const { text, span } = ast.field;
  const field = flow.fields.get(text);
  const checked = scope.check(ast.value, scope, field?.type);
  if (!field) {
    if (flow.fields.has(text) || isDamaged(text, flow)) return undefined;
    const message = `There is no field \`${text}\` to set.`;
    return flow.report.add("FLOW103", span, message, didYouMean(text, flow.fields.keys(), span));
  }
  if (!checked) return undefined;
  if (!field.optional && !present(checked, ast.value, scope)) return undefined;
  if (!field.secret && !open(checked, ast.value, scope)) return undefined;
  const fitting = fitted(checked.expression, ast.value.span, scope, field.type);
  if (fitting && field.type.kind === "money" && !field.type.signed && isNegative(fitting)) {
    return flow.report.add("FLOW125", ast.value.span, "Money is never negative unless its type is `money signed`.");
  }
  return fitting && { kind: "set", field: text, value: fitting };
}

function checkStart(ast: StartAst, scope: Scope): Action | undefined {
  const target = flowNamed(ast.flow, scope.flow);
  const key = value(ast.key, scope, TEXT);
  const keyed = key && fitted(key, ast.key.span, scope, TEXT);
  const fields = checkFlowFields(target, ast.flow, ast.fields, scope);
  return keyed && fields && { kind: "start", flow: ast.flow.text, key: keyed, fields };
}
