import type { Type, Value } from "../dsl/index.ts";
import { formatDay, formatInstant, localDate } from "./dates.ts";
import { EvaluationError } from "./evaluation-error.ts";
import { decimalText, fractionOf, safe } from "./exact.ts";
import { rmbUpper } from "./rmb-upper.ts";
import { type Currency, MASK } from "./values.ts";

type BuiltinFunction = (values: readonly Value[], types: readonly Type[], currency: Currency) => Value;

/** The value functions that every flow has. The checker proved number and types of the arguments. */
export const builtinFunctions: ReadonlyMap<string, BuiltinFunction> = new Map<string, BuiltinFunction>([
  /** `formatDate(date | datetime, pattern)`, see {@link formatInstant}. */
  ["formatDate", ([day, pattern], [type]) => formatDate(day as Value, pattern as string, type)],
  ["rmbUpper", ([amount], _types, currency) => capitals(amount as number, currency)],
  /** The date of a datetime in +08:00. */
  ["dateOf", ([at]) => localDate(at as number)],
  ["masked", ([text]) => masked(text as string)],
  ["count", ([list]) => (list as readonly Value[]).length],
  ["sum", ([list], [type]) => sum(list as readonly Value[], type)],
]);

function formatDate(day: Value, pattern: string, type: Type | undefined): string {
  return type?.kind === "date" ? formatDay(day as string, pattern) : formatInstant(day as number, pattern);
}

/** 大写 counts in 元, 角 and 分, so it exists only for two decimals. */
function capitals(amount: number, currency: Currency): string {
  if (currency.decimals === 2) return rmbUpper(amount);
  throw new EvaluationError("condition-failed", `\`rmbUpper\` needs a currency with 2 decimals, not ${currency.code}.`);
}

/** The last four characters; a text that has no more than those shows none. */
function masked(text: string): string {
  const characters = [...text];
  return characters.length > 4 ? MASK + characters.slice(-4).join("") : MASK;
}

function sum(list: readonly Value[], type: Type | undefined): Value {
  if (type?.kind === "list" && type.of.kind === "decimal") {
    return decimalText(
      (list as readonly string[]).map(fractionOf).reduce((total, next) => total.add(next), fractionOf(0)),
    );
  }
  return (list as readonly number[]).reduce((total, next) => safe(total + next), 0);
}
