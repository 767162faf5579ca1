/** The conditions of a flow, by what they decide. */
import type { Approval, Definition, Expression, Region } from "../../dsl/index.ts";
import { rowCondition } from "../conditions/row-conditions.ts";
import { visit } from "../secrets.ts";

/** Fields in which people are picked who are asked. */
export function chosenIn(definition: Definition): ReadonlySet<string> {
  const fields = new Set<string>();
  visit(definition, (node) => {
    if (node["kind"] === "chosen") fields.add(String(node["field"]));
  });
  return fields;
}

/** Conditions of the lines that lead on from the initial state; none if one leads on anyway. */
export function gatesOf({ initial, transitions, states }: Definition): readonly Expression[] {
  const finals = new Set(states.filter(({ final }) => final).map(({ name }) => name));
  const lines = transitions.filter(({ from, to }) => from.includes(initial) && to !== initial && !finals.has(to));
  const conditions = lines.map(({ condition }) => condition);
  return conditions.includes(undefined) ? [] : conditions.filter((condition) => condition !== undefined);
}

/** Conditions of the lines that one trigger chooses between, in one state. */
export function choicesIn(region: Region): readonly (readonly Expression[])[] {
  const own = region.states.flatMap(({ name }) => {
    const lines = region.transitions.filter(({ from, condition }) => condition && from.includes(name));
    return [...Map.groupBy(lines, ({ trigger }) => JSON.stringify(trigger)).values()];
  });
  const inside = region.states.flatMap(({ parallel }) => (parallel?.branches ?? []).flatMap(choicesIn));
  return [...own.map((lines) => lines.flatMap(({ condition }) => condition ?? [])), ...inside];
}

/** Conditions, the rows of one matrix together. */
export function conditionsIn(
  region: Region,
  { matrices }: Pick<Definition, "matrices">,
): readonly (readonly Expression[])[] {
  const lines = region.transitions.flatMap(({ condition }) => (condition ? [[condition]] : []));
  const states = region.states.flatMap(({ approval, parallel }) => [
    ...(approval ? chainConditions(approval, matrices) : []),
    ...(parallel?.branches ?? []).flatMap((branch) => [
      ...(branch.condition ? [[branch.condition]] : []),
      ...conditionsIn(branch, { matrices }),
    ]),
  ]);
  return [...lines, ...states];
}

function chainConditions(
  { chain }: Pick<Approval, "chain">,
  matrices: Definition["matrices"],
): readonly (readonly Expression[])[] {
  return chain.flatMap((stage): (readonly Expression[])[] => {
    if (stage.kind === "auto") return [[stage.condition]];
    if (stage.kind !== "matrix") return [];
    const rows = matrices[stage.matrix]?.rows ?? [];
    const cells = rows.flatMap((row) => rowCondition(row.cells, stage.arguments) ?? []);
    return [cells, ...rows.flatMap(({ stages }) => chainConditions({ chain: stages }, matrices))];
  });
}
