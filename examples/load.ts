import { existsSync, globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Compiled, compile, type Definition } from "../dsl/index.ts";

/** A file of this folder, compiled. */
export interface Example extends Compiled {
  readonly text: string;
}

const FOLDER = import.meta.dirname;

/** The text of a file, by its path in this folder. */
export function textOf(path: string): string | undefined {
  const full = resolve(FOLDER, path);
  return existsSync(full) ? readFileSync(full, "utf8") : undefined;
}

/** Every `.flow` file of the examples, in the order of their paths, which are relative to this folder. */
export function loadExamples(): readonly Example[] {
  const environment = { file: textOf };
  const paths = globSync("*/*.flow", { cwd: FOLDER }).map((path) => path.replaceAll("\\", "/"));
  return paths.sort().map((path) => {
    const text = textOf(path)!;
    return { ...compile(text, path, environment), text };
  });
}

/** The flows that a test of the example may run: its own, then those of the other examples. */
export function flowsFor(example: Example, all: readonly Example[]): readonly Definition[] {
  const own = new Set(example.definitions.map(({ flow }) => flow));
  return [...example.definitions, ...all.flatMap((other) => other.definitions.filter(({ flow }) => !own.has(flow)))];
}
