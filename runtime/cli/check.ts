import { Command } from "commander";
import { counted, EXIT, type Io, paint, printJson } from "./io.ts";

interface Options {
  readonly json?: true;
  readonly strict?: true;
  readonly watch?: true;
}

export const checkCommand = (io: Io): Command =>
  new Command("check")
    .description("everything that can be known of flows before they run")
    .argument("<path...>", "a file, or a folder that is searched for *.flow")
    .option("--json", "one JSON value on standard output")
    .option("--strict", "warnings fail, too")
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

async function check(paths: readonly string[], { json, strict }: Options, io: Io): Promise<number> {
  const { checkFiles, diagnosticsToJson, diagnosticsToText, filesOf } = await import("./sources.ts");
  const started = performance.now();
  const checked = await checkFiles(filesOf(paths));
  const diagnostics = checked.flatMap((file) => file.diagnostics);
  const count = (severity: string): number =>
    diagnostics.filter((diagnostic) => diagnostic.severity === severity).length;
  const result = {
    files: checked.length,
    flows: checked.reduce((sum, { compiled }) => sum + compiled.flows, 0),
    errors: count("error"),
    warnings: count("warning"),
    ms: Math.round((performance.now() - started) * 10) / 10,
  };
  if (json) printJson(io, { ...result, diagnostics: diagnosticsToJson(checked) });
  else {
    for (const text of diagnosticsToText(checked, io.color)) io.out(`${text}\n`);
    io.out(summary(result, io));
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

function summary({ files, flows, errors, warnings }: Counts, io: Io): string {
  const what = `${counted(files, "file")}, ${counted(flows, "flow")}: `;
  if (errors + warnings === 0) return what + paint(io, "green", "fine");
  return (
    what + paint(io, errors > 0 ? "red" : "yellow", `${counted(errors, "error")}, ${counted(warnings, "warning")}`)
  );
}
