import { brokenLink } from "../entry.ts";
import type { InstanceKey, Store, StoredCheckpoint, StoredEntry } from "../ports.ts";

/** The entries of an instance that were not pruned, and what they go on from. */
export interface Chain {
  /** Absent: from the first entry on they are all there. */
  readonly checkpoint?: StoredCheckpoint;
  readonly entries: readonly StoredEntry[];
}

export async function readChain(store: Pick<Store, "history" | "checkpoint">, key: InstanceKey): Promise<Chain> {
  const entries = await store.history(key);
  if (entries[0]?.sequence === 1) return { entries };
  const checkpoint = await store.checkpoint(key);
  if (!checkpoint) return { entries };
  // Pruning may be under way.
  return { checkpoint, entries: entries.filter(({ sequence }) => sequence > checkpoint.sequence) };
}

/** @returns what is wrong with the chain of hashes, if anything is. */
export function chainProblem({ checkpoint, entries }: Chain): string | undefined {
  const first = (checkpoint?.sequence ?? 0) + 1;
  const gap = entries.findIndex(({ sequence }, index) => sequence !== first + index);
  if (gap >= 0) return `entry ${first + gap} is missing`;
  const link = brokenLink(entries, checkpoint?.hash);
  return link < 0 ? undefined : `the chain of hashes breaks at entry ${entries[link]!.sequence}`;
}
