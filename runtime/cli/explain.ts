import { existsSync } from "node:fs";
import { Command } from "commander";
import type { Definition, Language } from "../../dsl/index.ts";
import type { Assumptions, DataExplanation } from "../../engine/index.ts";
import type { Answer } from "./client.ts";
import { EXIT, type Io, printJson, UsageError } from "./io.ts";
import { languageFor, languageOption } from "./language.ts";
import type { CheckedFile } from "./sources.ts";
import { wordsIn } from "./words.ts";

interface Options {
  readonly if?: readonly string[];
  readonly flow?: string;
  readonly state?: string;
  readonly as?: string;
  readonly json?: boolean;
  readonly lang?: Language;
}

export const explainCommand = (io: Io): Command =>
  new Command("explain")
    .description("why an instance stands where it stands; or what a flow does with some data")
    .argument("<what>", "an instance's id, or a .flow file")
    .option("--if <field=value...>", "data to look at: amount=5_000 kind=travel event.reviewer=bob initiator.org=o-1")
    .option("--flow <name>", "which flow, where the file has several")
    .option("--state <name>", "only this state; BRANCH.STATE in a branch")
    .option("--as <user>", "as one of the people of a node with --dev")
    .option("--json", "one JSON value on standard output")
    .addOption(languageOption())
    .addHelpText(
      "after",
      "\nWith data: which line decides in every state, why, and the nearest change with which another would.\n\nExample:\n  assent explain my-flow/my-flow.flow --if amount=80_000",
    )
    .action(async (what: string, options: Options) => {
      const isFile = options.if !== undefined || what.endsWith(".flow") || existsSync(what);
      io.exitCode = isFile ? await explainFile(what, options, io) : await explainOnNode(what, options, io);
    });

async function explainOnNode(instance: string, { as, json = false, lang }: Options, io: Io): Promise<number> {
  const { connect, respond } = await import("./client.ts");
  const client = connect(io, as);
  const { explained } = wordsIn(languageFor(lang, io));
  const text = (body: Answer["body"]): string => (body["text"] as readonly string[]).map(explained).join("\n");
  return respond(io, { json, text }, () => client.get(`/v1/instances/${encodeURIComponent(instance)}/explain`));
}

async function explainFile(path: string, options: Options, io: Io): Promise<number> {
  const { checkFiles, diagnosticsToText, filesOf, isError } = await import("./sources.ts");
  const checked = await checkFiles(filesOf([path]));
  const found = pick(checked, options.flow);
  if (!found) {
    const errors = checked.map((file) => ({ ...file, diagnostics: file.diagnostics.filter(isError) }));
    for (const text of diagnosticsToText(errors, false, languageFor(options.lang, io))) io.err(text);
    io.err(`\`${path}\` holds no sound flow${options.flow === undefined ? "" : ` \`${options.flow}\``}`);
    return EXIT.no;
  }
  const { definition, file } = found;
  const { explainData } = await import("../../engine/index.ts");
  checkState(definition, options.state);
  const explanation = explainData(definition, await assumptions(definition, options.if ?? []), options.state);
  if (options.json) printJson(io, await toJson(explanation, definition, file, checked));
  else {
    const { explained } = wordsIn(languageFor(options.lang, io));
    io.out((await toText(explanation, definition, file, checked)).map(explained).join("\n"));
  }
  return EXIT.ok;
}

/** Of several versions of one name the last is current. */
function pick(
  checked: readonly CheckedFile[],
  flow: string | undefined,
): { readonly definition: Definition; readonly file: CheckedFile } | undefined {
  const all = checked.flatMap((file) => file.compiled.definitions.map((definition) => ({ definition, file })));
  const found = flow === undefined ? all : all.filter(({ definition }) => definition.flow === flow);
  const names = new Set(found.map(({ definition }) => definition.flow));
  if (names.size > 1) throw new UsageError(`choose one with \`--flow\`: ${[...names].join(", ")}`);
  return found.at(-1);
}

function checkState(definition: Definition, state: string | undefined): void {
  if (state === undefined || state.includes(".") || definition.states.some(({ name }) => name === state)) return;
  const names = definition.states.map(({ name }) => name).join(", ");
  throw new UsageError(`\`${definition.flow}\` has no state \`${state}\`; it has ${names}`);
}

async function assumptions(definition: Definition, texts: readonly string[]): Promise<Assumptions> {
  const { readAssumption } = await import("../../engine/index.ts");
  const read = texts.map((text) => readAssumption(definition, text));
  const faults = read.flatMap((one) => ("fault" in one ? [one.fault] : []));
  if (faults.length > 0) throw new UsageError(faults.join("\n"));
  return new Map(read.flatMap((one) => ("fault" in one ? [] : [[one.path, one.value] as const])));
}

/** Every alternative with its line in the text. */
async function toJson(
  explanation: DataExplanation,
  definition: Definition,
  file: CheckedFile,
  all: readonly CheckedFile[],
): Promise<unknown> {
  const { linesOf } = await import("./flow-lines.ts");
  const lineOf = linesOf(definition, file, all);
  return {
    ...explanation,
    choices: explanation.choices.map(({ alternatives, ...choice }) => ({
      ...choice,
      alternatives: alternatives.map(({ at, ...alternative }) => ({ ...alternative, ...lineOf(at) })),
    })),
  };
}

async function toText(
  explanation: DataExplanation,
  definition: Definition,
  file: CheckedFile,
  all: readonly CheckedFile[],
): Promise<readonly string[]> {
  const { tellExplanation } = await import("../../engine/index.ts");
  const { linesOf, placeText } = await import("./flow-lines.ts");
  const lineOf = linesOf(definition, file, all);
  return tellExplanation(explanation, (position) => {
    const line = lineOf(position);
    return line && placeText(line);
  });
}
