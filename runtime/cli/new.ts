import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Command } from "commander";
import { EXIT, type Io, printJson, UsageError } from "./io.ts";

interface Options {
  readonly json?: true;
}

export const newCommand = (io: Io): Command =>
  new Command("new")
    .description("a folder with a flow of your own, its tests, functions and people")
    .argument("<name>", "the folder to make; its last part names the flow")
    .option("--json", "one JSON value on standard output")
    .addHelpText("after", "\nExample:\n  assent new my-flow")
    .action(async (name: string, options: Options) => {
      io.exitCode = await create(name, options, io);
    });

async function create(folder: string, { json }: Options, io: Io): Promise<number> {
  const name = basename(folder);
  if (!/^[\p{L}_][\p{L}\p{N}_-]*$/u.test(name)) {
    throw new UsageError(`\`${name}\` can't name a flow: a letter, then letters, digits, \`_\` and \`-\``);
  }
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    io.err(`\`${folder}\` is there already and not empty; nothing was written`);
    return EXIT.no;
  }
  const { filesOfProject } = await import("./project.ts");
  const files = filesOfProject(name, folder);
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  const paths = Object.keys(files).map((file) => join(folder, file));
  if (json) printJson(io, { name, files: paths });
  else {
    for (const path of paths) io.out(path);
    io.err(`\nnext: assent test ${folder}; then assent serve ${folder} --dev`);
  }
  return EXIT.ok;
}
