import { writeFileSync } from "node:fs";
import { Command } from "commander";
import type { Diagnostic, Language } from "../../dsl/index.ts";
import type { Coverage, TestResult } from "../../engine/index.ts";
import { EXIT, type Io, messageOf, paint, printJson, UsageError } from "./io.ts";
import { languageFor, languageOption } from "./language.ts";
import { progressBar } from "./progress.ts";
import type { CheckedFile } from "./sources.ts";
import { type Words, wordsIn } from "./words.ts";

interface Options {
  readonly json?: true;
  readonly junit?: string;
  readonly name?: string;
  readonly lang?: Language;
  readonly watch?: true;
  readonly coverage?: true;
  readonly coverageMin?: number;
  readonly lcov?: string;
  readonly generate?: true;
  readonly write?: true;
}

type Timed = TestResult & { readonly ms: number };

export const testCommand = (io: Io): Command =>
  new Command("test")
    .description("runs the `test` blocks of flows on the real engine, with a simulated clock and world")
    .argument("<path...>", "a file, or a folder that is searched for *.flow")
    .option("--json", "one JSON value on standard output")
    .option("--junit <file>", "writes a JUnit report, too")
    .option("--name <pattern>", "only tests whose name this regular expression finds")
    .option("--coverage", "states, transitions, conditions, matrix rows and boundaries that no test comes by")
    .option("--coverage-min <percent>", "exit code 1 if less than this share of all that is covered", readPercent)
    .option("--lcov <file>", "writes the coverage of the flows' lines as an lcov tracefile, too")
    .option("--generate", "writes tests that pass for what is not covered, instead of the results")
    .option("--write", "with --generate: appends them to the files")
    .addOption(languageOption())
    .option("--watch", "again whenever a file changes, until it is interrupted")
    .addHelpText("after", "\nExample:\n  assent test my-flow --name reject\n  assent test my-flow --coverage")
    .action(async (paths: readonly string[], options: Options) => {
      const run = () => test(paths, options, io);
      if (!options.watch) io.exitCode = await run();
      else {
        const { filesOf } = await import("./sources.ts");
        const { runAndWatch } = await import("./watching.ts");
        filesOf(paths); // A PATH that is not there is wrong usage at once.
        io.exitCode = await runAndWatch(paths, io, run);
      }
    });

async function test(paths: readonly string[], options: Options, io: Io): Promise<number> {
  const { json, junit, name, lang, generate } = options;
  const { checkFiles, diagnosticsToJson, diagnosticsToText, filesOf } = await import("./sources.ts");
  const wanted = patternOf(name);
  const language = languageFor(lang, io);
  const words = wordsIn(language);
  const checked = await checkFiles(filesOf(paths), progressBar(io));
  const broken = checked
    .filter(({ diagnostics }) => diagnostics.some(isError))
    .map((file) => ({ ...file, diagnostics: file.diagnostics.filter(isError) }));
  const sound = checked.flatMap((file) => runnable(file) ?? []);
  const isRun = new Set(sound.map(({ file }) => file));
  const notRun = broken.filter(({ file }) => !isRun.has(file)).map((file) => testsNotRun(file, wanted));
  const coverage = await coverageFor(options);
  const tests = await runTests(sound, wanted, coverage);
  const failed = tests.filter(({ ok }) => !ok).length;
  const passed = tests.length - failed;
  if (junit !== undefined) writeFileSync(junit, junitReport(tests, notRun));
  const covered = coverage && (await reportCoverage(coverage, sound, options, words, io));
  if (generate && coverage) {
    for (const text of diagnosticsToText(broken, io.color, language)) io.err(`${text}\n`);
    const { printGenerated } = await import("./generate.ts");
    await printGenerated(coverage, sound, options, io);
  } else if (json) {
    const faults = broken.length > 0 && {
      notRun: notRun.map(countOf),
      diagnostics: diagnosticsToJson(broken, language),
    };
    printJson(io, { passed, failed, tests, ...(covered && { coverage: covered.json }), ...faults });
  } else {
    for (const text of diagnosticsToText(broken, io.color, language)) io.out(`${text}\n`);
    for (const result of tests) io.out(line(result, words, io));
    for (const file of notRun) if (file.tests.length > 0) io.out(notRunLine(file, words, io));
    io.out(words.tested(passed, failed, sumOf(notRun)));
    if (covered) io.out(`\n${covered.text}`);
  }
  const nothingFound = name !== undefined && tests.length + sumOf(notRun) === 0;
  if (nothingFound) io.err(words.nothingMatches(name));
  return failed > 0 || broken.length > 0 || nothingFound || covered?.isTooLow ? EXIT.no : EXIT.ok;
}

/** Errors of flows that run: the tests that show how a property is broken are run, too. */
const OF_PROPERTIES: ReadonlySet<string> = new Set(["FLOW250", "FLOW253"]);

/** The file with the flows that its tests may run; `undefined` where they would not run what is written. */
function runnable(checked: CheckedFile): CheckedFile | undefined {
  const { ast, compiled, diagnostics } = checked;
  const errors = diagnostics.filter(isError);
  if (errors.length === 0) return checked;
  // Of several versions of a name the last is current: their order is to be kept.
  const isPlain = new Set(ast.flows.map(({ name }) => name.text)).size === ast.flows.length;
  if (!isPlain || !errors.every(({ code }) => OF_PROPERTIES.has(code))) return undefined;
  return { ...checked, compiled: { ...compiled, definitions: [...compiled.definitions, ...compiled.unsound] } };
}

const isError = ({ severity }: Diagnostic): boolean => severity === "error";

function readPercent(text: string): number {
  const percent = Number(text);
  if (text.trim() !== "" && percent >= 0 && percent <= 100) return percent;
  throw new UsageError(`\`--coverage-min\` is a number from 0 to 100, not \`${text}\``);
}

async function coverageFor({ coverage, coverageMin, lcov, generate }: Options): Promise<Coverage | undefined> {
  if (!coverage && coverageMin === undefined && lcov === undefined && !generate) return undefined;
  const { Coverage: Collector } = await import("../../engine/index.ts");
  return new Collector();
}

interface CoverageReport {
  readonly json: unknown;
  readonly text: string;
  readonly isTooLow: boolean;
}

/** @param sound files whose flows are reported. */
async function reportCoverage(
  coverage: Coverage,
  sound: readonly CheckedFile[],
  { coverageMin = 0, lcov }: Options,
  words: Words,
  io: Io,
): Promise<CoverageReport> {
  const { coverageJson, coverageText, flowReports, lcovReport, percentOf } = await import("./coverage.ts");
  const reports = flowReports(coverage, sound);
  if (lcov !== undefined) writeFileSync(lcov, lcovReport(reports));
  const percent = percentOf(reports);
  const isTooLow = percent < coverageMin;
  if (isTooLow) io.err(words.tooLittleCovered(percent.toFixed(1), coverageMin));
  return { json: coverageJson(reports), text: coverageText(reports, words, io), isTooLow };
}

function patternOf(name: string | undefined): RegExp {
  try {
    return new RegExp(name ?? "", "iu");
  } catch (error) {
    throw new UsageError(`\`--name\` is not a regular expression: ${messageOf(error)}`);
  }
}

/** @param sound files whose flows run as they are written. */
async function runTests(
  sound: readonly CheckedFile[],
  wanted: RegExp,
  coverage: Coverage | undefined,
): Promise<readonly Timed[]> {
  const { runTest } = await import("../../engine/index.ts");
  return sound.flatMap((own) => {
    const definitions = definitionsFor(own, sound);
    return own.compiled.tests
      .filter(({ name }) => wanted.test(name))
      .map((block) => {
        const started = performance.now();
        const result = runTest(block, definitions, own.text, coverage);
        return { ...result, ms: Math.round((performance.now() - started) * 10) / 10 };
      });
  });
}

/** The file's own flows, and those of the other files that it may start; its own win over a namesake. */
export function definitionsFor({ compiled }: CheckedFile, all: readonly CheckedFile[]) {
  const own = new Set(compiled.definitions.map(({ flow }) => flow));
  const others = all.flatMap((file) => file.compiled.definitions).filter(({ flow }) => !own.has(flow));
  return [...compiled.definitions, ...others];
}

interface NotRun {
  readonly file: string;
  /** Those that were asked for. */
  readonly tests: readonly { readonly name: string; readonly flow: string }[];
  /** The errors stand in the file itself, not in one that it uses. */
  readonly hasErrors: boolean;
}

function testsNotRun({ file, ast, diagnostics }: CheckedFile, wanted: RegExp): NotRun {
  const tests = ast.tests.map(({ name, flow }) => ({ name: name.text, flow: flow.text }));
  return {
    file,
    tests: tests.filter(({ name }) => wanted.test(name)),
    hasErrors: diagnostics.some((one) => one.file === file),
  };
}

const sumOf = (notRun: readonly NotRun[]): number => notRun.reduce((sum, { tests }) => sum + tests.length, 0);

const countOf = ({ tests, ...file }: NotRun) => ({ ...file, tests: tests.length });

const notRunLine = ({ file, tests, hasErrors }: NotRun, words: Words, io: Io): string =>
  `${paint(io, "yellow", "-")} ${file}: ${words.notRun(tests.length, hasErrors)}`;

function line({ ok, name, flow, file, line: at, message = "", ms }: Timed, words: Words, io: Io): string {
  if (ok) return `${paint(io, "green", "✔")} ${flow}: ${name} (${ms} ms)`;
  const indented = words.failure(message).replaceAll("\n", "\n    ");
  return `${paint(io, "red", "✘")} ${flow}: ${name}\n  ${file}:${at ?? 1}\n    ${indented}`;
}

/** In the form that CI servers read; there is no norm, this is what Ant's task writes. */
function junitReport(tests: readonly Timed[], notRun: readonly NotRun[]): string {
  const cases = tests.map(({ ok, name, flow, file, line: at, message = "", ms }) => {
    const head = `  <testcase classname="${xml(flow)}" name="${xml(name)}" file="${xml(file)}" time="${ms / 1000}"`;
    if (ok) return `${head}/>`;
    const first = message.split("\n", 1)[0]!;
    return `${head}>\n    <failure message="${xml(first)}">${xml(`${file}:${at ?? 1}\n${message}`)}</failure>\n  </testcase>`;
  });
  const skipped = notRun.flatMap(({ file, tests: left, hasErrors }) =>
    left.map(({ name, flow }) => {
      const head = `  <testcase classname="${xml(flow)}" name="${xml(name)}" file="${xml(file)}">`;
      const why = hasErrors ? "the file has errors" : "a file that it uses has errors";
      return `${head}\n    <skipped message="${why}"/>\n  </testcase>`;
    }),
  );
  const all = tests.length + skipped.length;
  const failures = tests.filter(({ ok }) => !ok).length;
  const seconds = tests.reduce((sum, { ms }) => sum + ms, 0) / 1000;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="assent" tests="${all}" failures="${failures}" errors="0" skipped="${skipped.length}" time="${seconds}">`,
    ...cases,
    ...skipped,
    "</testsuite>",
    "",
  ].join("\n");
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
/** Control characters can't stand in XML 1.0, not even escaped. */
const xml = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ENTITIES[sign]!).replace(/[^\t\n\r\u0020-\uFFFD\u{10000}-\u{10FFFF}]/gu, "\uFFFD");
