import { globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { compile, type Definition, type TestBlock } from "../../dsl/index.ts";
import { runTest } from "../../engine/index.ts";
import { microsecondsPer } from "../cpu.ts";
import type { Benchmark, Size } from "../harness.ts";

/** The simulator: `test` blocks of the conformance suite and the examples, once they are compiled. */

const ROUNDS: Record<Size, number> = { quick: 1, full: 10 };
const ROOT = resolve(import.meta.dirname, "../..");

export const simulator: readonly Benchmark[] = [
  {
    ...{ id: "simulator", what: "statements of `test` blocks", unit: "1/s", better: "higher", goal: 1 },
    referenceName: "the limit",
    ours: async (size) => statementsPerSecond(ROUNDS[size]),
    reference: async () => 5_000,
  },
];

interface Playable {
  readonly block: TestBlock;
  readonly definitions: readonly Definition[];
}

function statementsPerSecond(rounds: number): number {
  const tests = load();
  const statements = tests.reduce((sum, { block }) => sum + block.statements.length, 0);
  const round = microsecondsPer(rounds, () => {
    tests.forEach(play);
    return true;
  });
  return (statements * 1e6) / round;
}

function play({ block, definitions }: Playable): void {
  const { ok, file, name, message } = runTest(block, definitions);
  if (!ok) throw new Error(`${file}: ${name}: ${message}`);
}

function load(): readonly Playable[] {
  const environment = { file: (path: string) => readFileSync(resolve(ROOT, path), "utf8") };
  const files = globSync("{conformance,examples}/*/*.flow", { cwd: ROOT }).map((file) => {
    return compile(readFileSync(resolve(ROOT, file), "utf8"), file, environment);
  });
  const examples = files.flatMap(({ definitions }) => definitions);
  return files.flatMap(({ tests, definitions: own }) => {
    const names = new Set(own.map(({ flow }) => flow));
    const definitions = [...own, ...examples.filter(({ flow }) => !names.has(flow))];
    return tests.map((block) => ({ block, definitions }));
  });
}
