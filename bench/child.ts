import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

/** A process of its own that serves until it is told to stop. */
export interface Served {
  /** Lines of its standard output until it was ready. */
  readonly lines: readonly string[];
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 30_000;

/** Starts a script and waits until its output says that it is ready. @throws Error with what it said if it ends before. */
export async function serveChild(
  script: readonly string[],
  env: Readonly<Record<string, string>>,
  ready: (lines: readonly string[]) => boolean,
): Promise<Served> {
  const child = spawn(process.execPath, script, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const said: string[] = [];
  const lines: string[] = [];
  createInterface({ input: child.stderr! }).on("line", (line) => said.push(line));
  await new Promise<void>((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`${script.join(" ")}: ${why}\n${said.join("\n")}`));
    const patience = setTimeout(() => fail("not ready in time"), START_TIMEOUT_MS);
    child.once("exit", () => fail("it ended"));
    createInterface({ input: child.stdout! }).on("line", (line) => {
      lines.push(line);
      if (!ready(lines)) return;
      clearTimeout(patience);
      resolve();
    });
  });
  return { lines, stop: () => stop(child) };
}

async function stop(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const [code, signal] = await exited;
  if (code !== 0) throw new Error(`a server ended with ${code ?? signal}`);
}

/** A port that is free at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
