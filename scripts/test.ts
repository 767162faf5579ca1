import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { resolve } from "node:path";
import { describeMongoServer } from "./mongo-server.ts";
import { findNatsServer } from "./nats-server.ts";
import { fetchServers } from "./servers.ts";

/**
 * Runs the tests, for `npm test [-- PATTERN…]`: unit tests in one process, because starting one per file costs more than
 * all the tests; then the system tests, which start processes and servers, in a process each; and what tries very many
 * made-up texts (a hundred thousand where `CI=true`, a tenth of it elsewhere, `ASSENT_FUZZ` times as many for a night).
 */

const ROOT = resolve(import.meta.dirname, "..");
const FOLDERS = [
  "dsl",
  "engine",
  "runtime",
  "plugins",
  "templates",
  "examples",
  "bench",
  "scripts",
  "editors",
  "conformance",
  "simulation",
];
const SYSTEM = ".system.test.ts";
const FUZZ = ".fuzz.test.ts";
/** Whatever hangs is stopped. */
const FUZZ_MS_MAX = 3_600_000;

interface Suite {
  readonly name: string;
  readonly files: readonly string[];
  readonly flags: readonly string[];
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2));

function main(patterns: readonly string[]): number {
  const files = testFiles(patterns);
  if (files.length === 0) {
    console.error(`no test file has ${patterns.map((pattern) => `\`${pattern}\``).join(" or ")} in its path`);
    return 1;
  }
  const suites: readonly Suite[] = [
    {
      name: "unit",
      files: files.filter((file) => !file.endsWith(SYSTEM) && !file.endsWith(FUZZ)),
      flags: ["--test-isolation=none", "--test-force-exit"],
    },
    { name: "system", files: files.filter((file) => file.endsWith(SYSTEM)), flags: ["--test-concurrency=2"] },
    {
      name: "fuzz",
      files: files.filter((file) => file.endsWith(FUZZ)),
      flags: ["--test-concurrency=2", `--test-timeout=${FUZZ_MS_MAX}`],
    },
  ].filter((suite) => suite.files.length > 0);
  const serversOk = suites.every((suite) => suite.name !== "system") || serversReady();
  const results = suites.map(runSuite);
  printShares(results);
  return serversOk && results.every((result) => result.ok) ? 0 : 1;
}

/** A file is meant if one of the patterns is part of its path; all are, without a pattern. */
function testFiles(patterns: readonly string[]): readonly string[] {
  const all = globSync(
    FOLDERS.map((folder) => `${folder}/**/*.test.ts`),
    { cwd: ROOT, exclude: (name) => name === "node_modules" },
  );
  return all.filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern))).sort();
}

/** False where a missing server is a failure. */
function serversReady(): boolean {
  fetchServers();
  const missing = [
    ...(findNatsServer() === undefined ? ["nats-server"] : []),
    ...(describeMongoServer() === undefined ? ["MongoDB server"] : []),
  ];
  const fails = process.env["CI"] === "true";
  for (const server of missing)
    console.error(`\n!!!! NO ${server} COULD BE GOT: the tests that need one ${fails ? "FAIL" : "ARE SKIPPED"} !!!!\n`);
  return missing.length === 0 || !fails;
}

function runSuite(suite: Suite): { readonly suite: Suite; readonly ok: boolean; readonly ms: number } {
  console.log(`\n== ${suite.name} tests, ${suite.files.length} files`);
  const started = performance.now();
  const done = spawnSync(process.execPath, ["--test", ...suite.flags, ...suite.files], { cwd: ROOT, stdio: "inherit" });
  if (done.error) console.error(`the ${suite.name} tests could not be run: ${done.error.message}`);
  return { suite, ok: done.status === 0, ms: performance.now() - started };
}

function printShares(results: readonly ReturnType<typeof runSuite>[]): void {
  const total = results.reduce((sum, result) => sum + result.ms, 0);
  console.log("");
  for (const { suite, ok, ms } of results) {
    const share = Math.round((100 * ms) / total);
    console.log(`== ${suite.name}: ${ok ? "ok" : "FAILED"}, ${(ms / 1000).toFixed(1)} s, ${share} % of the time`);
  }
}
