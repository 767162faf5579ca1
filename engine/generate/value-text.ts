import { type Definition, describer, type Type, type Value } from "../../dsl/index.ts";

/** A value as tests write it, lists and records too. */
export function valueText(type: Type, value: Value, definition: Pick<Definition, "currencyDecimals">): string {
  if (type.kind === "list") {
    return `[${(value as readonly Value[]).map((item) => valueText(type.of, item, definition)).join(", ")}]`;
  }
  if (type.kind !== "record") return describer(definition).value(type, value);
  const record = value as Readonly<Record<string, Value>>;
  const parts = type.fields.flatMap(({ name, type: of }) => {
    const part = Object.hasOwn(record, name) ? record[name] : undefined;
    return part === undefined ? [] : [`${name}: ${valueText(of, part, definition)}`];
  });
  return parts.length === 0 ? "{ }" : `{ ${parts.join(", ")} }`;
}
