import { encodeToken } from "../bus/subjects.ts";

/**
 * Instances are divided into partitions by their business key. What follows from an instance (messages to it, its effects,
 * its timers) is in its partition, which one node carries out. The hash is the one by which NATS maps subjects, so that the
 * stream sorts messages as the store sorts what they cause.
 * @see https://docs.nats.io/nats-concepts/subject_mapping#deterministic-subject-token-partitioning
 */

/** Unless the store was made with another number, which it keeps. */
export const PARTITIONS = 16;
export const PARTITIONS_MAX = 1_024;

/** Some partitions, or all that there are. */
export type Partitions = readonly number[] | "all";

/** The partition of an instance, from 0; what the stream maps the tokens 3, 4 and 6 of its messages' subjects to. */
export function partitionOf(tenant: string, flow: string, key: string, partitions: number): number {
  return fnv1a(token(tenant) + token(flow) + token(key)) % partitions;
}

/** The partition of a raw event, which has no flow and no key yet. */
export function partitionOfRaw(tenant: string, name: string, partitions: number): number {
  return fnv1a(tenant + name) % partitions;
}

/** No message has an empty or malformed name in its subject, so any text will do for such a one. */
const token = (name: string): string => (name !== "" && name.isWellFormed() ? encodeToken(name) : name);

const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;

/** FNV-1a, 32 bits, over UTF-8. @see http://www.isthe.com/chongo/tech/comp/fnv/ */
function fnv1a(text: string): number {
  let hash = OFFSET;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return fnv1aBytes(Buffer.from(text, "utf8"));
    hash = Math.imul(hash ^ unit, PRIME);
  }
  return hash >>> 0;
}

function fnv1aBytes(bytes: Uint8Array): number {
  let hash = OFFSET;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, PRIME);
  return hash >>> 0;
}
