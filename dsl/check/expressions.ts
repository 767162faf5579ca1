/** Types and resolves expressions. `undefined` always means: wrong, and reported; nothing further is said about it. */
import type { ExpressionAst } from "../ast.ts";
import type { Expression, Type } from "../definition.ts";
import { arithmetic, comparison } from "./binary.ts";
import { checkCall } from "./calls.ts";
import { article, asDecimal, capital, condition, fitted, plain, value } from "./checked.ts";
import { isOpen, literal, numberLiteral } from "./literal-expressions.ts";
import { checkIn } from "./membership.ts";
import { checkMember, checkName } from "./names.ts";
import { facts } from "./narrowing.ts";
import type { Checked, FlowScope, Scope } from "./scope.ts";
import { assignable, BOOL, common, TEXT } from "./types.ts";

type Kind<Name extends ExpressionAst["kind"]> = Extract<ExpressionAst, { kind: Name }>;

/**
 * Types the expression. Number literals, enum members and ids take the `expected` type; whether the result fits is for
 * the caller to see, as is what to do with an optional or a secret.
 */
export function check(ast: ExpressionAst, scope: Scope, expected?: Type): Checked | undefined {
  switch (ast.kind) {
    case "name":
      return checkName(ast.name, scope, expected);
    case "member":
      return checkMember(ast, scope);
    case "call":
      return checkCall(ast, scope, expected);
    case "list":
      return checkList(ast, scope, expected);
    case "not":
      return checkNot(ast, scope);
    case "negate":
      return checkNegate(ast, scope, expected);
    case "binary":
      return checkBinary(ast, scope, expected);
    case "is-set":
      return checkIsSet(ast, scope);
    case "if":
      return checkIf(ast, scope, expected);
    case "quantifier":
      return checkQuantifier(ast, scope);
    case "interval":
      return scope.flow.report.add("FLOW121", ast.span, "An interval stands only after `in`.");
    case "people":
      return scope.flow.report.add("FLOW121", ast.span, "People can't stand in an expression.");
    case "record":
      return scope.flow.report.add("FLOW121", ast.span, "A record can't be written here.");
    default:
      return literal(ast, scope, expected);
  }
}

/** A scope in which nothing but the flow's names is known. */
export function plainScope(flow: FlowScope): Scope {
  return { flow, hasActor: true, draft: false, narrowed: new Set(), items: [], check };
}

function checkList(ast: Kind<"list">, scope: Scope, expected: Type | undefined): Checked | undefined {
  const wanted = expected?.kind === "list" ? expected.of : undefined;
  const items = ast.items.map((item) => value(item, scope, wanted));
  if (items.some((item) => item === undefined)) return undefined;
  const known = items as Expression[];
  let of = wanted;
  for (const [index, item] of known.entries()) {
    const both = of === undefined ? item.type : common(of, item.type);
    if (both === undefined || (wanted && !assignable(item.type, wanted))) {
      fitted(item, ast.items[index]!.span, scope, of!);
      return undefined;
    }
    of = wanted ?? both;
  }
  const type: Type = { kind: "list", of: of ?? TEXT };
  return plain({ kind: "list", type, items: type.of.kind === "decimal" ? known.map(asDecimal) : known });
}

function checkNot(ast: Kind<"not" | "negate">, scope: Scope): Checked | undefined {
  const of = condition(ast.of, scope);
  return of && plain({ kind: "not", of, type: BOOL });
}

function checkNegate(ast: Kind<"not" | "negate">, scope: Scope, expected: Type | undefined): Checked | undefined {
  if (ast.of.kind === "number") return numberLiteral(`-${ast.of.text}`, ast.span, scope, expected);
  const of = value(ast.of, scope, expected);
  if (of === undefined) return undefined;
  if (["int", "decimal", "duration"].includes(of.type.kind)) return plain({ kind: "negate", of, type: of.type });
  if (of.type.kind === "money") return plain({ kind: "negate", of, type: { kind: "money", signed: true } });
  return scope.flow.report.add("FLOW121", ast.span, `${capital(article(of.type))} has no negative.`);
}

function checkBinary(ast: Kind<"binary">, scope: Scope, expected: Type | undefined): Checked | undefined {
  switch (ast.operator) {
    case "and":
    case "or":
      return logical(ast, ast.operator, scope);
    case "in":
      return checkIn(ast, scope);
    case "+":
    case "-":
    case "*":
    case "/":
      return arithmetic(ast, ast.operator, scope, expected);
    default:
      return comparison(ast, ast.operator, scope);
  }
}

/** The right side of `and` knows that the left holds, that of `or` that it doesn't. */
function logical(ast: Kind<"binary">, operator: "and" | "or", scope: Scope): Checked | undefined {
  const left = condition(ast.left, scope);
  const right = condition(ast.right, left ? narrowed(scope, left, operator === "and") : anything(scope, ast.left));
  return left && right && plain({ kind: "binary", operator, left, right, type: BOOL });
}

/** After something wrong, all that it might have tested counts as tested. */
function anything(scope: Scope, wrong: ExpressionAst): Scope {
  const words = scope.flow.file.text.slice(wrong.span.start, wrong.span.end).match(/[\p{L}_][\p{L}\p{N}_-]*/gu) ?? [];
  return { ...scope, narrowed: new Set([...scope.narrowed, ...words, ...words.map((word) => `event.${word}`)]) };
}

/** The scope of what is looked at only when `tested` came out as `outcome`. */
export function narrowed(scope: Scope, tested: Expression, outcome: boolean): Scope {
  const known = facts(tested, outcome, scope.items.length);
  return known.size === 0 ? scope : { ...scope, narrowed: new Set([...scope.narrowed, ...known]) };
}

function checkIsSet(ast: Kind<"is-set">, scope: Scope): Checked | undefined {
  const of = check(ast.of, scope);
  return of && plain({ kind: "is-set", of: of.expression, type: BOOL });
}

function checkIf(ast: Kind<"if">, scope: Scope, expected: Type | undefined): Checked | undefined {
  const test = condition(ast.condition, scope);
  const yes = test ? narrowed(scope, test, true) : anything(scope, ast.condition);
  const no = test ? narrowed(scope, test, false) : anything(scope, ast.condition);
  // Literals take the type of the other branch where nothing else asks for one.
  const first = isOpen(ast.then, scope) ? undefined : check(ast.then, yes, expected);
  const otherwise = check(ast.else, no, expected ?? first?.expression.type);
  const then =
    first ?? (isOpen(ast.then, scope) ? check(ast.then, yes, expected ?? otherwise?.expression.type) : undefined);
  if (!test || !then || !otherwise) return undefined;
  const type = common(then.expression.type, otherwise.expression.type);
  if (type === undefined) {
    fitted(otherwise.expression, ast.else.span, scope, then.expression.type);
    return undefined;
  }
  const part = (of: Expression) => (type.kind === "decimal" ? asDecimal(of) : of);
  return {
    // biome-ignore lint/suspicious/noThenProperty: the language's word; nobody awaits an expression.
    expression: { kind: "if", condition: test, then: part(then.expression), else: part(otherwise.expression), type },
    optional: then.optional || otherwise.optional,
    secret: then.secret || otherwise.secret,
  };
}

function checkQuantifier(ast: Kind<"quantifier">, scope: Scope): Checked | undefined {
  const list = value(ast.list, scope);
  if (list === undefined) return undefined;
  if (list.type.kind !== "list") {
    return scope.flow.report.add(
      "FLOW121",
      ast.list.span,
      `\`${ast.quantifier}\` asks a list, not ${article(list.type)}.`,
    );
  }
  const where = condition(ast.where, { ...scope, items: [list.type.of, ...scope.items] });
  return where && plain({ kind: "quantifier", quantifier: ast.quantifier, list, where, type: BOOL });
}
