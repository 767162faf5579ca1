import { Command } from "commander";
import { counted, EXIT, type Io, printJson, UsageError } from "./io.ts";
import { onOpenStore, storeSettingsOf } from "./store-setting.ts";

interface Options {
  readonly store?: string;
  readonly json?: true;
}

export const rekeyCommand = (io: Io): Command =>
  new Command("rekey")
    .description("wraps all data keys under the newest key of ASSENT_KEYS, so that older ones can be taken out")
    .option("--store <store>", "sqlite:PATH or mongodb://HOST/DATABASE (ASSENT_STORE)")
    .option("--json", "one JSON value on standard output")
    .addHelpText(
      "after",
      "\nA node does the same when it starts with a new key. On MongoDB nodes may work meanwhile.\n\nExample:\n  assent rekey --store sqlite:./assent.db",
    )
    .action(async (options: Options) => {
      io.exitCode = await rekeyStore(options, io);
    });

async function rekeyStore({ store: named, json }: Options, io: Io): Promise<number> {
  const { store: setting, keys } = await storeSettingsOf(io, named);
  if (keys === undefined)
    throw new UsageError("`ASSENT_KEYS` is not set: it names the new key first, then the old ones");
  return onOpenStore(io, setting, async (store) => {
    const [{ rekey }, { keyRing }] = await Promise.all([import("../rekey.ts"), import("../key-ring.ts")]);
    const ring = keyRing(keys);
    const rekeyed = await rekey(store, ring);
    const { found, rewrapped, missing, problems } = rekeyed;
    if (json) printJson(io, { ...rekeyed, key: ring.newest });
    else {
      for (const problem of problems) io.err(problem);
      io.out(
        `${counted(found, "data key")}, ${rewrapped} wrapped anew under \`${ring.newest}\`, ${missing} can't be opened`,
      );
    }
    return missing > 0 ? EXIT.no : EXIT.ok;
  });
}
