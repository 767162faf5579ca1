import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, it } from "node:test";

const ROOT = resolve(import.meta.dirname, "..");

/** Which rooms a room may import. Tests may also import what they test with: the scripts that start servers, the examples. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  dsl: [],
  engine: ["dsl"],
  plugins: ["dsl"],
  templates: ["dsl"],
  runtime: ["engine", "dsl", "plugins", "templates"],
  examples: ["runtime", "engine", "dsl", "plugins", "templates", "scripts"],
  bench: ["runtime", "engine", "dsl", "plugins", "templates", "scripts"],
  scripts: ["templates", "editors", "conformance", "engine", "dsl"],
  editors: [],
  conformance: ["engine", "dsl"],
  simulation: ["runtime", "engine", "dsl", "plugins"],
};
const FOR_TESTS = ["scripts", "examples"];

interface Import {
  readonly file: string;
  readonly room: string;
  readonly target: string;
  readonly targetRoom: string;
  readonly inTest: boolean;
}

function sourceFiles(room: string): string[] {
  return readdirSync(join(ROOT, room), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.ts$/.test(name))
    .map((name) => join(ROOT, room, name));
}

const isTest = (file: string): boolean => /(\.test|testing|contract|\/fixtures\/.*)\.ts$/.test(file);

function importsOf(room: string): Import[] {
  return sourceFiles(room).flatMap((path) => {
    const found = readFileSync(path, "utf8").matchAll(/^\s*(?:import|export)\b[^;]*?from\s+"(\.[^"]+)"/gm);
    return [...found].map(([, specifier]) => {
      const target = relative(ROOT, resolve(dirname(path), specifier!));
      const file = relative(ROOT, path);
      return { file, room, target, targetRoom: target.split("/")[0]!, inTest: isTest(path) };
    });
  });
}

const crossings = Object.keys(MAY_IMPORT)
  .flatMap(importsOf)
  .filter(({ room, targetRoom }) => room !== targetRoom);

describe("rooms and arrows", () => {
  it("sees imports between rooms at all", () => {
    assert.ok(crossings.some(({ room, targetRoom }) => room === "runtime" && targetRoom === "engine"));
  });

  it("follows the arrows only", () => {
    const wrong = crossings.filter(({ room, targetRoom, inTest }) => {
      const allowed = inTest ? [...MAY_IMPORT[room]!, ...FOR_TESTS] : MAY_IMPORT[room]!;
      return !allowed.includes(targetRoom);
    });
    assert.deepEqual(wrong, []);
  });

  it("comes in by the face of a room", () => {
    const deep = crossings.filter(
      ({ targetRoom, target }) =>
        targetRoom !== "scripts" && targetRoom !== "examples" && target !== `${targetRoom}/index.ts`,
    );
    assert.deepEqual(deep, []);
  });
});
