import { existsSync } from "node:fs";
import type { Store } from "../ports.ts";
import type { StoreSetting, StoreSettings } from "../settings.ts";
import { readConfigFile } from "./config-file.ts";
import { EXIT, type Io, messageOf, UsageError } from "./io.ts";

/** For commands that work on a store itself, without a node. */

/** The store that `--store`, the environment or the file names, by the rules of `serve`. @throws {UsageError} */
export async function storeSettingOf(io: Io, store: string | undefined): Promise<StoreSetting> {
  return (await storeSettingsOf(io, store)).store;
}

/** With the keys that go with it. @throws {UsageError} */
export async function storeSettingsOf(io: Io, store: string | undefined): Promise<StoreSettings> {
  const { readStoreSettings } = await import("../settings.ts");
  const read = readStoreSettings({ flags: { ASSENT_STORE: store }, env: io.env, file: readConfigFile() });
  if ("errors" in read) throw new UsageError(read.errors.join("\n"));
  return read;
}

/**
 * Opens a store that is there already, works on it and closes it. @returns as {@link onStore}.
 * @param options `alone`: no node works on it meanwhile.
 */
export function onOpenStore(
  io: Io,
  setting: StoreSetting,
  work: (store: Store) => Promise<number>,
  options: { readonly alone?: true } = {},
): Promise<number> {
  return onStore(io, async () => {
    const [{ openStore }, { StoreUnavailable }] = await Promise.all([
      import("../stores/open-store.ts"),
      import("../ports.ts"),
    ]);
    if (setting.kind === "sqlite" && !existsSync(setting.path))
      throw new StoreUnavailable(`there is no \`${setting.path}\``);
    const store = await openStore(setting, options);
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  });
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
