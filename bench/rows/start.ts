import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { instanceId } from "../../engine/index.ts";
import { freePort, serveChild } from "../child.ts";
import { FLOWS, withFolder } from "../folder.ts";
import type { Benchmark, Size } from "../harness.ts";
import { HttpConnection } from "../http-client.ts";
import { openOurs } from "../ours.ts";

/** From starting the process to the answer to the first decision, which is durable then. The goal is a time, so the reference is it. */

const ASSENT = resolve(import.meta.dirname, "../../bin/assent.js");
const LIMIT_MS = 1_000;
const FILLED_LIMIT_MS = 2_000;
const OPEN: Record<Size, number> = { quick: 2_000, full: 100_000 };
/** Instances started at once. */
const BATCH = 2_000;

const row = { unit: "ms", better: "lower", goal: 1 } as const;

export const starting: readonly Benchmark[] = [
  {
    ...row,
    id: "start",
    what: "start of a node to the first decision, on a new store",
    referenceName: "one second",
    ours: () => withFolder((folder) => firstDecision(join(folder, "new.db"))),
    reference: async () => LIMIT_MS,
  },
  {
    ...row,
    id: "start-100000",
    what: "the same with 100,000 open instances, after a kill",
    referenceName: "two seconds",
    ours: (size) => withFolder((folder) => recovery(folder, OPEN[size])),
    reference: async () => FILLED_LIMIT_MS,
  },
];

/** Filled once for all runs. */
let killed: Promise<Uint8Array[]> | undefined;

async function recovery(folder: string, count: number): Promise<number> {
  killed ??= withFolder((other) => filledAndKilled(other, count));
  const file = join(folder, "killed.db");
  for (const [index, bytes] of (await killed).entries()) writeFileSync(file + SUFFIXES[index], bytes);
  return firstDecision(file, count);
}

const SUFFIXES = ["", "-wal"] as const;

/** The files of a store as a kill would leave them: they are read while it is open. */
async function filledAndKilled(folder: string, count: number): Promise<Uint8Array[]> {
  const node = await openOurs(folder);
  await node.start();
  try {
    for (let from = 0; from < count; from += BATCH)
      await Promise.all(Array.from({ length: Math.min(BATCH, count - from) }, (_, n) => start(node, from + n)));
    return SUFFIXES.map((suffix) => readFileSync(join(folder, `ours.db${suffix}`)));
  } finally {
    await node.stop();
  }
}

const FLOW = "bench-purchase";
const SUBMITTED = { title: "paper", amount: "1280.50", urgent: false };

async function start({ submit }: Pick<Awaited<ReturnType<typeof openOurs>>, "submit">, number: number): Promise<void> {
  const key = `P-${number}`;
  const ids = { tenant: "default", instance: instanceId("default", FLOW, key) };
  const who = { id: `start-${number}`, source: "bench", actor: "alice", initiator: { id: "alice" } };
  const command = { kind: "start" as const, ...ids, ...who, key, data: {}, event: "submit", payload: SUBMITTED };
  const reply = await submit({ ...ids, flow: FLOW, command });
  if (reply.kind !== "accepted") throw new Error(JSON.stringify(reply));
}

/** @param open instances that are there; of none the first is started. */
async function firstDecision(file: string, open = 0): Promise<number> {
  const port = await freePort();
  const env = {
    TMPDIR: resolve(file, ".."),
    ASSENT_STORE: `sqlite:${file}`,
    ASSENT_DATA: resolve(file, "../data"),
    ASSENT_HTTP: `127.0.0.1:${port}`,
    ASSENT_LOG: "warn",
  };
  const began = performance.now();
  const server = await serveChild([ASSENT, "serve", "--dev", FLOWS], env, (lines) =>
    lines.some((line) => line.startsWith("admin ")),
  );
  const connection = await HttpConnection.open(port);
  try {
    const tokenOf = (user: string) => server.lines.find((line) => line.startsWith(`${user} Bearer `))!.split(" ")[2]!;
    const number = Math.floor(open / 2);
    const instance = instanceId("default", FLOW, `P-${number}`);
    const answer =
      open > 0
        ? await connection.post(`/v1/tasks/${instance}-1/decision`, tokenOf("bob"), "d", '{"decision":"approve"}')
        : await connection.post(
            `/v1/flows/${FLOW}/instances`,
            tokenOf("alice"),
            "s",
            JSON.stringify({ key: "P-0", event: "submit", payload: SUBMITTED }),
          );
    const tookMs = performance.now() - began;
    if (answer.status >= 300) throw new Error(`${answer.status}: ${answer.body}`);
    return tookMs;
  } finally {
    connection.close();
    await server.stop();
  }
}
