import type { Expression, Value } from "../definition.ts";
import { pathOf } from "./narrowing.ts";
import { isOrdered } from "./types.ts";

/** What a condition asks of one value: one of some, or to lie between two. */
type Demand =
  | { readonly kind: "one-of"; readonly values: ReadonlySet<Value> }
  | { readonly kind: "between"; readonly low?: Limit | undefined; readonly high?: Limit | undefined };

interface Limit {
  readonly value: Value;
  readonly included: boolean;
}

type Demands = ReadonlyMap<string, readonly Demand[]>;

/** Demands by condition: a line is compared with many. */
const known = new WeakMap<Expression, Demands>();

/**
 * Do the conditions plainly exclude each other, because they ask contrary things of one value? `false` says nothing.
 * It spares trying out most pairs of lines.
 */
export function areDisjoint(one: Expression, other: Expression): boolean {
  const others = demandsOf(other);
  for (const [path, demands] of demandsOf(one)) {
    const contrary = others.get(path);
    if (contrary && demands.some((demand) => contrary.some((second) => exclude(demand, second)))) return true;
  }
  return false;
}

function demandsOf(condition: Expression): Demands {
  const before = known.get(condition);
  if (before) return before;
  const demands = new Map<string, Demand[]>();
  collect(condition, demands);
  known.set(condition, demands);
  return demands;
}

function collect(condition: Expression, demands: Map<string, Demand[]>): void {
  if (condition.kind === "binary" && condition.operator === "and") {
    collect(condition.left, demands);
    collect(condition.right, demands);
    return;
  }
  const found = demandOf(condition);
  if (found === undefined) return;
  const [of, demand] = found;
  const path = of.kind === "ask" ? JSON.stringify(of) : pathOf(of, 0);
  if (path === undefined) return;
  const before = demands.get(path);
  if (before) before.push(demand);
  else demands.set(path, [demand]);
}

function demandOf(condition: Expression): readonly [of: Expression, demand: Demand] | undefined {
  switch (condition.kind) {
    case "not":
      return condition.of.type.kind === "bool" ? [condition.of, oneOf([false])] : undefined;
    case "in-interval": {
      const { of, interval } = condition;
      return [of, { kind: "between", low: limit(of, interval.low), high: limit(of, interval.high) }];
    }
    case "in-list": {
      const { of, list } = condition;
      if (list.kind !== "list") return undefined;
      const values = list.items.flatMap((item) => (item.kind === "literal" ? [comparable(of, item.value)] : []));
      return values.length === list.items.length ? [of, oneOf(values)] : undefined;
    }
    case "binary":
      return condition.right.kind === "literal"
        ? comparison(condition.left, condition.operator, condition.right.value)
        : undefined;
    default:
      return [condition, oneOf([true])];
  }
}

function comparison(of: Expression, operator: string, constant: Value): readonly [Expression, Demand] | undefined {
  const value = comparable(of, constant);
  switch (operator) {
    case "==":
      return [of, oneOf([value])];
    case "<":
    case "<=":
      return [of, { kind: "between", high: { value, included: operator === "<=" } }];
    case ">":
    case ">=":
      return [of, { kind: "between", low: { value, included: operator === ">=" } }];
    default:
      return undefined;
  }
}

function oneOf(values: readonly Value[]): Demand {
  return { kind: "one-of", values: new Set(values) };
}

function limit(of: Expression, bound: Limit | undefined): Limit | undefined {
  return bound && { value: comparable(of, bound.value), included: bound.included };
}

/** Decimals as numbers, so that they have an order. */
function comparable(of: Expression, value: Value): Value {
  return isOrdered(of.type) && of.type.kind !== "date" ? Number(value) : value;
}

function exclude(one: Demand, other: Demand): boolean {
  if (one.kind === "one-of") return [...one.values].every((value) => !allows(other, value));
  if (other.kind === "one-of") return exclude(other, one);
  return isEmpty(one.low, other.high) || isEmpty(other.low, one.high);
}

function allows(demand: Demand, value: Value): boolean {
  if (demand.kind === "one-of") return demand.values.has(value);
  const exactly: Limit = { value, included: true };
  return !isEmpty(demand.low, exactly) && !isEmpty(exactly, demand.high);
}

function isEmpty(low: Limit | undefined, high: Limit | undefined): boolean {
  if (low === undefined || high === undefined) return false;
  return low.value > high.value || (low.value === high.value && !(low.included && high.included));
}
