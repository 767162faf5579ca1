import type { ExpressionAst, Name } from "../ast.ts";
import type { Code } from "../codes.ts";
import type { Expression, FunctionUse, Type } from "../definition.ts";
import type { Span } from "../diagnostic.ts";
import { article, plain, present } from "./checked.ts";
import type { Details } from "./report.ts";
import { type Checked, type FlowScope, isDamaged, type Scope } from "./scope.ts";
import { didYouMean } from "./suggest.ts";
import { BOOL, DATE, INT, isNumber, TEXT } from "./types.ts";

type CallAst = Extract<ExpressionAst, { kind: "call" }>;

interface BuiltinFunction {
  /** As it is shown in messages. */
  readonly parameters: readonly string[];
  /** Does the argument fit? */
  readonly takes: readonly ((type: Type) => boolean)[];
  readonly expected?: readonly (Type | undefined)[];
  readonly result: (types: readonly Type[]) => Type;
  /** Shows so little of a secret that it is none any more. */
  readonly masks?: true;
}

const is = (kind: Type["kind"]) => (type: Type) => type.kind === kind;
const isDay = (type: Type) => type.kind === "date" || type.kind === "datetime";
const isSummable = (type: Type) =>
  type.kind === "list" && (isNumber(type.of) || type.of.kind === "money" || type.of.kind === "duration");

const BUILTINS: ReadonlyMap<string, BuiltinFunction> = new Map<string, BuiltinFunction>([
  ["formatDate", { parameters: ["a date or datetime", "a pattern"], takes: [isDay, is("text")], result: () => TEXT }],
  [
    "rmbUpper",
    {
      parameters: ["an amount of money"],
      takes: [is("money")],
      expected: [{ kind: "money", signed: true }],
      result: () => TEXT,
    },
  ],
  ["dateOf", { parameters: ["a datetime"], takes: [is("datetime")], result: () => DATE }],
  ["masked", { parameters: ["a text"], takes: [is("text")], result: () => TEXT, masks: true }],
  ["count", { parameters: ["a list"], takes: [is("list")], result: () => INT }],
  [
    "sum",
    {
      parameters: ["a list of numbers, money or durations"],
      takes: [isSummable],
      result: ([type]) => (type?.kind === "list" ? type.of : INT),
    },
  ],
]);

/** Is it known what the call gives? Else it gives what its place asks for. */
export function callIsKnown(name: string, scope: Scope): boolean {
  const declared = scope.flow.file.functions.get(name);
  return BUILTINS.has(name) || (declared !== undefined && (declared.kind !== "value" || declared.type !== undefined));
}

/** A built-in function, or a guard or value function that somebody else serves. */
export function checkCall(ast: CallAst, scope: Scope, expected: Type | undefined): Checked | undefined {
  const builtin = BUILTINS.get(ast.name.text);
  if (builtin) return checkBuiltin(ast, builtin, scope);
  const args = functionArguments(ast.arguments, scope);
  const declared = scope.flow.file.functions.get(ast.name.text);
  const kind = declared?.kind ?? (expected?.kind === "bool" ? "guard" : "value");
  if (kind !== "guard" && kind !== "value") return wrongPlace(ast.name, kind, "in an expression", scope.flow);
  const type = kind === "guard" ? BOOL : (declared?.type ?? expected ?? TEXT);
  const known = [...BUILTINS.keys(), ...scope.flow.file.functions.keys()];
  useFunction(scope.flow, ast.name, kind, declared ? {} : didYouMean(ast.name.text, known, ast.name.span));
  return args && plain({ kind: "ask", function: kind, name: ast.name.text, arguments: args, type });
}

function checkBuiltin(ast: CallAst, builtin: BuiltinFunction, scope: Scope): Checked | undefined {
  const { parameters, takes } = builtin;
  const args = ast.arguments.map((argument, index) => {
    const checked = scope.check(argument, scope, builtin.expected?.[index]);
    if (!checked || !present(checked, argument, scope)) return undefined;
    return checked;
  });
  if (args.length !== parameters.length) {
    const message = `\`${ast.name.text}\` takes ${parameters.join(" and ")}, not ${count(args.length)}.`;
    return scope.flow.report.add("FLOW108", ast.span, message);
  }
  if (args.some((argument) => argument === undefined)) return undefined;
  const known = args as Checked[];
  for (const [index, { expression }] of known.entries()) {
    if (takes[index]!(expression.type)) continue;
    const message = `\`${ast.name.text}\` takes ${parameters[index]} here, not ${article(expression.type)}.`;
    return scope.flow.report.add("FLOW120", ast.arguments[index]!.span, message);
  }
  const expressions = known.map(({ expression }) => expression);
  const type = builtin.result(expressions.map((expression) => expression.type));
  return {
    expression: { kind: "call", name: ast.name.text, arguments: expressions, type },
    optional: false,
    secret: !builtin.masks && known.some(({ secret }) => secret),
  };
}

function count(size: number): string {
  return size === 0 ? "nothing" : `${size} argument${size === 1 ? "" : "s"}`;
}

/** Arguments for a function that somebody else serves: of any type, secrets too. */
export function functionArguments(asts: readonly ExpressionAst[], scope: Scope): readonly Expression[] | undefined {
  const args = asts.map((ast) => {
    const checked = scope.check(ast, scope);
    return checked && present(checked, ast, scope) ? checked.expression : undefined;
  });
  return args.every((argument) => argument !== undefined) ? args : undefined;
}

/** Notes that the flow needs the function, and warns if nobody declares it. */
export function useFunction(
  flow: FlowScope,
  { text, span }: Name,
  kind: FunctionUse["kind"],
  details: Details = {},
): void {
  flow.uses.set(`${kind} ${text}`, { name: text, kind });
  if (flow.file.functions.has(text) || isDamaged(text, flow)) return;
  const message = `Nobody has declared the function \`${text}\`; it counts as ${KINDS[kind]} here.`;
  warnOnce(flow, "FLOW301", `function ${text}`, span, message, details);
}

/** Warnings about the world outside the file come once per thing. */
export function warnOnce(
  flow: Pick<FlowScope, "file" | "report">,
  code: Extract<Code, `FLOW3${string}`>,
  thing: string,
  span: Span,
  message: string,
  details: Details = {},
): undefined {
  if (flow.file.warned.has(thing)) return;
  flow.file.warned.add(thing);
  flow.report.add(code, span, message, details);
}

const KINDS: Readonly<Record<FunctionUse["kind"], string>> = {
  guard: "a guard",
  check: "a check",
  action: "an action",
  people: "a people function",
  value: "a value function",
};

/** A declared function where another kind belongs. */
export function wrongPlace({ text, span }: Name, kind: FunctionUse["kind"], place: string, flow: FlowScope): undefined {
  return flow.report.add("FLOW128", span, `\`${text}\` is ${KINDS[kind]}, which can't stand ${place}.`);
}

/** The text of an argument that must be written out, such as an event's name. */
export function textArgument(ast: ExpressionAst, what: string, scope: Scope): string | undefined {
  if (ast.kind === "text") return ast.value;
  return scope.flow.report.add("FLOW130", ast.span, `${what} stands here in quotes.`, inQuotes(ast));
}

/** The fix for a name that was written where a text belongs. */
export function inQuotes(ast: ExpressionAst): Details {
  return ast.kind === "name" ? { fix: [{ span: ast.span, text: JSON.stringify(ast.name.text) }] } : {};
}
