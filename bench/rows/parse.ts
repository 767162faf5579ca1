import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { compile, parse } from "../../dsl/index.ts";
import { FLOWS } from "../folder.ts";
import type { Benchmark, Size } from "../harness.ts";
import { accepts } from "../reference/bare-grammar.ts";

/** From text to tree: ours with its places and comments, a bare grammar that only says yes or no, and a framework's. */

const ROUNDS: Record<Size, number> = { quick: 50, full: 800 };
const FRAMEWORK_ROUNDS: Record<Size, number> = { quick: 20, full: 400 };
const EXPENSE = join(FLOWS, "bench-expense.flow");
const TEXTS = [
  ...["leave-approval", "contract-approval"].map((name) =>
    resolve(import.meta.dirname, `../../examples/${name}/${name}.flow`),
  ),
  EXPENSE,
].map((file) => readFileSync(file, "utf8"));
const LINES = TEXTS.reduce((lines, text) => lines + text.trimEnd().split("\n").length, 0);
const expense = readFileSync(EXPENSE, "utf8");

export const parsing: readonly Benchmark[] = [
  {
    id: "parse",
    what: "parsing examples, per line",
    unit: "µs",
    better: "lower",
    referenceName: "Chevrotain's bare parse",
    goal: 2 / 3,
    ours: async (size) => microsecondsPerLine(size, isSound),
    reference: async (size) => microsecondsPerLine(size, accepts),
  },
  {
    id: "parse-langium",
    what: "parsing a flow of 49 lines",
    unit: "µs",
    better: "lower",
    referenceName: "Langium's parse",
    goal: 2,
    ours: async (size) => microsecondsPerFlow(size, async (text) => refuseUnsound(text)),
    reference: async (size) => microsecondsPerFlow(size, await (await langium()).langiumParser()),
  },
  {
    id: "parse-build",
    what: "parsing a flow of 49 lines",
    unit: "µs",
    better: "lower",
    referenceName: "Langium's build",
    goal: 10,
    ours: async (size) => microsecondsPerFlow(size, async (text) => refuseUnsound(text)),
    reference: async (size) => microsecondsPerFlow(size, await (await langium()).langiumBuilder()),
  },
  {
    id: "check-langium",
    what: "a flow of 49 lines with names, types, proofs and hash",
    unit: "µs",
    better: "lower",
    referenceName: "Langium's build, without proofs",
    ours: async (size) => microsecondsPerFlow(size, async (text) => refuseUnproved(text)),
    reference: async (size) => microsecondsPerFlow(size, await (await langium()).langiumBuilder()),
  },
];

/** Loaded when it is needed: it is built on Chevrotain, too, whose code gets slower for each parser that uses it. */
const langium = () => import("../reference/langium.ts");

function isSound(text: string): boolean {
  return parse(text, "x.flow").diagnostics.length === 0;
}

function refuseUnsound(text: string): void {
  if (!isSound(text)) throw new Error("the flow was refused");
}

function refuseUnproved(text: string): void {
  if (compile(text, "x.flow").definitions.length !== 1) throw new Error("the flow was refused");
}

function microsecondsPerLine(size: Size, isFine: (text: string) => boolean): number {
  for (const text of TEXTS)
    if (isFine(text.slice(0, -3))) throw new Error("a text without its last brace was taken for sound");
  run(ROUNDS[size], isFine);
  const started = performance.now();
  run(ROUNDS[size], isFine);
  return ((performance.now() - started) * 1_000) / (ROUNDS[size] * LINES);
}

function run(rounds: number, isFine: (text: string) => boolean): void {
  for (let round = 0; round < rounds; round++)
    for (const text of TEXTS) if (!isFine(text)) throw new Error("an example was refused");
}

/** As many rounds again come first and are not counted. */
async function microsecondsPerFlow(size: Size, read: (text: string) => void | Promise<void>): Promise<number> {
  const rounds = FRAMEWORK_ROUNDS[size];
  for (let round = 0; round < rounds; round++) await read(expense);
  const started = performance.now();
  for (let round = 0; round < rounds; round++) await read(expense);
  return ((performance.now() - started) * 1_000) / rounds;
}
