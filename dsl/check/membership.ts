import type { ExpressionAst } from "../ast.ts";
import type { Expression, Interval, Type, Value } from "../definition.ts";
import { comparable, mixesDateAndDatetime, reportDates } from "./binary.ts";
import { article, asDecimal, capital, plain, value } from "./checked.ts";
import { isOpen } from "./literal-expressions.ts";
import type { Checked, Scope } from "./scope.ts";
import { BOOL, isOrdered } from "./types.ts";

type BinaryAst = Extract<ExpressionAst, { kind: "binary" }>;

interface Bound {
  readonly ast: ExpressionAst;
  readonly included: boolean;
}

/** `x in [a, b, c]`, `x in [low, high)`, `"x" in initiator.tags`. */
export function checkIn(ast: BinaryAst, scope: Scope): Checked | undefined {
  const { right } = ast;
  if (right.kind === "interval") {
    const { low, high, lowIncluded, highIncluded } = right;
    return inInterval(ast, bound(low, lowIncluded), bound(high, highIncluded), scope);
  }
  if (right.kind !== "list") return inListValue(ast, scope);
  const of = value(ast.left, scope);
  if (of === undefined) {
    for (const item of right.items) if (!isOpen(item, scope)) value(item, scope);
    return undefined;
  }
  const [first, second] = right.items;
  if (first && second && right.items.length === 2 && isOrdered(of.type)) {
    return inInterval(ast, bound(first, true), bound(second, true), scope);
  }
  return inList(ast, of, right.items, scope);
}

function bound(ast: ExpressionAst | undefined, included: boolean): Bound | undefined {
  return ast && { ast, included };
}

function inList(ast: BinaryAst, of: Expression, asts: readonly ExpressionAst[], scope: Scope): Checked | undefined {
  const items = asts.map((item) => comparableValue(item, of, scope));
  if (items.some((item) => item === undefined)) return undefined;
  const known = items as Expression[];
  const decimal = [of, ...known].some(({ type }) => type.kind === "decimal");
  const tested = decimal ? asDecimal(of) : of;
  const list: Expression = {
    kind: "list",
    type: { kind: "list", of: tested.type },
    items: decimal ? known.map(asDecimal) : known,
  };
  if (tested.type.kind === "list" || tested.type.kind === "record") {
    return scope.flow.report.add("FLOW121", ast.left.span, `\`in\` does not go with ${article(of.type)}.`);
  }
  return plain({ kind: "in-list", of: tested, list, type: BOOL });
}

function comparableValue(ast: ExpressionAst, of: Expression, scope: Scope): Expression | undefined {
  const item = value(ast, scope, of.type);
  if (item === undefined) return undefined;
  if (comparable(of.type, item.type)) return item;
  if (mixesDateAndDatetime(of.type, item.type))
    return reportDates(ast, item.type.kind === "datetime" ? ast : undefined, scope);
  const message = `${capital(article(of.type))} can't be compared with ${article(item.type)}.`;
  return scope.flow.report.add("FLOW120", ast.span, message);
}

function inListValue(ast: BinaryAst, scope: Scope): Checked | undefined {
  const list = value(ast.right, scope);
  if (list === undefined) return undefined;
  if (list.type.kind !== "list") {
    const message = `After \`in\` stands a list or an interval, not ${article(list.type)}.`;
    return scope.flow.report.add("FLOW121", ast.right.span, message);
  }
  const of = comparableValue(ast.left, { ...list, type: list.type.of }, scope);
  if (of === undefined) return undefined;
  return plain({ kind: "in-list", of: list.type.of.kind === "decimal" ? asDecimal(of) : of, list, type: BOOL });
}

// ------------------------------------------------------------------------------------------------------------------ //
// Intervals
// ------------------------------------------------------------------------------------------------------------------ //

function inInterval(
  ast: BinaryAst,
  low: Bound | undefined,
  high: Bound | undefined,
  scope: Scope,
): Checked | undefined {
  const tested = value(ast.left, scope);
  if (tested === undefined) return undefined;
  if (!isOrdered(tested.type)) {
    return scope.flow.report.add(
      "FLOW121",
      ast.span,
      `${capital(article(tested.type))} has no order, so it can't be in an interval.`,
    );
  }
  const from = low && comparableValue(low.ast, tested, scope);
  const to = high && comparableValue(high.ast, tested, scope);
  if ((low && !from) || (high && !to)) return undefined;
  const decimal = [tested, from, to].some((part) => part?.type.kind === "decimal");
  const [of, lower, upper] = [tested, from, to].map((part) => (part && decimal ? asDecimal(part) : part));
  if (of === undefined) return undefined;
  const limits = [limit(lower, low), limit(upper, high)];
  if (isEmpty(limits[0], limits[1], of.type)) {
    scope.flow.report.add("FLOW141", ast.right.span, "Nothing is in this interval.");
  }
  if ((lower && !limits[0]) || (upper && !limits[1])) return plain(compared(of, { lower, low, upper, high }));
  const interval: Interval = { ...(limits[0] ? { low: limits[0] } : {}), ...(limits[1] ? { high: limits[1] } : {}) };
  return plain({ kind: "in-interval", of, interval, type: BOOL });
}

function limit(expression: Expression | undefined, bound: Bound | undefined): Interval["low"] | undefined {
  if (expression?.kind !== "literal" || bound === undefined) return undefined;
  return { value: expression.value, included: bound.included };
}

/** Is nothing between the bounds? */
export function isEmpty(low: Interval["low"], high: Interval["high"], type: Type): boolean {
  if (low === undefined || high === undefined) return false;
  const [from, to] = [low.value, high.value].map((value: Value) => (type.kind === "date" ? value : Number(value)));
  return from! > to! || (from === to && !(low.included && high.included));
}

interface Bounds {
  readonly lower: Expression | undefined;
  readonly low: Bound | undefined;
  readonly upper: Expression | undefined;
  readonly high: Bound | undefined;
}

/** Bounds that are no literals: `x in [a, b)` is `x >= a and x < b`. */
function compared(of: Expression, { lower, low, upper, high }: Bounds): Expression {
  const above: Expression | undefined = lower && {
    kind: "binary",
    operator: low?.included ? ">=" : ">",
    left: of,
    right: lower,
    type: BOOL,
  };
  const below: Expression | undefined = upper && {
    kind: "binary",
    operator: high?.included ? "<=" : "<",
    left: of,
    right: upper,
    type: BOOL,
  };
  if (above && below) return { kind: "binary", operator: "and", left: above, right: below, type: BOOL };
  return above ?? below ?? { kind: "literal", type: BOOL, value: true };
}
