/** Conditions that tell how they came out, and how each comparison in them did. */
import type { Expression, Value } from "../../dsl/index.ts";
import { EvaluationError, MissingAnswer } from "../evaluation-error.ts";
import { compileCondition, compileExpression, type EvaluationContext } from "../expressions.ts";
import type { Currency } from "../values.ts";

/** Is told what came out. */
export interface ConditionWatch {
  /** The condition as a whole. */
  came(outcome: boolean): void;
  /** A comparison (or another part that is no `and`, `or`, `not`), by its place in {@link atomsOf}. */
  atomCame(atom: number, outcome: boolean): void;
  /** What the data was that a comparison with a constant looked at. */
  compared(atom: number, value: Value): void;
}

/** The parts of a condition between `and`, `or`, `not` and `if`, from left to right. */
export function atomsOf(condition: Expression): readonly Expression[] {
  switch (condition.kind) {
    case "literal":
      return [];
    case "not":
      return atomsOf(condition.of);
    case "if":
      return [condition.condition, condition.then, condition.else].flatMap(atomsOf);
    case "binary": {
      const { operator, left, right } = condition;
      return operator === "and" || operator === "or" ? [left, right].flatMap(atomsOf) : [condition];
    }
    default:
      return [condition];
  }
}

/**
 * The condition as a function that behaves like that of `compileCondition` and tells a watch.
 * @param operands by atom: the part whose value is told, too.
 */
export function watchCondition(
  condition: Expression,
  currency: Currency,
  watch: ConditionWatch,
  operands: readonly (Expression | undefined)[],
): (context: EvaluationContext) => boolean {
  const run = watched(condition, numbering(condition), currency, watch, operands);
  return (context) => {
    const outcome = run(context);
    watch.came(outcome);
    return outcome;
  };
}

type Test = (context: EvaluationContext) => boolean;
type Numbers = ReadonlyMap<Expression, number>;

function numbering(condition: Expression): Numbers {
  return new Map(atomsOf(condition).map((atom, index) => [atom, index]));
}

function watched(
  part: Expression,
  numbers: Numbers,
  currency: Currency,
  watch: ConditionWatch,
  operands: readonly (Expression | undefined)[],
): Test {
  const inner = (one: Expression): Test => watched(one, numbers, currency, watch, operands);
  if (part.kind === "not") {
    const of = inner(part.of);
    return (context) => !of(context);
  }
  if (part.kind === "if") {
    const [asked, yes, no] = [inner(part.condition), inner(part.then), inner(part.else)];
    return (context) => (asked(context) ? yes : no)(context);
  }
  if (part.kind === "binary" && (part.operator === "and" || part.operator === "or")) {
    const [left, right, isAnd] = [inner(part.left), inner(part.right), part.operator === "and"];
    return (context) => (isAnd ? left(context) && right(context) : left(context) || right(context));
  }
  const index = numbers.get(part);
  return index === undefined
    ? compileCondition(part, currency)
    : watchedAtom(part, index, currency, watch, operands[index]);
}

function watchedAtom(
  atom: Expression,
  index: number,
  currency: Currency,
  watch: ConditionWatch,
  operand: Expression | undefined,
): Test {
  const run = compileCondition(atom, currency);
  const look = operand && compileExpression(operand, currency);
  return (context) => {
    const outcome = run(context);
    watch.atomCame(index, outcome);
    const value = look && attempt(() => look(context));
    if (value !== undefined) watch.compared(index, value);
    return outcome;
  };
}

/** The value; `undefined` where there is none. */
export function attempt<Result>(run: () => Result): Result | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof EvaluationError || error instanceof MissingAnswer) return undefined;
    throw error;
  }
}
