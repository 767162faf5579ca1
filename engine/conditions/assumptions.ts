/** What is assumed when somebody asks what a flow would do: `amount=80_000`, `event.reviewer=bob`, `initiator.org=cn-1`. */
import type { Data, Definition, Type, Value } from "../../dsl/index.ts";
import { MissingAnswer } from "../evaluation-error.ts";
import type { EvaluationContext } from "../expressions/parts.ts";
import { currencyOf, readValue } from "../values.ts";

/** Values by path: `amount`, `event.reviewer`, `initiator`, `initiator.org`, `outcome`, `legal.state`; null is absent. */
export type Assumptions = ReadonlyMap<string, Value | null>;

const TEXT: Type = { kind: "text" };
const BUILT_IN: Readonly<Record<string, Type>> = {
  initiator: { kind: "user" },
  "initiator.name": TEXT,
  "initiator.org": { kind: "org" },
  "initiator.tags": { kind: "list", of: TEXT },
  actor: { kind: "user" },
  outcome: TEXT,
  key: TEXT,
  now: { kind: "datetime" },
  elapsed: { kind: "duration" },
};
/** What a draft would hold anyway: defaults of the fields. */
export function defaultAssumptions({ fields }: Definition): Assumptions {
  return new Map(fields.flatMap(({ name, default: usual }) => (usual === undefined ? [] : [[name, usual] as const])));
}

/** The type of what the path names; `undefined`: the flow has nothing of this name. */
export function typeAt(definition: Definition, path: string): Type | undefined {
  const field = definition.fields.find(({ name }) => name === path);
  if (field) return field.type;
  const payload = path.startsWith("event.") ? path.slice("event.".length) : undefined;
  if (payload !== undefined) {
    return definition.events.flatMap((event) => event.payload).find(({ name }) => name === payload)?.type;
  }
  if (path.endsWith(".state")) return TEXT;
  return Object.hasOwn(BUILT_IN, path) ? BUILT_IN[path] : undefined;
}

/** May the path hold nothing? */
export function isOptional(definition: Definition, path: string): boolean {
  const field = definition.fields.find(({ name }) => name === path);
  return field ? field.optional : path !== "initiator" && path !== "now" && path !== "key";
}

/**
 * Reads `NAME=VALUE` as people write it: `_` between digits, `60%`, lists and records as JSON, nothing for an absent value.
 * `fault` is a sentence.
 */
export function readAssumption(
  definition: Definition,
  text: string,
): { readonly path: string; readonly value: Value | null } | { readonly fault: string } {
  const [path = "", ...rest] = text.split("=");
  const written = rest.join("=").trim();
  const type = typeAt(definition, path.trim());
  if (rest.length === 0) return { fault: `\`${text}\` is not of the form FIELD=VALUE.` };
  if (!type) return { fault: `\`${definition.flow}\` has no field \`${path.trim()}\`.` };
  if (written === "" && isOptional(definition, path.trim())) return { path: path.trim(), value: null };
  const reading = readValue(type, jsonOf(type, written), currencyOf(definition));
  return "value" in reading
    ? { path: path.trim(), value: reading.value }
    : { fault: `\`${path.trim()}\` ${reading.fault}.` };
}

function jsonOf(type: Type, written: string): unknown {
  const digits = written.replaceAll("_", "");
  switch (type.kind) {
    case "bool":
      return written === "true" || written === "yes" ? true : written === "false" || written === "no" ? false : written;
    case "int":
      return /^-?\d+$/.test(digits) ? Number(digits) : written;
    case "money":
      return /^-?[\d.]+$/.test(digits) ? digits : written;
    case "decimal":
      return written.endsWith("%") ? percent(digits.slice(0, -1)) : digits;
    case "datetime":
      return /[Zz]$|[+-]\d\d:\d\d$/.test(written)
        ? written
        : `${written.length === 16 ? `${written}:00` : written}+08:00`;
    case "list":
    case "record":
      return jsonOrText(type, written);
    default:
      return written.replace(/^"(.*)"$/, "$1");
  }
}

/** `12.5` is `0.125`, exactly. */
function percent(digits: string): string {
  const [whole = "", places = ""] = digits.split(".");
  const sign = whole.startsWith("-") ? "-" : "";
  const all = whole.slice(sign.length).padStart(3, "0");
  return `${sign}${all.slice(0, -2)}.${all.slice(-2)}${places}`;
}

function jsonOrText(type: Type, written: string): unknown {
  try {
    return JSON.parse(written);
  } catch {
    return type.kind === "list" ? written.split(",").map((part) => part.trim()) : written;
  }
}

/** What an expression may look at when only this is known. Look at {@link isKnown} first: what is not known is absent here. */
export function contextOf(assumed: Assumptions, fields: readonly string[], state: string): EvaluationContext {
  const read = (path: string): Value | undefined => assumed.get(path) ?? undefined;
  const under = (prefix: string): Data =>
    Object.fromEntries(
      [...assumed].flatMap(([path, value]) =>
        path.startsWith(prefix) && value !== null ? [[path.slice(prefix.length), value] as const] : [],
      ),
    );
  const [id, name, org] = ["initiator", "initiator.name", "initiator.org"].map(
    (path) => read(path) as string | undefined,
  );
  const tags = read("initiator.tags") as readonly string[] | undefined;
  const at = (read("now") as number | undefined) ?? 0;
  return {
    data: Object.fromEntries(fields.flatMap((field) => (read(field) === undefined ? [] : [[field, read(field)!]]))),
    payload: under("event."),
    actor: read("actor") as string | undefined,
    initiator: {
      id: id ?? "",
      ...(name !== undefined && { name }),
      ...(org !== undefined && { org }),
      ...(tags && { tags }),
    },
    at,
    state,
    enteredAt: at - ((read("elapsed") as number | undefined) ?? 0),
    key: (read("key") as string | undefined) ?? "",
    outcome: read("outcome") as string | undefined,
    branchState: (branch) => read(`${branch}.state`) as string | undefined,
    approvals: [],
    ask: (_, name) => {
      throw new MissingAnswer(name);
    },
  };
}
