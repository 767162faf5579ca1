import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type CompileEnvironment, compile } from "../dsl/index.ts";

/** `node files-child.ts --folder DIR`: reads and checks every flow of a folder as `assent check` does, and prints a {@link FilesReport}. */

export interface FilesReport {
  readonly files: number;
  /** Processor time of the one thread that does it: the clock would also count what the machine's neighbours do. */
  readonly seconds: number;
  readonly rssBytes: number;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { folder: { type: "string" } } });
  process.stdout.write(JSON.stringify(check(values.folder ?? ".")));
}

function check(folder: string): FilesReport {
  const texts = new Map<string, string>();
  const environment: CompileEnvironment = {
    file: (path) => {
      const text = texts.get(path) ?? readFileSync(join(folder, path), "utf8");
      texts.set(path, text);
      return text;
    },
  };
  const started = process.threadCpuUsage();
  const names = readdirSync(folder);
  const hashes = new Set<string>();
  let rssBytes = 0;
  for (const [number, name] of names.entries()) {
    const text = readFileSync(join(folder, name), "utf8");
    const { definitions, diagnostics, flows } = compile(text, name, environment);
    const error = diagnostics.find(({ severity }) => severity === "error");
    if (error || definitions.length !== flows) throw new Error(`${name} was refused: ${error?.message}`);
    for (const { hash } of definitions) hashes.add(hash);
    if (number % 500 === 0) rssBytes = Math.max(rssBytes, process.memoryUsage.rss());
  }
  rssBytes = Math.max(rssBytes, process.memoryUsage.rss());
  if (hashes.size !== names.length - 1) throw new Error(`${hashes.size} different flows in ${names.length} files`);
  const { user, system } = process.threadCpuUsage(started);
  return { files: names.length, seconds: (user + system) / 1e6, rssBytes };
}
