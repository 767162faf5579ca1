/** Lists for a model that says something of them: how long they are, what they add up to, what is in them. */
import { pathOf } from "../check/narrowing.ts";
import type { Expression, Type, Value } from "../definition.ts";
import { itemFor } from "./items.ts";
import type { Model } from "./models.ts";
import { plainValueOf } from "./values.ts";
import type { Variable } from "./variables.ts";

/** Longer lists are not made. */
const LENGTH_MAX = 1_000;

/** What a model says of one list. */
interface Wishes {
  readonly of: Type;
  length?: number;
  readonly members: Value[];
  /** Conditions that some item meets, and those that none meets. */
  readonly some: Expression[];
  readonly none: Expression[];
  readonly totals: { readonly field?: string; readonly value: Value }[];
}

/** The lists by path. That they fit is for the caller to see, by evaluating. */
export function listsOf(variables: readonly Variable[], model: Model): ReadonlyMap<string, readonly Value[]> {
  const wishes = new Map<string, Wishes>();
  for (const { kind, index, expression } of variables) {
    const value = model[index] ?? null;
    if (kind === "computed" && expression && value !== null) wish(expression, value, wishes);
  }
  const outer = (field: string) => {
    const variable = variables.find(({ kind, path }) => kind === "data" && path === field);
    return variable ? (model[variable.index] ?? undefined) : undefined;
  };
  return new Map([...wishes].map(([path, wanted]) => [path, made(wanted, outer)] as const));
}

function wish(expression: Expression, value: Value, wishes: Map<string, Wishes>): void {
  switch (expression.kind) {
    case "in-list":
      if (value === true && expression.of.kind === "literal")
        wishesFor(expression.list, wishes)?.members.push(expression.of.value);
      break;
    case "quantifier":
      wishesFor(expression.list, wishes)?.[value === true ? "some" : "none"].push(expression.where);
      break;
    case "call":
      measure(expression, value, wishes);
  }
}

function measure(
  { name, arguments: [list] }: Extract<Expression, { kind: "call" }>,
  value: Value,
  wishes: Map<string, Wishes>,
): void {
  if (name === "count" && list) {
    const wanted = wishesFor(list, wishes);
    if (wanted) wanted.length = Number(value);
  }
  if (name === "sum" && list) {
    const [of, field] = list.kind === "pluck" ? [list.of, list.name] : [list, undefined];
    wishesFor(of, wishes)?.totals.push({ ...(field === undefined ? {} : { field }), value });
  }
}

function wishesFor(list: Expression, wishes: Map<string, Wishes>): Wishes | undefined {
  const path = list.kind === "item" ? undefined : pathOf(list, 0);
  if (path === undefined || list.type.kind !== "list") return undefined;
  const wanted = wishes.get(path) ?? { of: list.type.of, members: [], some: [], none: [], totals: [] };
  wishes.set(path, wanted);
  return wanted;
}

/** What must be in it comes first; the totals are carried by the last item. */
function made(
  { of, length, members, some, none, totals }: Wishes,
  outer: (field: string) => Value | undefined,
): readonly Value[] {
  const items = [...members];
  for (const condition of some) {
    const item = itemFor(of, [condition], none, outer);
    if (item !== undefined) items.push(item);
  }
  const carries = totals.some(({ value }) => Number(value) !== 0);
  const size = Math.min(length ?? Math.max(items.length, carries ? 1 : 0), LENGTH_MAX);
  const filling = items.length < size ? (itemFor(of, [], none, outer) ?? plainValueOf(of)) : undefined;
  while (filling !== undefined && items.length < size) items.push(filling);
  for (const { field, value } of totals) addUp(items, field, Number(value));
  return items;
}

/** Changes the last item so that the list adds up to the total. */
function addUp(items: Value[], field: string | undefined, total: number): void {
  const last = items.length - 1;
  if (last < 0) return;
  const read = (item: Value) =>
    Number(field === undefined ? item : ((item as Readonly<Record<string, Value>>)[field] ?? 0));
  const rest = total - items.slice(0, last).reduce<number>((sum, item) => sum + read(item), 0);
  const value: Value = typeof items[last] === "string" ? String(rest) : rest;
  items[last] = field === undefined ? value : { ...(items[last] as Readonly<Record<string, Value>>), [field]: rest };
}
