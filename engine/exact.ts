import Fraction from "fraction.js";
import { EvaluationError } from "./evaluation-error.ts";

/** Decimals that a stored decimal keeps; a quotient is rounded half up to them. */
export const DECIMAL_PLACES = 12;
/** Digits a stored decimal may have, so that repeated multiplication can't grow without end. */
export const DECIMAL_DIGITS_MAX = 40;

const SCALE = 10n ** BigInt(DECIMAL_PLACES);
const PLAIN = /^(-?)(\d+)(?:\.(\d+))?$/;

/** `numerator / denominator` to the nearest integer, halves away from zero (四舍五入). `denominator` > 0. */
export function roundHalfUp(numerator: bigint, denominator: bigint): bigint {
  const size = numerator < 0n ? -numerator : numerator;
  const rounded = (2n * size + denominator) / (2n * denominator);
  return numerator < 0n ? -rounded : rounded;
}

/** The fraction as a whole number, rounded half up. */
export function roundFraction(fraction: Fraction): bigint {
  return roundHalfUp(fraction.s * fraction.n, fraction.d);
}

/** The fraction in the one spelling a stored decimal has: rounded to 12 places, no trailing zeros, no `-0`. */
export function decimalText(fraction: Fraction): string {
  const text = unscaled(roundHalfUp(fraction.s * fraction.n * SCALE, fraction.d), DECIMAL_PLACES);
  const trimmed = text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  if (trimmed.length > DECIMAL_DIGITS_MAX + 2) throw overflow();
  return trimmed;
}

/** `1234` with 2 decimals is `12.34`. */
export function unscaled(value: bigint | number, decimals: number): string {
  const text = String(value);
  if (decimals === 0) return text;
  const sign = text.startsWith("-") ? "-" : "";
  const digits = text.slice(sign.length).padStart(decimals + 1, "0");
  return `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** The value of plain digits as an integer of `10^-decimals`: `12.3` with 2 decimals is `1230n`. `undefined`: no plain number, or finer than that. */
export function scaled(text: string, decimals: number): bigint | undefined {
  const match = PLAIN.exec(text);
  if (match === null) return undefined;
  const places = (match[3] ?? "").replace(/0+$/, "");
  if (places.length > decimals) return undefined;
  return BigInt(`${match[1]}${match[2]}${places.padEnd(decimals, "0")}`);
}

/** A stored decimal as a fraction. */
export function fractionOf(decimal: string | number): Fraction {
  return new Fraction(decimal);
}

/** The number, if it lies in the range in which integers are exact. */
export function safe(value: number): number {
  if (!Number.isSafeInteger(value)) throw overflow();
  return value;
}

/** @throws EvaluationError beyond the safe integers. */
export function safeNumber(value: bigint): number {
  return safe(Number(value));
}

export function overflow(): EvaluationError {
  return new EvaluationError("condition-failed", "The result is too large to be held exactly.");
}
