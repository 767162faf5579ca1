/** What is said of mistakes that are put into sound texts: each once, and all else is in the tree. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { bareTree } from "./bare-tree.ts";
import { mistakes } from "./mistakes-testing.ts";
import { parse } from "./parse.ts";

const EXAMPLES = join(import.meta.dirname, "../examples");

const LISTS: ReadonlySet<string> = new Set([
  ...["states", "final", "fields", "events", "people", "routes", "ensure", "transitions"],
  ...["options", "statements", "steps", "rows", "items"],
]);

interface Sample {
  readonly file: string;
  readonly lines: readonly string[];
  readonly items: readonly Item[];
}

/** A part of a list of the tree, by what it says. */
interface Item {
  readonly says: string;
  readonly firstLine: number;
  readonly lastLine: number;
}

const samples = globSync("*/*.flow", { cwd: EXAMPLES })
  .sort()
  .map((file): Sample => {
    const text = readFileSync(join(EXAMPLES, file), "utf8");
    const { ast, diagnostics } = parse(text, file);
    assert.deepEqual(diagnostics, []);
    return { file, lines: text.split("\n"), items: itemsOf(ast, text) };
  });

function itemsOf(tree: unknown, text: string): readonly Item[] {
  const starts = [...text.matchAll(/^/gm)].map(({ index }) => index);
  const lineAt = (offset: number) => starts.findLastIndex((start) => start <= offset);
  const found: Item[] = [];
  const look = (node: unknown, list: string | undefined) => {
    if (typeof node !== "object" || node === null) return;
    const { span } = node as { readonly span?: { readonly start: number; readonly end: number } };
    if (list !== undefined && LISTS.has(list) && span) {
      const says = `${list} ${JSON.stringify(bareTree(node))}`;
      found.push({ says, firstLine: lineAt(span.start), lastLine: lineAt(span.end) });
    }
    for (const [key, value] of Object.entries(node)) look(value, Array.isArray(node) ? list : key);
  };
  for (const [key, value] of Object.entries(tree as object)) {
    for (const part of Array.isArray(value) ? value : []) look(part, LISTS.has(key) ? key : undefined);
  }
  return found;
}

/** One mistake in each of these lines. */
function check({ file, lines, items }: Sample, made: ReadonlyMap<number, string>): void {
  const text = lines.map((line, index) => made.get(index) ?? line).join("\n");
  const { ast, diagnostics } = parse(text, file);
  const shown = [...made].map(([index, line]) => `${file}:${index + 1}: ${line.trim()}`).join("\n");
  const said = diagnostics.map(({ code, message }) => `${code} ${message}`);
  assert.equal(diagnostics.length, made.size, `${shown}\n${said.join("\n")}`);
  const isTouched = ({ firstLine, lastLine }: Item) => [...made.keys()].some((at) => firstLine <= at && at <= lastLine);
  const left = Map.groupBy(itemsOf(ast, text), ({ says }) => says);
  const sound = Map.groupBy(
    items.filter((item) => !isTouched(item)),
    ({ says }) => says,
  );
  for (const [says, all] of sound) assert.ok((left.get(says)?.length ?? 0) >= all.length, `${shown}\nlost: ${says}`);
}

for (const [kind, make] of Object.entries(mistakes)) {
  test(`one mistake: ${kind}`, () => {
    let count = 0;
    for (const sample of samples) {
      const places = sample.lines.flatMap((line, index) => {
        const changed = make(line);
        return changed === undefined ? [] : [[index, changed] as const];
      });
      // Of many alike a few are enough.
      const step = Math.ceil(places.length / 3);
      for (const [index, changed] of places.filter((_, at) => at % step === 0)) {
        check(sample, new Map([[index, changed]]));
        count += 1;
      }
    }
    assert.ok(count > 0, "there is a place for it");
  });
}

test("ten mistakes in one file give ten diagnostics", () => {
  const kinds = Object.values(mistakes);
  fc.assert(
    fc.property(
      fc.nat({ max: samples.length - 1 }),
      fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 200, maxLength: 200 }),
      (which, draws) => {
        const sample = samples[which]!;
        const made = new Map<number, string>();
        for (const [lineDraw, kindDraw] of draws) {
          if (made.size === 10) break;
          const index = lineDraw % sample.lines.length;
          const changed = kinds[kindDraw % kinds.length]!(sample.lines[index]!);
          if (changed !== undefined && ![index - 1, index, index + 1].some((at) => made.has(at)))
            made.set(index, changed);
        }
        check(sample, made);
      },
    ),
    { numRuns: 60 },
  );
});
