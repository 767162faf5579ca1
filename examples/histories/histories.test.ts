import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { test } from "node:test";
import { hashOf } from "../../dsl/index.ts";
import { replay } from "../../engine/index.ts";
import { loadExamples } from "../load.ts";
import { type RecordedFile, record } from "./record.ts";

/** Histories of every version that was released replay to the same instance, byte for byte. */

const FOLDER = import.meta.dirname;
const files = globSync("*/*.json", { cwd: FOLDER }).sort();

for (const file of files) {
  const { definitions, histories } = JSON.parse(readFileSync(resolve(FOLDER, file), "utf8")) as RecordedFile;

  test(`${file}: the definitions have the names that were given to them`, () => {
    for (const [name, { hash, ...definition }] of Object.entries(definitions)) {
      assert.equal(hash, name);
      assert.equal(hashOf(definition), name);
    }
  });

  for (const { test: block, key, definition, entries, instance } of histories) {
    test(`${file}: ${block} (${key}) comes to the same instance`, () => {
      const replayed = replay(definitions[definition]!, entries, (hash) => definitions[hash]);
      assert.equal(JSON.stringify(replayed), JSON.stringify(instance));
    });
  }
}

test("what is recorded now replays", () => {
  const examples = loadExamples();
  for (const { definitions, histories } of examples.map((example) => record(example, examples))) {
    for (const { test: block, definition, entries, instance } of histories) {
      const kept = JSON.parse(JSON.stringify(entries)) as typeof entries;
      const replayed = replay(definitions[definition]!, kept, (hash) => definitions[hash]);
      assert.equal(JSON.stringify(replayed), JSON.stringify(instance), block);
    }
  }
});

test("every example with tests has histories", () => {
  const recorded = new Set(files.map((file) => basename(file, ".json")));
  const examples = loadExamples().filter(({ tests }) => tests.length > 0);
  assert.deepEqual(
    examples.map(({ file }) => basename(file, ".flow")).filter((name) => !recorded.has(name)),
    [],
  );
});
