/** What a walk through a flow looks for, and the steps it makes. */
import type { StateDefinition } from "../definition.ts";
import type { Formula } from "./formula.ts";
import type { Configuration, Entry, Group, GuardedLine, Operation, Slot, Variants } from "./steps.ts";

/** What must not happen: that a state is entered while something is lacking. */
export interface Watch {
  /** The state X. */
  isTarget(slot: Slot, state: number): boolean;
  /** COND; absent: always. */
  readonly condition?: Formula;
  /** A bit for each fact; X may be entered once one of them is there. */
  onEntry(slot: Slot, state: number): number;
  /** The fact that an approval of this state brings. */
  onApproved(slot: Slot, state: number, variant: number): number;
  /** Facts that are left when one goes back to a state: what was decided after it counts for nothing. */
  afterReturn(facts: number, slot: Slot, state: number): number;
  /** The fact that a sub-flow brings that ends so. */
  onOutcome(state: StateDefinition, outcome: string): number;
  /**
   * Instead of all this: the states of the flow's own machine that are entered, one after the other. Only paths along them
   * are looked at, and one that gets to the end is what must not happen.
   */
  readonly route?: readonly string[];
  /**
   * Branches in which nothing matters but how they end: they are taken to be anywhere within, and to do from there whatever
   * one of their states can. More may happen so than really can.
   */
  readonly inert?: ReadonlySet<Slot>;
  readonly variants: Variants;
  /** Names of the final states that the sub-flow of a state can reach; absent: not known. */
  outcomesOfRun(state: StateDefinition): readonly string[] | undefined;
}

/** How a step came about. */
export type Cause =
  | { readonly kind: "start" }
  | {
      readonly kind: "line";
      readonly slot: Slot;
      readonly state: number;
      readonly group: Group;
      readonly line: GuardedLine;
      readonly outcome?: string;
    }
  | { readonly kind: "return"; readonly slot: Slot; readonly state: number; readonly to: string }
  | { readonly kind: "withdraw"; readonly slot: Slot; readonly state: number };

/** One step of a path. */
export interface Step {
  readonly before?: Step;
  readonly cause: Cause;
  /** Where the instance stood before. */
  readonly from: Configuration;
  readonly operations: readonly Operation[];
  readonly entered: Entry["entered"];
  readonly configuration: Configuration;
  /** Fields that people could change while it stood there. */
  readonly editable: readonly string[];
}

export type Exploration =
  /** `reached`: X was entered; `held`: and COND could hold then. */
  | { readonly kind: "holds"; readonly reached: boolean; readonly held: boolean }
  /** A path that was accepted. */
  | { readonly kind: "broken"; readonly step: Step }
  /** Only paths that were not accepted, or too much to look at. */
  | { readonly kind: "unclear"; readonly limit: boolean };
