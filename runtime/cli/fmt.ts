import { writeFileSync } from "node:fs";
import { Command } from "commander";
import type { Language } from "../../dsl/index.ts";
import { counted, EXIT, type Io, printJson, UsageError } from "./io.ts";
import { languageFor, languageOption } from "./language.ts";

interface Options {
  readonly check?: true;
  readonly json?: true;
  readonly lang?: Language;
}

export const fmtCommand = (io: Io): Command =>
  new Command("fmt")
    .description("writes flows in the one layout; comments stay")
    .argument("<path...>", "a file or a folder; - reads standard input and writes standard output")
    .option("--check", "changes nothing; fails if a file would change")
    .option("--json", "one JSON value on standard output")
    .addOption(languageOption())
    .addHelpText("after", "\nExample:\n  assent fmt --check my-flow")
    .action(async (paths: readonly string[], options: Options) => {
      io.exitCode = paths.includes("-") ? await fmtStdin(paths, options, io) : await fmt(paths, options, io);
    });

async function fmt(paths: readonly string[], { check, json, lang }: Options, io: Io): Promise<number> {
  const { format, renderDiagnostic } = await import("../../dsl/index.ts");
  const { filesOf } = await import("./sources.ts");
  const { readFlow } = await import("../flow-file.ts");
  const files = filesOf(paths);
  const changed: string[] = [];
  const broken: string[] = [];
  for (const file of files) {
    const { text, fault } = readFlow(file);
    const formatted = fault ? { diagnostics: [fault] } : format(text);
    if ("diagnostics" in formatted) {
      broken.push(file);
      for (const diagnostic of formatted.diagnostics)
        io.err(renderDiagnostic({ ...diagnostic, file }, text, { color: false, language: languageFor(lang, io) }));
    } else if (formatted.text !== text) {
      changed.push(file);
      if (!check) writeFileSync(file, formatted.text);
    }
  }
  if (json) printJson(io, { files: files.length, changed, broken });
  else {
    for (const file of changed) io.out(file);
    io.err(`${changed.length} of ${counted(files.length, "file")} ${check ? "would change" : "changed"}`);
  }
  return broken.length > 0 || (check && changed.length > 0) ? EXIT.no : EXIT.ok;
}

async function fmtStdin(paths: readonly string[], { check, json, lang }: Options, io: Io): Promise<number> {
  if (paths.length > 1) throw new UsageError("`-` stands alone");
  const { decode, format, renderDiagnostic } = await import("../../dsl/index.ts");
  const { text, fault } = decode(await io.readStdin(), "-");
  const formatted = fault ? { diagnostics: [fault] } : format(text);
  if ("diagnostics" in formatted) {
    for (const diagnostic of formatted.diagnostics)
      io.err(renderDiagnostic({ ...diagnostic, file: "-" }, text, { color: false, language: languageFor(lang, io) }));
    return EXIT.no;
  }
  const changed = formatted.text !== text;
  if (json) printJson(io, { changed, text: formatted.text });
  else if (!check) io.out(formatted.text.replace(/\n$/, ""));
  return check && changed ? EXIT.no : EXIT.ok;
}
