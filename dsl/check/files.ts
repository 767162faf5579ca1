/** The file that is compiled, and those that it uses: which name is declared where. */
import { posix } from "node:path";
import type { FileAst, Name, UseAst } from "../ast.ts";
import type { CalendarDefinition } from "../definition.ts";
import type { Diagnostic, Span } from "../diagnostic.ts";
import { parse } from "../parse.ts";
import { checkCalendar } from "./calendars.ts";
import { namedEnums, unique } from "./declarations.ts";
import { tooDeep } from "./depth.ts";
import { flowScope } from "./flow.ts";
import { Report } from "./report.ts";
import type { CompileEnvironment, FileScope, FlowScope, Shared } from "./scope.ts";

/** A text with its tree. */
export interface ParsedFile {
  readonly file: string;
  readonly text: string;
  readonly ast: FileAst;
  readonly syntax: readonly Diagnostic[];
  readonly lost: readonly Span[];
}

/** The scope of a file, and those of the files that it uses. */
export interface Files {
  readonly own: FileScope;
  readonly used: readonly UsedFile[];
}

export interface UsedFile extends ParsedFile {
  readonly scope: FileScope;
}

/** Reads what the file uses, and gathers the names of both. What is wrong in a used file is reported under that file. */
export function openFiles(parsed: ParsedFile, environment: CompileEnvironment, report: Report): Files {
  const uses = usedFiles(parsed, environment, report);
  const used = uses.filter((use) => use !== undefined);
  const own = scopeOfFile(parsed, environment, report);
  const names: Names = {
    calendars: new Map(own.calendars),
    matrices: new Map(own.matrices),
    sagas: new Map(own.sagas),
    documents: new Map(own.documents),
  };
  const places = placesOf(parsed);
  for (const { use, file } of used) take(names, file, use, places, report);
  const flows = new Set([...own.flows, ...used.flatMap(({ file }) => [...file.scope.flows])]);
  const files = used.map(({ file }) => file);
  const isDamaged = (name: string) =>
    [own, ...files.map(({ scope }) => scope)].some(({ damaged }) => damaged.has(name));
  const hasUnread = used.length < uses.length || own.broken.some((span) => isUseLine(span, own.text));
  return { own: { ...own, ...names, flows, hasUnread, damaged: { has: isDamaged } }, used: files };
}

/** A `use` that could not be parsed names a file that was not read, either. */
function isUseLine({ start }: Span, text: string): boolean {
  return /^\s*use\b/.test(text.slice(text.lastIndexOf("\n", start - 1) + 1, start));
}

/** Versions of each flow, the current one last. */
export function versionsOf(flows: readonly FlowScope[]): Map<string, readonly FlowScope[]> {
  const versions = new Map<string, readonly FlowScope[]>();
  for (const flow of flows) versions.set(flow.name, [...(versions.get(flow.name) ?? []), flow]);
  return versions;
}

function scopeOfFile(
  { file, text, ast, syntax, lost }: ParsedFile,
  environment: CompileEnvironment,
  report: Report,
): FileScope {
  const broken = syntax.filter(({ severity }) => severity === "error").map(({ span }) => span);
  const scope: FileScope = {
    file,
    text,
    report,
    enums: namedEnums(ast, report),
    calendars: new Map(),
    matrices: new Map(),
    sagas: new Map(),
    documents: new Map(),
    versions: new Map(),
    flows: new Set([...ast.flows.map(({ name }) => name.text), ...(environment.flows ?? [])]),
    functions: new Map((environment.functions ?? []).map((declaration) => [declaration.name, declaration])),
    services: new Set(environment.services),
    labels: environment.labels ?? [],
    templates: asSet(environment.templates),
    groups: asSet(environment.groups),
    roles: asSet(environment.roles),
    users: asSet(environment.users),
    damaged: new Set([...lost, ...broken.map((span) => aroundIt(span, text))].flatMap((span) => namesIn(span, text))),
    hasUnread: false,
    broken,
    warned: new Set(),
    tables: new Map(),
  };
  const calendars = unique(ast.calendars, ({ name }) => name, "calendar", report);
  return {
    ...scope,
    calendars: new Map(calendars.map((calendar) => [calendar.name.text, checkCalendar(calendar, scope)])),
    matrices: shared(ast.matrices, "matrix", scope),
    sagas: shared(ast.sagas, "saga", scope),
    documents: shared(ast.documents, "document", scope),
  };
}

function asSet(names: readonly string[] | undefined): ReadonlySet<string> | undefined {
  return names && new Set(names);
}

function shared<Ast extends { readonly name: Name }>(
  asts: readonly Ast[],
  what: string,
  home: FileScope,
): ReadonlyMap<string, Shared<Ast>> {
  return new Map(unique(asts, ({ name }) => name, what, home.report).map((ast) => [ast.name.text, { ast, home }]));
}

/** From the beginning of the line or the `;` before a place to those behind it: what stands there may be lost, too. */
function aroundIt({ start, end }: Span, text: string): Span {
  const before = Math.max(text.lastIndexOf("\n", start - 1), text.lastIndexOf(";", start - 1));
  const length = text.slice(Math.max(start, end - 1)).search(/[\n;]/);
  return { start: before + 1, end: length === -1 ? text.length : Math.max(start, end - 1) + length };
}

function namesIn({ start, end }: Span, text: string): readonly string[] {
  return text.slice(start, end).match(/[\p{L}_][\p{L}\p{N}_-]*/gu) ?? [];
}

// ------------------------------------------------------------------------------------------------------------------ //
// `use`
// ------------------------------------------------------------------------------------------------------------------ //

interface Use {
  readonly use: UseAst;
  readonly file: UsedFile;
}

/** In order; `undefined` is one that can't be read. A file that uses itself has nothing to add. */
function usedFiles(parsed: ParsedFile, environment: CompileEnvironment, report: Report): readonly (Use | undefined)[] {
  const from = parsed.file.replaceAll("\\", "/");
  return unique(parsed.ast.uses, ({ path }) => path, "file", report).flatMap((use) => {
    const path = posix.join(posix.dirname(from), use.path.text);
    if (path === posix.normalize(from)) return [];
    const file = usedFile(path, environment);
    if (file) return [{ use, file }];
    // What was not written as a path was reported by the parser.
    const start = use.path.span.start;
    if (parsed.syntax.some(({ span }) => span.start === start)) return [undefined];
    const hint = `It is looked for at \`${path}\`.`;
    return [report.add("FLOW113", use.path.span, `The file \`${use.path.text}\` can't be read.`, { hint })];
  });
}

/** Used files by environment and path: a file that a thousand others use is read once. */
const opened = new WeakMap<CompileEnvironment, Map<string, UsedFile>>();

function usedFile(path: string, environment: CompileEnvironment): UsedFile | undefined {
  const text = environment.file?.(path);
  if (text === undefined) return undefined;
  const known = opened.get(environment) ?? new Map<string, UsedFile>();
  opened.set(environment, known);
  const before = known.get(path);
  if (before?.text === text) return before;
  const { ast, diagnostics: syntax, lost } = parse(text, path);
  const parsed: ParsedFile = { file: path, text, ast: tooDeep(ast) ? emptyFile(ast) : ast, syntax, lost };
  const scope = scopeOfFile(parsed, environment, new Report(path));
  // What is wrong with those flows is reported where they are compiled.
  const flows = parsed.ast.flows.map((flow) => flowScope(flow, scope, new Report(path)));
  const file: UsedFile = { ...parsed, scope: { ...scope, versions: versionsOf(flows) } };
  known.set(path, file);
  return file;
}

/** What a file that can't be looked into declares. */
function emptyFile({ span }: FileAst): FileAst {
  const none: readonly never[] = [];
  return {
    uses: none,
    calendars: none,
    matrices: none,
    sagas: none,
    rollouts: none,
    flows: none,
    documents: none,
    sources: none,
    tests: none,
    span,
  };
}

// ------------------------------------------------------------------------------------------------------------------ //
// Names of several files
// ------------------------------------------------------------------------------------------------------------------ //

interface Names {
  readonly calendars: Map<string, CalendarDefinition | undefined>;
  readonly matrices: Map<string, Shared<FileAst["matrices"][number]>>;
  readonly sagas: Map<string, Shared<FileAst["sagas"][number]>>;
  readonly documents: Map<string, Shared<FileAst["documents"][number]>>;
}

const KINDS = ["calendar", "matrix", "saga", "document", "flow"] as const;
type Kind = (typeof KINDS)[number];

/** Where every name was declared, by kind and name. */
type Places = Map<string, { readonly file: string; readonly span: Span; readonly own: boolean }>;

function placesOf(parsed: ParsedFile): Places {
  const places: Places = new Map();
  for (const kind of KINDS) {
    for (const { text, span } of declared(parsed.ast, kind)) {
      const key = `${kind} ${text}`;
      if (!places.has(key)) places.set(key, { file: parsed.file, span, own: true });
    }
  }
  return places;
}

function declared(ast: FileAst, kind: Kind): readonly Name[] {
  const lists = {
    calendar: ast.calendars,
    matrix: ast.matrices,
    saga: ast.sagas,
    document: ast.documents,
    flow: ast.flows,
  } satisfies Record<Kind, readonly { readonly name: Name }[]>;
  return lists[kind].map(({ name }) => name);
}

/** Adds the names of a used file; one that is there already is an error where the file that is compiled says it. */
function take(names: Names, { ast, scope }: UsedFile, use: UseAst, places: Places, report: Report): void {
  for (const kind of KINDS) {
    for (const { text, span } of declared(ast, kind)) {
      const key = `${kind} ${text}`;
      const before = places.get(key);
      if (before?.file === scope.file) continue;
      if (before === undefined) places.set(key, { file: scope.file, span, own: false });
      else reportBoth(kind, text, before, { file: scope.file, span }, use, report);
    }
  }
  addMissing(names.calendars, scope.calendars);
  addMissing(names.matrices, scope.matrices);
  addMissing(names.sagas, scope.sagas);
  addMissing(names.documents, scope.documents);
}

function reportBoth(
  kind: Kind,
  name: string,
  before: { readonly file: string; readonly span: Span; readonly own: boolean },
  there: { readonly file: string; readonly span: Span },
  use: UseAst,
  report: Report,
): void {
  const { file, span } = before.own ? there : before;
  report.add("FLOW109", before.own ? before.span : use.path.span, `The ${kind} \`${name}\` is declared twice.`, {
    related: [{ message: "It is declared here, too.", file, span }],
  });
}

function addMissing<Item>(to: Map<string, Item>, from: ReadonlyMap<string, Item>): void {
  for (const [name, item] of from) if (!to.has(name)) to.set(name, item);
}
