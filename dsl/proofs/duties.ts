/** Who must not decide: properties that the engine enforces, so that only a contradiction in the text breaks them. */
import type { FlowAst, PropertyAst } from "../ast.ts";
import { type Machine, machinesOf, placeOf, shownState } from "../check/graph.ts";
import type { Report } from "../check/report.ts";
import type { Definition, People, PeopleStage, Property, StateDefinition } from "../definition.ts";
import { describer } from "../describe.ts";
import { INITIATOR, neededOf, resolved, staticIds } from "./covering.ts";

type Duties = Extract<Property, { kind: "never-approves" | "different-people" }>;

/** Reports stages whose people, as they are written, leave nobody who may decide. */
export function proveDuties(
  property: Duties,
  written: PropertyAst,
  definition: Omit<Definition, "hash">,
  ast: FlowAst,
  report: Report,
): void {
  const states = machinesOf(definition, ast).flatMap((machine) =>
    machine.region.states.map((state) => ({ state, machine })),
  );
  if (property.kind === "never-approves") {
    for (const one of states) reportSelf(property.people, one, written, definition, report);
  } else {
    const covered = property.states.map((name) =>
      states.filter(({ state, machine }) => shownState(state.name, machine) === name),
    );
    reportEmpty(property, covered, written, definition, report);
    reportSame(covered.flat(), written, definition, report);
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
  { people: names, matrices }: Omit<Definition, "hash">,
  report: Report,
): void {
  const { approval } = state;
  if (!approval) return;
  const isInitiator = resolved(people, names).kind === "initiator";
  const span = placeOf(state.name, machine);
  const shown = `\`${shownState(state.name, machine)}\``;
  if (isInitiator && approval.onSelf === "ask") {
    report.add(
      "FLOW253",
      written.span,
      `${shown} asks the initiator where he is among the approvers: \`onSelf: ask\`.`,
      {
        hint: "Leave the option out, or write `onSelf: skip` or `onSelf: manager`.",
        related: [{ message: "This is the state.", span }],
      },
    );
    return;
  }
  const forbidden = staticIds(people, names);
  const stages = approval.chain.flatMap((stage): readonly PeopleStage[] => {
    if (stage.kind === "matrix")
      return (matrices[stage.matrix]?.rows ?? []).flatMap((row) => row.stages.filter((one) => one.kind !== "auto"));
    return stage.kind === "auto" ? [] : [stage];
  });
  const isAlone = stages.some(
    ({ kind, groups }) =>
      kind === "vote" &&
      groups.some((group) => {
        const own = staticIds(group.people, names);
        if (own && forbidden) return own.isSubsetOf(forbidden);
        return JSON.stringify(resolved(group.people, names)) === JSON.stringify(resolved(people, names));
      }),
  );
  if (!isAlone) return;
  report.add("FLOW253", written.span, `A stage of ${shown} has nobody else to approve.`, {
    hint: "Name other people there.",
    related: [{ message: "This is the state.", span }],
  });
}

// ------------------------------------------------------------------------------------------------------------------ //
// different people in [A, B]
// ------------------------------------------------------------------------------------------------------------------ //

/** So many of these people must decide. */
interface Need {
  readonly ids: readonly string[];
  readonly count: number;
  /** Of those who have not decided another of the states; they are fewer then. */
  readonly everybody: boolean;
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
  covered: readonly Located[],
  written: PropertyAst,
  definition: Omit<Definition, "hash">,
  report: Report,
): void {
  const needs = covered.flatMap((located): readonly Need[] => {
    const stages = located.state.approval?.chain ?? [];
    // A person may decide several stages of one state: the largest need of each stands for them.
    const own = stages.flatMap((stage) =>
      stage.kind === "vote" || stage.kind === "handle" ? neededOf(stage, definition.people) : [],
    );
    return own.map((need) => ({ ...need, ids: [...need.ids], located }));
  });
  // Which of the states comes first is the graph's affair: it is enough that one order works.
  const short = firstUnmet(needs.toReversed()) && firstUnmet(needs);
  if (!short) return;
  const { state, machine } = short.located;
  const people = short.ids.map((id) => `\`${id === INITIATOR ? "initiator" : id}\``).join(", ");
  report.add(
    "FLOW253",
    written.span,
    `\`${shownState(state.name, machine)}\` needs ${people}, who must have decided another of these states.`,
    {
      hint: "Name more people in one of the states.",
      related: [{ message: "This is the state.", span: placeOf(state.name, machine) }],
    },
  );
}

/** The first need for which nobody is left. People are given to one state each, as many as it needs. */
function firstUnmet(needs: readonly Need[]): Need | undefined {
  const takenBy = new Map<string, Need>();
  for (const need of needs) {
    const count = need.everybody ? Math.max(need.count - decidedBefore(need, needs), 1) : need.count;
    for (let seat = 0; seat < count; seat += 1) {
      if (!seated(need, takenBy, new Set())) return need;
    }
  }
  return undefined;
}

/** How many of these people must have decided a state before, where everybody decides. */
function decidedBefore(need: Need, needs: readonly Need[]): number {
  const earlier = needs.slice(0, needs.indexOf(need)).filter((one) => one.everybody && one.located !== need.located);
  return need.ids.filter((id) => earlier.some(({ ids }) => ids.includes(id))).length;
}

/** Finds a person for one more seat, moving others where that helps. */
function seated(need: Need, takenBy: Map<string, Need>, tried: Set<string>): boolean {
  for (const id of need.ids) {
    const holder = takenBy.get(id);
    // Several stages of one state may have the same person.
    if (tried.has(id) || holder === need) continue;
    tried.add(id);
    if (!holder || holder.located === need.located || seated(holder, takenBy, tried)) {
      takenBy.set(id, need);
      return true;
    }
  }
  return false;
}
