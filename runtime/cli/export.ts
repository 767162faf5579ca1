import { createWriteStream, existsSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Command } from "commander";
import { EXIT, type Io, UsageError } from "./io.ts";
import { onOpenStore, storeSettingsOf } from "./store-setting.ts";

interface Options {
  readonly store?: string;
  readonly tenant?: string;
  readonly out?: string;
  readonly json?: true;
}

export const exportCommand = (io: Io): Command =>
  new Command("export")
    .description("the history as JSON lines, signed, for `assent audit verify`")
    .option("--store <store>", "sqlite:PATH or mongodb://HOST/DATABASE (ASSENT_STORE)")
    .option("--tenant <name>", "of this tenant alone")
    .option("--out <file>", "where to; standard output unless told")
    .option("--json", "JSON lines, as always")
    .addHelpText(
      "after",
      "\nSigned with ASSENT_SIGNING_KEY. A SQLite store that a node works on is exported from a copy: `assent backup`.\n\nExample:\n  assent export --store sqlite:./backups/monday.db --out monday.jsonl",
    )
    .action(async (options: Options) => {
      io.exitCode = await exportStore(options, io);
    });

async function exportStore({ store: named, tenant, out }: Options, io: Io): Promise<number> {
  if (out !== undefined && existsSync(out)) throw new UsageError(`\`${out}\` is there already`);
  const { store: setting, signingKey: set } = await storeSettingsOf(io, named);
  return onOpenStore(io, setting, async (store) => {
    const [{ exportLines }, signing] = await Promise.all([
      import("../retention/export.ts"),
      import("../retention/signing.ts"),
    ]);
    const key = set ?? (await store.getSetting(signing.SIGNING_KEY));
    if (key === undefined) io.err("`ASSENT_SIGNING_KEY` is not set: the export is not signed");
    const signer = key === undefined ? undefined : signing.signingKey(key);
    const lines = exportLines(store, {
      at: Date.now(),
      ...(tenant !== undefined && { tenant }),
      ...(signer && { signer }),
    });
    if (out === undefined) for await (const line of lines) io.out(line);
    else await pipeline(Readable.from(withBreaks(lines)), createWriteStream(out, { flags: "wx" }));
    if (signer) io.err(`signed; the public key is ${signer.publicKey}`);
    return EXIT.ok;
  });
}

async function* withBreaks(lines: AsyncIterable<string>): AsyncIterable<string> {
  for await (const line of lines) yield `${line}\n`;
}
