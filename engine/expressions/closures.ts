/**
 * Expressions as trees of functions. Arithmetic is exact: whole numbers stay in the safe range or fail, decimals are
 * fractions until they are stored. The functions throw EvaluationError where there is no value, and what `ask` throws.
 */
import Fraction from "fraction.js";
import type { Data, Expression, Value } from "../../dsl/index.ts";
import { builtinFunctions } from "../builtin-functions.ts";
import { dateMs, dateText } from "../dates.ts";
import { describeExpression } from "../describe-expression.ts";
import { EvaluationError } from "../evaluation-error.ts";
import { decimalText, fractionOf, roundFraction, safe, safeNumber } from "../exact.ts";
import type { Json } from "../types.ts";
import { type Currency, readValue, showValue } from "../values.ts";
import { builtin, compared, item, type Kind, operation, type Run, reader } from "./parts.ts";

// ---------------------------------------------------------------------------------------------------------------- //
// Values in stored form
// ---------------------------------------------------------------------------------------------------------------- //

/** The value in stored form; `undefined` is an absent optional. */
export function optional(expression: Expression, currency: Currency): Run<Value | undefined> {
  switch (expression.kind) {
    case "literal": {
      const { value } = expression;
      return () => value;
    }
    case "list": {
      const items = expression.items.map((item) => required(item, currency));
      return (context, outer) => items.map((item) => item(context, outer));
    }
    case "field": {
      const read = reader(expression.name);
      return (context) => read(context.data);
    }
    case "payload": {
      const read = reader(expression.name);
      return (context) => read(context.payload);
    }
    case "builtin":
      return builtin(expression.name);
    case "branch-state":
      return (context) => context.branchState(expression.branch);
    case "member":
      return member(expression, currency);
    case "item":
      return item(expression);
    case "if": {
      const condition = truth(expression.condition, currency);
      const [yes, no] = [optional(expression.then, currency), optional(expression.else, currency)];
      return (context, items) => (condition(context, items) ? yes : no)(context, items);
    }
    case "pluck": {
      const [list, read] = [required(expression.of, currency), reader(expression.name)];
      // An item that leaves the field out has nothing to add to the list.
      return (context, items) =>
        (list(context, items) as readonly Data[]).map(read).filter((value) => value !== undefined);
    }
    case "call":
      return call(expression, currency);
    case "ask":
      return ask(expression, currency);
    case "negate":
      return arithmetic(expression, currency);
    case "binary":
      return isArithmetic(expression) ? arithmetic(expression, currency) : truth(expression, currency);
    default:
      return truth(expression, currency);
  }
}

/** Like {@link optional}, but an absent value fails. */
function required(expression: Expression, currency: Currency): Run<Value> {
  const run = optional(expression, currency);
  if (!mayBeAbsent(expression)) return run as Run<Value>;
  return (context, items) => run(context, items) ?? absent(expression, currency);
}

export function mayBeAbsent({ kind }: Expression): boolean {
  return OPTIONAL_KINDS.has(kind);
}

const OPTIONAL_KINDS: ReadonlySet<Expression["kind"]> = new Set([
  "field",
  "payload",
  "builtin",
  "branch-state",
  "member",
  "item",
  "if",
]);

/** What is said where a value is needed and there is none. */
export function absent(expression: Expression, currency: Currency): never {
  throw new EvaluationError("condition-failed", `\`${describeExpression(expression, currency)}\` has no value.`);
}

function member({ of, name }: Kind<"member">, currency: Currency): Run<Value | undefined> {
  if (of.kind === "builtin" && of.name === "initiator") {
    if (name === "tags") return (context) => context.initiator.tags ?? [];
    if (name === "org") return (context) => context.initiator.org;
    return (context) => context.initiator.name;
  }
  const [record, read] = [required(of, currency), reader(name)];
  return (context, items) => read(record(context, items) as Data);
}

function call({ name, arguments: parts }: Kind<"call">, currency: Currency): Run<Value> {
  const apply = builtinFunctions.get(name);
  if (apply === undefined) throw new Error(`no built-in function ${name}`);
  const types = parts.map(({ type }) => type);
  const values = parts.map((part) => required(part, currency));
  return (context, items) =>
    apply(
      values.map((value) => value(context, items)),
      types,
      currency,
    );
}

function ask({ function: kind, name, arguments: parts, type }: Kind<"ask">, currency: Currency): Run<Value> {
  const values = parts.map((part) => optional(part, currency));
  return (context, items) => {
    const args = parts.map((part, index): Json => {
      const value = values[index]?.(context, items);
      return value === undefined ? null : showValue(part.type, value, currency);
    });
    const reading = readValue(kind === "guard" ? { kind: "bool" } : type, context.ask(kind, name, args), currency);
    if ("value" in reading) return reading.value;
    throw new EvaluationError("function-failed", `The answer of \`${name}\` ${reading.fault}.`);
  };
}

// ---------------------------------------------------------------------------------------------------------------- //
// Conditions
// ---------------------------------------------------------------------------------------------------------------- //

/** The expression is of type bool. */
export function truth(expression: Expression, currency: Currency): Run<boolean> {
  switch (expression.kind) {
    case "not": {
      const of = truth(expression.of, currency);
      return (context, items) => !of(context, items);
    }
    case "is-set": {
      const of = optional(expression.of, currency);
      return (context, items) => of(context, items) !== undefined;
    }
    case "in-list":
      return inList(expression, currency);
    case "in-interval":
      return inInterval(expression, currency);
    case "quantifier":
      return quantifier(expression, currency);
    case "binary":
      return binaryTruth(expression, currency);
    default:
      return required(expression, currency) as Run<boolean>;
  }
}

function binaryTruth(expression: Kind<"binary">, currency: Currency): Run<boolean> {
  const { operator, left, right } = expression;
  if (operator !== "and" && operator !== "or") return comparison(expression, currency);
  const [first, second] = [truth(left, currency), truth(right, currency)];
  if (operator === "and") return (context, items) => first(context, items) && second(context, items);
  return (context, items) => first(context, items) || second(context, items);
}

function comparison(expression: Kind<"binary">, currency: Currency): Run<boolean> {
  const { operator, left, right } = expression;
  if (isDecimal(left) || isDecimal(right)) {
    const [first, second] = [fraction(left, currency), fraction(right, currency)];
    return compared(
      operator,
      (context, items) => first(context, items).compare(second(context, items)),
      () => 0,
    );
  }
  return compared(operator, operand(left, currency), operand(right, currency));
}

/** Numbers, and texts that order like what they stand for (dates): JavaScript compares both, so both pass as numbers here. */
function operand(expression: Expression, currency: Currency): Run<number> {
  return required(expression, currency) as Run<number>;
}

function inList({ of, list }: Kind<"in-list">, currency: Currency): Run<boolean> {
  if (isDecimal(of)) {
    const [value, values] = [fraction(of, currency), fractions(list, currency)];
    return (context, items) => {
      const wanted = value(context, items);
      return values(context, items).some((other) => other.equals(wanted));
    };
  }
  const [value, values] = [required(of, currency), required(list, currency)];
  if (list.kind === "list" && list.items.every((part) => part.kind === "literal")) {
    const known = new Set(list.items.map((part) => part.value));
    return (context, items) => known.has(value(context, items));
  }
  if (of.kind === "literal") {
    const wanted = of.value;
    return (context, items) => (values(context, items) as readonly Value[]).includes(wanted);
  }
  return (context, items) => (values(context, items) as readonly Value[]).includes(value(context, items));
}

function fractions(list: Expression, currency: Currency): Run<readonly Fraction[]> {
  if (list.kind === "list") {
    const parts = list.items.map((part) => fraction(part, currency));
    return (context, items) => parts.map((part) => part(context, items));
  }
  const values = required(list, currency);
  return (context, items) => (values(context, items) as readonly string[]).map(fractionOf);
}

function inInterval({ of, interval }: Kind<"in-interval">, currency: Currency): Run<boolean> {
  const { low, high } = interval;
  if (isDecimal(of)) {
    const value = fraction(of, currency);
    const [from, to] = [low && fractionOf(low.value as string), high && fractionOf(high.value as string)];
    return (context, items) => {
      const tested = value(context, items);
      return (
        (from === undefined || tested.compare(from) >= (low?.included ? 0 : 1)) &&
        (to === undefined || tested.compare(to) <= (high?.included ? 0 : -1))
      );
    };
  }
  const value = operand(of, currency);
  const [from, to] = [low?.value as number | undefined, high?.value as number | undefined];
  const [fromIncluded, toIncluded] = [low?.included, high?.included];
  return (context, items) => {
    const tested = value(context, items);
    return (
      (from === undefined || (fromIncluded ? tested >= from : tested > from)) &&
      (to === undefined || (toIncluded ? tested <= to : tested < to))
    );
  };
}

function quantifier({ quantifier: which, list, where }: Kind<"quantifier">, currency: Currency): Run<boolean> {
  const [values, test] = [required(list, currency), truth(where, currency)];
  const wanted = which === "any";
  return (context, outer) => {
    for (const value of values(context, outer) as readonly Value[]) {
      if (test(context, { item: value, outer }) === wanted) return wanted;
    }
    return !wanted;
  };
}

// ---------------------------------------------------------------------------------------------------------------- //
// Arithmetic
// ---------------------------------------------------------------------------------------------------------------- //

/** It has a value that is no bool. */
export function isArithmetic(expression: Kind<"binary">): boolean {
  return "+-*/".includes(expression.operator);
}

/** Decimals are kept as texts, which must not be compared as they are. */
export function isDecimal(expression: Expression): boolean {
  return expression.type.kind === "decimal";
}

function arithmetic(expression: Kind<"binary"> | Kind<"negate">, currency: Currency): Run<Value> {
  if (isDecimal(expression)) {
    const exact = fraction(expression, currency);
    return (context, items) => decimalText(exact(context, items));
  }
  if (expression.kind === "negate") {
    const of = operand(expression.of, currency);
    return (context, items) => 0 - of(context, items);
  }
  if (expression.operator === "*" || expression.operator === "/") return scaledNumber(expression, currency);
  const [left, right] = [milliseconds(expression.left, currency), milliseconds(expression.right, currency)];
  const result: Run<number> =
    expression.operator === "+"
      ? (context, items) => safe(left(context, items) + right(context, items))
      : (context, items) => safe(left(context, items) - right(context, items));
  return expression.type.kind === "date" ? (context, items) => dateText(result(context, items)) : result;
}

/** Dates count as their midnight in sums and differences; everything else is a number already. */
function milliseconds(expression: Expression, currency: Currency): Run<number> {
  if (expression.type.kind !== "date") return operand(expression, currency);
  const date = required(expression, currency);
  return (context, items) => dateMs(date(context, items) as string) ?? absent(expression, currency);
}

/** `int * int`, and money or a duration times or divided by a number: whole again, rounded half up. */
function scaledNumber({ operator, left, right }: Kind<"binary">, currency: Currency): Run<number> {
  if (operator === "*" && !isDecimal(left) && !isDecimal(right)) {
    const [first, second] = [operand(left, currency), operand(right, currency)];
    return (context, items) => safe(first(context, items) * second(context, items) + 0);
  }
  const exact = operation(operator, fraction(left, currency), fraction(right, currency));
  return (context, items) => safeNumber(roundFraction(exact(context, items)));
}

/** The exact value of a number, an amount in minor units or a duration in ms. */
function fraction(expression: Expression, currency: Currency): Run<Fraction> {
  if (!isDecimal(expression)) {
    const whole = operand(expression, currency);
    return (context, items) => new Fraction(BigInt(whole(context, items)));
  }
  switch (expression.kind) {
    case "literal": {
      const value = fractionOf(expression.value as string);
      return () => value;
    }
    case "negate": {
      const of = fraction(expression.of, currency);
      return (context, items) => of(context, items).neg();
    }
    case "if": {
      const condition = truth(expression.condition, currency);
      const [yes, no] = [fraction(expression.then, currency), fraction(expression.else, currency)];
      return (context, items) => (condition(context, items) ? yes : no)(context, items);
    }
    case "binary":
      return operation(expression.operator, fraction(expression.left, currency), fraction(expression.right, currency));
    default: {
      const stored = required(expression, currency);
      return (context, items) => fractionOf(stored(context, items) as string);
    }
  }
}
