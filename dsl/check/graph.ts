/** The ways through a flow: what can be reached, where it ends, what it waits for. */
import type { FlowAst } from "../ast.ts";
import type { Approval, Outcome, Transition } from "../definition.ts";
import type { Span } from "../diagnostic.ts";
import type { FlowScope } from "./scope.ts";
import type { Line } from "./transitions.ts";

export interface Graph {
  readonly flow: FlowScope;
  readonly initial: string;
  readonly lines: readonly Line[];
  readonly approvals: ReadonlyMap<string, Approval>;
}

/** Where every state leads. */
type Ways = ReadonlyMap<string, ReadonlySet<string>>;

/** Reports states that can't be reached, can't be left or never end. `finalGiven`: `final` was written. */
export function checkReach(graph: Graph, finalGiven: boolean): void {
  const { flow, initial } = graph;
  const ways = waysOf(graph);
  const steps = stepsFrom(initial, ways);
  const stuck = stuckStates(flow, ways);
  for (const [state, span] of flow.states) {
    const how = stuck.get(state);
    const reached = steps.has(state);
    if (!reached) flow.report.add("FLOW204", span, `\`${state}\` can't be reached from \`${initial}\`.`);
    if (how && (reached || (finalGiven && how === "dead-end"))) {
      reportStuck(state, span, how, reached ? pathTo(state, steps) : undefined, flow);
    }
  }
}

function reportStuck(
  state: string,
  span: Span,
  how: "dead-end" | "circle",
  path: readonly string[] | undefined,
  { report }: FlowScope,
): void {
  const details = path ? { path } : {};
  if (how === "dead-end") {
    report.add("FLOW203", span, `\`${state}\` is not final, and no line leaves it.`, {
      hint: `Add a line that leaves it, or list it in \`final\`.`,
      ...details,
    });
  }
  if (how === "circle") report.add("FLOW205", span, `From \`${state}\` no final state can be reached.`, details);
}

function waysOf({ flow, initial, lines, approvals }: Graph): Ways {
  const ways = new Map([...flow.states.keys()].map((state) => [state, new Set<string>()]));
  for (const { transition } of lines) {
    for (const from of transition.from) {
      if (transition.trigger.kind !== "outcome" || approvals.has(from)) ways.get(from)?.add(transition.to);
    }
  }
  for (const [state, approval] of approvals) {
    // Without a line, a withdrawal leads back to the initial state.
    const lineless = !lines.some(({ transition }) => leaves(transition, state, "withdrawn"));
    if (lineless && canBe("withdrawn", approval)) ways.get(state)?.add(initial);
  }
  return ways;
}

/** Every state that can be reached, with the one before it on the shortest way. */
function stepsFrom(initial: string, ways: Ways): ReadonlyMap<string, string | undefined> {
  const before = new Map<string, string | undefined>([[initial, undefined]]);
  for (const state of before.keys()) {
    for (const next of ways.get(state) ?? []) if (!before.has(next)) before.set(next, state);
  }
  return before;
}

function pathTo(state: string, steps: ReadonlyMap<string, string | undefined>): readonly string[] {
  const path: string[] = [];
  for (let at: string | undefined = state; at !== undefined; at = steps.get(at)) path.unshift(at);
  return path;
}

/**
 * States that never end, but for those that are so only because they lead to another one of them: one cause, one report.
 * Of states that lead in a circle, the first stands for all.
 */
function stuckStates(flow: FlowScope, ways: Ways): ReadonlyMap<string, "dead-end" | "circle"> {
  const sources = reversed(ways);
  const ending = reachable(flow.finals, sources);
  const stuck = new Map<string, "dead-end" | "circle">();
  // States that end, or lead to a stuck one that was found.
  let explained = ending;
  for (const state of flow.states.keys()) {
    if (explained.has(state)) continue;
    const trap = trapFrom(state, ways, sources);
    const first = [...flow.states.keys()].find((other) => trap.has(other)) ?? state;
    stuck.set(first, ways.get(first)?.size ? "circle" : "dead-end");
    explained = explained.union(reachable(trap, sources));
  }
  return stuck;
}

/** The states in which one ends up for ever, coming from `state`: each of them leads to all of them. */
function trapFrom(state: string, ways: Ways, sources: Ways): ReadonlySet<string> {
  const reached = reachable([state], ways);
  const leadsBack = reachable([state], sources);
  // The last one found is the farthest.
  const further = [...reached].findLast((other) => !leadsBack.has(other));
  return further === undefined ? reached : trapFrom(further, ways, sources);
}

function reachable(from: Iterable<string>, ways: Ways): ReadonlySet<string> {
  const reached = new Set(from);
  for (const state of reached) for (const next of ways.get(state) ?? []) reached.add(next);
  return reached;
}

function reversed(ways: Ways): Ways {
  const sources = new Map([...ways.keys()].map((state) => [state, new Set<string>()]));
  for (const [from, targets] of ways) for (const to of targets) sources.get(to)?.add(from);
  return sources;
}

// ------------------------------------------------------------------------------------------------------------------ //
// Outcomes
// ------------------------------------------------------------------------------------------------------------------ //

/** Reports outcomes of approvals without a line, and lines for outcomes that can't come. */
export function checkOutcomes(graph: Graph, ast: FlowAst): void {
  for (const block of ast.stateBlocks) {
    const approval = graph.approvals.get(block.name.text);
    if (approval) reportMissingLines(graph, block.name.text, block.name.span, approval);
  }
  for (const line of graph.lines) reportImpossible(graph, line);
}

function reportMissingLines({ flow, lines }: Graph, state: string, span: Span, approval: Approval): void {
  const returned: readonly Outcome[] = approval.allow.includes("returnTo") ? ["returned"] : [];
  for (const outcome of ["approved", "rejected", ...returned] as const) {
    if (lines.some(({ transition }) => leaves(transition, state, outcome))) continue;
    flow.report.add(
      "FLOW207",
      span,
      `The approval of \`${state}\` can be ${outcome}, and no line says where that leads.`,
      {
        hint: `Add \`${state} → … on ${outcome}\` to the transitions.`,
      },
    );
  }
}

function leaves({ from, trigger }: Transition, state: string, outcome: Outcome): boolean {
  return trigger.kind === "outcome" && trigger.outcome === outcome && from.includes(state);
}

function reportImpossible({ flow, approvals }: Graph, { ast, transition }: Line): void {
  const { trigger, from } = transition;
  if (trigger.kind !== "outcome") return;
  const without = from.filter((state) => !approvals.has(state));
  if (transition.any ? without.length === from.length : without.length > 0) {
    const where = transition.any ? "No state" : `\`${without[0]}\``;
    const message = `${where} has ${transition.any ? "an" : "no"} approval that could be ${trigger.outcome}.`;
    flow.report.add("FLOW206", ast.trigger.span, message);
    return;
  }
  const allowed = from.some((state) => canBe(trigger.outcome, approvals.get(state)));
  if (allowed) return;
  const operation = trigger.outcome === "returned" ? "returnTo" : "withdraw";
  flow.report.add(
    "FLOW208",
    ast.trigger.span,
    `The approval can't be ${trigger.outcome}: \`${operation}\` is not allowed.`,
  );
}

function canBe(outcome: Outcome, approval: Approval | undefined): boolean {
  if (outcome === "returned") return approval?.allow.includes("returnTo") ?? false;
  if (outcome === "withdrawn") return approval?.allow.some((operation) => operation.startsWith("withdraw")) ?? false;
  return approval !== undefined;
}
