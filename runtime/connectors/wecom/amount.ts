/** Amounts as WeCom writes them: decimal strings in yuan. Everything here is string arithmetic: 19.99 × 100 is not 1999 in floats. */

export type Read<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly reason: string };

const DECIMAL = /^(-?)0*(\d{1,15})(?:\.(\d+))?$/;

/**
 * Exact fen of an amount in yuan, as text since it can exceed a safe integer; `undefined` for an empty one.
 * Blanks around it and zeros behind the second decimal are harmless; anything else that is no plain decimal is refused.
 */
export function yuanToFen(yuan: string): Read<string | undefined> {
  if (yuan.trim() === "") return { ok: true, value: undefined };
  const parts = DECIMAL.exec(yuan.trim());
  if (parts === null) return { ok: false, reason: "it is not a plain amount in yuan such as 1280.50" };
  const [, sign = "", whole = "", decimals = ""] = parts;
  const cents = decimals.replace(/0+$/, "").padEnd(2, "0");
  if (cents.length > 2) return { ok: false, reason: "it has more than 2 decimals" };
  return { ok: true, value: BigInt(`${sign}${whole}${cents}`).toString() };
}

/** The other way round: `12850050` is `128500.50`. */
export function fenToYuan(fen: string): string {
  const sign = fen.startsWith("-") ? "-" : "";
  const digits = fen.slice(sign.length).padStart(3, "0");
  return `${sign}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** A decimal in its shortest form: `007.50` is `7.5`, `-0.0` is `0`. */
export function plainDecimal(text: string): Read<string> {
  const parts = DECIMAL.exec(text.trim());
  if (parts === null) return { ok: false, reason: "it is not a plain decimal number" };
  const [, sign = "", whole = "", decimals = ""] = parts;
  const rest = decimals.replace(/0+$/, "");
  const digits = rest === "" ? whole : `${whole}.${rest}`;
  return { ok: true, value: digits === "0" ? "0" : sign + digits };
}
