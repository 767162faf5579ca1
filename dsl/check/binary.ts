import type { ExpressionAst } from "../ast.ts";
import type { BinaryOperator, Expression, Type } from "../definition.ts";
import { callIsKnown } from "./calls.ts";
import { article, capital, open, plain, present } from "./checked.ts";
import { isOpen } from "./literal-expressions.ts";
import type { Checked, Scope } from "./scope.ts";
import {
  BOOL,
  common,
  DATE,
  DATETIME,
  DECIMAL,
  DURATION,
  INT,
  isNumber,
  isOrdered,
  sameType,
  showType,
} from "./types.ts";

type BinaryAst = Extract<ExpressionAst, { kind: "binary" }>;
type Arithmetic = "+" | "-" | "*" | "/";
type Comparison = Exclude<BinaryOperator, Arithmetic | "and" | "or">;

/** `+ - * /`. */
export function arithmetic(
  ast: BinaryAst,
  operator: Arithmetic,
  scope: Scope,
  expected: Type | undefined,
): Checked | undefined {
  const additive = operator === "+" || operator === "-";
  const sides = operands(ast, scope, additive, expected);
  if (sides === undefined) return undefined;
  const { left, right } = sides;
  const type = additive ? sumType(operator, left.type, right.type) : productType(operator, left.type, right.type);
  if (type) return plain({ kind: "binary", operator, left, right, type });
  if (mixesDateAndDatetime(left.type, right.type)) return reportDates(ast, timeIn(ast, left), scope);
  const message = `\`${operator}\` does not go with ${article(left.type)} and ${article(right.type)}.`;
  return scope.flow.report.add("FLOW121", ast.span, message);
}

/** `== != < <= > >=`. */
export function comparison(ast: BinaryAst, operator: Comparison, scope: Scope): Checked | undefined {
  const sides = operands(ast, scope, true, undefined);
  if (sides === undefined) return undefined;
  const { left, right } = sides;
  const equality = operator === "==" || operator === "!=";
  if (mixesDateAndDatetime(left.type, right.type)) return reportDates(ast, timeIn(ast, left), scope);
  if (!comparable(left.type, right.type)) {
    const message = `${capital(article(left.type))} can't be compared with ${article(right.type)}.`;
    return scope.flow.report.add("FLOW120", ast.span, message, wordInsteadOfText(ast, left, right));
  }
  if (equality ? isStructured(left.type) : !isOrdered(left.type)) {
    return scope.flow.report.add("FLOW121", ast.span, `\`${operator}\` does not go with ${article(left.type)}.`);
  }
  return plain({ kind: "binary", operator, left, right, type: BOOL });
}

/** Both sides, each with what the other asks for: `amount > 5_000`, `5_000 < amount`. */
function operands(
  ast: BinaryAst,
  scope: Scope,
  alike: boolean,
  expected: Type | undefined,
): { readonly left: Expression; readonly right: Expression } | undefined {
  const bothOpen = isOpen(ast.left, scope) && isOpen(ast.right, scope);
  const rightFirst = bothOpen ? isUnknownCall(ast.left, scope) : alike && isOpen(ast.left, scope);
  const [firstAst, secondAst] = rightFirst ? [ast.right, ast.left] : [ast.left, ast.right];
  const first = scope.check(firstAst, scope, alike && bothOpen ? expected : factor(firstAst, alike, scope));
  const wanted = alike ? asked(first?.expression.type) : factor(secondAst, alike, scope);
  // Beside something wrong, a name that takes its meaning from it means nothing.
  if (first === undefined && isOpen(secondAst, scope)) return undefined;
  // A function that nobody declares may give more than whole numbers.
  const second = scope.check(
    secondAst,
    scope,
    wanted?.kind === "int" && isUnknownCall(secondAst, scope) ? DECIMAL : wanted,
  );
  const usable = [first, second].map((side, index) => {
    const at = index === 0 ? firstAst : secondAst;
    return side && present(side, at, scope) && open(side, at, scope) ? side.expression : undefined;
  });
  const [left, right] = rightFirst ? [usable[1], usable[0]] : usable;
  return left && right && { left, right };
}

function isUnknownCall(ast: ExpressionAst, scope: Scope): boolean {
  return ast.kind === "call" && !callIsKnown(ast.name.text, scope);
}

/** What one multiplies by is a number, unless it says otherwise. */
function factor(ast: ExpressionAst, alike: boolean, scope: Scope): Type | undefined {
  return !alike && isUnknownCall(ast, scope) ? DECIMAL : undefined;
}

/** A date or a duration beside another literal asks for nothing. */
function asked(type: Type | undefined): Type | undefined {
  return type?.kind === "date" || type?.kind === "datetime" || type?.kind === "duration" ? undefined : type;
}

export function comparable(one: Type, other: Type): boolean {
  if (isNumber(one) || one.kind === "money") return common(one, other) !== undefined;
  return sameType(one, other);
}

export function mixesDateAndDatetime(one: Type, other: Type): boolean {
  return (one.kind === "date" && other.kind === "datetime") || (one.kind === "datetime" && other.kind === "date");
}

/** @param time the operand that is a datetime; its day is what can be compared. */
export function reportDates(ast: ExpressionAst, time: ExpressionAst | undefined, { flow }: Scope): undefined {
  const around = time && [
    { span: { start: time.span.start, end: time.span.start }, text: "dateOf(" },
    { span: { start: time.span.end, end: time.span.end }, text: ")" },
  ];
  return flow.report.add("FLOW127", ast.span, "A `date` and a `datetime` can't be compared: a day has no time.", {
    hint: "Take the day of the time first, such as `dateOf(now)`.",
    ...(around ? { fix: around } : {}),
  });
}

function timeIn(ast: BinaryAst, left: Expression): ExpressionAst {
  return left.type.kind === "datetime" ? ast.left : ast.right;
}

function isStructured({ kind }: Type): boolean {
  return kind === "list" || kind === "record";
}

/** `kind == "travel"` was meant as `kind == travel`. */
function wordInsteadOfText(ast: BinaryAst, left: Expression, right: Expression) {
  const [known, text, at] = left.type.kind === "enum" ? [left.type, right, ast.right] : [right.type, left, ast.left];
  if (known.kind !== "enum" || text.kind !== "literal" || !known.members.includes(String(text.value))) return {};
  const member = String(text.value);
  return { hint: `Members of \`${showType(known)}\` stand without quotes.`, fix: [{ span: at.span, text: member }] };
}

function sumType(operator: "+" | "-", left: Type, right: Type): Type | undefined {
  if (isNumber(left) && isNumber(right)) return common(left, right);
  if (left.kind === "money" && right.kind === "money") {
    return { kind: "money", signed: operator === "-" || left.signed || right.signed };
  }
  if (left.kind === "duration") {
    if (right.kind === "duration") return DURATION;
    return operator === "+" && (right.kind === "date" || right.kind === "datetime") ? plainType(right) : undefined;
  }
  if (left.kind !== "date" && left.kind !== "datetime") return undefined;
  if (right.kind === "duration") return plainType(left);
  return operator === "-" && right.kind === left.kind ? DURATION : undefined;
}

function plainType({ kind }: Type): Type {
  return kind === "date" ? DATE : DATETIME;
}

function productType(operator: "*" | "/", left: Type, right: Type): Type | undefined {
  const amount = (type: Type) => type.kind === "money" || type.kind === "duration";
  if (isNumber(left) && isNumber(right)) {
    return operator === "*" && left.kind === "int" && right.kind === "int" ? INT : DECIMAL;
  }
  if (amount(left) && isNumber(right)) return left;
  if (operator === "*") return isNumber(left) && amount(right) ? right : undefined;
  return amount(left) && left.kind === right.kind ? DECIMAL : undefined;
}
