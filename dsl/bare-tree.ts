/** For tests: a tree without places, names as their texts. */
export function bareTree(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bareTree);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => !/[sS]pan$/.test(key));
  if (entries.length === 2 && "quoted" in value && "text" in value) return value.text;
  const written = "body" in value;
  return Object.fromEntries(
    entries.filter(([key]) => !(written && key === "text")).map(([key, inner]) => [key, bareTree(inner)]),
  );
}
