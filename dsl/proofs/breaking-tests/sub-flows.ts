/** What happens in a sub-flow, so that it ends as the path of the flow around it says. */
import type { Data, Expression, Type } from "../../definition.ts";
import type { Claim } from "../cases.ts";
import type { ConcretePath, ConcreteStep } from "../concrete.ts";
import { NoValue, storedIn } from "../evaluate.ts";
import type { Flow } from "../properties.ts";
import type { Slot } from "../steps.ts";
import { concreteWayTo } from "../ways.ts";
import type { LineCause } from "./breaking-test.ts";

/** The path within it, and the steps of it that are left to be played once it was begun. */
export interface Within {
  readonly flow: Flow;
  readonly path: ConcretePath;
  readonly steps: readonly ConcreteStep[];
}

/**
 * The shortest way to the outcome that the step is about, with the data that the sub-flow is given; `undefined` where the
 * flow is not known, or none was found.
 * @param entry the step by which the state was entered.
 */
export function pathWithin(
  { step }: ConcreteStep,
  entry: ConcreteStep,
  { slot, state }: LineCause,
  around: Flow,
): Within | undefined {
  const { run } = slot.states[state]!;
  const flow = run?.kind === "flow" ? around.runs.flowOf(run.flow) : undefined;
  if (run?.kind !== "flow" || !flow) return undefined;
  const known = step.operations.find((operation) => operation.kind === "know" && operation.path === "machine.outcome");
  const outcome = known?.kind === "know" ? known.value : undefined;
  const { root } = flow.machines;
  const given = dataGiven(run.fields, entry, flow);
  if (!given || typeof outcome !== "string") return undefined;
  const isOutcome = (at: Slot, index: number) => at === root && at.states[index]!.name === outcome;
  const path = concreteWayTo(
    isOutcome,
    flow,
    (found) => begins(found, run.event) && agrees(found, given),
    claimsOf(given, flow),
  );
  return path && { flow, path, steps: path.steps.slice(run.event === undefined ? 1 : 2) };
}

/** What `with` says, as the fields keep it. */
function dataGiven(
  fields: Readonly<Record<string, Expression>>,
  { world }: ConcreteStep,
  { definition }: Flow,
): Data | undefined {
  const given: Record<string, Data[string]> = {};
  try {
    for (const { name, type, default: own } of definition.fields) {
      const expression = fields[name];
      const value = expression ? storedIn(expression, world, type) : own;
      if (value !== undefined) given[name] = value;
    }
  } catch (error) {
    if (error instanceof NoValue) return undefined;
    throw error;
  }
  return given;
}

/** That the data are these, as far as values can be compared. */
function claimsOf(given: Data, { definition }: Flow): readonly Claim[] {
  const type: Type = { kind: "bool" };
  return definition.fields.flatMap((field): readonly Claim[] => {
    const left: Expression = { kind: "field", name: field.name, type: field.type };
    const value = given[field.name];
    if (value === undefined) return [{ condition: { kind: "is-set", of: left, type }, holds: false }];
    if (field.type.kind === "list" || field.type.kind === "record") return [];
    const right: Expression = { kind: "literal", type: field.type, value };
    return [{ condition: { kind: "binary", operator: "==", left, right, type }, holds: true }];
  });
}

/** By the event that the flow around it sends. */
function begins({ steps }: ConcretePath, event: string | undefined): boolean {
  const cause = steps[1]?.step.cause;
  if (event === undefined) return true;
  return cause?.kind === "line" && cause.group.trigger.kind === "event" && cause.group.trigger.event === event;
}

/** Of the fields that matter. */
function agrees({ steps, example }: ConcretePath, given: Data): boolean {
  const [start] = steps;
  const known = [...example.keys()].filter((name) => name in start!.data || name in given);
  return known.every((name) => JSON.stringify(start!.data[name]) === JSON.stringify(given[name]));
}
