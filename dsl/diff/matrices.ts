import type { MatrixDefinition, Stage } from "../definition.ts";
import { changedRegions } from "../proofs/matrix.ts";
import type { Side } from "./approvals.ts";
import { type Change, isSame, type Wording } from "./changes.ts";

/**
 * Cases for which other people decide than before, with an example: how the rows cut them does not matter. One that came or
 * went is said where it is used.
 */
export function compareMatrices(flow: string, before: Side, after: Side): Change[] {
  const { matrices } = after.definition;
  const changes = Object.entries(before.definition.matrices).flatMap(([key, was]) => {
    const is = matrices[key] ?? Object.values(matrices).find(({ name }) => name === was.name);
    return is ? compareMatrix(flow, before, after, was, is) : [];
  });
  // One matrix stands there several times, if states use it with different options.
  return [...new Map(changes.map((change) => [JSON.stringify(change), change])).values()];
}

function compareMatrix(flow: string, before: Side, after: Side, was: MatrixDefinition, is: MatrixDefinition): Change[] {
  const base = { flow, about: "matrix", kind: "changed" } as const;
  if (kindsOf(was) !== kindsOf(is)) {
    const message = `The matrix \`${is.name}\` looks at other things.`;
    return [{ ...base, message, before: parametersText(was), after: parametersText(is) }];
  }
  const [oldStages, newStages] = [stagesOf(was, before), stagesOf(is, after)];
  const isChanged = (row: number, other: number) => !isSame(oldStages[row]!, newStages[other]!);
  const regions = changedRegions(was, is, after.definition.currencyDecimals, isChanged);
  const changes = regions.map(({ before: row, after: other, example }): Change => {
    const message = `The matrix \`${is.name}\` names other people, or another way.`;
    const effect = effectOf(was.rows[row]!.stages, is.rows[other]!.stages);
    return { ...base, message, before: oldStages[row]!.text, after: newStages[other]!.text, ...effect, example };
  });
  // What changed in the same way is one change; the first example is as good as the others.
  const alike = Map.groupBy(changes, (change) => JSON.stringify([change.before, change.after]));
  return [...alike.values()].map(([first]) => first!);
}

const parametersText = ({ parameters }: MatrixDefinition): string =>
  parameters.map(({ name, type }) => `${name}: ${type.kind}`).join(", ");

const kindsOf = ({ parameters }: MatrixDefinition): string => parameters.map(({ type }) => type.kind).join();

const stagesOf = ({ rows }: MatrixDefinition, { words }: Side): readonly Wording[] =>
  rows.map(({ stages }) => words((describe) => stages.map(describe.stage).join(" then ")));

function effectOf(was: readonly Stage[], is: readonly Stage[]): Pick<Change, "effect"> {
  if (is.length === was.length) return {};
  return { effect: is.length < was.length ? "loosened" : "tightened" };
}
