import { describer, type Expression } from "../dsl/index.ts";
import type { Currency } from "./values.ts";

/** The expression as an author would write it: `amount >= 50_000 and kind in [travel, other]`. */
export function describeExpression(expression: Expression, currency: Currency): string {
  return describer({ currencyDecimals: currency.decimals }).expression(expression);
}
