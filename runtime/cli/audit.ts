import type { KeyObject } from "node:crypto";
import { createReadStream, existsSync, readFileSync } from "node:fs";
import { Command } from "commander";
import type { Audit } from "../retention/verify.ts";
import { counted, EXIT, type Io, printJson, UsageError } from "./io.ts";

interface Options {
  readonly key?: readonly string[];
  readonly json?: true;
}

export const auditCommand = (io: Io): Command =>
  new Command("audit")
    .description("checks exported histories")
    .addCommand(verifyCommand(io))
    .option("--json", "one JSON value on standard output")
    .addHelpText("after", "\nExample:\n  assent audit verify monday.jsonl --key MCowBQYDK2VwAyEA…");

const verifyCommand = (io: Io): Command =>
  new Command("verify")
    .description("checks the chain of hashes of every instance and the signatures, without a store")
    .argument("<file>", "as `assent export` wrote it")
    .option("--key <key...>", "public keys that are trusted, in base64 or as files; else the one that the file names")
    .option("--json", "one JSON value on standard output")
    .addHelpText("after", "\nExample:\n  assent audit verify monday.jsonl --key MCowBQYDK2VwAyEA…")
    .action(async (file: string, _options: Options, command: Command) => {
      io.exitCode = await verify(file, command.optsWithGlobals<Options>(), io);
    });

async function verify(file: string, { key = [], json }: Options, io: Io): Promise<number> {
  if (!existsSync(file)) throw new UsageError(`there is no \`${file}\``);
  const [{ verifyExport }, { verifyingKey }] = await Promise.all([
    import("../retention/verify.ts"),
    import("../retention/signing.ts"),
  ]);
  const trusted = key.map((named) => publicKeyOf(named, verifyingKey));
  const audit = await verifyExport(linesOf(file), trusted);
  const isFine = audit.problems.length === 0;
  if (json) printJson(io, { ok: isFine, ...audit });
  else tell(audit, io);
  return isFine ? EXIT.ok : EXIT.no;
}

/** Node's own reader of lines takes signs of Unicode for line breaks that may stand in JSON. */
async function* linesOf(file: string): AsyncIterable<string> {
  let rest = "";
  for await (const chunk of createReadStream(file, "utf8")) {
    const lines = `${rest}${chunk}`.split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest !== "") yield rest;
}

function publicKeyOf(named: string, read: (text: string) => KeyObject): KeyObject {
  try {
    return read(existsSync(named) ? readFileSync(named, "utf8") : named);
  } catch {
    throw new UsageError(`\`${named}\` is no public key of Ed25519`);
  }
}

const SIGNED: Readonly<Record<Audit["signed"], string>> = {
  given: "signed by the key that was given",
  own: "signed by the key that the file names itself: give it with --key to know whose it is",
  none: "not signed",
};

function tell({ problems, instances, entries, checkpoints, signed }: Audit, io: Io): void {
  for (const { line, instance, problem } of problems)
    io.err(`line ${line}${instance === undefined ? "" : `, ${instance}`}: ${problem}`);
  const found = `${counted(instances, "instance")}, ${counted(entries, "entry", "entries")}, ${counted(checkpoints, "checkpoint")}`;
  io.out(`${found}; ${SIGNED[signed]}`);
  if (problems.length === 0) io.out("every chain of hashes is unbroken");
}
