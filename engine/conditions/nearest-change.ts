/** The smallest change of one field with which a choice comes out otherwise. */
import {
  type Expression,
  plainValueOf,
  storedValue,
  type Type,
  type Value,
  wholeOf,
  wholeRangeOf,
} from "../../dsl/index.ts";
import { compileCondition } from "../expressions.ts";
import { type Assumptions, contextOf } from "./assumptions.ts";
import { isOrdered } from "./boundaries.ts";
import { type Alternatives, type Outcome, outcomesOf, type Setting } from "./choices.ts";
import { isKnown, otherText, plainlyCompared, readsOf, typeOf } from "./reads.ts";
import { atomsOf, attempt } from "./watched-conditions.ts";

export interface Change {
  readonly path: string;
  readonly type: Type;
  /** null: absent. */
  readonly value: Value | null;
  /** How the choice comes out then. */
  readonly outcomes: readonly Outcome[];
}

/**
 * For every known thing that the alternatives look at, the nearest value with which another one is taken: of numbers and
 * dates the nearest of all, of members, booleans and texts one for each other outcome. Every change was tried out.
 */
export function nearestChanges(
  alternatives: Alternatives,
  setting: Setting,
  outcomes: readonly Outcome[],
): readonly Change[] {
  const conditions = alternatives.filter((condition) => condition !== undefined);
  const paths = [...new Set(conditions.flatMap(readsOf))].filter((path) => isKnown(path, setting.assumed));
  const before = signature(outcomes);
  return paths.flatMap((path) => {
    const type = conditions.map((condition) => typeOf(condition, path)).find((one) => one !== undefined);
    if (!type) return [];
    const tried = candidates(conditions, setting, path, type, setting.isOptional(path)).map((value): Change => {
      const assumed = new Map([...setting.assumed, [path, value]]);
      return { path, type, value, outcomes: outcomesOf(alternatives, { ...setting, assumed }) };
    });
    const other = tried.filter((change) => signature(change.outcomes) !== before);
    return isOrdered(type) ? other.slice(0, 1) : distinct(other);
  });
}

function distinct(changes: readonly Change[]): readonly Change[] {
  const seen = new Set<string>();
  return changes.filter(({ outcomes }) => {
    const text = signature(outcomes);
    const isNew = !seen.has(text);
    seen.add(text);
    return isNew;
  });
}

function signature(outcomes: readonly Outcome[]): string {
  return JSON.stringify(outcomes);
}

/** Values of a path at which one of the conditions turns, those next to the present one first. */
export function valuesToTry(
  conditions: readonly Expression[],
  setting: Setting,
  path: string,
  type: Type,
): readonly Value[] {
  return candidates(conditions, setting, path, type, false).filter((value) => value !== null);
}

/** Values to try, the nearest first. */
function candidates(
  conditions: readonly Expression[],
  setting: Setting,
  path: string,
  type: Type,
  isOptional: boolean,
): readonly (Value | null)[] {
  const now = setting.assumed.get(path) ?? null;
  const atoms = conditions.flatMap(atomsOf).filter((atom) => readsOf(atom).includes(path));
  const absent = isOptional && now !== null ? [null] : [];
  if (isOrdered(type)) return [...orderedCandidates(atoms, setting, path, type, now), ...absent];
  const known = atoms.flatMap((atom) => plainlyCompared(atom, path) ?? []);
  const others = type.kind === "enum" && type.members.length > 0 ? type.members : alternativesOf(type, known);
  return [...others.filter((value) => value !== now), ...absent];
}

function alternativesOf(type: Type, known: readonly Value[]): readonly Value[] {
  if (type.kind === "bool") return [true, false];
  if (type.kind === "list" || type.kind === "record") return [];
  return [...new Set([...known, otherText(known)])];
}

// ------------------------------------------------------------------------------------------------------------------ //
// Numbers and dates
// ------------------------------------------------------------------------------------------------------------------ //

/** Where a comparison turns, from the present value up and down. */
function orderedCandidates(
  atoms: readonly Expression[],
  setting: Setting,
  path: string,
  type: Type,
  now: Value | null,
): readonly Value[] {
  const from = wholeOf(type, now ?? plainValueOf(type));
  const turns = atoms.flatMap(comparisonsIn).flatMap((comparison) => {
    const run = compileCondition(comparison, setting.currency);
    const test = (whole: bigint): boolean | undefined => {
      const assumed: Assumptions = new Map([...setting.assumed, [path, storedValue(type, whole)]]);
      return attempt(() => run(contextOf(assumed, setting.fields, setting.state)));
    };
    const { low, high } = wholeRangeOf(type);
    // Where there is no value at present, the next ones that have one are a change already.
    const starts = test(from) === undefined ? [from + 1n, from - 1n] : [];
    const ways = [...starts, from].flatMap((start) => [turnBetween(test, start, high), turnBetween(test, start, low)]);
    return [...starts, ...ways].filter((whole) => whole !== undefined).filter((whole) => whole >= low && whole <= high);
  });
  // An absent value is as near to one as to the other: the plainest goes first.
  const all = now === null ? [from, ...turns] : turns;
  return [...new Set(all)]
    .sort((one, other) => nearer(one - from, other - from))
    .map((whole) => storedValue(type, whole));
}

function nearer(one: bigint, other: bigint): number {
  const [a, b] = [one < 0n ? -one : one, other < 0n ? -other : other];
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Each of these changes its truth at most once along a line, so that the place is found by halving. */
function comparisonsIn(atom: Expression): readonly Expression[] {
  const { type } = atom;
  if (atom.kind === "in-interval") {
    const { of, interval } = atom;
    return [interval.low, interval.high].flatMap((bound) => {
      if (!bound) return [];
      return turns(of, { kind: "literal", type: of.type, value: bound.value }, type);
    });
  }
  if (atom.kind === "in-list" && atom.list.kind === "list" && isOrdered(atom.of.type)) {
    return atom.list.items.flatMap((item) => turns(atom.of, item, type));
  }
  return atom.kind === "binary" && isOrdered(atom.left.type) ? turns(atom.left, atom.right, type) : [];
}

function turns(left: Expression, right: Expression, type: Type): readonly Expression[] {
  return (["<", "<="] as const).map((operator) => ({ kind: "binary", operator, left, right, type }));
}

/** The first whole number on the way from one to the other at which the test comes out otherwise; tests turn at most once. */
function turnBetween(test: (whole: bigint) => boolean | undefined, from: bigint, to: bigint): bigint | undefined {
  const before = test(from);
  if (before === undefined) return undefined;
  const sign = to < from ? -1n : 1n;
  const length = (to - from) * sign;
  // Doubling steps find a place behind the turn.
  let [same, step] = [0n, 1n];
  while (step < length && test(from + sign * step) === before) [same, step] = [step, step * 2n];
  let other = step < length ? step : length;
  while (other - same > 1n) {
    const middle = (same + other) / 2n;
    if (test(from + sign * middle) === before) same = middle;
    else other = middle;
  }
  // Far out there may be no value at all.
  return test(from + sign * other) === !before ? from + sign * other : undefined;
}
