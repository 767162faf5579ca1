import assert from "node:assert/strict";
import { test } from "node:test";
import { compile, type Diagnostic, type Severity } from "../../dsl/index.ts";
import { loadExamples, textOf } from "../load.ts";
import { approvalOperators } from "./approvals.ts";
import { dataOperators } from "./data.ts";
import { lineOperators } from "./lines.ts";
import { matrixOperators } from "./matrices.ts";
import { nameOperators } from "./names.ts";
import { edited, type Mutant, type Operator, type Sample, sampleOf } from "./sample.ts";
import { timeOperators } from "./time.ts";

/**
 * Sound flows with one small mistake, at every place where it can be made: how many of them does the checker see? Prints
 * the share for each way of going wrong, and every mistake that was not seen.
 */

const SHARE_MIN = 0.95;

const OPERATORS: readonly Operator[] = [
  ...nameOperators,
  ...lineOperators,
  ...matrixOperators,
  ...approvalOperators,
  ...timeOperators,
  ...dataOperators,
];

/** What looks like a mistake and is none, and why. */
const HARMLESS: Readonly<Record<string, string>> = {
  "put others where a property needs these people: access-request/access-request.flow: owners in RENEWAL":
    "whoever renews was active before, so the owners approved then",
  "skip them where nobody is found: access-request/access-request.flow: onEmpty: skip in RENEWAL": "as above",
  "let time approve in their place: access-request/access-request.flow: due: 1d, overdue: [approve after 0h] in RENEWAL":
    "as above",
  "put others where a property needs these people: expense/expense.flow: manager in signOff, [0, 500) any false → manager":
    "the property begins at 500",
};

/** What became of one mistake; without a severity it was not seen. */
interface Tried {
  readonly operator: Operator;
  readonly what: string;
  readonly severity: Severity | undefined;
}

const samples = loadExamples().map(({ text, file }) => {
  const sample = sampleOf(text, file);
  return { sample, found: complaints(sample.text, file) };
});
const tried = OPERATORS.flatMap(tryOut);
const mistakes = tried.filter(({ what }) => HARMLESS[what] === undefined);

test("the samples are sound", () => {
  const errors = samples.flatMap(({ found }) => found.filter(({ severity }) => severity === "error"));
  assert.deepEqual(errors, []);
});

test("every operator finds a place", () => {
  const without = OPERATORS.filter((operator) => !mistakes.some((one) => one.operator === operator));
  assert.deepEqual(without, []);
});

test("what counts as harmless is not complained of", () => {
  const harmless = tried.filter(({ what, severity }) => HARMLESS[what] !== undefined && severity === undefined);
  assert.deepEqual(harmless.map(({ what }) => what).sort(), Object.keys(HARMLESS).sort());
});

test("the checker sees mistakes in sound flows", (context) => {
  const missed = mistakes.filter(({ severity }) => severity === undefined);
  const share = 1 - missed.length / mistakes.length;
  for (const line of table()) context.diagnostic(line);
  for (const { what } of missed) context.diagnostic(`not seen: ${what}`);
  const summary = `${(100 * share).toFixed(1)} % of ${mistakes.length} mistakes were seen`;
  context.diagnostic(summary);
  assert.ok(share >= SHARE_MIN, summary);
});

function tryOut(operator: Operator): readonly Tried[] {
  return samples.flatMap(({ sample, found }) => {
    const known = new Set(found.map(keyOf));
    return operator.mutants(sample).map((mutant) => {
      return {
        operator,
        what: `${operator.name}: ${sample.file}: ${mutant.what}`,
        severity: noticed(mutant, sample, known),
      };
    });
  });
}

function noticed({ edits }: Mutant, { text, file }: Sample, known: ReadonlySet<string>): Severity | undefined {
  const found = complaints(edited(text, edits), file).filter((one) => !known.has(keyOf(one)));
  return found.some(({ severity }) => severity === "error") ? "error" : found[0]?.severity;
}

function complaints(text: string, file: string): readonly Diagnostic[] {
  return compile(text, file, { file: textOf }).diagnostics;
}

function keyOf({ code, message }: Diagnostic): string {
  return `${code} ${message}`;
}

function table(): readonly string[] {
  const width = Math.max(...OPERATORS.map(({ name }) => name.length));
  return OPERATORS.map((operator) => {
    const own = mistakes.filter((one) => one.operator === operator);
    const [errors, warnings] = ["error", "warning"].map(
      (wanted) => own.filter(({ severity }) => severity === wanted).length,
    );
    const seen = `${errors! + warnings!}/${own.length}`;
    return `${operator.name.padEnd(width)} ${seen.padStart(9)}  ${errors} as errors, ${warnings} as warnings`;
  });
}
