import type { Expression, Interval, Type, Value } from "../dsl/index.ts";
import { instantText } from "./dates.ts";
import { durationText } from "./durations.ts";
import { unscaled } from "./exact.ts";
import type { Currency } from "./values.ts";

/** From weakest to strongest, as the language binds. */
const STRENGTH = { if: 0, or: 1, and: 2, not: 3, compare: 4, add: 5, multiply: 6, negate: 7, atom: 8 } as const;

/** The expression as an author would write it: `amount >= 50_000 and kind in [travel, other]`. */
export function describeExpression(expression: Expression, currency: Currency): string {
  return written(expression, currency, STRENGTH.if);
}

/** In brackets, if it binds weaker than its place asks. */
function written(expression: Expression, currency: Currency, least: number): string {
  const text = plain(expression, currency);
  return strengthOf(expression) < least ? `(${text})` : text;
}

function plain(expression: Expression, currency: Currency): string {
  const inner = (part: Expression, least: number = STRENGTH.if) => written(part, currency, least);
  const all = (parts: readonly Expression[]) => parts.map((part) => inner(part)).join(", ");
  switch (expression.kind) {
    case "literal":
      return literal(expression.type, expression.value, currency);
    case "list":
      return `[${all(expression.items)}]`;
    case "field":
    case "builtin":
      return expression.name;
    case "payload":
      return `event.${expression.name}`;
    case "item":
      return expression.name ?? "item";
    case "member":
    case "pluck":
      return `${inner(expression.of, STRENGTH.atom)}.${expression.name}`;
    case "not":
      return `not ${inner(expression.of, STRENGTH.not)}`;
    case "negate":
      return `-${inner(expression.of, STRENGTH.negate)}`;
    case "binary": {
      const own = strengthOf(expression);
      const left = inner(expression.left, own === STRENGTH.compare ? own + 1 : own);
      return `${left} ${expression.operator} ${inner(expression.right, own + 1)}`;
    }
    case "in-list":
      return `${inner(expression.of, STRENGTH.add)} in ${inner(expression.list, STRENGTH.add)}`;
    case "in-interval":
      return `${inner(expression.of, STRENGTH.add)} in ${interval(expression.of.type, expression.interval, currency)}`;
    case "is-set":
      return `${inner(expression.of, STRENGTH.add)} is set`;
    case "if":
      return `if ${inner(expression.condition)} then ${inner(expression.then)} else ${inner(expression.else)}`;
    case "quantifier":
      return `${expression.quantifier} ${inner(expression.list, STRENGTH.add)} where ${inner(expression.where)}`;
    case "call":
    case "ask":
      return `${expression.name}(${all(expression.arguments)})`;
  }
}

function strengthOf(expression: Expression): number {
  switch (expression.kind) {
    case "if":
    case "quantifier":
      return STRENGTH.if;
    case "not":
      return STRENGTH.not;
    case "negate":
      return STRENGTH.negate;
    case "in-list":
    case "in-interval":
    case "is-set":
      return STRENGTH.compare;
    case "binary":
      return operatorStrength(expression.operator);
    default:
      return STRENGTH.atom;
  }
}

function operatorStrength(operator: string): number {
  if (operator === "and" || operator === "or") return STRENGTH[operator];
  if (operator === "+" || operator === "-") return STRENGTH.add;
  return operator === "*" || operator === "/" ? STRENGTH.multiply : STRENGTH.compare;
}

function interval(type: Type, { low, high }: Interval, currency: Currency): string {
  const from = low === undefined ? "(.." : `${low.included ? "[" : "("}${literal(type, low.value, currency)}`;
  const to = high === undefined ? "..)" : `${literal(type, high.value, currency)}${high.included ? "]" : ")"}`;
  return `${from}, ${to}`;
}

function literal(type: Type, value: Value, currency: Currency): string {
  switch (type.kind) {
    case "money":
      return grouped(unscaled(value as number, currency.decimals).replace(/\.0+$/, ""));
    case "int":
    case "decimal":
      return grouped(String(value));
    case "datetime":
      return instantText(value as number);
    case "duration":
      return durationText(value as number);
    case "text":
    case "user":
    case "org":
    case "file":
      return JSON.stringify(value);
    case "list":
      return `[${(value as readonly Value[]).map((item) => literal(type.of, item, currency)).join(", ")}]`;
    default:
      return String(value);
  }
}

/** `50000.5` → `50_000.5`. */
function grouped(digits: string): string {
  const [whole = "", ...rest] = digits.split(".");
  return [whole.replace(/\B(?=(\d{3})+$)/g, "_"), ...rest].join(".");
}
