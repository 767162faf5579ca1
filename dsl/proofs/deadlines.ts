/** `reaches final within D`: every state on the way is left by time alone, and the longest way is short enough. */
import type { PropertyAst } from "../ast.ts";
import type { Report } from "../check/report.ts";
import type { Approval, Definition, Parallel, Property, Stage, Term } from "../definition.ts";
import { durationText, termText } from "../describe.ts";
import { Boxes } from "./boxes.ts";
import { breakingTest, type Ending } from "./breaking-test.ts";
import { type ConcretePath, concretePath } from "./concrete.ts";
import { staticIds } from "./covering.ts";
import { Explorer } from "./explore.ts";
import { added, compareLengths, fitsWithin, type Length, lengthOf, longestMs, NOTHING } from "./lengths.ts";
import type { Machines } from "./machines.ts";
import { outcomesOf } from "./outcomes.ts";
import type { Flow } from "./properties.ts";
import { type GuardedLine, isInstant, nameOf, type Slot } from "./steps.ts";
import { storyOf } from "./story.ts";
import type { Step, Watch } from "./watch.ts";

type Deadline = Extract<Property, { kind: "reaches-final" }>;

/** Returns that are followed one after the other; a larger `maxReturns` counts as no limit. */
const RETURNS_MAX = 200;

export function proveDeadline({ within }: Deadline, written: PropertyAst, flow: Flow, report: Report): void {
  const { definition, machines } = flow;
  const { calendar } = definition;
  const found = new Longest(machines, machines.root, definition).from();
  const text = `reaches final within ${termText(within)}`;
  if (found.kind === "length" && fitsWithin(found.length, within, calendar)) return;
  const initial = machines.root.region.initial;
  const path = found.path.map((state) => (typeof state === "number" ? nameOf(machines.root, state) : state));
  const route = [initial, ...path.filter((name) => machines.root.states.some((state) => state.name === name))];
  const details = { path: [initial, ...path] };
  const real = concreteRoute(route, flow);
  if (real) {
    const message = `\`${text}\` is broken: ${reasonOf(found, path, definition)}.`;
    const test = found.kind === "endless" ? breakingTest(endingOf(text, within, flow), real, flow) : undefined;
    report.add("FLOW250", written.span, message, {
      hint: HINTS[found.kind],
      ...details,
      related: [{ message: storyOf(real, flow), span: written.span }],
      ...(test === undefined ? {} : { test }),
    });
  } else {
    const message = `\`${text}\` is not proved: no data was found for the way that might take longer.`;
    report.add("FLOW252", written.span, message, details);
  }
}

const HINTS = {
  length: "Shorten an `after` or a deadline on this way, or allow more time.",
  endless: "Add a line with `after`, or end `overdue` with `approve` or `reject`.",
  circle: "Limit it by `maxReturns`, or lead it through the initial state.",
} as const;

function reasonOf(found: Found, path: readonly string[], { calendar }: Omit<Definition, "hash">): string {
  switch (found.kind) {
    case "length":
      return `this way can take ${durationText(longestMs(found.length, calendar))}`;
    case "endless":
      return `nothing ends the wait in \`${path.at(-1)}\``;
    case "circle":
      return `one can go round between ${[...new Set(found.circle)].map((state) => `\`${state}\``).join(" and ")} for ever`;
  }
}

/** The time passes, and it is still not final. */
function endingOf(title: string, within: Term, { definition }: Flow): Ending {
  const finals = definition.states.filter(({ final }) => final).map(({ name }) => `state == ${name}`);
  return { title, lines: [`advance ${termText(within)}`, `expect ${finals.join(" or ")}`] };
}

/** Data that leads along these states. */
function concreteRoute(route: readonly string[], { machines, vocabulary, definition }: Flow): ConcretePath | undefined {
  const watch: Watch = {
    route,
    isTarget: () => false,
    onEntry: () => 0,
    onApproved: () => 0,
    afterReturn: (facts) => facts,
    onOutcome: () => 0,
    variants: () => [{ rows: [] }],
    outcomesOfRun: () => undefined,
  };
  let path: ConcretePath | undefined;
  const accept = (step: Step) => {
    path = concretePath(step, machines, undefined);
    return path !== undefined;
  };
  new Explorer(machines, new Boxes(vocabulary, definition), watch, accept).run();
  return path;
}

/** States of the machine by number, states of branches by name. */
type Path = readonly (number | string)[];

type Found =
  | { readonly kind: "length"; readonly length: Length; readonly path: Path }
  /** The last state of the path may last for ever. */
  | { readonly kind: "endless"; readonly path: Path }
  | { readonly kind: "circle"; readonly path: Path; readonly circle: readonly string[] };

interface Edge {
  readonly target: number;
  /** A return that only so many before it may precede. */
  readonly limit?: number;
}

function waitedFor(join: Parallel["join"], branches: number): number {
  if (join.kind === "count") return join.count;
  return join.kind === "any" ? 1 : branches;
}

/** The longest way through one machine. */
class Longest {
  private readonly machines: Machines;
  private readonly slot: Slot;
  private readonly definition: Omit<Definition, "hash">;
  private readonly initial: number;
  private readonly known = new Map<string, Found>();
  private readonly open: { readonly state: number; readonly returns: number }[] = [];

  constructor(machines: Machines, slot: Slot, definition: Omit<Definition, "hash">) {
    this.machines = machines;
    this.slot = slot;
    this.definition = definition;
    this.initial = slot.states.findIndex(({ name }) => name === slot.region.initial);
  }

  /** After the flow's initial state was left for the last time; in a branch from its beginning. */
  from(): Found {
    if (this.slot.of) return this.after(this.initial, 0);
    return this.longest(
      this.edges(this.initial).filter(({ target }) => target !== this.initial),
      NOTHING,
      [],
      0,
    );
  }

  /** From when a state is entered. */
  private after(state: number, returns: number): Found {
    const key = `${state} ${returns}`;
    const before = this.known.get(key);
    if (before) return before;
    const circle = this.open.findIndex((one) => one.state === state && one.returns === returns);
    if (circle >= 0) {
      return {
        kind: "circle",
        path: [state],
        circle: this.open.slice(circle).map((one) => nameOf(this.slot, one.state)),
      };
    }
    this.open.push({ state, returns });
    const found = this.worked(state, returns);
    this.open.pop();
    if (found.kind !== "circle") this.known.set(key, found);
    return found;
  }

  private worked(state: number, returns: number): Found {
    const definition = this.slot.states[state]!;
    const edges = this.edges(state).filter(({ target }) => this.slot.of !== undefined || target !== this.initial);
    if (definition.final || (this.slot.of && this.machines.hasArrived(this.slot, state))) {
      return { kind: "length", length: NOTHING, path: [state] };
    }
    const stay = this.stay(state);
    if ("kind" in stay) return { ...stay, path: [state, ...stay.path] };
    return this.longest(edges, stay, [state], returns);
  }

  private longest(edges: readonly Edge[], stay: Length, path: Path, returns: number): Found {
    let best: Found = { kind: "length", length: stay, path };
    let most: Length | undefined;
    for (const { target, limit } of edges) {
      if (limit !== undefined && returns >= limit) continue;
      const found = this.after(target, limit === undefined ? returns : returns + 1);
      if (found.kind !== "length") return { ...found, path: [...path, ...found.path] };
      if (most && compareLengths(found.length, most, this.definition.calendar) <= 0) continue;
      most = found.length;
      best = { kind: "length", length: added(stay, found.length), path: [...path, ...found.path] };
    }
    return best;
  }

  private edges(state: number): readonly Edge[] {
    const { machines, slot } = this;
    const { possible } = outcomesOf(slot.states[state]!);
    const own = machines
      .groupsIn(slot, state)
      .filter(({ trigger }) => trigger.kind !== "outcome" || possible.has(trigger.outcome));
    const lines = own.flatMap(({ trigger, lines: all }) =>
      all.map((line) => this.edge(line, trigger.kind === "outcome" && trigger.outcome === "returned", state)),
    );
    const outwards = slot.inner[state]!.flatMap((inner) => machines.linesInto(inner, slot)).map(({ target }) => ({
      target,
    }));
    const { approval } = slot.states[state]!;
    const back = approval?.allow.includes("returnTo")
      ? machines.dominators(slot, state).map((target) => this.limited(target, approval))
      : [];
    return [...lines.filter((edge) => edge !== undefined), ...outwards, ...back];
  }

  private edge({ into, target }: GuardedLine, isReturn: boolean, state: number): Edge | undefined {
    if (into !== this.slot) return undefined; // It leaves the branch, and so the state around it.
    const { approval } = this.slot.states[state]!;
    return isReturn && approval ? this.limited(target, approval) : { target };
  }

  private limited(target: number, { maxReturns }: Approval): Edge {
    return maxReturns === undefined || maxReturns > RETURNS_MAX ? { target } : { target, limit: maxReturns };
  }

  // Staying -------------------------------------------------------------------------------------------------------- //

  /** How long a state lasts at most; the path within it where that has no end. */
  private stay(state: number): Length | Exclude<Found, { kind: "length" }> {
    const definition = this.slot.states[state]!;
    if (isInstant(definition) || definition.run) return NOTHING;
    const terms = this.machines.groupsIn(this.slot, state).flatMap(({ trigger, lines }): readonly Length[] => {
      const isSure = lines.some(({ line }) => line.condition === undefined);
      return trigger.kind === "after" && isSure ? [lengthOf(trigger.term)] : [];
    });
    const inner = definition.parallel ? this.branches(state) : undefined;
    if (inner && !("kind" in inner)) terms.push(inner);
    const overdue = definition.approval && this.overdue(definition.approval);
    if (overdue) terms.push(overdue);
    const [first, ...rest] = terms;
    if (!first) return inner && "kind" in inner ? inner : { kind: "endless", path: [] };
    const { calendar } = this.definition;
    return rest.reduce((least, term) => (compareLengths(term, least, calendar) < 0 ? term : least), first);
  }

  /** Until so many branches have arrived as the join waits for. */
  private branches(state: number): Length | Exclude<Found, { kind: "length" }> {
    const { join } = this.slot.states[state]!.parallel!;
    const inner = this.slot.inner[state]!;
    const found = inner.map((slot) => ({ slot, found: new Longest(this.machines, slot, this.definition).from() }));
    const ended = found.flatMap((one) => (one.found.kind === "length" ? [one.found.length] : []));
    const { calendar } = this.definition;
    const sorted = ended.toSorted((one, other) => compareLengths(one, other, calendar));
    // Which of conditional branches are entered is not known: the longest counts.
    const isSure = inner.every(({ of }) => !of!.branch.condition && !of!.branch.otherwise);
    const wanted = isSure ? waitedFor(join, inner.length) : inner.length;
    const last = sorted[wanted - 1];
    if (last) return last;
    const open = found.find((one) => one.found.kind !== "length")!;
    const path = open.found.path.map((at) => (typeof at === "number" ? nameOf(open.slot, at) : at));
    return open.found.kind === "circle" ? { ...open.found, path } : { kind: "endless", path };
  }

  /** Until the overdue steps have decided every stage, one after the other. */
  private overdue(approval: Approval): Length | undefined {
    const step = approval.overdue.find(({ kind }) => kind === "approve" || kind === "reject");
    if (!step || !approval.due) return undefined;
    const term = added(lengthOf(approval.due.term), lengthOf(step.after));
    const rounds = approval.chain.map((stage) => this.roundsOf(stage, approval));
    if (rounds.some((count) => count === undefined)) return undefined;
    const total = rounds.reduce<number>((sum, count) => sum + (count ?? 0), 0);
    const isRepeated = approval.allow.includes("returnTo") && total > 1 && approval.maxReturns === undefined;
    if (isRepeated) return undefined;
    const times = total * (1 + (total > 1 && approval.allow.includes("returnTo") ? (approval.maxReturns ?? 0) : 0));
    return {
      naturalMs: term.naturalMs * times,
      workhoursMs: term.workhoursMs * times,
      workdays: term.workdays * times,
    };
  }

  /** How many deadlines run one after the other. */
  private roundsOf(stage: Approval["chain"][number], { due }: Approval): number | undefined {
    if (stage.kind === "matrix") {
      const rows = this.definition.matrices[stage.matrix]?.rows ?? [];
      const counts = rows.map(({ stages }) => stages.map((one) => this.deadlinesOf(one, due?.perStage === true)));
      if (counts.flat().includes(undefined)) return undefined;
      return Math.max(0, ...counts.map((row) => row.reduce<number>((sum, count) => sum + (count ?? 0), 0)));
    }
    return this.deadlinesOf(stage, due?.perStage === true);
  }

  /** In a sequence each seat has its own. */
  private deadlinesOf(stage: Stage, perStage: boolean): number | undefined {
    if (stage.kind === "auto") return 0;
    let most = 1;
    for (const { people, mode } of stage.groups) {
      if (mode.kind !== "sequence" || perStage) continue;
      const ids = staticIds(people, this.definition.people);
      if (!ids) return undefined;
      most = Math.max(most, ids.size);
    }
    return most;
  }
}
