import { createHash, type KeyObject } from "node:crypto";
import type { EpochMs, InstanceKey, StoredCheckpoint } from "../ports.ts";
import { isSigned, type Signer } from "./signing.ts";

/**
 * What stands in place of entries that were pruned: that there were so many, that the last of them had this hash, and what the
 * instance was then. The chain of hashes goes on from it.
 */
export interface Checkpoint extends InstanceKey {
  /** Of the newest entry that was pruned. */
  readonly sequence: number;
  readonly hash: string;
  /** SHA-256 in hex of the instance after that entry, as it was stored. */
  readonly snapshotHash: string;
  /** When they were pruned. */
  readonly at: EpochMs;
  /** Id of the key. */
  readonly signer: string;
  /** Over {@link signedText}. */
  readonly signature: string;
}

export function newCheckpoint(
  key: InstanceKey,
  snapshot: { readonly sequence: number; readonly hash: string; readonly body: string },
  at: EpochMs,
  signer: Signer,
): StoredCheckpoint {
  const { sequence, hash, body } = snapshot;
  const snapshotHash = createHash("sha256").update(body).digest("hex");
  const unsigned = { tenant: key.tenant, instance: key.instance, sequence, hash, snapshotHash, at, signer: signer.id };
  const checkpoint: Checkpoint = { ...unsigned, signature: signer.sign(signedText(unsigned)) };
  return { sequence, hash, body: JSON.stringify(checkpoint), snapshot: body };
}

/** That older entries are gone, as histories tell it. */
export interface PrunedHistory {
  /** Up to this entry. */
  readonly through: number;
  readonly at: EpochMs;
  readonly hash: string;
}

export function prunedHistory({ sequence, hash, body }: StoredCheckpoint): PrunedHistory {
  return { through: sequence, at: (JSON.parse(body) as Checkpoint).at, hash };
}

/** All but the signature, in one order. */
const signedText = (checkpoint: Omit<Checkpoint, "signature">): string => {
  const { tenant, instance, sequence, hash, snapshotHash, at, signer } = checkpoint;
  return JSON.stringify(["assent/checkpoint/1", tenant, instance, sequence, hash, snapshotHash, at, signer]);
};

export const isGenuine = (checkpoint: Checkpoint, key: KeyObject): boolean =>
  isSigned(key, signedText(checkpoint), checkpoint.signature);
