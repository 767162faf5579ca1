import type { Store } from "../ports.ts";
import { PARTITIONS } from "./partition.ts";

const SETTING = "partitions";

/** How many partitions a store has. */
export async function partitionsIn(store: Pick<Store, "getSetting">): Promise<number> {
  return Number((await store.getSetting(SETTING)) ?? PARTITIONS);
}

/**
 * The same, for a node: the first start decides, for ever, because what is stored says in which partition it is.
 * @param asked absent: whatever it is.
 * @throws {OtherPartitions} it has another number.
 */
export async function keepPartitions(store: Pick<Store, "keepSetting">, asked: number | undefined): Promise<number> {
  const kept = Number(await store.keepSetting(SETTING, String(asked ?? PARTITIONS)));
  if (asked !== undefined && asked !== kept) throw new OtherPartitions(kept, asked);
  return kept;
}

/** Thrown where the store was made with another number of partitions; the message is for the operator. */
export class OtherPartitions extends Error {
  override readonly name = "OtherPartitions";

  constructor(kept: number, asked: number) {
    super(
      `the store was made with ${kept} partitions and keeps them: set \`ASSENT_PARTITIONS\` to ${kept} or leave it out, not ${asked}`,
    );
  }
}
