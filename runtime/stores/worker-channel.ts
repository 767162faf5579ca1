import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { StoreUnavailable, UnusableStore } from "../ports.ts";

/** What a worker answers to one call. */
export type Reply = { readonly call: number } & (
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "failed"; readonly message: string; readonly why: Why }
);

/** `unavailable`: it may go better later. `unusable`: it will not, see {@link UnusableStore}. `wrong`: our own mistake. */
type Why = "unavailable" | "unusable" | "wrong";

export interface Call<Request> {
  readonly call: number;
  readonly request: Request;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** What crosses lives for milliseconds; without a limit a worker takes far more before it collects. */
const WORKER_MEMORY = { maxYoungGenerationSizeMb: 12 } as const;

/** Calls into a worker thread by numbered messages; answers come in batches. The worker's first answer, to call 0, says that it is ready. */
export class WorkerChannel<Request> {
  readonly ready: Promise<void>;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;
  #gone: Error | undefined;

  /** @param name of a module beside this one, without suffix: `.ts` in the sources, `.js` when built. */
  constructor(name: string, workerData: unknown) {
    const script = new URL(`./${name}${extname(import.meta.url)}`, import.meta.url);
    this.#worker = new Worker(script, { workerData, execArgv: [], resourceLimits: WORKER_MEMORY });
    this.#worker.on("message", (replies: readonly Reply[]) => this.#settle(replies));
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", () => this.#fail(new StoreUnavailable("the store is closed")));
    this.ready = this.#wait(0) as Promise<void>;
  }

  /** @throws {StoreUnavailable} if the worker says so or is gone. */
  call(request: Request): Promise<unknown> {
    if (this.#gone) return Promise.reject(this.#gone);
    const call = ++this.#calls;
    this.#worker.postMessage({ call, request } satisfies Call<Request>);
    return this.#wait(call);
  }

  /** Answers what was asked before, then ends the worker. */
  async close(): Promise<void> {
    if (this.#gone) return;
    this.#gone = new StoreUnavailable("the store is closed");
    const ended = new Promise<void>((resolve) => this.#worker.once("exit", () => resolve()));
    this.#worker.postMessage("close");
    await ended;
  }

  #wait(call: number): Promise<unknown> {
    return new Promise((resolve, reject) => this.#waiting.set(call, { resolve, reject }));
  }

  #settle(replies: readonly Reply[]): void {
    for (const reply of replies) {
      const waiting = this.#waiting.get(reply.call);
      this.#waiting.delete(reply.call);
      if (reply.kind === "value") waiting?.resolve(reply.value);
      else waiting?.reject(errorOf(reply));
    }
  }

  #fail(cause: unknown): void {
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.#gone ??= new StoreUnavailable(`the store's worker ended: ${reason}`, { cause });
    for (const waiting of this.#waiting.values()) waiting.reject(this.#gone);
    this.#waiting.clear();
  }
}

export function errorOf({ why, message }: Extract<Reply, { kind: "failed" }>): Error {
  if (why === "unavailable") return new StoreUnavailable(message);
  return why === "unusable" ? new UnusableStore(message) : new Error(message);
}

/** SQLite's primary result codes that mean "not now": busy, locked, out of memory, read-only, I/O, corrupt, full, can't open. */
const UNAVAILABLE = new Set([5, 6, 7, 8, 10, 11, 13, 14]);

/** Inside a worker: the answer that tells what went wrong. @see https://sqlite.org/rescode.html */
export function failure(call: number, error: unknown, what?: string): Reply {
  const reason = error instanceof Error ? error.message : String(error);
  const message = what === undefined || reason.includes(what) ? reason : `${what}: ${reason}`;
  const why = isUnavailable(error) ? "unavailable" : error instanceof UnusableStore ? "unusable" : "wrong";
  return { call, kind: "failed", message, why };
}

export function isUnavailable(error: unknown): boolean {
  return error instanceof StoreUnavailable || UNAVAILABLE.has(resultCodeOf(error) ?? 0);
}

/** The content itself is damaged, or no database at all: SQLITE_CORRUPT, SQLITE_NOTADB. */
export const isDamaged = (error: unknown): boolean => [11, 26].includes(resultCodeOf(error) ?? 0);

function resultCodeOf(error: unknown): number | undefined {
  return error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : undefined;
}
