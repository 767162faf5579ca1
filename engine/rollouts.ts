/** 灰度: which version of a flow a new instance gets. */
import { hash } from "node:crypto";
import type { Definition, MatrixCell, RolloutDefinition, Value } from "../dsl/index.ts";
import { holds } from "./stages.ts";
import type { Payload, Person } from "./types.ts";
import { currencyOf, readValue } from "./values.ts";

/** What is known of an instance before it starts. */
export interface Newcomer {
  readonly key: string;
  readonly initiator: Person;
  /** Its fields as they came from outside. */
  readonly data: Payload;
}

/**
 * The version of the first rollout that is for this instance, of those whose version is there; `undefined`: of none.
 * Pure: the same instance always gets the same answer.
 * @param versions by label.
 */
export function pickVersion(
  rollouts: readonly RolloutDefinition[],
  versions: ReadonlyMap<string, Definition>,
  newcomer: Newcomer,
): Definition | undefined {
  for (const rollout of rollouts) {
    const version = versions.get(rollout.label);
    if (version && isFor(rollout, version, newcomer)) return version;
  }
  return undefined;
}

/** All that the rollout says must hold. */
function isFor(
  { name, flow, tags, orgs, fields, percent }: RolloutDefinition,
  version: Definition,
  who: Newcomer,
): boolean {
  const { initiator, key, data } = who;
  return (
    (tags === undefined || tags.some((tag) => initiator.tags?.includes(tag))) &&
    (orgs === undefined || (initiator.org !== undefined && orgs.some((org) => matches(org, initiator.org!)))) &&
    fields.every((field) => isIn(field.name, field.cell, version, data)) &&
    (percent === undefined || shareOf([name, flow, key]) < Number(percent))
  );
}

/** `org-1001` is that one, `cn-east-*` every one that begins so. */
function matches(pattern: string, org: string): boolean {
  return pattern.endsWith("*") ? org.startsWith(pattern.slice(0, -1)) : org === pattern;
}

/** A value that is absent, or that the version can't read, is in no cell. */
function isIn(name: string, cell: MatrixCell, version: Definition, data: Payload): boolean {
  const field = version.fields.find((one) => one.name === name);
  if (!field) return false;
  const json = Object.hasOwn(data, name) ? data[name] : undefined;
  const value = json === undefined || json === null ? field.default : readIn(field.type, json, version);
  return value !== undefined && holds(cell, field.type, value);
}

function readIn(type: Definition["fields"][number]["type"], json: unknown, version: Definition): Value | undefined {
  const read = readValue(type, json, currencyOf(version));
  return "value" in read ? read.value : undefined;
}

const SHARE_STEPS = 16 ** 12;

/** Where among a hundred percent the key falls: in [0, 100), evenly, and always the same. */
function shareOf(names: readonly string[]): number {
  const digest = Number.parseInt(hash("sha256", JSON.stringify(names), "hex").slice(0, 12), 16);
  return (digest / SHARE_STEPS) * 100;
}
