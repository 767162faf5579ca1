import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { format } from "../dsl/index.ts";
import { Coverage, runTest } from "../engine/index.ts";
import { flowsFor, loadExamples } from "./load.ts";

/** Their tests tell a story, no more; the first also has states that nothing leads to. */
const NOT_COVERED = ["leave-approval", "contract-approval"];
/** About what a checker without functions, services and people can't know. */
const EXPECTED = /^FLOW30[1-4]$/;

const examples = loadExamples();

for (const example of examples) {
  test(`${example.file} has no error, and warnings about the world outside only`, () => {
    const others = example.diagnostics.filter(({ code }) => !EXPECTED.test(code));
    const expected = example.file.startsWith("leave-approval/") ? ["FLOW204", "FLOW204"] : [];
    assert.deepEqual(
      others.map(({ code }) => code),
      expected,
    );
  });

  test(`${example.file} stands as the formatter writes it`, () => {
    assert.deepEqual(format(example.text), { text: example.text });
  });

  for (const block of example.tests) {
    test(`${example.file}: ${block.name}`, () => {
      const { ok, line, message } = runTest(block, flowsFor(example, examples), example.text);
      assert.ok(ok, `${example.file}:${line}\n${message}`);
    });
  }
}

test("tests come by every state, every line and every row of a matrix", () => {
  const coverage = new Coverage();
  for (const example of examples) {
    for (const block of example.tests) runTest(block, flowsFor(example, examples), example.text, coverage);
  }
  const missed = examples.flatMap(({ file, definitions }) =>
    definitions.flatMap((definition) =>
      coverage
        .of(definition)
        .filter(({ item: { kind }, hits }) => hits === 0 && ["states", "transitions", "rows"].includes(kind))
        .map(({ item: { text } }) => `${file} ${definition.label ?? ""}: ${text}`),
    ),
  );
  assert.deepEqual(
    missed.filter((text) => !NOT_COVERED.some((folder) => text.startsWith(`${folder}/`))),
    [],
  );
});

test("the examples are found", () => {
  assert.ok(examples.length >= 12);
});

test("the list in README.md names every folder", () => {
  const list = readFileSync(new URL("README.md", import.meta.url), "utf8");
  for (const folder of new Set(examples.map(({ file }) => dirname(file)))) {
    assert.ok(list.includes(`](${folder}/`) || list.includes(`](${folder})`), `${folder} is not in examples/README.md`);
  }
});
