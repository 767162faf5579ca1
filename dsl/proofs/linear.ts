/**
 * Linear forms over whole-number unknowns, and whole numbers that satisfy a set of linear inequalities. All arithmetic is
 * exact. The method is Fourier–Motzkin elimination with the bounds rounded to whole numbers at every step.
 */

/** `(Σ coefficient · unknown + constant) / over`, with `over` > 0. Unknowns are numbers of variables. */
export interface Linear {
  readonly terms: ReadonlyMap<number, bigint>;
  readonly constant: bigint;
  readonly over: bigint;
}

/** `Σ coefficient · unknown ≤ max`. */
export interface Inequality {
  readonly terms: ReadonlyMap<number, bigint>;
  readonly max: bigint;
}

/** Where an unknown may lie, both ends included, and the value that reads best. */
export interface Range {
  readonly low: bigint;
  readonly high: bigint;
  readonly preferred: bigint;
}

const NO_TERMS: ReadonlyMap<number, bigint> = new Map();

/** Inequalities that may arise while unknowns are eliminated. */
const INEQUALITIES_MAX = 4_000;
/** Values that are tried for one unknown where rounding leaves it open which of them fits. */
const TRIALS_MAX = 64;
/** Values that are tried for all of them together. */
const STEPS_MAX = 20_000;

export function constantOf(numerator: bigint, denominator = 1n): Linear {
  return { terms: NO_TERMS, constant: numerator, over: denominator };
}

/** `unknown / over`. */
export function unknownOf(unknown: number, over = 1n): Linear {
  return { terms: new Map([[unknown, 1n]]), constant: 0n, over };
}

export function isConstant(form: Linear): boolean {
  return form.terms.size === 0;
}

export function plus(one: Linear, other: Linear): Linear {
  const over = leastCommonMultiple(one.over, other.over);
  const [left, right] = [over / one.over, over / other.over];
  const terms = new Map<number, bigint>();
  for (const [unknown, coefficient] of one.terms) terms.set(unknown, coefficient * left);
  for (const [unknown, coefficient] of other.terms) {
    const sum = (terms.get(unknown) ?? 0n) + coefficient * right;
    if (sum === 0n) terms.delete(unknown);
    else terms.set(unknown, sum);
  }
  return { terms, constant: one.constant * left + other.constant * right, over };
}

/** The form times `numerator / denominator`; `denominator` ≠ 0. */
export function times(form: Linear, numerator: bigint, denominator = 1n): Linear {
  const sign = denominator < 0n ? -1n : 1n;
  if (numerator === 0n) return constantOf(0n);
  const by = numerator * sign;
  const terms = new Map([...form.terms].map(([unknown, coefficient]) => [unknown, coefficient * by] as const));
  return { terms, constant: form.constant * by, over: form.over * denominator * sign };
}

export function minus(one: Linear, other: Linear): Linear {
  return plus(one, times(other, -1n));
}

export function greatestCommonDivisor(one: bigint, other: bigint): bigint {
  let [a, b] = [one < 0n ? -one : one, other < 0n ? -other : other];
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}

function leastCommonMultiple(one: bigint, other: bigint): bigint {
  return one === other ? one : (one / greatestCommonDivisor(one, other)) * other;
}

/** The quotient, rounded down. `by` > 0. */
export function floorDivided(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}

/** The quotient, rounded up. `by` > 0. */
export function ceilDivided(value: bigint, by: bigint): bigint {
  return -floorDivided(-value, by);
}

/** The inequality in its smallest whole coefficients, which cuts `max` down to what whole numbers reach. */
export function tightened({ terms, max }: Inequality): Inequality {
  let divisor = 0n;
  for (const coefficient of terms.values()) divisor = greatestCommonDivisor(divisor, coefficient);
  if (divisor <= 1n) return { terms, max };
  const reduced = new Map([...terms].map(([unknown, coefficient]) => [unknown, coefficient / divisor] as const));
  return { terms: reduced, max: floorDivided(max, divisor) };
}

/**
 * Whole numbers in their ranges that satisfy all inequalities. `none`: there are none; `unclear`: too much to find out.
 */
export function solve(
  inequalities: readonly Inequality[],
  ranges: ReadonlyMap<number, Range>,
): ReadonlyMap<number, bigint> | "none" | "unclear" {
  const rows = inequalities.map(tightened);
  for (const [unknown, { low, high }] of ranges) {
    rows.push({ terms: new Map([[unknown, 1n]]), max: high }, { terms: new Map([[unknown, -1n]]), max: -low });
  }
  const layers = eliminate(rows, ranges);
  if (typeof layers === "string") return layers;
  const found = new Map<number, bigint>();
  return choose(layers, layers.length - 1, { found, ranges, stepsLeft: STEPS_MAX }) ?? found;
}

/** An unknown with the inequalities that hold it once the later ones are chosen. */
interface Layer {
  readonly unknown: number;
  readonly rows: readonly Inequality[];
}

function eliminate(
  rows: readonly Inequality[],
  ranges: ReadonlyMap<number, Range>,
): readonly Layer[] | "none" | "unclear" {
  const layers: Layer[] = [];
  const left = new Set(ranges.keys());
  let open = distinct(rows);
  while (left.size > 0) {
    if (open === "none") return "none";
    const unknown = cheapest(left, open);
    left.delete(unknown);
    const [above, below, rest] = split(open, unknown);
    layers.push({ unknown, rows: [...above, ...below] });
    if (rest.length + above.length * below.length > INEQUALITIES_MAX) return "unclear";
    open = distinct([...rest, ...above.flatMap((high) => below.map((low) => combined(high, low, unknown)))]);
  }
  return open === "none" ? "none" : layers;
}

function cheapest(left: ReadonlySet<number>, rows: readonly Inequality[]): number {
  const costs = new Map([...left].map((unknown) => [unknown, { above: 0, below: 0 }]));
  for (const { terms } of rows) {
    for (const [unknown, coefficient] of terms) {
      const cost = costs.get(unknown);
      if (cost) cost[coefficient > 0n ? "above" : "below"] += 1;
    }
  }
  let best: { readonly unknown: number; readonly cost: number } | undefined;
  for (const [unknown, { above, below }] of costs) {
    if (!best || above * below < best.cost) best = { unknown, cost: above * below };
  }
  return best!.unknown;
}

function split(rows: readonly Inequality[], unknown: number): readonly [Inequality[], Inequality[], Inequality[]] {
  const [above, below, rest]: [Inequality[], Inequality[], Inequality[]] = [[], [], []];
  for (const row of rows) {
    const coefficient = row.terms.get(unknown);
    if (coefficient === undefined) rest.push(row);
    else (coefficient > 0n ? above : below).push(row);
  }
  return [above, below, rest];
}

/** What an upper and a lower bound of the unknown say of the others. */
function combined(high: Inequality, low: Inequality, unknown: number): Inequality {
  const [up, down] = [high.terms.get(unknown)!, -low.terms.get(unknown)!];
  const sum = plus(
    times({ terms: high.terms, constant: -high.max, over: 1n }, down),
    times({ terms: low.terms, constant: -low.max, over: 1n }, up),
  );
  return tightened({ terms: sum.terms, max: -sum.constant });
}

/** Of several inequalities with the same left side the narrowest; those that always hold are dropped. */
function distinct(rows: readonly Inequality[]): readonly Inequality[] | "none" {
  const narrowest = new Map<string, Inequality>();
  for (const row of rows) {
    if (row.terms.size === 0) {
      if (row.max < 0n) return "none";
      continue;
    }
    const key = [...row.terms].sort(([one], [other]) => one - other).join(" ");
    const before = narrowest.get(key);
    if (!before || row.max < before.max) narrowest.set(key, row);
  }
  return [...narrowest.values()];
}

/** Values chosen so far. */
interface Choice {
  readonly found: Map<number, bigint>;
  readonly ranges: ReadonlyMap<number, Range>;
  stepsLeft: number;
}

/** Fills `found` from the last layer down. Answers why it could not. */
function choose(layers: readonly Layer[], index: number, choice: Choice): "none" | "unclear" | undefined {
  const layer = layers[index];
  if (layer === undefined) return undefined;
  const { unknown, rows } = layer;
  const [low, high] = boundsOf(rows, unknown, choice.found);
  let answer: "none" | "unclear" = high - low >= BigInt(TRIALS_MAX) ? "unclear" : "none";
  for (const value of candidates(low, high, choice.ranges.get(unknown)!.preferred)) {
    choice.stepsLeft -= 1;
    if (choice.stepsLeft < 0) return "unclear";
    choice.found.set(unknown, value);
    const deeper = choose(layers, index - 1, choice);
    if (deeper === undefined) return undefined;
    if (deeper === "unclear") answer = "unclear";
  }
  choice.found.delete(unknown);
  return answer;
}

function boundsOf(
  rows: readonly Inequality[],
  unknown: number,
  found: ReadonlyMap<number, bigint>,
): readonly [bigint, bigint] {
  let [low, high]: [bigint | undefined, bigint | undefined] = [undefined, undefined];
  for (const { terms, max } of rows) {
    let rest = max;
    for (const [other, coefficient] of terms) if (other !== unknown) rest -= coefficient * found.get(other)!;
    const own = terms.get(unknown)!;
    if (own > 0n) {
      const bound = floorDivided(rest, own);
      if (high === undefined || bound < high) high = bound;
    } else {
      const bound = ceilDivided(-rest, -own);
      if (low === undefined || bound > low) low = bound;
    }
  }
  return [low!, high!]; // Every unknown has a range, hence both bounds.
}

/** From the preferred value outwards, at most {@link TRIALS_MAX}. */
function* candidates(low: bigint, high: bigint, preferred: bigint): Generator<bigint> {
  if (low > high) return;
  const start = preferred < low ? low : preferred > high ? high : preferred;
  yield start;
  for (let [step, left] = [1n, TRIALS_MAX - 1]; left > 0; step += 1n) {
    if (start - step < low && start + step > high) return;
    if (start + step <= high) {
      yield start + step;
      left -= 1;
    }
    if (start - step >= low) {
      yield start - step;
      left -= 1;
    }
  }
}
