/** What expressions read, and the values that matter there. */
import { type Expression, plainValueOf, type Type, type Value } from "../../dsl/index.ts";
import { visit } from "../secrets.ts";
import type { Assumptions } from "./assumptions.ts";
import { isOrdered, neighbours } from "./boundaries.ts";

/** Stands for what functions answer. */
export const ANSWER = "()";

/** Paths that an expression reads: `amount`, `event.reviewer`, `initiator.org`; {@link ANSWER} among them if it asks a function. */
export function readsOf(expression: Expression): readonly string[] {
  const found = new Set<string>();
  visit(expression, (node) => {
    const path = pathOf(node as unknown as Expression);
    if (path !== undefined) found.add(path);
    else if (node["kind"] === "ask") found.add(ANSWER);
  });
  // Whoever reads a part of the initiator does not read his id.
  if ([...found].some((path) => path.startsWith("initiator."))) found.delete("initiator");
  return [...found];
}

/** The path, if the expression does nothing but read one. */
export function pathOf(expression: Expression): string | undefined {
  switch (expression.kind) {
    case "field":
      return expression.name;
    case "payload":
      return `event.${expression.name}`;
    case "branch-state":
      return `${expression.branch}.state`;
    case "builtin":
      return expression.name === "state" ? undefined : expression.name;
    case "member": {
      const { of, name } = expression;
      return of.kind === "builtin" && of.name === "initiator" ? `initiator.${name}` : undefined;
    }
    default:
      return undefined;
  }
}

export function isKnown(path: string, assumed: Assumptions): boolean {
  return path !== ANSWER && assumed.has(path);
}

/**
 * Values between which the atom does not change, if it does nothing but compare the path with constants: each constant, and
 * what lies beside it. `undefined`: it does more.
 */
export function plainlyCompared(atom: Expression, path: string): readonly Value[] | undefined {
  if (pathOf(atom) === path) return [true, false];
  switch (atom.kind) {
    case "is-set":
      return pathOf(atom.of) === path ? [plainValueOf(atom.of.type)] : undefined;
    case "in-interval": {
      const { low, high } = atom.interval;
      return pathOf(atom.of) === path ? around(atom.of.type, [low?.value, high?.value]) : undefined;
    }
    case "in-list": {
      const { of, list } = atom;
      if (pathOf(of) !== path || list.kind !== "list") return undefined;
      const constants = list.items.map((item) => (item.kind === "literal" ? item.value : undefined));
      return constants.includes(undefined) ? undefined : around(of.type, constants);
    }
    case "binary": {
      const { left, right } = atom;
      const [side, other] = right.kind === "literal" ? [left, right] : [right, left];
      if (other.kind !== "literal" || pathOf(side) !== path || side.type.kind !== other.type.kind) return undefined;
      return around(side.type, [other.value]);
    }
    default:
      return undefined;
  }
}

/** The values, and those beside them: neighbours where there is an order, all members of an enum, another text. */
function around(type: Type, values: readonly (Value | undefined)[]): readonly Value[] {
  const own = values.filter((value) => value !== undefined);
  if (isOrdered(type)) return own.flatMap((value) => neighbours(type, value));
  if (type.kind === "enum" && type.members.length > 0) return type.members;
  if (type.kind === "bool") return [true, false];
  return [...own, otherText(own)];
}

/** A text that is none of these. */
export function otherText(values: readonly Value[]): string {
  return ["other", "another", "others"].find((text) => !values.includes(text)) ?? `${values.join(" ")}…`;
}

/** The type of what stands at the path in the expression. */
export function typeOf(expression: Expression, path: string): Type | undefined {
  let found: Type | undefined;
  visit(expression, (node) => {
    const read = node as unknown as Expression;
    if (pathOf(read) === path) found ??= read.type;
  });
  return found;
}
