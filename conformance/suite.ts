import { globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { compile, type Definition, type Statement, type TestBlock } from "../dsl/index.ts";
import { runTest, type TestResult } from "../engine/index.ts";
import { finePrint } from "./fine-print.ts";
import { defects, sections } from "./rows.ts";

/** One `test` block of a file of this folder. */
export interface Scenario {
  /** Row of the specification that its name begins with. */
  readonly row: string;
  readonly file: string;
  /** Of the whole file. */
  readonly text: string;
  readonly block: TestBlock;
  /** Flows of the file. */
  readonly definitions: readonly Definition[];
}

export interface Suite {
  readonly scenarios: readonly Scenario[];
  /** Errors in the files, readable. */
  readonly errors: readonly string[];
}

export interface RowResult {
  readonly row: string;
  readonly passed: number;
  readonly failed: readonly TestResult[];
}

const FOLDER = import.meta.dirname;

/** All scenarios of this folder, by file and place. */
export function loadSuite(): Suite {
  const loaded = globSync("*/*.flow", { cwd: FOLDER }).sort().map(loadFile);
  return {
    scenarios: loaded.flatMap(({ scenarios }) => scenarios),
    errors: loaded.flatMap(({ errors }) => errors),
  };
}

function loadFile(file: string): Suite {
  const text = readFileSync(resolve(FOLDER, file), "utf8");
  const { definitions, diagnostics, tests } = compile(text, file);
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  return {
    scenarios: tests.map((block) => ({ row: rowOf(block), file, text, block, definitions })),
    errors: errors.map(({ code, message, span }) => `${file}:${lineAt(text, span.start)} ${code} ${message}`),
  };
}

function rowOf({ name }: TestBlock): string {
  return name.slice(0, name.indexOf(": "));
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

export function run({ block, definitions, text }: Scenario): TestResult {
  return runTest(block, definitions, text);
}

/** Runs everything; one result for each row of the specification, in its order. */
export function runByRow(scenarios: readonly Scenario[]): readonly RowResult[] {
  return sections.flatMap(({ rows }) =>
    rows.map((row) => {
      const results = scenarios.filter((scenario) => scenario.row === row).map(run);
      const failed = results.filter(({ ok }) => !ok);
      return { row, passed: results.length - failed.length, failed };
    }),
  );
}

// ------------------------------------------------------------------------------------------------------------------ //
// What is published
// ------------------------------------------------------------------------------------------------------------------ //

/** The page of results, in Markdown. */
export function pageOf(results: readonly RowResult[]): string {
  const byRow = new Map(results.map((result) => [result.row, result]));
  const total = results.reduce((sum, { passed, failed }) => sum + passed + failed.length, 0);
  const failed = results.reduce((sum, result) => sum + result.failed.length, 0);
  const tables = sections.flatMap(({ title, rows }) => [
    `## ${title}`,
    "",
    "| row | passed | failed |",
    "| --- | --- | --- |",
    ...rows.map((row) => `| ${row} | ${byRow.get(row)?.passed ?? 0} | ${byRow.get(row)?.failed.length ?? 0} |`),
    "",
  ]);
  return `${[
    "# Conformance",
    "",
    `${total} scenarios of [\`conformance/\`](../conformance/README.md), run against this engine: ${total - failed} passed, ${failed} failed.`,
    "Made by `node scripts/conformance.ts`; a test compares it with what the scenarios give.",
    "",
    ...tables,
    "## The fine print, rule by rule",
    "",
    "| rule | scenarios |",
    "| --- | --- |",
    ...finePrint.flatMap(({ title, rules }) =>
      rules.map(([rule, ...names]) => `| ${title}: ${rule} | ${names.join("<br>")} |`),
    ),
    "",
    "## Defects that others had in public",
    "",
    "| what | where | scenarios |",
    "| --- | --- | --- |",
    ...defects.map(({ what, where, scenarios }) => `| ${what} | ${where} | ${scenarios.join("<br>")} |`),
  ].join("\n")}\n`;
}

/** All scenarios as JSON, one a line: see README.md for the form. */
export function jsonOf(scenarios: readonly Scenario[]): string {
  const flows = new Map(scenarios.map(({ file, text }) => [file, text.replace(/^test "[\s\S]*?^}\n*/gm, "").trim()]));
  const files = [...flows].map(([file, text]) => `${JSON.stringify(file)}: ${JSON.stringify(text)}`);
  const lines = scenarios.map((scenario) => JSON.stringify(scenarioJson(scenario)));
  return `{\n"format": 1,\n"flows": {\n${files.join(",\n")}\n},\n"scenarios": [\n${lines.join(",\n")}\n]\n}\n`;
}

function scenarioJson({ row, file, block }: Scenario) {
  const { name, flow, label, startsAt, statements } = block;
  return {
    row,
    name,
    file,
    flow,
    ...(label !== undefined && { label }),
    ...(startsAt !== undefined && { startsAt }),
    statements: statements.map(withoutSpan),
  };
}

function withoutSpan({ span: _, ...rest }: Statement) {
  return rest;
}
