/** Values on both sides of a bound: where a condition that is wrong by one would show. */
import {
  type Expression,
  type Interval,
  storedValue,
  type Type,
  type Value,
  wholeOf,
  wholeRangeOf,
} from "../../dsl/index.ts";
import type { Kind } from "../expressions/parts.ts";

/** A value, or all values on one side of it, that a test may come by. */
export interface Point {
  readonly is: "at" | "below" | "above";
  readonly value: Value;
}

/** Types whose values lie so close that nobody tests with the very next one: any value on the other side will do. */
const DENSE: ReadonlySet<string> = new Set(["decimal", "datetime", "duration"]);
const STEPPED: ReadonlySet<string> = new Set(["int", "money", "date"]);

/** Can values of the type be more and less? */
export function isOrdered({ kind }: Type): boolean {
  return DENSE.has(kind) || STEPPED.has(kind);
}

/** The points at both ends of an interval, each once. */
export function intervalPoints(type: Type, { low, high }: Interval): readonly Point[] {
  return distinct([
    ...(low ? boundPoints(type, low.value, low.included ? "before" : "behind") : []),
    ...(high ? boundPoints(type, high.value, high.included ? "behind" : "before") : []),
  ]);
}

/**
 * What a comparison of something with a constant turns on: the compared part, and the points at its bound; `undefined` for
 * every other expression.
 */
export function comparedPoints(
  atom: Expression,
): { readonly of: Expression; readonly points: readonly Point[] } | undefined {
  if (atom.kind === "in-interval") return found(atom.of, intervalPoints(atom.of.type, atom.interval));
  if (atom.kind !== "binary") return undefined;
  const { operator, left, right } = atom;
  // A whole number beside a decimal has no bound of its own type.
  if (left.type.kind !== right.type.kind) return undefined;
  if (right.kind === "literal") return found(left, operatorPoints(left.type, operator, right.value));
  if (left.kind === "literal")
    return found(right, operatorPoints(right.type, MIRRORED[operator] ?? operator, left.value));
  return undefined;
}

/** Only what data decides can be tested at a bound. */
function found(of: Expression, points: readonly Point[]): ReturnType<typeof comparedPoints> {
  const isData = of.kind === "field" || of.kind === "payload" || (of.kind === "call" && SIZES.has(of.name));
  return isData && points.length > 0 ? { of, points } : undefined;
}

const SIZES: ReadonlySet<string> = new Set(["count", "sum"]);
const MIRRORED: Partial<Record<Kind<"binary">["operator"], Kind<"binary">["operator"]>> = {
  "<": ">",
  "<=": ">=",
  ">": "<",
  ">=": "<=",
};

function operatorPoints(type: Type, operator: Kind<"binary">["operator"], value: Value): readonly Point[] {
  if (operator === "<" || operator === ">=") return boundPoints(type, value, "before");
  return operator === "<=" || operator === ">" ? boundPoints(type, value, "behind") : [];
}

/** @param where the truth changes: between the value and the one before it, or the one behind it. */
function boundPoints(type: Type, value: Value, where: "before" | "behind"): readonly Point[] {
  const at: Point = { is: "at", value };
  if (DENSE.has(type.kind)) return [at, { is: where === "before" ? "below" : "above", value }];
  if (!STEPPED.has(type.kind)) return [];
  const next = wholeOf(type, value) + (where === "before" ? -1n : 1n);
  const { low, high } = wholeRangeOf(type);
  // What no field can hold is no side.
  return next < low || next > high ? [] : [at, { is: "at", value: storedValue(type, next) }];
}

function distinct(points: readonly Point[]): readonly Point[] {
  return [...new Map(points.map((point) => [`${point.is} ${point.value}`, point])).values()];
}

/** Is the value there? */
export function isAt(type: Type, { is, value: bound }: Point, value: Value): boolean {
  const [one, other] = [wholeOf(type, value), wholeOf(type, bound)];
  if (is === "at") return one === other;
  return is === "below" ? one < other : one > other;
}

/** A value at the point, as near to the bound as the type has it. */
export function valueAt(type: Type, { is, value }: Point): Value {
  if (is === "at") return value;
  return storedValue(type, wholeOf(type, value) + (is === "below" ? -1n : 1n));
}

/** The value and the ones right before and behind it, as far as the type has them. */
export function neighbours(type: Type, value: Value): readonly Value[] {
  const whole = wholeOf(type, value);
  const { low, high } = wholeRangeOf(type);
  return [whole - 1n, whole, whole + 1n]
    .filter((one) => one >= low && one <= high)
    .map((one) => storedValue(type, one));
}
