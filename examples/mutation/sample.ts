import {
  type BranchAst,
  type FileAst,
  type FlowAst,
  type Name,
  parse,
  type RegionAst,
  type Span,
  type TextEdit,
  type TransitionAst,
} from "../../dsl/index.ts";

/** A sound file without its tests, which would notice things for the checker. */
export interface Sample {
  readonly file: string;
  readonly text: string;
  readonly ast: FileAst;
}

/** One small change that makes the file wrong. */
export interface Mutant {
  readonly edits: readonly TextEdit[];
  /** For people who look for one that was not caught. */
  readonly what: string;
}

/** A way in which an author goes wrong. */
export interface Operator {
  readonly name: string;
  /** At every place where the change must be noticed. */
  readonly mutants: (sample: Sample) => readonly Mutant[];
}

export function sampleOf(text: string, file: string): Sample {
  const { ast } = parse(text, file);
  const bare = edited(
    text,
    ast.tests.map(({ span }) => removed(span)),
  );
  return { file, text: bare, ast: parse(bare, file).ast };
}

// ------------------------------------------------------------------------------------------------------------------ //
// Looking around in a tree
// ------------------------------------------------------------------------------------------------------------------ //

/** A machine: a flow's own, or that of a branch. */
export interface Machine {
  readonly flow: FlowAst;
  readonly region: RegionAst;
  /** Of the branch. */
  readonly branch?: BranchAst;
}

export function machinesOf({ ast }: Sample): readonly Machine[] {
  return ast.flows.flatMap((flow) => [{ flow, region: flow }, ...branchesIn(flow, flow)]);
}

function branchesIn(flow: FlowAst, { stateBlocks }: RegionAst): readonly Machine[] {
  return stateBlocks.flatMap(({ parallel }) =>
    (parallel?.branches ?? []).flatMap((branch) => [{ flow, region: branch, branch }, ...branchesIn(flow, branch)]),
  );
}

/** Lines of all machines. */
export function linesOf(sample: Sample): readonly (Machine & { readonly line: TransitionAst })[] {
  return machinesOf(sample).flatMap((machine) => machine.region.transitions.map((line) => ({ ...machine, line })));
}

/** Is this a state that nothing leads out of, or that is said to be? */
export function isFinal({ transitions, final }: RegionAst, state: string): boolean {
  if (final) return final.some(({ text }) => text === state);
  return !transitions.some(({ from }) => from !== "any" && from.some(({ text }) => text === state));
}

/** The outcome that a line is for. */
export function outcomeOf({ trigger }: TransitionAst): string | undefined {
  return trigger.kind === "outcome" ? trigger.outcome.text : undefined;
}

/** The only state that a line leads from. */
export function soleFrom({ from }: TransitionAst): Name | undefined {
  return from !== "any" && from.length === 1 ? from[0] : undefined;
}

/** Other lines of the machine for a state of this one and the same trigger. */
export function rivalsOf(line: TransitionAst, { transitions }: RegionAst, text: string): readonly TransitionAst[] {
  const { from } = line;
  if (from === "any") return [];
  const trigger = textAt(text, line.trigger.span);
  return transitions.filter(
    (other) =>
      other !== line &&
      other.from !== "any" &&
      other.from.some((state) => from.some((own) => own.text === state.text)) &&
      textAt(text, other.trigger.span) === trigger,
  );
}

export type Visit = (node: object, path: string, parent: object | undefined) => void;

/** Calls `visit` for every object in a tree, from the outside in; `path` is made of the properties that lead there. */
export function walk(tree: unknown, visit: Visit, path = "", parent?: object): void {
  if (typeof tree !== "object" || tree === null) return;
  if (Array.isArray(tree)) {
    for (const element of tree) walk(element, visit, path, parent);
    return;
  }
  visit(tree, path, parent);
  for (const [name, part] of Object.entries(tree)) walk(part, visit, path === "" ? name : `${path}.${name}`, tree);
}

export const isName = (node: unknown): node is Name => typeof node === "object" && node !== null && "quoted" in node;

// ------------------------------------------------------------------------------------------------------------------ //
// Edits
// ------------------------------------------------------------------------------------------------------------------ //

export function textAt(text: string, { start, end }: Span): string {
  return text.slice(start, end);
}

/** One line of text, for {@link Mutant.what}. */
export function briefly(text: string, span: Span): string {
  return textAt(text, span).replace(/\s+/g, " ").slice(0, 100);
}

export const replaced = (span: Span, text: string): TextEdit => ({ span, text });
export const removed = (span: Span): TextEdit => replaced(span, "");
export const inserted = (at: number, text: string): TextEdit => replaced({ start: at, end: at }, text);

/** Without one element of `[a, b, c]`. */
export function withoutElement(elements: readonly { readonly span: Span }[], index: number): TextEdit {
  const next = elements[index + 1];
  const previous = elements[index - 1];
  const { start, end } = elements[index]!.span;
  if (next) return removed({ start, end: next.span.start });
  return removed({ start: previous ? previous.span.end : start, end });
}

/** The text after the edits. */
export function edited(text: string, edits: readonly TextEdit[]): string {
  const lastFirst = [...edits].sort((one, other) => other.span.start - one.span.start);
  return lastFirst.reduce(
    (now, { span, text: insert }) => now.slice(0, span.start) + insert + now.slice(span.end),
    text,
  );
}
