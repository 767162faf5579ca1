/** The machines of a flow: where they may stand, and how one gets from there to elsewhere. */
import type { Approval, Definition, Parallel, Region, StateDefinition } from "../definition.ts";
import { Claims } from "./claims.ts";
import { type Falling, fallings, type Standpoint } from "./covering.ts";
import { groupsOf } from "./lines.ts";
import {
  type Configuration,
  type Entry,
  type Group,
  type GuardedLine,
  hasPeople,
  nameOf,
  type Operation,
  type Slot,
  type Standing,
  type Variants,
} from "./steps.ts";
import type { Place, Vocabulary } from "./vocabulary.ts";

/** Variants that a state may have. */
export const VARIANTS_MAX = 16;

export class Machines {
  readonly definition: Omit<Definition, "hash">;
  readonly claims: Claims;
  readonly slots: Slot[] = [];
  readonly root: Slot;
  private readonly groups = new Map<StateDefinition, readonly Group[]>();
  private readonly standings = new Map<number | string, Standing>();
  private readonly editableSets = new Map<string, readonly string[]>();
  private readonly dominating = new Map<StateDefinition, readonly number[]>();
  private readonly followed = new Map<Variants, Map<GuardedLine, readonly Entry[]>>();

  /** Makes all conditions of the flow known to the vocabulary, which is sealed afterwards. */
  constructor(definition: Omit<Definition, "hash">, vocabulary: Vocabulary, place: Place) {
    this.definition = definition;
    this.claims = new Claims(definition, vocabulary, place);
    this.root = this.slotOf(definition, undefined);
    for (const slot of this.slots) {
      for (const [index, state] of slot.states.entries()) {
        this.groups.set(state, groupsOf(slot, index, this.claims, definition.events));
        this.prepare(state);
      }
    }
  }

  /** The state in which a slot stands. */
  stateOf(slot: Slot, configuration: Configuration): number {
    const value = configuration[slot.index]!;
    return value < 0 ? -1 : value % slot.states.length;
  }

  variantOf(slot: Slot, configuration: Configuration): number {
    return Math.floor(configuration[slot.index]! / slot.states.length);
  }

  groupsIn(slot: Slot, state: number): readonly Group[] {
    return this.groups.get(slot.states[state]!) ?? [];
  }

  group(slot: Slot, state: number, outcome: string): Group | undefined {
    return this.groupsIn(slot, state).find(({ trigger }) => trigger.kind === "outcome" && trigger.outcome === outcome);
  }

  /** What takes the seat of this person from a state's approval. */
  fallingsAt(slot: Slot, state: number, id: string): readonly Falling[] {
    const { approval } = slot.states[state]!;
    if (!approval) return [];
    return fallings(id, nameOf(slot, state), approval, this.definition, (name) => this.approvalNamed(name));
  }

  /** How an approval of the state is to be read. */
  standpointAt(slot: Slot, state: number): Standpoint {
    const { people: names } = this.definition;
    const grows = slot.states[state]!.approval?.allow.includes("addBeside") ?? false;
    return { names, falls: (id) => this.fallingsAt(slot, state, id).length > 0, grows };
  }

  private approvalNamed(wanted: string): Approval | undefined {
    for (const slot of this.slots) {
      const state = slot.states.findIndex((_, index) => nameOf(slot, index) === wanted);
      if (state >= 0) return slot.states[state]!.approval;
    }
    return undefined;
  }

  /** Slots that are entered, outer ones first. */
  active(configuration: Configuration): readonly Slot[] {
    return this.slots.filter(({ index }) => configuration[index]! >= 0);
  }

  /** What is to be known of a configuration; one object for equal ones. */
  standing(configuration: Configuration): Standing {
    const key = this.keyOf(configuration);
    const before = this.standings.get(key);
    if (before) return before;
    const fields = this.editableIn(configuration);
    const name = fields.join(" ");
    const editable = this.editableSets.get(name) ?? fields;
    this.editableSets.set(name, editable);
    const { name: state } = this.root.states[this.stateOf(this.root, configuration)]!;
    const made: Standing = { configuration, editable, isDraft: state === this.root.region.initial };
    this.standings.set(key, made);
    return made;
  }

  /** A number where it fits. */
  private keyOf(configuration: Configuration): number | string {
    let key = 0;
    for (const { index, states } of this.slots)
      key = key * (states.length * VARIANTS_MAX + 1) + configuration[index]! + 1;
    return Number.isSafeInteger(key) ? key : configuration.join(",");
  }

  /** Fields that people may change where the instance stands. */
  private editableIn(configuration: Configuration): readonly string[] {
    const fields = new Set<string>();
    for (const slot of this.slots) {
      if (configuration[slot.index]! < 0) continue;
      const { approval } = slot.states[this.stateOf(slot, configuration)]!;
      if (approval && hasPeople(approval)) for (const field of approval.edit) fields.add(field);
    }
    return [...fields];
  }

  /** States of the same machine that every way from its beginning to this state passes, without the state itself. */
  dominators(slot: Slot, state: number): readonly number[] {
    const definition = slot.states[state]!;
    const known = this.dominating.get(definition);
    if (known) return known;
    const found = slot.states.flatMap((_, other) =>
      other !== state && !this.isReachedWithout(slot, state, other) ? [other] : [],
    );
    this.dominating.set(definition, found);
    return found;
  }

  private isReachedWithout(slot: Slot, state: number, avoided: number): boolean {
    const initial = indexOf(slot);
    if (initial === avoided) return false;
    const reached = new Set([initial]);
    for (const at of reached) {
      const lines = this.groupsIn(slot, at).flatMap((group) => group.lines);
      const outwards = slot.inner[at]!.flatMap((inner) => this.linesInto(inner, slot));
      for (const { into, target } of [...lines, ...outwards])
        if (into === slot && target !== avoided) reached.add(target);
    }
    return reached.has(state);
  }

  /** Lines within a slot, and within its branches, that lead to a state of an outer one. */
  linesInto(slot: Slot, outer: Slot): readonly GuardedLine[] {
    const own = slot.states.flatMap((_, state) => this.groupsIn(slot, state).flatMap(({ lines }) => lines));
    const deeper = slot.inner.flat().flatMap((inner) => this.linesInto(inner, outer));
    return [...own.filter(({ into }) => into === outer), ...deeper];
  }

  // Building ------------------------------------------------------------------------------------------------------- //

  private slotOf(region: Region, of: Slot["of"]): Slot {
    const inner: Slot[][] = region.states.map(() => []);
    const slot: Slot = { index: this.slots.length, region, states: region.states, inner, ...(of ? { of } : {}) };
    this.slots.push(slot);
    for (const [state, { parallel }] of region.states.entries()) {
      for (const branch of parallel?.branches ?? []) inner[state]!.push(this.slotOf(branch, { slot, state, branch }));
    }
    return slot;
  }

  private prepare({ approval, parallel }: StateDefinition): void {
    for (const branch of parallel?.branches ?? []) if (branch.condition) this.claims.branch(branch, true);
    for (const stage of approval?.chain ?? []) {
      if (stage.kind === "auto") this.claims.auto(stage, true);
      if (stage.kind === "matrix") this.claims.rows(stage);
    }
  }

  // Entering ------------------------------------------------------------------------------------------------------- //

  /** Where the flow begins. */
  start(variants: Variants): readonly Entry[] {
    const nowhere = { configuration: this.slots.map(() => -1), operations: [], entered: [] };
    return this.enter(nowhere, this.root, indexOf(this.root), variants);
  }

  /** What a line leads to. Where there are no branches, it is the same from everywhere. */
  follow(configuration: Configuration, line: GuardedLine, variants: Variants): readonly Entry[] {
    const { into, target, operations } = line;
    if (this.slots.length > 1) return this.moveTo(configuration, into, target, operations, variants);
    const known = this.followed.get(variants) ?? new Map<GuardedLine, readonly Entry[]>();
    this.followed.set(variants, known);
    const before = known.get(line);
    if (before) return before;
    const made = this.moveTo(configuration, into, target, operations, variants);
    known.set(line, made);
    return made;
  }

  moveTo(
    configuration: Configuration,
    slot: Slot,
    state: number,
    operations: readonly Operation[],
    variants: Variants,
  ): readonly Entry[] {
    const left = configuration.slice();
    this.leave(left, slot);
    return this.enter({ configuration: left, operations, entered: [] }, slot, state, variants);
  }

  private leave(configuration: number[], slot: Slot): void {
    const state = this.stateOf(slot, configuration);
    for (const inner of state < 0 ? [] : slot.inner[state]!) {
      this.leave(configuration, inner);
      configuration[inner.index] = -1;
    }
  }

  private enter(entry: Entry, slot: Slot, state: number, variants: Variants): readonly Entry[] {
    const kinds = variants(slot, state);
    const entered = [...entry.entered, { slot, state }];
    const own = kinds.map(
      ({ operation }, variant): Entry => ({
        configuration: entry.configuration.with(slot.index, state + variant * slot.states.length),
        operations: operation ? [...entry.operations, operation] : entry.operations,
        entered,
      }),
    );
    const branches = slot.inner[state]!;
    return branches.length === 0 ? own : own.flatMap((one) => this.fork(one, branches, variants));
  }

  /** Every combination of branches that may be entered. */
  private fork(entry: Entry, branches: readonly Slot[], variants: Variants): readonly Entry[] {
    const conditional = branches.filter(({ of }) => of!.branch.condition);
    const found: Entry[] = [];
    for (let chosen = 0; chosen < 2 ** conditional.length; chosen += 1) {
      const isIn = (slot: Slot) => {
        const { condition, otherwise } = slot.of!.branch;
        if (condition) return Boolean(chosen & (1 << conditional.indexOf(slot)));
        return !otherwise || chosen === 0;
      };
      const claims = conditional.map((slot) => this.claims.branch(slot.of!.branch, isIn(slot)));
      let entries: readonly Entry[] = [{ ...entry, operations: [...entry.operations, ...claims] }];
      for (const slot of branches.filter(isIn)) {
        entries = entries.flatMap((one) => this.enter(one, slot, indexOf(slot), variants));
      }
      found.push(...entries);
    }
    return found;
  }

  // Joining -------------------------------------------------------------------------------------------------------- //

  /** A parallel state whose branches have all that its join waits for. */
  joinable(configuration: Configuration): { readonly slot: Slot; readonly state: number } | undefined {
    for (const slot of this.slots) {
      const state = this.stateOf(slot, configuration);
      if (state < 0 || slot.inner[state]!.length === 0) continue;
      const entered = slot.inner[state]!.filter(({ index }) => configuration[index]! >= 0);
      const arrived = entered.filter((branch) => this.hasArrived(branch, this.stateOf(branch, configuration)));
      const wanted = waitedFor(slot.states[state]!.parallel!, entered.length);
      if (arrived.length >= wanted) return { slot, state };
    }
    return undefined;
  }

  /** Where the branches of a parallel state stand, as conditions on `joined` read it. */
  branchStates(configuration: Configuration, slot: Slot, state: number): readonly Operation[] {
    return slot.inner[state]!.map((branch): Operation => {
      const at = this.stateOf(branch, configuration);
      return { kind: "know", path: `${branch.of!.branch.name}.state`, value: at < 0 ? null : branch.states[at]!.name };
    });
  }

  /** Nothing leads on from there, so that the branch is at its end. */
  hasArrived(slot: Slot, state: number): boolean {
    const { approval, run, parallel } = slot.states[state]!;
    return !approval && !run && !parallel && this.groupsIn(slot, state).length === 0;
  }
}

/** How many branches must arrive. */
function waitedFor({ join }: Parallel, entered: number): number {
  if (join.kind === "count") return Math.min(join.count, entered);
  return join.kind === "all" ? entered : Math.min(1, entered);
}

function indexOf(slot: Slot): number {
  return slot.states.findIndex(({ name }) => name === slot.region.initial);
}
