import type { FileAst } from "./ast.ts";
import { checkDataFlow } from "./check/data-flow.ts";
import { unique } from "./check/declarations.ts";
import { DEPTH_MAX, tooDeep } from "./check/depth.ts";
import { checkUnusedDocument } from "./check/documents.ts";
import { openFiles, type ParsedFile, type UsedFile, versionsOf } from "./check/files.ts";
import { checkFlow, checkFlowNames, flowScope } from "./check/flow.ts";
import { checkUnusedMatrix } from "./check/matrices.ts";
import { Report } from "./check/report.ts";
import { checkRollout } from "./check/rollouts.ts";
import { checkUnusedSaga } from "./check/sagas.ts";
import type { CompileEnvironment, FileScope, FlowScope, Shared } from "./check/scope.ts";
import { checkSource } from "./check/sources.ts";
import { checkTest } from "./check/tests.ts";
import type { Definition, Region, RolloutDefinition, SourceDefinition } from "./definition.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { parse } from "./parse.ts";
import type { KnownProofs } from "./proofs/known-proofs.ts";
import { proveFlow } from "./proofs/prove.ts";
import type { TestBlock } from "./test-block.ts";

export type { CompileEnvironment } from "./check/scope.ts";

/** What a file came to. */
export interface Compiled {
  readonly file: string;
  readonly ast: FileAst;
  /** Of the flows without errors, in source order. */
  readonly definitions: readonly Definition[];
  /** Of the flows whose names and types are right, but which are refused for where they lead or what they ensure. */
  readonly unsound: readonly Definition[];
  readonly sources: readonly SourceDefinition[];
  readonly rollouts: readonly RolloutDefinition[];
  readonly tests: readonly TestBlock[];
  /** In the order of their places; then errors of the files that it uses, under the names of those files. */
  readonly diagnostics: readonly Diagnostic[];
  /** State machines written in the file, those with errors too. */
  readonly flows: number;
}

/**
 * Parses and checks a file: `parse → names and types → proofs`. Never throws on a text; whatever is wrong in it is a
 * diagnostic. `file` is the name that diagnostics and tests carry; files that it uses are named relative to it. Passing
 * one environment for many files reads what they share only once.
 */
export function compile(text: string, file: string, environment: CompileEnvironment = {}): Compiled {
  const parsed = parse(text, file);
  return check({ file, text, ast: parsed.ast, syntax: parsed.diagnostics, lost: parsed.lost }, environment);
}

/** What can be said of a file that is no text. `fault`: why. */
export function unread(fault: Diagnostic): Compiled {
  return nothing(fault.file, parse("", fault.file).ast, [fault]);
}

function nothing(file: string, ast: FileAst, diagnostics: readonly Diagnostic[]): Compiled {
  const none = { definitions: [], unsound: [], sources: [], rollouts: [], tests: [] };
  return { file, ast, ...none, diagnostics, flows: ast.flows.length };
}

/** Checks a tree. `proofs`: those of this file that were done before; what is done now is kept there. */
export function check(parsed: ParsedFile, environment: CompileEnvironment, proofs?: KnownProofs): Compiled {
  const { file, ast, syntax } = parsed;
  const report = new Report(file);
  const deep = tooDeep(ast);
  if (deep) {
    report.add("FLOW005", deep, `This expression is too long: more than ${DEPTH_MAX} operators build on each other.`);
    return nothing(file, ast, inOrder(syntax, report.diagnostics));
  }
  const files = openFiles(parsed, environment, report);
  const doubles = checkFlowNames(ast.flows, report);
  // INVARIANT: every flow knows the others before any of their lines is looked at.
  const versions = new Map(files.used.flatMap(({ scope }) => [...scope.versions]));
  const scope: FileScope = { ...files.own, versions };
  const flows = ast.flows.map((flow) => flowScope(flow, scope, new Report(file)));
  for (const [name, own] of versionsOf(flows)) versions.set(name, own);
  const checked = flows.map(checkFlow);
  const known = withSubFlows(checked, file, versions);
  const sound = checked.map((definition, index) => {
    const { ast: written, report: own } = flows[index]!;
    if (definition) {
      const around = flowsRunIn(definition).length > 0 ? known : NO_FLOWS;
      if (proofs) proofs.prove(definition, written, parsed.text, own, around);
      else proveFlow(definition, written, own, around);
      checkDataFlow(definition, written, ast, own);
    }
    return own.isClean;
  });
  proofs?.forgetOthers();
  checkUnused(flows, scope);
  const parts = checkParts(ast, scope, report);
  const found = [...report.diagnostics, ...flows.flatMap((flow) => flow.report.diagnostics), ...parts.diagnostics];
  return {
    file,
    ast,
    definitions: checked.flatMap((definition, index) =>
      definition && sound[index] && !doubles.has(ast.flows[index]!) ? [definition] : [],
    ),
    unsound: checked.flatMap((definition, index) => (definition && !sound[index] ? [definition] : [])),
    sources: parts.sources,
    rollouts: parts.rollouts,
    tests: parts.tests,
    diagnostics: [...inOrder(syntax, found), ...files.used.flatMap(errorsOf)],
    flows: ast.flows.length,
  };
}

const NO_FLOWS: ReadonlyMap<string, Definition> = new Map();

/** The flows of this file by name, the last version of each, and those of used files that they run. */
function withSubFlows(
  checked: readonly (Definition | undefined)[],
  file: string,
  versions: ReadonlyMap<string, readonly FlowScope[]>,
): ReadonlyMap<string, Definition> {
  const known = new Map(checked.flatMap((flow) => (flow ? [[flow.flow, flow] as const] : [])));
  for (const flow of known.values()) {
    for (const name of flowsRunIn(flow)) {
      const scope = known.has(name) ? undefined : versions.get(name)?.at(-1);
      const child = scope && scope.file.file !== file ? checkedElsewhere(scope) : undefined;
      if (child) known.set(name, child);
    }
  }
  return known;
}

const elsewhere = new WeakMap<FlowScope, { readonly definition: Definition | undefined }>();

/** A flow of a used file, checked once; what is wrong in it is said where that file is compiled. */
function checkedElsewhere(scope: FlowScope): Definition | undefined {
  const before = elsewhere.get(scope) ?? { definition: checkFlow(scope) };
  elsewhere.set(scope, before);
  return before.definition;
}

function flowsRunIn({ states }: Region): readonly string[] {
  return states.flatMap(({ run, parallel }) => [
    ...(run?.kind === "flow" ? [run.flow] : []),
    ...(parallel?.branches ?? []).flatMap(flowsRunIn),
  ]);
}

/** What is declared for flows, and used by none of this file, is looked at by itself. */
function checkUnused(flows: readonly FlowScope[], scope: FileScope): void {
  const unused = <Ast>(declared: ReadonlyMap<string, Shared<Ast>>, kind: "rows" | "sagas" | "documents") =>
    [...declared].flatMap(([name, item]) => {
      const isUsed = item.home.file !== scope.file || flows.some(({ mentions }) => mentions[kind].has(name));
      return isUsed ? [] : [item];
    });
  for (const matrix of unused(scope.matrices, "rows")) checkUnusedMatrix(matrix);
  for (const saga of unused(scope.sagas, "sagas")) checkUnusedSaga(saga);
  for (const document of unused(scope.documents, "documents")) checkUnusedDocument(document);
}

interface Parts extends Pick<Compiled, "sources" | "rollouts" | "tests"> {
  readonly diagnostics: readonly Diagnostic[];
}

/** Sources, rollouts and tests: what speaks of flows. Each has a report of its own. */
function checkParts(ast: FileAst, scope: FileScope, report: Report): Parts {
  const diagnostics: Diagnostic[] = [];
  const each = <Ast, Result>(asts: readonly Ast[], checkPart: (ast: Ast, own: Report) => Result | undefined) =>
    asts.flatMap((part): Result[] => {
      const own = new Report(scope.file);
      const result = checkPart(part, own);
      diagnostics.push(...own.diagnostics);
      return result === undefined ? [] : [result];
    });
  const rollouts = unique(ast.rollouts, ({ name }) => name, "rollout", report);
  const tests = unique(ast.tests, ({ name }) => name, "test", report);
  return {
    sources: each(ast.sources, (source, own) => checkSource(source, scope, own)),
    rollouts: each(rollouts, (rollout, own) => checkRollout(rollout, scope, own)),
    tests: each(tests, (block, own) => checkTest(block, scope, own)),
    diagnostics,
  };
}

// ------------------------------------------------------------------------------------------------------------------ //
// Diagnostics
// ------------------------------------------------------------------------------------------------------------------ //

/** By place. What the parser has said already is not said again. */
function inOrder(syntax: readonly Diagnostic[], found: readonly Diagnostic[]): readonly Diagnostic[] {
  const said = new Set(syntax.map(({ code, span }) => `${code} ${span.start}`));
  const rest = found.filter(({ code, span }) => !said.has(`${code} ${span.start}`));
  return [...syntax, ...rest].sort((one, other) => one.span.start - other.span.start || one.span.end - other.span.end);
}

/** Of a used file, what keeps its declarations from being used here; the rest is said where it is compiled itself. */
function errorsOf({ syntax, scope }: UsedFile): readonly Diagnostic[] {
  return inOrder(syntax, scope.report.diagnostics).filter(({ severity }) => severity === "error");
}
