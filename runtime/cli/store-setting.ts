import type { StoreSetting } from "../settings.ts";
import { readConfigFile } from "./config-file.ts";
import { EXIT, type Io, messageOf, UsageError } from "./io.ts";

/** For commands that work on a store itself, without a node. */

/** The store that `--store`, the environment or the file names, by the rules of `serve`. @throws {UsageError} */
export async function storeSettingOf(io: Io, store: string | undefined): Promise<StoreSetting> {
  const { readStoreSettings } = await import("../settings.ts");
  const read = readStoreSettings({ flags: { ASSENT_STORE: store }, env: io.env, file: readConfigFile() });
  if ("errors" in read) throw new UsageError(read.errors.join("\n"));
  return read.store;
}

/** What is wrong with the store is told in one line. @returns the exit code. */
export async function onStore(io: Io, work: () => Promise<number>): Promise<number> {
  const { StoreUnavailable, UnusableStore } = await import("../ports.ts");
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StoreUnavailable) && !(error instanceof UnusableStore)) throw error;
    io.err(`error: ${messageOf(error)}`);
    return error instanceof StoreUnavailable ? EXIT.unreachable : EXIT.no;
  }
}
