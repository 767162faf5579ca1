/** Values of the language as whole numbers and back, and as people read them. */
import { shifted } from "../check/literals.ts";
import type { Type, Value } from "../definition.ts";
import { durationText } from "../describe.ts";
import { constantOf, type Linear } from "./linear.ts";
import { DAY_MS, DECIMAL_PLACES, scaleOf } from "./variables.ts";

/** A number of days since 1970 for a date, else the number itself. */
export function constantForm(type: Type, value: Value): Linear {
  if (type.kind === "date") return constantOf(BigInt(Date.parse(`${value}T00:00:00Z`)) / DAY_MS);
  if (type.kind !== "decimal") return constantOf(BigInt(value as number));
  const [whole = "0", places = ""] = String(value).split(".");
  return constantOf(BigInt(`${whole}${places}`), 10n ** BigInt(places.length));
}

/** The value in whole steps of its type; what lies between two steps is cut off. */
export function wholeOf(type: Type, value: Value): bigint {
  const { constant, over } = constantForm(type, value);
  return (constant * scaleOf(type)) / over;
}

/** The value in stored form. */
export function storedValue(type: Type, whole: bigint): Value {
  switch (type.kind) {
    case "date":
      return new Date(Number(whole * DAY_MS)).toISOString().slice(0, 10);
    case "decimal":
      return decimalOf(whole);
    default:
      return Number(whole);
  }
}

function decimalOf(whole: bigint): string {
  const text = `${whole < 0n ? "-" : ""}${shifted(String(whole < 0n ? -whole : whole), -DECIMAL_PLACES)}`;
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** As people write it: money as a decimal string in the main unit, times with their offset, durations as `36h`; null is absent. */
export function showValue(value: Value | null, type: Type, currencyDecimals: number): unknown {
  if (value === null) return null;
  switch (type.kind) {
    case "money": {
      const amount = Number(value);
      return `${amount < 0 ? "-" : ""}${shifted(String(Math.abs(amount)), -currencyDecimals)}`;
    }
    case "datetime":
      return new Date(Number(value)).toISOString();
    case "duration":
      return durationText(Number(value));
    case "list":
      return (value as readonly Value[]).map((item) => showValue(item, type.of, currencyDecimals));
    case "record": {
      const record = value as Readonly<Record<string, Value>>;
      const shown = type.fields.map(({ name, type: of }) => [
        name,
        showValue(record[name] ?? null, of, currencyDecimals),
      ]);
      return Object.fromEntries(shown.filter(([, part]) => part !== null));
    }
    default:
      return value;
  }
}

/** An instant on a working day, when nothing else is said. */
export const NOW_MS = Date.parse("2026-01-05T09:00:00+08:00");

/** The plainest value of a type. */
export function plainValueOf(type: Type): Value {
  switch (type.kind) {
    case "bool":
      return false;
    case "int":
    case "money":
    case "duration":
      return 0;
    case "decimal":
      return "0";
    case "date":
      return "2026-01-05";
    case "datetime":
      return NOW_MS;
    case "enum":
      return type.members[0] ?? "";
    case "list":
      return [];
    case "record":
      return Object.fromEntries(
        type.fields.flatMap(({ name, type: of, optional }) => (optional ? [] : [[name, plainValueOf(of)]])),
      );
    default:
      return "x";
  }
}
