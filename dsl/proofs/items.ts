/** An item of a list that conditions within the list ask for. */
import type { Expression, Type, Value } from "../definition.ts";
import { and, holding } from "./formula.ts";
import { modelOf } from "./models.ts";
import { plainValueOf } from "./values.ts";
import { Vocabulary } from "./vocabulary.ts";

/** Boxes that are looked at for one item. */
const BOXES_MAX = 200;
const PREFIX = "item.";

/**
 * A value of the type for which `holds` hold and `fails` don't; `undefined` if none was found.
 * @param outer what is known of the fields around the list.
 */
export function itemFor(
  type: Type,
  holds: readonly Expression[],
  fails: readonly Expression[],
  outer: (field: string) => Value | undefined,
): Value | undefined {
  const vocabulary = new Vocabulary();
  const optional =
    type.kind === "record" ? type.fields.filter((field) => field.optional).map(({ name }) => PREFIX + name) : [];
  const place = { mayBeAbsent: (path: string) => optional.includes(path) };
  const asked = (condition: Expression) => vocabulary.condition(asFields(condition, outer), place);
  const formula = and(...holds.map((one) => asked(one).yes), ...fails.map((one) => asked(one).no));
  vocabulary.seal();
  for (const box of holding(formula, vocabulary.everything(), { left: BOXES_MAX })) {
    const model = modelOf(vocabulary.variables, box);
    if (typeof model === "string") continue;
    const read = new Map(vocabulary.variables.map(({ path, index }) => [path, model[index] ?? null] as const));
    if (type.kind !== "record") return read.get(PREFIX) ?? plainValueOf(type);
    const parts = type.fields.flatMap(({ name, type: of, optional: isOptional }): [string, Value][] => {
      const value = read.get(PREFIX + name) ?? (isOptional ? undefined : plainValueOf(of));
      return value === undefined ? [] : [[name, value]];
    });
    return Object.fromEntries(parts);
  }
  return undefined;
}

/** The item's fields as fields of their own, and those around it as what they are. */
function asFields(expression: Expression, outer: (field: string) => Value | undefined): Expression {
  const inner = (part: Expression) => asFields(part, outer);
  switch (expression.kind) {
    case "item":
      return expression.depth === 0
        ? { kind: "field", name: PREFIX + (expression.name ?? ""), type: expression.type }
        : expression;
    case "field": {
      const value = outer(expression.name);
      return value === undefined ? expression : { kind: "literal", type: expression.type, value };
    }
    case "not":
    case "negate":
    case "is-set":
    case "in-interval":
      return { ...expression, of: inner(expression.of) };
    case "binary":
      return { ...expression, left: inner(expression.left), right: inner(expression.right) };
    case "in-list":
      return { ...expression, of: inner(expression.of), list: inner(expression.list) };
    case "list":
      return { ...expression, items: expression.items.map(inner) };
    default:
      return expression;
  }
}
