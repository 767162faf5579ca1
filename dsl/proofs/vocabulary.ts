/** Turns the conditions of a proof into formulas over one set of variables. */
import type { Expression, Type } from "../definition.ts";
import { ConditionBuilder } from "./conditions.ts";
import type { Pins } from "./factors.ts";
import { and, type Formula, maskOf, type Test } from "./formula.ts";
import { isNumeric, rangeOf, seal, type Variable } from "./variables.ts";

/** Where a condition is asked. */
export interface Place {
  /** The state in which it is asked; absent: that is a variable, too. */
  readonly state?: string;
  /** Can what is read there be missing? By its path: `amount`, `event.reviewer`, `machine.actor`. */
  mayBeAbsent(path: string): boolean;
  /** Tells apart what is read at one moment and at another: part of the variable's key. Default: one moment. */
  moment?(path: string): string;
  /** What is held at a value, by path: see factors.ts. */
  readonly pins?: Pins;
}

/** When it holds and when it doesn't; where neither is so, it has no value (a division by zero). */
export interface Condition {
  readonly yes: Formula;
  readonly no: Formula;
}

/** Pairs of calls of one function whose arguments are compared. */
const PAIRS_MAX = 50;

/** What a variable may be made of. */
type Wanted = Pick<Variable, "kind" | "key" | "path" | "type" | "roots"> &
  Partial<Pick<Variable, "link" | "expression" | "mayBeAbsent" | "low" | "high">>;

export class Vocabulary {
  readonly variables: Variable[] = [];
  private readonly byKey = new Map<string, Variable>();
  private readonly tests: Test[] = [];
  private readonly known = new WeakMap<Place, Map<Expression, Condition>>();
  private isSealed = false;

  /** The condition as formulas. The same condition at the same place is looked at once. */
  condition(expression: Expression, place: Place): Condition {
    const here = this.known.get(place) ?? new Map<Expression, Condition>();
    this.known.set(place, here);
    const before = here.get(expression);
    if (before) return before;
    const made = new ConditionBuilder(this, place).condition(expression);
    here.set(expression, made);
    return made;
  }

  /** That the variable of this key and type has the value of the expression: for what is set on the way. */
  equation(key: string, path: string, type: Type, mayBeAbsent: boolean, value: Expression, place: Place): Formula {
    const builder = new ConditionBuilder(this, place);
    const variable = this.keep({ kind: "data", key, path, type, roots: new Set([path]), mayBeAbsent });
    return builder.equation(variable, value);
  }

  variableOf(key: string): Variable | undefined {
    return this.byKey.get(key);
  }

  /**
   * What is so whatever the conditions say. `data`: a list without items adds up to nothing. `answers`: a function gives
   * the same answer for the same arguments.
   */
  sides(place: Place): { readonly data: Formula; readonly answers: Formula } {
    const builder = new ConditionBuilder(this, place);
    const made = [...this.variables];
    const answers = made.filter(({ kind }) => kind === "answer");
    const pairs = answers.flatMap((one, index) => answers.slice(index + 1).map((other) => [one, other] as const));
    return {
      data: and(...made.map((variable) => builder.emptySum(variable))),
      answers: and(...pairs.slice(0, PAIRS_MAX).map(([one, other]) => builder.sameAnswer(one, other))),
    };
  }

  /** Makes the cells of all variables and the masks of all tests. */
  seal(): void {
    this.isSealed = true;
    for (const variable of this.variables) seal(variable);
    for (const test of this.tests) test.mask = maskOf(test, this.variables[test.variable]!);
  }

  /** Everything that may be. */
  everything(): readonly bigint[] {
    return this.variables.map(({ full }) => full);
  }

  // The rest is for the builders.

  keep(wanted: Wanted): Variable {
    const before = this.byKey.get(wanted.key);
    if (before) return before;
    if (this.isSealed) throw new Error("a sealed vocabulary takes no more variables");
    const range = isNumeric(wanted.type) ? rangeOf(wanted.type) : undefined;
    const variable: Variable = {
      mayBeAbsent: false,
      ...(range ?? {}),
      ...wanted,
      index: this.variables.length,
      mentioned: new Set(),
      cuts: new Set(),
      values: new Set(closedValues(wanted.type)),
      open: !isNumeric(wanted.type) && closedValues(wanted.type).length === 0,
      cells: [],
      full: 0n,
    };
    this.variables.push(variable);
    this.byKey.set(wanted.key, variable);
    return variable;
  }

  test(variable: Variable, wanted: Test["wanted"]): Formula {
    const made: Test = { kind: "test", variable: variable.index, wanted, mask: 0n };
    if (wanted.kind === "range") {
      if (wanted.low !== undefined) variable.cuts.add(wanted.low);
      if (wanted.high !== undefined) variable.cuts.add(wanted.high + 1n);
    }
    if (wanted.kind === "values") for (const value of wanted.values) variable.values.add(value);
    this.tests.push(made);
    return made;
  }
}

function closedValues(type: Type): readonly string[] {
  if (type.kind === "bool") return ["true", "false"];
  return type.kind === "enum" ? type.members : [];
}
