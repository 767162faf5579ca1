/** The ways through a flow: what can be reached, where it ends, what it waits for. */
import type { BranchAst, FlowAst, Name, RegionAst, TransitionAst } from "../ast.ts";
import type { Approval, Definition, Outcome, Region, StateDefinition, Transition } from "../definition.ts";
import type { Span } from "../diagnostic.ts";
import { isComingTooLate, isHandling, outcomesOf } from "../proofs/outcomes.ts";
import type { Report } from "./report.ts";

/** A machine with where it stands in the text: the flow's own, or that of a branch. */
export interface Machine {
  readonly region: Region;
  readonly ast: RegionAst;
  /** The branch; absent in the flow's own machine. */
  readonly branch?: { readonly ast: BranchAst; readonly parallel: StateDefinition; readonly of: Machine };
}

/** The flow's own machine and those of all branches, outer ones first. */
export function machinesOf(definition: Omit<Definition, "hash">, ast: FlowAst): readonly Machine[] {
  const machines: Machine[] = [{ region: definition, ast }];
  for (const machine of machines) {
    for (const parallel of machine.region.states) {
      const asts = blockOf(parallel.name, machine)?.parallel?.branches ?? [];
      for (const [index, region] of (parallel.parallel?.branches ?? []).entries()) {
        const branch = asts[index];
        if (branch) machines.push({ region, ast: branch, branch: { ast: branch, parallel, of: machine } });
      }
    }
  }
  return machines;
}

export function blockOf(state: string, { ast }: Machine) {
  return ast.stateBlocks.find(({ name }) => name.text === state);
}

/** Where the state is named first: its block, else the list of states. */
export function placeOf(state: string, machine: Machine): Span {
  return blockOf(state, machine)?.name.span ?? listedAt(state, machine);
}

function listedAt(state: string, { ast, branch }: Machine): Span {
  const listed = ast.states.find(({ text }: Name) => text === state);
  return listed?.span ?? branch?.ast.name.span ?? ast.statesSpan ?? { start: 0, end: 0 };
}

/** `legal.REVIEW` in a branch. */
export function shownState(state: string, { branch }: Machine): string {
  return branch ? `${branch.ast.name.text}.${state}` : state;
}

/** Reports missing and impossible outcomes, and states that can't be reached, can't be left or never end. */
export function checkGraph(definition: Omit<Definition, "hash">, ast: FlowAst, report: Report): void {
  const machines = machinesOf(definition, ast);
  for (const machine of machines) checkOutcomes(machine, report);
  for (const machine of machines) checkReach(machine, machines, report);
}

// ------------------------------------------------------------------------------------------------------------------ //
// Outcomes
// ------------------------------------------------------------------------------------------------------------------ //

function checkOutcomes(machine: Machine, report: Report): void {
  for (const state of machine.region.states) reportMissingLines(state, machine, report);
  for (const [index, line] of machine.region.transitions.entries()) {
    const ast = machine.ast.transitions[index];
    if (ast) reportImpossible(line, ast, machine, report);
  }
}

function reportMissingLines(state: StateDefinition, machine: Machine, report: Report): void {
  const { needed } = outcomesOf(state);
  for (const outcome of needed) {
    if (outcome === "rejected" && machine.branch?.parallel.parallel?.rejectOne) continue;
    if (machine.region.transitions.some((line) => leaves(line, state.name, outcome))) continue;
    const message = `${WHAT[outcome](state.name)}, and no line says where that leads.`;
    report.add("FLOW207", placeOf(state.name, machine), message, {
      hint: `Add \`${state.name} → … on ${outcome}\` to the transitions.`,
    });
  }
}

const WHAT: Readonly<Record<Outcome, (state: string) => string>> = {
  approved: (state) => `The approval of \`${state}\` can be approved`,
  rejected: (state) => `The approval of \`${state}\` can be rejected`,
  returned: (state) => `The approval of \`${state}\` can be returned`,
  withdrawn: (state) => `\`${state}\` can be withdrawn`,
  done: (state) => `What \`${state}\` waits for can be done`,
  compensated: (state) => `The saga of \`${state}\` can be compensated`,
  joined: (state) => `The branches of \`${state}\` can be joined`,
};

function leaves({ from, trigger }: Transition, state: string, outcome: Outcome): boolean {
  return trigger.kind === "outcome" && trigger.outcome === outcome && from.includes(state);
}

const LACKS: Readonly<Record<Outcome, string>> = {
  approved: "an approval that could be approved",
  rejected: "an approval that could be rejected",
  returned: "an approval that could be returned",
  withdrawn: "an approval that could be withdrawn",
  done: "a `handle`, saga or sub-flow that could be done",
  compensated: "a saga that could be compensated",
  joined: "parallel branches that could be joined",
};

/** Where the state has an approval: how that is left. */
function leftOtherwise(approval: Approval, outcome: Outcome): { readonly hint: string } | undefined {
  if (!isHandling(approval))
    return outcome === "done" ? { hint: "An approval ends with `on approved` or `on rejected`." } : undefined;
  return outcome === "approved" || outcome === "rejected"
    ? { hint: "What is handled ends with `on done`, never with a rejection." }
    : undefined;
}

function reportImpossible(
  { trigger, from, any }: Transition,
  ast: TransitionAst,
  machine: Machine,
  report: Report,
): void {
  if (trigger.kind !== "outcome") return;
  const { outcome } = trigger;
  const outcomes = from.map((name) => outcomesOf(machine.region.states.find((state) => state.name === name)!));
  const fitting = outcomes.map(({ possible, forbidden }) => possible.has(outcome) || forbidden.has(outcome));
  if (any ? !fitting.includes(true) : fitting.includes(false)) {
    const without = from[fitting.indexOf(false)];
    const message = any ? `No state has ${LACKS[outcome]}.` : `\`${without}\` lacks ${LACKS[outcome]}.`;
    const meant = machine.region.states.find(({ name }) => name === without)?.approval;
    report.add("FLOW206", ast.trigger.span, message, (!any && meant && leftOtherwise(meant, outcome)) || {});
    return;
  }
  const refusing = from.filter((_, index) => !outcomes[index]!.possible.has(outcome));
  if (refusing.length === 0 || (any && refusing.length < from.length)) return;
  const operation = outcome === "returned" ? "returnTo" : "withdraw";
  const details = { hint: `Write \`allow: [${operation}]\` among the options of the approval, or leave the line out.` };
  if (refusing.length === from.length) {
    report.add(
      "FLOW208",
      ast.trigger.span,
      `The approval can't be ${outcome}: \`${operation}\` is not allowed.`,
      details,
    );
    return;
  }
  for (const state of refusing) {
    const { span } = (ast.from === "any" ? [] : ast.from).find(({ text }) => text === state) ?? ast.trigger;
    const message = `The approval of \`${state}\` can't be ${outcome}: \`${operation}\` is not allowed.`;
    report.add("FLOW208", span, message, details);
  }
}

// ------------------------------------------------------------------------------------------------------------------ //
// Reach
// ------------------------------------------------------------------------------------------------------------------ //

/** Where every state leads. */
export type Ways = ReadonlyMap<string, ReadonlySet<string>>;

function checkReach(machine: Machine, machines: readonly Machine[], report: Report): void {
  const { region, ast, branch } = machine;
  const { ways, leaving } = waysOf(machine, machines);
  const steps = stepsFrom(region.initial, ways);
  const finals = region.states.filter(({ name, final }) => (branch ? isArrival(name, ways, leaving) : final));
  const ending = reachable([...finals.map(({ name }) => name), ...leaving], reversed(ways));
  const stuck = isLeftFromOutside(machine) ? new Map<string, Stuck>() : stuckStates(region, ways, ending);
  for (const { name } of region.states) {
    const how = stuck.get(name);
    const reached = steps.has(name);
    const span = listedAt(name, machine);
    if (!reached) {
      report.add("FLOW204", span, `\`${shownState(name, machine)}\` can't be reached from \`${region.initial}\`.`);
    }
    if (how && (reached || (ast.final !== undefined && how === "dead-end"))) {
      reportStuck(name, how, reached ? pathTo(name, machine, steps, machines) : undefined, machine, report);
    }
  }
}

type Stuck = "dead-end" | "circle";

function reportStuck(
  state: string,
  how: Stuck,
  path: readonly string[] | undefined,
  machine: Machine,
  report: Report,
): void {
  const details = path ? { path } : {};
  const [span, shown] = [listedAt(state, machine), shownState(state, machine)];
  if (how === "circle") report.add("FLOW205", span, `From \`${shown}\` no final state can be reached.`, details);
  else {
    const last = machine.ast.final?.at(-1)?.span.end;
    report.add("FLOW203", span, `\`${shown}\` is not final, and no line leaves it.`, {
      hint: "Add a line that leaves it, or list it in `final`.",
      ...(last === undefined ? {} : { fix: [{ span: { start: last, end: last }, text: `, ${state}` }] }),
      ...details,
    });
  }
}

/** The branch's own end: nothing leads on from there. */
function isArrival(state: string, ways: Ways, leaving: ReadonlySet<string>): boolean {
  return ways.get(state)?.size === 0 && !leaving.has(state);
}

/** A branch that never arrives holds nothing up where the parallel state is left in another way. */
export function isLeftFromOutside({ branch }: Machine): boolean {
  if (!branch) return false;
  const { parallel, of } = branch;
  if (parallel.parallel?.join.kind !== "all") return true;
  return of.region.transitions.some(
    ({ from, trigger }) =>
      from.includes(parallel.name) && !(trigger.kind === "outcome" && trigger.outcome === "joined"),
  );
}

/** The ways within a machine, and the states from which a line leads out of it. */
export function waysOf(
  machine: Machine,
  machines: readonly Machine[],
): { readonly ways: Ways; readonly leaving: ReadonlySet<string> } {
  const { region, branch } = machine;
  const ways = new Map(region.states.map(({ name }) => [name, new Set<string>()]));
  const leaving = new Set<string>();
  for (const line of region.transitions) {
    for (const from of line.from) {
      if (isComingTooLate(line, from, region)) continue;
      if ((line.up ?? 0) > 0) leaving.add(from);
      else if (isPossible(line, region, from)) ways.get(from)?.add(line.to);
    }
  }
  for (const state of region.states) {
    const isWithdrawn = outcomesOf(state).possible.has("withdrawn");
    const isWritten = region.transitions.some((line) => leaves(line, state.name, "withdrawn"));
    if (!isWithdrawn || isWritten) continue;
    // Without a line, a withdrawal leads back to the initial state of the flow.
    if (branch) leaving.add(state.name);
    else ways.get(state.name)?.add(region.initial);
  }
  for (const { state, to, out } of linesOutOf(machine, machines)) {
    if (out === 0) ways.get(state)?.add(to);
    else leaving.add(state);
  }
  return { ways, leaving };
}

/** A line for an outcome that its states can't have is an error of its own, and leads where it says for all else. */
function isPossible({ trigger, any }: Transition, { states }: Region, from: string): boolean {
  if (trigger.kind !== "outcome") return true;
  const state = states.find(({ name }) => name === from);
  if (state === undefined) return false;
  const { possible, forbidden } = outcomesOf(state);
  return possible.has(trigger.outcome) || (!any && !forbidden.has(trigger.outcome));
}

/** Lines within the branches of a machine's states that lead out of them: to this machine, or further out. */
function linesOutOf(
  machine: Machine,
  machines: readonly Machine[],
): readonly { readonly state: string; readonly to: string; readonly out: number }[] {
  return machines.flatMap(({ region, branch }) => {
    let [depth, outer] = [0, branch];
    let state: string | undefined;
    while (outer) {
      depth += 1;
      if (outer.of === machine) state = outer.parallel.name;
      if (state !== undefined) break;
      outer = outer.of.branch;
    }
    if (state === undefined) return [];
    const out = region.transitions.filter(({ up = 0 }) => up >= depth);
    return out.map(({ to, up = 0 }) => ({ state, to, out: up - depth }));
  });
}

/** Every state that can be reached, with the one before it on the shortest way. */
function stepsFrom(initial: string, ways: Ways): ReadonlyMap<string, string | undefined> {
  const before = new Map<string, string | undefined>([[initial, undefined]]);
  for (const state of before.keys()) {
    for (const next of ways.get(state) ?? []) if (!before.has(next)) before.set(next, state);
  }
  return before;
}

function pathTo(
  state: string,
  machine: Machine,
  steps: ReadonlyMap<string, string | undefined>,
  machines: readonly Machine[],
): readonly string[] {
  const path: string[] = [];
  for (let at: string | undefined = state; at !== undefined; at = steps.get(at)) path.unshift(shownState(at, machine));
  const { branch } = machine;
  if (!branch) return path;
  const outer = stepsFrom(branch.of.region.initial, waysOf(branch.of, machines).ways);
  return [...pathTo(branch.parallel.name, branch.of, outer, machines), ...path];
}

/**
 * States that never end, but for those that are so only because they lead to another one of them: one cause, one report.
 * Of states that lead in a circle, the first stands for all.
 */
function stuckStates({ states }: Region, ways: Ways, ending: ReadonlySet<string>): ReadonlyMap<string, Stuck> {
  const sources = reversed(ways);
  const stuck = new Map<string, Stuck>();
  // States that end, or lead to a stuck one that was found.
  let explained = ending;
  for (const { name } of states) {
    if (explained.has(name)) continue;
    const trap = trapFrom(name, ways, sources);
    const first = states.find((other) => trap.has(other.name))?.name ?? name;
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

/** With everything that one comes to from there. */
export function reachable(from: Iterable<string>, ways: Ways): ReadonlySet<string> {
  const reached = new Set(from);
  for (const state of reached) for (const next of ways.get(state) ?? []) reached.add(next);
  return reached;
}

export function reversed(ways: Ways): Ways {
  const sources = new Map([...ways.keys()].map((state) => [state, new Set<string>()]));
  for (const [from, targets] of ways) for (const to of targets) sources.get(to)?.add(from);
  return sources;
}
