import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { placeholders, prepareTemplate } from "../../templates/index.ts";

/** The placeholders of the Word templates in a folder and in `templates/` below it, by template; damaged ones have none. */
export function placeholdersBeside(folder: string): ReadonlyMap<string, readonly string[]> {
  const folders = [folder, join(folder, "templates")].filter(existsSync);
  const files = folders.flatMap((path) => readdirSync(path).map((name) => join(path, name)));
  return new Map(
    files.filter((file) => file.endsWith(".docx")).map((file) => [basename(file, ".docx"), namesIn(file)]),
  );
}

function namesIn(file: string): readonly string[] {
  const prepared = prepareTemplate(readFileSync(file), basename(file, ".docx"));
  return "faults" in prepared ? [] : [...new Set(placeholders(prepared.template).map(({ name }) => name))];
}
