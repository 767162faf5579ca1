import type Fraction from "fraction.js";
import type { Data, Expression, Value } from "../../dsl/index.ts";
import { EvaluationError } from "../evaluation-error.ts";
import type { EpochMs, Json, Person } from "../types.ts";

/** What an expression may look at. */
export interface EvaluationContext {
  readonly data: Data;
  /** Typed values of the event's payload. */
  readonly payload: Data;
  /** Who sent the event or decided last; absent for timers. */
  readonly actor: string | undefined;
  readonly initiator: Person;
  readonly at: EpochMs;
  readonly state: string;
  readonly enteredAt: EpochMs;
  readonly key: string;
  /** Of the sub-flow that the state runs; absent elsewhere. */
  readonly outcome: string | undefined;
  /** Where a branch of the parallel state stands; absent if it was not entered. */
  readonly branchState: (branch: string) => string | undefined;
  /** Decisions of the newest round of the current state. */
  readonly approvals: readonly {
    readonly user: string;
    readonly stage: number;
    readonly decision: string;
    readonly at: EpochMs;
  }[];
  /** Answer of a guard or value function; throws MissingAnswer when it is not known yet, EvaluationError (`function-failed`) when it failed. */
  readonly ask: (kind: "guard" | "value", name: string, args: readonly Json[]) => Json;
}

/** The list items under test, innermost first. */
export type Items = { readonly item: Value; readonly outer: Items } | undefined;

/** A compiled expression. */
export type Run<Result> = (context: EvaluationContext, items: Items) => Result;

/** The expressions of one kind. */
export type Kind<Name extends Expression["kind"]> = Extract<Expression, { kind: Name }>;

/** Every object answers to this name. */
export function isInherited(name: string): boolean {
  return name in Object.prototype;
}

/** Reads a field by name. Names that every object inherits (`constructor`) need a closer look. */
export function reader(name: string): (record: Data) => Value | undefined {
  if (!isInherited(name)) return (record) => record[name];
  return (record) => (Object.hasOwn(record, name) ? record[name] : undefined);
}

/** A built-in name. */
export function builtin(name: Kind<"builtin">["name"]): Run<Value | undefined> {
  switch (name) {
    case "actor":
      return (context) => context.actor;
    case "initiator":
      return (context) => context.initiator.id;
    case "now":
      return (context) => context.at;
    case "elapsed":
      return (context) => context.at - context.enteredAt;
    case "state":
      return (context) => context.state;
    case "key":
      return (context) => context.key;
    case "outcome":
      return (context) => context.outcome;
    case "approvals":
      return (context) => context.approvals as unknown as Value;
  }
}

/** The list item under test, or a field of it. */
export function item({ depth, name }: Kind<"item">): Run<Value | undefined> {
  const read = name === undefined ? undefined : reader(name);
  return (_context, items) => {
    let place = items;
    for (let left = depth; left > 0; left -= 1) place = place?.outer;
    if (place === undefined || read === undefined) return place?.item;
    return read(place.item as Data);
  };
}

/** A comparison by its operator. */
export function compared(operator: string, left: Run<number>, right: Run<number>): Run<boolean> {
  switch (operator) {
    case "==":
      return (context, items) => left(context, items) === right(context, items);
    case "!=":
      return (context, items) => left(context, items) !== right(context, items);
    case "<":
      return (context, items) => left(context, items) < right(context, items);
    case "<=":
      return (context, items) => left(context, items) <= right(context, items);
    case ">":
      return (context, items) => left(context, items) > right(context, items);
    default:
      return (context, items) => left(context, items) >= right(context, items);
  }
}

/** Exact arithmetic by its operator. */
export function operation(operator: string, left: Run<Fraction>, right: Run<Fraction>): Run<Fraction> {
  switch (operator) {
    case "+":
      return (context, items) => left(context, items).add(right(context, items));
    case "-":
      return (context, items) => left(context, items).sub(right(context, items));
    case "*":
      return (context, items) => left(context, items).mul(right(context, items));
    default:
      return (context, items) => quotient(left(context, items), right(context, items));
  }
}

function quotient(dividend: Fraction, divisor: Fraction): Fraction {
  if (divisor.n === 0n) throw new EvaluationError("condition-failed", "A division by zero has no result.");
  return dividend.div(divisor);
}
