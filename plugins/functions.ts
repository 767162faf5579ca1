import type { Type } from "../dsl/index.ts";

/** What a function is told: the instance as it stands, without secrets. */
export interface FunctionContext {
  readonly tenant: string;
  readonly flow: string;
  readonly instance: string;
  readonly key: string;
  readonly state: string;
  readonly event?: string;
  readonly actor?: string;
  readonly initiator: {
    readonly id: string;
    readonly name?: string;
    readonly org?: string;
    readonly tags?: readonly string[];
  };
  /** By field name, in the outside form: money `"1280.50 CNY"`, dates `"2026-10-01"`. */
  readonly data: Readonly<Record<string, unknown>>;
  /** The instant of the decision, in epoch ms. Take this, not the clock: the answer is part of history. */
  readonly at: number;
}

export interface FunctionCall {
  readonly arguments: readonly unknown[];
  readonly context: FunctionContext;
  /** Actions only: stays the same when the call is repeated. */
  readonly idempotencyKey?: string;
}

type Maybe<T> = T | Promise<T>;

/** A function that flows call by name, made by {@link guard}, {@link check}, {@link value}, {@link people} or {@link action}. */
export interface FlowFunction {
  readonly kind: "guard" | "check" | "value" | "people" | "action";
  /** Result of a value function. */
  readonly type?: Type;
  readonly run: (call: FunctionCall) => unknown;
  /** Of the file that it came from, as the history names it; put on when it is loaded. */
  readonly version?: string;
}

/** A condition; must be pure: its answer is recorded and not asked again. */
export const guard = (run: (call: FunctionCall) => Maybe<boolean>): FlowFunction => ({ kind: "guard", run });

/** Runs before the commit and can veto it: `true`, or the reason for the no. */
export const check = (run: (call: FunctionCall) => Maybe<true | string>): FlowFunction => ({ kind: "check", run });

/** A value for expressions, in the form that values take on the way in. */
export const value = (type: SimpleType, run: (call: FunctionCall) => Maybe<unknown>): FlowFunction => ({
  kind: "value",
  type: type === "money" ? { kind: "money", signed: false } : { kind: type },
  run,
});

export type SimpleType =
  | "bool"
  | "int"
  | "decimal"
  | "text"
  | "date"
  | "datetime"
  | "duration"
  | "user"
  | "org"
  | "money";

/** Ids of users. */
export const people = (run: (call: FunctionCall) => Maybe<readonly string[]>): FlowFunction => ({
  kind: "people",
  run,
});

/** Done after the commit, at least once; throw to have it tried again. Use `idempotencyKey` to do it once. */
export const action = (run: (call: FunctionCall) => Maybe<unknown>): FlowFunction => ({ kind: "action", run });

const KINDS = new Set(["guard", "check", "value", "people", "action"]);

/** Is this export of a `functions.ts` one of the above? */
export function isFlowFunction(exported: unknown): exported is FlowFunction {
  if (typeof exported !== "object" || exported === null) return false;
  const { kind, run } = exported as Partial<FlowFunction>;
  return typeof run === "function" && typeof kind === "string" && KINDS.has(kind);
}
