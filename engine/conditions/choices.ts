/** Which of several conditions decides, when only a part of the data and no answer of a function is known. */
import type { Expression } from "../../dsl/index.ts";
import { describeExpression } from "../describe-expression.ts";
import { compileCondition, type EvaluationContext } from "../expressions.ts";
import type { Currency } from "../values.ts";
import { type Assumptions, contextOf } from "./assumptions.ts";
import { ANSWER, isKnown, plainlyCompared, readsOf } from "./reads.ts";
import { attempt } from "./watched-conditions.ts";

/** Alternatives in their order: the first whose condition holds is taken; without a condition it always does. */
export type Alternatives = readonly (Expression | undefined)[];

/** What an unknown part would have to come out as. */
export interface Supposition {
  readonly text: string;
  readonly holds: boolean;
}

/** One way in which the choice can come out. */
export interface Outcome {
  /** What it rests on beside the data that is known; empty: on nothing. */
  readonly when: readonly Supposition[];
  /** The alternative that is taken; absent: none. */
  readonly taken?: number;
  /** A part of a condition has no value (a division by zero), so that nothing can be taken. */
  readonly broken?: true;
}

/** Where a choice is made. */
export interface Setting {
  readonly assumed: Assumptions;
  /** Names of the flow's data fields. */
  readonly fields: readonly string[];
  readonly state: string;
  readonly currency: Currency;
  /** See {@link conditionCompiler}. */
  readonly compiled: ConditionCompiler;
  /** May what is read at the path be absent? */
  isOptional(path: string): boolean;
}

/** The condition as a function; the same one is compiled once. */
export type ConditionCompiler = (condition: Expression) => (context: EvaluationContext) => boolean;

export function conditionCompiler(currency: Currency): ConditionCompiler {
  const known = new Map<Expression, (context: EvaluationContext) => boolean>();
  return (condition) => {
    const run = known.get(condition) ?? compileCondition(condition, currency);
    known.set(condition, run);
    return run;
  };
}

/** Most ways that are told apart. */
const OUTCOMES_MAX = 32;

/** Every way in which the choice can come out, one if everything that matters is known. */
export function outcomesOf(alternatives: Alternatives, setting: Setting): readonly Outcome[] {
  return new Choice(alternatives, setting).outcomes([]);
}

interface Supposed {
  readonly atom: Expression;
  readonly text: string;
  readonly holds: boolean;
}

class Choice {
  private readonly alternatives: Alternatives;
  private readonly setting: Setting;
  private readonly atoms = new Map<Expression, boolean | "unknown" | "broken">();
  private left = OUTCOMES_MAX;

  constructor(alternatives: Alternatives, setting: Setting) {
    this.alternatives = alternatives;
    this.setting = setting;
  }

  outcomes(supposed: readonly Supposed[]): Outcome[] {
    const when = supposed.map(({ text, holds }) => ({ text, holds }));
    for (const [taken, condition] of this.alternatives.entries()) {
      const truth = condition ? this.truth(condition, supposed) : true;
      if (truth === true) return this.found({ when, taken });
      if (truth === "broken") return this.found({ when, broken: true });
      if (truth !== false) return this.split(supposed, truth);
    }
    return this.found({ when });
  }

  private found(outcome: Outcome): Outcome[] {
    this.left -= 1;
    return [outcome];
  }

  private split(supposed: readonly Supposed[], atom: Expression): Outcome[] {
    const text = describeExpression(atom, this.setting.currency);
    return [true, false].flatMap((holds) => {
      const next = [...supposed, { atom, text, holds }];
      return this.left > 0 && this.isConsistent(next) ? this.outcomes(next) : [];
    });
  }

  /** `true`, `false`, an atom on which it depends, or that it has no value. */
  private truth(part: Expression, supposed: readonly Supposed[]): boolean | "broken" | Expression {
    switch (part.kind) {
      case "not": {
        const of = this.truth(part.of, supposed);
        return typeof of === "boolean" ? !of : of;
      }
      case "if": {
        const asked = this.truth(part.condition, supposed);
        return typeof asked === "boolean" ? this.truth(asked ? part.then : part.else, supposed) : asked;
      }
      case "binary":
        if (part.operator === "and" || part.operator === "or") return this.joined(part, supposed);
    }
    return this.atom(part, supposed);
  }

  /** The one side may settle it whatever the other is: `days is set and days > 3` is false where days is not there. */
  private joined(
    { operator, left, right }: Extract<Expression, { kind: "binary" }>,
    supposed: readonly Supposed[],
  ): boolean | "broken" | Expression {
    const settling = operator === "or";
    const one = this.truth(left, supposed);
    if (one === settling) return settling;
    const other = this.truth(right, supposed);
    if (other === settling) return settling;
    return one === !settling ? other : one;
  }

  private atom(atom: Expression, supposed: readonly Supposed[]): boolean | "broken" | Expression {
    const known = this.atoms.get(atom) ?? this.evaluate(atom);
    this.atoms.set(atom, known);
    if (known !== "unknown") return known;
    const text = describeExpression(atom, this.setting.currency);
    return supposed.find((one) => one.text === text)?.holds ?? atom;
  }

  private evaluate(atom: Expression): boolean | "unknown" | "broken" {
    const { assumed, fields, state, compiled } = this.setting;
    if (readsOf(atom).some((path) => !isKnown(path, assumed))) return "unknown";
    return attempt(() => compiled(atom)(contextOf(assumed, fields, state))) ?? "broken";
  }

  /** Can one value of what is unknown make all of them so? Only comparisons of one unknown with constants are looked into. */
  private isConsistent(supposed: readonly Supposed[]): boolean {
    const { assumed, fields, state, compiled } = this.setting;
    const byPath = new Map<string, Supposed[]>();
    for (const one of supposed) {
      const unknown = [...new Set(readsOf(one.atom).filter((path) => !isKnown(path, assumed)))];
      const [path] = unknown;
      if (unknown.length === 1 && path !== undefined && path !== ANSWER)
        byPath.set(path, [...(byPath.get(path) ?? []), one]);
    }
    return [...byPath].every(([path, own]) => {
      const candidates = own.map(({ atom }) => plainlyCompared(atom, path));
      return (
        candidates.includes(undefined) ||
        [...(this.setting.isOptional(path) ? [null] : []), ...candidates.flatMap((values) => values ?? [])].some(
          (value) => {
            const context = contextOf(new Map([...assumed, [path, value]]), fields, state);
            // An absent value has no order, which is as good as not holding here.
            return own.every(({ atom, holds }) => (attempt(() => compiled(atom)(context)) ?? false) === holds);
          },
        )
      );
    });
  }
}
