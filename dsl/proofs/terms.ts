/** The numbers in conditions as fractions of linear forms; what isn't one becomes a variable of its own. */
import { pathOf } from "../check/narrowing.ts";
import type { Expression, Type, Value } from "../definition.ts";
import { and, type Formula, TRUE } from "./formula.ts";
import { isConstant, type Linear, minus, plus, times, unknownOf } from "./linear.ts";
import { constantForm } from "./values.ts";
import { DAY_MS, rangeOf, scaleOf, type Variable } from "./variables.ts";
import type { Condition, Place, Vocabulary } from "./vocabulary.ts";

/** `top / bottom`; without a bottom the form itself. */
export interface Fraction {
  readonly top: Linear;
  readonly bottom?: Linear;
}

/** The alternatives of a number, each with the condition under which it is meant; one of the conditions always holds. */
export type Term = readonly (Fraction & { readonly when: Formula })[];

/** More alternatives than these of one number are not told apart. */
const ALTERNATIVES_MAX = 16;
/** `dateOf` takes the day in +08:00. */
const ZONE_MS = 28_800_000n;

export class Terms {
  private readonly vocabulary: Vocabulary;
  private readonly place: Place;
  /** Conditions within terms. */
  private readonly condition: (expression: Expression) => Condition;

  constructor(vocabulary: Vocabulary, place: Place, condition: (expression: Expression) => Condition) {
    this.vocabulary = vocabulary;
    this.place = place;
    this.condition = condition;
  }

  /** A number, amount, date, time or duration. */
  term(expression: Expression): Term {
    switch (expression.kind) {
      case "literal":
        return this.literal(expression.type, expression.value);
      case "negate":
        return this.mapped(this.term(expression.of), ({ top, bottom }) => fraction(times(top, -1n), bottom));
      case "if": {
        const { yes, no } = this.condition(expression.condition);
        const [then, otherwise] = [this.term(expression.then), this.term(expression.else)];
        if (then.length + otherwise.length > ALTERNATIVES_MAX) return this.whole(expression);
        return [
          ...then.map((part) => ({ ...part, when: and(yes, part.when) })),
          ...otherwise.map((part) => ({ ...part, when: and(no, part.when) })),
        ];
      }
      case "binary":
        return this.arithmetic(expression);
      case "call":
        return expression.name === "dateOf" ? this.dateOf(expression) : this.whole(expression);
      default:
        return this.whole(expression);
    }
  }

  literal(type: Type, value: Value): Term {
    return [{ when: TRUE, top: constantForm(type, value) }];
  }

  unknown(variable: Variable): Linear {
    return unknownOf(variable.index, scaleOf(variable.type));
  }

  private whole(expression: Expression): Term {
    const path = this.place.pins && this.pathOf(expression);
    const pin = path === undefined ? undefined : this.place.pins?.get(path);
    if (pin) return this.literal(expression.type, pin.value);
    return [{ when: TRUE, top: this.unknown(this.variable(expression)) }];
  }

  private mapped(term: Term, change: (part: Fraction) => Fraction): Term {
    return term.map(({ when, ...part }) => ({ when, ...change(part) }));
  }

  private arithmetic(expression: Extract<Expression, { kind: "binary" }>): Term {
    const { operator, left, right } = expression;
    const [one, other] = [this.term(left), this.term(right)];
    if (one.length * other.length > ALTERNATIVES_MAX) return this.whole(expression);
    const found: (Fraction & { when: Formula })[] = [];
    for (const first of one) {
      for (const second of other) {
        const exact = operated(operator, inMs(first, left.type), inMs(second, right.type));
        const stored = exact && this.stored(exact, expression);
        if (stored === undefined) return this.whole(expression);
        found.push({ when: and(first.when, second.when), ...stored });
      }
    }
    return found;
  }

  /** Amounts and durations are whole again after every step, dates too; decimals stay fractions. */
  private stored(
    exact: Fraction,
    { type, left, right }: Extract<Expression, { kind: "binary" }>,
  ): Fraction | undefined {
    if (type.kind === "decimal") return exact;
    if (exact.bottom) return undefined;
    const days =
      type.kind === "date" || (type.kind === "duration" && left.type.kind === "date" && right.type.kind === "date");
    const form = type.kind === "date" ? times(exact.top, 1n, DAY_MS) : exact.top;
    if (isIntegral(form)) return { top: reduced(form) };
    return { top: this.unknown(this.linked(days ? "floored" : "rounded", form, type)) };
  }

  private dateOf({ arguments: [at], type }: Extract<Expression, { kind: "call" }>): Term {
    const days = this.term(at!).map(({ when, top }) => {
      const shifted = plus(top, { terms: new Map(), constant: ZONE_MS, over: 1n });
      return { when, top: this.unknown(this.linked("floored", times(shifted, 1n, DAY_MS), type)) };
    });
    return days;
  }

  private linked(kind: "rounded" | "floored", of: Linear, type: Type): Variable {
    const key = `${kind} ${[...of.terms].map(([index, coefficient]) => `${coefficient}*${index}`).join(" + ")} + ${of.constant} / ${of.over}`;
    const { high, low } = rangeOf(type);
    return this.vocabulary.keep({
      kind: "linked",
      key,
      path: "",
      type,
      link: { kind, of },
      roots: this.rootsOf(of),
      low: low === 0n ? -high : low,
      high,
    });
  }

  private rootsOf(form: Linear): ReadonlySet<string> {
    const { variables } = this.vocabulary;
    return new Set([...form.terms.keys()].flatMap((index) => [...variables[index]!.roots]));
  }

  // Variables ------------------------------------------------------------------------------------------------------ //

  pathOf(expression: Expression): string | undefined {
    if (expression.kind === "branch-state") return `${expression.branch}.state`;
    return expression.kind === "item" ? undefined : pathOf(expression, 0);
  }

  /** What the expression reads, is answered, or comes to. */
  variable(expression: Expression): Variable {
    const path = this.pathOf(expression);
    const roots = rootsIn(expression);
    const moments = [...roots].map((root) => this.place.moment?.(root) ?? "");
    if (path !== undefined) {
      const mayBeAbsent = this.place.mayBeAbsent(path);
      const key = `${path} ${moments.join(" ")}`;
      return this.vocabulary.keep({
        kind: "data",
        key,
        path,
        type: expression.type,
        roots,
        mayBeAbsent,
      });
    }
    const isAnswer = expression.kind === "ask";
    return this.vocabulary.keep({
      kind: isAnswer ? "answer" : "computed",
      key: `${JSON.stringify(expression)} ${moments.join(" ")}`,
      path: isAnswer ? expression.name : "",
      type: expression.type,
      roots,
      expression,
      ...(isCount(expression) ? { low: 0n } : {}),
    });
  }
}

/** `one - other`, where it is a fraction of linear forms. */
export function difference(one: Fraction, other: Fraction): Fraction | undefined {
  return operated("-", one, other);
}

function fraction(top: Linear, bottom: Linear | undefined): Fraction {
  if (bottom === undefined) return { top };
  if (!isConstant(bottom)) return { top, bottom };
  return { top: times(top, bottom.over, bottom.constant) };
}

/** Dates count as their midnight in sums and differences. */
function inMs({ top, bottom }: Fraction, { kind }: Type): Fraction {
  return kind === "date" ? fraction(times(top, DAY_MS), bottom) : fraction(top, bottom);
}

function operated(operator: string, one: Fraction, other: Fraction): Fraction | undefined {
  switch (operator) {
    case "+":
      return sum(one, other);
    case "-":
      return sum(one, fraction(times(other.top, -1n), other.bottom));
    case "*":
      return product(one, other) ?? product(other, one);
    default:
      return quotient(one, other);
  }
}

/** With a denominator on both sides they must be the same. */
function sum(one: Fraction, other: Fraction): Fraction | undefined {
  if (!one.bottom && !other.bottom) return { top: plus(one.top, other.top) };
  if (one.bottom && other.bottom) {
    return isSame(one.bottom, other.bottom) ? { top: plus(one.top, other.top), bottom: one.bottom } : undefined;
  }
  const [broken, whole] = one.bottom ? [one, other] : [other, one];
  const raised = product({ top: broken.bottom! }, whole);
  return raised && !raised.bottom ? { top: plus(broken.top, raised.top), bottom: broken.bottom! } : undefined;
}

/** By a constant. */
function product(one: Fraction, other: Fraction): Fraction | undefined {
  if (other.bottom || !isConstant(other.top)) return undefined;
  return fraction(times(one.top, other.top.constant, other.top.over), one.bottom);
}

function quotient(one: Fraction, other: Fraction): Fraction | undefined {
  if (other.bottom) return undefined;
  if (isConstant(other.top)) {
    const { constant, over } = other.top;
    return constant === 0n ? undefined : fraction(times(one.top, over, constant), one.bottom);
  }
  return one.bottom ? undefined : { top: one.top, bottom: other.top };
}

function isSame(one: Linear, other: Linear): boolean {
  const { terms, constant } = minus(one, other);
  return terms.size === 0 && constant === 0n;
}

function isIntegral({ terms, constant, over }: Linear): boolean {
  return constant % over === 0n && [...terms.values()].every((coefficient) => coefficient % over === 0n);
}

function reduced({ terms, constant, over }: Linear): Linear {
  const whole = new Map([...terms].map(([index, coefficient]) => [index, coefficient / over] as const));
  return { terms: whole, constant: constant / over, over: 1n };
}

/** Elapsed and counted things are never negative. */
function isCount(expression: Expression): boolean {
  return expression.kind === "call" && expression.name === "count";
}

/** What the value of an expression depends on: `amount`, `event.reviewer`, `machine.now`, and `answer` for functions. */
export function rootsIn(expression: Expression, found = new Set<string>()): ReadonlySet<string> {
  switch (expression.kind) {
    case "literal":
    case "item":
      break;
    case "field":
      found.add(expression.name);
      break;
    case "payload":
      found.add(`event.${expression.name}`);
      break;
    case "builtin":
      found.add(`machine.${expression.name}`);
      break;
    case "branch-state":
      found.add(`${expression.branch}.state`);
      break;
    case "ask":
      found.add("answer");
      for (const part of expression.arguments) rootsIn(part, found);
      break;
    default:
      for (const part of partsOf(expression)) rootsIn(part, found);
  }
  return found;
}

/** The expressions right within one. */
export function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "list":
      return expression.items;
    case "member":
    case "not":
    case "negate":
    case "is-set":
    case "pluck":
    case "in-interval":
      return [expression.of];
    case "binary":
      return [expression.left, expression.right];
    case "in-list":
      return [expression.of, expression.list];
    case "if":
      return [expression.condition, expression.then, expression.else];
    case "quantifier":
      return [expression.list, expression.where];
    case "call":
    case "ask":
      return expression.arguments;
    default:
      return [];
  }
}
