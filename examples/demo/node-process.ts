import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";

const ROOT = join(import.meta.dirname, "..", "..");
const START_TIMEOUT_MS = 30_000;

export interface NodeOptions {
  readonly paths: readonly string[];
  readonly folder: string;
  /** Where its `assent.config.json` lies; that of this process unless set. */
  readonly cwd?: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A line of the node's log, as JSON. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg?: string };

/** A node as a process of its own, so that it can be killed. */
export class NodeProcess {
  readonly url: string;
  /** `Bearer TOKEN` by user. */
  readonly tokens = new Map<string, string>();
  readonly log: LogLine[] = [];
  readonly #options: NodeOptions;
  #child: ChildProcess | undefined;
  readonly #waiting = new Set<() => void>();

  constructor(options: NodeOptions, port: number) {
    this.#options = options;
    this.url = `http://127.0.0.1:${port}`;
  }

  /** Starts it and waits until it is ready. @throws if it ends before. */
  async start(): Promise<number> {
    const { paths, folder, cwd, env } = this.#options;
    const started = performance.now();
    const child = spawn(process.execPath, [join(ROOT, "bin", "assent.js"), "serve", "--dev", ...paths], {
      env: {
        ...process.env,
        ASSENT_HTTP: this.url.slice("http://".length),
        ASSENT_STORE: `sqlite:${join(folder, "assent.db")}`,
        ASSENT_DATA: join(folder, "data"),
        ...env,
      },
      ...(cwd !== undefined && { cwd }),
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    createInterface({ input: child.stdout! }).on("line", (line) => this.#token(line));
    createInterface({ input: child.stderr! }).on("line", (line) => this.#logged(line));
    const ended = once(child, "exit").then(([code]) => {
      throw new Error(`the node ended with ${code}:\n${this.#tail()}`);
    });
    ended.catch(() => {});
    await Promise.race([this.#ready(), ended]);
    return Math.round(performance.now() - started);
  }

  /** SIGKILL: no chance to tidy up. */
  async kill(): Promise<void> {
    if (!this.#isRunning()) return;
    const exited = once(this.#child!, "exit");
    this.#child!.kill("SIGKILL");
    await exited;
  }

  /** SIGTERM. @returns its exit code; 0 where it was killed before. */
  async stop(): Promise<number> {
    if (!this.#isRunning()) return this.#child?.exitCode ?? 0;
    const exited = once(this.#child!, "exit");
    this.#child!.kill("SIGTERM");
    const [code] = await exited;
    return code as number;
  }

  #isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  /** Keeps running when this process ends. */
  release(): void {
    this.#child!.unref();
  }

  /** The first log line from `from` on that fits, or the next one. */
  async logged(fits: (line: LogLine) => boolean, from: number): Promise<LogLine> {
    for (;;) {
      const found = this.log.slice(from).find(fits);
      if (found) return found;
      await withTimeout(new Promise<void>((resolve) => this.#waiting.add(resolve)), "a line of the log");
    }
  }

  async #ready(): Promise<void> {
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (performance.now() < deadline) {
      const ready = await fetch(`${this.url}/readyz`).then(
        (response) => response.ok,
        () => false,
      );
      if (ready && this.tokens.size > 0) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`the node was not ready within ${START_TIMEOUT_MS} ms:\n${this.#tail()}`);
  }

  #token(line: string): void {
    const [user, scheme, token] = line.split(" ");
    if (user && scheme === "Bearer" && token) this.tokens.set(user, `Bearer ${token}`);
  }

  #logged(line: string): void {
    try {
      this.log.push(JSON.parse(line) as LogLine);
    } catch {
      this.log.push({ msg: line });
    }
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  #tail(): string {
    return this.log
      .slice(-20)
      .map((line) => JSON.stringify(line))
      .join("\n");
  }
}

const WAIT_MS = 20_000;

export async function withTimeout<T>(work: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${WAIT_MS} ms for ${what}`)), WAIT_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
