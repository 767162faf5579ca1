import type {
  Action,
  Approval,
  Data,
  Definition,
  Expression,
  FieldDefinition,
  PayloadField,
  People,
  Transition,
  Value,
} from "../dsl/index.ts";
import { compileCondition, compileExpression, describeExpression, type EvaluationContext } from "./expressions.ts";
import { buildMachine, eventType, linesOf, type Machine } from "./machine.ts";
import { type SecretArgument, secretArguments, visit } from "./secrets.ts";
import type { Currency } from "./values.ts";

/** A definition made ready to decide with: the machine, compiled expressions, lookups. Made once per definition. */
export interface Prepared {
  readonly definition: Definition;
  readonly currency: Currency;
  readonly machine: Machine;
  readonly states: ReadonlyMap<string, PreparedState>;
  /** By index in {@link Definition.transitions}. */
  readonly lines: readonly PreparedLine[];
  /** Payload fields by event. Fields that are data need not come: they may be set already. */
  readonly events: ReadonlyMap<string, readonly PayloadField[]>;
  readonly fields: ReadonlyMap<string, FieldDefinition>;
  /** Fields that must be set once `initial` is left. */
  readonly required: readonly string[];
  readonly defaults: Data;
  readonly secretArgument: SecretArgument;
  /** The compiled form of an expression of this definition. */
  readonly compiled: (expression: Expression) => (context: EvaluationContext) => Value | undefined;
}

export interface PreparedState {
  readonly name: string;
  readonly final: boolean;
  readonly approval?: Approval;
  /** Lines by the machine's event type, in the order in which they are tried. */
  readonly lines: ReadonlyMap<string, readonly number[]>;
  /** Steps of the overdue list in order of time. */
  readonly overdueOrder: readonly number[];
  /** By stage: fields that its people may pick for `chosen(FIELD)` of what comes next. */
  readonly choosable: readonly (readonly PayloadField[])[];
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
    prepared = build(definition);
    cache.set(definition, prepared);
  }
  return prepared;
}

function build(definition: Definition): Prepared {
  const currency: Currency = { code: definition.currency, decimals: definition.currencyDecimals };
  return {
    definition,
    currency,
    machine: buildMachine(definition),
    states: new Map(definition.states.map((state) => [state.name, prepareState(definition, state.name)])),
    lines: definition.transitions.map((transition) => prepareLine(transition, currency)),
    events: new Map(definition.events.map((event) => [event.name, event.payload])),
    fields: new Map(definition.fields.map((field) => [field.name, field])),
    required: definition.fields.filter((field) => !field.optional).map((field) => field.name),
    defaults: Object.fromEntries(
      definition.fields.flatMap((field) => (field.default === undefined ? [] : [[field.name, field.default]])),
    ),
    secretArgument: secretArguments(definition),
    compiled: compiler(currency),
  };
}

function compiler(currency: Currency): Prepared["compiled"] {
  const known = new Map<Expression, (context: EvaluationContext) => Value | undefined>();
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

function prepareState(definition: Definition, name: string): PreparedState {
  const { final, approval } = definition.states.find((state) => state.name === name)!;
  const steps = approval?.overdue ?? [];
  return {
    name,
    final,
    ...(approval && { approval }),
    lines: linesByEvent(definition, name),
    overdueOrder: steps.map((_, step) => step).sort((a, b) => steps[a]!.afterMs - steps[b]!.afterMs),
    choosable: approval?.stages.map((_, stage) => choosable(definition, name, approval, stage)) ?? [],
  };
}

function linesByEvent(definition: Definition, state: string): Map<string, number[]> {
  const lines = new Map<string, number[]>();
  for (const line of linesOf(definition, state)) {
    const { trigger } = definition.transitions[line]!;
    if (trigger.kind !== "event" && trigger.kind !== "outcome") continue;
    const type = trigger.kind === "event" ? eventType.event(trigger.event) : eventType.outcome(trigger.outcome);
    lines.set(type, [...(lines.get(type) ?? []), line]);
  }
  return lines;
}

/** The approver before picks: for the next stage, after the last one for the states to which approval leads. */
function choosable(definition: Definition, state: string, approval: Approval, stage: number): PayloadField[] {
  const next = approval.stages[stage + 1];
  const people = next
    ? [next.people]
    : linesOf(definition, state)
        .map((line) => definition.transitions[line]!)
        .filter(({ trigger }) => trigger.kind === "outcome" && trigger.outcome === "approved")
        .flatMap(({ to }) => definition.states.find(({ name }) => name === to)?.approval?.stages[0]?.people ?? []);
  const names = new Set(people.flatMap((one) => chosenFields(one, definition.people)));
  return definition.fields.filter((field) => names.has(field.name)).map((field) => ({ ...field, data: true }));
}

/** Fields that `chosen(FIELD)` names somewhere in these people. */
export function chosenFields(people: People, named: Definition["people"]): string[] {
  switch (people.kind) {
    case "chosen":
      return [people.field];
    case "managerOf":
    case "managersOf":
      return chosenFields(people.of, named);
    case "named": {
      const meant = named[people.name];
      return meant ? chosenFields(meant, named) : [];
    }
    default:
      return [];
  }
}
