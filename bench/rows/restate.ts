import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { freePort, serveChild } from "../child.ts";
import { type Driven, drive, type Lane } from "../drive.ts";
import { withFolder } from "../folder.ts";
import type { Benchmark, Size } from "../harness.ts";
import { type HttpAnswer, HttpConnection } from "../http-client.ts";
import * as inProcess from "./durable.ts";
import * as overHttp from "./http.ts";

/** Beside Restate, whose packages are installed for this alone, outside the project. */

const SOURCE = resolve(import.meta.dirname, "../peers/restate");
const INSTALLED = resolve(import.meta.dirname, "../../.cache/peers/restate");
const CONNECTIONS = 256;
const CASES: Record<Size, number> = { quick: 300, full: 2_000 };
const PATIENCE_MS = 60_000;

const common = {
  unit: "decisions/s",
  better: "higher",
  referenceName: "Restate, virtual object, HTTP",
  unavailable: install,
  reference: async (size: Size) => (await restate(size)).decisionsPerSecond,
} as const;

export const besideRestate: readonly Benchmark[] = [
  {
    ...common,
    id: "durable-restate",
    what: "durable decisions in process, 256 in flight",
    goal: 40,
    ours: async (size) => (await inProcess.ours(inProcess.MANY, size)).decisionsPerSecond,
  },
  {
    ...common,
    id: "http-restate",
    what: "durable decisions over HTTP, 256 in flight",
    goal: 8,
    ours: async (size) => (await overHttp.ours(overHttp.MANY, size)).decisionsPerSecond,
  },
];

/** @returns why it can't be had. */
function install(): string | undefined {
  mkdirSync(INSTALLED, { recursive: true });
  for (const file of ["package.json", "service.js"]) copyFileSync(join(SOURCE, file), join(INSTALLED, file));
  if (existsSync(join(INSTALLED, "node_modules"))) return undefined;
  console.error("installing Restate …");
  const { status, stderr } = spawnSync("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts"], {
    cwd: INSTALLED,
    encoding: "utf8",
  });
  return status === 0 ? undefined : `Restate's packages can't be installed: ${stderr.trim().split("\n").at(-1)}`;
}

function restate(size: Size): Promise<Driven> {
  return withFolder(async (folder) => {
    const [ingress, admin, fabric, service] = [await freePort(), await freePort(), await freePort(), await freePort()];
    const server = startServer(folder, { ingress, admin, fabric });
    const services = await serveChild([join(INSTALLED, "service.js"), `${service}`], {}, (lines) =>
      lines.includes("ready"),
    ).catch(async (error: unknown) => {
      await stop(server);
      throw error;
    });
    try {
      await register(admin, service);
      return await measure(ingress, size);
    } finally {
      await stop(server);
      await services.stop().catch(() => undefined); // It has no clean end.
    }
  });
}

/** Full sync of its log as it comes; 4 partitions, with which it is at its fastest on two cores. */
function startServer(folder: string, ports: { ingress: number; admin: number; fabric: number }): ChildProcess {
  const at = (port: number): string => `127.0.0.1:${port}`;
  const env = {
    RESTATE_BASE_DIR: folder,
    RESTATE_LISTEN_MODE: "tcp",
    RESTATE_BIND_ADDRESS: at(ports.fabric),
    RESTATE_INGRESS__BIND_ADDRESS: at(ports.ingress),
    RESTATE_ADMIN__BIND_ADDRESS: at(ports.admin),
    RESTATE_ADMIN__DISABLE_WEB_UI: "true",
    RESTATE_DEFAULT_NUM_PARTITIONS: "4",
    RESTATE_DISABLE_TELEMETRY: "true",
    RESTATE_LOG_FILTER: "error",
  };
  return spawn(join(INSTALLED, "node_modules/.bin/restate-server"), ["--no-logo"], {
    env: { ...process.env, ...env },
    stdio: "ignore",
    detached: true, // The command starts the server as a process of its own: both end as a group.
  });
}

/** Again until the server is up. */
async function register(admin: number, service: number): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${admin}/deployments`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ uri: `http://127.0.0.1:${service}` }),
    }).catch((error: unknown) => error as Error);
    if (answer instanceof Response && answer.ok) return;
    const why = answer instanceof Response ? `${answer.status} ${await answer.text()}` : answer.message;
    if (performance.now() > until) throw new Error(`Restate does not take the service: ${why}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

async function measure(port: number, size: Size): Promise<Driven> {
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => HttpConnection.open(port)));
  try {
    const lanes = connections.map(lane);
    const count = CASES[size];
    await drive(lanes, { from: count, count: Math.min(count, 500) }, async () => {});
    return await drive(lanes, { from: 0, count }, async () => {});
  } finally {
    for (const connection of connections) connection.close();
  }
}

function lane(connection: HttpConnection): Lane {
  const form = { title: "paper", amount: "1280.50", urgent: false, initiator: "alice", manager: "bob" };
  const post = (number: number, handler: string, body: object): Promise<HttpAnswer> =>
    connection.post(`/purchase/P-${number}/${handler}`, "none", `${handler}-${number}`, JSON.stringify(body));
  return {
    async start(number) {
      expectState(await post(number, "submit", form), "REVIEW");
    },
    async approve(number) {
      expectState(await post(number, "approve", { actor: "bob" }), "APPROVED");
    },
  };
}

function expectState({ status, body }: HttpAnswer, state: string): void {
  if (status !== 200 || (JSON.parse(body) as { state: string }).state !== state)
    throw new Error(`expected ${state}, got ${status}: ${body}`);
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, "exit");
  process.kill(-server.pid!, "SIGKILL");
  await exited;
}
