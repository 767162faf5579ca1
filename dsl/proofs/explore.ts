/** Walks through everything a flow can come to, nearest first, and looks for what must not be. */
import type { Approval, StateDefinition } from "../definition.ts";
import type { Boxes } from "./boxes.ts";
import type { Machines } from "./machines.ts";
import { canWithdraw, isHandling } from "./outcomes.ts";
import {
  type Configuration,
  type Entry,
  type Group,
  isInstant,
  type Operation,
  type Slot,
  type Standing,
} from "./steps.ts";
import type { Cause, Exploration, Step, Watch } from "./watch.ts";

interface Node {
  readonly standing: Standing;
  readonly configuration: Configuration;
  readonly box: number;
  readonly facts: number;
  readonly step: Step;
}

/** One way into a state that data leads along. */
interface Arrival {
  readonly cause: Cause;
  readonly entry: Entry;
  readonly from: Configuration;
  readonly standing: Standing;
  readonly previous: Step | undefined;
}

function stepOf({ cause, entry, from, standing, previous }: Arrival, entered: Entry["entered"]): Step {
  const { operations, configuration } = entry;
  const step = { cause, from, operations, entered, configuration, editable: standing.editable };
  return previous ? { before: previous, ...step } : step;
}

/** Situations that are looked at for one property. */
const NODES_MAX = 60_000;
/** Paths that may turn out to lead nowhere before a property stays unproved. */
const REFUSALS_MAX = 40;

export class Explorer {
  private readonly machines: Machines;
  private readonly boxes: Boxes;
  private readonly watch: Watch;
  private readonly accept: (step: Step) => boolean;
  private readonly queue: Node[] = [];
  private readonly seen = new Map<Standing, { readonly box: number; readonly facts: number }[]>();
  private reached = false;
  private held = false;
  private refusals = 0;
  private found: Step | undefined;

  /** @param accept is the path to the last state of the step a real one? Only then is it an answer. */
  constructor(machines: Machines, boxes: Boxes, watch: Watch, accept: (step: Step) => boolean) {
    this.machines = machines;
    this.boxes = boxes;
    this.watch = watch;
    this.accept = accept;
  }

  run(): Exploration {
    this.begin();
    for (let next = 0; next < this.queue.length; next += 1) {
      if (this.found) return { kind: "broken", step: this.found };
      if (next >= NODES_MAX || this.refusals > REFUSALS_MAX) return { kind: "unclear", limit: true };
      this.expand(this.queue[next]!);
    }
    if (this.found) return { kind: "broken", step: this.found };
    if (this.refusals > 0) return { kind: "unclear", limit: false };
    return { kind: "holds", reached: this.reached, held: this.held };
  }

  private begin(): void {
    const from = this.machines.slots.map(() => -1);
    for (const entry of this.machines.start(this.watch.variants)) {
      this.arrive(
        { configuration: from, box: this.boxes.everything(), facts: 0 },
        entry,
        { kind: "start" },
        0,
        undefined,
      );
    }
  }

  // Steps ---------------------------------------------------------------------------------------------------------- //

  private expand(node: Node): void {
    const join = this.machines.joinable(node.configuration);
    if (join) {
      const { slot, state } = join;
      this.outcome(node, slot, state, "joined", this.machines.branchStates(node.configuration, slot, state));
      return;
    }
    for (const slot of this.machines.active(node.configuration)) {
      const state = this.machines.stateOf(slot, node.configuration);
      if (!this.watch.inert?.has(slot)) this.stateSteps(node, slot, state);
      else if (!this.machines.hasArrived(slot, state)) {
        for (const within of slot.states.keys()) this.stateSteps(node, slot, within);
      }
      if (this.found) return;
    }
  }

  private stateSteps(node: Node, slot: Slot, state: number): void {
    const definition = slot.states[state]!;
    const { approval, run } = definition;
    if (approval) this.approvalSteps(node, slot, state, approval);
    if (run) this.runSteps(node, slot, state, definition);
    if (definition.revocableFor) this.withdraw(node, slot, state, []);
    if (isInstant(definition)) return;
    for (const group of this.machines.groupsIn(slot, state)) {
      if (group.trigger.kind !== "outcome") this.lines(node, slot, state, group, [], node.facts);
    }
  }

  private approvalSteps(node: Node, slot: Slot, state: number, approval: Approval): void {
    const gained = this.watch.onApproved(slot, state, this.machines.variantOf(slot, node.configuration));
    const isHandled = isHandling(approval);
    const rules = approval.chain.filter((stage) => stage.kind === "auto");
    const passed = rules.map((stage) => this.machines.claims.auto(stage, true));
    this.outcome({ ...node, facts: node.facts | gained }, slot, state, isHandled ? "done" : "approved", passed);
    for (const [index, stage] of rules.entries()) {
      this.outcome(node, slot, state, "rejected", [...passed.slice(0, index), this.machines.claims.auto(stage, false)]);
    }
    // Who is asked first has all the ways out that later ones have, with less decided.
    const first = approval.chain.findIndex((stage) => stage.kind !== "auto");
    if (first < 0) return;
    const before = passed.slice(0, first);
    if (!isHandled) this.outcome(node, slot, state, "rejected", before);
    if (approval.allow.includes("returnTo")) this.returns(node, slot, state, before);
    if (canWithdraw(approval)) this.withdraw(node, slot, state, before);
  }

  private runSteps(node: Node, slot: Slot, state: number, definition: StateDefinition): void {
    if (definition.run?.kind === "saga") {
      this.outcome(node, slot, state, "done", []);
      this.outcome(node, slot, state, "compensated", []);
      return;
    }
    const outcomes = this.watch.outcomesOfRun(definition);
    if (!outcomes) this.outcome(node, slot, state, "done", []);
    for (const outcome of outcomes ?? []) {
      const facts = node.facts | this.watch.onOutcome(definition, outcome);
      this.outcome({ ...node, facts }, slot, state, "done", [this.machines.claims.outcomeIs(outcome)]);
    }
  }

  /** An outcome of a state; in a branch one that no line takes may be the parallel state's. */
  private outcome(node: Node, slot: Slot, state: number, outcome: string, operations: readonly Operation[]): void {
    const group = this.machines.group(slot, state, outcome);
    if (group) this.lines(node, slot, state, group, operations, node.facts, outcome);
    else if (outcome === "rejected" && slot.of) {
      const { slot: outer, state: parallel } = slot.of;
      if (outer.states[parallel]!.parallel?.rejectOne) this.outcome(node, outer, parallel, outcome, operations);
    }
  }

  private returns(node: Node, slot: Slot, state: number, operations: readonly Operation[]): void {
    const group = this.machines.group(slot, state, "returned");
    if (group) this.lines(node, slot, state, group, operations, "returned", "returned");
    for (
      let [at, from]: [Slot | undefined, number] = [slot, state];
      at;
      [from, at] = [at.of?.state ?? -1, at.of?.slot]
    ) {
      for (const target of this.machines.dominators(at, from)) {
        const entries = this.machines.moveTo(node.configuration, at, target, operations, this.watch.variants);
        const facts = this.watch.afterReturn(node.facts, at, target);
        const cause: Cause = { kind: "return", slot, state, to: at.states[target]!.name };
        for (const entry of entries) this.arrive({ ...node, facts }, entry, cause, facts, node.step);
      }
    }
  }

  /** The nearest line on `withdrawn` outwards, else back to where the flow begins. */
  private withdraw(node: Node, slot: Slot, state: number, operations: readonly Operation[]): void {
    for (
      let [at, from]: [Slot | undefined, number] = [slot, state];
      at;
      [from, at] = [at.of?.state ?? -1, at.of?.slot]
    ) {
      const group = this.machines.group(at, from, "withdrawn");
      if (!group || (at === slot && slot.of)) continue;
      this.lines(node, at, from, group, operations, "returned", "withdrawn");
      return;
    }
    const { root } = this.machines;
    const initial = root.states.findIndex(({ name }) => name === root.region.initial);
    const facts = this.watch.afterReturn(node.facts, root, initial);
    const entries = this.machines.moveTo(node.configuration, root, initial, operations, this.watch.variants);
    for (const entry of entries) this.arrive(node, entry, { kind: "withdraw", slot, state }, facts, node.step);
  }

  private lines(
    node: Node,
    slot: Slot,
    state: number,
    group: Group,
    operations: readonly Operation[],
    facts: number | "returned",
    outcome?: string,
  ): void {
    for (const line of group.lines) {
      const left = facts === "returned" ? this.watch.afterReturn(node.facts, line.into, line.target) : facts;
      const cause: Cause = { kind: "line", slot, state, group, line, ...(outcome === undefined ? {} : { outcome }) };
      for (const entry of this.machines.follow(node.configuration, line, this.watch.variants)) {
        const all = operations.length === 0 ? entry : { ...entry, operations: [...operations, ...entry.operations] };
        this.arrive(node, all, cause, left, node.step);
      }
    }
  }

  // Arriving ------------------------------------------------------------------------------------------------------- //

  private arrive(
    node: Pick<Node, "configuration" | "box" | "facts">,
    entry: Entry,
    cause: Cause,
    before: number,
    previous: Step | undefined,
  ): void {
    if (this.found || this.staysWithin(entry)) return;
    const boxes = this.boxes.afterAll(node.box, entry.operations);
    if (boxes.length === 0) return;
    const standing = this.machines.standing(entry.configuration);
    const arrival: Arrival = { cause, entry, from: node.configuration, standing, previous };
    const facts = this.watch.route ? this.follow(arrival, before) : this.look(arrival, before, boxes);
    if (facts === undefined || this.found) return;
    for (const box of boxes) {
      const settled = this.boxes.settled(box, standing.editable, standing.isDraft);
      if (!this.isKnown(standing, settled, facts)) {
        const { configuration } = standing;
        this.queue.push({ standing, configuration, box: settled, facts, step: stepOf(arrival, entry.entered) });
      }
    }
  }

  /** Somewhere in an inert branch it is already. */
  private staysWithin({ entered }: Entry): boolean {
    const [first] = entered;
    if (!first || entered.length > 1 || !this.watch.inert?.has(first.slot)) return false;
    return !this.machines.hasArrived(first.slot, first.state);
  }

  /** Looks at every state that is entered; the facts afterwards. */
  private look(arrival: Arrival, before: number, boxes: readonly number[]): number {
    const { entered } = arrival.entry;
    let facts = before;
    for (let index = 0; index < entered.length; index += 1) {
      const { slot, state } = entered[index]!;
      facts |= this.watch.onEntry(slot, state);
      if (!this.watch.isTarget(slot, state)) continue;
      this.reached = true;
      if (!this.holdsSomewhere(boxes)) continue;
      this.held = true;
      if (facts === 0) this.violate(stepOf(arrival, entered.slice(0, index + 1)));
    }
    return facts;
  }

  /** How far it is on the route then; `undefined`: off it, or at its end. */
  private follow(arrival: Arrival, before: number): number | undefined {
    const { entry } = arrival;
    const route = this.watch.route ?? [];
    const progress = progressOn(route, entry, before, this.machines.root);
    if (progress !== route.length) return progress;
    this.violate(stepOf(arrival, entry.entered));
    return undefined;
  }

  private holdsSomewhere(boxes: readonly number[]): boolean {
    const { condition } = this.watch;
    return condition === undefined || boxes.some((box) => this.boxes.where(box, condition).length > 0);
  }

  private violate(step: Step): void {
    if (this.refusals > REFUSALS_MAX) return;
    if (this.accept(step)) this.found = step;
    else this.refusals += 1;
  }

  /** Was one there before with as much room and no more facts? If not, it is noted. */
  private isKnown(standing: Standing, box: number, facts: number): boolean {
    const isRoute = this.watch.route !== undefined;
    const known = this.seen.get(standing);
    if (known === undefined) {
      this.seen.set(standing, [{ box, facts }]);
      return false;
    }
    for (const other of known) {
      const asFew = isRoute ? other.facts === facts : (other.facts & ~facts) === 0;
      if (asFew && this.boxes.isWithin(box, other.box)) return true;
    }
    known.push({ box, facts });
    return false;
  }
}

/** How many states of the route are entered then; `undefined`: this leads away from it. */
function progressOn(route: readonly string[], { entered }: Entry, before: number, root: Slot): number | undefined {
  let progress = before;
  for (const { slot, state } of entered) {
    if (slot !== root) continue;
    if (slot.states[state]!.name !== route[progress]) return undefined;
    progress += 1;
  }
  return progress;
}
