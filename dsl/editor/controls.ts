import type { FileAst, SourceValueAst } from "../ast.ts";

/**
 * Ids of the controls of outside forms, by template: those that sources name anywhere, so that one that was looked up once
 * need not be again.
 * @param known others that are known from elsewhere.
 */
export function controlsIn(
  files: readonly FileAst[],
  known: ReadonlyMap<string, readonly string[]> = new Map(),
): ReadonlyMap<string, readonly string[]> {
  const found = new Map([...known].map(([template, ids]) => [template, new Set(ids)]));
  for (const { template, fields } of files.flatMap(({ sources }) => sources)) {
    const ids = found.get(template.text) ?? new Set();
    for (const { value } of fields) for (const id of idsOf(value)) ids.add(id);
    found.set(template.text, ids);
  }
  return new Map([...found].map(([template, ids]) => [template, [...ids]]));
}

function idsOf(value: SourceValueAst): readonly string[] {
  switch (value.kind) {
    case "property":
      return [];
    case "control":
      return [value.id.text];
    case "table":
      return [value.id.text, ...value.columns.flatMap((column) => idsOf(column.value))];
  }
}
