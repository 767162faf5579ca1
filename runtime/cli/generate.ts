/** `assent test --generate`. */
import { appendFileSync } from "node:fs";
import type { Definition } from "../../dsl/index.ts";
import { type Coverage, generateTests, runTest } from "../../engine/index.ts";
import { counted, type Io, printJson } from "./io.ts";
import { type CheckedFile, compileAs, isError } from "./sources.ts";
import { definitionsFor } from "./test.ts";

interface Generated {
  readonly file: string;
  readonly flow: string;
  /** Of one test. */
  readonly text: string;
}

/** Prints tests for what no test comes by, or appends them to their files. */
export async function printGenerated(
  coverage: Coverage,
  files: readonly CheckedFile[],
  { json, write }: { readonly json?: true; readonly write?: true },
  io: Io,
): Promise<void> {
  const generated: Generated[] = [];
  for (const file of files) generated.push(...(await generateFor(file, files, coverage, io)));
  if (write) append(generated);
  if (json) printJson(io, { generated });
  else if (write) io.err(`${counted(generated.length, "test")} written`);
  else if (generated.length > 0)
    io.out(
      generated
        .map(({ text }) => text)
        .join("\n")
        .trimEnd(),
    );
}

async function generateFor(own: CheckedFile, all: readonly CheckedFile[], coverage: Coverage, io: Io) {
  const { file, compiled } = own;
  const definitions = definitionsFor(own, all);
  const names = compiled.tests.map(({ name }) => name);
  const generated: Generated[] = [];
  for (const definition of current(compiled.definitions)) {
    io.err(`${file}: looking for tests of ${definition.flow}`);
    for (const text of generateTests(definition, coverage, definitions, names)) {
      if (await passes(text, own, definitions)) generated.push({ file, flow: definition.flow, text });
    }
  }
  return generated;
}

/** Of several versions the last one. */
const current = (definitions: readonly Definition[]): readonly Definition[] => [
  ...new Map(definitions.map((definition) => [definition.flow, definition])).values(),
];

/** Nothing is shown that was not run as it is written. */
async function passes(test: string, { file, text }: CheckedFile, definitions: readonly Definition[]): Promise<boolean> {
  const whole = `${text.trimEnd()}\n\n${test}`;
  const { tests, diagnostics } = await compileAs(file, whole);
  const block = tests.at(-1);
  if (!block || diagnostics.some((one) => isError(one) && one.file === file)) return false;
  return runTest(block, definitions, whole).ok;
}

function append(generated: readonly Generated[]): void {
  for (const [file, tests] of Map.groupBy(generated, (one) => one.file)) {
    appendFileSync(file, `\n${tests.map(({ text }) => text).join("\n")}`);
  }
}
