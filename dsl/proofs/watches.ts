/** What must not happen, by property: which states are watched, and which approvals count. */
import type { Approval, Definition, People, Property, StateDefinition } from "../definition.ts";
import { isApprovedBy, resolved, type Standpoint, weaknesses } from "./covering.ts";
import { type Machines, VARIANTS_MAX } from "./machines.ts";
import { nameOf, type Operation, type Slot, type Variant } from "./steps.ts";
import type { Watch } from "./watch.ts";

export type NeverWithout = Extract<Property, { kind: "never-without-state" | "never-without-approval" }>;

/** What is known of the sub-flow that a state runs. */
export interface RunKnowledge {
  /** Names of the final states it can reach; absent: not known. */
  outcomesOf(state: StateDefinition): readonly string[] | undefined;
  /** Is every way to that final state approved by these people? */
  isApprovedBy(state: StateDefinition, outcome: string, by: People): boolean;
}

/** Facts that are told apart. */
const FACTS_MAX = 30;
const NO_CHOICE: readonly Variant[] = [{ rows: [] }];
const noChoice = () => NO_CHOICE;

export function watchOf(property: NeverWithout, machines: Machines, runs: RunKnowledge): Watch {
  const isTarget = (slot: Slot, state: number) => nameOf(slot, state) === property.state;
  if (property.kind === "never-without-approval") return new ApprovalWatch(property.by, isTarget, machines, runs);
  return {
    isTarget,
    onEntry: (slot, state) => (nameOf(slot, state) === property.without ? 1 : 0),
    onApproved: () => 0,
    afterReturn: (facts) => facts,
    onOutcome: () => 0,
    variants: noChoice,
    outcomesOfRun: (state) => runs.outcomesOf(state),
  };
}

/** A fact for each state in which the people may approve. */
class ApprovalWatch implements Watch {
  readonly isTarget: Watch["isTarget"];
  private readonly by: People;
  private readonly machines: Machines;
  private readonly runs: RunKnowledge;
  private readonly sources: readonly { readonly slot: Slot; readonly state: number }[];
  private readonly choices = new Map<StateDefinition, readonly (Variant & { readonly isApproval: boolean })[]>();

  constructor(by: People, isTarget: Watch["isTarget"], machines: Machines, runs: RunKnowledge) {
    // A sub-flow has names of its own.
    this.by = resolved(by, machines.definition.people);
    this.isTarget = isTarget;
    this.machines = machines;
    this.runs = runs;
    const all = machines.slots.flatMap((slot) => slot.states.map((definition, state) => ({ slot, state, definition })));
    for (const { slot, state, definition } of all) {
      const at = machines.standpointAt(slot, state);
      if (definition.approval) this.choices.set(definition, this.choicesOf(definition.approval, at));
    }
    this.sources = all.filter(({ definition: { approval, run } }) => approval ?? run).slice(0, FACTS_MAX);
  }

  variants = (slot: Slot, state: number): readonly Variant[] => this.choices.get(slot.states[state]!) ?? NO_CHOICE;

  onEntry(): number {
    return 0;
  }

  onApproved(slot: Slot, state: number, variant: number): number {
    const choice = this.choices.get(slot.states[state]!)?.[variant];
    return choice?.isApproval ? this.factOf(slot, state) : 0;
  }

  onOutcome(definition: StateDefinition, outcome: string): number {
    if (!this.runs.isApprovedBy(definition, outcome, this.by)) return 0;
    const source = this.sources.find(({ slot, state }) => slot.states[state] === definition);
    return source ? this.factOf(source.slot, source.state) : 0;
  }

  outcomesOfRun(state: StateDefinition): readonly string[] | undefined {
    return this.runs.outcomesOf(state);
  }

  private factOf(slot: Slot, state: number): number {
    const index = this.sources.findIndex((source) => source.slot === slot && source.state === state);
    return index < 0 ? 0 : 1 << index;
  }

  /** What was decided in states that will be walked again counts for nothing. */
  afterReturn(facts: number, slot: Slot, state: number): number {
    let left = facts;
    for (const [index, source] of this.sources.entries()) {
      if (!(left & (1 << index))) continue;
      const at = standingIn(slot, source.slot, source.state);
      if (at === state || (at !== undefined && this.machines.dominators(slot, at).includes(state)))
        left &= ~(1 << index);
    }
    return left;
  }

  /** The rows of the state's matrices, told apart by whether they ask the people. */
  private choicesOf(approval: Approval, at: Standpoint): readonly (Variant & { readonly isApproval: boolean })[] {
    const { definition } = this.machines;
    const isWeak = weaknesses(approval).length > 0;
    let choices: readonly (Variant & { isApproval: boolean; operation?: Operation })[] = [
      { rows: [], isApproval: false },
    ];
    for (const stage of approval.chain) {
      if (stage.kind !== "matrix") {
        const counts = !isWeak && isApprovedBy(stage, this.by, at);
        choices = choices.map((choice) => ({ ...choice, isApproval: choice.isApproval || counts }));
        continue;
      }
      const rows = definition.matrices[stage.matrix]?.rows ?? [];
      const asking = rows.map(({ stages }) => !isWeak && stages.some((one) => isApprovedBy(one, this.by, at)));
      const kinds = [...new Set(asking)].map((kind) => ({
        isApproval: kind,
        rows: asking.flatMap((own, index) => (own === kind ? [index] : [])),
      }));
      choices = choices.flatMap((choice) =>
        kinds.map(({ isApproval, rows: own }) => ({
          isApproval: choice.isApproval || isApproval,
          rows: [...choice.rows, own],
        })),
      );
    }
    // Too many to tell apart: then it is an approval only if all of them are.
    if (choices.length > VARIANTS_MAX) return [{ rows: [], isApproval: choices.every((choice) => choice.isApproval) }];
    return choices.map((choice) => this.withClaim(choice, approval, choices.length > 1));
  }

  private withClaim(
    choice: Variant & { readonly isApproval: boolean },
    { chain }: Approval,
    isChoice: boolean,
  ): Variant & { readonly isApproval: boolean } {
    if (!isChoice) return choice;
    const matrices = chain.filter((stage) => stage.kind === "matrix");
    const alternatives = matrices.reduce<
      readonly (readonly { condition: Definition["transitions"][number]["condition"] & {}; holds: boolean }[])[]
    >(
      (before, use, index) => {
        const rows = this.machines.claims.rows(use);
        const all = choice.rows[index]?.length === rows.length;
        if (all) return before;
        return before.flatMap((claims) =>
          (choice.rows[index] ?? []).map((row) => [...claims, { condition: rows[row]!, holds: true }]),
        );
      },
      [[]],
    );
    return { ...choice, operation: this.machines.claims.claim(alternatives) };
  }
}

/** The state of `slot` within which the other one lies. */
function standingIn(slot: Slot, inner: Slot, state: number): number | undefined {
  if (inner === slot) return state;
  return inner.of ? standingIn(slot, inner.of.slot, inner.of.state) : undefined;
}
