import { Command } from "commander";
import { EXIT, type Io, printJson, UsageError } from "./io.ts";

interface Options {
  readonly flow?: string;
  readonly format: string;
  readonly json?: true;
}

export const graphCommand = (io: Io): Command =>
  new Command("graph")
    .description("the machine of a flow as a picture")
    .argument("<file>", "a .flow file")
    .option("--flow <name>", "which flow, where the file has several")
    .option("--format <format>", "mermaid or json", "mermaid")
    .option("--json", "the same as --format json")
    .addHelpText("after", "\nExample:\n  assent graph my-flow/my-flow.flow --format mermaid")
    .action(async (file: string, options: Options) => {
      io.exitCode = await graph(file, options, io);
    });

async function graph(path: string, { flow, json, ...options }: Options, io: Io): Promise<number> {
  const format = json ? "json" : options.format;
  if (format === "svg") throw new UsageError("this version draws no `svg`; `mermaid` and `json` are there");
  if (format !== "mermaid" && format !== "json") throw new UsageError(`there is no format \`${format}\``);
  const { checkFiles, diagnosticsToText, filesOf, isError } = await import("./sources.ts");
  const checked = await checkFiles(filesOf([path]));
  const definitions = checked.flatMap(({ compiled }) => compiled.definitions);
  const found = flow === undefined ? definitions : definitions.filter((definition) => definition.flow === flow);
  if (found.length === 0) {
    const errors = checked.map((file) => ({ ...file, diagnostics: file.diagnostics.filter(isError) }));
    for (const text of diagnosticsToText(errors, false)) io.err(text);
    io.err(`\`${path}\` holds no sound flow${flow === undefined ? "" : ` \`${flow}\``}`);
    return EXIT.no;
  }
  const names = new Set(found.map((definition) => definition.flow));
  if (names.size > 1) throw new UsageError(`choose one with \`--flow\`: ${[...names].join(", ")}`);
  const { graphOf, mermaid } = await import("./graph-text.ts");
  // Of several versions of one name the last is current.
  const picture = graphOf(found.at(-1)!);
  if (format === "json") printJson(io, picture);
  else io.out(mermaid(picture));
  return EXIT.ok;
}
