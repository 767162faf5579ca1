import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  compile,
  type Definition,
  type Diagnostic,
  type RolloutDefinition,
  type SourceDefinition,
  type Type,
} from "../dsl/index.ts";
import { type Newcomer, pickVersion } from "../engine/index.ts";
import type { FlowFunction } from "../plugins/index.ts";
import { checkTemplate, type PreparedTemplate, prepareTemplate, type TemplateFault } from "../templates/index.ts";
import { readFlow, readUsed } from "./flow-file.ts";
import { functionsOf } from "./trusted-functions.ts";

/** One `.flow` file and what belongs to it, validated. Immutable: a change makes a new one. */
export interface Unit {
  readonly file: string;
  /** Changes with anything that the unit is made of. */
  readonly fingerprint: string;
  /** Files that it names by `use`, there or not. */
  readonly uses: readonly string[];
  readonly text: string;
  readonly definitions: readonly Definition[];
  readonly sources: readonly SourceDefinition[];
  readonly rollouts: readonly RolloutDefinition[];
  /** By name. */
  readonly templates: ReadonlyMap<string, PreparedTemplate>;
  readonly functions: ReadonlyMap<string, FlowFunction>;
  readonly warnings: readonly Diagnostic[];
}

export type UnitResult =
  | { readonly kind: "loaded"; readonly unit: Unit }
  | {
      readonly kind: "refused";
      readonly file: string;
      readonly fingerprint: string;
      readonly uses: readonly string[];
      readonly text: string;
      readonly diagnostics: readonly Diagnostic[];
    };

/** Services that flows may name without a warning. */
export interface RegisteredServices {
  readonly names: readonly string[];
  /** Of each that has any. */
  readonly labels: readonly Readonly<Record<string, string>>[];
}

/** Where a registry finds flows and reads them. */
export interface FlowFiles {
  exists(path: string): boolean;
  /** The flow files of a path that exists. */
  find(path: string): readonly string[];
  /** Changes when the file, or something that was read with it, did. */
  fingerprint(file: string, uses: readonly string[]): string;
  load(file: string, services: RegisteredServices): Promise<UnitResult>;
}

export const flowFilesOnDisk: FlowFiles = {
  exists: existsSync,
  find: flowFiles,
  fingerprint: fingerprintOf,
  load: loadUnit,
};

/** `*.flow` files of a folder (and below it), or the file itself. @throws if PATH does not exist. */
export function flowFiles(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  const names = readdirSync(path, { recursive: true, encoding: "utf8" });
  return names
    .filter((name) => name.endsWith(".flow") && !name.split("/").includes("node_modules"))
    .sort()
    .map((name) => join(path, name));
}

/** Reads, compiles and validates a file with its functions and templates. What fails validation is refused whole. */
export async function loadUnit(file: string, { names: services, labels }: RegisteredServices): Promise<UnitResult> {
  // Before anything of it is read: what changes while it is read has another fingerprint and is read again.
  const prints = [fingerprintOf(file, [])];
  const uses: string[] = [];
  const { text, fault: unreadable } = readFlow(file);
  const seen = () => ({ file, fingerprint: prints.join("\n"), uses, text });
  const refused = (diagnostics: readonly Diagnostic[]): UnitResult => ({ kind: "refused", ...seen(), diagnostics });
  if (unreadable) return refused([unreadable]);
  const noteUsed = (path: string): string | undefined => {
    uses.push(path);
    prints.push(printOf(path));
    return readUsed(path);
  };
  const functions = await loadFunctions(dirname(file));
  if ("fault" in functions) return refused([functions.fault]);
  const declarations = [...functions.found].map(([name, { kind, type }]) => ({ name, kind, ...(type && { type }) }));
  const compiled = compile(text, file, { file: noteUsed, functions: declarations, services, labels });
  const errors = compiled.diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0) return refused(errors);
  const templates = new Map<string, PreparedTemplate>();
  const faults = compiled.definitions.flatMap((definition) => loadTemplates(file, text, definition, templates));
  if (faults.some(({ severity }) => severity === "error")) return refused(faults);
  const { definitions, sources, rollouts } = compiled;
  const warnings = [...compiled.diagnostics, ...faults];
  return {
    kind: "loaded",
    unit: { ...seen(), definitions, sources, rollouts, templates, functions: functions.found, warnings },
  };
}

/**
 * Changes when the flow, a template or functions file beside it, or a file that it uses was written. Looks at no content, so
 * that it costs little.
 */
export function fingerprintOf(file: string, uses: readonly string[]): string {
  const folder = dirname(file);
  const beside = [folder, join(folder, "templates")].filter(existsSync).flatMap((path) =>
    readdirSync(path)
      .filter((name) => name.endsWith(".docx") || /^functions\.[tj]s$/.test(name))
      .sort()
      .map((name) => join(path, name)),
  );
  return [file, ...beside, ...uses].map(printOf).join("\n");
}

function printOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found ? `${path}:${found.ino}:${found.size}:${found.mtimeMs}` : `${path}: none`;
}

type Functions = { readonly found: ReadonlyMap<string, FlowFunction> } | { readonly fault: Diagnostic };

/** `functions.ts` (or `.js`) beside the flow. The content's hash in the address makes a changed file a new module. */
export async function loadFunctions(folder: string): Promise<Functions> {
  const file = ["functions.ts", "functions.js"].map((name) => join(folder, name)).find(existsSync);
  if (!file) return { found: new Map() };
  const version = createHash("sha256").update(readFileSync(file)).digest("hex").slice(0, 16);
  try {
    const module = await import(`${pathToFileURL(file).href}?v=${version}`);
    return { found: functionsOf(module, `${basename(file)} ${version}`) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { fault: fault(file, { start: 0, end: 0 }, "FLOW401", `\`${file}\` can't be loaded: \`${why}\``) };
  }
}

/**
 * Reads and checks the templates of a definition's documents into `into`. @returns what is wrong with them. One that is not
 * there is a warning: it may be deployed apart.
 */
export function loadTemplates(
  file: string,
  text: string,
  definition: Definition,
  into: Map<string, PreparedTemplate>,
): Diagnostic[] {
  const faults: Diagnostic[] = [];
  for (const document of Object.values(definition.documents)) {
    const fields = document.fields.map(({ name, value }) => ({ name, type: value.type }));
    for (const name of [document.template, ...(document.fallback ? [document.fallback] : [])]) {
      const span = templateSpan(text, name);
      const path = templatePath(dirname(file), name);
      if (!path) faults.push(missingTemplate(file, span, name));
      else
        for (const message of loadTemplate(path, name, fields, into))
          faults.push(fault(file, span, "FLOW402", message));
    }
  }
  return faults;
}

const templatePath = (folder: string, name: string): string | undefined =>
  [join(folder, `${name}.docx`), join(folder, "templates", `${name}.docx`)].find(existsSync);

const missingTemplate = (file: string, span: Diagnostic["span"], name: string): Diagnostic => ({
  code: "FLOW304",
  severity: "warning",
  message: `There is no template \`${name}.docx\` beside the flow or in \`templates/\` beside it.`,
  file,
  span,
  hint: "Until it is there, rendering this document fails.",
});

function loadTemplate(
  path: string,
  name: string,
  fields: readonly { name: string; type: Type }[],
  into: Map<string, PreparedTemplate>,
): string[] {
  const prepared = prepareTemplate(readFileSync(path), name);
  const faults = "faults" in prepared ? prepared.faults : checkTemplate(prepared.template, fields);
  if ("template" in prepared && faults.length === 0) into.set(name, prepared.template);
  return faults.map(describeFault);
}

const describeFault = ({ template, message }: TemplateFault): string => `template \`${template}\`: ${message}`;

/** Where a document names the template. */
function templateSpan(text: string, name: string): { start: number; end: number } {
  const found = new RegExp(`\\b(?:template|fallback)\\s*:\\s*(?=${RegExp.escape(JSON.stringify(name))})`).exec(text);
  if (!found) return spanOf(text, name);
  const start = found.index + found[0].length;
  return { start, end: start + name.length + 2 };
}

/** Where the text has the name in quotes; its beginning where it does not. */
function spanOf(text: string, name: string): { start: number; end: number } {
  const at = text.indexOf(JSON.stringify(name));
  return at < 0 ? { start: 0, end: 0 } : { start: at, end: at + name.length + 2 };
}

const fault = (file: string, span: { start: number; end: number }, code: string, message: string): Diagnostic => ({
  code,
  severity: "error",
  message,
  file,
  span,
});

/** A flow of the unit that another file has already, under the same label: nobody could tell which of them is meant. */
export function clashOf(
  unit: Unit,
  others: Iterable<Unit>,
): { readonly with: string; readonly diagnostic: Diagnostic } | undefined {
  for (const other of others) {
    if (other.file === unit.file) continue;
    const known = new Set(other.definitions.map(nameAndLabel));
    const double = unit.definitions.find((definition) => known.has(nameAndLabel(definition)));
    if (double) return { with: other.file, diagnostic: doubleFlow(double, unit, other) };
  }
  return undefined;
}

const nameAndLabel = ({ flow, label }: Definition): string => JSON.stringify([flow, label]);

function doubleFlow({ flow, label }: Definition, unit: Unit, other: Unit): Diagnostic {
  const name = `the flow \`${flow}\`${label === undefined ? "" : ` with label \`${label}\``}`;
  const message = `${name} is in two files, \`${other.file}\` and \`${unit.file}\`: one of them must go, or get another label`;
  const related = [{ message: "it is here, too", file: other.file, span: spanOf(other.text, flow) }];
  return { ...fault(unit.file, spanOf(unit.text, flow), "FLOW403", message), related };
}

/** Everything that is active at one moment. A swap replaces the whole, so that a turn sees one version of everything. */
export class Deployment {
  readonly units: ReadonlyMap<string, Unit>;
  readonly sources: readonly SourceDefinition[];
  readonly #flows = new Map<string, Flow>();

  constructor(units: ReadonlyMap<string, Unit>) {
    this.units = units;
    this.sources = [...units.values()].flatMap((unit) => unit.sources);
    const rollouts = Map.groupBy(
      [...units.values()].flatMap((unit) => unit.rollouts),
      ({ flow }) => flow,
    );
    for (const unit of units.values()) {
      for (const definition of unit.definitions) {
        const { flow } = definition;
        const before = this.#flows.get(flow)?.versions ?? [];
        this.#flows.set(flow, flowOf([...before, { definition, unit }], rollouts.get(flow) ?? []));
      }
    }
  }

  /** The current version, or the one with that label. */
  definition = (flow: string, label?: string): Definition | undefined => {
    const found = this.#flows.get(flow);
    return label === undefined ? found?.current.definition : found?.labels.get(label);
  };

  /** The version that a new instance gets: the first rollout that is for it tells, else it is the current one. */
  versionFor = (flow: string, newcomer: () => Newcomer): Definition | undefined => {
    const found = this.#flows.get(flow);
    if (!found) return undefined;
    const picked = found.rollouts.length > 0 && pickVersion(found.rollouts, found.labels, newcomer());
    return picked || found.current.definition;
  };

  /** What lies beside a flow is its own. */
  template = (name: string, flow: string): PreparedTemplate | undefined =>
    this.#flows.get(flow)?.current.unit.templates.get(name);
  function = (name: string, flow: string): FlowFunction | undefined =>
    this.#flows.get(flow)?.current.unit.functions.get(name);
  flows = (): readonly Definition[] => [...this.#flows.values()].map(({ current }) => current.definition);
}

interface Version {
  readonly definition: Definition;
  readonly unit: Unit;
}

/** What is active under one name. */
interface Flow {
  /** In the order of the files, and in each of its text. */
  readonly versions: readonly Version[];
  readonly current: Version;
  readonly labels: ReadonlyMap<string, Definition>;
  readonly rollouts: readonly RolloutDefinition[];
}

/** The last version is current. One that is being rolled out is not yet: then it is the last of the others. */
function flowOf(versions: readonly Version[], rollouts: readonly RolloutDefinition[]): Flow {
  const isRolledOut = ({ definition: { label } }: Version) => rollouts.some((rollout) => rollout.label === label);
  const current = versions.findLast((version) => !isRolledOut(version)) ?? versions.at(-1)!;
  const labels = new Map<string, Definition>();
  for (const { definition } of versions) if (definition.label !== undefined) labels.set(definition.label, definition);
  return { versions, current, labels, rollouts };
}
