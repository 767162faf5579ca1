/** A world in which conditions can be evaluated: what a model says, and plain values for everything else. */
import type { Data, Expression, FieldDefinition, Value } from "../definition.ts";
import { listsOf } from "./lists.ts";
import type { Model } from "./models.ts";
import { NOW_MS, plainValueOf } from "./values.ts";
import type { Variable } from "./variables.ts";

export interface World {
  readonly data: Data;
  readonly payload: Data;
  readonly initiator: {
    readonly id: string;
    readonly name?: string;
    readonly org?: string;
    readonly tags: readonly string[];
  };
  /** Built-in names but `initiator` and `approvals`; an absent one is missing. */
  readonly builtin: Readonly<Record<string, Value>>;
  /** Where the branches stand; one that was not entered is missing. */
  readonly branches: Readonly<Record<string, string>>;
  /** What a function answers; `undefined`: nobody says. */
  answer(call: Extract<Expression, { kind: "ask" }>): Value | undefined;
}

/** What is read, by path; null is absent. */
type Readings = ReadonlyMap<string, Value | null>;

/**
 * The world of a model. Fields that no condition looks at get the plainest value of their type.
 * @param variables those that are read in it: of a field that changes on the way the one of this moment.
 */
export function worldOf(
  variables: readonly Variable[],
  model: Model,
  fields: readonly FieldDefinition[],
  state: string | undefined,
): World {
  const read = new Map<string, Value | null>();
  const answers = new Map<string, Value>();
  for (const { index, kind, path, expression } of variables) {
    const value = model[index] ?? null;
    if (kind === "data") read.set(path, value);
    if (kind === "answer" && expression && value !== null) answers.set(JSON.stringify(expression), value);
  }
  const lists = listsOf(variables, model);
  const initiator = initiatorOf(read, lists.get("machine.initiator.tags") ?? []);
  return {
    data: dataOf(fields, read, lists),
    payload: below("event.", read),
    initiator,
    builtin: {
      now: NOW_MS,
      elapsed: 0,
      key: "k-1",
      approvals: [],
      ...below("machine.", read),
      ...(state === undefined ? {} : { state }),
      initiator: initiator.id,
    },
    branches: branchesOf(read),
    answer: (call) => answers.get(JSON.stringify(call)),
  };
}

function below(prefix: string, read: Readings): Record<string, Value> {
  const found: Record<string, Value> = {};
  for (const [path, value] of read) {
    if (value !== null && path.startsWith(prefix) && !path.includes(".", prefix.length))
      found[path.slice(prefix.length)] = value;
  }
  return found;
}

function dataOf(
  fields: readonly FieldDefinition[],
  read: Readings,
  lists: ReadonlyMap<string, readonly Value[]>,
): Data {
  const data: Record<string, Value> = {};
  for (const { name, type, optional, default: usual } of fields) {
    const value = lists.get(name) ?? read.get(name);
    if (value !== undefined && value !== null) data[name] = value;
    else if (value === undefined && !optional) data[name] = recordOf(name, read) ?? usual ?? plainValueOf(type);
  }
  return data;
}

/** A record of which fields are read. */
function recordOf(name: string, read: Readings): Value | undefined {
  const parts = below(`${name}.`, read);
  return Object.keys(parts).length === 0 ? undefined : parts;
}

function branchesOf(read: Readings): Record<string, string> {
  const ending = ".state";
  const branches: Record<string, string> = {};
  for (const [path, value] of read) {
    if (value !== null && path.endsWith(ending)) branches[path.slice(0, -ending.length)] = String(value);
  }
  return branches;
}

function initiatorOf(read: Readings, tags: readonly Value[]): World["initiator"] {
  const [name, org] = [read.get("machine.initiator.name"), read.get("machine.initiator.org")];
  return {
    id: String(read.get("machine.initiator") ?? "alice"),
    ...(name ? { name: String(name) } : {}),
    ...(org ? { org: String(org) } : {}),
    tags: tags.map(String),
  };
}
