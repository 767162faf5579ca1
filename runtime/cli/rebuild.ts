import { Command } from "commander";
import type { Store } from "../ports.ts";
import { counted, EXIT, type Io, printJson } from "./io.ts";
import { onOpenStore, storeSettingsOf } from "./store-setting.ts";

interface Options {
  readonly store?: string;
  readonly check?: true;
  readonly json?: true;
}

export const rebuildCommand = (io: Io): Command =>
  new Command("rebuild")
    .description("makes anew from the journal what lists are read from, and says what was not as it must be")
    .option("--store <store>", "sqlite:PATH or mongodb://HOST/DATABASE (ASSENT_STORE)")
    .option("--check", "only looks; exit code 1 if something is not as it must be")
    .option("--json", "one JSON value on standard output")
    .addHelpText(
      "after",
      "\nNo node works on the store meanwhile.\n\nExample:\n  assent rebuild --check --store sqlite:./assent.db",
    )
    .action(async (options: Options) => {
      io.exitCode = await rebuildStore(options, io);
    });

async function rebuildStore({ store: named, check, json }: Options, io: Io): Promise<number> {
  const { store: setting, keys } = await storeSettingsOf(io, named);
  const making = async (store: Store): Promise<number> => {
    const { rebuild } = await import("../rebuild.ts");
    const { instances, differing, broken } = await rebuild(store, keys, { write: check !== true });
    if (json) printJson(io, { instances, differing, broken });
    else {
      for (const { instance, problem } of broken) io.err(`${instance}: ${problem}`);
      for (const { instance } of differing) io.out(`${instance}: ${check ? "not as it must be" : "made anew"}`);
      io.out(`${counted(instances, "instance")}, ${differing.length} differed, ${broken.length} broken`);
    }
    return broken.length > 0 || (check && differing.length > 0) ? EXIT.no : EXIT.ok;
  };
  return onOpenStore(io, setting, making, { alone: true });
}
