/** A `test` block that walks a path which breaks a property, and fails in its last line for as long as the path is there. */
import type { Approval, Data, People, PeopleStage, Term, Type, Value } from "../definition.ts";
import { type Describer, describer, termText } from "../describe.ts";
import type { ConcretePath, ConcreteStep } from "./concrete.ts";
import { isApprovedBy, resolved, weaknesses } from "./covering.ts";
import { holdsIn, NoValue } from "./evaluate.ts";
import type { Flow } from "./properties.ts";
import { SimulatedPeople } from "./simulated-people.ts";
import type { Slot } from "./steps.ts";
import { plainValueOf } from "./values.ts";

/** The initiator, where no condition asks who it is. */
const ANYBODY = "alice";

/** What the test is about. */
export interface Ending {
  readonly title: string;
  /** The last lines; the very last one fails. */
  readonly lines: readonly string[];
  /** Approvals by these people are what the path does without. */
  readonly without?: People;
}

/** The text of the block; `undefined` where a test can't play the path (an instant in the data, a sub-flow, a weight). */
export function breakingTest(ending: Ending, path: ConcretePath, flow: Flow): string | undefined {
  const writing = new Writing(ending, path, flow);
  for (const [index, step] of path.steps.entries()) if (!writing.step(step, index)) return undefined;
  return writing.text();
}

class Writing {
  private readonly ending: Ending;
  private readonly path: ConcretePath;
  private readonly flow: Flow;
  private readonly describe: Describer;
  private readonly people: SimulatedPeople;
  private readonly lines: string[] = [];
  /** What the open round's people do with the form before they decide. */
  private setting = "";

  constructor(ending: Ending, path: ConcretePath, flow: Flow) {
    this.ending = ending;
    this.path = path;
    this.flow = flow;
    this.describe = describer(flow.definition);
    this.people = new SimulatedPeople(flow.definition.people, this.initiator());
  }

  /** Who it must be for a seat to fall away, if anybody; else as the path's data say. */
  private initiator(): string {
    const { without } = this.ending;
    const { definition, machines } = this.flow;
    const own = this.path.steps[0]?.world.initiator.id ?? ANYBODY;
    if (own !== ANYBODY || without === undefined) return own;
    const ids = idsOf(without, definition.people);
    const causes = this.path.steps.flatMap(({ step: { cause } }) => (cause.kind === "line" ? [cause] : []));
    const falling = causes.flatMap(({ slot, state }) =>
      ids.filter((id) => {
        const reasons = machines.fallingsAt(slot, state, id);
        return !reasons.includes("abstain") && (reasons.includes("onSelf") || reasons.includes("never-approves"));
      }),
    );
    return falling[0] ?? own;
  }

  /** `undefined`: the initiator's manager takes the seat that must fall away. */
  text(): string | undefined {
    const { definition } = this.flow;
    const { initiator } = this.path.steps[0]!.world;
    if (this.people.initiator !== initiator.id && this.people.hasManager(this.people.initiator)) return undefined;
    const org = initiator.org === undefined ? "" : ` in org ${quoted(initiator.org)}`;
    const tags = initiator.tags.length === 0 ? "" : ` tags [${initiator.tags.map(quoted).join(", ")}]`;
    const facts = this.people.facts();
    const given = facts.length === 0 ? "" : ` with ${facts.join(", ")}`;
    const label = definition.label === undefined ? "" : ` label ${quoted(definition.label)}`;
    const { title, lines } = this.ending;
    const all = [`as ${quoted(this.people.initiator)}${org}${tags}${given}`, ...this.lines, ...lines];
    return `test ${quoted(title)} of ${quoted(definition.flow)}${label} {\n${all.map((line) => `  ${line}\n`).join("")}}\n`;
  }

  /** Answers whether a test can say it. */
  step(step: ConcreteStep, index: number): boolean {
    for (const { call, value } of step.answers) {
      const answer = call.function === "guard" ? (value ? "yes" : "no") : this.literal(call.type, value);
      this.lines.push(`given ${call.name} = ${answer}`);
    }
    if (step.edited.length > 0 && !this.edit(step, index)) return false;
    const { cause } = step.step;
    switch (cause.kind) {
      case "start":
        this.lines.push(`start ${this.record(step.data)}`);
        return true;
      case "return":
        return this.decide(step, cause, `returns to ${cause.to}`);
      case "withdraw":
        this.lines.push(`${quoted(this.people.initiator)} withdraws`);
        return true;
      case "line":
        return this.line(step, cause, index);
    }
  }

  private edit({ edited, data }: ConcreteStep, index: number): boolean {
    const before = this.path.steps[index - 1]?.data ?? {};
    const changed = edited.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(data[name]));
    const parts = changed.map((name) => `${name}: ${this.field(name, data[name])}`);
    this.setting = parts.length === 0 ? "" : ` setting { ${parts.join(", ")} }`;
    return true;
  }

  private line(step: ConcreteStep, cause: LineCause, index: number): boolean {
    const { trigger } = cause.group;
    switch (trigger.kind) {
      case "event":
        return this.send(step, cause, trigger.event, index);
      case "after":
        this.lines.push(`advance ${termText(trigger.term)}`);
        return true;
      case "at":
        return false;
      case "outcome":
        return this.outcome(step, cause, cause.outcome ?? trigger.outcome);
    }
  }

  private send(step: ConcreteStep, { line }: LineCause, event: string, index: number): boolean {
    const before = this.path.steps[index - 1]?.data ?? {};
    const payload = this.flow.definition.events.find(({ name }) => name === event)?.payload ?? [];
    const parts = payload.flatMap(({ name, type, data, optional }) => {
      // What was there and is left out stays: what the path does without is emptied.
      const isSaid = step.sent[name] !== undefined || (before[name] !== undefined && index > 1);
      if (data) return isSaid ? [`${name}: ${this.field(name, step.sent[name])}`] : [];
      const value = step.payload[name] ?? (optional ? undefined : plainValueOf(type));
      return value === undefined ? [] : [`${name}: ${this.literal(type, value)}`];
    });
    const { by } = line.line;
    const sender = by && this.people.of(by, step.data, 1)?.[0];
    if (by && sender === undefined) return false;
    const sent = parts.length === 0 ? "" : ` { ${parts.join(", ")} }`;
    const who = sender === undefined || sender === this.people.initiator ? "" : ` by ${quoted(sender)}`;
    this.lines.push(`send ${quoted(event)}${sent}${who}`);
    return true;
  }

  // Approvals ------------------------------------------------------------------------------------------------------ //

  private outcome(step: ConcreteStep, cause: LineCause, outcome: string): boolean {
    switch (outcome) {
      case "approved":
      case "done":
      case "rejected":
        return this.approval(step, cause, outcome);
      case "returned":
        return this.decide(step, cause, "returns to initiator");
      case "withdrawn":
        this.lines.push(`${quoted(this.people.initiator)} withdraws`);
        return true;
      case "joined":
        return true;
      default:
        return this.compensate(cause);
    }
  }

  private approval(step: ConcreteStep, cause: LineCause, outcome: string): boolean {
    const { approval, run } = cause.slot.states[cause.state]!;
    if (!approval) return run?.kind === "saga";
    const stages = this.stagesOf(approval, step, cause);
    if (outcome !== "rejected") return stages.every((stage) => this.pass(stage, approval, step, cause));
    return stages.length === 0 || this.decide(step, cause, "rejects");
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

  /** The rows of matrices are looked up when the state is entered. */
  private entryOf(step: ConcreteStep, { slot, state }: Located): ConcreteStep {
    const before = this.path.steps.slice(0, this.path.steps.indexOf(step));
    return (
      before.findLast(({ step: { entered } }) => entered.some((one) => one.slot === slot && one.state === state)) ??
      step
    );
  }

  /** Everybody approves whose approval is needed; where that proves nothing, nobody does. */
  private pass(stage: PeopleStage, approval: Approval, { data }: ConcreteStep, cause: LineCause): boolean {
    const { slot, state } = cause;
    const { without } = this.ending;
    const { people: names } = this.flow.definition;
    const isWatched = without !== undefined && isApprovedBy(stage, without, { names, falls: () => false });
    const isBound = isWatched && isApprovedBy(stage, without, this.flow.machines.standpointAt(slot, state));
    if (isBound || (isWatched && weaknesses(approval).length > 0)) return this.passWithout(stage, approval);
    const absent = isWatched ? idsOf(without, names) : [];
    for (const { people, mode, pick } of stage.groups) {
      if (pick || (mode.kind === "quorum" && mode.weight !== undefined)) return false;
      const count = mode.kind === "quorum" && mode.threshold.kind === "count" ? mode.threshold.count : 1;
      const persons = this.people.of(people, data, count);
      if (!persons) return false;
      const falling = persons.filter((person) => absent.includes(person));
      if (!falling.every((person) => this.letFall(person, approval, cause))) return false;
      const left = persons.filter((person) => !absent.includes(person));
      const deciding = left.slice(0, needed(mode, left.length));
      for (const person of deciding) this.say(person, stage.kind === "handle" ? "handles" : "approves", approval, slot);
    }
    return true;
  }

  /** The seat of the person falls away: by an abstention, or as soon as it would open. */
  private letFall(person: string, approval: Approval, { slot, state }: LineCause): boolean {
    const reasons = this.flow.machines.fallingsAt(slot, state, person);
    if (reasons.includes("abstain")) this.say(person, "abstains", approval, slot);
    return reasons.includes("abstain") || person === this.people.initiator;
  }

  /** By one of the options that let it. */
  private passWithout(stage: PeopleStage, approval: Approval): boolean {
    const ways = weaknesses(approval);
    if (ways.includes("onEmpty") && stage.groups.every(({ people }) => this.people.canBeNobody(people))) return true;
    const step = approval.overdue.find(({ kind }) => kind === "approve");
    if (!step || !approval.due || !stage.groups.every(({ people }) => this.people.of(people, {}, 1))) return false;
    for (const term of [approval.due.term, step.after])
      if (!isNothing(term)) this.lines.push(`advance ${termText(term)}`);
    return true;
  }

  /** The first one who is asked decides. */
  private decide(step: ConcreteStep, { slot, state }: Located, words: string): boolean {
    const { approval } = slot.states[state]!;
    const first = approval && this.stagesOf(approval, step, { slot, state })[0]?.groups[0];
    const person = first && this.people.of(first.people, step.data, 1)?.[0];
    if (!approval || person === undefined) return false;
    this.say(person, words, approval, slot);
    return true;
  }

  private say(person: string, words: string, { reasonRequiredOn, signatureRequired }: Approval, { of }: Slot): void {
    const where = of ? ` in ${of.branch.name}` : "";
    const because = reasonRequiredOn.length > 0 ? ` because "x"` : "";
    this.lines.push(
      `${quoted(person)} ${words}${this.setting}${signatureRequired ? " signing" : ""}${where}${because}`,
    );
    this.setting = "";
  }

  /** The saga's first step fails. */
  private compensate({ slot, state }: LineCause): boolean {
    const { run } = slot.states[state]!;
    const saga = run?.kind === "saga" ? this.flow.definition.sagas[run.saga] : undefined;
    const first = saga?.steps[0]?.[0];
    if (!first) return false;
    // It runs when the state is entered, so it has to be said before that.
    this.lines.splice(-1, 0, `given ${first.name} fails`);
    if (first.retries > 0) this.lines.push("advance 30d");
    return true;
  }

  // Literals ------------------------------------------------------------------------------------------------------- //

  private record(data: Data): string {
    const parts = Object.entries(data).map(([name, value]) => `${name}: ${this.field(name, value)}`);
    return parts.length === 0 ? "{ }" : `{ ${parts.join(", ")} }`;
  }

  private field(name: string, value: Value | undefined): string {
    if (value === undefined) return "null";
    const type = this.flow.definition.fields.find((field) => field.name === name)?.type;
    return type ? this.literal(type, value) : String(value);
  }

  private literal(type: Type, value: Value): string {
    if (type.kind === "list")
      return `[${(value as readonly Value[]).map((item) => this.literal(type.of, item)).join(", ")}]`;
    if (type.kind !== "record") return this.describe.value(type, value);
    const record = value as Readonly<Record<string, Value>>;
    const parts = type.fields.flatMap(({ name, type: of }) =>
      record[name] === undefined ? [] : [`${name}: ${this.literal(of, record[name])}`],
    );
    return `{ ${parts.join(", ")} }`;
  }
}

interface Located {
  readonly slot: Slot;
  readonly state: number;
}

type LineCause = Extract<ConcreteStep["step"]["cause"], { kind: "line" }>;

function needed(mode: PeopleStage["groups"][number]["mode"], seats: number): number {
  if (mode.kind !== "quorum") return mode.kind === "any" ? 1 : seats;
  if (mode.threshold.kind === "count") return Math.min(mode.threshold.count, seats);
  const { part, of, strict } = mode.threshold;
  const exact = (part * seats) / of;
  return strict ? Math.floor(exact) + 1 : Math.ceil(exact);
}

function isNothing(term: Term): boolean {
  return term.kind === "workdays" ? term.days === 0 : term.ms === 0;
}

function isSo(ask: () => boolean): boolean {
  try {
    return ask();
  } catch (error) {
    if (error instanceof NoValue) return false;
    throw error;
  }
}

/** The persons, where the text names them. */
function idsOf(people: People, names: Flow["definition"]["people"]): readonly string[] {
  const meant = resolved(people, names);
  return meant.kind === "users" ? meant.ids : [];
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
