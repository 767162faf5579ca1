import { existsSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import {
  type CompileEnvironment,
  compile,
  type Diagnostic,
  diagnosticToJson,
  type FileAst,
  type Language,
  localize,
  mend,
  renderDiagnostic,
  type TextOf,
  unread,
} from "../../dsl/index.ts";
import type { PreparedTemplate } from "../../templates/index.ts";
import { flowFiles, loadFunctions, loadTemplates } from "../deployment.ts";
import { readFlow, readUsed } from "../flow-file.ts";
import { readConfigFile, serviceNames } from "./config-file.ts";
import { UsageError } from "./io.ts";

/** A `.flow` file with everything that can be known of it before it runs. */
export interface CheckedFile {
  readonly file: string;
  readonly text: string;
  readonly ast: FileAst;
  readonly compiled: ReturnType<typeof compile>;
  /** Of the functions beside it, of its text and templates in the order of the text, then errors of the files that it uses. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Told before every file and at the end how many of all files are done. */
export type Progress = (done: number, all: number) => void;

/** The files of all PATHs, each once, in order. @throws {UsageError} for a PATH that does not exist. */
export function filesOf(paths: readonly string[]): readonly string[] {
  const missing = paths.find((path) => !existsSync(path));
  if (missing !== undefined) throw new UsageError(`there is no \`${missing}\``);
  const files = paths.flatMap(flowFiles).map((file) => file.replaceAll("\\", "/"));
  return [...Map.groupBy(files, (file) => resolve(file)).values()].map(([file]) => file!);
}

/** Compiles and checks every file, with the functions and templates beside it. */
export async function checkFiles(files: readonly string[], progress?: Progress): Promise<readonly CheckedFile[]> {
  const folders = new Map<string, Folder>();
  const checked: CheckedFile[] = [];
  for (const file of files) {
    progress?.(checked.length, files.length);
    const path = dirname(file);
    const folder = folders.get(path) ?? (await openFolder(path));
    folders.set(path, folder);
    checked.push(checkFile(file, folder));
  }
  progress?.(files.length, files.length);
  return checked;
}

/** What the flows of a folder are checked with. */
interface Folder {
  /** One for all of them, so that what they share is looked at once. */
  readonly environment: CompileEnvironment;
  /** Of the functions there. */
  readonly faults: readonly Diagnostic[];
}

async function openFolder(path: string): Promise<Folder> {
  const functions = await loadFunctions(path);
  const environment = { file: readUsed, services: serviceNames(readConfigFile()) };
  if ("fault" in functions) return { environment, faults: [functions.fault] };
  const declared = [...functions.found].map(([name, { kind, type }]) => ({ name, kind, ...(type && { type }) }));
  return { environment: { ...environment, functions: declared }, faults: [] };
}

/** Compiles a text as if it stood in the file, with the functions beside it. */
export async function compileAs(file: string, text: string): Promise<ReturnType<typeof compile>> {
  return compile(text, file, (await openFolder(dirname(file))).environment);
}

/**
 * Applies the fixes of errors and writes what has changed. What is only a warning may be meant.
 * @returns how many fixes were applied.
 */
export async function mendFiles(files: readonly string[]): Promise<number> {
  let fixes = 0;
  for (const file of files) {
    const { environment } = await openFolder(dirname(file));
    const errorsOf = (text: string) =>
      compile(text, file, environment).diagnostics.filter((one) => one.file === file && isError(one));
    const { text, fault } = readFlow(file);
    if (fault) continue;
    const mended = mend(text, errorsOf);
    if (mended.text !== text) writeFileSync(file, mended.text);
    fixes += mended.fixes;
  }
  return fixes;
}

function checkFile(file: string, { environment, faults }: Folder): CheckedFile {
  const { text, fault } = readFlow(file);
  const compiled = fault ? unread(fault) : compile(text, file, environment);
  const templates = new Map<string, PreparedTemplate>();
  const wrong = compiled.definitions.flatMap((definition) => loadTemplates(file, text, definition, templates));
  const isOwn = (diagnostic: Diagnostic) => diagnostic.file === file;
  const own = [...compiled.diagnostics.filter(isOwn), ...wrong].sort((a, b) => a.span.start - b.span.start);
  const used = compiled.diagnostics.filter((diagnostic) => !isOwn(diagnostic));
  return { file, text, ast: compiled.ast, compiled, diagnostics: [...faults, ...own, ...used] };
}

export const isError = ({ severity }: Diagnostic): boolean => severity === "error";

// ------------------------------------------------------------------------------------------------------------------ //
// What is shown
// ------------------------------------------------------------------------------------------------------------------ //

/**
 * What is wrong in all files, each thing once: what is wrong in a file that others use, or in the functions of a folder, comes
 * with every one of them. Files carry the names under which they were named.
 */
export function diagnosticsOf(checked: readonly CheckedFile[]): readonly Diagnostic[] {
  const named = new Map(checked.map(({ file }) => [resolve(file), file]));
  const nameOf = (file: string) => named.get(resolve(file)) ?? file;
  const seen = new Set<string>();
  return checked.flatMap((one) =>
    one.diagnostics.flatMap((diagnostic) => {
      const file = nameOf(diagnostic.file);
      // A used file that was checked itself tells of its faults itself.
      if (file !== one.file && named.has(resolve(file))) return [];
      const { code, span, message, related } = diagnostic;
      const key = JSON.stringify([file, code, span, message]);
      if (file !== one.file && seen.has(key)) return [];
      seen.add(key);
      const renamed = related && { related: related.map((place) => ({ ...place, file: nameOf(place.file) })) };
      return [{ ...diagnostic, file, ...renamed }];
    }),
  );
}

/** As `check --json` gives them. */
export function diagnosticsToJson(checked: readonly CheckedFile[], language: Language): readonly unknown[] {
  const textOf = textsOf(checked);
  return diagnosticsOf(checked).map((diagnostic) =>
    diagnosticToJson(localize(diagnostic, language), textOf(diagnostic.file) ?? "", textOf),
  );
}

/** Each with its source line and an underline. */
export function diagnosticsToText(
  checked: readonly CheckedFile[],
  color: boolean,
  language: Language,
): readonly string[] {
  const textOf = textsOf(checked);
  return diagnosticsOf(checked).map((diagnostic) =>
    renderDiagnostic(diagnostic, textOf(diagnostic.file) ?? "", { color, language, textOf }),
  );
}

/** Of the files that were checked and those that they use. A diagnostic of `functions.ts` has no place in its text. */
function textsOf(checked: readonly CheckedFile[]): TextOf {
  const texts = new Map<string, string | undefined>(checked.map(({ file, text }) => [file, text]));
  return (file) => {
    if (!texts.has(file)) texts.set(file, file.endsWith(".flow") ? readUsed(file) : undefined);
    return texts.get(file);
  };
}
