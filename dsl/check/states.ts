/** A machine: its states, and what happens in them: an approval, branches side by side, a saga or another flow. */
import type { ApprovalAst, BranchAst, ParallelAst, RegionAst, StateBlockAst } from "../ast.ts";
import type { Branch, Parallel, Region, Run, StateDefinition } from "../definition.ts";
import type { Span } from "../diagnostic.ts";
import { checkApproval } from "./approval.ts";
import { condition } from "./checked.ts";
import { unique } from "./declarations.ts";
import { plainScope } from "./expressions.ts";
import { branchScope, isDraft, stateNamed } from "./regions.ts";
import { checkSagaUse } from "./sagas.ts";
import type { FlowScope, Scope } from "./scope.ts";
import { checkSubFlow } from "./sub-flows.ts";
import { didYouMean } from "./suggest.ts";
import { checkPositiveTerm } from "./terms.ts";
import { checkTransitions } from "./transitions.ts";

type Content = Omit<StateDefinition, "name" | "final">;

/** A machine, with everything in it; `undefined` if something is wrong. */
export function checkRegion(ast: RegionAst, flow: FlowScope): Region | undefined {
  for (const { name } of flow.blocks.values()) stateNamed(name, flow);
  const states = [...flow.states.keys()].map((state) => checkState(state, flow));
  const transitions = checkTransitions(ast.transitions, flow);
  if (flow.initial === undefined || !transitions || !states.every((state) => state !== undefined)) return undefined;
  return { initial: flow.initial, states, transitions };
}

function checkState(name: string, flow: FlowScope): StateDefinition | undefined {
  const block = flow.blocks.get(name);
  const content = block ? checkContent(block, name, flow) : {};
  return content && { name, final: flow.finals.has(name), ...content };
}

/** What stands in `state NAME { … }`; `undefined` if something in it is wrong. */
function checkContent(ast: StateBlockAst, state: string, flow: FlowScope): Content | undefined {
  const { approval, mixed, parallel, run, revocable } = ast;
  if (approval && mixed) reportMixed(approval, mixed, flow);
  reportMixture([approval, parallel, run], state, flow);
  const isFinal = flow.finals.has(state);
  if (isFinal && (approval || parallel || run)) {
    const listed = flow.finals.get(state);
    flow.report.add("FLOW220", ast.name.span, `\`${state}\` is final, so nothing can be done there.`, {
      ...(listed ? { related: [{ message: "It is listed as final here.", span: listed }] } : {}),
    });
  }
  const scope = { ...plainScope(flow), draft: isDraft(state, flow) };
  const content: { [Part in keyof Content]: Content[Part] | undefined } = {
    approval: approval && checkApproval(approval, scope),
    parallel: parallel && checkParallel(parallel, state, scope),
    run: run && checkRun(run, scope),
    revocableFor: revocable && checkRevocable(revocable, isFinal, flow),
  };
  const written = { approval, parallel, run, revocableFor: revocable };
  const isWhole = (part: keyof Content) => written[part] === undefined || content[part] !== undefined;
  if (!(["approval", "parallel", "run", "revocableFor"] as const).every(isWhole)) return undefined;
  return Object.fromEntries(Object.entries(content).filter(([, part]) => part !== undefined)) as Content;
}

function reportMixed({ span, handle }: ApprovalAst, mixed: ApprovalAst, flow: FlowScope): void {
  const [first, second] = handle ? ["handle", "approval"] : ["approval", "handle"];
  flow.report.add("FLOW226", mixed.span, `\`${second}\` may not be mixed with \`${first}\` in one state.`, {
    hint: "Give it a state of its own.",
    related: [{ message: "This is done there.", span }],
  });
}

function reportMixture(parts: readonly ({ readonly span: Span } | undefined)[], state: string, flow: FlowScope): void {
  const given = parts.filter((part) => part !== undefined).toSorted((one, other) => one.span.start - other.span.start);
  const [first, second] = given;
  if (first === undefined || second === undefined) return;
  flow.report.add("FLOW226", second.span, `\`${state}\` does something already; a state does one thing.`, {
    hint: "Give it a state of its own.",
    related: [{ message: "This is done there.", span: first.span }],
  });
}

function checkRevocable(
  { duration, span }: NonNullable<StateBlockAst["revocable"]>,
  isFinal: boolean,
  flow: FlowScope,
): StateDefinition["revocableFor"] | undefined {
  const term = checkPositiveTerm(duration, flow);
  if (isFinal) return term;
  return flow.report.add("FLOW227", span, "Only a final state is revocable; in others `withdraw` may be allowed.");
}

function checkRun(ast: NonNullable<StateBlockAst["run"]>, scope: Scope): Run | undefined {
  if (ast.kind === "flow") return checkSubFlow(ast, scope);
  const key = checkSagaUse(ast.saga, scope);
  return key === undefined ? undefined : { kind: "saga", saga: key };
}

// ------------------------------------------------------------------------------------------------------------------ //
// Branches
// ------------------------------------------------------------------------------------------------------------------ //

function checkParallel(ast: ParallelAst, state: string, scope: Scope): Parallel | undefined {
  const { flow } = scope;
  const asts = unique(ast.branches, ({ name }) => name, "branch", flow.report);
  const branches = asts.map((branch) => checkBranch(branch, branchScope(branch, state, asts, flow), scope));
  reportElseBranches(asts, flow);
  const join = checkJoin(ast, flow);
  if (ast.reject && ast.reject.text !== "one") {
    flow.report.add("FLOW221", ast.reject.span, "Beside `join` stands `reject: one` or nothing.", {
      ...didYouMean(ast.reject.text, ["one"], ast.reject.span),
    });
  }
  if (!join || !branches.every((branch) => branch !== undefined)) return undefined;
  return { branches, join, rejectOne: ast.reject !== undefined };
}

function checkBranch(ast: BranchAst, branch: FlowScope, scope: Scope): Branch | undefined {
  const test = ast.condition && condition(ast.condition, scope);
  const region = checkRegion(ast, branch);
  if (!region || (ast.condition && !test)) return undefined;
  return { name: ast.name.text, ...(test ? { condition: test } : {}), otherwise: ast.else, ...region };
}

/** `else` is for the case that no condition holds, so there must be conditions, and one `else` says it all. */
function reportElseBranches(asts: readonly BranchAst[], flow: FlowScope): void {
  const [first, second] = asts.filter((branch) => branch.else);
  if (first && !asts.some((branch) => branch.condition)) {
    flow.report.add("FLOW215", first.name.span, "No branch has a condition, so `else` has no meaning.");
  }
  if (first && second) {
    flow.report.add("FLOW272", second.name.span, "There is an `else` branch already.", {
      related: [{ message: "It is this one.", span: first.name.span }],
    });
  }
}

function checkJoin(ast: ParallelAst, flow: FlowScope): Parallel["join"] | undefined {
  const { branches, join } = ast;
  if (branches.length === 0) return flow.report.add("FLOW270", ast.span, "There is no branch to join.");
  if (join === undefined) return { kind: "all" };
  if (typeof join.rule !== "number") return { kind: join.rule };
  if (!Number.isSafeInteger(join.rule) || join.rule < 1) {
    return flow.report.add("FLOW219", join.span, "`join` takes a whole number from 1.");
  }
  if (join.rule <= branches.length) return { kind: "count", count: join.rule };
  const has = `${branches.length} ${branches.length === 1 ? "branch" : "branches"}`;
  return flow.report.add("FLOW270", join.span, `\`join ${join.rule}\` waits for more than the ${has} there are.`);
}
