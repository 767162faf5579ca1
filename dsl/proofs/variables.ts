/**
 * The variables of a proof. What a condition looks at becomes a variable; its values fall into cells between which no
 * condition changes, so that a set of cells (a bit each) says all that matters of it.
 */
import type { Expression, Type } from "../definition.ts";
import type { Linear } from "./linear.ts";

/** Some neighbouring or equal values. Numbers are whole: see {@link scaleOf}. */
export type Cell =
  | { readonly kind: "range"; readonly low: bigint; readonly high: bigint }
  | { readonly kind: "value"; readonly value: string }
  /** Every value that no condition mentions. */
  | { readonly kind: "other" }
  | { readonly kind: "absent" };

/** What one variable says of others. */
export type Link =
  /** It is this form, whose `over` is 1. */
  | { readonly kind: "linear"; readonly of: Linear }
  /** It is the form rounded half up, or down, to a whole number. */
  | { readonly kind: "rounded" | "floored"; readonly of: Linear }
  /** It says whether the two are the same value. */
  | { readonly kind: "equal"; readonly left: number; readonly right: number };

export type VariableKind =
  /** Something that is read: a field, a field of the event, a built-in name. */
  | "data"
  /** What a function answers. */
  | "answer"
  /** What is computed in a way that isn't looked into. */
  | "computed"
  /** It follows from others by its link. */
  | "linked";

export interface Variable {
  readonly index: number;
  readonly kind: VariableKind;
  readonly key: string;
  /** What is read: `amount`, `event.reviewer`, `machine.initiator.org`, `legal.state`; of an answer the function's name. */
  readonly path: string;
  readonly type: Type;
  readonly link?: Link;
  /** What is computed or asked. */
  readonly expression?: Expression;
  /** Names of what its value depends on: fields, and `machine.NAME`, `event.NAME`, `answer`. */
  readonly roots: ReadonlySet<string>;
  readonly mayBeAbsent: boolean;
  /** Numbers only: both included. */
  readonly low?: bigint;
  readonly high?: bigint;
  /** Constants that conditions mention: values that read well. */
  readonly mentioned: Set<bigint>;
  /** Numbers: where a new cell begins. Others: values that have a cell of their own. */
  readonly cuts: Set<bigint>;
  readonly values: Set<string>;
  /** Others: there are values beside {@link values}. */
  readonly open: boolean;
  cells: readonly Cell[];
  /** A bit for every cell. */
  full: bigint;
}

const SAFE = BigInt(Number.MAX_SAFE_INTEGER);
/** Decimals that a stored decimal keeps. */
export const DECIMAL_PLACES = 12;
const DECIMAL_SCALE = 10n ** BigInt(DECIMAL_PLACES);
export const DAY_MS = 86_400_000n;
const FIRST_DAY = BigInt(Date.parse("0001-01-01T00:00:00Z")) / DAY_MS;
const LAST_DAY = BigInt(Date.parse("9999-12-31T00:00:00Z")) / DAY_MS;

/** How many whole steps of a variable of this type make one: a decimal is held in steps of its last place. */
export function scaleOf(type: Type): bigint {
  return type.kind === "decimal" ? DECIMAL_SCALE : 1n;
}

/** Is it held as a whole number? Dates are days since 1970. */
export function isNumeric({ kind }: Type): boolean {
  return ["int", "decimal", "money", "date", "datetime", "duration"].includes(kind);
}

/** The values that a field of the type can have. */
export function rangeOf(type: Type): { readonly low: bigint; readonly high: bigint } {
  switch (type.kind) {
    case "money":
      return { low: type.signed ? -SAFE : 0n, high: SAFE };
    case "duration":
      return { low: 0n, high: SAFE };
    case "date":
      return { low: FIRST_DAY, high: LAST_DAY };
    case "datetime":
      return { low: FIRST_DAY * DAY_MS, high: (LAST_DAY + 1n) * DAY_MS - 28_800_001n };
    case "decimal":
      return { low: -SAFE * DECIMAL_SCALE, high: SAFE * DECIMAL_SCALE };
    default:
      return { low: -SAFE, high: SAFE };
  }
}

/** Makes the cells; afterwards no condition may be added. */
export function seal(variable: Variable): void {
  const cells: Cell[] = isNumeric(variable.type) ? ranges(variable) : values(variable);
  if (variable.mayBeAbsent) cells.push({ kind: "absent" });
  variable.cells = cells;
  variable.full = (1n << BigInt(cells.length)) - 1n;
}

function ranges({ cuts, low, high }: Variable): Cell[] {
  const [first, last] = [low!, high!];
  const starts = [...cuts].filter((cut) => cut > first && cut <= last).sort((one, other) => (one < other ? -1 : 1));
  return [first, ...starts].map((start, index) => ({
    kind: "range",
    low: start,
    high: (starts[index] ?? last + 1n) - 1n,
  }));
}

function values({ values: own, open }: Variable): Cell[] {
  const cells: Cell[] = [...own].map((value) => ({ kind: "value", value }));
  if (open) cells.push({ kind: "other" });
  return cells;
}

/** The cells that lie between the two, both included. */
export function maskOfRange({ cells }: Variable, low: bigint | undefined, high: bigint | undefined): bigint {
  const count = cells.at(-1)?.kind === "absent" ? cells.length - 1 : cells.length;
  const from = low === undefined ? 0 : firstOf(cells, count, (cell) => cell.low >= low);
  const to = high === undefined ? count : firstOf(cells, count, (cell) => cell.high > high);
  return to <= from ? 0n : ((1n << BigInt(to - from)) - 1n) << BigInt(from);
}

/** The first of so many ranges for which it holds; it holds for all that follow. */
function firstOf(
  cells: readonly Cell[],
  count: number,
  holds: (cell: Extract<Cell, { kind: "range" }>) => boolean,
): number {
  let [from, to] = [0, count];
  while (from < to) {
    const middle = (from + to) >> 1;
    const cell = cells[middle];
    if (cell?.kind === "range" && holds(cell)) to = middle;
    else from = middle + 1;
  }
  return from;
}

export function maskOfValues(variable: Variable, wanted: ReadonlySet<string>): bigint {
  const places = placesOf(variable);
  let mask = 0n;
  for (const value of wanted) {
    const place = places.get(value);
    if (place !== undefined) mask |= 1n << BigInt(place);
  }
  return mask;
}

const places = new WeakMap<Variable, ReadonlyMap<string, number>>();

/** Where the cell of a value is. */
function placesOf(variable: Variable): ReadonlyMap<string, number> {
  const before = places.get(variable);
  if (before) return before;
  const made = new Map([...variable.values].map((value, index) => [value, index] as const));
  places.set(variable, made);
  return made;
}

export function maskOfPresent(variable: Variable): bigint {
  return variable.mayBeAbsent ? variable.full >> 1n : variable.full;
}

/** The cells of a mask, in order. */
export function cellsOf({ cells }: Variable, mask: bigint): readonly Cell[] {
  const found: Cell[] = [];
  const bits = mask.toString(2);
  for (let index = 0; index < bits.length; index += 1) {
    const cell = bits.charCodeAt(bits.length - 1 - index) === ONE ? cells[index] : undefined;
    if (cell) found.push(cell);
  }
  return found;
}

/** The character of a bit that is set. */
const ONE = 49;

/** The value of a range that reads best: one that is mentioned, else the plainest. */
export function plainest(variable: Variable, low: bigint, high: bigint): bigint {
  let best: bigint | undefined;
  for (const constant of variable.mentioned) {
    if (constant >= low && constant <= high && (best === undefined || constant < best)) best = constant;
  }
  if (best !== undefined) return best;
  if (variable.type.kind === "decimal") return shortest(low, high);
  if (low > variable.low!) return low;
  if (high < variable.high!) return high;
  const usual = USUAL[variable.type.kind] ?? 0n;
  return usual < low ? low : usual > high ? high : usual;
}

/** A day on which nothing begins or ends. */
const USUAL_DAY = BigInt(Date.parse("2026-01-05T00:00:00Z")) / DAY_MS;
const USUAL: Readonly<Record<string, bigint>> = { date: USUAL_DAY, datetime: USUAL_DAY * DAY_MS };

/** The decimal of a range with the fewest places; of several the one nearest to zero. */
function shortest(low: bigint, high: bigint): bigint {
  if (low <= 0n && high >= 0n) return 0n;
  if (high < 0n) return -shortest(-high, -low);
  for (let step = DECIMAL_SCALE; step > 1n; step /= 10n) {
    const candidate = ((low + step - 1n) / step) * step;
    if (candidate <= high) return candidate;
  }
  return low;
}
