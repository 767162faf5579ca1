import { hash } from "node:crypto";
import type { Data } from "../dsl/index.ts";
import { type Instance, placesOf } from "../engine/index.ts";
import { keyedDigest } from "./key-ring.ts";

/** The newest digest of an instance in memory; most commands leave the data as it was. */
export interface KnownDigest {
  readonly data: Data;
  readonly key: Buffer | undefined;
  readonly digest: string;
}

/**
 * What the history says of the data on which a command left an instance: SHA-256, in hex, of its fields as JSON, by name,
 * with values as they are stored (money in minor units, instants in ms). With secrets it is an HMAC under the instance's
 * key instead, in base64url, since a plain digest could be guessed. Sub-flows that run in it follow, by their ids.
 * @param known of the instance before the command.
 */
export function digestData(instance: Instance, key: Buffer | undefined, known?: KnownDigest): KnownDigest {
  const { data, child, branches } = instance;
  const isAlone = !child && !branches;
  if (isAlone && known?.data === data && known.key === key) return known;
  const text = JSON.stringify(isAlone ? byName(data) : [byName(data), ...dataBelow(instance)]);
  return { data, key, digest: key ? keyedDigest(key, text) : hash("sha256", text, "hex") };
}

function dataBelow(instance: Instance): readonly (readonly [string, Data])[] {
  const flows = new Set(placesOf(instance).map(({ flow }) => flow));
  return [...flows].filter((flow) => flow !== instance).map(({ id, data }) => [id, byName(data)]);
}

/** The same values give the same text, in whatever order they came. */
function byName(data: Data): Data {
  return Object.fromEntries(Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1)));
}
