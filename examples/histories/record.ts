import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Definition } from "../../dsl/index.ts";
import { type HistoryEntry, type Instance, type Recording, recordTest } from "../../engine/index.ts";
import { type Example, flowsFor, loadExamples } from "../load.ts";

/**
 * Records what the tests of the examples decide, for `npm run histories`: one folder for each version of this package,
 * which `histories.test.ts` replays for ever after. A version that is there already stays as it was recorded, because
 * what has run must come out the same; only while it is not released yet may `--again` record it anew.
 */

/** A file of this folder: the histories of one example. */
export interface RecordedFile {
  /** As they were compiled then, by hash. */
  readonly definitions: Readonly<Record<string, Definition>>;
  readonly histories: readonly RecordedHistory[];
}

export interface RecordedHistory {
  readonly test: string;
  readonly key: string;
  /** Hash of the definition on which it started. */
  readonly definition: string;
  readonly entries: readonly HistoryEntry[];
  /** What it came to. */
  readonly instance: Instance;
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2));

function main(options: readonly string[]): number {
  const packageFile = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(packageFile) as { readonly version: string };
  const folder = join(import.meta.dirname, version);
  const isNew = mkdirSync(folder, { recursive: true }) !== undefined;
  if (!isNew && !options.includes("--again")) {
    console.error(
      `${version} is recorded already. While it is not released, \`npm run histories -- --again\` records it anew.`,
    );
    return 1;
  }
  const examples = loadExamples();
  for (const example of examples.filter(({ tests }) => tests.length > 0)) {
    const name = `${basename(example.file, ".flow")}.json`;
    const recorded = record(example, examples);
    writeFileSync(join(folder, name), textOf(recorded));
    console.log(`${version}/${name}: ${recorded.histories.length} histories`);
  }
  return 0;
}

/** The histories of all instances that the tests of an example bring about. */
export function record(example: Example, all: readonly Example[]): RecordedFile {
  const flows = flowsFor(example, all);
  const recordings = example.tests.flatMap((block) =>
    recordTest(block, flows).map((recording) => ({ ...recording, test: block.name })),
  );
  const used = new Set(recordings.flatMap(hashesIn));
  return {
    definitions: Object.fromEntries(flows.filter(({ hash }) => used.has(hash)).map((flow) => [flow.hash, flow])),
    histories: recordings.map(({ test, key, definition, history, instance }) => ({
      test,
      key,
      definition: definition.hash,
      entries: history,
      instance,
    })),
  };
}

/** Of the definition that it started on, and of those that decisions chose: sub-flows, versions to move to. */
function hashesIn({ definition, history }: Recording): readonly string[] {
  const answers = history.flatMap((entry) => Object.values(entry.answers));
  return [definition.hash, ...answers.flatMap((answer) => ("definition" in answer ? [answer.definition] : []))];
}

/** JSON with a line for each definition and each history, so that a difference shows where it is. */
function textOf({ definitions, histories }: RecordedFile): string {
  const byHash = Object.entries(definitions).map(([hash, flow]) => `${JSON.stringify(hash)}:${JSON.stringify(flow)}`);
  const each = histories.map((history) => JSON.stringify(history));
  return `{"definitions":{\n${byHash.join(",\n")}\n},"histories":[\n${each.join(",\n")}\n]}\n`;
}
