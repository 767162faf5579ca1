import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { compile } from "../dsl/index.ts";
import { runTest } from "../engine/index.ts";

const REFERENCE = join(import.meta.dirname, "..", "docs", "language.md");

test("the examples of the language reference are sound, and their tests pass", () => {
  const examples = [...readFileSync(REFERENCE, "utf8").matchAll(/^```flow\n(.*?)^```$/gms)].map(([, text]) => text!);
  assert.ok(examples.length >= 3);
  for (const [index, text] of examples.entries()) {
    const { diagnostics, definitions, tests } = compile(text, `example-${index + 1}.flow`);
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    assert.deepEqual(errors, [], text);
    for (const block of tests) assert.equal(runTest(block, definitions, text).message, undefined);
  }
});
