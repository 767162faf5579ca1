import type { Partitions } from "./partition.ts";

/** What a node carries out at this moment: the partitions that are its own. */
export interface Owned {
  partitions(): Partitions;
  has(partition: number): boolean;
}

/** Of a node that has its store to itself. */
export const EVERYTHING: Owned = { partitions: () => "all", has: () => true };
