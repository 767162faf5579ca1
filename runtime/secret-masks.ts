import type { Definition } from "../dsl/index.ts";
import type { Json } from "../engine/index.ts";

const MASK = "****";

/** Whatever stands under the name of a secret field of these flows, at any depth, is masked. */
export function maskSecrets(definitions: readonly Definition[], value: Json): Json {
  const fields = definitions.flatMap((one) => [...one.fields, ...one.events.flatMap(({ payload }) => payload)]);
  const names = new Set(fields.filter(({ secret }) => secret).map(({ name }) => name));
  return names.size === 0 ? value : maskNamed(value, names);
}

/** Every value is masked; lists and names stay. */
export function maskLeaves(value: Json): Json {
  if (Array.isArray(value)) return value.map(maskLeaves);
  if (typeof value !== "object" || value === null) return MASK;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, maskLeaves(part)]));
}

function maskNamed(value: Json, names: ReadonlySet<string>): Json {
  if (Array.isArray(value)) return value.map((item: Json) => maskNamed(item, names));
  if (typeof value !== "object" || value === null) return value;
  const parts = Object.entries(value).map(([name, part]): [string, Json] => [
    name,
    names.has(name) ? MASK : maskNamed(part, names),
  ]);
  return Object.fromEntries(parts);
}
