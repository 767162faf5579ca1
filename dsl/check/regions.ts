/** The machines of a flow, its own and those of its branches: which states they have, and what a state's name means. */
import type { BranchAst, Name, RegionAst } from "../ast.ts";
import { unique } from "./declarations.ts";
import { type FlowScope, isDamaged, isSound, type RegionScope } from "./scope.ts";
import { didYouMean } from "./suggest.ts";

/** What must be known of a machine before its names are looked up. */
interface RegionPlace extends Pick<FlowScope, "file" | "report"> {
  /** Of the flow or the branch. */
  readonly name: Name;
  /** No syntax error in it: what is missing is missing indeed. */
  readonly sound: boolean;
}

/** The states of a machine. */
export function regionScope(
  ast: RegionAst,
  place: RegionPlace,
  around: Pick<RegionScope, "draft" | "outer" | "siblings">,
): RegionScope {
  const { report, name, sound } = place;
  const states = new Map(unique(ast.states, (state) => state, "state", report).map(({ text, span }) => [text, span]));
  const blocks = new Map(
    unique(ast.stateBlocks, (block) => block.name, "block of the state", report).map((block) => [
      block.name.text,
      block,
    ]),
  );
  const region: RegionScope = { states, initial: undefined, finals: new Map(), blocks, ...around };
  const named = { ...place, ...region };
  if (sound && ast.states.length === 0) report.add("FLOW201", name.span, `\`${name.text}\` has no \`states\`.`);
  if (sound && ast.states.length > 0 && !ast.initial) {
    report.add("FLOW201", name.span, `\`${name.text}\` does not say its \`initial\` state.`);
  }
  const initial = ast.initial && stateNamed(ast.initial, named);
  return { ...region, initial, finals: finalStates(ast, named) };
}

/** Those that are listed; without a list, those that no line leaves and in which nothing is done. */
function finalStates(ast: RegionAst, region: RegionScope & RegionPlace): RegionScope["finals"] {
  if (ast.final) {
    const finals = unique(ast.final, (name) => name, "final state", region.report);
    const known = finals.filter((name) => stateNamed(name, region) !== undefined);
    return new Map(known.map(({ text, span }) => [text, span]));
  }
  const left = new Set<string>();
  for (const { from, trigger } of ast.transitions) {
    if (from === "any") continue;
    const isWithdrawal = trigger.kind === "outcome" && trigger.outcome.text === "withdrawn";
    for (const { text } of from) {
      // A final state that may be revoked is left by this one kind of line.
      if (!isWithdrawal || !region.blocks.get(text)?.revocable) left.add(text);
    }
  }
  for (const { name, approval, parallel, run } of ast.stateBlocks) if (approval || parallel || run) left.add(name.text);
  const ends = [...region.states.keys()].filter((state) => !left.has(state));
  return new Map(ends.map((state) => [state, undefined]));
}

/** The state's name, or the report that the machine has no such one. */
export function stateNamed(name: Name, flow: RegionScope & Pick<FlowScope, "file" | "report">): string | undefined {
  const { text, span } = name;
  if (flow.states.has(text)) return text;
  if (isDamaged(text, flow) || flow.states.size === 0) return undefined;
  return flow.report.add("FLOW102", span, `There is no state \`${text}\`.`, didYouMean(text, flow.states.keys(), span));
}

/** Where a line leads: a state of the same machine, or of one around it. */
export interface Target {
  readonly state: string;
  /** So many machines further out. */
  readonly up: number;
  /** The machine that has the state. */
  readonly region: RegionScope;
}

/** Looks for the state in the machine itself first, then in those around it. */
export function targetNamed(name: Name, flow: FlowScope): Target | undefined {
  let up = 0;
  for (let region: RegionScope | undefined = flow; region; region = region.outer) {
    if (region.states.has(name.text)) return { state: name.text, up, region };
    up += 1;
  }
  const sibling = siblingWith(name.text, flow);
  if (sibling === undefined) {
    stateNamed(name, flow);
    return undefined;
  }
  const message = `\`${name.text}\` is a state of the branch \`${sibling}\`; no line leads into a branch beside this one.`;
  return flow.report.add("FLOW271", name.span, message);
}

function siblingWith(state: string, region: RegionScope): string | undefined {
  for (let at: RegionScope | undefined = region; at; at = at.outer) {
    const branch = at.siblings?.find(({ states }) => states.some(({ text }) => text === state));
    if (branch) return branch.name.text;
  }
  return undefined;
}

/** Where a branch stands in the flow. */
export function branchScope(
  branch: BranchAst,
  state: string,
  branches: readonly BranchAst[],
  flow: FlowScope,
): FlowScope {
  const around = {
    draft: isDraft(state, flow),
    outer: flow,
    siblings: branches.filter((other) => other !== branch),
  };
  const place = { file: flow.file, report: flow.report, name: branch.name, sound: isSound(branch, flow.file) };
  return { ...flow, ...regionScope(branch, place, around) };
}

/** Required fields may be missing while the flow is in this state of the machine. */
export function isDraft(state: string, flow: RegionScope): boolean {
  return flow.draft || (flow.outer === undefined && state === flow.initial);
}
