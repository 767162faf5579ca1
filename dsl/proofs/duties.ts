/** Who must not decide: properties that the engine enforces, so that only a contradiction in the text breaks them. */
import type { FlowAst, PropertyAst } from "../ast.ts";
import { type Machine, machinesOf, placeOf, shownState } from "../check/graph.ts";
import type { Details, Report } from "../check/report.ts";
import type { Definition, People, PeopleStage, Property, StateDefinition } from "../definition.ts";
import { describer } from "../describe.ts";
import { breakingTest, type Ending } from "./breaking-tests/breaking-test.ts";
import type { ConcretePath } from "./concrete.ts";
import { INITIATOR, type Needed, neededOf, resolved, staticIds } from "./covering.ts";
import type { Flow } from "./properties.ts";
import type { Related } from "./related.ts";
import { nameOf } from "./steps.ts";
import { shownPath, storyOf } from "./story.ts";
import { concreteWayTo } from "./ways.ts";

type Duties = Extract<Property, { kind: "never-approves" | "different-people" }>;

/** Reports stages whose people, as they are written, leave nobody who may decide. */
export function proveDuties(property: Duties, written: PropertyAst, flow: Flow, ast: FlowAst, report: Report): void {
  const { definition } = flow;
  const states = machinesOf(definition, ast).flatMap((machine) =>
    machine.region.states.map((state) => ({ state, machine })),
  );
  if (property.kind === "never-approves") {
    for (const one of states) reportSelf(property.people, one, written, flow, report);
  } else {
    const covered = property.states.map((name) =>
      states.filter(({ state, machine }) => shownState(state.name, machine) === name),
    );
    reportEmpty(property, covered, written, definition, report);
    reportSame(property, covered.flat(), written, flow, report);
  }
}

interface Located {
  readonly state: StateDefinition;
  readonly machine: Machine;
}

function reportSelf(
  people: People,
  { state, machine }: Located,
  written: PropertyAst,
  flow: Flow,
  report: Report,
): void {
  const { approval } = state;
  if (!approval) return;
  const { people: names, matrices } = flow.definition;
  const isInitiator = resolved(people, names).kind === "initiator";
  const name = shownState(state.name, machine);
  const place = { message: "This is the state.", span: placeOf(state.name, machine) };
  const stages = approval.chain.flatMap((stage): readonly PeopleStage[] => {
    if (stage.kind === "matrix")
      return (matrices[stage.matrix]?.rows ?? []).flatMap((row) => row.stages.filter((one) => one.kind !== "auto"));
    return stage.kind === "auto" ? [] : [stage];
  });
  if (isInitiator && approval.onSelf === "ask") {
    const [stage] = stages;
    report.add(
      "FLOW253",
      written.span,
      `\`${name}\` asks the initiator where he is among the approvers: \`onSelf: ask\`.`,
      {
        hint: "Leave the option out, or write `onSelf: skip` or `onSelf: manager`.",
        ...wayThere(name, place, { line: NO_SEAT, ...(stage ? { asked: { stage, initiator: true } } : {}) }, flow),
      },
    );
    return;
  }
  const forbidden = staticIds(people, names);
  const alone = stages.find(
    ({ kind, groups }) =>
      kind === "vote" &&
      groups.some((group) => {
        const own = staticIds(group.people, names);
        if (own && forbidden) return own.isSubsetOf(forbidden);
        return JSON.stringify(resolved(group.people, names)) === JSON.stringify(resolved(people, names));
      }),
  );
  if (!alone) return;
  report.add("FLOW253", written.span, `A stage of \`${name}\` has nobody else to approve.`, {
    hint: "Name other people there.",
    ...wayThere(name, place, { line: sayingOf(state), asked: { stage: alone, initiator: false } }, flow),
  });
}

/** What the story says where nobody may decide, and where somebody may not. */
const HELD = "is held";
const NO_SEAT = "gets no seat";

function sayingOf({ approval }: StateDefinition): string {
  return approval?.onEmpty.kind === "hold" ? HELD : NO_SEAT;
}

/** A way to the state, as a path, a story and a test which fails there. */
function wayThere(
  state: string,
  place: Related,
  { line, ...ending }: { readonly line: string } & Pick<Ending, "asked" | "deciding">,
  flow: Flow,
  accepts?: (path: ConcretePath) => boolean,
): Details {
  const path = concreteWayTo((slot, index) => nameOf(slot, index) === state, flow, accepts);
  if (!path) return { related: [place] };
  const lines = [`expect not history containing ${JSON.stringify(line)}`];
  const test = breakingTest({ title: `${state} ${line}`, lines, ...ending }, path, flow);
  return {
    path: shownPath(path),
    related: [place, { message: storyOf(path, flow), span: place.span }],
    ...(test === undefined ? {} : { test }),
  };
}

// ------------------------------------------------------------------------------------------------------------------ //
// different people in [A, B]
// ------------------------------------------------------------------------------------------------------------------ //

interface Need extends Omit<Needed, "ids"> {
  readonly ids: readonly string[];
  readonly stage: PeopleStage;
  readonly located: Located;
}

/** Nobody decides in a state without an approval of its own: what branches and sub-flows ask is another state's. */
function reportEmpty(
  property: Extract<Duties, { kind: "different-people" }>,
  covered: readonly (readonly Located[])[],
  written: PropertyAst,
  definition: Omit<Definition, "hash">,
  report: Report,
): void {
  const shown = describer(definition).property(property);
  if (new Set(property.states).size === 1) {
    report.add("FLOW251", written.span, `\`${shown}\` holds only because it names one state.`);
  }
  for (const [index, located] of covered.entries()) {
    if (located.some(({ state }) => state.approval)) continue;
    const name = written.kind === "different-people" ? written.states[index]?.name : undefined;
    const message = `\`${shown}\` holds only because \`${property.states[index]}\` has no approval.`;
    report.add("FLOW251", name?.span ?? written.span, message, { hint: "Name the states in which people decide." });
  }
}

function reportSame(
  { states }: Extract<Duties, { kind: "different-people" }>,
  covered: readonly Located[],
  written: PropertyAst,
  flow: Flow,
  report: Report,
): void {
  const needs = covered.flatMap((located): readonly Need[] => {
    const stages = located.state.approval?.chain ?? [];
    // A person may decide several stages of one state.
    return stages.flatMap((stage): readonly Need[] =>
      stage.kind === "vote" || stage.kind === "handle"
        ? neededOf(stage, flow.definition.people).map((need) => ({ ...need, ids: [...need.ids], stage, located }))
        : [],
    );
  });
  // Where the graph leaves open which of the states comes first, it is enough that one order works.
  const short = [needs.toReversed(), needs].map((order) => firstUnmet(inOrder(order, flow)));
  if (short.includes(undefined)) return;
  const found = short.flatMap((need) => (need ? [{ need, way: wayToNeed(need, states, flow) }] : []));
  const length = ({ way: { path } }: (typeof found)[number]) => path?.length ?? Number.POSITIVE_INFINITY;
  const { need, way } = found.reduce((one, other) => (length(one) < length(other) ? one : other));
  const people = need.ids.map((id) => `\`${id === INITIATOR ? "initiator" : id}\``).join(", ");
  const name = shownState(need.located.state.name, need.located.machine);
  report.add("FLOW253", written.span, `\`${name}\` needs ${people}, who must have decided another of these states.`, {
    hint: "Name more people in one of the states.",
    ...way,
  });
}

/** With no state before one that is passed on every way to it. */
function inOrder(needs: readonly Need[], { machines }: Flow): readonly Need[] {
  const places = machines.slots.flatMap((slot) => slot.states.map((_, state) => ({ slot, state })));
  const before = new Map(
    needs.map((need) => {
      const { state, machine } = need.located;
      const at = places.find((place) => nameOf(place.slot, place.state) === shownState(state.name, machine));
      const passed = at ? machines.dominators(at.slot, at.state).map((one) => at.slot.states[one]) : [];
      return [need, needs.filter(({ located }) => passed.includes(located.state))] as const;
    }),
  );
  const ordered = new Set<Need>();
  const place = (need: Need) => {
    if (ordered.has(need)) return;
    for (const earlier of before.get(need) ?? []) place(earlier);
    ordered.add(need);
  };
  for (const need of needs) place(need);
  return [...ordered];
}

/** By way of the other states, which these people decide. */
function wayToNeed({ ids, stage, located: { state, machine } }: Need, states: readonly string[], flow: Flow): Details {
  const name = shownState(state.name, machine);
  const place = { message: "This is the state.", span: placeOf(state.name, machine) };
  const others = states.filter((other) => other !== name);
  return wayThere(
    name,
    place,
    { line: sayingOf(state), deciding: ids.filter((id) => id !== INITIATOR), asked: { stage, initiator: false } },
    flow,
    (path) => others.every((other) => isPassed(other, path)),
  );
}

/** Do people decide the state on the way? */
function isPassed(state: string, { steps }: ConcretePath): boolean {
  return steps.some(
    ({ step: { cause } }) =>
      cause.kind === "line" &&
      (cause.outcome === "approved" || cause.outcome === "done") &&
      nameOf(cause.slot, cause.state) === state,
  );
}

/** The first need for which nobody is left. People are given to one state each, as many as it needs. */
function firstUnmet(needs: readonly Need[]): Need | undefined {
  const takenBy = new Map<string, Need>();
  for (const need of needs) {
    for (let seat = 0; seat < need.count; seat += 1) {
      if (!seated(need, takenBy, new Set())) return need;
    }
    // Who is not left out decides, too.
    if (need.everybody) for (const id of need.ids) if (!takenBy.has(id)) takenBy.set(id, need);
  }
  return undefined;
}

/** Finds a person for one more seat, moving others where that helps. */
function seated(need: Need, takenBy: Map<string, Need>, tried: Set<string>): boolean {
  const others = need.ids.filter((id) => takenBy.get(id) !== need);
  // Several stages of one state may have the same person.
  const free = others.find((id) => (takenBy.get(id)?.located ?? need.located) === need.located);
  const found = free ?? others.find((id) => isMoved(id, takenBy, tried));
  if (found !== undefined) takenBy.set(found, need);
  return found !== undefined;
}

/** Does whoever has the person find another one instead? Where everybody decides there is none. */
function isMoved(id: string, takenBy: Map<string, Need>, tried: Set<string>): boolean {
  const holder = takenBy.get(id);
  if (!holder || holder.everybody || tried.has(id)) return false;
  tried.add(id);
  return seated(holder, takenBy, tried);
}
