import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parse } from "../../dsl/index.ts";
import type { Benchmark, Size } from "../harness.ts";
import { accepts } from "../reference/bare-grammar.ts";

/** Parsing the examples: ours makes the tree with its places and comments, the reference only says yes or no. */

const ROUNDS: Record<Size, number> = { quick: 50, full: 800 };
const EXAMPLES = ["leave-approval", "contract-approval"].map((name) =>
  readFileSync(resolve(import.meta.dirname, `../../examples/${name}/${name}.flow`), "utf8"),
);
const LINES = EXAMPLES.reduce((lines, text) => lines + text.trimEnd().split("\n").length, 0);

export const parsing: readonly Benchmark[] = [
  {
    id: "parse",
    what: "parsing the examples, per line",
    unit: "µs",
    better: "lower",
    referenceName: "Chevrotain's bare parse",
    ours: async (size) => microsecondsPerLine(size, (text) => parse(text, "x.flow").diagnostics.length === 0),
    reference: async (size) => microsecondsPerLine(size, accepts),
  },
];

function microsecondsPerLine(size: Size, isSound: (text: string) => boolean): number {
  for (const text of EXAMPLES)
    if (isSound(text.slice(0, -3))) throw new Error("a text without its last brace was taken for sound");
  run(ROUNDS[size], isSound);
  const started = performance.now();
  run(ROUNDS[size], isSound);
  return ((performance.now() - started) * 1_000) / (ROUNDS[size] * LINES);
}

function run(rounds: number, isSound: (text: string) => boolean): void {
  for (let round = 0; round < rounds; round++)
    for (const text of EXAMPLES) if (!isSound(text)) throw new Error("an example was refused");
}
