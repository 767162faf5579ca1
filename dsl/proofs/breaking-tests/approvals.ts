/** How people pass, reject or return what a test has come to. */
import type { Approval, Group, Mode, PeopleStage, Term } from "../../definition.ts";
import type { ConcretePath, ConcreteStep } from "../concrete.ts";
import { isApprovedBy, resolved, weaknesses } from "../covering.ts";
import { holdsIn, NoValue } from "../evaluate.ts";
import type { Flow } from "../properties.ts";
import { nameOf } from "../steps.ts";
import { type Ending, idsOf, type LineCause, type Located } from "./breaking-test.ts";
import type { Script } from "./script.ts";
import type { SimulatedPeople } from "./simulated-people.ts";

export class Approvals {
  private readonly ending: Ending;
  private readonly path: ConcretePath;
  private readonly flow: Flow;
  private readonly people: SimulatedPeople;
  private readonly script: Script;
  /** Who decided where. */
  private readonly decided = new Map<string, Set<string>>();

  constructor(ending: Ending, path: ConcretePath, flow: Flow, people: SimulatedPeople, script: Script) {
    this.ending = ending;
    this.path = path;
    this.flow = flow;
    this.people = people;
    this.script = script;
  }

  /** Answers whether a test can say it, like all that follows. */
  outcome(step: ConcreteStep, cause: LineCause, approval: Approval, outcome: string): boolean {
    const stages = this.stagesOf(approval, step, cause);
    if (outcome === "rejected") return stages.length === 0 || this.decide(step, cause, "rejects");
    return stages.every((stage) => this.pass(stage, approval, step, cause));
  }

  /** As many of those who are asked first decide so as it takes: one, but for a rejection that the rest may outvote. */
  decide(step: ConcreteStep, { slot, state }: Located, words: string): boolean {
    const { approval } = slot.states[state]!;
    const stage = approval && this.stagesOf(approval, step, { slot, state })[0];
    const [first] = stage?.groups ?? [];
    const persons = first && this.people.of(first.people, step.data, countOf(first.mode));
    if (!approval || !stage || !persons) return false;
    const able = persons.filter((person) => this.mayDecide(person, nameOf(slot, state), stage));
    if (able.length === 0 || (first.pick && persons.length > 1) || !this.wait(approval)) return false;
    this.weigh(first.mode);
    const isOutvoted = words === "rejects" && first.reject === "rest";
    const count = isOutvoted ? able.length - neededOf(first.mode, able.length) + 1 : 1;
    for (const person of able.slice(0, count)) this.script.say(person, words, approval, slot);
    return true;
  }

  /** The rows of matrices are looked up when the state is entered. */
  entryOf(step: ConcreteStep, { slot, state }: Located): ConcreteStep {
    const before = this.path.steps.slice(0, this.path.steps.indexOf(step));
    return (
      before.findLast(({ step: { entered } }) => entered.some((one) => one.slot === slot && one.state === state)) ??
      step
    );
  }

  /** The stages in which people are asked, with those of the matrix's row. */
  private stagesOf({ chain }: Approval, step: ConcreteStep, at: Located): readonly PeopleStage[] {
    const { world } = this.entryOf(step, at);
    return chain.flatMap((stage): readonly PeopleStage[] => {
      if (stage.kind === "auto") return [];
      if (stage.kind !== "matrix") return [stage];
      const conditions = this.flow.machines.claims.rows(stage);
      const row = conditions.findIndex((condition) => isSo(() => holdsIn(condition, world)));
      const stages = this.flow.definition.matrices[stage.matrix]?.rows[row]?.stages ?? [];
      return stages.filter((one) => one.kind !== "auto");
    });
  }

  /** Has people for all stages of the state, as far as a test can say who they are. */
  seat(step: ConcreteStep, at: Located): void {
    const { approval } = at.slot.states[at.state]!;
    const groups = approval ? this.stagesOf(approval, step, at).flatMap((stage) => stage.groups) : [];
    for (const { people, mode } of groups) this.people.of(people, step.data, countOf(mode));
  }

  /** The stages of the state before this one are passed; its people are there. */
  open(step: ConcreteStep, at: Located, { stage, initiator }: NonNullable<Ending["asked"]>): boolean {
    const { approval } = at.slot.states[at.state]!;
    const stages = approval ? this.stagesOf(approval, step, at) : [];
    const index = stages.indexOf(stage);
    if (!approval || index < 0 || !stages.slice(0, index).every((one) => this.pass(one, approval, step, at)))
      return false;
    const found = stage.groups.map(({ people }) =>
      initiator ? this.people.including(people, this.people.initiator, 2) : this.people.of(people, step.data, 1),
    );
    return initiator ? found.some((one) => one !== undefined) : !found.includes(undefined);
  }

  // Passing -------------------------------------------------------------------------------------------------------- //

  /** Everybody approves whose approval is needed; where that proves nothing, nobody does. */
  private pass(stage: PeopleStage, approval: Approval, { data }: ConcreteStep, at: Located): boolean {
    const { slot, state } = at;
    const { without } = this.ending;
    const { people: names } = this.flow.definition;
    const isWatched =
      without !== undefined && isApprovedBy(stage, without, { names, falls: () => false, grows: false });
    const isBound = isWatched && isApprovedBy(stage, without, this.flow.machines.standpointAt(slot, state));
    if (isBound || (isWatched && weaknesses(approval).length > 0)) return this.passWithout(stage, approval, at);
    const absent = isWatched ? idsOf(without, names) : [];
    return stage.groups.every((group) => {
      const persons = this.people.of(group.people, data, countOf(group.mode));
      const falling = persons?.filter((person) => absent.includes(person)) ?? [];
      if (!falling.every((person) => this.letFall(person, approval, at))) return false;
      const left = persons?.filter((person) => !absent.includes(person));
      return left !== undefined && this.approve(left, group, stage, approval, at);
    });
  }

  /** As many of them approve as the mode needs. */
  private approve(
    persons: readonly string[],
    { mode, pick }: Group,
    stage: PeopleStage,
    approval: Approval,
    { slot, state }: Located,
  ): boolean {
    // Whom it picks of several is the engine's to say.
    if (pick && persons.length > 1) return false;
    this.weigh(mode);
    if (mode.kind !== "sequence" && !this.wait(approval)) return false;
    const name = nameOf(slot, state);
    const able = persons.filter((person) => this.mayDecide(person, name, stage));
    if (able.length < Math.max(1, countOf(mode))) return false;
    for (const person of this.preferred(able, stage).slice(0, neededOf(mode, able.length))) {
      if (mode.kind === "sequence" && !this.wait(approval)) return false;
      this.script.say(person, stage.kind === "handle" ? "handles" : "approves", approval, slot);
      this.decided.set(name, (this.decided.get(name) ?? new Set()).add(person));
    }
    return true;
  }

  /** First those whose decision the test is about; last those without whose approval it is to pass. */
  private preferred(persons: readonly string[], { kind }: PeopleStage): readonly string[] {
    const { without, deciding = [] } = this.ending;
    const absent = without ? idsOf(without, this.flow.definition.people) : [];
    // Who has handled something may have no seat later, and handling is no approval.
    const first = kind === "handle" ? [...deciding, ...absent] : deciding;
    const rank = (person: string) => (first.includes(person) ? 0 : absent.includes(person) ? 2 : 1);
    return persons.toSorted((one, other) => rank(one) - rank(other));
  }

  /** Everybody weighs as much as it takes. */
  private weigh(mode: Mode): void {
    if (mode.kind === "quorum" && mode.weight !== undefined)
      this.script.facts.add(`${mode.weight} = ${mode.threshold.kind === "count" ? mode.threshold.count : 1}`);
  }

  /** Until the deadline is near. Steps of `overdue` that move seats are not played. */
  private wait({ due, overdue }: Approval): boolean {
    if (this.ending.time && overdue.some(({ kind }) => kind === "escalate" || kind === "transfer")) return false;
    const step = overdue.find(({ kind }) => kind === "approve" || kind === "reject");
    const terms = due && step ? [due.term, step.after] : [];
    const [first = Number.POSITIVE_INFINITY, second = 0] = terms.map((term) =>
      term.kind === "workdays" ? 0 : term.ms,
    );
    this.script.wait(first + second);
    return true;
  }

  /** The seat of the person falls away: by an abstention, or as soon as it would open. */
  private letFall(person: string, approval: Approval, { slot, state }: Located): boolean {
    const reasons = this.flow.machines.fallingsAt(slot, state, person);
    if (reasons.includes("abstain")) this.script.say(person, "abstains", approval, slot);
    if (reasons.includes("abstain") || person === this.people.initiator) return true;
    return reasons.includes("different-people") && this.hasDecided(person, nameOf(slot, state));
  }

  /** Do the properties let them have a seat there? */
  private mayDecide(person: string, state: string, { kind }: PeopleStage): boolean {
    const { ensure, people: names } = this.flow.definition;
    const isForbidden = ensure.some((property) => {
      if (property.kind !== "never-approves" || kind !== "vote") return false;
      const isInitiator = resolved(property.people, names).kind === "initiator";
      return isInitiator ? person === this.people.initiator : idsOf(property.people, names).includes(person);
    });
    return !isForbidden && !this.hasDecided(person, state);
  }

  /** Another state that other people must decide. */
  private hasDecided(person: string, state: string): boolean {
    return this.flow.definition.ensure.some(
      (property) =>
        property.kind === "different-people" &&
        property.states.includes(state) &&
        property.states.some((other) => other !== state && this.decided.get(other)?.has(person)),
    );
  }

  /** By one of the options that let it. */
  private passWithout(stage: PeopleStage, approval: Approval, at: Located): boolean {
    const ways = weaknesses(approval);
    if (ways.includes("onEmpty") && stage.groups.every(({ people }) => this.people.canBeNobody(people))) return true;
    const step = approval.overdue.find(({ kind }) => kind === "approve");
    if (step && approval.due && stage.groups.every(({ people }) => this.people.of(people, {}, 1))) {
      const terms = [approval.due.term, step.after].filter((term) => !isNothing(term));
      for (const term of terms) this.script.advance(term);
      return terms.reduce((sum, term) => sum + naturalMs(term), 0) < this.leftAfterMs(at);
    }
    return ways.includes("onSelf") && this.passBesidesInitiator(stage, approval, at);
  }

  /** When time leaves the state, or one around it, at the earliest. */
  private leftAfterMs({ slot, state }: Located): number {
    const own = this.flow.machines.groupsIn(slot, state).flatMap(({ trigger }) => {
      return trigger.kind === "after" ? [naturalMs(trigger.term)] : [];
    });
    return Math.min(...own, slot.of ? this.leftAfterMs(slot.of) : Number.POSITIVE_INFINITY);
  }

  /** The initiator is one of the people, and the others approve. */
  private passBesidesInitiator(stage: PeopleStage, approval: Approval, at: Located): boolean {
    const { initiator } = this.people;
    let isAmong = false;
    const isPassed = stage.groups.every((group) => {
      const wanted = countOf(group.mode) + 1;
      const all = this.people.including(group.people, initiator, wanted) ?? this.people.of(group.people, {}, wanted);
      const others = all?.filter((person) => person !== initiator) ?? [];
      isAmong ||= others.length < (all?.length ?? 0);
      return others.length > 0 && this.approve(others, group, stage, approval, at);
    });
    return isPassed && isAmong;
  }
}

/** At least so many must be there. */
function countOf(mode: Mode): number {
  return mode.kind === "quorum" && mode.threshold.kind === "count" && mode.weight === undefined
    ? mode.threshold.count
    : 1;
}

function neededOf(mode: Mode, seats: number): number {
  if (mode.kind !== "quorum") return mode.kind === "any" ? 1 : seats;
  if (mode.threshold.kind === "count") return mode.weight === undefined ? Math.min(mode.threshold.count, seats) : 1;
  const { part, of, strict } = mode.threshold;
  const exact = (part * seats) / of;
  return strict ? Math.floor(exact) + 1 : Math.ceil(exact);
}

function isNothing(term: Term): boolean {
  return term.kind === "workdays" ? term.days === 0 : term.ms === 0;
}

/** Of working time nobody says how long it is: it may be short. */
function naturalMs(term: Term): number {
  return term.kind === "natural" ? term.ms : 0;
}

function isSo(ask: () => boolean): boolean {
  try {
    return ask();
  } catch (error) {
    if (error instanceof NoValue) return false;
    throw error;
  }
}
