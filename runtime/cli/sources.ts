import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import {
  compile,
  type Diagnostic,
  diagnosticToJson,
  type FunctionDeclaration,
  renderDiagnostic,
} from "../../dsl/index.ts";
import type { PreparedTemplate } from "../../templates/index.ts";
import { flowFiles, loadFunctions, loadTemplates } from "../deployment.ts";
import { readConfigFile, serviceNames } from "./config-file.ts";
import { UsageError } from "./io.ts";

/** A `.flow` file with everything that can be known of it before it runs. */
export interface CheckedFile {
  readonly file: string;
  readonly text: string;
  readonly compiled: ReturnType<typeof compile>;
  /** Of the text, of the functions beside it and of its templates, in the order of the text. */
  readonly diagnostics: readonly Diagnostic[];
}

/** The files of all PATHs, each once, in order. @throws {UsageError} for a PATH that does not exist. */
export function filesOf(paths: readonly string[]): readonly string[] {
  const missing = paths.find((path) => !existsSync(path));
  if (missing !== undefined) throw new UsageError(`there is no \`${missing}\``);
  return [...new Set(paths.flatMap(flowFiles))].map((file) => file.replaceAll("\\", "/"));
}

/** Compiles and checks every file, with the functions and templates beside it. */
export async function checkFiles(files: readonly string[]): Promise<readonly CheckedFile[]> {
  const services = serviceNames(readConfigFile());
  const folders = new Map<string, Awaited<ReturnType<typeof functionsBeside>>>();
  const checked: CheckedFile[] = [];
  for (const file of files) {
    const folder = dirname(file);
    if (!folders.has(folder)) folders.set(folder, await functionsBeside(folder));
    checked.push(checkFile(file, folders.get(folder)!, services));
  }
  return checked;
}

interface FunctionsBeside {
  readonly declarations: readonly FunctionDeclaration[];
  readonly faults: readonly Diagnostic[];
}

async function functionsBeside(folder: string): Promise<FunctionsBeside> {
  const functions = await loadFunctions(folder);
  if ("fault" in functions) return { declarations: [], faults: [functions.fault] };
  const declarations = [...functions.found].map(([name, { kind, type }]) => ({ name, kind, ...(type && { type }) }));
  return { declarations, faults: [] };
}

function checkFile(file: string, { declarations, faults }: FunctionsBeside, services: readonly string[]): CheckedFile {
  const text = readFileSync(file, "utf8");
  const compiled = compile(text, file, { functions: declarations, services });
  const templates = new Map<string, PreparedTemplate>();
  const wrong = compiled.definitions.flatMap((definition) => loadTemplates(file, text, definition, templates));
  const diagnostics = [...faults, ...compiled.diagnostics, ...wrong].sort((a, b) => a.span.start - b.span.start);
  return { file, text, compiled, diagnostics };
}

export const isError = ({ severity }: Diagnostic): boolean => severity === "error";

/** A diagnostic of `functions.ts` has no place in the flow's text. */
const textOf = ({ file, text }: CheckedFile, diagnostic: Diagnostic): string => (diagnostic.file === file ? text : "");

/** As `check --json` gives them. */
export const diagnosticsToJson = (checked: readonly CheckedFile[]): readonly unknown[] =>
  checked.flatMap((one) => one.diagnostics.map((diagnostic) => diagnosticToJson(diagnostic, textOf(one, diagnostic))));

/** Each with its source line and an underline. */
export const diagnosticsToText = (checked: readonly CheckedFile[], color: boolean): readonly string[] =>
  checked.flatMap((one) =>
    one.diagnostics.map((diagnostic) => renderDiagnostic(diagnostic, textOf(one, diagnostic), { color })),
  );
