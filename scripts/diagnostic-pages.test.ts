import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { basename, dirname } from "node:path";
import { describe, it } from "node:test";
import { applyFixes, codes, type Diagnostic, localize } from "../dsl/index.ts";
import { diagnosticsOf, INDEX, isOfLoading, pages, readIndex, withMessages, withTables } from "./diagnostic-pages.ts";

const all = pages();
const wrong = all.flatMap(({ code, examples }) =>
  examples.filter(({ kind }) => kind === "wrong").map((example) => ({ code, example, found: diagnosticsOf(example) })),
);

describe("pages of diagnostics", () => {
  it("has one for every code, and none besides", () => {
    const files = readdirSync(dirname(INDEX)).filter((name) => name !== basename(INDEX));
    assert.deepEqual(
      files.sort(),
      Object.keys(codes).map((code) => `${code}.md`),
    );
  });

  it("calls every code what the catalogue calls it", () => {
    for (const { code, text } of all) {
      const { severity, title } = codes[code];
      assert.ok(text.startsWith(`# ${code}: ${title}\n\nA${severity === "error" ? "n error" : " warning"}. `), code);
    }
  });

  it("shows a wrong and a right example of each", () => {
    for (const { code, examples } of all.filter((page) => !isOfLoading(page.code)))
      assert.deepEqual(examples.map(({ kind }) => kind).sort(), ["right", "wrong"], code);
  });

  it("shows wrong examples that give their code, and no other that is not named", () => {
    for (const { code, example, found } of wrong) {
      const expected = new Set([code, ...example.also]);
      assert.deepEqual(new Set(found.map((diagnostic) => diagnostic.code)), expected, code);
    }
  });

  it("shows right examples in which nothing is wrong", () => {
    for (const { code, examples } of all) {
      for (const example of examples.filter(({ kind }) => kind === "right"))
        assert.deepEqual(diagnosticsOf(example), [], code);
    }
  });

  it("says what the checker says; `npm run diagnostics` writes it", () => {
    for (const page of all) assert.equal(page.text, withMessages(page), page.code);
    assert.equal(readIndex(), withTables(readIndex()));
  });

  it("says everything in Chinese, too", () => {
    for (const { code, found } of wrong) {
      for (const diagnostic of found) {
        const chinese = localize(diagnostic, "zh");
        const pairs = [
          [diagnostic.message, chinese.message],
          [diagnostic.hint, chinese.hint],
          ...(diagnostic.related ?? []).map(({ message }, index) => [message, chinese.related?.[index]?.message]),
        ];
        for (const [english, other] of pairs)
          assert.ok(english === undefined || other !== english, `${code}: ${english}`);
      }
    }
  });

  it("mends exactly what has a fix", () => {
    const mendable = wrong.filter(({ code, found }) => code !== "FLOW018" && found.some(({ fix }) => fix));
    assert.ok(mendable.length >= 25, `${mendable.length} codes have a fix in their example`);
    for (const { code, example, found } of mendable) {
      const mended = applyFixes(example.text.repeat(example.times), found);
      const left = diagnosticsOf({ ...example, text: mended.text, times: 1 });
      assert.deepEqual(left.map(sentence), found.filter(({ fix }) => !fix).map(sentence), code);
    }
  });
});

const sentence = ({ code, message }: Diagnostic): string => `${code}: ${message}`;
