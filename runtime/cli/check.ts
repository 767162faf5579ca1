import { Command } from "commander";
import type { Language } from "../../dsl/index.ts";
import { counted, EXIT, type Io, paint, printJson } from "./io.ts";
import { languageFor, languageOption } from "./language.ts";
import { progressBar } from "./progress.ts";
import { type Words, wordsIn } from "./words.ts";

interface Options {
  readonly json?: true;
  readonly strict?: true;
  readonly fix?: true;
  readonly lang?: Language;
  readonly watch?: true;
}

export const checkCommand = (io: Io): Command =>
  new Command("check")
    .description("everything that can be known of flows before they run")
    .argument("<path...>", "a file, or a folder that is searched for *.flow")
    .option("--json", "one JSON value on standard output")
    .option("--strict", "warnings fail, too")
    .option("--fix", "mends what a machine can mend, and writes the files")
    .addOption(languageOption())
    .option("--watch", "again whenever a file changes, until it is interrupted")
    .addHelpText("after", "\nExample:\n  assent check my-flow")
    .action(async (paths: readonly string[], options: Options) => {
      const run = () => check(paths, options, io);
      if (!options.watch) io.exitCode = await run();
      else {
        const { filesOf } = await import("./sources.ts");
        const { runAndWatch } = await import("./watching.ts");
        filesOf(paths); // A PATH that is not there is wrong usage at once.
        io.exitCode = await runAndWatch(paths, io, run);
      }
    });

async function check(paths: readonly string[], { json, strict, fix, lang }: Options, io: Io): Promise<number> {
  const { checkFiles, diagnosticsOf, diagnosticsToJson, diagnosticsToText, filesOf, mendFiles } = await import(
    "./sources.ts"
  );
  const language = languageFor(lang, io);
  const started = performance.now();
  const files = filesOf(paths);
  if (fix) io.err(`${counted(await mendFiles(files), "fix", "fixes")} applied`);
  const checked = await checkFiles(files, progressBar(io));
  const diagnostics = diagnosticsOf(checked);
  const count = (severity: string): number =>
    diagnostics.filter((diagnostic) => diagnostic.severity === severity).length;
  const result = {
    files: checked.length,
    flows: checked.reduce((sum, { compiled }) => sum + compiled.flows, 0),
    errors: count("error"),
    warnings: count("warning"),
    ms: Math.round((performance.now() - started) * 10) / 10,
  };
  if (json) printJson(io, { ...result, diagnostics: diagnosticsToJson(checked, language) });
  else {
    for (const text of diagnosticsToText(checked, io.color, language)) io.out(`${text}\n`);
    io.out(summary(result, wordsIn(language), io));
  }
  const failed = result.errors > 0 || (strict === true && result.warnings > 0);
  return failed ? EXIT.no : EXIT.ok;
}

interface Counts {
  readonly files: number;
  readonly flows: number;
  readonly errors: number;
  readonly warnings: number;
}

function summary({ files, flows, errors, warnings }: Counts, words: Words, io: Io): string {
  const colour = errors > 0 ? "red" : warnings > 0 ? "yellow" : "green";
  const found = errors + warnings === 0 ? words.fine : words.faults(errors, warnings);
  return `${words.checked(files, flows)}${words.colon}${paint(io, colour, found)}`;
}
