/** People who are picked by those before them: `chosen(FIELD)`. */
import type { Definition, MatrixUse, PayloadField, People, Stage } from "../dsl/index.ts";
import { roundOf } from "./open-round.ts";
import type { PlaceDraft } from "./place.ts";
import type { PreparedState } from "./prepare.ts";
import { refuse } from "./refusal.ts";
import { stagesOf } from "./stages.ts";
import type { Refusal } from "./types.ts";
import { fieldValue } from "./values.ts";

/** The first stage ahead needs its pick before anything is asked of others. @param to a state of the place. */
export function refuseMissingPick(place: PlaceDraft, to: string): Refusal | undefined {
  const { flow, region } = place;
  const first = region.states.get(to)?.approval?.chain[0];
  // A matrix has its row, and a branch its condition, once the state is entered; then they ask for their picks.
  if (!first || first.kind === "matrix") return undefined;
  const fields = peopleIn(flow.prepared.definition, first).flatMap((people) => chosenIn(place, people));
  const field = fields.find((name) => isEmpty(fieldValue(flow.now.data, name)));
  if (field === undefined) return undefined;
  return refuse("choice-required", `Pick somebody for \`${field}\`, who decides in \`${to}\`.`, { field });
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
}

/** Fields that the open round's people may pick: for the next stage, after the last one for the states behind approval. */
export function choosable(place: PlaceDraft): PayloadField[] {
  const { prepared } = place.flow;
  const round = roundOf(place);
  const next = round.approval ? place.state.stages?.[round.stage + 1] : stagesOf(place, round.rows)[round.stage + 1];
  const ahead = next ? [next] : statesBehind(place).flatMap(firstStages);
  const people = ahead.flatMap((stage) => peopleIn(prepared.definition, stage));
  const names = new Set(people.flatMap((one) => chosenIn(place, one)));
  return [...prepared.fields.values()]
    .filter((field) => names.has(field.name))
    .map((field) => ({ ...field, data: true }));
}

/** What opens with a state: its approval's first stage, or those of its branches. */
function firstStages({ approval, parallel }: PreparedState): readonly (Stage | MatrixUse)[] {
  const own = approval?.chain[0];
  if (own) return [own];
  return parallel?.branches.flatMap(({ initial, states }) => firstStages(states.get(initial)!)) ?? [];
}

/** States to which an approval of the present one leads. */
function statesBehind(place: PlaceDraft): PreparedState[] {
  return place.region.lines.flatMap(({ transition: { from, to, trigger, up = 0 } }) => {
    if (!from.includes(place.now.state) || trigger.kind !== "outcome") return [];
    if (trigger.outcome !== "approved" && trigger.outcome !== "done") return [];
    const state = outward(place, up).region.states.get(to);
    return state ? [state] : [];
  });
}

/** The place so many machines further out within the flow. */
export function outward(place: PlaceDraft, up: number): PlaceDraft {
  let at = place;
  for (let step = 0; step < up && at.fork; step++) at = at.fork;
  return at;
}

function peopleIn({ matrices }: Definition, part: Stage | MatrixUse): readonly People[] {
  if (part.kind === "auto") return [];
  if (part.kind !== "matrix") return part.groups.map(({ people }) => people);
  const rows = matrices[part.matrix]!.rows;
  return rows
    .flatMap(({ stages }) => (stages[0] && stages[0].kind !== "auto" ? stages[0].groups : []))
    .map(({ people }) => people);
}

function chosenIn({ flow }: PlaceDraft, people: People): string[] {
  return chosenFields(people, flow.prepared.definition.people);
}

/** Fields that `chosen(FIELD)` names somewhere in these people. */
function chosenFields(people: People, named: Definition["people"]): string[] {
  switch (people.kind) {
    case "chosen":
      return [people.field];
    case "managerOf":
    case "managersOf":
      return chosenFields(people.of, named);
    case "named": {
      const meant = named[people.name];
      return meant ? chosenFields(meant, named) : [];
    }
    default:
      return [];
  }
}
