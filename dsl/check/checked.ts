/** What checking an expression comes to, and what its place may ask of it. */
import type { ExpressionAst } from "../ast.ts";
import type { Expression, Type } from "../definition.ts";
import type { Span } from "../diagnostic.ts";
import type { Checked, Scope } from "./scope.ts";
import { assignable, BOOL, DECIMAL, showType } from "./types.ts";

/** Types an expression that must have a value, and one that may be seen. */
export function value(ast: ExpressionAst, scope: Scope, expected?: Type): Expression | undefined {
  const checked = scope.check(ast, scope, expected);
  return checked && present(checked, ast, scope) && open(checked, ast, scope) ? checked.expression : undefined;
}

/** Reports an optional that nobody tested. */
export function present(checked: Checked, ast: ExpressionAst, { flow, draft }: Scope): boolean {
  if (!checked.optional) return true;
  const name = textOf(ast.span, flow.file.text);
  const why =
    draft && checked.expression.kind === "field" && flow.fields.get(checked.expression.name)?.optional === false
      ? `\`${name}\` may still be missing here, before the initial state was left.`
      : `\`${name}\` may be absent.`;
  flow.report.add("FLOW122", ast.span, why, { hint: `Ask first: \`${name} is set and …\`.` });
  return false;
}

/** Reports a secret where others could see it. */
export function open(checked: Checked, ast: ExpressionAst, { flow }: Scope): boolean {
  if (!checked.secret) return true;
  const name = textOf(ast.span, flow.file.text);
  flow.report.add("FLOW123", ast.span, `\`${name}\` is secret.`, {
    hint: "A secret may be asked for with `is set`, passed to functions and to secret fields, and shown as `masked(…)`.",
  });
  return false;
}

/** Types an expression for a place that takes only values of `type`. */
export function typedValue(ast: ExpressionAst, scope: Scope, type: Type): Expression | undefined {
  const expression = value(ast, scope, type);
  return expression && fitted(expression, ast.span, scope, type);
}

/** A condition. */
export function condition(ast: ExpressionAst, scope: Scope): Expression | undefined {
  return typedValue(ast, scope, BOOL);
}

/** The expression as one of `type`, or the report that it isn't. */
export function fitted(expression: Expression, span: Span, { flow }: Scope, type: Type): Expression | undefined {
  if (!assignable(expression.type, type)) {
    return flow.report.add(
      "FLOW120",
      span,
      `\`${textOf(span, flow.file.text)}\` is ${article(expression.type)}, but ${article(type)} is expected here.`,
    );
  }
  return type.kind === "decimal" ? asDecimal(expression) : expression;
}

/** Whole numbers become decimals by a division: decimals are kept in another form. */
export function asDecimal(expression: Expression): Expression {
  if (expression.type.kind !== "int") return expression;
  if (expression.kind === "literal") return { kind: "literal", type: DECIMAL, value: String(expression.value) };
  const one: Expression = { kind: "literal", type: DECIMAL, value: "1" };
  return { kind: "binary", operator: "/", left: expression, right: one, type: DECIMAL };
}

/** A negative number that is written out. */
export function isNegative(expression: Expression): boolean {
  return expression.kind === "literal" && Number(expression.value) < 0;
}

/** `an int`, `a list of text`. */
export function article(type: Type): string {
  const shown = showType(type);
  if (type.kind === "money" || (type.kind === "enum" && type.name === undefined)) return `\`${shown}\``;
  return `${/^(?!user)[aeiou]/i.test(shown) ? "an" : "a"} \`${shown}\``;
}

export function textOf({ start, end }: Span, text: string): string {
  const written = text.slice(start, end).replace(/\s+/g, " ");
  return written.length > 60 ? `${written.slice(0, 59)}…` : written;
}

/** A value that is there and hides nothing. */
export function plain(expression: Expression): Checked {
  return { expression, optional: false, secret: false };
}

export function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
