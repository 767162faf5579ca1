import type { Expression } from "../definition.ts";

const NOTHING: ReadonlySet<string> = new Set();

/** Paths of values that are there if the condition came out so. */
export function facts(condition: Expression, outcome: boolean, depth: number): ReadonlySet<string> {
  switch (condition.kind) {
    case "is-set": {
      const path = outcome ? pathOf(condition.of, depth) : undefined;
      return path === undefined ? NOTHING : new Set([path]);
    }
    case "not":
      return facts(condition.of, !outcome, depth);
    case "binary": {
      if (condition.operator !== "and" && condition.operator !== "or") return NOTHING;
      const left = facts(condition.left, outcome, depth);
      const right = facts(condition.right, outcome, depth);
      const both = (condition.operator === "and") === outcome;
      return both ? left.union(right) : left.intersection(right);
    }
    default:
      return NOTHING;
  }
}

/** A name for what the expression reads, the same wherever it is written. `depth`: how many lists are being tested. */
export function pathOf(expression: Expression, depth: number): string | undefined {
  switch (expression.kind) {
    case "field":
      return expression.name;
    case "payload":
      return `event.${expression.name}`;
    case "builtin":
      return `machine.${expression.name}`;
    case "branch-state":
      return `${expression.branch}.state`;
    case "item":
      return `#${depth - expression.depth}.${expression.name ?? ""}`;
    case "member": {
      const of = pathOf(expression.of, depth);
      return of === undefined ? undefined : `${of}.${expression.name}`;
    }
    default:
      return undefined;
  }
}
