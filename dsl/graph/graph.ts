import type { Definition, Region, StateDefinition, Transition } from "../definition.ts";
import { type Describer, describer, termText } from "../describe.ts";
import { isHandling } from "../proofs/outcomes.ts";

/** The machine as data, as `graph --format json` gives it. */
export interface Graph {
  readonly flow: string;
  readonly title?: string;
  readonly states: readonly GraphState[];
  readonly edges: readonly GraphEdge[];
}

export type GraphStateKind = "initial" | "plain" | "approval" | "handle" | "parallel" | "saga" | "flow" | "final";

export interface GraphState {
  /** In a branch `BRANCH.STATE`; unique in the graph. */
  readonly name: string;
  readonly kind: GraphStateKind;
  readonly doc?: string;
  /** Where an instance, or its branch, begins. */
  readonly initial?: true;
  /** The parallel state that holds it, and the branch. */
  readonly parent?: string;
  readonly branch?: string;
  /** Who decides here: `manager then finance quorum 2/3`; the saga or flow that runs. */
  readonly who?: string;
  /** `2 workdays`. */
  readonly due?: string;
  /** Of a parallel state: `all`, `any`, `2`. */
  readonly join?: string;
}

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  /** `on "submit"`, `on approved`, `after 14d`. */
  readonly trigger: string;
  readonly by?: string;
  /** `amount > 5_000`, `else`, `else if …`. */
  readonly guard?: string;
  readonly actions: readonly string[];
}

/** @param docs doc comments of states by name, as {@link Graph} names them. */
export function graphOf(definition: Definition, docs: Readonly<Record<string, string>> = {}): Graph {
  const { flow, title } = definition;
  const states: GraphState[] = [];
  const edges: GraphEdge[] = [];
  addRegion(definition, { describe: describer(definition), docs, states, edges, outer: [] });
  return { flow, ...(title !== undefined && { title }), states, edges };
}

interface Drawing {
  readonly describe: Describer;
  readonly docs: Readonly<Record<string, string>>;
  readonly states: GraphState[];
  readonly edges: GraphEdge[];
  /** The branches around, outermost first. */
  readonly outer: readonly { readonly parent: string; readonly branch: string }[];
}

function addRegion({ initial, states, transitions }: Region, drawing: Drawing): void {
  for (const state of states) {
    drawing.states.push(stateOf(state, state.name === initial, drawing));
    for (const branch of state.parallel?.branches ?? []) {
      const place = { parent: nameIn(drawing, state.name), branch: branch.name };
      addRegion(branch, { ...drawing, outer: [...drawing.outer, place] });
    }
  }
  for (const line of transitions) drawing.edges.push(...edgesOf(line, drawing));
}

/** The name of a state in this region, or in one further out. */
function nameIn({ outer }: Drawing, state: string, up = 0): string {
  const branches = outer.slice(0, outer.length - up).map(({ branch }) => branch);
  return [...branches, state].join(".");
}

function stateOf(state: StateDefinition, initial: boolean, drawing: Drawing): GraphState {
  const { describe, docs, outer } = drawing;
  const name = nameIn(drawing, state.name);
  const { approval, run, parallel } = state;
  const around = outer.at(-1);
  const who = approval ? describe.chain(approval) : run && (run.kind === "saga" ? run.saga : run.flow);
  return {
    name,
    kind: kindOf(state, initial && outer.length === 0),
    ...(docs[name] !== undefined && { doc: docs[name] }),
    ...(initial && { initial }),
    ...around,
    ...(who !== undefined && { who }),
    ...(approval?.due && { due: termText(approval.due.term) }),
    ...(parallel && { join: parallel.join.kind === "count" ? String(parallel.join.count) : parallel.join.kind }),
  };
}

function kindOf({ final, approval, parallel, run }: StateDefinition, initial: boolean): GraphStateKind {
  if (final) return "final";
  if (approval) return isHandling(approval) ? "handle" : "approval";
  if (parallel) return "parallel";
  if (run) return run.kind;
  return initial ? "initial" : "plain";
}

/** One edge per line of `transitions` and state that it starts from. */
function edgesOf(line: Transition, drawing: Drawing): GraphEdge[] {
  const { describe } = drawing;
  const text = line.condition && describe.expression(line.condition);
  const guard = line.otherwise ? (text === undefined ? "else" : `else if ${text}`) : text;
  const edge = {
    to: nameIn(drawing, line.to, line.up ?? 0),
    trigger: describe.trigger(line.trigger),
    ...(line.by && { by: describe.people(line.by) }),
    ...(guard !== undefined && { guard }),
    actions: line.actions.map(describe.action),
  };
  return line.from.map((state) => ({ from: nameIn(drawing, state), ...edge }));
}

/** `on "submit" by initiator if amount > 5_000`. */
export function edgeText({ trigger, by, guard }: GraphEdge): string {
  const condition = guard === undefined ? "" : guard.startsWith("else") ? ` ${guard}` : ` if ${guard}`;
  return `${trigger}${by === undefined ? "" : ` by ${by}`}${condition}`;
}
