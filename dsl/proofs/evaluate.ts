/** The value of an expression, exactly as the language says: what a proof claims is tried out here before it is shown. */
import Fraction from "fraction.js";
import type { Data, Expression, Type, Value } from "../definition.ts";
import { storedValue } from "./values.ts";
import { DECIMAL_PLACES } from "./variables.ts";
import type { World } from "./worlds.ts";

/** There is no value: something is absent, is divided by zero, or is too large. */
export class NoValue extends Error {}

type Kind<Name extends Expression["kind"]> = Extract<Expression, { kind: Name }>;
/** Numbers are fractions, all else is a value in stored form; `undefined` is absent. */
type Result = Fraction | Value | undefined;
/** The list items under test, innermost first. */
type Items = readonly Value[];

const DAY_MS = 86_400_000;
const ZONE_MS = 28_800_000;

/** @throws NoValue where it has none. */
export function holdsIn(condition: Expression, world: World): boolean {
  return truthOf(condition, world, []);
}

/**
 * The value as a field of the type would keep it; `undefined` where it is absent.
 * @throws NoValue where it has none.
 */
export function storedIn(expression: Expression, world: World, type: Type): Value | undefined {
  const value = resultOf(expression, world, []);
  if (value === undefined || !isNumber(type)) return value as Value | undefined;
  const exact = numberOf(value, expression.type);
  if (type.kind === "date") return new Date(exact.valueOf()).toISOString().slice(0, 10);
  if (type.kind !== "decimal") return halfUp(exact).valueOf();
  const scale = 10 ** DECIMAL_PLACES;
  return storedValue(type, BigInt(halfUp(exact.mul(scale)).toString()));
}

function truthOf(expression: Expression, world: World, items: Items): boolean {
  return needed(expression, world, items) === true;
}

function needed(expression: Expression, world: World, items: Items): Fraction | Value {
  const value = resultOf(expression, world, items);
  if (value === undefined) throw new NoValue();
  return value;
}

function number(expression: Expression, world: World, items: Items): Fraction {
  return numberOf(needed(expression, world, items), expression.type);
}

function numberOf(value: Fraction | Value, { kind }: Type): Fraction {
  if (value instanceof Fraction) return value;
  if (kind === "date") return new Fraction(Date.parse(`${String(value)}T00:00:00Z`));
  return new Fraction(value as number | string);
}

function resultOf(expression: Expression, world: World, items: Items): Result {
  switch (expression.kind) {
    case "literal":
      return expression.value;
    case "list":
      return expression.items.map((item) => stored(needed(item, world, items)));
    case "field":
      return own(world.data, expression.name);
    case "payload":
      return own(world.payload, expression.name);
    case "builtin":
      return own(world.builtin, expression.name);
    case "branch-state":
      return own(world.branches, expression.branch);
    case "member":
      return member(expression, world, items);
    case "item": {
      const item = items[expression.depth];
      return expression.name === undefined ? item : own(item as Data, expression.name);
    }
    case "not":
      return !truthOf(expression.of, world, items);
    case "negate":
      return number(expression.of, world, items).neg();
    case "binary":
      return binary(expression, world, items);
    case "in-list":
      return inList(expression, world, items);
    case "in-interval":
      return inInterval(expression, world, items);
    case "is-set":
      return resultOf(expression.of, world, items) !== undefined;
    case "if":
      return resultOf(truthOf(expression.condition, world, items) ? expression.then : expression.else, world, items);
    case "quantifier":
      return quantifier(expression, world, items);
    case "pluck":
      return (needed(expression.of, world, items) as readonly Data[]).flatMap(
        (item) => own(item, expression.name) ?? [],
      );
    case "call":
      return call(expression, world, items);
    case "ask":
      return world.answer(expression);
  }
}

function own(record: Data, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** A value as it would be kept; only texts, members and the like are compared in lists of this kind. */
function stored(value: Fraction | Value): Value {
  return value instanceof Fraction ? value.toString() : value;
}

function member({ of, name }: Kind<"member">, world: World, items: Items): Result {
  if (of.kind !== "builtin" || of.name !== "initiator") return own(needed(of, world, items) as Data, name);
  const { tags, org, name: called } = world.initiator;
  return name === "tags" ? tags : name === "org" ? org : called;
}

function binary(expression: Kind<"binary">, world: World, items: Items): Result {
  const { operator, left, right, type } = expression;
  switch (operator) {
    case "and":
      return truthOf(left, world, items) && truthOf(right, world, items);
    case "or":
      return truthOf(left, world, items) || truthOf(right, world, items);
    case "+":
    case "-":
    case "*":
    case "/":
      return rounded(arithmetic(operator, number(left, world, items), number(right, world, items)), type);
    default:
      return compared(operator, left, right, world, items);
  }
}

function arithmetic(operator: "+" | "-" | "*" | "/", left: Fraction, right: Fraction): Fraction {
  if (operator === "+") return left.add(right);
  if (operator === "-") return left.sub(right);
  if (operator === "*") return left.mul(right);
  if (right.n === 0n) throw new NoValue();
  return left.div(right);
}

/** Amounts, durations and whole numbers stay whole (half up), dates fall back to their midnight. */
function rounded(exact: Fraction, { kind }: Type): Fraction {
  if (kind === "decimal") return exact;
  const whole = kind === "date" ? exact.div(DAY_MS).floor().mul(DAY_MS) : halfUp(exact);
  if (whole.abs().compare(Number.MAX_SAFE_INTEGER) > 0) throw new NoValue();
  return whole;
}

/** Halves go away from zero. */
function halfUp(exact: Fraction): Fraction {
  const size = exact.abs().add(new Fraction(1, 2)).floor();
  return exact.s < 0n ? size.neg() : size;
}

function compared(operator: string, left: Expression, right: Expression, world: World, items: Items): boolean {
  if (!isNumber(left.type)) return (needed(left, world, items) === needed(right, world, items)) === (operator === "==");
  const order = number(left, world, items).compare(number(right, world, items));
  return (
    { "==": order === 0, "!=": order !== 0, "<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0 }[
      operator
    ] ?? false
  );
}

function isNumber({ kind }: Type): boolean {
  return ["int", "decimal", "money", "date", "datetime", "duration"].includes(kind);
}

function inList({ of, list }: Kind<"in-list">, world: World, items: Items): boolean {
  if (list.kind === "list") return list.items.some((item) => compared("==", of, item, world, items));
  const values = needed(list, world, items) as readonly Value[];
  if (!isNumber(of.type)) return values.includes(needed(of, world, items) as Value);
  const wanted = number(of, world, items);
  return values.some((value) => numberOf(value, of.type).equals(wanted));
}

function inInterval({ of, interval }: Kind<"in-interval">, world: World, items: Items): boolean {
  const value = number(of, world, items);
  const { low, high } = interval;
  return (
    (low === undefined || value.compare(numberOf(low.value, of.type)) >= (low.included ? 0 : 1)) &&
    (high === undefined || value.compare(numberOf(high.value, of.type)) <= (high.included ? 0 : -1))
  );
}

function quantifier({ quantifier: which, list, where }: Kind<"quantifier">, world: World, items: Items): boolean {
  const values = needed(list, world, items) as readonly Value[];
  const test = (item: Value) => truthOf(where, world, [item, ...items]);
  return which === "any" ? values.some(test) : values.every(test);
}

function call({ name, arguments: parts }: Kind<"call">, world: World, items: Items): Result {
  const [first] = parts;
  if (first === undefined) throw new NoValue();
  switch (name) {
    case "count":
      return (needed(first, world, items) as readonly Value[]).length;
    case "sum": {
      const values = needed(first, world, items) as readonly Value[];
      const of: Type = first.type.kind === "list" ? first.type.of : first.type;
      return values.reduce<Fraction>((sum, value) => sum.add(numberOf(value, of)), new Fraction(0));
    }
    case "dateOf":
      return new Date(Number(needed(first, world, items)) + ZONE_MS).toISOString().slice(0, 10);
    default:
      // Texts that are made for people: a proof never rests on them.
      throw new NoValue();
  }
}
