type Present<Parts> = { readonly [Key in keyof Parts]?: Exclude<Parts[Key], undefined> };

/**
 * `node`, which is changed, with those of `parts` that are there. For nodes of which a file has many: a spread per part
 * takes ten times as long.
 */
export function withPresent<const Node extends object, const Parts extends object>(
  node: Node,
  parts: Parts,
): Node & Present<Parts> {
  for (const key in parts) if (parts[key] !== undefined) (node as Partial<Parts>)[key] = parts[key];
  return node as Node & Present<Parts>;
}
