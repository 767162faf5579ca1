/** Conditions as formulas over variables, and what is known of a formula while only some values are. */
import { maskOfPresent, maskOfRange, maskOfValues, type Variable } from "./variables.ts";

/** A test of one variable. */
export interface Test {
  readonly kind: "test";
  readonly variable: number;
  readonly wanted:
    | { readonly kind: "range"; readonly low?: bigint; readonly high?: bigint }
    | { readonly kind: "values"; readonly values: ReadonlySet<string> }
    | { readonly kind: "present" };
  /** The cells where it holds; known once the variables are sealed. */
  mask: bigint;
}

export type Formula =
  | { readonly kind: "constant"; readonly value: boolean }
  | Test
  | { readonly kind: "not"; readonly of: Formula }
  | { readonly kind: "and" | "or"; readonly parts: readonly Formula[] };

export const TRUE: Formula = { kind: "constant", value: true };
export const FALSE: Formula = { kind: "constant", value: false };

export function truth(value: boolean): Formula {
  return value ? TRUE : FALSE;
}

export function not(of: Formula): Formula {
  if (of.kind === "constant") return truth(!of.value);
  return of.kind === "not" ? of.of : { kind: "not", of };
}

export function and(...parts: readonly Formula[]): Formula {
  return joined("and", parts);
}

export function or(...parts: readonly Formula[]): Formula {
  return joined("or", parts);
}

function joined(kind: "and" | "or", parts: readonly Formula[]): Formula {
  const neutral = kind === "and";
  const left: Formula[] = [];
  for (const part of parts) {
    if (part.kind === "constant") {
      if (part.value !== neutral) return part;
    } else if (part.kind === kind) left.push(...part.parts);
    else left.push(part);
  }
  return left.length === 0 ? truth(neutral) : left.length === 1 ? left[0]! : { kind, parts: left };
}

export function maskOf({ wanted }: Test, variable: Variable): bigint {
  switch (wanted.kind) {
    case "range":
      return maskOfRange(variable, wanted.low, wanted.high);
    case "values":
      return maskOfValues(variable, wanted.values);
    case "present":
      return maskOfPresent(variable);
  }
}

/** What is left of the values of every variable, by its number. */
export type Box = readonly bigint[];

/** Does it hold everywhere in the box, nowhere, or here and there? */
export function evaluate(formula: Formula, box: Box): boolean | undefined {
  switch (formula.kind) {
    case "constant":
      return formula.value;
    case "test": {
      const left = box[formula.variable]!;
      const common = left & formula.mask;
      return common === 0n ? false : common === left ? true : undefined;
    }
    case "not": {
      const value = evaluate(formula.of, box);
      return value === undefined ? undefined : !value;
    }
    default: {
      const decisive = formula.kind === "or";
      let known: boolean | undefined = !decisive;
      for (const part of formula.parts) {
        const value = evaluate(part, box);
        if (value === decisive) return decisive;
        if (value === undefined) known = undefined;
      }
      return known;
    }
  }
}

/** A test on which it depends whether the formula holds in the box; it must be undecided there. */
export function undecided(formula: Formula, box: Box): Test | undefined {
  switch (formula.kind) {
    case "constant":
      return undefined;
    case "test":
      return evaluate(formula, box) === undefined ? formula : undefined;
    case "not":
      return undecided(formula.of, box);
    default:
      for (const part of formula.parts) {
        if (evaluate(part, box) !== undefined) continue;
        const found = undecided(part, box);
        if (found) return found;
      }
      return undefined;
  }
}

/** How many boxes one question may come to. */
export interface Budget {
  left: number;
}

/**
 * Boxes within `box` in which the formula holds everywhere; together they are all there is, and no two have a point in
 * common. Stops early where the budget is used up; look at `budget.left`.
 */
export function* holding(formula: Formula, box: Box, budget: Budget): Generator<Box> {
  budget.left -= 1;
  if (budget.left < 0) return;
  const value = evaluate(formula, box);
  if (value === true) yield box;
  if (value !== undefined) return;
  const { variable, mask } = undecided(formula, box)!;
  const left = box[variable]!;
  yield* holding(formula, box.with(variable, left & mask), budget);
  yield* holding(formula, box.with(variable, left & ~mask), budget);
}

/** The variables that the formula looks at. */
export function variablesOf(formula: Formula, found = new Set<number>()): ReadonlySet<number> {
  switch (formula.kind) {
    case "constant":
      break;
    case "test":
      found.add(formula.variable);
      break;
    case "not":
      variablesOf(formula.of, found);
      break;
    default:
      for (const part of formula.parts) variablesOf(part, found);
  }
  return found;
}

/** The formula where some variables are known to lie in certain cells. */
export function restricted(formula: Formula, known: ReadonlyMap<number, bigint>): Formula {
  switch (formula.kind) {
    case "constant":
      return formula;
    case "test": {
      const cells = known.get(formula.variable);
      if (cells === undefined) return formula;
      const common = cells & formula.mask;
      return common === 0n ? FALSE : common === cells ? TRUE : formula;
    }
    case "not":
      return not(restricted(formula.of, known));
    default:
      return joined(
        formula.kind,
        formula.parts.map((part) => restricted(part, known)),
      );
  }
}
