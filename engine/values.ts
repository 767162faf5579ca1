import type { Data, Definition, PayloadField, Type, Value } from "../dsl/index.ts";
import { dateMs, formatDay, formatInstant, instantText, readInstant } from "./dates.ts";
import { durationText, durationWords, readDuration } from "./durations.ts";
import { DECIMAL_DIGITS_MAX, DECIMAL_PLACES, decimalText, fractionOf, scaled, unscaled } from "./exact.ts";
import type { DocumentData, DocumentValue, Json, Payload } from "./types.ts";

/** Money of a flow: its ISO 4217 code and the decimals of its minor unit. */
export interface Currency {
  readonly code: string;
  readonly decimals: number;
}

export interface PayloadFault {
  readonly field: string;
  readonly code: "unknown-field" | "wrong-type" | "missing-field";
  readonly message: string;
}

export type PayloadReading =
  | { readonly values: Data; readonly cleared: readonly string[] }
  | { readonly faults: readonly PayloadFault[] };

export type ValueReading = { readonly value: Value } | { readonly fault: string };

/** What stands in place of a secret. */
export const MASK = "****";
/** Longest text that a field holds, in UTF-16 units. */
export const TEXT_LENGTH_MAX = 100_000;
/** Digits of a JSON number that surely arrive as they were sent; a longer one must be a string. */
const NUMBER_DIGITS_MAX = 15;

/** The field's own value; a field may be called `constructor`. */
export function fieldValue(data: Data, field: string): Value | undefined {
  return Object.hasOwn(data, field) ? data[field] : undefined;
}

export function currencyOf(definition: Definition): Currency {
  return { code: definition.currency, decimals: definition.currencyDecimals };
}

/**
 * Reads JSON from outside against the fields that may come. `null` on an optional field empties it (`cleared`). A field that
 * is left out is `missing-field` only if it is payload of the event alone: data may have been set before, that is for the caller to look at.
 */
export function readPayload(fields: readonly PayloadField[], payload: Payload, currency: Currency): PayloadReading {
  const faults: PayloadFault[] = [];
  const cleared: string[] = [];
  const values: [string, Value][] = [];
  for (const name of Object.keys(payload)) {
    if (fields.some((field) => field.name === name)) continue;
    faults.push({ field: name, code: "unknown-field", message: unknownField(name, fields) });
  }
  for (const field of fields) {
    const json = Object.hasOwn(payload, field.name) ? payload[field.name] : undefined;
    if (json === undefined || json === null) {
      if (json === null && field.optional) cleared.push(field.name);
      else if (!field.optional && (json === null || !field.data)) faults.push(missingField(field.name));
      continue;
    }
    const reading = readValue(field.type, json, currency);
    if ("value" in reading) values.push([field.name, reading.value]);
    else faults.push(wrongType(field, reading.fault, currency));
  }
  return faults.length > 0 ? { faults } : { values: Object.fromEntries(values), cleared };
}

/**
 * Reads one value from outside. `fault` is a predicate that follows the field's name: ``must be a date like `2026-10-01`, not `x` ``.
 * Money is `"1280.50"`, `"1280.50 CNY"` or a number; a decimal a string or a number; a datetime RFC 3339 with an offset; a duration
 * as the language spells it (`"48h"`), never a bare number, because its unit would be a guess.
 */
export function readValue(type: Type, json: unknown, currency: Currency): ValueReading {
  switch (type.kind) {
    case "list":
      return Array.isArray(json) ? readList(type.of, json, currency) : refused(type, json, currency);
    case "record":
      return isRecord(json) ? readRecord(type, json, currency) : refused(type, json, currency);
    default: {
      const value = readScalar(type, json, currency);
      return value === undefined ? refused(type, json, currency) : { value };
    }
  }
}

/** The value as the outside sees it: money `1280.50 CNY`, decimals as strings, datetimes RFC 3339 in +08:00. {@link readValue} takes it back. */
export function showValue(type: Type, value: Value, currency: Currency): Json {
  switch (type.kind) {
    case "money":
      return `${unscaled(value as number, currency.decimals)} ${currency.code}`;
    case "datetime":
      return instantText(value as number);
    case "duration":
      return durationText(value as number);
    case "list":
      return (value as readonly Value[]).map((item) => showValue(type.of, item, currency));
    case "record":
      return Object.fromEntries(
        present(type, value).map(([name, of, part]) => [name, showValue(of, part as Value, currency)]),
      );
    default:
      return value as Json;
  }
}

/** The data that is set, by field name, with secrets masked. */
export function showData(definition: Definition, data: Data): { [field: string]: Json } {
  const currency = currencyOf(definition);
  const shown: [string, Json][] = [];
  for (const { name, type, secret } of definition.fields) {
    const value = Object.hasOwn(data, name) ? data[name] : undefined;
    if (value !== undefined) shown.push([name, secret ? MASK : showValue(type, value, currency)]);
  }
  return Object.fromEntries(shown);
}

/**
 * The value as people read it in a document: money `1,280.50`, dates `2026年10月1日`, durations `1天12小时`. Lists of records become
 * arrays for loops, other lists one text; a field that a record leaves out is the empty text.
 */
export function presentValue(type: Type, value: Value, currency: Currency): DocumentValue {
  switch (type.kind) {
    case "bool":
      return value as boolean;
    case "money":
      return unscaled(value as number, currency.decimals).replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ",");
    case "date":
      return formatDay(value as string, "yyyy年M月d日");
    case "datetime":
      return `${formatInstant(value as number, "yyyy年M月d日 HH:mm")} (+08:00)`;
    case "duration":
      return durationWords(value as number);
    case "record":
      return [presentRecord(type, value, currency)];
    case "list":
      return presentList(type.of, value as readonly Value[], currency);
    default:
      return String(value);
  }
}

function presentList(type: Type, items: readonly Value[], currency: Currency): DocumentValue {
  if (type.kind === "record") return items.map((item) => presentRecord(type, item, currency));
  return items.map((item) => presentValue(type, item, currency)).join("、");
}

function presentRecord(type: RecordType, value: Value, currency: Currency): DocumentData {
  const fields = new Map(present(type, value).map(([name, of, part]) => [name, presentValue(of, part, currency)]));
  return Object.fromEntries(type.fields.map(({ name }) => [name, fields.get(name) ?? ""]));
}

type RecordType = Extract<Type, { kind: "record" }>;

/** The fields of a record that are set. */
function present(type: RecordType, value: Value): readonly (readonly [name: string, type: Type, value: Value])[] {
  const record = value as Readonly<Record<string, Value>>;
  return type.fields.flatMap(({ name, type: of }) => {
    const part = Object.hasOwn(record, name) ? record[name] : undefined;
    return part === undefined ? [] : [[name, of, part] as const];
  });
}

function readList(type: Type, items: readonly unknown[], currency: Currency): ValueReading {
  const values: Value[] = [];
  for (const [index, item] of items.entries()) {
    const reading = readValue(type, item, currency);
    if ("fault" in reading) return { fault: `item ${index + 1} ${reading.fault}` };
    values.push(reading.value);
  }
  return { value: values };
}

function readRecord(type: RecordType, json: Readonly<Record<string, unknown>>, currency: Currency): ValueReading {
  const values: [string, Value][] = [];
  const unknown = Object.keys(json).find((name) => !type.fields.some((field) => field.name === name));
  if (unknown !== undefined) return { fault: `has no field ${quoted(unknown)}, only ${names(type.fields)}` };
  for (const { name, type: of, optional } of type.fields) {
    const part = Object.hasOwn(json, name) ? json[name] : undefined;
    if (part === undefined || part === null) {
      if (!optional) return { fault: `lacks the field \`${name}\`` };
      continue;
    }
    const reading = readValue(of, part, currency);
    if ("fault" in reading) return { fault: `field \`${name}\` ${reading.fault}` };
    values.push([name, reading.value]);
  }
  return { value: Object.fromEntries(values) };
}

function readScalar(type: Type, json: unknown, currency: Currency): Value | undefined {
  switch (type.kind) {
    case "bool":
      return typeof json === "boolean" ? json : undefined;
    case "int":
      return Number.isSafeInteger(json) ? (json as number) + 0 : undefined;
    case "money":
      return readMoney(json, type.signed, currency);
    case "decimal":
      return readDecimal(json);
    case "enum":
      return typeof json === "string" && type.members.includes(json) ? json : undefined;
    case "date":
      return typeof json === "string" && dateMs(json) !== undefined ? json : undefined;
    case "datetime":
      return typeof json === "string" ? readInstant(json) : undefined;
    case "duration":
      return typeof json === "string" ? readDuration(json) : undefined;
    default:
      return isText(json) && (type.kind === "text" || json !== "") ? json : undefined;
  }
}

function readMoney(json: unknown, signed: boolean, currency: Currency): number | undefined {
  const [digits, code] = typeof json === "string" ? json.split(" ", 2) : [numberText(json), undefined];
  if (digits === undefined || (code !== undefined && json !== `${digits} ${currency.code}`)) return undefined;
  const minor = scaled(digits, currency.decimals);
  if (minor === undefined || (minor < 0n && !signed) || !Number.isSafeInteger(Number(minor))) return undefined;
  // Near the end of the range two amounts share one double: which was meant can't be told any more.
  if (typeof json === "number" && String(minor).replace("-", "").length > NUMBER_DIGITS_MAX) return undefined;
  return Number(minor);
}

function readDecimal(json: unknown): string | undefined {
  const digits = typeof json === "string" ? json : numberText(json);
  if (digits === undefined || digits.length > DECIMAL_DIGITS_MAX) return undefined;
  return scaled(digits, DECIMAL_PLACES) === undefined ? undefined : decimalText(fractionOf(digits));
}

/** The number's digits; `undefined` for what is no number or needs more digits than surely arrive. */
function numberText(json: unknown): string | undefined {
  if (typeof json !== "number") return undefined;
  const text = String(json);
  const plain = text.includes("e-") ? json.toFixed(DECIMAL_PLACES + 8).replace(/0+$/, "") : text;
  return plain.replace(/^-?0*\.?0*|\D/g, "").length > NUMBER_DIGITS_MAX ? undefined : plain;
}

function isText(json: unknown): json is string {
  return typeof json === "string" && json.length <= TEXT_LENGTH_MAX && json.isWellFormed();
}

function isRecord(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function refused(type: Type, json: unknown, currency: Currency): { readonly fault: string } {
  return { fault: `must be ${expected(type, currency)}, not ${quoted(json)}` };
}

/** What the outside must send for the type. */
function expected(type: Type, currency: Currency): string {
  switch (type.kind) {
    case "bool":
      return "`true` or `false`";
    case "int":
      return "a whole number";
    case "money":
      return `an amount of ${type.signed ? "" : "0 or more "}in ${currency.code} with at most ${currency.decimals} decimals and within the safe range (as text where it has more than ${NUMBER_DIGITS_MAX} digits)`;
    case "decimal":
      return `a number with at most ${DECIMAL_PLACES} decimals (as text where it has more than ${NUMBER_DIGITS_MAX} digits)`;
    case "enum":
      return `one of ${type.members.map((member) => `\`${member}\``).join(", ")}`;
    case "date":
      return "an existing date like `2026-10-01`";
    case "datetime":
      return "a time with its offset like `2026-10-01T09:00:00+08:00`";
    case "duration":
      return "a duration with its unit like `48h`, `3d` or `500ms`";
    case "list":
      return "a list";
    case "record":
      return `a record of ${names(type.fields)}`;
    case "text":
      return `a text of at most ${TEXT_LENGTH_MAX} characters`;
    default:
      return `the id of ${type.kind === "org" ? "an org" : `a ${type.kind}`}`;
  }
}

function wrongType(field: PayloadField, fault: string, currency: Currency): PayloadFault {
  const predicate = field.secret ? `must be ${expected(field.type, currency)}` : fault;
  return { field: field.name, code: "wrong-type", message: `\`${field.name}\` ${predicate}.` };
}

function missingField(field: string): PayloadFault {
  return { field, code: "missing-field", message: `\`${field}\` is required and must have a value.` };
}

function unknownField(field: string, fields: readonly PayloadField[]): string {
  const known = fields.length === 0 ? "nothing may be sent here" : `what may be sent is ${names(fields)}`;
  return `There is no field ${quoted(field)} here; ${known}.`;
}

function names(fields: readonly { readonly name: string }[]): string {
  return fields.map(({ name }) => `\`${name}\``).join(", ");
}

function quoted(json: unknown): string {
  const text = typeof json === "string" ? json : (JSON.stringify(json) ?? String(json));
  return `\`${text.length > 60 ? `${text.slice(0, 59)}…` : text}\``;
}
