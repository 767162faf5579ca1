import { Command } from "commander";
import type { Definition, Graph } from "../../dsl/index.ts";
import { EXIT, type Io, printJson, UsageError } from "./io.ts";
import { languageFor } from "./language.ts";
import type { CheckedFile } from "./sources.ts";

interface Options {
  readonly flow?: string;
  readonly format: string;
  readonly json?: true;
  readonly path?: string;
}

export const graphCommand = (io: Io): Command =>
  new Command("graph")
    .description("the machine of a flow as a picture")
    .argument("<file>", "a .flow file")
    .option("--flow <name>", "which flow, where the file has several")
    .option("--format <format>", "svg, mermaid, json, or xstate (loads in XState's tools)", "svg")
    .option("--json", "the same as --format json")
    .option("--path <states>", "states in order, separated by commas: the way that the svg shows in red")
    .addHelpText(
      "after",
      "\nWhere a property of the flow is broken, the svg shows the way that breaks it.\n\nExample:\n  assent graph my-flow/my-flow.flow > my-flow.svg",
    )
    .action(async (file: string, options: Options) => {
      io.exitCode = await graph(file, options, io);
    });

async function graph(path: string, options: Options, io: Io): Promise<number> {
  const format = options.json ? "json" : options.format;
  if (!FORMATS.includes(format)) throw new UsageError(`there is no format \`${format}\`; take ${FORMATS.join(", ")}`);
  const { checkFiles, diagnosticsToText, filesOf, isError } = await import("./sources.ts");
  const checked = await checkFiles(filesOf([path]));
  const definition = pick(checked, options.flow);
  if (!definition) {
    const errors = checked.map((file) => ({ ...file, diagnostics: file.diagnostics.filter(isError) }));
    for (const text of diagnosticsToText(errors, false, languageFor(undefined, io))) io.err(text);
    io.err(`\`${path}\` holds no flow${options.flow === undefined ? "" : ` \`${options.flow}\``} that can be drawn`);
    return EXIT.no;
  }
  if (format === "xstate") {
    const { publishedMachine } = await import("../../engine/index.ts");
    printJson(io, publishedMachine(definition));
    return EXIT.ok;
  }
  const { graphOf } = await import("../../dsl/index.ts");
  const drawn = graphOf(definition, docsOf(checked, definition.flow));
  await print(drawn, format, options.path?.split(",") ?? brokenPath(checked, definition.flow), io);
  return EXIT.ok;
}

const FORMATS = ["svg", "mermaid", "json", "xstate"];

async function print(graph: Graph, format: string, path: readonly string[], io: Io): Promise<void> {
  if (format === "json") return printJson(io, graph);
  const { mermaid, svg } = await import("../../dsl/index.ts");
  io.out(format === "mermaid" ? mermaid(graph) : (await svg(graph, { path })).trimEnd());
}

/** Of several versions of one name the last is current; what is sound in names and types can be drawn. */
function pick(checked: readonly CheckedFile[], flow: string | undefined): Definition | undefined {
  const all = checked.flatMap(({ compiled }) => [...compiled.unsound, ...compiled.definitions]);
  const found = flow === undefined ? all : all.filter((definition) => definition.flow === flow);
  const names = new Set(found.map((definition) => definition.flow));
  if (names.size > 1) throw new UsageError(`choose one with \`--flow\`: ${[...names].join(", ")}`);
  return found.at(-1);
}

/** The first way that breaks something in this flow. */
function brokenPath(checked: readonly CheckedFile[], flow: string): readonly string[] {
  for (const { file, ast, diagnostics } of checked) {
    const machine = ast.flows.findLast(({ name }) => name.text === flow);
    const broken = diagnostics.find(
      (one) =>
        one.path &&
        one.file === file &&
        machine &&
        machine.span.start <= one.span.start &&
        one.span.end <= machine.span.end,
    );
    if (broken?.path) return broken.path;
  }
  return [];
}

function docsOf(checked: readonly CheckedFile[], flow: string): Readonly<Record<string, string>> {
  const machine = checked.flatMap(({ ast }) => ast.flows).findLast(({ name }) => name.text === flow);
  return { ...machine?.stateDocs };
}
