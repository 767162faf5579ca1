import type { FileAst, FlowAst } from "./ast.ts";
import { checkFields, namedEnums, unique } from "./check/declarations.ts";
import { DEPTH_MAX, tooDeep } from "./check/depth.ts";
import { type CheckedFlow, checkFlow, checkFlowNames } from "./check/flow.ts";
import { Report } from "./check/report.ts";
import type { CompileEnvironment, FileScope } from "./check/scope.ts";
import { checkSource } from "./check/sources.ts";
import { checkTest } from "./check/tests.ts";
import type { Definition, SourceDefinition } from "./definition.ts";
import type { Diagnostic, Span } from "./diagnostic.ts";
import { parse } from "./parse.ts";
import type { TestBlock } from "./test-block.ts";

export type { CompileEnvironment } from "./check/scope.ts";

/** What a file came to. */
export interface Compiled {
  readonly file: string;
  /** Of the flows without errors, in source order. */
  readonly definitions: readonly Definition[];
  readonly sources: readonly SourceDefinition[];
  readonly tests: readonly TestBlock[];
  /** In the order of their places. */
  readonly diagnostics: readonly Diagnostic[];
  /** State machines written in the file, those with errors too. */
  readonly flows: number;
}

/**
 * Parses and checks a file: `parse → resolve and type → graph`. Never throws on a text; whatever is wrong in it is a
 * diagnostic. `file` is the name that diagnostics and tests carry.
 */
export function compile(text: string, file: string, environment: CompileEnvironment = {}): Compiled {
  const parsed = parse(text, file);
  return check(parsed.ast, text, file, environment, parsed.diagnostics);
}

/** Checks a tree. `syntax`: what the parser found. */
export function check(
  ast: FileAst,
  text: string,
  file: string,
  environment: CompileEnvironment,
  syntax: readonly Diagnostic[],
): Compiled {
  const report = new Report(file);
  const deep = tooDeep(ast);
  if (deep) {
    report.add("FLOW005", deep, `Operators nest more than ${DEPTH_MAX} deep here.`);
    const diagnostics = inOrder(syntax, report.diagnostics);
    return { file, definitions: [], sources: [], tests: [], diagnostics, flows: ast.flows.length };
  }
  const broken = syntax.filter(({ severity }) => severity === "error").map(({ span }) => span);
  const scope = fileScope(ast, text, environment, broken, report);
  const doubles = checkFlowNames(ast.flows, report);
  const flows = ast.flows.map((flow) => checkFlow(flow, scope));
  const scopes = flows.map((flow) => flow.scope);
  // Of several versions of one name the last is current.
  const current = new Map(scopes.map((flow) => [flow.name, flow]));
  const sources = ast.sources.map((source) => reported(file, (own) => checkSource(source, current, scope, own)));
  const tests = unique(ast.tests, ({ name }) => name, "test", report).map((block) =>
    reported(file, (own) => checkTest(block, scopes, scope, own)),
  );
  const reports = [report, ...[...flows, ...sources, ...tests].map((part) => part.report)];
  return {
    file,
    definitions: definitionsOf(ast.flows, flows, doubles),
    sources: sources.flatMap(({ result }) => result ?? []),
    tests: tests.flatMap(({ result }) => result ?? []),
    diagnostics: inOrder(
      syntax,
      reports.flatMap(({ diagnostics }) => diagnostics),
    ),
    flows: ast.flows.length,
  };
}

/** What a part of the file came to, with a report of its own. */
function reported<Result>(file: string, checkPart: (report: Report) => Result): { result: Result; report: Report } {
  const report = new Report(file);
  return { result: checkPart(report), report };
}

function definitionsOf(
  asts: readonly FlowAst[],
  flows: readonly CheckedFlow[],
  doubles: ReadonlySet<FlowAst>,
): readonly Definition[] {
  return flows.flatMap(({ definition }, index) => (definition && !doubles.has(asts[index]!) ? [definition] : []));
}

/** By place. What the parser has said already is not said again. */
function inOrder(syntax: readonly Diagnostic[], found: readonly Diagnostic[]): readonly Diagnostic[] {
  const said = new Set(syntax.map(({ code, span }) => `${code} ${span.start}`));
  const rest = found.filter(({ code, span }) => !said.has(`${code} ${span.start}`));
  return [...syntax, ...rest].sort((one, other) => one.span.start - other.span.start || one.span.end - other.span.end);
}

// ------------------------------------------------------------------------------------------------------------------ //
// What the flows of the file share
// ------------------------------------------------------------------------------------------------------------------ //

function fileScope(
  ast: FileAst,
  text: string,
  environment: CompileEnvironment,
  broken: readonly Span[],
  report: Report,
): FileScope {
  const documents = unique(ast.documents, ({ name }) => name, "document", report);
  const scope: FileScope = {
    file: report.file,
    text,
    enums: namedEnums(ast, report),
    documents: new Map(documents.map((document) => [document.name.text, document])),
    flows: new Set([...ast.flows.map(({ name }) => name.text), ...(environment.flows ?? [])]),
    flowFields: new Map(),
    functions: new Map((environment.functions ?? []).map((declaration) => [declaration.name, declaration])),
    services: new Set(environment.services),
    templates: environment.templates && new Set(environment.templates),
    damaged: namesOnLines(broken, text),
    broken,
    warned: new Set(),
  };
  return { ...scope, flowFields: fieldsOfStarted(ast, scope) };
}

/** The fields of flows that others in this file start. */
function fieldsOfStarted(ast: FileAst, scope: FileScope): FileScope["flowFields"] {
  const started = new Set(
    ast.flows.flatMap(({ transitions }) =>
      transitions.flatMap(({ actions }) =>
        actions.flatMap((action) => (action.kind === "start" ? [action.flow.text] : [])),
      ),
    ),
  );
  // What is wrong with those fields is reported where their own flow is checked.
  const silent = new Report(scope.file);
  const flows = ast.flows.filter(({ name }) => started.has(name.text));
  return new Map(flows.map((flow) => [flow.name.text, checkFields(flow.fields, scope, silent)]));
}

/** All words on the lines where the syntax is broken: what they declare is lost. */
function namesOnLines(spans: readonly Span[], text: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { start, end } of spans) {
    const lineStart = text.lastIndexOf("\n", start - 1) + 1;
    const next = text.indexOf("\n", end);
    const line = text.slice(lineStart, next === -1 ? text.length : next);
    for (const [name] of line.matchAll(/[\p{L}_][\p{L}\p{N}_-]*/gu)) names.add(name);
  }
  return names;
}
