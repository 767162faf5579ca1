import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { StoreUnavailable, UnusableStore } from "../ports.ts";
import { assertWhole, damaged, openForReading } from "./sqlite-schema.ts";
import { isDamaged, isUnavailable } from "./worker-channel.ts";

/**
 * Copies a store's file while a node works on it: all that was committed when the copy began, looked through, on the disk,
 * and under its name only when it is whole.
 * @returns its size. @throws {StoreUnavailable} if there is no such file or no room; {@link UnusableStore} if it is damaged.
 */
export function backUpSqlite(path: string, target: string): { readonly bytes: number } {
  if (!existsSync(path)) throw new StoreUnavailable(`there is no \`${path}\``);
  const half = `${target}.part`;
  rmSync(half, { force: true });
  try {
    copyInto(path, half);
    renameSync(half, target);
    return { bytes: statSync(target).size };
  } catch (error) {
    if (isDamaged(error)) throw damaged(path, (error as Error).message);
    if (isUnavailable(error)) throw new StoreUnavailable((error as Error).message, { cause: error });
    throw error;
  } finally {
    rmSync(half, { force: true });
  }
}

/** One read transaction, which holds up no writer. */
function copyInto(path: string, half: string): void {
  const database = openForReading({ path });
  try {
    database.prepare("VACUUM INTO ?").run(half);
  } finally {
    database.close();
  }
  const copy = new DatabaseSync(half, { readOnly: true });
  try {
    assertWhole(copy, half);
  } finally {
    copy.close();
  }
  const file = openSync(half, "r+");
  fsyncSync(file);
  closeSync(file);
}
