/** Conditions as formulas: comparisons become tests of variables, functions and what isn't looked into unknowns. */
import type { BinaryOperator, Expression, Interval, Type } from "../definition.ts";
import { and, FALSE, type Formula, not, or, TRUE, truth } from "./formula.ts";
import { ceilDivided, floorDivided, greatestCommonDivisor, type Linear } from "./linear.ts";
import { difference, type Fraction, type Term, Terms } from "./terms.ts";
import { isNumeric, type Link, scaleOf, type Variable } from "./variables.ts";
import type { Condition, Place, Vocabulary } from "./vocabulary.ts";

type Comparison = "==" | "!=" | "<" | "<=" | ">" | ">=";

/** Builds the formulas of one place. */
export class ConditionBuilder {
  private readonly vocabulary: Vocabulary;
  private readonly place: Place;
  private readonly terms: Terms;

  constructor(vocabulary: Vocabulary, place: Place) {
    this.vocabulary = vocabulary;
    this.place = place;
    this.terms = new Terms(vocabulary, place, (expression) => this.condition(expression));
  }

  condition(expression: Expression): Condition {
    switch (expression.kind) {
      case "literal":
        return total(truth(expression.value === true));
      case "not": {
        const { yes, no } = this.condition(expression.of);
        return { yes: no, no: yes };
      }
      case "binary":
        return this.binary(expression);
      case "if": {
        const [asked, then, otherwise] = [expression.condition, expression.then, expression.else].map((part) =>
          this.condition(part),
        ) as [Condition, Condition, Condition];
        return {
          yes: or(and(asked.yes, then.yes), and(asked.no, otherwise.yes)),
          no: or(and(asked.yes, then.no), and(asked.no, otherwise.no)),
        };
      }
      case "is-set":
        return total(this.isSet(expression.of));
      case "in-interval":
        return this.inInterval(expression.of, expression.interval);
      case "in-list":
        return this.inList(expression.of, expression.list, expression);
      case "quantifier":
        return this.quantifier(expression);
      default:
        return this.isTrue(this.terms.variable(expression));
    }
  }

  /** `all L where C` is `not any L where not C`, so that both are one unknown. */
  private quantifier(expression: Extract<Expression, { kind: "quantifier" }>): Condition {
    const isAll = expression.quantifier === "all";
    const where = isAll ? negated(expression.where) : settled(expression.where);
    const any: Expression = { ...expression, quantifier: "any", where };
    const { yes, no } = this.isTrue(this.terms.variable(any));
    return isAll ? { yes: no, no: yes } : { yes, no };
  }

  private binary(expression: Extract<Expression, { kind: "binary" }>): Condition {
    const { operator, left, right } = expression;
    if (operator === "and" || operator === "or") {
      const [one, other] = [this.condition(left), this.condition(right)];
      if (operator === "and") return { yes: and(one.yes, other.yes), no: or(one.no, and(one.yes, other.no)) };
      return { yes: or(one.yes, and(one.no, other.yes)), no: and(one.no, other.no) };
    }
    return this.comparison(left, operator as Comparison, right);
  }

  private comparison(left: Expression, operator: Comparison, right: Expression): Condition {
    if (isNumeric(left.type)) return this.numbers(this.terms.term(left), operator, this.terms.term(right));
    const same = this.same(left, right);
    return operator === "==" ? same : { yes: same.no, no: same.yes };
  }

  // Values without an order ---------------------------------------------------------------------------------------- //

  private same(left: Expression, right: Expression): Condition {
    if (left.kind === "if" || right.kind === "if") return this.sameByCases(left, right);
    const [one, other] = [this.constant(left), this.constant(right)];
    if (one !== undefined && other !== undefined) return total(truth(one === other));
    if (one !== undefined) return this.oneOf(this.terms.variable(right), [one]);
    if (other !== undefined) return this.oneOf(this.terms.variable(left), [other]);
    const [first, second] = [this.terms.variable(left), this.terms.variable(right)];
    if (first === second) return total(TRUE);
    return this.isTrue(this.equal(first, second));
  }

  private sameByCases(left: Expression, right: Expression): Condition {
    const chosen = left.kind === "if" ? left : right;
    if (chosen.kind !== "if") return total(FALSE);
    const other = chosen === left ? right : left;
    const asked = this.condition(chosen.condition);
    const [then, otherwise] = [this.same(chosen.then, other), this.same(chosen.else, other)];
    return {
      yes: or(and(asked.yes, then.yes), and(asked.no, otherwise.yes)),
      no: or(and(asked.yes, then.no), and(asked.no, otherwise.no)),
    };
  }

  /** A value that is known already. */
  private constant(expression: Expression): string | undefined {
    if (expression.kind === "literal") return String(expression.value);
    const isState = expression.kind === "builtin" && expression.name === "state";
    return isState ? this.place.state : undefined;
  }

  private equal(left: Variable, right: Variable): Variable {
    const [one, other] = left.index < right.index ? [left, right] : [right, left];
    return this.vocabulary.keep({
      kind: "linked",
      key: `${one.key} == ${other.key}`,
      path: `${one.path} == ${other.path}`,
      type: { kind: "bool" },
      link: { kind: "equal", left: one.index, right: other.index },
      roots: one.roots.union(other.roots),
    });
  }

  private oneOf(variable: Variable, values: readonly string[]): Condition {
    return total(this.vocabulary.test(variable, { kind: "values", values: new Set(values) }));
  }

  private isTrue(variable: Variable): Condition {
    const yes = this.vocabulary.test(variable, { kind: "values", values: TRUTH });
    return { yes, no: this.vocabulary.test(variable, { kind: "values", values: UNTRUTH }) };
  }

  private isSet(of: Expression): Formula {
    const path = this.terms.pathOf(of);
    if (path === undefined || !this.place.mayBeAbsent(path)) return TRUE;
    return this.vocabulary.test(this.terms.variable(of), { kind: "present" });
  }

  // Numbers -------------------------------------------------------------------------------------------------------- //

  private inInterval(of: Expression, { low, high }: Interval): Condition {
    const tested = this.terms.term(of);
    const bounds = [
      low && this.numbers(tested, low.included ? ">=" : ">", this.terms.literal(of.type, low.value)),
      high && this.numbers(tested, high.included ? "<=" : "<", this.terms.literal(of.type, high.value)),
    ].filter((bound) => bound !== undefined);
    return { yes: and(...bounds.map(({ yes }) => yes)), no: or(...bounds.map(({ no }) => no)) };
  }

  private inList(of: Expression, list: Expression, whole: Expression): Condition {
    if (list.kind !== "list") return this.isTrue(this.terms.variable(whole));
    const each = list.items.map((item) => this.comparison(of, "==", item));
    return { yes: or(...each.map(({ yes }) => yes)), no: and(...each.map(({ no }) => no)) };
  }

  /** Every alternative of the one side against every one of the other. */
  private numbers(left: Term, operator: Comparison, right: Term): Condition {
    const cases = left.flatMap((one) => right.map((other) => ({ one, other, when: and(one.when, other.when) })));
    const compared = cases.map(({ one, other, when }) => {
      const apart = difference(one, other) ?? this.apart(one, other);
      const { yes, no } = this.toZero(apart, operator);
      return { yes: and(when, yes), no: and(when, no) };
    });
    return { yes: or(...compared.map(({ yes }) => yes)), no: or(...compared.map(({ no }) => no)) };
  }

  /** The difference of two fractions that has no linear form is an unknown. */
  private apart(one: Fraction, other: Fraction): Fraction {
    const indexes = [one.top, one.bottom, other.top, other.bottom].flatMap((form) => [...(form?.terms.keys() ?? [])]);
    const variable = this.vocabulary.keep({
      kind: "computed",
      key: `apart ${JSON.stringify([one, other], textOfParts)}`,
      path: "",
      type: { kind: "int" },
      roots: new Set(indexes.flatMap((index) => [...this.vocabulary.variables[index]!.roots])),
    });
    return { top: this.terms.unknown(variable) };
  }

  /** A fraction against zero. */
  private toZero({ top, bottom }: Fraction, operator: Comparison): Condition {
    if (bottom === undefined) return total(this.sign(top, operator));
    const [above, below] = [this.sign(bottom, ">"), this.sign(bottom, "<")];
    const [same, mirrored] = [this.sign(top, operator), this.sign(top, MIRRORED[operator])];
    return {
      yes: or(and(above, same), and(below, mirrored)),
      no: or(and(above, not(same)), and(below, not(mirrored))),
    };
  }

  private sign(form: Linear, operator: Comparison): Formula {
    switch (operator) {
      case "<=":
        return this.atMostZero(form, 0n);
      case "<":
        return this.atMostZero(form, -1n);
      case ">":
        return not(this.atMostZero(form, 0n));
      case ">=":
        return not(this.atMostZero(form, -1n));
      case "==":
        return and(this.atMostZero(form, 0n), not(this.atMostZero(form, -1n)));
      case "!=":
        return or(not(this.atMostZero(form, 0n)), this.atMostZero(form, -1n));
    }
  }

  /** `Σ + constant ≤ atMost` in whole numbers; the form's denominator is positive and makes no difference. */
  private atMostZero({ terms, constant }: Linear, atMost: bigint): Formula {
    if (terms.size === 0) return truth(constant <= atMost);
    let divisor = 0n;
    for (const coefficient of terms.values()) divisor = greatestCommonDivisor(divisor, coefficient);
    const [first] = [...terms].sort(([one], [other]) => one - other);
    const sign = first![1] < 0n ? -1n : 1n;
    const variable = this.formVariable(terms, divisor * sign);
    const limit = atMost - constant;
    if (constant % divisor === 0n) variable.mentioned.add((-constant / divisor) * sign);
    return sign > 0n
      ? this.vocabulary.test(variable, { kind: "range", high: floorDivided(limit, divisor) })
      : this.vocabulary.test(variable, { kind: "range", low: ceilDivided(-limit, divisor) });
  }

  /** The variable of `Σ / divisor`. */
  private formVariable(terms: Linear["terms"], divisor: bigint): Variable {
    const parts = [...terms].sort(([one], [other]) => one - other);
    const [only, second] = parts;
    const { variables } = this.vocabulary;
    if (only && !second) return variables[only[0]]!;
    const reduced = new Map(parts.map(([index, coefficient]) => [index, coefficient / divisor] as const));
    const link: Link = { kind: "linear", of: { terms: reduced, constant: 0n, over: 1n } };
    const [low, high] = boundsOf(reduced, variables);
    return this.vocabulary.keep({
      kind: "linked",
      key: `sum ${[...reduced].map(([index, coefficient]) => `${coefficient}*${index}`).join(" + ")}`,
      path: "",
      type: { kind: "int" },
      link,
      roots: parts.map(([index]) => variables[index]!.roots).reduce((all, some) => all.union(some)),
      low,
      high,
    });
  }

  /** A sum of nothing is zero, where the number of items is looked at, too. */
  emptySum(variable: Variable): Formula {
    const { expression } = variable;
    if (expression?.kind !== "call" || expression.name !== "sum") return TRUE;
    const [items] = expression.arguments;
    const list = items?.kind === "pluck" ? items.of : items;
    const counted = this.vocabulary.variables.find(
      ({ expression: other }) =>
        other?.kind === "call" && other.name === "count" && JSON.stringify(other.arguments[0]) === JSON.stringify(list),
    );
    if (!counted) return TRUE;
    const nothing = this.vocabulary.test(variable, { kind: "range", low: 0n, high: 0n });
    return or(this.vocabulary.test(counted, { kind: "range", low: 1n }), nothing);
  }

  /** One function asked twice: the same answer, or other arguments. */
  sameAnswer(one: Variable, other: Variable): Formula {
    const [first, second] = [one.expression, other.expression];
    if (first?.kind !== "ask" || second?.kind !== "ask" || first.name !== second.name) return TRUE;
    if (first.arguments.length !== second.arguments.length) return TRUE;
    const differs = first.arguments.map((left, index) => this.differs(left, second.arguments[index]!));
    return or(this.comparison(first, "==", second).yes, ...differs);
  }

  private differs(left: Expression, right: Expression): Formula {
    const isComparable = isNumeric(left.type) === isNumeric(right.type) && isPlain(left.type) && isPlain(right.type);
    return isComparable ? this.comparison(left, "!=", right).yes : TRUE;
  }

  equation(variable: Variable, value: Expression): Formula {
    if (isNumeric(variable.type)) {
      const own: Term = [{ when: TRUE, top: this.terms.unknown(variable) }];
      const source = this.terms.term(value);
      // What is stored is rounded to what the field can hold.
      const exact = source.every(({ top, bottom }) => bottom === undefined && isWhole(top, variable.type));
      return exact ? this.numbers(own, "==", source).yes : TRUE;
    }
    const constant = this.constant(value);
    if (constant !== undefined) return this.oneOf(variable, [constant]).yes;
    if (value.kind === "field" || value.kind === "payload" || value.kind === "builtin") {
      return this.isTrue(this.equal(variable, this.terms.variable(value))).yes;
    }
    return TRUE;
  }
}

function isPlain({ kind }: Type): boolean {
  return kind !== "list" && kind !== "record";
}

function isWhole(form: Linear, type: Type): boolean {
  return (
    (form.constant * scaleOf(type)) % form.over === 0n &&
    [...form.terms.values()].every((part) => (part * scaleOf(type)) % form.over === 0n)
  );
}

function boundsOf(terms: Linear["terms"], variables: readonly Variable[]): readonly [low: bigint, high: bigint] {
  let [low, high] = [0n, 0n];
  for (const [index, coefficient] of terms) {
    const { low: from, high: to } = variables[index]!;
    low += coefficient * (coefficient > 0n ? from! : to!);
    high += coefficient * (coefficient > 0n ? to! : from!);
  }
  return [low, high];
}

function textOfParts(_key: string, value: unknown): unknown {
  if (value instanceof Map) return [...value];
  return typeof value === "bigint" ? String(value) : value;
}

const TRUTH: ReadonlySet<string> = new Set(["true"]);
const UNTRUTH: ReadonlySet<string> = new Set(["false"]);
const MIRRORED: Readonly<Record<Comparison, Comparison>> = {
  "==": "==",
  "!=": "!=",
  "<": ">",
  "<=": ">=",
  ">": "<",
  ">=": "<=",
};

function total(yes: Formula): Condition {
  return { yes, no: not(yes) };
}

/** The contrary, with `not` pushed down as far as it goes. */
function negated(condition: Expression): Expression {
  const { type } = condition;
  if (condition.kind === "not") return settled(condition.of);
  if (condition.kind !== "binary") return { kind: "not", of: condition, type };
  const { operator, left, right } = condition;
  const contrary = CONTRARY[operator];
  if (contrary) return { ...condition, operator: contrary };
  const joined = operator === "and" ? "or" : "and";
  return { ...condition, operator: joined, left: negated(left), right: negated(right) };
}

function settled(condition: Expression): Expression {
  if (condition.kind === "not") return negated(condition.of);
  if (condition.kind !== "binary" || (condition.operator !== "and" && condition.operator !== "or")) return condition;
  return { ...condition, left: settled(condition.left), right: settled(condition.right) };
}

const CONTRARY: Partial<Record<BinaryOperator, BinaryOperator>> = {
  "==": "!=",
  "!=": "==",
  "<": ">=",
  "<=": ">",
  ">": "<=",
  ">=": "<",
};
