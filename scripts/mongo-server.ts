import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { SERVERS_FOLDER } from "./nats-server.ts";

/** A MongoDB server for tests: the one of `MONGODB_URL`, `mongod` on the PATH, or the compatible one of `npm run servers`. */

const START_TIMEOUT_MS = 20_000;
const SUFFIX = process.platform === "win32" ? ".exe" : "";

/** Where `npm run servers` puts the one that it builds. */
export const FERRETDB = join(SERVERS_FOLDER, `ferretdb${SUFFIX}`);

type Found =
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "mongod" | "ferretdb"; readonly path: string };

let found: readonly Found[] | undefined;

/** In the order in which they are taken. */
function findServers(): readonly Found[] {
  if (found) return found;
  const url = process.env["MONGODB_URL"];
  const onPath = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const mongods = onPath
    .map((folder) => join(folder, `mongod${SUFFIX}`))
    .filter((path) => versionOf(path) !== undefined);
  const servers: Found[] = [
    ...(url ? [{ kind: "url", url } as const] : []),
    ...mongods.slice(0, 1).map((path) => ({ kind: "mongod", path }) as const),
    ...(versionOf(FERRETDB) === undefined ? [] : [{ kind: "ferretdb", path: FERRETDB } as const]),
  ];
  // One that is not there yet may be built.
  if (servers.length > 0) found = servers;
  return servers;
}

/** What there is, for people to read; `undefined` if nothing is. */
export function describeMongoServer(): string | undefined {
  const [server] = findServers();
  if (!server) return undefined;
  return server.kind === "url" ? "MONGODB_URL" : `${server.kind} ${versionOf(server.path)}: ${server.path}`;
}

/** `7.0.2`, or `undefined` if the file is missing, doesn't run, or is something else. */
function versionOf(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const said = execFileSync(path, ["--version"], {
      encoding: "utf8",
      timeout: 10_000,
      stdio: ["ignore", "pipe", "ignore"],
    });
    return /(?:db version|ferretdb:) v(\d+\.\d+\.\d+)/.exec(said)?.[1];
  } catch {
    return undefined;
  }
}

/**
 * For `describe` and `test` of what needs a server: skipped with the reason where there is none, an error with `CI=true`,
 * because there a skipped test would look like a passed one.
 * @param need `own`: one that the test starts and may kill.
 */
export function needsMongoServer(need: "any" | "own" = "any"): { readonly skip: string | false } {
  if (findServers().some(({ kind }) => need === "any" || kind !== "url")) return { skip: false };
  const reason =
    need === "any"
      ? "no MongoDB server: neither MONGODB_URL nor `mongod` on the PATH nor .cache/servers/ferretdb (npm run servers)"
      : "no MongoDB server that may be killed: neither `mongod` on the PATH nor .cache/servers/ferretdb (npm run servers)";
  if (process.env["CI"] === "true") throw new Error(reason);
  return { skip: reason };
}

export interface MongoServer {
  /** Of one of its databases. */
  url(database: string): string;
  /** Of the server's address; empty for the one of `MONGODB_URL`. */
  readonly port: number;
  /** Ends it, and removes its data. The one of `MONGODB_URL` goes on: drop what you made. */
  stop(): Promise<void>;
  /** SIGKILL: no goodbye, the data stays. */
  kill(): Promise<void>;
  /** Starts it again after {@link kill} on the same port and data. */
  start(): Promise<void>;
}

/**
 * Starts a server on a free loopback port, or names the one of `MONGODB_URL`.
 * @param need `own`: one that may be killed.
 * @param keepIn folder in which its data lies, in one of its own; the system's temporary one by default.
 * @throws Error if there is none, or it doesn't listen within twenty seconds.
 */
export async function startMongoServer(need: "any" | "own" = "any", keepIn?: string): Promise<MongoServer> {
  const server = findServers().find(({ kind }) => need === "any" || kind !== "url");
  if (!server) throw new Error("no MongoDB server found: run `npm run servers`, or set MONGODB_URL");
  if (server.kind === "url") return givenServer(server.url);
  const folder = mkdtempSync(join(keepIn ?? tmpdir(), "assent-mongo-"));
  const port = await freePort();
  let child = await launch(server, port, folder);
  return {
    port,
    url: (database) => `mongodb://127.0.0.1:${port}/${database}`,
    async stop() {
      await end(child);
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
    kill: () => end(child),
    async start() {
      child = await launch(server, port, folder);
    },
  };
}

function givenServer(url: string): MongoServer {
  const never = (): never => {
    throw new Error("the server of MONGODB_URL isn't ours to kill");
  };
  return { port: 0, url: (database) => databaseUrl(url, database), stop: async () => {}, kill: never, start: never };
}

/** The same server's other database. Who is named in the URL is known in the database that it names, or in `admin`. */
export function databaseUrl(url: string, database: string): string {
  const [, server, named = "", query = ""] =
    /^(mongodb(?:\+srv)?:\/\/[^/?]+)(?:\/([^?]*))?(?:\?(.*))?$/.exec(url) ?? [];
  if (server === undefined) throw new Error("MONGODB_URL is not `mongodb://…`");
  const needsSource = server.includes("@") && !/(^|&)authSource=/i.test(query);
  const options = [query, needsSource ? `authSource=${named || "admin"}` : ""].filter((option) => option !== "");
  return `${server}/${database}${options.length > 0 ? `?${options.join("&")}` : ""}`;
}

function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer();
  server.once("error", reject);
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address() as { port: number };
    server.close(() => resolve(port));
  });
  return promise;
}

async function launch(server: Exclude<Found, { kind: "url" }>, port: number, folder: string): Promise<ChildProcess> {
  const args =
    server.kind === "ferretdb"
      ? [`127.0.0.1:${port}`, folder]
      : ["--bind_ip", "127.0.0.1", "--port", String(port), "--dbpath", folder];
  const child = spawn(server.path, args, {
    stdio: "ignore",
  });
  // A test run that is broken off must not leave servers behind.
  const killWithUs = () => child.kill("SIGKILL");
  process.once("exit", killWithUs);
  child.once("close", () => process.removeListener("exit", killWithUs));
  for (const until = performance.now() + START_TIMEOUT_MS; performance.now() < until; await pause(50)) {
    if (child.exitCode !== null) throw new Error(`${server.kind} ended with code ${child.exitCode}`);
    if (await answers(port)) return child;
  }
  child.kill("SIGKILL");
  throw new Error(`${server.kind} didn't listen within ${START_TIMEOUT_MS / 1_000} seconds`);
}

function answers(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, "127.0.0.1");
  socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  return promise.finally(() => socket.destroy());
}

/** Asked politely, some wait for their clients to go. */
function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((ended) => {
    child.once("exit", () => ended());
    child.kill("SIGKILL");
  });
}
