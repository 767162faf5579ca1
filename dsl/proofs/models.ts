/** Values for all variables that agree with a box and with the links between variables. */
import type { Value } from "../definition.ts";
import type { Box } from "./formula.ts";
import { type Inequality, type Linear, type Range, solve } from "./linear.ts";
import { plainValueOf, storedValue } from "./values.ts";
import { type Cell, cellsOf, plainest, type Variable } from "./variables.ts";

/** A value for every variable, by number, in stored form; null is absent. */
export type Model = readonly (Value | null)[];

/** Ways to split what is not one range, that are tried for one box. */
const SPLITS_MAX = 256;
/** What stands for a text that no condition mentions. */
const OTHER_TEXT = "…";

/** `none`: the box is empty; `unclear`: too much to find out. */
export function modelOf(variables: readonly Variable[], box: Box): Model | "none" | "unclear" {
  const model: (Value | null)[] = variables.map((variable) => plainValue(variable, box[variable.index]!));
  if (box.some((cells) => cells === 0n)) return "none";
  const numbers = withNumbers(variables, box, model);
  if (numbers !== undefined) return numbers;
  return withTexts(variables, box, model) ? model : "none";
}

/** Is there anything in the box that agrees with the links? Where that stays unclear, yes. */
export function isPossible(variables: readonly Variable[], box: Box): boolean {
  const isTied = variables.some(({ link, index, full }) => link && box[index] !== full);
  return isTied ? modelOf(variables, box) !== "none" : !box.includes(0n);
}

/** The value of a variable that is free of others. What follows from others and may be anything has none here. */
function plainValue(variable: Variable, mask: bigint): Value | null {
  if (variable.link && mask === variable.full) return null;
  const cells = cellsOf(variable, mask);
  const cell = cells.find((candidate) => isMentioned(variable, candidate)) ?? cells[0];
  return cell === undefined ? null : valueIn(variable, cell);
}

function isMentioned(variable: Variable, cell: Cell): boolean {
  if (cell.kind !== "range") return false;
  for (const constant of variable.mentioned) if (constant >= cell.low && constant <= cell.high) return true;
  return false;
}

function valueIn(variable: Variable, cell: Cell): Value | null {
  switch (cell.kind) {
    case "range":
      return storedValue(variable.type, plainest(variable, cell.low, cell.high));
    case "value":
      return variable.type.kind === "bool" ? cell.value === "true" : cell.value;
    case "other":
      return variable.type.kind === "list" || variable.type.kind === "record"
        ? plainValueOf(variable.type)
        : OTHER_TEXT;
    case "absent":
      return null;
  }
}

// ------------------------------------------------------------------------------------------------------------------ //
// Numbers
// ------------------------------------------------------------------------------------------------------------------ //

/** Puts the numbers that depend on each other into the model, or says why there are none. */
function withNumbers(
  variables: readonly Variable[],
  box: Box,
  model: (Value | null)[],
): "none" | "unclear" | undefined {
  const involved = involvedIn(variables, box);
  if (involved.length === 0) return undefined;
  let answer: "none" | "unclear" = "none";
  let left = SPLITS_MAX;
  for (const ranges of combinations(involved, box)) {
    for (const rows of rowsOf(involved)) {
      left -= 1;
      if (left < 0) return "unclear";
      const found = solve([...rows, ...sumsIn(involved, ranges)], unknownsIn(involved, ranges));
      if (found === "unclear") answer = "unclear";
      if (typeof found === "string") continue;
      for (const [index, whole] of found) model[index] = storedValue(variables[index]!.type, whole);
      for (const sum of involved.filter(isSum)) model[sum.index] = Number(total(formOf(sum)!, found));
      return undefined;
    }
  }
  return answer;
}

/** Numbers that something is said of together: sums that are restricted, and everything they are made of. */
function involvedIn(variables: readonly Variable[], box: Box): readonly Variable[] {
  const involved = new Set<Variable>();
  const add = (variable: Variable) => {
    if (involved.has(variable)) return;
    involved.add(variable);
    const of = formOf(variable);
    for (const index of of?.terms.keys() ?? []) add(variables[index]!);
  };
  for (const variable of variables) if (formOf(variable) && box[variable.index] !== variable.full) add(variable);
  return [...involved];
}

function formOf({ link }: Variable): Linear | undefined {
  return link && link.kind !== "equal" ? link.of : undefined;
}

function total({ terms }: Linear, found: ReadonlyMap<number, bigint>): bigint {
  let sum = 0n;
  for (const [index, coefficient] of terms) sum += coefficient * (found.get(index) ?? 0n);
  return sum;
}

function isSum({ link }: Variable): boolean {
  return link?.kind === "linear";
}

/** For every variable one run of neighbouring cells. */
function* combinations(
  involved: readonly Variable[],
  box: Box,
  from = 0,
  chosen: ReadonlyMap<Variable, Range> = new Map(),
): Generator<ReadonlyMap<Variable, Range>> {
  const variable = involved[from];
  if (variable === undefined) {
    yield chosen;
    return;
  }
  for (const { low, high } of runs(variable, box[variable.index]!)) {
    const range = { low, high, preferred: plainest(variable, low, high) };
    yield* combinations(involved, box, from + 1, new Map([...chosen, [variable, range]]));
  }
}

function runs(variable: Variable, mask: bigint): readonly { readonly low: bigint; readonly high: bigint }[] {
  const found: { low: bigint; high: bigint }[] = [];
  for (const cell of cellsOf(variable, mask)) {
    if (cell.kind !== "range") continue;
    const last = found.at(-1);
    if (last && last.high + 1n === cell.low) last.high = cell.high;
    else found.push({ low: cell.low, high: cell.high });
  }
  return found;
}

function unknownsIn(involved: readonly Variable[], ranges: ReadonlyMap<Variable, Range>): ReadonlyMap<number, Range> {
  return new Map(involved.filter((one) => !isSum(one)).map((one) => [one.index, ranges.get(one)!] as const));
}

/** A sum lies in its range. */
function sumsIn(involved: readonly Variable[], ranges: ReadonlyMap<Variable, Range>): readonly Inequality[] {
  return involved.filter(isSum).flatMap((variable) => {
    const { terms } = formOf(variable)!;
    const { low, high } = ranges.get(variable)!;
    return [
      { terms, max: high },
      { terms: scaledTerms(terms, -1n), max: -low },
    ];
  });
}

/** What rounding says; amounts below zero are rounded the other way, so there are several sets of it. */
function* rowsOf(involved: readonly Variable[], from = 0): Generator<readonly Inequality[]> {
  const variable = involved[from];
  if (variable === undefined) {
    yield [];
    return;
  }
  const { link } = variable;
  const ways =
    link?.kind === "floored" || link?.kind === "rounded" ? roundingRows(variable.index, link.kind, link.of) : [[]];
  for (const way of ways) for (const rest of rowsOf(involved, from + 1)) yield [...way, ...rest];
}

function roundingRows(
  index: number,
  kind: "floored" | "rounded",
  { terms, constant, over }: Linear,
): readonly (readonly Inequality[])[] {
  const linked = (by: bigint, own: bigint) => new Map([...scaledTerms(terms, by), [index, own] as const]);
  if (kind === "floored") {
    return [
      [
        { terms: linked(-1n, over), max: constant },
        { terms: linked(1n, -over), max: over - 1n - constant },
      ],
    ];
  }
  const twice = 2n * over;
  return [
    [
      { terms: scaledTerms(terms, -1n), max: constant },
      { terms: linked(-2n, twice), max: 2n * constant + over },
      { terms: linked(2n, -twice), max: over - 1n - 2n * constant },
    ],
    [
      { terms, max: -1n - constant },
      { terms: linked(2n, -twice), max: over - 2n * constant },
      { terms: linked(-2n, twice), max: over - 1n + 2n * constant },
    ],
  ];
}

function scaledTerms(terms: ReadonlyMap<number, bigint>, by: bigint): ReadonlyMap<number, bigint> {
  return new Map([...terms].map(([index, coefficient]) => [index, coefficient * by] as const));
}

// ------------------------------------------------------------------------------------------------------------------ //
// Texts, users, members
// ------------------------------------------------------------------------------------------------------------------ //

interface Equality {
  readonly left: number;
  readonly right: number;
  readonly wanted: boolean;
}

/** Puts values into the model that are equal where they must be. Answers whether there are any. */
function withTexts(variables: readonly Variable[], box: Box, model: (Value | null)[]): boolean {
  const equalities = variables.flatMap(({ link, index, full }): readonly Equality[] => {
    if (link?.kind !== "equal" || box[index] === full) return [];
    return [{ left: link.left, right: link.right, wanted: model[index] === true }];
  });
  if (equalities.length === 0) return true;
  const involved = [...new Set(equalities.flatMap(({ left, right }) => [left, right]))];
  const assigned = new Map<number, string>();
  if (!assign(involved, 0, variables, box, equalities, assigned)) return false;
  for (const [index, value] of assigned)
    model[index] = variables[index]!.type.kind === "bool" ? value === "true" : value;
  return true;
}

function assign(
  involved: readonly number[],
  from: number,
  variables: readonly Variable[],
  box: Box,
  equalities: readonly Equality[],
  assigned: Map<number, string>,
): boolean {
  const index = involved[from];
  if (index === undefined) return true;
  for (const value of textsIn(index, involved, variables, box)) {
    assigned.set(index, value);
    const fits = equalities.every(({ left, right, wanted }) => {
      const [one, other] = [assigned.get(left), assigned.get(right)];
      return one === undefined || other === undefined || (one === other) === wanted;
    });
    if (fits && assign(involved, from + 1, variables, box, equalities, assigned)) return true;
  }
  assigned.delete(index);
  return false;
}

/** The values that a variable can have; of those that nobody mentions as many as there are variables. */
function textsIn(
  index: number,
  involved: readonly number[],
  variables: readonly Variable[],
  box: Box,
): readonly string[] {
  const own = variables[index]!;
  const mentioned = new Set(involved.flatMap((other) => [...variables[other]!.values]));
  const fresh = involved.map((_, number) => (number === 0 ? OTHER_TEXT : `${OTHER_TEXT}${number + 1}`));
  return cellsOf(own, box[index]!).flatMap((cell) => {
    if (cell.kind === "value") return [cell.value];
    return cell.kind === "other" ? [...mentioned.difference(own.values), ...fresh] : [];
  });
}
