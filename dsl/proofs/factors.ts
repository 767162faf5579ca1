/**
 * Products and quotients of two unknowns have no linear form. Where nothing is shown without it, some of their factors are
 * held at constants, so that the rest becomes linear: what is found then is tried out like everything else.
 */
import { pathOf } from "../check/narrowing.ts";
import type { Expression, Type, Value } from "../definition.ts";
import { type Formula, TRUE } from "./formula.ts";
import { partsOf, rootsIn } from "./terms.ts";
import { storedValue } from "./values.ts";
import { DAY_MS, plainest, scaleOf, type Variable } from "./variables.ts";
import { type Place, Vocabulary } from "./vocabulary.ts";

/** Something that is read, held at a value. */
export interface Pin {
  readonly of: Expression;
  readonly value: Value;
}

/** By path. */
export type Pins = ReadonlyMap<string, Pin>;

/** Ways to choose what is held that are followed for one question, and values for each of them. */
const CHOICES_MAX = 6;
const VALUES_MAX = 5;

/** What is worth a try, the plainest first; nothing where all is linear. */
export function pinsFor(conditions: readonly Expression[], place: Place): readonly Pins[] {
  const choices = conditions.reduce((all, one) => combined(all, choicesIn(one)), NOTHING);
  const held = choices.filter(({ size }) => size > 0);
  if (held.length === 0) return [];
  const variables = variablesIn(conditions, place);
  return held.flatMap((paths) => valued([...paths], variables));
}

/** That what is held has its value, for all of it that the expression reads. */
export function pinned(pins: Pins, expression: Expression, vocabulary: Vocabulary, place: Place): Formula {
  const roots = rootsIn(expression);
  const parts = [...pins.values()].filter(({ of }) => !rootsIn(of).isDisjointFrom(roots));
  const { pins: _, ...open } = place;
  return parts.length === 0 ? TRUE : vocabulary.condition(parts.map(isSo).reduce(both), open).yes;
}

function isSo({ of, value }: Pin): Expression {
  return { kind: "binary", operator: "==", left: of, right: { kind: "literal", type: of.type, value }, type: BOOL };
}

function both(left: Expression, right: Expression): Expression {
  return { kind: "binary", operator: "and", left, right, type: BOOL };
}

const BOOL: Type = { kind: "bool" };

// ------------------------------------------------------------------------------------------------------------------ //
// What is held
// ------------------------------------------------------------------------------------------------------------------ //

/** What is held together, by path. */
type Choice = ReadonlyMap<string, Expression>;

const NOTHING: readonly Choice[] = [new Map()];

/** Each of these makes the expression linear, as far as that can be had. */
function choicesIn(expression: Expression): readonly Choice[] {
  if (expression.kind !== "binary" || (expression.operator !== "*" && expression.operator !== "/")) {
    return partsOf(expression).map(choicesIn).reduce(combined, NOTHING);
  }
  const { operator, left, right } = expression;
  const both = combined(choicesIn(left), choicesIn(right));
  if (isConstant(right) || (operator === "*" && isConstant(left))) return both;
  const holdingRight = leavesOf(right);
  const holdingLeft = operator === "*" ? leavesOf(left) : undefined;
  const ways = [
    ...(holdingRight ? combined(choicesIn(left), [holdingRight]) : []),
    ...(holdingLeft ? combined(choicesIn(right), [holdingLeft]) : []),
  ];
  // A number reads better as the constant than an amount.
  if (right.type.kind === "money") ways.reverse();
  return ways.length === 0 ? both : ways.slice(0, CHOICES_MAX);
}

function combined(one: readonly Choice[], other: readonly Choice[]): readonly Choice[] {
  if (other === NOTHING) return one;
  return one.flatMap((left) => other.map((right) => new Map([...left, ...right]))).slice(0, CHOICES_MAX);
}

function isConstant(expression: Expression): boolean {
  return rootsIn(expression).size === 0;
}

/** All that is read in it; `undefined` where something else decides its value, too: a function, a list. */
function leavesOf(expression: Expression): Choice | undefined {
  if (expression.kind === "literal") return new Map();
  const path = expression.kind === "item" ? undefined : pathOf(expression, 0);
  if (path !== undefined) return new Map([[path, expression]]);
  if (expression.kind !== "binary" && expression.kind !== "negate") return undefined;
  const parts = partsOf(expression).map(leavesOf);
  return parts.every((part) => part !== undefined) ? new Map(parts.flatMap((part) => [...part])) : undefined;
}

// ------------------------------------------------------------------------------------------------------------------ //
// At which values
// ------------------------------------------------------------------------------------------------------------------ //

/** What the conditions read, with the bounds that they mention. */
function variablesIn(conditions: readonly Expression[], place: Place): ReadonlyMap<string, Variable> {
  const vocabulary = new Vocabulary();
  for (const condition of conditions) vocabulary.condition(condition, place);
  vocabulary.seal();
  return new Map(vocabulary.variables.flatMap((one) => (one.kind === "data" ? [[one.path, one] as const] : [])));
}

function valued(choice: readonly (readonly [string, Expression])[], variables: ReadonlyMap<string, Variable>): Pins[] {
  let found: Pins[] = [new Map()];
  for (const [path, of] of choice) {
    const values = valuesOf(of, variables.get(path));
    found = found.flatMap((pins) => values.map((value) => new Map([...pins, [path, { of, value }]])));
  }
  return found.slice(0, VALUES_MAX);
}

/** One of its unit, and the plainest value between any two bounds. Nothing can be said of a product with zero. */
function valuesOf({ type }: Expression, variable: Variable | undefined): readonly Value[] {
  const wholes = new Set<bigint>([unitOf(type)]);
  for (const cell of variable?.cells ?? []) {
    if (cell.kind !== "range") continue;
    const value = plainest(variable!, cell.low, cell.high);
    wholes.add(value === 0n && cell.high > 0n ? plainest(variable!, 1n, cell.high) : value);
  }
  const { low = unitOf(type), high = unitOf(type) } = variable ?? {};
  const fitting = [...wholes].filter((whole) => whole !== 0n && whole >= low && whole <= high);
  return fitting.slice(0, VALUES_MAX).map((whole) => storedValue(type, whole));
}

/** Of most currencies: a hundred of the minor unit. */
const MAIN_UNIT = 100n;

function unitOf(type: Type): bigint {
  if (type.kind === "money") return MAIN_UNIT;
  return type.kind === "duration" ? DAY_MS : scaleOf(type);
}
