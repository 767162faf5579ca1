/** Cells of a matrix, and the lists and intervals of a rollout. */
import type { ExpressionAst } from "../ast.ts";
import type { Interval, MatrixCell, Type, Value } from "../definition.ts";
import { article, capital, typedValue } from "./checked.ts";
import { isEmpty } from "./membership.ts";
import type { Scope } from "./scope.ts";
import { isOrdered } from "./types.ts";

/** Values and intervals of a type; `undefined` if one of them is wrong. */
export function checkCell(asts: readonly ExpressionAst[], type: Type, scope: Scope): MatrixCell | undefined {
  if (!isOrdered(type)) return checkValues(asts, type, scope);
  const intervals = asts.flatMap((ast) => intervalsOf(ast, type, scope));
  return intervals.every((interval) => interval !== undefined) ? { kind: "intervals", intervals } : undefined;
}

function checkValues(asts: readonly ExpressionAst[], type: Type, scope: Scope): MatrixCell | undefined {
  const values = asts
    .flatMap((ast) => (ast.kind === "list" ? ast.items : [ast]))
    .map((ast): Value | undefined => {
      if (ast.kind !== "interval") return constant(ast, type, scope);
      const message = `${capital(article(type))} has no order, so it can't be in an interval.`;
      return scope.flow.report.add("FLOW121", ast.span, message);
    });
  return values.every((value) => value !== undefined) ? { kind: "values", values } : undefined;
}

/** `[a, b]` of exactly two is the closed interval; more of them are values. */
function intervalsOf(ast: ExpressionAst, type: Type, scope: Scope): readonly (Interval | undefined)[] {
  if (ast.kind === "interval") return [intervalOf(ast, ast, type, scope)];
  if (ast.kind !== "list") return [single(ast, type, scope)];
  const [low, high] = ast.items;
  if (low && high && ast.items.length === 2) {
    return [intervalOf({ low, high, lowIncluded: true, highIncluded: true }, ast, type, scope)];
  }
  return ast.items.map((item) => single(item, type, scope));
}

function single(ast: ExpressionAst, type: Type, scope: Scope): Interval | undefined {
  const value = constant(ast, type, scope);
  return value === undefined ? undefined : { low: { value, included: true }, high: { value, included: true } };
}

type Bounds = Omit<Extract<ExpressionAst, { kind: "interval" }>, "kind" | "span">;

function intervalOf(bounds: Bounds, ast: ExpressionAst, type: Type, scope: Scope): Interval | undefined {
  const low = bounds.low && constant(bounds.low, type, scope);
  const high = bounds.high && constant(bounds.high, type, scope);
  if ((bounds.low && low === undefined) || (bounds.high && high === undefined)) return undefined;
  const interval: Interval = {
    ...(low === undefined ? {} : { low: { value: low, included: bounds.lowIncluded } }),
    ...(high === undefined ? {} : { high: { value: high, included: bounds.highIncluded } }),
  };
  if (isEmpty(interval.low, interval.high, type)) {
    scope.flow.report.add("FLOW141", ast.span, "Nothing is in this interval.");
  }
  return interval;
}

/** A value that is written out. */
function constant(ast: ExpressionAst, type: Type, scope: Scope): Value | undefined {
  const expression = typedValue(ast, scope, type);
  if (expression === undefined) return undefined;
  const { report } = scope.flow;
  if (expression.kind !== "literal") return report.add("FLOW130", ast.span, "Only a constant can stand here.");
  if (type.kind === "money" && !type.signed && Number(expression.value) < 0) {
    return report.add("FLOW125", ast.span, "Money is never negative unless its type is `money signed`.");
  }
  return expression.value;
}
