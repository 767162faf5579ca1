import { join, resolve } from "node:path";
import { freePort, type Served, serveChild } from "../child.ts";
import { type Driven, drive, type Lane } from "../drive.ts";
import { FLOWS, withFolder } from "../folder.ts";
import type { Benchmark, Size } from "../harness.ts";
import { type HttpAnswer, HttpConnection } from "../http-client.ts";

/** Durable decisions over HTTP/1.1: the server in a process of its own, one request at a time on each connection. */

interface Load {
  readonly connections: number;
  readonly cases: Record<Size, number>;
}

export const MANY: Load = { connections: 256, cases: { quick: 300, full: 5_000 } };
const SOME: Load = { connections: 64, cases: { quick: 300, full: 4_000 } };
const ONE: Load = { connections: 1, cases: { quick: 50, full: 500 } };
const ASSENT = resolve(import.meta.dirname, "../../bin/assent.js");
const REFERENCE = resolve(import.meta.dirname, "../reference/serve.ts");

const throughput = { unit: "decisions/s", better: "higher" } as const;
const KOA = "hand-written, Koa and its router";

export const http: readonly Benchmark[] = [
  {
    ...throughput,
    id: "http-64",
    what: "durable decisions over HTTP, 64 in flight",
    referenceName: KOA,
    goal: 0.8,
    ours: async (size) => (await ours(SOME, size)).decisionsPerSecond,
    reference: async (size) => (await reference("koa", SOME, size)).decisionsPerSecond,
  },
  {
    ...throughput,
    id: "http-64-bare",
    what: "the same beside bare node:http",
    referenceName: "hand-written, node:http",
    ours: async (size) => (await ours(SOME, size)).decisionsPerSecond,
    reference: async (size) => (await reference("bare", SOME, size)).decisionsPerSecond,
  },
  {
    ...throughput,
    id: "http-256",
    what: "durable decisions over HTTP, 256 in flight",
    referenceName: KOA,
    goal: 0.8,
    ours: async (size) => (await ours(MANY, size)).decisionsPerSecond,
    reference: async (size) => (await reference("koa", MANY, size)).decisionsPerSecond,
  },
  {
    id: "http-1",
    what: "one durable decision over HTTP, 1 in flight, p50",
    unit: "ms",
    better: "lower",
    referenceName: KOA,
    goal: 1 / 1.3,
    ours: async (size) => (await ours(ONE, size)).p50Ms,
    reference: async (size) => (await reference("koa", ONE, size)).p50Ms,
  },
];

/** The real command, as `serve --dev` on a store of its own. */
export function ours(load: Load, size: Size): Promise<Driven> {
  return withFolder((folder) =>
    measure(load, size, async (port) => {
      const env = {
        // The tokens for `--as` go to the temporary folder; those of a node that somebody works with must stay.
        TMPDIR: folder,
        ASSENT_STORE: `sqlite:${join(folder, "ours.db")}`,
        ASSENT_DATA: join(folder, "data"),
        ASSENT_HTTP: `127.0.0.1:${port}`,
        ASSENT_LOG: "warn",
      };
      return serveChild([ASSENT, "serve", "--dev", FLOWS], env, (lines) =>
        lines.some((line) => line.startsWith("admin ")),
      );
    }),
  );
}

function reference(kind: "koa" | "bare", load: Load, size: Size): Promise<Driven> {
  return withFolder((folder) =>
    measure(load, size, (port) =>
      serveChild([REFERENCE, kind, join(folder, "reference.db"), `${port}`], {}, (lines) => lines.includes("ready")),
    ),
  );
}

async function measure(load: Load, size: Size, start: (port: number) => Promise<Served>): Promise<Driven> {
  const port = await freePort();
  const server = await start(port);
  const connections = await Promise.all(Array.from({ length: load.connections }, () => HttpConnection.open(port)));
  try {
    const lanes = connections.map((connection) => httpLane(connection, server.lines));
    const count = load.cases[size];
    await drive(lanes, { from: count, count: Math.min(count, 1_000) }, async () => {});
    return await drive(lanes, { from: 0, count }, async () => {});
  } finally {
    for (const connection of connections) connection.close();
    await server.stop();
  }
}

function httpLane(connection: HttpConnection, lines: readonly string[]): Lane {
  const tokenOf = (user: string) => lines.find((line) => line.startsWith(`${user} Bearer `))!.split(" ")[2]!;
  const [alice, bob] = [tokenOf("alice"), tokenOf("bob")];
  let task = "";
  return {
    async start(number) {
      const payload = { title: `paper ${number}`, amount: "1280.50", urgent: false };
      const body = JSON.stringify({ key: `P-${number}`, event: "submit", payload });
      const answer = await connection.post("/v1/flows/bench-purchase/instances", alice, `start-${number}`, body);
      task = expectState(answer, 201, "REVIEW").tasks[0]!.id;
    },
    async approve(number) {
      const answer = await connection.post(
        `/v1/tasks/${task}/decision`,
        bob,
        `approve-${number}`,
        '{"decision":"approve"}',
      );
      expectState(answer, 200, "APPROVED");
    },
  };
}

interface View {
  readonly state: string;
  readonly tasks: readonly { readonly id: string }[];
}

function expectState({ status, body }: HttpAnswer, wanted: number, state: string): View {
  const view = JSON.parse(body) as View;
  if (status !== wanted || view.state !== state)
    throw new Error(`expected ${wanted} and ${state}, got ${status}: ${body}`);
  return view;
}
