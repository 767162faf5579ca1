/** A `test` block that walks a path which breaks a property, and fails in its last line for as long as the path is there. */
import type { Expression, People, PeopleStage } from "../../definition.ts";
import type { ConcretePath, ConcreteStep } from "../concrete.ts";
import { resolved } from "../covering.ts";
import type { Flow } from "../properties.ts";
import type { Slot } from "../steps.ts";
import { plainValueOf } from "../values.ts";
import { Approvals } from "./approvals.ts";
import { Literals } from "./literals.ts";
import { quoted, Script } from "./script.ts";
import { SimulatedPeople } from "./simulated-people.ts";
import { pathWithin } from "./sub-flows.ts";

/** The initiator, where no condition asks who it is. */
const ANYBODY = "alice";

/** What the test is about. */
export interface Ending {
  readonly title: string;
  /** The last lines; the very last one fails. */
  readonly lines: readonly string[];
  /** Approvals by these people are what the path does without. */
  readonly without?: People;
  /** They decide where they are asked beside others. */
  readonly deciding?: readonly string[];
  /** A stage that opens in the end, and whether the initiator is one of its people. */
  readonly asked?: { readonly stage: PeopleStage; readonly initiator: boolean };
  /** Wherever the path comes there is somebody to be asked. */
  readonly peopled?: boolean;
  /** The test takes so long, and stays everywhere as long as it may: by state, until time leaves it. */
  readonly time?: { readonly withinMs: number; readonly stayMs: ReadonlyMap<string, number> };
}

/** The text of the block; `undefined` where a test can't play the path: an instant in the data, a flow that is not known. */
export function breakingTest(ending: Ending, path: ConcretePath, flow: Flow): string | undefined {
  const people = new SimulatedPeople(
    flow.definition.people,
    initiatorOf(ending, path, flow),
    new Set(path.example.keys()),
  );
  const script = new Script();
  const walk = new Walk(ending, path, flow, people, script);
  if (!walk.steps(path.steps) || !walk.end()) return undefined;
  return blockText(ending, path, flow, people, script);
}

/** Who it must be for a seat to fall away, if anybody; else as the path's data say. */
function initiatorOf({ without, asked }: Ending, path: ConcretePath, { definition, machines }: Flow): string {
  const own = path.steps[0]?.world.initiator.id ?? ANYBODY;
  if (own !== ANYBODY) return own;
  if (asked?.initiator) return asked.stage.groups.flatMap(({ people }) => idsOf(people, definition.people))[0] ?? own;
  if (without === undefined) return own;
  const ids = idsOf(without, definition.people);
  const causes = path.steps.flatMap(({ step: { cause } }) => (cause.kind === "line" ? [cause] : []));
  const falling = causes.flatMap(({ slot, state }) =>
    ids.filter((id) => {
      const reasons = machines.fallingsAt(slot, state, id);
      const isSkipped = slot.states[state]!.approval?.onSelf === "skip";
      return (
        isSkipped ||
        (!reasons.includes("abstain") && reasons.some((one) => one === "onSelf" || one === "never-approves"))
      );
    }),
  );
  return falling[0] ?? own;
}

/** `undefined`: the initiator's manager takes the seat that must fall away. */
function blockText(
  { title, lines }: Ending,
  path: ConcretePath,
  { definition }: Flow,
  people: SimulatedPeople,
  script: Script,
): string | undefined {
  const { initiator } = path.steps[0]!.world;
  const isOther = people.initiator !== initiator.id;
  if (isOther && people.hasManager(people.initiator)) return undefined;
  const org = initiator.org === undefined ? "" : ` in org ${quoted(initiator.org)}`;
  const tags = initiator.tags.length === 0 ? "" : ` tags [${initiator.tags.map(quoted).join(", ")}]`;
  const facts = [...people.facts(), ...script.facts];
  const given = facts.length === 0 ? "" : ` with ${facts.join(", ")}`;
  const label = definition.label === undefined ? "" : ` label ${quoted(definition.label)}`;
  const started = new Literals(definition).data({ ...path.steps[0]!.data, ...people.picks() });
  const start = started.length === 0 ? "start { }" : `start { ${started.join(", ")} }`;
  const written = script.lines.map((line) => (line === START ? start : line));
  const all = [`as ${quoted(people.initiator)}${org}${tags}${given}`, ...written, ...lines];
  return `test ${quoted(title)} of ${quoted(definition.flow)}${label} {\n${all.map((line) => `  ${line}\n`).join("")}}\n`;
}

/** Stands for the start until it is known whom it picks. */
const START = "start";

export type LineCause = Extract<ConcreteStep["step"]["cause"], { kind: "line" }>;

export interface Located {
  readonly slot: Slot;
  readonly state: number;
}

/** Writes the steps of one flow; what it runs is written by a walk of its own. */
class Walk {
  private readonly ending: Ending;
  private readonly path: ConcretePath;
  private readonly flow: Flow;
  private readonly people: SimulatedPeople;
  private readonly script: Script;
  private readonly literals: Literals;
  private readonly approvals: Approvals;

  constructor(ending: Ending, path: ConcretePath, flow: Flow, people: SimulatedPeople, script: Script) {
    this.ending = ending;
    this.path = path;
    this.flow = flow;
    this.people = people;
    this.script = script;
    this.literals = new Literals(flow.definition);
    this.approvals = new Approvals(ending, path, flow, people, script);
  }

  /** Answers whether a test can say them. */
  steps(steps: readonly ConcreteStep[]): boolean {
    return steps.every((step) => this.step(step, this.path.steps.indexOf(step)));
  }

  /** What must be so in the end. */
  end(): boolean {
    const { asked, time } = this.ending;
    const last = this.path.steps.at(-1)!;
    const at = last.step.entered.at(-1);
    if (asked && !(at && this.approvals.open(last, at, asked))) return false;
    return !time || this.script.isOver;
  }

  private step(step: ConcreteStep, index: number): boolean {
    for (const { call, value } of step.answers) {
      const answer = call.function === "guard" ? (value ? "yes" : "no") : this.literals.value(call.type, value);
      this.script.add(`given ${call.name} = ${answer}`);
    }
    if (step.edited.length > 0) this.edit(step, index);
    if (this.ending.peopled) for (const at of step.step.entered) this.approvals.seat(step, at);
    const { cause } = step.step;
    switch (cause.kind) {
      case "start":
        this.script.add(START);
        return true;
      case "return":
        return this.approvals.decide(step, cause, `returns to ${cause.to}`);
      case "withdraw":
        this.script.add(`${quoted(this.people.initiator)} withdraws`);
        return true;
      case "line":
        return this.line(step, cause, index);
    }
  }

  private edit({ edited, data }: ConcreteStep, index: number): void {
    const before = this.path.steps[index - 1]?.data ?? {};
    const changed = edited.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(data[name]));
    this.script.change(changed.map((name) => `${name}: ${this.literals.field(name, data[name])}`));
  }

  private line(step: ConcreteStep, cause: LineCause, index: number): boolean {
    if (!this.stay(cause)) return false;
    const { trigger } = cause.group;
    switch (trigger.kind) {
      case "event":
        this.script.wait();
        return this.send(step, cause, trigger.event, index);
      case "after":
        this.script.advance(trigger.term);
        return true;
      case "at":
        return this.until(trigger.at);
      case "outcome":
        return this.outcome(step, cause, cause.outcome ?? trigger.outcome);
    }
  }

  /** Time counts from when the initial state was left. */
  private stay({ slot, state }: LineCause): boolean {
    const { time } = this.ending;
    const { root } = this.flow.machines;
    const { name } = slot.states[state]!;
    if (!time || (slot === root && name === root.region.initial)) return true;
    if (slot !== root) return this.script.isOver;
    this.script.begin(time.withinMs);
    this.script.stay(time.stayMs.get(name) ?? 0);
    return true;
  }

  /** `at now + 3d`: other instants are data. */
  private until(at: Expression): boolean {
    if (at.kind !== "binary" || at.operator !== "+" || at.left.kind !== "builtin" || at.left.name !== "now")
      return false;
    if (at.right.kind !== "literal") return false;
    this.script.advance({ kind: "natural", ms: at.right.value as number });
    return true;
  }

  private send(step: ConcreteStep, { line }: LineCause, event: string, index: number): boolean {
    const before = this.path.steps[index - 1]?.data ?? {};
    const payload = this.flow.definition.events.find(({ name }) => name === event)?.payload ?? [];
    const parts = payload.flatMap(({ name, type, data, optional }) => {
      // What was there and is left out stays: what the path does without is emptied.
      const isSaid = step.sent[name] !== undefined || (before[name] !== undefined && index > 1);
      if (data) return isSaid ? [`${name}: ${this.literals.field(name, step.sent[name])}`] : [];
      const value = step.payload[name] ?? (optional ? undefined : plainValueOf(type));
      return value === undefined ? [] : [`${name}: ${this.literals.value(type, value)}`];
    });
    const { by } = line.line;
    const sender = by && this.people.of(by, step.data, 1)?.[0];
    if (by && sender === undefined) return false;
    const sent = parts.length === 0 ? "" : ` { ${parts.join(", ")} }`;
    const who = sender === undefined || sender === this.people.initiator ? "" : ` by ${quoted(sender)}`;
    this.script.add(`send ${quoted(event)}${sent}${who}`);
    return true;
  }

  private outcome(step: ConcreteStep, cause: LineCause, outcome: string): boolean {
    const { approval, run } = cause.slot.states[cause.state]!;
    switch (outcome) {
      case "approved":
      case "done":
      case "rejected":
        if (approval) return this.approvals.outcome(step, cause, approval, outcome);
        return run?.kind === "saga" || this.within(step, cause);
      case "returned":
        return this.approvals.decide(step, cause, "returns to initiator");
      case "withdrawn":
        this.script.add(`${quoted(this.people.initiator)} withdraws`);
        return true;
      case "joined":
        return true;
      default:
        return this.compensate(cause);
    }
  }

  /** What the sub-flow comes by on its way to the outcome. */
  private within(step: ConcreteStep, cause: LineCause): boolean {
    const found = pathWithin(step, this.approvals.entryOf(step, cause), cause, this.flow);
    if (!found || found.path.example.has("initiator.id")) return false;
    const people = this.people.inFlow(found.flow.definition.people);
    return new Walk(this.ending, found.path, found.flow, people, this.script).steps(found.steps);
  }

  /** The saga's first step fails. */
  private compensate({ slot, state }: LineCause): boolean {
    const { run } = slot.states[state]!;
    const saga = run?.kind === "saga" ? this.flow.definition.sagas[run.saga] : undefined;
    const first = saga?.steps[0]?.[0];
    if (!first) return false;
    this.script.addBefore(`given ${first.name} fails`);
    if (first.retries > 0) this.script.add("advance 30d");
    return true;
  }
}

/** The persons, where the text names them. */
export function idsOf(people: People, names: Flow["definition"]["people"]): readonly string[] {
  const meant = resolved(people, names);
  return meant.kind === "users" ? meant.ids : [];
}
