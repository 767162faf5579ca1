import type { Expression, Value } from "../../dsl/index.ts";
import { safe } from "../exact.ts";
import type { Currency } from "../values.ts";
import { absent, isArithmetic, isDecimal, mayBeAbsent, optional, truth } from "./closures.ts";
import { type EvaluationContext, isInherited, type Kind, type Run, reader } from "./parts.ts";

/** Lists up to this length are compared one by one, which is faster than a look into a set. */
const COMPARED_MAX = 8;

/**
 * A condition as code of its own, for those that are asked very often. It is written from the typed tree alone: what an
 * author wrote stands in it as string and number literals, all else are the words below. It does what the closures do, in their order.
 * @returns `undefined` where the process forbids it (`--disallow-code-generation-from-strings`).
 */
export function generateCondition(
  expression: Expression,
  currency: Currency,
): ((context: EvaluationContext) => boolean) | undefined {
  const code = new ConditionCode(currency);
  const text = code.truth(expression);
  const names = code.constants.map((_, index) => `c${index}`);
  try {
    const make = new Function(
      ...names,
      `"use strict"; return (context) => { const { data } = context; let v; return ${text}; };`,
    );
    return make(...code.constants);
  } catch (error) {
    if (error instanceof EvalError) return undefined;
    throw error;
  }
}

/**
 * Writes expressions of JavaScript, in which `context`, its `data` and the constants have names, and `v` is a value that is
 * looked at twice. What costs much more than a call (exact arithmetic, quantifiers, functions) calls its closure.
 */
class ConditionCode {
  /** `c0`, `c1` … */
  readonly constants: unknown[] = [];
  private readonly currency: Currency;

  constructor(currency: Currency) {
    this.currency = currency;
  }

  truth(expression: Expression): string {
    switch (expression.kind) {
      case "not":
        return `!${this.truth(expression.of)}`;
      case "is-set":
        return `(${this.value(expression.of)} !== undefined)`;
      case "in-list":
        return isDecimal(expression.of) ? this.called(truth(expression, this.currency)) : this.inList(expression);
      case "in-interval":
        return isDecimal(expression.of) ? this.called(truth(expression, this.currency)) : this.inInterval(expression);
      case "quantifier":
        return this.called(truth(expression, this.currency));
      case "binary":
        return isArithmetic(expression) ? this.required(expression) : this.binary(expression);
      default:
        return this.required(expression);
    }
  }

  private binary(expression: Kind<"binary">): string {
    const { operator, left, right } = expression;
    const sign = SIGNS[operator];
    if (operator === "and" || operator === "or") return `(${this.truth(left)} ${sign} ${this.truth(right)})`;
    if (isDecimal(left) || isDecimal(right)) return this.called(truth(expression, this.currency));
    return `(${this.required(left)} ${sign} ${this.required(right)})`;
  }

  private inList({ of, list }: Kind<"in-list">): string {
    if (list.kind !== "list" || !list.items.every((item) => item.kind === "literal")) {
      return `${this.required(list)}.includes(${this.required(of)})`;
    }
    const values = list.items.map(({ value }) => value);
    const known = values.length > COMPARED_MAX && this.constant(new Set(values));
    const isAmong = known ? `${known}.has(v)` : values.map((value) => `v === ${this.literal(value)}`).join(" || ");
    return `(v = ${this.required(of)}, ${isAmong || "false"})`;
  }

  private inInterval({ of, interval: { low, high } }: Kind<"in-interval">): string {
    const ends = [
      ...(low ? [`v ${low.included ? ">=" : ">"} ${this.literal(low.value)}`] : []),
      ...(high ? [`v ${high.included ? "<=" : "<"} ${this.literal(high.value)}`] : []),
    ];
    return `(v = ${this.required(of)}, ${ends.join(" && ") || "true"})`;
  }

  private required(expression: Expression): string {
    const value = this.value(expression);
    if (!mayBeAbsent(expression)) return value;
    return `(${value} ?? ${this.constant(() => absent(expression, this.currency))}())`;
  }

  /** In stored form; `undefined` is an absent optional. */
  private value(expression: Expression): string {
    switch (expression.kind) {
      case "literal":
        return this.literal(expression.value);
      case "field":
        return this.read("data", expression.name);
      case "payload":
        return this.read("context.payload", expression.name);
      case "member":
        return this.member(expression);
      case "if": {
        const [yes, no] = [this.value(expression.then), this.value(expression.else)];
        return `(${this.truth(expression.condition)} ? ${yes} : ${no})`;
      }
      case "binary":
        return isArithmetic(expression) ? this.arithmetic(expression) : this.truth(expression);
      case "not":
      case "is-set":
      case "in-list":
      case "in-interval":
        return this.truth(expression);
      default:
        return this.called(optional(expression, this.currency));
    }
  }

  private member(expression: Kind<"member">): string {
    const { of, name } = expression;
    if (of.kind !== "builtin" || of.name !== "initiator") return this.called(optional(expression, this.currency));
    return name === "tags"
      ? `(context.initiator.tags ?? ${this.constant([])})`
      : `context.initiator.${name === "org" ? "org" : "name"}`;
  }

  /** Of whole numbers; sums of dates and exact fractions are closures. */
  private arithmetic(expression: Kind<"binary">): string {
    const { operator, left, right } = expression;
    const isWhole = [expression, left, right].every((part) => part.type.kind !== "date" && !isDecimal(part));
    if (!isWhole || operator === "/") return this.called(optional(expression, this.currency));
    const result = `${this.required(left)} ${SIGNS[operator]} ${this.required(right)}`;
    return `${this.constant(safe)}(${result} + 0)`;
  }

  private read(record: string, name: string): string {
    return isInherited(name) ? `${this.constant(reader(name))}(${record})` : `${record}[${JSON.stringify(name)}]`;
  }

  private literal(value: Value): string {
    return typeof value === "object" ? this.constant(value) : JSON.stringify(value);
  }

  private called(closure: Run<Value | undefined>): string {
    return `${this.constant(closure)}(context)`;
  }

  private constant(value: unknown): string {
    return `c${this.constants.push(value) - 1}`;
  }
}

const SIGNS: Readonly<Record<Kind<"binary">["operator"], string>> = {
  and: "&&",
  or: "||",
  "==": "===",
  "!=": "!==",
  "<": "<",
  "<=": "<=",
  ">": ">",
  ">=": ">=",
  "+": "+",
  "-": "-",
  "*": "*",
  "/": "/",
};
