/** Values to try where a field or an answer has no bound of its own. */
import { type Expression, plainValueOf, type Type, type Value } from "../../dsl/index.ts";
import { isOrdered, neighbours } from "../conditions/boundaries.ts";

/** The plainest value; people that are asked must be somebody. */
export function usualValue(type: Type): Value {
  if (type.kind === "user") return "u-1";
  if (type.kind === "list" && type.of.kind === "user") return ["u-1", "u-2"];
  return plainValueOf(type);
}

/** Constants that an answer is compared with, and what lies beside them. */
export function answerConstants(atom: Expression, name: string): readonly Value[] {
  if (atom.kind !== "binary") return [];
  const { left, right } = atom;
  const [side, other] = right.kind === "literal" ? [left, right] : [right, left];
  if (side.kind !== "ask" || side.name !== name || other.kind !== "literal") return [];
  return isOrdered(side.type) && side.type.kind === other.type.kind
    ? neighbours(side.type, other.value)
    : [other.value];
}

/** No item, a plain one, and one for every constant of the conditions that an item may hold. */
export function listValues({ of }: Extract<Type, { kind: "list" }>, atoms: readonly Expression[]): readonly Value[] {
  const literals: { readonly type: Type; readonly value: Value }[] = [];
  for (const atom of atoms) collectLiterals(atom, literals);
  const plain = plainValueOf(of);
  if (of.kind !== "record") {
    const own = literals.filter(
      ({ type }) => type.kind === of.kind || (type.kind === "text" && typeof plain === "string"),
    );
    return [[], [plain], ...own.map(({ value }) => [value])];
  }
  const items = of.fields.flatMap((field) =>
    literals
      .filter(({ type }) => type.kind === field.type.kind)
      .flatMap(({ type, value }) => (isOrdered(type) ? neighbours(type, value) : [value]))
      .map((value) => ({ ...(plain as Readonly<Record<string, Value>>), [field.name]: value })),
  );
  return [[], [plain], ...items.map((item) => [item])];
}

function collectLiterals(expression: Expression, found: { readonly type: Type; readonly value: Value }[]): void {
  if (expression.kind === "literal") found.push(expression);
  for (const part of Object.values(expression)) {
    for (const inner of Array.isArray(part) ? part : [part]) {
      if (typeof inner === "object" && inner !== null && "kind" in inner && "type" in inner)
        collectLiterals(inner as Expression, found);
    }
  }
}
