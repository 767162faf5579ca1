/** Expressions of a definition as functions. Nothing here has an effect, a clock or a random source. */
import type { Expression, Value } from "../dsl/index.ts";
import { optional, truth } from "./expressions/closures.ts";
import { generateCondition } from "./expressions/generated.ts";
import type { EvaluationContext, Run } from "./expressions/parts.ts";
import type { Currency } from "./values.ts";

/** A condition that was asked so often gets code of its own: to generate it takes as long as a thousand questions. */
const ASKED_BEFORE_GENERATED = 1_000;

/**
 * The expression as a function to its value in stored form; `undefined` is an absent optional.
 * The function throws EvaluationError where there is no value, and what `ask` throws.
 */
export function compileExpression(
  expression: Expression,
  currency: Currency,
): (context: EvaluationContext) => Value | undefined {
  const run = optional(expression, currency);
  return (context) => run(context, undefined);
}

/**
 * The expression, which is of type bool, as a function. It throws like that of {@link compileExpression}. Of a condition
 * that nobody asks nothing is made; of one that is asked for ever, code.
 */
export function compileCondition(expression: Expression, currency: Currency): (context: EvaluationContext) => boolean {
  let generated: ((context: EvaluationContext) => boolean) | undefined;
  let closure: Run<boolean> | undefined;
  let asked = 0;
  const seldom = (context: EvaluationContext): boolean => {
    closure ??= truth(expression, currency);
    asked += 1;
    if (asked === ASKED_BEFORE_GENERATED) generated = generateCondition(expression, currency);
    return closure(context, undefined);
  };
  return (context) => (generated === undefined ? seldom(context) : generated(context));
}

export { describeExpression } from "./describe-expression.ts";
export { EvaluationError, MissingAnswer } from "./evaluation-error.ts";
export type { EvaluationContext } from "./expressions/parts.ts";
