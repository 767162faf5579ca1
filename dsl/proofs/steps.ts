/**
 * What can happen in a flow, as steps over its machines: every line with what it asks and changes, every way into a state.
 * People do whatever they may, functions answer whatever they like, time passes; administrators do nothing.
 */
import type { Approval, Branch, Expression, Region, StateDefinition, Transition } from "../definition.ts";
import type { Claim } from "./cases.ts";
import type { Formula } from "./formula.ts";

/** What a step asks of the data, or does to it. One object per place in the flow, so that what follows can be remembered. */
export type Operation =
  /** The fields may have any value afterwards. */
  | { readonly kind: "change"; readonly fields: readonly string[]; readonly event?: string }
  /** All claims of at least one of the alternatives are so. */
  | { readonly kind: "claim"; readonly formula: Formula; readonly alternatives: readonly (readonly Claim[])[] }
  | { readonly kind: "set"; readonly field: string; readonly value: Expression }
  /** Every required field is there. */
  | { readonly kind: "complete" }
  /** What a built-in name says at this step: `outcome`, `legal.state`. Null: it is absent. */
  | { readonly kind: "know"; readonly path: string; readonly value: string | null };

/** A machine that may run: the flow's own, or one branch of one parallel state. */
export interface Slot {
  readonly index: number;
  readonly region: Region;
  readonly states: readonly StateDefinition[];
  /** For each state its branches' slots. */
  readonly inner: readonly (readonly Slot[])[];
  readonly of?: { readonly slot: Slot; readonly state: number; readonly branch: Branch };
}

/** Lines that wait for the same thing in one state, in the order in which they are looked at. */
export interface Group {
  readonly trigger: Transition["trigger"];
  readonly lines: readonly GuardedLine[];
}

export interface GuardedLine {
  readonly line: Transition;
  /** Its place in the machine's transitions. */
  readonly index: number;
  /** What is asked and changed when this is the line that applies. */
  readonly operations: readonly Operation[];
  /** The machine in which the target lies. */
  readonly into: Slot;
  readonly target: number;
}

/** Where everything stands: for every slot the number of its state, or -1. Variants of a state: see {@link Variants}. */
export type Configuration = readonly number[];

/** A configuration with what follows from it. */
export interface Standing {
  readonly configuration: Configuration;
  /** Fields that people may change there; one list for equal ones. */
  readonly editable: readonly string[];
  /** The flow's initial state, where required fields may still be missing. */
  readonly isDraft: boolean;
}

/** Rows of a matrix in which what matters is the same, by state: the state's number plus so many times the states. */
export type Variants = (slot: Slot, state: number) => readonly Variant[];

export interface Variant {
  /** Which rows of the state's matrices: one list per matrix of the chain, in order. */
  readonly rows: readonly (readonly number[])[];
  /** What the choice claims; absent: nothing. */
  readonly operation?: Operation;
}

/** One way into a state, with everything that is entered with it. */
export interface Entry {
  readonly configuration: Configuration;
  readonly operations: readonly Operation[];
  /** In order; the place as {@link nameOf} shows it. */
  readonly entered: readonly { readonly slot: Slot; readonly state: number }[];
}

/** `legal.REVIEW` in a branch. */
export function nameOf(slot: Slot, state: number): string {
  const { name } = slot.states[state]!;
  return slot.of ? `${slot.of.branch.name}.${name}` : name;
}

/** Only rules decide there, so that it is left as soon as it is entered. */
export function isInstant({ approval }: StateDefinition): boolean {
  return approval?.chain.every(({ kind }) => kind === "auto") ?? false;
}

export function hasPeople({ chain }: Approval): boolean {
  return chain.some(({ kind }) => kind !== "auto");
}
