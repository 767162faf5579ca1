/** Everything in a flow that a test may come by. */
import {
  type Definition,
  type Describer,
  describer,
  type Expression,
  type Interval,
  type MatrixDefinition,
  type Region,
  type StateDefinition,
  type Type,
} from "../../dsl/index.ts";
import { comparedPoints, intervalPoints, type Point } from "../conditions/boundaries.ts";
import { atomsOf } from "../conditions/watched-conditions.ts";
import type { FlowPosition, RegionPath } from "../flow-position.ts";
import { linesOf } from "../machine.ts";

export type CoverageKind = "states" | "transitions" | "conditions" | "rows" | "boundaries";

export interface CoverageItem {
  /** Unique in the flow. */
  readonly id: string;
  readonly kind: CoverageKind;
  /** `state CANCELLED`, `REVIEWING → REJECTED after 14d`, `amount = 4_999.99`. */
  readonly text: string;
  readonly at: FlowPosition;
}

/** A machine with all that is covered in it. */
export interface CoveredRegion {
  readonly region: Region;
  readonly path: RegionPath;
  /** `legal.inner.` for what is in that branch; empty for the flow's own machine. */
  readonly prefix: string;
}

/** A condition, with the id that its items begin with. */
export interface CoveredCondition {
  readonly id: string;
  readonly condition: Expression;
  readonly at: FlowPosition;
}

export interface CoverageItems {
  readonly items: readonly CoverageItem[];
  readonly regions: readonly CoveredRegion[];
  readonly conditions: readonly CoveredCondition[];
  /** By name: one that is used with several options has the same rows. */
  readonly matrices: ReadonlyMap<string, MatrixDefinition>;
}

export const itemId = {
  state: (prefix: string, state: string): string => `state ${prefix}${state}`,
  transition: (prefix: string, line: number, from: string): string => `line ${prefix}${line} ${from}`,
  outcome: (condition: string, outcome: boolean): string => `${condition} ${outcome}`,
  atom: (condition: string, atom: number, outcome: boolean): string => `${condition} part ${atom} ${outcome}`,
  comparedPoint: (condition: string, atom: number, point: number): string => `${condition} part ${atom} bound ${point}`,
  row: (matrix: string, row: number): string => `row ${matrix} ${row}`,
  rowPoint: (matrix: string, row: number, column: number, point: number): string =>
    `row ${matrix} ${row} bound ${column} ${point}`,
};

/** What the flow has that a test may come by, in the order of its text, matrices last. */
export function coverageItems(definition: Definition): CoverageItems {
  const describe = describer(definition);
  const regions = regionsOf(definition, [], "");
  const matrices = new Map(Object.values(definition.matrices).map((matrix) => [matrix.name, matrix]));
  const perRegion = regions.map((region) => ({ region, conditions: conditionsOf(region) }));
  const inRows = [...matrices.values()].flatMap(rowConditions);
  return {
    items: [
      ...perRegion.flatMap(({ region, conditions }) => [
        ...stateItems(region),
        ...lineItems(region, describe),
        ...conditions.flatMap((one) => conditionItems(one, describe)),
      ]),
      ...[...matrices.values()].flatMap((matrix) => rowItems(matrix, describe)),
      ...inRows.flatMap((one) => conditionItems(one, describe)),
    ],
    regions,
    conditions: [...perRegion.flatMap(({ conditions }) => conditions), ...inRows],
    matrices,
  };
}

function regionsOf(region: Region, path: RegionPath, prefix: string): CoveredRegion[] {
  const below = region.states.flatMap(({ name, parallel }) =>
    (parallel?.branches ?? []).flatMap((branch) =>
      regionsOf(branch, [...path, { state: name, branch: branch.name }], `${prefix}${branch.name}.`),
    ),
  );
  return [{ region, path, prefix }, ...below];
}

function stateItems({ region, path, prefix }: CoveredRegion): CoverageItem[] {
  return region.states.map(({ name }) => ({
    id: itemId.state(prefix, name),
    kind: "states",
    text: `state ${prefix}${name}`,
    at: { kind: "state", region: path, state: name },
  }));
}

function lineItems({ region, path, prefix }: CoveredRegion, describe: Describer): CoverageItem[] {
  const places = region.states.flatMap(({ name }) => linesOf(region, name).map((line) => ({ from: name, line })));
  return places.map(({ from, line }) => {
    const { to, up, trigger, condition, otherwise } = region.transitions[line]!;
    const when = condition ? ` if ${describe.expression(condition)}` : "";
    return {
      id: itemId.transition(prefix, line, from),
      kind: "transitions",
      text: `${prefix}${from} → ${up === undefined ? prefix : ""}${to} ${describe.trigger(trigger)}${otherwise ? " else" : ""}${when}`,
      at: { kind: "line", region: path, line },
    };
  });
}

function conditionsOf({ region, path, prefix }: CoveredRegion): CoveredCondition[] {
  const lines = region.transitions.flatMap(({ condition }, line): CoveredCondition[] =>
    condition ? [{ id: `if ${prefix}${line}`, condition, at: { kind: "line", region: path, line } }] : [],
  );
  return [...lines, ...region.states.flatMap((state) => stateConditions(state, path, prefix))];
}

function stateConditions({ name, approval, parallel }: StateDefinition, path: RegionPath, prefix: string) {
  const stages = (approval?.chain ?? []).flatMap((stage, index): CoveredCondition[] => {
    if (stage.kind !== "auto") return [];
    const at = { kind: "stage", region: path, state: name, stage: index } as const;
    return [{ id: `auto ${prefix}${name} ${index}`, condition: stage.condition, at }];
  });
  const branches = (parallel?.branches ?? []).flatMap((branch): CoveredCondition[] => {
    const at = { kind: "branch", region: path, state: name, branch: branch.name } as const;
    return branch.condition ? [{ id: `branch ${prefix}${name} ${branch.name}`, condition: branch.condition, at }] : [];
  });
  return [...stages, ...branches];
}

/** Rules among the stages of a row. */
function rowConditions({ name, rows }: MatrixDefinition): CoveredCondition[] {
  return rows.flatMap(({ stages }, row) =>
    stages.flatMap((stage, index): CoveredCondition[] =>
      stage.kind === "auto"
        ? [
            {
              id: `auto ${name} ${row} ${index}`,
              condition: stage.condition,
              at: { kind: "row", matrix: name, row },
            },
          ]
        : [],
    ),
  );
}

function conditionItems({ id, condition, at }: CoveredCondition, describe: Describer): CoverageItem[] {
  const atoms = atomsOf(condition);
  const item = (kind: CoverageKind, own: string, text: string): CoverageItem => ({ id: own, kind, text, at });
  const outcomes = [true, false].map((outcome) =>
    item("conditions", itemId.outcome(id, outcome), `\`${describe.expression(condition)}\` ${outcome}`),
  );
  const parts = atoms.flatMap((atom, index) =>
    [true, false].map((outcome) =>
      item("conditions", itemId.atom(id, index, outcome), `\`${describe.expression(atom)}\` ${outcome}`),
    ),
  );
  const points = atoms.flatMap((atom, index) => {
    const compared = comparedPoints(atom);
    return (compared?.points ?? []).map((point, number) => {
      const text = pointText(describe.expression(compared!.of), compared!.of.type, point, describe);
      return item("boundaries", itemId.comparedPoint(id, index, number), text);
    });
  });
  return [...outcomes, ...(atoms.length > 1 ? parts : []), ...points];
}

function rowItems({ name, rows, parameters }: MatrixDefinition, describe: Describer): CoverageItem[] {
  return rows.flatMap((_, row): CoverageItem[] => {
    const at = { kind: "row", matrix: name, row } as const;
    const points = rowPoints({ rows, parameters }, row).map(({ column, number, point }): CoverageItem => {
      const { name: parameter, type } = parameters[column]!;
      const text = `${pointText(parameter, type, point, describe)} at row ${row + 1} of ${name}`;
      return { id: itemId.rowPoint(name, row, column, number), kind: "boundaries", text, at };
    });
    return [{ id: itemId.row(name, row), kind: "rows", text: `row ${row + 1} of ${name}`, at }, ...points];
  });
}

export interface RowPoint {
  readonly column: number;
  /** Counts the points of the cell. */
  readonly number: number;
  readonly point: Point;
}

/** The points at the bounds of a row's cells. */
export function rowPoints(
  { rows, parameters }: Pick<MatrixDefinition, "rows" | "parameters">,
  row: number,
): readonly RowPoint[] {
  return rows[row]!.cells.flatMap((cell, column) => {
    if (cell.kind !== "intervals") return [];
    const { type } = parameters[column]!;
    const points = cell.intervals.flatMap((interval: Interval) => intervalPoints(type, interval));
    return points.map((point, number) => ({ column, number, point }));
  });
}

const SIGNS = { at: "=", below: "<", above: ">" } as const;

function pointText(what: string, type: Type, { is, value }: Point, describe: Describer): string {
  return `${what} ${SIGNS[is]} ${describe.value(type, value)}`;
}
