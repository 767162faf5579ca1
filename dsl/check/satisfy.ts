/**
 * Finds data for which a condition holds. A condition is looked at as comparisons of single values with constants, joined
 * by `and`, `or` and `not`; what compares otherwise, and every answer of a function, is an unknown. Between two constants
 * a condition can't change, so trying each constant and what lies between decides it exactly.
 */
import type { Expression, Type, Value } from "../definition.ts";
import { pathOf } from "./narrowing.ts";
import { isOrdered } from "./types.ts";

export interface Found {
  /** `always`: whatever the unknowns are; `sometimes`: only for some; `unclear`: too much to try, or nothing is known. */
  readonly when: "always" | "sometimes" | "never" | "unclear";
  /** The fields that matter, as values in stored form; null is absent. */
  readonly example: ReadonlyMap<string, { readonly type: Type; readonly value: Value | null }>;
  /** Functions on whose answers it depends. */
  readonly functions: readonly string[];
}

/** More combinations of values than this are not tried for one question. */
const COMBINATIONS_MAX = 20_000;

interface Variable {
  readonly name: string;
  readonly type: Type;
  /** An unknown: the answer of a function, or of a comparison that isn't looked into. */
  readonly unknown: "function" | "comparison" | undefined;
  readonly functionName?: string;
  /** Constants it is compared with. */
  readonly constants: Set<Value>;
  mayBeAbsent: boolean;
  values: readonly (Value | null)[];
}

type Test = (assignment: ReadonlyMap<Variable, Value | null>) => boolean;

/**
 * Is there data for which it holds?
 * @param state where it is asked.
 * @param mayBeAbsent can the value of this path be missing?
 * @param budget how many combinations may be tried; what is tried is taken off.
 */
export function satisfy(
  condition: Expression,
  state: string,
  mayBeAbsent: (path: string) => boolean,
  budget: { tests: number },
): Found {
  const builder = new Builder(state, mayBeAbsent);
  const test = builder.test(condition);
  const variables = [...builder.variables.values()];
  for (const variable of variables) variable.values = valuesOf(variable);
  const known = variables.filter(({ unknown }) => unknown === undefined);
  const unknowns = variables.filter(({ unknown }) => unknown !== undefined);
  const combinations = variables.reduce((product, { values }) => product * values.length, 1);
  if (combinations > Math.min(COMBINATIONS_MAX, budget.tests)) return nothing("unclear");
  budget.tests -= combinations;
  return search(test, known, unknowns);
}

function search(test: Test, known: readonly Variable[], unknowns: readonly Variable[]): Found {
  const assignment = new Map<Variable, Value | null>();
  let sometimes: ReadonlyMap<Variable, Value | null> | undefined;
  for (const _ of assignments(known, assignment)) {
    const truths = new Set<boolean>();
    for (const __ of assignments(unknowns, assignment)) truths.add(test(assignment));
    if (!truths.has(true)) continue;
    if (!truths.has(false))
      return { when: "always", example: shortened(test, known, unknowns, assignment), functions: [] };
    sometimes ??= new Map(assignment);
  }
  if (sometimes === undefined) return nothing("never");
  if (unknowns.some(({ unknown }) => unknown === "comparison")) return nothing("unclear");
  const example = new Map(known.map((variable) => [variable.name, entry(variable, sometimes.get(variable)!)]));
  return {
    when: "sometimes",
    example,
    functions: [...new Set(unknowns.map(({ functionName }) => functionName ?? ""))],
  };
}

function nothing(when: "never" | "unclear"): Found {
  return { when, example: new Map(), functions: [] };
}

function entry({ type }: Variable, value: Value | null) {
  return { type, value };
}

/** Assigns every combination of values in turn. */
function* assignments(
  variables: readonly Variable[],
  assignment: Map<Variable, Value | null>,
  from = 0,
): Generator<undefined> {
  const variable = variables[from];
  if (variable === undefined) {
    yield undefined;
    return;
  }
  for (const value of variable.values) {
    assignment.set(variable, value);
    yield* assignments(variables, assignment, from + 1);
  }
}

/** The example without the fields that may be anything. */
function shortened(
  test: Test,
  known: readonly Variable[],
  unknowns: readonly Variable[],
  assignment: ReadonlyMap<Variable, Value | null>,
): Found["example"] {
  const free: Variable[] = [];
  for (const variable of known) {
    const trial = new Map(assignment);
    let holds = true;
    for (const _ of assignments([...free, variable, ...unknowns], trial)) {
      if (test(trial)) continue;
      holds = false;
      break;
    }
    if (holds) free.push(variable);
  }
  const matter = known.filter((variable) => !free.includes(variable));
  return new Map(matter.map((variable) => [variable.name, entry(variable, assignment.get(variable)!)]));
}

// ------------------------------------------------------------------------------------------------------------------ //
// Values to try
// ------------------------------------------------------------------------------------------------------------------ //

const DAY_MS = 86_400_000;

function valuesOf(variable: Variable): readonly (Value | null)[] {
  const values = presentValues(variable);
  return variable.mayBeAbsent ? [...values, null] : values;
}

function presentValues({ type, constants }: Variable): readonly Value[] {
  switch (type.kind) {
    case "bool":
      return [true, false];
    case "enum":
      return type.members;
    case "decimal": {
      const numbers = [...constants].map(Number).sort((one, other) => one - other);
      return [...constants, ...between(numbers).map(String)];
    }
    case "date": {
      const days = [...constants].map((day) => Date.parse(`${day}T00:00:00Z`));
      const near = days
        .flatMap((day) => [day - DAY_MS, day + DAY_MS])
        .map((at) => new Date(at).toISOString().slice(0, 10));
      return [...new Set([...constants, ...near])];
    }
    case "int":
    case "money":
    case "datetime":
    case "duration": {
      const whole = [...constants].map(Number);
      const all = [...new Set([...whole, ...whole.flatMap((number) => [number - 1, number + 1])])];
      const unsigned = (type.kind === "money" && !type.signed) || type.kind === "duration";
      return all.length === 0 ? [0] : unsigned ? all.filter((number) => number >= 0) : all;
    }
    default:
      return [...constants, "…"];
  }
}

function between(sorted: readonly number[]): readonly number[] {
  const [first, last] = [sorted[0], sorted.at(-1)];
  if (first === undefined || last === undefined) return [0];
  const middles = sorted.slice(1).map((number, index) => (number + sorted[index]!) / 2);
  return [first - 1, ...middles, last + 1];
}

// ------------------------------------------------------------------------------------------------------------------ //
// Conditions as tests of variables
// ------------------------------------------------------------------------------------------------------------------ //

class Builder {
  readonly variables = new Map<string, Variable>();
  private readonly state: string;
  private readonly mayBeAbsent: (path: string) => boolean;

  constructor(state: string, mayBeAbsent: (path: string) => boolean) {
    this.state = state;
    this.mayBeAbsent = mayBeAbsent;
  }

  test(condition: Expression): Test {
    switch (condition.kind) {
      case "literal":
        return () => condition.value === true;
      case "not": {
        const of = this.test(condition.of);
        return (assignment) => !of(assignment);
      }
      case "binary":
        return this.binary(condition);
      case "if": {
        const [asked, yes, no] = [condition.condition, condition.then, condition.else].map((part) => this.test(part));
        return (assignment) => (asked!(assignment) ? yes! : no!)(assignment);
      }
      case "is-set":
        return this.isSet(condition);
      case "in-interval": {
        const { low, high } = condition.interval;
        const tests = [
          low && this.compare(condition.of, low.included ? ">=" : ">", low.value),
          high && this.compare(condition.of, high.included ? "<=" : "<", high.value),
        ];
        if (tests.some((test, index) => test === undefined && [low, high][index])) return this.opaque(condition);
        return (assignment) => tests.every((test) => test === undefined || test(assignment));
      }
      case "in-list":
        return this.inList(condition);
      default: {
        const own = condition.type.kind === "bool" ? this.variable(condition) : undefined;
        return own ? (assignment) => assignment.get(own) === true : this.opaque(condition);
      }
    }
  }

  private binary(condition: Extract<Expression, { kind: "binary" }>): Test {
    const { operator, left, right } = condition;
    if (operator === "and" || operator === "or") {
      const [one, other] = [this.test(left), this.test(right)];
      return operator === "and"
        ? (assignment) => one(assignment) && other(assignment)
        : (assignment) => one(assignment) || other(assignment);
    }
    const constant =
      right.kind === "literal"
        ? this.compare(left, operator, right.value)
        : left.kind === "literal"
          ? this.compare(right, MIRRORED[operator] ?? operator, left.value)
          : undefined;
    return constant ?? this.relation(condition);
  }

  private inList(condition: Extract<Expression, { kind: "in-list" }>): Test {
    const { of, list } = condition;
    if (list.kind !== "list") return this.opaque(condition);
    const tests = list.items.map((item) => (item.kind === "literal" ? this.compare(of, "==", item.value) : undefined));
    if (!tests.every((test) => test !== undefined)) return this.opaque(condition);
    return (assignment) => tests.some((test) => test(assignment));
  }

  private isSet({ of }: Extract<Expression, { kind: "is-set" }>): Test {
    const path = pathOf(of, 0);
    if (path === undefined || !this.mayBeAbsent(path)) return () => true;
    const variable = this.variable(of);
    if (variable === undefined) return this.opaque(of);
    variable.mayBeAbsent = true;
    return (assignment) => assignment.get(variable) !== null;
  }

  /** A value against a constant. */
  private compare(of: Expression, operator: string, constant: Value): Test | undefined {
    if (of.kind === "builtin" && of.name === "state") {
      const holds = (operator === "==") === (constant === this.state);
      return () => holds;
    }
    const variable = this.variable(of);
    if (variable === undefined) return undefined;
    variable.constants.add(constant);
    const numeric = isOrdered(variable.type) && variable.type.kind !== "date";
    const wanted = numeric ? Number(constant) : constant;
    return (assignment) => {
      const value = assignment.get(variable);
      return value !== null && value !== undefined && holds(operator, numeric ? Number(value) : value, wanted);
    };
  }

  /** Two values against each other: what matters is which is the greater. */
  private relation(condition: Extract<Expression, { kind: "binary" }>): Test {
    const { operator, left, right } = condition;
    const variable = this.unknown(JSON.stringify(["relation", left, right]), { kind: "int" }, condition);
    variable.constants.add(0);
    return (assignment) => holds(operator, assignment.get(variable)!, 0);
  }

  private opaque(condition: Expression): Test {
    const variable = this.unknown(JSON.stringify(condition), { kind: "bool" }, condition);
    return (assignment) => assignment.get(variable) === true;
  }

  /** What the expression reads, or the answer it gets. */
  private variable(of: Expression): Variable | undefined {
    if (of.kind === "ask") return this.unknown(JSON.stringify(of), of.type, of);
    const name = of.kind === "item" ? undefined : pathOf(of, 0);
    return name === undefined ? undefined : this.keep(name, of.type, undefined);
  }

  private unknown(key: string, type: Type, of: Expression): Variable {
    const functionName = functionIn(of);
    return this.keep(key, type, functionName === undefined ? "comparison" : "function", functionName);
  }

  private keep(name: string, type: Type, unknown: Variable["unknown"], functionName?: string): Variable {
    const before = this.variables.get(name);
    if (before) return before;
    const variable: Variable = {
      name: name.replace(/^machine\./, ""),
      type,
      unknown,
      ...(functionName === undefined ? {} : { functionName }),
      constants: new Set(),
      mayBeAbsent: false,
      values: [],
    };
    this.variables.set(name, variable);
    return variable;
  }
}

const MIRRORED: Readonly<Record<string, string>> = { "<": ">", "<=": ">=", ">": "<", ">=": "<=" };

function holds(operator: string, one: Value, other: Value): boolean {
  switch (operator) {
    case "==":
      return one === other;
    case "!=":
      return one !== other;
    case "<":
      return one < other;
    case "<=":
      return one <= other;
    case ">":
      return one > other;
    default:
      return one >= other;
  }
}

/** A function that somebody else serves, anywhere in it. */
function functionIn(expression: unknown): string | undefined {
  if (typeof expression !== "object" || expression === null) return undefined;
  const node = expression as { readonly kind?: unknown; readonly name?: unknown };
  if (node.kind === "ask" && typeof node.name === "string") return node.name;
  for (const part of Object.values(node)) {
    const name = functionIn(part);
    if (name !== undefined) return name;
  }
  return undefined;
}
