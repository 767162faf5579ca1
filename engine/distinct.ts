/** Longest list that is looked through for every item; a set costs more than that. */
const SHORT = 8;

/** Each item once, in order of the first; the list itself where it has none twice. */
export function distinct(items: readonly string[]): readonly string[] {
  if (items.length <= SHORT && items.every((item, index) => items.indexOf(item) === index)) return items;
  const once = new Set(items);
  return once.size === items.length ? items : [...once];
}
