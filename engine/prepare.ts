import type {
  Action,
  Approval,
  Data,
  Definition,
  Expression,
  FieldDefinition,
  Parallel,
  PayloadField,
  People,
  Region,
  Run,
  Stage,
  StateDefinition,
  Term,
  Transition,
  Value,
} from "../dsl/index.ts";
import { buildMachine } from "./build-machine.ts";
import { compileCondition, compileExpression, describeExpression, type EvaluationContext } from "./expressions.ts";
import { linesOut, type Machine } from "./machine.ts";
import { type SecretArgument, secretArguments, visit } from "./secrets.ts";
import type { Currency } from "./values.ts";
import { xstateMachine } from "./xstate-machine.ts";

/** A definition made ready to decide with: machines, compiled expressions, lookups. Made once per definition. */
export interface Prepared extends PreparedRegion {
  readonly definition: Definition;
  readonly currency: Currency;
  /** Payload fields by event. Fields that are data need not come: they may be set already. */
  readonly events: ReadonlyMap<string, readonly PayloadField[]>;
  readonly fields: ReadonlyMap<string, FieldDefinition>;
  /** Fields that must be set once `initial` is left. */
  readonly required: readonly string[];
  readonly defaults: Data;
  readonly rules: PreparedRules;
  readonly secretArgument: SecretArgument;
  /** The compiled form of an expression of this definition. */
  readonly compiled: (expression: Expression) => (context: EvaluationContext) => Value | undefined;
}

/** A flow's own machine, or that of a branch. */
export interface PreparedRegion {
  readonly initial: string;
  readonly machine: Machine;
  readonly states: ReadonlyMap<string, PreparedState>;
  /** By index in {@link Region.transitions}. */
  readonly lines: readonly PreparedLine[];
}

/** Rules that hold over several states. */
export interface PreparedRules {
  /** `ensure P never approves`. */
  readonly never: readonly People[];
  /** `ensure different people in [..]`: the other states of each, `BRANCH.STATE` in branches. */
  readonly apart: ReadonlyMap<string, readonly string[]>;
  /** Some state asks nobody again who approved before. */
  readonly remembersApprovals: boolean;
  /** Some state comes back to the returner after a return. */
  readonly remembersStages: boolean;
}

export interface PreparedState {
  readonly name: string;
  /** As `ensure` names it: `BRANCH.STATE` in a branch. */
  readonly fullName: string;
  readonly final: boolean;
  readonly approval?: Approval;
  /** The approval's stages, where no matrix has to be looked up. */
  readonly stages?: readonly Stage[];
  readonly parallel?: PreparedParallel;
  readonly run?: Run;
  readonly revocableFor?: Term;
  /** Lines by the machine's event type, in the order in which they are tried. */
  readonly lines: ReadonlyMap<string, readonly number[]>;
}

export interface PreparedParallel extends Pick<Parallel, "join" | "rejectOne"> {
  readonly branches: readonly PreparedBranch[];
}

export interface PreparedBranch extends PreparedRegion {
  readonly name: string;
  readonly condition?: Expression;
  readonly otherwise: boolean;
}

export interface PreparedLine {
  readonly transition: Transition;
  readonly condition?: (context: EvaluationContext) => boolean;
  /** The condition as an author would write it. */
  readonly conditionText: string;
  readonly checks: readonly FunctionCall[];
  /** Names of all functions that others serve for this line. */
  readonly functions: readonly string[];
}

export type FunctionCall = Extract<Action, { kind: "call" }>;

const cache = new WeakMap<Definition, Prepared>();

/** Prepares a definition, or finds it prepared. */
export function prepare(definition: Definition): Prepared {
  let prepared = cache.get(definition);
  if (!prepared) {
    prepared = build(definition, buildMachine);
    cache.set(definition, prepared);
  }
  return prepared;
}

/** Has this definition decided by that preparation from now on: coverage watches conditions so. */
export function adopt(prepared: Prepared): void {
  cache.set(prepared.definition, prepared);
}

/** A copy of the definition that is decided by XState itself instead of by tables, for comparing the two. */
export function decidedByXState(definition: Definition): Definition {
  const copy = { ...definition };
  adopt(build(copy, xstateMachine));
  return copy;
}

/** How regions are prepared. */
interface Preparing {
  readonly currency: Currency;
  readonly machineOf: (region: Region, id: string) => Machine;
}

function build(definition: Definition, machineOf: Preparing["machineOf"]): Prepared {
  const currency: Currency = { code: definition.currency, decimals: definition.currencyDecimals };
  return {
    ...prepareRegion(definition, definition.flow, "", { currency, machineOf }),
    definition,
    currency,
    events: new Map(definition.events.map((event) => [event.name, event.payload])),
    fields: new Map(definition.fields.map((field) => [field.name, field])),
    required: definition.fields.filter((field) => !field.optional).map((field) => field.name),
    defaults: Object.fromEntries(
      definition.fields.flatMap((field) => (field.default === undefined ? [] : [[field.name, field.default]])),
    ),
    rules: rulesOf(definition),
    secretArgument: secretArguments(definition),
    compiled: compiler(currency),
  };
}

/** @param path of the branch: `legal.`, `legal.inner.`; empty for the flow itself. */
function prepareRegion(region: Region, id: string, path: string, how: Preparing): PreparedRegion {
  return {
    initial: region.initial,
    machine: how.machineOf(region, id),
    states: new Map(region.states.map((state) => [state.name, prepareState(region, state, id, path, how)])),
    lines: region.transitions.map((transition) => prepareLine(transition, how.currency)),
  };
}

function prepareState(
  region: Region,
  { name, final, approval, parallel, run, revocableFor }: StateDefinition,
  id: string,
  path: string,
  how: Preparing,
): PreparedState {
  const stages = approval?.chain.every((one) => one.kind !== "matrix")
    ? (approval.chain as readonly Stage[])
    : undefined;
  return {
    name,
    fullName: path + name,
    final,
    ...(approval && { approval }),
    ...(stages && { stages }),
    ...(parallel && { parallel: prepareParallel(parallel, id, path, how) }),
    ...(run && { run }),
    ...(revocableFor && { revocableFor }),
    lines: linesOut(region, name).on,
  };
}

function prepareParallel(
  { join, rejectOne, branches }: Parallel,
  id: string,
  path: string,
  how: Preparing,
): PreparedParallel {
  return {
    join,
    rejectOne,
    branches: branches.map((branch) => ({
      ...prepareRegion(branch, `${id}.${branch.name}`, `${path}${branch.name}.`, how),
      name: branch.name,
      ...(branch.condition && { condition: branch.condition }),
      otherwise: branch.otherwise,
    })),
  };
}

function rulesOf(definition: Definition): PreparedRules {
  const apart = new Map<string, string[]>();
  for (const property of definition.ensure) {
    if (property.kind !== "different-people") continue;
    for (const state of property.states) {
      apart.set(state, [...(apart.get(state) ?? []), ...property.states.filter((other) => other !== state)]);
    }
  }
  const approvals = approvalsIn(definition);
  return {
    never: definition.ensure.flatMap((property) => (property.kind === "never-approves" ? [property.people] : [])),
    apart,
    remembersApprovals: approvals.some(({ repeated }) => repeated !== "ask"),
    remembersStages: approvals.some(({ onReturn }) => onReturn === "resume"),
  };
}

/** Of all states, those of branches too. */
function approvalsIn({ states }: Region): readonly Approval[] {
  return states.flatMap(({ approval, parallel }) => [
    ...(approval ? [approval] : []),
    ...(parallel?.branches.flatMap(approvalsIn) ?? []),
  ]);
}

function compiler(currency: Currency): Prepared["compiled"] {
  const known = new WeakMap<Expression, (context: EvaluationContext) => Value | undefined>();
  return (expression) => {
    let run = known.get(expression);
    if (!run) {
      run = compileExpression(expression, currency);
      known.set(expression, run);
    }
    return run;
  };
}

function prepareLine(transition: Transition, currency: Currency): PreparedLine {
  const { condition, actions } = transition;
  const calls = actions.filter((action) => action.kind === "call");
  return {
    transition,
    ...(condition && { condition: compileCondition(condition, currency) }),
    conditionText: condition ? describeExpression(condition, currency) : "",
    checks: calls.filter((call) => call.function === "check"),
    functions: [...new Set([...calls.map((call) => call.name), ...asked(condition)])],
  };
}

function asked(expression: Expression | undefined): string[] {
  const names: string[] = [];
  visit(expression, (node) => {
    if (node["kind"] === "ask") names.push(node["name"] as string);
  });
  return names;
}
