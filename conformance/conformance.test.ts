import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { suite, test } from "node:test";
import { finePrint } from "./fine-print.ts";
import { defects, sections } from "./rows.ts";
import { jsonOf, loadSuite, pageOf, runByRow } from "./suite.ts";

const { scenarios, errors } = loadSuite();
const results = runByRow(scenarios);
const ROOT = resolve(import.meta.dirname, "..");

test("the files have no errors", () => {
  assert.deepEqual(errors, []);
});

test("every scenario belongs to a row, and there are enough of them", () => {
  const rows = new Set(sections.flatMap((section) => section.rows));
  assert.deepEqual(
    scenarios.filter(({ row }) => !rows.has(row)).map(({ block }) => block.name),
    [],
  );
  assert(scenarios.length >= 200);
});

test("every public defect has its scenarios", () => {
  const names = new Set(scenarios.map(({ block }) => block.name));
  const missing = defects.flatMap((defect) => defect.scenarios).filter((name) => !names.has(name));
  assert.deepEqual(missing, []);
});

test("every rule of the fine print has its scenarios", () => {
  const names = new Set(scenarios.map(({ block }) => block.name));
  for (const [rule, ...wanted] of finePrint.flatMap(({ rules }) => rules)) {
    assert.deepEqual([wanted.length > 0, wanted.filter((name) => !names.has(name))], [true, []], rule);
  }
});

suite("scenarios", () => {
  for (const { row, passed, failed } of results) {
    test(row, () => {
      assert(passed + failed.length > 0, "no scenario");
      const messages = failed.map(({ file, line, name, message }) => `${file}:${line} ${name}\n${message}`);
      assert.equal(messages.length, 0, messages.join("\n\n"));
    });
  }
});

test("the published table and scenarios are what the files give; else run scripts/conformance.ts", () => {
  assert.equal(readFileSync(resolve(ROOT, "docs/conformance.md"), "utf8"), pageOf(results));
  assert.equal(readFileSync(resolve(ROOT, "conformance/scenarios.json"), "utf8"), jsonOf(scenarios));
});
