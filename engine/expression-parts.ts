import type Fraction from "fraction.js";
import type { Data, Expression, Value } from "../dsl/index.ts";
import { EvaluationError } from "./evaluation-error.ts";
import type { EpochMs, Json, Person } from "./types.ts";

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

/** A data field beside a constant. The field must not be one of those that {@link isInherited}. Spelled out, because a helper would double its time. */
export function fieldCompared(operator: string, name: string, right: Value, absent: () => never): Run<boolean> {
  switch (operator) {
    case "==":
      return ({ data }) => (data[name] ?? absent()) === right;
    case "!=":
      return ({ data }) => (data[name] ?? absent()) !== right;
    case "<":
      return ({ data }) => (data[name] ?? absent()) < right;
    case "<=":
      return ({ data }) => (data[name] ?? absent()) <= right;
    case ">":
      return ({ data }) => (data[name] ?? absent()) > right;
    default:
      return ({ data }) => (data[name] ?? absent()) >= right;
  }
}

interface Bound {
  /** `>`, `>=`, `<` or `<=`. */
  readonly operator: string;
  readonly value: Value;
}

/** A data field between two constants, like {@link fieldCompared}. */
export function fieldWithin(name: string, low: Bound, high: Bound, absent: () => never): Run<boolean> {
  const [from, to] = [low.value, high.value];
  const kind = `${low.operator} ${high.operator}`;
  switch (kind) {
    case ">= <":
      return ({ data }) => {
        const value = data[name] ?? absent();
        return value >= from && value < to;
      };
    case ">= <=":
      return ({ data }) => {
        const value = data[name] ?? absent();
        return value >= from && value <= to;
      };
    case "> <":
      return ({ data }) => {
        const value = data[name] ?? absent();
        return value > from && value < to;
      };
    default:
      return ({ data }) => {
        const value = data[name] ?? absent();
        return value > from && value <= to;
      };
  }
}

/** Is a data field one of these? Like {@link fieldCompared}. */
export function fieldAmong(name: string, known: ReadonlySet<Value>, absent: () => never): Run<boolean> {
  return ({ data }) => known.has(data[name] ?? absent());
}

/** Do all hold? Asked from the left; short rows are spelled out, because they are most of what there is. */
export function every(parts: readonly Run<boolean>[]): Run<boolean> {
  const [a, b, c, d] = parts;
  if (!a || !b) return a ?? (() => true);
  if (!c) return (context, items) => a(context, items) && b(context, items);
  if (!d) return (context, items) => a(context, items) && b(context, items) && c(context, items);
  const first: Run<boolean> = (context, items) =>
    a(context, items) && b(context, items) && c(context, items) && d(context, items);
  return parts.length === 4 ? first : every([first, ...parts.slice(4)]);
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
