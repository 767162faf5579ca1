import { existsSync, lstatSync, mkdirSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { readConfigFile } from "./config-file.ts";
import { columns, EXIT, type Io, messageOf, printJson, UsageError } from "./io.ts";

interface Options {
  readonly dev?: true;
  readonly http?: string;
  readonly store?: string;
  readonly nats?: string;
  readonly data?: string;
  readonly printConfig?: true;
  readonly json?: true;
}

export const serveCommand = (io: Io): Command =>
  new Command("serve")
    .description("the node: HTTP and workers; loads flows and watches them")
    .argument("[path...]", "files and folders of flows")
    .option("--dev", "a store in the temporary folder, seeded people with tokens, on loopback only")
    .option("--http <host:port>", "where to listen (ASSENT_HTTP)")
    .option("--store <store>", "sqlite:PATH, mongodb://HOST/DATABASE or memory: (ASSENT_STORE)")
    .option("--nats <urls>", "NATS servers instead of the in-process bus (ASSENT_NATS)")
    .option("--data <folder>", "folder of documents (ASSENT_DATA)")
    .option("--print-config", "shows each setting and where it comes from, and ends")
    .option("--json", "with --print-config: one JSON value on standard output")
    .addHelpText("after", "\nExample:\n  assent serve my-flow --dev")
    .action(async (paths: readonly string[], options: Options) => {
      io.exitCode = await serveNode(paths, options, io);
    });

async function serveNode(paths: readonly string[], options: Options, io: Io): Promise<number> {
  const missing = paths.find((path) => !existsSync(path));
  if (missing !== undefined) throw new UsageError(`there is no \`${missing}\``);
  const { readSettings } = await import("../settings.ts");
  const flags = {
    ASSENT_HTTP: options.http,
    ASSENT_STORE: options.store,
    ASSENT_NATS: options.nats,
    ASSENT_DATA: options.data,
  };
  const read = readSettings({ flags, env: io.env, file: readConfigFile(), dev: options.dev === true });
  if ("errors" in read) {
    for (const error of read.errors) io.err(`error: ${error}`);
    return EXIT.usage;
  }
  if (options.printConfig) {
    if (options.json) printJson(io, read.sources);
    else io.out(columns(read.sources.map(({ name, value, from }) => [name, value, from])));
    return EXIT.ok;
  }
  if (options.dev) makeDevFolder();
  if (paths.length === 0) io.err("no PATH was given: the node serves what it knows, and no flow is loaded");
  return start(paths, read.settings, io);
}

async function start(
  paths: readonly string[],
  settings: Parameters<typeof import("../main.ts")["serve"]>[0]["settings"],
  io: Io,
): Promise<number> {
  const { CannotStart, serve } = await import("../main.ts");
  const { StoreUnavailable, UnusableStore } = await import("../ports.ts");
  try {
    return await serve({ paths, settings });
  } catch (error) {
    if (error instanceof CannotStart || error instanceof UnusableStore) {
      io.err(`error: ${error.message}`);
      return EXIT.no;
    }
    if (error instanceof StoreUnavailable || isAway(error)) {
      io.err(`error: ${messageOf(error)}`);
      return EXIT.unreachable;
    }
    throw error;
  }
}

/** Errors of the NATS client and of Node's sockets carry a `code`; who passes them on keeps them as `cause`. */
const isAway = (error: unknown): boolean =>
  error instanceof Error && (AWAY_CODES.has("code" in error ? String(error.code) : "") || isAway(error.cause));

const AWAY_CODES = new Set([
  ...["CONNECTION_REFUSED", "CONNECTION_TIMEOUT", "CONNECTION_CLOSED", "DISCONNECT", "TIMEOUT"],
  ...["ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT"],
]);

/** The folder under which `--dev` keeps its things: of this user alone. @throws if somebody else made it. */
function makeDevFolder(): void {
  const { uid } = userInfo();
  const folder = join(tmpdir(), `assent-dev-${uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (!found.isDirectory() || (uid >= 0 && found.uid !== uid))
    throw new Error(`\`${folder}\` belongs to somebody else`);
}
