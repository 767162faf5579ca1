/** The longest way through a machine, where time alone leaves every state. */
import type { Approval, Definition, Parallel, Stage } from "../definition.ts";
import { staticIds } from "./covering.ts";
import { added, compareLengths, type Length, lengthOf, NOTHING } from "./lengths.ts";
import type { Machines } from "./machines.ts";
import { outcomesOf } from "./outcomes.ts";
import { type GuardedLine, isInstant, nameOf, type Slot } from "./steps.ts";

/** Returns that are followed one after the other; a larger `maxReturns` counts as no limit. */
const RETURNS_MAX = 200;

/** States of the machine by number, states of branches by name. */
type Path = readonly (number | string)[];

export type Found =
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

export class LongestWay {
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

  /** How long the states last at most, by name, as far as they are left by natural time. */
  stays(): ReadonlyMap<string, number> {
    const stays = this.slot.states.map(({ name }, state) => [name, this.stay(state)] as const);
    return new Map(
      stays.flatMap(([name, stay]) =>
        "kind" in stay || stay.workhoursMs > 0 || stay.workdays > 0 ? [] : [[name, stay.naturalMs]],
      ),
    );
  }

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
    const found = inner.map((slot) => ({ slot, found: new LongestWay(this.machines, slot, this.definition).from() }));
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
