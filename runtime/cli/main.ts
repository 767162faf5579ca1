import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { auditCommand } from "./audit.ts";
import { backupCommand } from "./backup.ts";
import { checkCommand } from "./check.ts";
import { deadLettersCommand } from "./dead-letters.ts";
import { decideCommand } from "./decide.ts";
import { diffCommand } from "./diff.ts";
import { explainCommand } from "./explain.ts";
import { exportCommand } from "./export.ts";
import { fmtCommand } from "./fmt.ts";
import { graphCommand } from "./graph.ts";
import { inboxCommand } from "./inbox.ts";
import { EXIT, type Io, processIo, UsageError } from "./io.ts";
import { lsCommand } from "./ls.ts";
import { lspCommand } from "./lsp.ts";
import { migrateCommand } from "./migrate.ts";
import { natsAccountsCommand } from "./nats-accounts.ts";
import { newCommand } from "./new.ts";
import { rebuildCommand } from "./rebuild.ts";
import { rekeyCommand } from "./rekey.ts";
import { sendCommand } from "./send.ts";
import { serveCommand } from "./serve.ts";
import { showCommand } from "./show.ts";
import { testCommand } from "./test.ts";

/** In the order of `assent --help`. A command loads what it needs when it runs, so that each starts fast. */
const COMMANDS: readonly ((io: Io) => Command)[] = [
  newCommand,
  checkCommand,
  fmtCommand,
  testCommand,
  graphCommand,
  diffCommand,
  explainCommand,
  serveCommand,
  sendCommand,
  decideCommand,
  inboxCommand,
  lsCommand,
  showCommand,
  migrateCommand,
  lspCommand,
  deadLettersCommand,
  backupCommand,
  rebuildCommand,
  rekeyCommand,
  exportCommand,
  auditCommand,
  natsAccountsCommand,
];

/** The command line `assent ARGV…`. @returns the exit code; it never throws for what a user can cause. */
export async function main(argv: readonly string[], io: Io = processIo()): Promise<number> {
  try {
    await program(io).parseAsync(argv, { from: "user" });
    return io.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (!(error instanceof UsageError) && !isFromSystem(error)) throw error;
    io.err(`error: ${error.message}`);
    return error instanceof UsageError ? EXIT.usage : EXIT.no;
  }
}

/** What the operating system refuses, like a file that can't be written, is no bug. */
const isFromSystem = (error: unknown): error is Error => error instanceof Error && "syscall" in error;

function program(io: Io): Command {
  const assent = quiet(new Command("assent"), io)
    .description("Approvals as code: flows that are proved before they run.")
    .version(version())
    .showHelpAfterError("Try `--help`.")
    .addHelpText(
      "after",
      "\nExit codes: 0 fine, 1 not so (errors, a failed test, refused), 2 wrong usage, 3 can't reach the node or store.",
    );
  for (const command of COMMANDS) assent.addCommand(quiet(command(io), io).showHelpAfterError("Try `--help`."));
  return assent;
}

/** Commander writes and ends through us, also where a command has commands of its own. */
function quiet(command: Command, io: Io): Command {
  for (const inner of command.commands) quiet(inner, io).showHelpAfterError("Try `--help`.");
  const line = (write: (text: string) => void) => (text: string) => write(text.replace(/\n$/, ""));
  return command.exitOverride().configureOutput({ writeOut: line(io.out), writeErr: line(io.err) });
}

/** Of the package: beside `runtime/` in the repository, beside `dist/` when built. */
function version(): string {
  const folder = import.meta.filename.endsWith(".ts") ? "../../" : "../../../";
  const file = readFileSync(new URL(`${folder}package.json`, import.meta.url), "utf8");
  return (JSON.parse(file) as { version: string }).version;
}
