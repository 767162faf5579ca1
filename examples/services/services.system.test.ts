import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { instanceId } from "../../engine/index.ts";
import {
  AssentNode,
  documentFiles,
  embeddedDirectory,
  keyRing,
  newKeyRingSetting,
  openMemoryStore,
  openNatsBus,
  type Reply,
  SEEDED_PEOPLE,
  systemClock,
} from "../../runtime/index.ts";
import { needsNatsServer, startNatsServer } from "../../scripts/nats-server.ts";
import { withTimeout } from "../demo/node-process.ts";

/** A flow decides with the answers of two services, in TypeScript and in Python; one is killed, the other goes on. */

interface Line {
  readonly language: string;
  readonly ready?: string;
  readonly function?: string;
  readonly key?: string;
}

/** A service as a process of its own. */
class ServiceProcess {
  readonly lines: Line[] = [];
  readonly #child: ChildProcess;
  readonly ready: Promise<void>;

  constructor(command: string, file: string, url: string) {
    this.#child = spawn(command, [join(import.meta.dirname, file), url], { stdio: ["ignore", "pipe", "inherit"] });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ready = withTimeout(promise, `the service ${file}`);
    createInterface({ input: this.#child.stdout! }).on("line", (text) => {
      const line = JSON.parse(text) as Line;
      this.lines.push(line);
      if (line.ready !== undefined) resolve();
    });
  }

  calls(name: string): number {
    return this.lines.filter((line) => line.function === name).length;
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }
}

const hasPython = spawnSync("python3", ["--version"]).status === 0;
const { skip } = needsNatsServer();

test("services in two languages decide; one is killed, the other serves", {
  skip: skip || (!hasPython && "there is no python3"),
  timeout: 60_000,
}, async (context) => {
  const server = await startNatsServer();
  const folder = mkdtempSync(join(tmpdir(), "assent-services-"));
  const typescript = new ServiceProcess(process.execPath, "credit.ts", server.url);
  const python = new ServiceProcess("python3", "credit.py", server.url);
  const bus = await openNatsBus({ urls: server.url });
  const node = new AssentNode({
    ...{
      store: openMemoryStore(),
      bus,
      clock: systemClock,
      keys: keyRing(newKeyRingSetting()),
      services: {},
      wecom: [],
    },
    directory: embeddedDirectory(SEEDED_PEOPLE),
    documents: documentFiles(folder),
    onError: (error) => assert.ifError(error),
  });
  context.after(async () => {
    await node.stop();
    await Promise.all([typescript.kill(), python.kill()]);
    await server.stop();
    rmSync(folder, { recursive: true });
  });
  await Promise.all([typescript.ready, python.ready]);
  await node.registry.load([join(import.meta.dirname, "flows")]);
  await node.start();

  const send = (key: string, event: string, payload = {}): Promise<Reply> => {
    const instance = instanceId("default", "credit", key);
    const about = { id: `${key}-${event}`, source: "test", actor: "alice", event, payload };
    const start = {
      ...about,
      kind: "start",
      tenant: "default",
      instance,
      key,
      initiator: { id: "alice" },
      data: {},
    } as const;
    return node.submit({
      ...{ tenant: "default", flow: "credit", instance },
      command: { ...about, kind: "event" },
      orStart: start,
    });
  };
  const ask = async (key: string, customer: string): Promise<string> => {
    const reply = await send(key, "ask", { customer, amount: "500" });
    return reply.kind === "accepted"
      ? reply.instance.state
      : reply.kind === "refused"
        ? reply.refusal.code
        : reply.kind;
  };
  const paid = async (key: string): Promise<void> => {
    const before = typescript.calls("transfer") + python.calls("transfer");
    assert.equal((await send(key, "pay")).kind, "accepted");
    const isDone = () => typescript.calls("transfer") + python.calls("transfer") > before;
    while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 10));
  };

  // Both are asked in turn, and both say the same.
  for (let n = 0; n < 4; n++) assert.equal(await ask(`good-${n}`, "acme"), "GRANTED");
  assert.equal(await ask("bad", "doubtful"), "DECLINED");
  assert.equal(await ask("none", "empty"), "check-failed");
  await paid("good-0");
  for (const service of [typescript, python])
    assert.ok(service.calls("creditworthy") > 0, JSON.stringify(service.lines));

  await typescript.kill();
  const alone = python.calls("creditworthy");
  for (let n = 4; n < 8; n++) assert.equal(await ask(`good-${n}`, "acme"), "GRANTED");
  await paid("good-4");
  assert.equal(python.calls("creditworthy"), alone + 4);

  await python.kill();
  const reply = await send("late", "ask", { customer: "acme", amount: "500" });
  assert.ok(reply.kind === "refused" && reply.refusal.code === "function-failed" && reply.refusal.retryable);
  const again = new ServiceProcess(process.execPath, "credit.ts", server.url);
  context.after(() => again.kill());
  await again.ready;
  // It is found when the node looks again, within a second.
  while ((await ask("late", "acme")) !== "GRANTED") await new Promise((resolve) => setTimeout(resolve, 100));
});
