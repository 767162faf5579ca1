/** A benchmark: ours and a reference that does the same job, in turn within one run. */
export interface Benchmark {
  readonly id: string;
  readonly what: string;
  readonly unit: string;
  readonly better: "higher" | "lower";
  readonly referenceName: string;
  /** The ratio asked for; without one the row only informs. */
  readonly goal?: number;
  /** Why it can't run here; such a row is not fine. */
  unavailable?(): string | undefined;
  ours(size: Size): Promise<number>;
  reference(size: Size): Promise<number>;
}

/** `quick` only shows that everything works. */
export type Size = "quick" | "full";

export interface Row {
  readonly id: string;
  readonly what: string;
  readonly unit: string;
  /** Medians of the runs. */
  readonly ours: number | null;
  readonly reference: number | null;
  readonly referenceName: string;
  /** Median of the runs' ratios; above 1 always means that ours is better. */
  readonly ratio: number | null;
  readonly goal: number | null;
  readonly ok: boolean;
  readonly runs: readonly { readonly ours: number; readonly reference: number }[];
  /** Why there is no figure. */
  readonly problem?: string;
}

const RUNS: Record<Size, number> = { quick: 1, full: 5 };

export async function measure(benchmark: Benchmark, size: Size): Promise<Row> {
  const runs: { ours: number; reference: number }[] = [];
  const missing = benchmark.unavailable?.();
  if (missing !== undefined) return rowOf(benchmark, runs, missing);
  try {
    for (let run = 0; run < RUNS[size]; run++) runs.push(await measureOnce(benchmark, size, run));
    return rowOf(benchmark, runs);
  } catch (error) {
    return rowOf(benchmark, [], error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}

/** Who is first alternates, so that neither always finds the machine as the other left it. */
async function measureOnce(
  benchmark: Benchmark,
  size: Size,
  run: number,
): Promise<{ ours: number; reference: number }> {
  if (run % 2 === 0) {
    const ours = await benchmark.ours(size);
    return { ours, reference: await benchmark.reference(size) };
  }
  const reference = await benchmark.reference(size);
  return { ours: await benchmark.ours(size), reference };
}

function rowOf(benchmark: Benchmark, runs: Row["runs"], problem?: string): Row {
  const { id, what, unit, better, referenceName, goal } = benchmark;
  const of = (pick: (run: Row["runs"][number]) => number) => (runs.length === 0 ? null : median(runs.map(pick)));
  const ratio = of(({ ours, reference }) => (better === "higher" ? ours / reference : reference / ours));
  return {
    ...{ id, what, unit, ours: of((run) => run.ours), reference: of((run) => run.reference), referenceName, ratio },
    ...{ goal: goal ?? null, ok: ratio !== null && (goal === undefined || ratio >= goal), runs },
    ...(problem !== undefined && { problem }),
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const COLUMNS = ["id", "ours", "reference", "unit", "ratio", "goal", "", "what", "reference is"] as const;

/** A table for people, a line per row. */
export function table(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    ...[row.id, figure(row.ours), figure(row.reference), row.unit, figure(row.ratio), figure(row.goal)],
    ...[row.problem === undefined ? (row.ok ? "ok" : "MISSED") : "BROKEN", row.what, row.referenceName],
  ]);
  const lines = [COLUMNS as readonly string[], ...cells];
  const widths = COLUMNS.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => pad(cell, widths[column]!, column))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

const NUMERIC = new Set([1, 2, 4, 5]);

function pad(cell: string, width: number, column: number): string {
  return NUMERIC.has(column) ? cell.padStart(width) : cell.padEnd(width);
}

function figure(value: number | null): string {
  if (value === null) return "–";
  const digits = Math.abs(value) >= 100 ? 0 : 3;
  return value.toLocaleString("en-US", {
    maximumFractionDigits: digits,
    ...(digits > 0 && { maximumSignificantDigits: 3 }),
  });
}
