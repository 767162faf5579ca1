import type { SourceConversion, Type } from "../../../dsl/index.ts";
import type { Json } from "../../../engine/index.ts";
import { fenToYuan, plainDecimal, type Read, yuanToFen } from "./amount.ts";
import { type FormDate, type FormValue, localDate, localDateTime } from "./form.ts";

/** A value, or `undefined` for one that was not entered. */
export type Converted = Read<Json | undefined>;

/**
 * A control's value in the form that values of `type` take on the way in: money as `"128500.50"` in yuan, the only unit
 * WeCom has; dates `"2026-10-01"`, times RFC 3339, decimals as text. Reasons don't quote what was entered but for the
 * name of an option: the field may be a secret.
 */
export function convert(control: FormValue, type: Type, how: SourceConversion): Converted {
  if (control.unreadable !== undefined) return { ok: false, reason: control.unreadable };
  return type.kind === "list" ? listOf(control, type.of, how) : single(itemsOf(control, type, how));
}

function listOf(control: FormValue, type: Type, how: SourceConversion): Converted {
  if (type.kind === "text" && control.options !== undefined) {
    return done(control.options.map((option) => option.names[0] ?? option.key));
  }
  const items = itemsOf(control, type, how);
  if (!items.ok) return items;
  const values: Json[] = [];
  for (const item of items.value) {
    if (!item.ok) return item;
    if (item.value !== undefined) values.push(item.value);
  }
  return done(values);
}

function single(items: Read<readonly Converted[]>): Converted {
  if (!items.ok) return items;
  if (items.value.length > 1) return { ok: false, reason: `it holds ${items.value.length} values where one belongs` };
  return items.value[0] ?? { ok: true, value: undefined };
}

/** The control's values, each converted to `type`; a fault where the control has nothing of that type. */
function itemsOf(control: FormValue, type: Type, how: SourceConversion): Read<readonly Converted[]> {
  const unfit: Read<never> = { ok: false, reason: `a \`${control.control}\` can't be read as ${type.kind}` };
  const each = <Part>(
    parts: readonly Part[] | undefined,
    read: (part: Part) => Converted,
  ): Read<readonly Converted[]> => (parts === undefined ? unfit : { ok: true, value: parts.map(read) });
  const filled = (part: string | undefined) => (part === undefined ? undefined : part.trim() === "" ? [] : [part]);
  switch (type.kind) {
    case "money":
      return each(filled(control.number), (digits) => money(digits, type.signed));
    case "int":
      return each(filled(control.number), int);
    case "decimal":
      return each(filled(control.number), plainDecimal);
    case "text":
      return each(textsOf(control), done);
    case "enum":
    case "bool":
      return each(choicesOf(control), (names) => choice(names, type.kind === "enum" ? type.members : undefined, how));
    case "date":
      return each(control.dates, (date: FormDate) => done(localDate(date)));
    case "datetime":
      return each(control.dates, (date: FormDate) => done(localDateTime(date)));
    case "user":
      return each(control.users, done);
    case "org":
      return each(control.orgs, done);
    case "file":
      return each(control.files, done);
    case "duration":
    case "list":
    case "record":
      return unfit;
  }
}

function textsOf(control: FormValue): readonly string[] | undefined {
  return control.text === "" ? [] : control.text === undefined ? undefined : [control.text];
}

/** The names by which a choice may be meant. A text control counts as its own single choice. */
function choicesOf(control: FormValue): readonly (readonly string[])[] | undefined {
  if (control.options !== undefined) return control.options.map((option) => [...option.names, option.key]);
  if (control.text === undefined) return undefined;
  return control.text === "" ? [] : [[control.text.trim()]];
}

const YES_AND_NO: Readonly<Record<string, string>> = { 是: "true", 否: "false", true: "true", false: "false" };

/** @param members of the enum; absent for a bool. */
function choice(names: readonly string[], members: readonly string[] | undefined, how: SourceConversion): Converted {
  const own = members === undefined ? YES_AND_NO : Object.fromEntries(members.map((member) => [member, member]));
  const options = how.kind === "options" ? how.options : own;
  const name = names.find((candidate) => Object.hasOwn(options, candidate));
  const otherwise = how.kind === "options" ? how.otherwise : undefined;
  const member = name === undefined ? otherwise : options[name];
  if (member === undefined) return { ok: false, reason: `the option \`${names[0] ?? ""}\` is not one of those listed` };
  return done(members === undefined ? member === "true" : member);
}

function money(digits: string, signed: boolean): Converted {
  const fen = yuanToFen(digits);
  if (!fen.ok || fen.value === undefined) return fen;
  if (!signed && fen.value.startsWith("-")) return { ok: false, reason: "the amount is negative" };
  if (!Number.isSafeInteger(Number(fen.value))) return { ok: false, reason: "the amount is too large" };
  return done(fenToYuan(fen.value));
}

function int(digits: string): Converted {
  const decimal = plainDecimal(digits);
  if (!decimal.ok) return decimal;
  const value = Number(decimal.value);
  return Number.isSafeInteger(value) && !decimal.value.includes(".")
    ? done(value)
    : { ok: false, reason: "it is not a whole number" };
}

function done(value: Json): Converted {
  return { ok: true, value };
}
