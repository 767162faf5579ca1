import type { DurationAst } from "../ast.ts";

/** Milliseconds of a duration in natural time; `undefined` for working time and parts of a millisecond. */
export function durationMs({ amount, unit }: DurationAst): number | undefined {
  const unitMs = UNITS_MS[unit];
  if (unitMs === undefined) return undefined;
  const ms = Math.round(Number(amount) * unitMs * 1e6) / 1e6;
  return Number.isSafeInteger(ms) ? ms : undefined;
}

const UNITS_MS: Partial<Record<DurationAst["unit"], number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

export function isWorkingTime({ unit }: DurationAst): boolean {
  return unit === "workhours" || unit === "workdays";
}

/** `0250.50` → `250.5`: one spelling per value. */
export function canonicalDecimal(text: string): string {
  const [, sign, whole, part] = /^(-?)(\d*)\.?(\d*)$/.exec(text) ?? [];
  const integer = (whole ?? "").replace(/^0+(?=\d)/, "") || "0";
  const fraction = (part ?? "").replace(/0+$/, "");
  const plain = fraction === "" ? integer : `${integer}.${fraction}`;
  return plain === "0" ? "0" : `${sign ?? ""}${plain}`;
}

/** The number shifted by so many places: `shifted("66.7", -2)` is `0.667`. */
export function shifted(text: string, places: number): string {
  const [whole = "0", part = ""] = text.split(".");
  const digits = whole + part;
  const point = whole.length + places;
  if (point <= 0) return canonicalDecimal(`0.${"0".repeat(-point)}${digits}`);
  const padded = digits.padEnd(point, "0");
  return canonicalDecimal(`${padded.slice(0, point)}.${padded.slice(point)}`);
}

/** `5_000.5` yuan in fen. */
export function minorUnits(text: string, decimals: number): number | "too-many-decimals" | "too-large" {
  const written = text.split(".")[1]?.length ?? 0;
  if (written > decimals) return "too-many-decimals";
  const minor = Number(shifted(text, decimals));
  return Number.isSafeInteger(minor) ? minor : "too-large";
}

/** Does the day exist? */
export function isDate(text: string): boolean {
  const at = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().slice(0, 10) === text;
}

/** Epoch ms of `2026-10-01T09:00[:30][+08:00]`; without an offset in +08:00, where the language lives. */
export function instantMs(text: string): number | undefined {
  if (!isDate(text.slice(0, 10))) return undefined;
  const hasOffset = /(Z|[+-]\d\d:\d\d)$/.test(text.slice(11));
  const at = Date.parse(hasOffset ? text : `${text}+08:00`);
  return Number.isNaN(at) ? undefined : at;
}

/** `66.7` % as whole numbers: 667 of 1000. */
export function percentShare(text: string): { readonly part: number; readonly of: number } {
  const [whole = "0", part = ""] = canonicalDecimal(text).split(".");
  return { part: Number(whole + part), of: 100 * 10 ** part.length };
}

/** Decimals of the minor unit of an ISO 4217 currency; `undefined` if there is no such currency. */
export function currencyDecimals(code: string): number | undefined {
  if (code === "CNY") return 2; // By far the commonest; asking Intl takes longer than compiling a flow.
  if (!Intl.supportedValuesOf("currency").includes(code)) return undefined;
  return new Intl.NumberFormat("en", { style: "currency", currency: code }).resolvedOptions().maximumFractionDigits;
}
