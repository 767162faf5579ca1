import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { jsonOf, loadSuite, pageOf, runByRow } from "../conformance/index.ts";

/**
 * `node scripts/conformance.ts [--check]`: runs the conformance scenarios, prints rows and failures, and writes
 * `conformance/scenarios.json` and `docs/conformance.md`; with `--check` it writes nothing.
 */

const ROOT = resolve(import.meta.dirname, "..");

if (import.meta.main) process.exitCode = main(process.argv.slice(2));

function main(args: readonly string[]): number {
  const { scenarios, errors } = loadSuite();
  for (const error of errors) console.error(error);
  const results = runByRow(scenarios);
  for (const { row, passed, failed } of results) {
    console.log(
      `${failed.length === 0 && passed > 0 ? "ok    " : "FAILED"} ${row}: ${passed} passed, ${failed.length} failed`,
    );
    for (const { file, line, name, message } of failed)
      console.log(`  ${file}:${line} ${name}\n${indent(message ?? "")}`);
  }
  const failures = results.reduce((sum, { failed }) => sum + failed.length, 0);
  console.log(`${scenarios.length} scenarios, ${failures} failed`);
  if (!args.includes("--check")) {
    writeFileSync(resolve(ROOT, "conformance/scenarios.json"), jsonOf(scenarios));
    writeFileSync(resolve(ROOT, "docs/conformance.md"), pageOf(results));
  }
  return failures + errors.length === 0 ? 0 : 1;
}

function indent(text: string): string {
  return text.replace(/^/gm, "    ");
}
