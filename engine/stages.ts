import { hash } from "node:crypto";
import type {
  Definition,
  Group,
  MatrixCell,
  MatrixDefinition,
  MatrixUse,
  Mode,
  PeopleStage,
  Stage,
  Type,
  Value,
} from "../dsl/index.ts";
import { evaluate } from "./evaluation.ts";
import { fractionOf } from "./exact.ts";
import type { PlaceDraft } from "./place.ts";
import type { PreparedState } from "./prepare.ts";
import { refuse } from "./refusal.ts";
import type { GroupMark, Refusal } from "./types.ts";

/** The stages of the place's approval, or of the open round's own. @param rows of its matrices, in their order. */
export function stagesOf({ flow, state, now }: PlaceDraft, rows: readonly number[] | undefined): readonly Stage[] {
  const { round } = now;
  if (round?.approval && round.result === undefined) return round.approval.chain as readonly Stage[];
  return stagesIn(flow.prepared.definition, state, rows);
}

/** The stages of a state's approval. @param rows as in {@link stagesOf}. */
export function stagesIn(
  { matrices }: Definition,
  { stages, approval }: PreparedState,
  rows: readonly number[] | undefined,
): readonly Stage[] {
  if (stages) return stages;
  let uses = 0;
  return approval!.chain.flatMap((part): readonly Stage[] => {
    if (part.kind !== "matrix") return [part];
    const row = rows![uses++]!;
    return matrices[part.matrix]!.rows[row]!.stages;
  });
}

/** Looks up the rows that hold now; `undefined`: not known yet, or it failed ({@link Draft.blocked} tells). */
export function lookUpRows(place: PlaceDraft): readonly number[] | undefined {
  const uses = place.state.approval!.chain.filter((part) => part.kind === "matrix");
  const rows = uses.map((use) => lookUp(place, use));
  return place.draft.blocked() ? undefined : rows.map((row) => row ?? 0);
}

/** Exactly one row holds for values that are there: that was proved. A jump may come here before they are. */
function lookUp(place: PlaceDraft, use: MatrixUse): number | undefined {
  const matrix = place.flow.prepared.definition.matrices[use.matrix]!;
  const values = use.arguments.map((argument) => evaluate(place, argument));
  if (place.draft.blocked()) return undefined;
  const row = rowOf(matrix, values);
  if (row === -1) {
    place.draft.fail(refuseWithoutRow(matrix, values));
    return undefined;
  }
  place.draft.tell({ kind: "looked-up", matrix: matrix.name, row, ...place.where });
  return row;
}

function refuseWithoutRow({ name, parameters }: MatrixDefinition, values: readonly (Value | undefined)[]): Refusal {
  const missing = parameters.find((_, column) => values[column] === undefined);
  if (!missing) return refuse("condition-failed", `No row of \`${name}\` holds.`, { matrix: name });
  const message = `No row of \`${name}\` holds, because \`${missing.name}\` is missing.`;
  return refuse("missing-field", message, { matrix: name, field: missing.name });
}

function rowOf({ rows, parameters }: MatrixDefinition, values: readonly (Value | undefined)[]): number {
  return rows.findIndex(({ cells }) =>
    cells.every((cell, column) => holds(cell, parameters[column]!.type, values[column])),
  );
}

/** Does the value lie in the cell? */
export function holds(cell: MatrixCell, type: Type, value: Value | undefined): boolean {
  switch (cell.kind) {
    case "any":
      return true;
    case "values":
      return value !== undefined && cell.values.includes(value);
    case "intervals":
      return (
        value !== undefined &&
        cell.intervals.some(({ low, high }) => {
          const [above, below] = [low && compare(type, value, low.value), high && compare(type, value, high.value)];
          return (
            (above === undefined || (low!.included ? above >= 0 : above > 0)) &&
            (below === undefined || (high!.included ? below <= 0 : below < 0))
          );
        })
      );
  }
}

/** Numbers, and texts that order like what they stand for (dates). */
function compare({ kind }: Type, a: Value, b: Value): number {
  if (kind === "decimal") return fractionOf(a as string).compare(fractionOf(b as string));
  return a === b ? 0 : a < b ? -1 : 1;
}

/** `one of PEOPLE`: the same for the same round and list, whenever it is asked. */
export function pick(people: readonly string[], round: string): readonly string[] {
  if (people.length < 2) return people;
  const digest = Number.parseInt(hash("sha256", JSON.stringify([round, people]), "hex").slice(0, 12), 16);
  return [people[digest % people.length]!];
}

/** How the group decides; others who were put in decide by `any`. */
export function modeOf({ mode }: Group, mark: GroupMark | undefined): Mode {
  return mark?.assigned ? ANY : mode;
}

const ANY: Mode = { kind: "any" };

/** Is the open round one of people who do something, and don't decide? */
export function isHandling(place: PlaceDraft): boolean {
  const { rows, stage } = place.now.round!;
  return stagesOf(place, rows)[stage]?.kind === "handle";
}

export function peopleStage(stage: Stage | undefined): PeopleStage | undefined {
  return stage && stage.kind !== "auto" ? stage : undefined;
}
