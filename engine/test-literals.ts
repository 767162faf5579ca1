import type { Literal, LiteralRecord } from "../dsl/index.ts";
import { readInstant } from "./dates.ts";
import { durationText, readDuration } from "./durations.ts";
import { decimalText, fractionOf, scaled } from "./exact.ts";
import type { Json } from "./types.ts";

/** Digits up to which a number of JSON is surely the number that was written; longer ones travel as text. */
const NUMBER_DIGITS_MAX = 15;

/** Empties an optional field; an enum's member of this name is written in quotes. */
const NULL = "null";

/** What a sender from outside would send for it. Whether it fits is for the engine to judge. */
export function literalToJson(literal: Literal): Json {
  switch (literal.kind) {
    case "bool":
    case "text":
      return literal.value;
    case "number":
      if (literal.percent) return decimalText(fractionOf(literal.text).div(100));
      return literal.text.length > NUMBER_DIGITS_MAX ? literal.text : Number(literal.text);
    case "name":
      return literal.name === NULL ? null : literal.name;
    case "date":
    case "time":
      return literal.text;
    case "datetime":
      return withOffset(literal.text);
    case "duration":
      return durationText(literal.ms);
    case "list":
      return literal.items.map(literalToJson);
    case "record":
      return recordToJson(literal.fields);
  }
}

export function recordToJson(fields: LiteralRecord): { readonly [name: string]: Json } {
  return Object.fromEntries(fields.map(({ name, value }) => [name, literalToJson(value)]));
}

/** Is this JSON, as the engine shows values, the value that was written? Amounts are compared without their currency. */
export function literalEquals(literal: Literal, json: Json | undefined): boolean {
  if (json === undefined) return false;
  switch (literal.kind) {
    case "number":
      return sameNumber(literalToJson(literal), json);
    case "duration":
      return typeof json === "string" && readDuration(json) === literal.ms;
    case "datetime":
      return typeof json === "string" && readInstant(withOffset(literal.text)) === readInstant(json);
    case "list":
      return (
        Array.isArray(json) &&
        json.length === literal.items.length &&
        literal.items.every((item, index) => literalEquals(item, json[index]))
      );
    case "record":
      return (
        isRecord(json) &&
        Object.keys(json).length === literal.fields.length &&
        literal.fields.every(({ name, value }) => Object.hasOwn(json, name) && literalEquals(value, json[name]))
      );
    default:
      return literalToJson(literal) === json;
  }
}

function withOffset(text: string): string {
  const [, clock = "", offset = ""] = /T([\d:.]+)(.*)$/.exec(text) ?? [];
  const seconds = clock.length === 5 ? ":00" : "";
  return `${text.slice(0, text.length - offset.length)}${seconds}${offset === "" ? "+08:00" : offset}`;
}

function sameNumber(written: Json, json: Json): boolean {
  if (typeof json !== "number" && typeof json !== "string") return false;
  const [digits = ""] = String(json).split(" ");
  return scaled(digits, 20) !== undefined && fractionOf(String(written)).equals(fractionOf(digits));
}

function isRecord(json: Json): json is { readonly [name: string]: Json } {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
