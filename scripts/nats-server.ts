import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";

/** Where `npm run servers` puts what it fetches; ignored by git. */
export const SERVERS_FOLDER = resolve(import.meta.dirname, "../.cache/servers");

/** Older servers lack what the NATS bus relies on. */
const MINIMUM = { major: 2, minor: 10 };
const BINARY = process.platform === "win32" ? "nats-server.exe" : "nats-server";
const START_TIMEOUT_MS = 10_000;

let found: string | undefined;

/** The path of a `nats-server` that is new enough: `NATS_SERVER`, else the first on the PATH, else the cache folder. */
export function findNatsServer(): string | undefined {
  found ??= candidates().find(isUsableNatsServer);
  return found;
}

function candidates(): readonly string[] {
  const named = process.env["NATS_SERVER"];
  const onPath = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return [...(named ? [named] : []), ...onPath.map((folder) => join(folder, BINARY)), join(SERVERS_FOLDER, BINARY)];
}

/** True if the file runs and says that it is a nats-server of at least 2.10. */
export function isUsableNatsServer(path: string): boolean {
  const version = natsServerVersion(path);
  if (version === undefined) return false;
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > MINIMUM.major || (major === MINIMUM.major && minor >= MINIMUM.minor);
}

/** `2.15.1`, or `undefined` if the file is missing, doesn't run, or is something else. */
export function natsServerVersion(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const said = execFileSync(path, ["--version"], {
      encoding: "utf8",
      timeout: 10_000,
      stdio: ["ignore", "pipe", "pipe"],
    });
    return /nats-server: v(\d+\.\d+\.\d+)/.exec(said)?.[1];
  } catch {
    return undefined;
  }
}

/**
 * For `describe` and `test` of what needs a server: skipped with the reason where there is none, an error with `CI=true`,
 * because there a skipped test would look like a passed one.
 */
export function needsNatsServer(): { readonly skip: string | false } {
  if (findNatsServer() !== undefined) return { skip: false };
  const reason = "no nats-server of 2.10 or later in NATS_SERVER, on the PATH or in .cache/servers (npm run servers)";
  if (process.env["CI"] === "true") throw new Error(reason);
  return { skip: reason };
}

export interface NatsServer {
  readonly url: string;
  /** Ends it as an operator would, and removes its data if this module made the folder. */
  stop(): Promise<void>;
  /** SIGKILL: no goodbye, the data stays. */
  kill(): Promise<void>;
  /** Starts it again after {@link kill} on the same port and data. */
  start(): Promise<void>;
  /** SIGSTOP: its connections stay, and nothing answers until {@link thaw}. */
  freeze(): void;
  thaw(): void;
}

export interface NatsServerOptions {
  /** Where it keeps its streams; a temporary one is made and removed if there is none. */
  readonly folder?: string;
  readonly port?: number;
  /** More arguments for its command line. */
  readonly args?: readonly string[];
  /** On unless `false`. */
  readonly jetstream?: boolean;
}

/**
 * Starts a real server on a free loopback port, with JetStream on unless told otherwise.
 * @throws Error if there is no server to start, or it doesn't listen within ten seconds.
 */
export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  const binary = findNatsServer();
  if (binary === undefined)
    throw new Error("no nats-server found: run `npm run servers`, or set NATS_SERVER to its path");
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), "assent-nats-"));
  const storage = options.jetstream === false ? [] : ["--jetstream", "--store_dir", folder];
  const args = [...storage, ...(options.args ?? [])];
  let running = await launch(binary, options.port ?? -1, args);
  const { port } = running;
  return {
    url: `nats://127.0.0.1:${port}`,
    async stop() {
      await end(running.child, "SIGTERM");
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
    },
    kill: () => end(running.child, "SIGKILL"),
    async start() {
      running = await launch(binary, port, args);
    },
    freeze: () => void running.child.kill("SIGSTOP"),
    thaw: () => void running.child.kill("SIGCONT"),
  };
}

/** Port -1 lets the server choose; it says on standard error what it chose and when it is ready. */
function launch(binary: string, port: number, args: readonly string[]): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(binary, ["--addr", "127.0.0.1", "--port", String(port), ...args], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  // A test run that is broken off must not leave servers behind.
  const killWithUs = () => child.kill("SIGKILL");
  process.once("exit", killWithUs);
  child.once("close", () => process.removeListener("exit", killWithUs));
  return new Promise((started, failed) => {
    let said = "";
    const giveUp = (why: string) => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      failed(new Error(`nats-server didn't start: ${why}\n${said}`));
    };
    const timer = setTimeout(() => giveUp("it took more than ten seconds"), START_TIMEOUT_MS);
    child.once("error", (error) => giveUp(error.message));
    child.once("exit", (code) => giveUp(`it ended with code ${code}`));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (said.length > 100_000) return;
      said += text;
      if (!said.includes("Server is ready")) return;
      clearTimeout(timer);
      child.removeAllListeners("exit");
      const chosen = /Listening for client connections on [^\s]*:(\d+)/.exec(said)?.[1];
      if (chosen === undefined) giveUp("it didn't say its port");
      else started({ child, port: Number(chosen) });
      said = "x".repeat(100_001);
    });
  });
}

function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((ended) => {
    child.once("exit", () => ended());
    child.kill(signal);
  });
}
