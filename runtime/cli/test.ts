import { writeFileSync } from "node:fs";
import { Command } from "commander";
import type { TestResult } from "../../engine/index.ts";
import { counted, EXIT, type Io, messageOf, paint, printJson, UsageError } from "./io.ts";
import type { CheckedFile } from "./sources.ts";

interface Options {
  readonly json?: true;
  readonly junit?: string;
  readonly name?: string;
  readonly watch?: true;
}

type Timed = TestResult & { readonly ms: number };

export const testCommand = (io: Io): Command =>
  new Command("test")
    .description("runs the `test` blocks of flows on the real engine, with a simulated clock and world")
    .argument("<path...>", "a file, or a folder that is searched for *.flow")
    .option("--json", "one JSON value on standard output")
    .option("--junit <file>", "writes a JUnit report, too")
    .option("--name <pattern>", "only tests whose name this regular expression finds")
    .option("--watch", "again whenever a file changes, until it is interrupted")
    .addHelpText("after", "\nExample:\n  assent test my-flow --name reject")
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

async function test(paths: readonly string[], { json, junit, name }: Options, io: Io): Promise<number> {
  const { checkFiles, diagnosticsToJson, diagnosticsToText, filesOf, isError } = await import("./sources.ts");
  const wanted = patternOf(name);
  const checked = await checkFiles(filesOf(paths));
  const broken = checked
    .filter(({ diagnostics }) => diagnostics.some(isError))
    .map((file) => ({ ...file, diagnostics: file.diagnostics.filter(isError) }));
  const tests = await runTests(checked, broken, wanted);
  const failed = tests.filter(({ ok }) => !ok).length;
  const passed = tests.length - failed;
  if (junit !== undefined) writeFileSync(junit, junitReport(tests));
  if (json) {
    const diagnostics = broken.length > 0 && { diagnostics: diagnosticsToJson(broken) };
    printJson(io, { passed, failed, tests, ...diagnostics });
  } else {
    for (const text of diagnosticsToText(broken, io.color)) io.out(`${text}\n`);
    for (const result of tests) io.out(line(result, io));
    io.out(`${counted(tests.length, "test")}: ${passed} passed, ${failed} failed`);
  }
  const nothingFound = name !== undefined && tests.length === 0;
  if (nothingFound) io.err(`no test's name matches \`${name}\``);
  return failed > 0 || broken.length > 0 || nothingFound ? EXIT.no : EXIT.ok;
}

function patternOf(name: string | undefined): RegExp {
  try {
    return new RegExp(name ?? "", "iu");
  } catch (error) {
    throw new UsageError(`\`--name\` is not a regular expression: ${messageOf(error)}`);
  }
}

/** A file with errors runs no tests: what it would run is not what it says. */
async function runTests(
  checked: readonly CheckedFile[],
  broken: readonly { readonly file: string }[],
  wanted: RegExp,
): Promise<readonly Timed[]> {
  const { runTest } = await import("../../engine/index.ts");
  const skipped = new Set(broken.map(({ file }) => file));
  const sound = checked.filter(({ file }) => !skipped.has(file));
  return sound.flatMap((own) => {
    const definitions = definitionsFor(own, sound);
    return own.compiled.tests
      .filter(({ name }) => wanted.test(name))
      .map((block) => {
        const started = performance.now();
        const result = runTest(block, definitions, own.text);
        return { ...result, ms: Math.round((performance.now() - started) * 10) / 10 };
      });
  });
}

/** The file's own flows, and those of the other files that it may start; its own win over a namesake. */
function definitionsFor({ compiled }: CheckedFile, all: readonly CheckedFile[]) {
  const own = new Set(compiled.definitions.map(({ flow }) => flow));
  const others = all.flatMap((file) => file.compiled.definitions).filter(({ flow }) => !own.has(flow));
  return [...compiled.definitions, ...others];
}

function line({ ok, name, flow, file, line: at, message, ms }: Timed, io: Io): string {
  if (ok) return `${paint(io, "green", "✔")} ${flow}: ${name} (${ms} ms)`;
  const indented = (message ?? "").replaceAll("\n", "\n    ");
  return `${paint(io, "red", "✘")} ${flow}: ${name}\n  ${file}:${at ?? 1}\n    ${indented}`;
}

/** In the form that CI servers read; there is no norm, this is what Ant's task writes. */
function junitReport(tests: readonly Timed[]): string {
  const cases = tests.map(({ ok, name, flow, file, line: at, message = "", ms }) => {
    const head = `  <testcase classname="${xml(flow)}" name="${xml(name)}" file="${xml(file)}" time="${ms / 1000}"`;
    if (ok) return `${head}/>`;
    const first = message.split("\n", 1)[0]!;
    return `${head}>\n    <failure message="${xml(first)}">${xml(`${file}:${at ?? 1}\n${message}`)}</failure>\n  </testcase>`;
  });
  const failures = tests.filter(({ ok }) => !ok).length;
  const seconds = tests.reduce((sum, { ms }) => sum + ms, 0) / 1000;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuite name="assent" tests="${tests.length}" failures="${failures}" errors="0" time="${seconds}">`,
    ...cases,
    "</testsuite>",
    "",
  ].join("\n");
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
/** Control characters can't stand in XML 1.0, not even escaped. */
const xml = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ENTITIES[sign]!).replace(/[^\t\n\r\u0020-\uFFFD\u{10000}-\u{10FFFF}]/gu, "\uFFFD");
