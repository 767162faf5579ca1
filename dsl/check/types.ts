import type { RecordField, Type } from "../definition.ts";

export type TypeOf<Kind extends Type["kind"]> = Extract<Type, { kind: Kind }>;

export const BOOL: Type = { kind: "bool" };
export const INT: Type = { kind: "int" };
export const DECIMAL: Type = { kind: "decimal" };
export const TEXT: Type = { kind: "text" };
export const DATE: Type = { kind: "date" };
export const DATETIME: Type = { kind: "datetime" };
export const DURATION: Type = { kind: "duration" };
export const USER: Type = { kind: "user" };
export const ORG: Type = { kind: "org" };

/** Types whose name is a word of the language, money apart. */
export const PLAIN_TYPES: ReadonlyMap<string, Type> = new Map(
  [BOOL, INT, DECIMAL, TEXT, DATE, DATETIME, DURATION, USER, ORG, { kind: "file" } as const].map((type) => [
    type.kind,
    type,
  ]),
);

/** An item of `approvals`. Decisions are stored under these words. */
export const APPROVALS: Type = {
  kind: "list",
  of: {
    kind: "record",
    fields: [
      field("user", USER),
      field("stage", INT),
      field("decision", { kind: "enum", members: ["approved", "rejected", "returned", "abstained"] }),
      field("at", DATETIME),
    ],
  },
};

function field(name: string, type: Type): RecordField {
  return { name, type, optional: false };
}

/** The type as an author writes it. */
export function showType(type: Type): string {
  switch (type.kind) {
    case "money":
      return type.signed ? "money signed" : "money";
    case "enum":
      return type.name ?? `one of [${type.members.join(", ")}]`;
    case "list":
      return type.of.kind === "record" ? `list ${showType(type.of)}` : `list of ${showType(type.of)}`;
    case "record":
      return `{ ${type.fields.map(({ name, type: of, optional }) => `${name}: ${showType(of)}${optional ? "?" : ""}`).join(", ")} }`;
    default:
      return type.kind;
  }
}

export function isNumber(type: Type): boolean {
  return type.kind === "int" || type.kind === "decimal";
}

/** Has an order, so that `<` and intervals make sense. */
export function isOrdered(type: Type): boolean {
  return isNumber(type) || ["money", "date", "datetime", "duration"].includes(type.kind);
}

/** The same values. Whether money is signed is a matter of the value, judged when it is stored. */
export function sameType(one: Type, other: Type): boolean {
  if (one === other) return true;
  if (one.kind === "enum" && other.kind === "enum") return sameMembers(one.members, other.members);
  if (one.kind === "list" && other.kind === "list") return sameType(one.of, other.of);
  if (one.kind === "record" && other.kind === "record") {
    return (
      one.fields.length === other.fields.length &&
      one.fields.every((field) => {
        const twin = other.fields.find(({ name }) => name === field.name);
        return twin !== undefined && twin.optional === field.optional && sameType(field.type, twin.type);
      })
    );
  }
  return one.kind === other.kind;
}

export function sameMembers(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((member) => other.includes(member));
}

/** Can a value of `from` be stored where `to` is asked for? The only conversion is from int to decimal. */
export function assignable(from: Type, to: Type): boolean {
  return sameType(from, to) || (from.kind === "int" && to.kind === "decimal");
}

/** The type both have, if any: that of `if … then a else b`. */
export function common(one: Type, other: Type): Type | undefined {
  if (isNumber(one) && isNumber(other)) return one.kind === other.kind ? one : DECIMAL;
  if (one.kind === "money" && other.kind === "money") return { kind: "money", signed: one.signed || other.signed };
  return sameType(one, other) ? one : undefined;
}
