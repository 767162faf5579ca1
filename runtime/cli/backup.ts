import { existsSync } from "node:fs";
import { Command } from "commander";
import { EXIT, type Io, printJson, UsageError } from "./io.ts";
import { onStore, storeSettingOf } from "./store-setting.ts";

interface Options {
  readonly store?: string;
  readonly json?: true;
}

export const backupCommand = (io: Io): Command =>
  new Command("backup")
    .description("copies the file of a SQLite store while a node works on it")
    .argument("<target>", "the copy; it must not be there yet")
    .option("--store <store>", "sqlite:PATH (ASSENT_STORE)")
    .option("--json", "one JSON value on standard output")
    .addHelpText("after", "\nExample:\n  assent backup backups/monday.db --store sqlite:./assent.db")
    .action(async (target: string, options: Options) => {
      io.exitCode = await backUp(target, options, io);
    });

async function backUp(target: string, { store, json }: Options, io: Io): Promise<number> {
  const setting = await storeSettingOf(io, store);
  if (setting.kind !== "sqlite")
    throw new UsageError("only a SQLite store is copied so; MongoDB has tools of its own, like `mongodump`");
  if (existsSync(target)) throw new UsageError(`\`${target}\` is there already`);
  return onStore(io, async () => {
    const { backUpSqlite } = await import("../stores/sqlite-backup.ts");
    const { bytes } = backUpSqlite(setting.path, target);
    if (json) printJson(io, { target, bytes });
    else io.out(`${target}: ${bytes} bytes`);
    return EXIT.ok;
  });
}
