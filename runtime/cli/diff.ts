import { Command } from "commander";
import type { Change, Definition, Language } from "../../dsl/index.ts";
import type { Client } from "./client.ts";
import { EXIT, type Io, printJson, UsageError } from "./io.ts";
import { languageFor, languageOption } from "./language.ts";
import { type Words, wordsIn } from "./words.ts";

interface Options {
  readonly json?: true;
  readonly instances?: true;
  readonly as?: string;
  readonly lang?: Language;
}

export const diffCommand = (io: Io): Command =>
  new Command("diff")
    .description("what changed in meaning between two versions of a flow")
    .argument("<old>", "a .flow file or a folder")
    .argument("<new>", "a .flow file or a folder")
    .option("--json", "the changes as one JSON value")
    .option("--instances", "how many running instances of the node are on the old versions")
    .option("--as <user>", "with --instances: as one of the people of a node with --dev")
    .addOption(languageOption())
    .addHelpText(
      "after",
      "\nSays nothing for a reformat. Exit code 1: there are changes.\n\nExample:\n  assent diff v1.flow v2.flow",
    )
    .action(async (before: string, after: string, options: Options) => {
      io.exitCode = await diffFiles(before, after, options, io);
    });

async function diffFiles(before: string, after: string, options: Options, io: Io): Promise<number> {
  const { diff, examplesOf, localizeText } = await import("../../dsl/index.ts");
  const language = languageFor(options.lang, io);
  const was = await definitionsOf(before, language, io);
  const is = await definitionsOf(after, language, io);
  if (!was || !is) return EXIT.no;
  const changes = diff(was, is, examplesOf).map((one) => ({ ...one, message: localizeText(one.message, language) }));
  const touched = options.instances ? await countTouched(changes, was, options.as, io) : undefined;
  if (touched === "unreachable") return EXIT.unreachable;
  if (options.json) printJson(io, { changes, ...(touched && { instances: Object.fromEntries(touched) }) });
  else {
    const words = wordsIn(language);
    for (const line of changes.flatMap((one) => linesOf(one, words))) io.out(line);
    for (const [flow, count] of touched ?? []) io.out(`${flow}${words.colon}${words.stillOnOld(count)}`);
  }
  return changes.length === 0 ? EXIT.ok : EXIT.no;
}

/** Instances that have not ended and stand on the old version, by each flow that changed. */
async function countTouched(
  changes: readonly Change[],
  was: readonly Definition[],
  as: string | undefined,
  io: Io,
): Promise<ReadonlyMap<string, number> | "unreachable"> {
  const { connect, Unreachable } = await import("./client.ts");
  const client = connect(io, as);
  const touched = new Map<string, number>();
  try {
    for (const flow of new Set(changes.map((change) => change.flow))) {
      const hash = was.findLast((definition) => definition.flow === flow)?.hash;
      if (hash !== undefined) touched.set(flow, await countRunning(client, flow, hash));
    }
    return touched;
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    io.err(`error: ${error.message}`);
    return "unreachable";
  }
}

async function countRunning(client: Client, flow: string, hash: string): Promise<number> {
  let count = 0;
  for (let cursor: string | undefined; ; ) {
    const { ok, body } = await client.get("/v1/instances", { flow, cursor });
    if (!ok)
      throw new UsageError(`the node does not say which instances run: ${String(body["detail"] ?? body["title"])}`);
    const { items, cursor: next } = body as unknown as Page;
    count += items.filter((one) => one.outcome === undefined && one.definition.hash === hash).length;
    if (next === undefined) return count;
    cursor = next;
  }
}

interface Page {
  readonly items: readonly { readonly outcome?: string; readonly definition: { readonly hash: string } }[];
  readonly cursor?: string;
}

async function definitionsOf(path: string, language: Language, io: Io): Promise<readonly Definition[] | undefined> {
  const { checkFiles, diagnosticsToText, filesOf, isError } = await import("./sources.ts");
  const checked = await checkFiles(filesOf([path]));
  const broken = checked.map((file) => ({ ...file, diagnostics: file.diagnostics.filter(isError) }));
  if (broken.every(({ diagnostics }) => diagnostics.length === 0)) {
    return checked.flatMap(({ compiled }) => compiled.definitions);
  }
  for (const text of diagnosticsToText(broken, false, language)) io.err(text);
  io.err(`\`${path}\` has errors; only sound flows can be compared`);
  return undefined;
}

const SIGNS = { added: "+", removed: "-", changed: "~" } as const;

function linesOf({ flow, kind, message, before, after, effect, example }: Change, words: Words): string[] {
  const { changed, colon, value } = words;
  const how = effect === undefined ? "" : ` (${changed[effect]})`;
  return [
    `${SIGNS[kind]} ${flow}${colon}${message}${how}`,
    ...(before === undefined ? [] : [`    ${changed.was}${value(before)}`]),
    ...(after === undefined ? [] : [`    ${changed.is}${value(after)}`]),
    ...(example === undefined ? [] : [`    ${changed.example}${exampleText(example)}`]),
  ];
}

const exampleText = (example: Readonly<Record<string, unknown>>): string =>
  Object.entries(example)
    .map(([name, value]) => `${name} = ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
