/** Data for which a condition holds, for tools that show what a change of a flow means. */
import type { Definition, Expression, FieldDefinition } from "../definition.ts";
import { findCase } from "./cases.ts";
import { partsOf } from "./terms.ts";
import { showValue } from "./values.ts";

/** Boxes that are looked at for one example. */
const BOXES_MAX = 20_000;

/**
 * The fields that matter and their values, as in `counterExample`; `undefined` if it never holds, or none was found.
 * Functions answer whatever they like.
 * @param definition the flow that it is asked in; fields that the flow lacks may be absent.
 * @param isDraft required fields may be missing, as on a line that does not leave the initial state for good.
 */
export function examplesOf(
  condition: Expression,
  { fields, currencyDecimals }: Pick<Definition, "fields" | "currencyDecimals">,
  isDraft = false,
): Readonly<Record<string, unknown>> | undefined {
  const known = new Map([...fieldsIn(condition), ...fields].map((field) => [field.name, field] as const));
  const mayBeAbsent = (path: string) => {
    const field = known.get(path);
    return field ? field.optional || (isDraft && field.default === undefined) : true;
  };
  const claims = [{ condition, holds: true }];
  const { when, example } = findCase(claims, { mayBeAbsent }, [...known.values()], { left: BOXES_MAX });
  if (when === "never" || when === "unclear") return undefined;
  return Object.fromEntries(
    [...example].map(([name, { type, value }]) => [name, showValue(value, type, currencyDecimals)]),
  );
}

function fieldsIn(expression: Expression): readonly FieldDefinition[] {
  if (expression.kind === "field")
    return [{ name: expression.name, type: expression.type, optional: true, secret: false }];
  return partsOf(expression).flatMap(fieldsIn);
}
