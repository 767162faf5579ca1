import { Worker } from "node:worker_threads";
import type { RenderFailure, Rendering, TemplateData } from "./render.ts";
import type { RenderRequest } from "./render-worker.ts";
import type { PreparedTemplate } from "./template.ts";

/** Renders off the main loop: a contract takes some ten milliseconds of processor time. */
export interface Renderer {
  /** Never rejects for what a template or its data can cause; that is a {@link RenderFailure}. */
  render(template: PreparedTemplate, data: TemplateData): Promise<Rendering>;
  /** Ends the threads. What waits or runs fails with `closed`. */
  close(): Promise<void>;
}

export interface RendererOptions {
  /** How many documents are rendered at a time, default 1. A thread starts with its first document. */
  readonly threads?: number;
  /** After this long a thread is taken for stuck and replaced, default 10,000. */
  readonly timeoutMs?: number;
  /** Heap of one thread in MiB, default 256. */
  readonly memoryMbMax?: number;
  /** What the threads run; for tests. */
  readonly worker?: URL;
}

/** Documents that may wait for a thread; more are refused with `busy`. */
const WAITING_MAX = 10_000;
/** Templates that a thread keeps; it is sent an older one anew. */
const TEMPLATES_KEPT_MAX = 64;
/** Beside this file, under the extension this file has: `.ts` in the sources, `.js` in the package. */
const WORKER = new URL(`./render-worker${import.meta.url.slice(import.meta.url.lastIndexOf("."))}`, import.meta.url);

interface Job {
  readonly template: PreparedTemplate;
  readonly data: TemplateData;
  readonly settle: (rendering: Rendering | Promise<Rendering>) => void;
}

export function createRenderer(options: RendererOptions = {}): Renderer {
  const threads = Array.from({ length: options.threads ?? 1 }, () => createThread(options));
  const waiting: Job[] = [];
  let closed = false;

  const startWaiting = () => {
    for (const thread of threads) {
      if (thread.isBusy()) continue;
      const job = waiting.shift();
      if (job === undefined) return;
      const rendering = thread.render(job.template, job.data);
      job.settle(rendering);
      rendering.then(startWaiting, startWaiting);
    }
  };
  return {
    render(template, data) {
      if (closed) return Promise.resolve(CLOSED);
      if (waiting.length >= WAITING_MAX) return Promise.resolve(failed("busy", `${WAITING_MAX} documents are waiting`));
      const { promise, resolve } = Promise.withResolvers<Rendering>();
      waiting.push({ template, data, settle: resolve });
      startWaiting();
      return promise;
    },
    async close() {
      closed = true;
      for (const job of waiting.splice(0)) job.settle(CLOSED);
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

interface Thread {
  isBusy(): boolean;
  render(template: PreparedTemplate, data: TemplateData): Promise<Rendering>;
  close(): Promise<void>;
}

/** One worker thread and its replacements. */
function createThread({ timeoutMs = 10_000, memoryMbMax = 256, worker: file = WORKER }: RendererOptions): Thread {
  let worker: Worker | undefined;
  let kept: string[] = [];
  let finish: ((rendering: Rendering) => void) | undefined;

  /** Ends what runs; a thread that failed is not used again. */
  const abandon = (failure: RenderFailure) => {
    const old = worker;
    worker = undefined;
    finish?.(failure);
    return old?.terminate();
  };
  const start = (): Worker => {
    const started = new Worker(file, { resourceLimits: { maxOldGenerationSizeMb: memoryMbMax } });
    kept = [];
    const ifCurrent = (then: () => void) => (worker === started ? then() : undefined);
    started.on("message", (rendering: Rendering) => ifCurrent(() => finish?.(rendering)));
    started.on("error", (cause) => ifCurrent(() => void abandon(failureOf(cause, memoryMbMax))));
    started.on("exit", () => ifCurrent(() => void abandon(failed("render-failed", "the rendering thread ended"))));
    return started;
  };
  return {
    isBusy: () => finish !== undefined,
    render(template, data) {
      worker ??= start();
      const request = requestFor(template, data, kept);
      worker.postMessage(request);
      kept = [...kept.filter((hash) => hash !== template.hash && hash !== request.forget), template.hash];
      worker.ref();
      const { promise, resolve } = Promise.withResolvers<Rendering>();
      const tooSlow = failed("too-slow", `rendering \`${template.name}\` took longer than ${timeoutMs} ms`);
      const timer = setTimeout(() => void abandon(tooSlow), timeoutMs);
      finish = (rendering) => {
        clearTimeout(timer);
        finish = undefined;
        worker?.unref(); // An idle thread does not keep the process alive.
        resolve(rendering);
      };
      return promise;
    },
    async close() {
      await abandon(CLOSED);
    },
  };
}

/** Sends the template along if the thread doesn't have it, and names the one used longest ago if it has too many. */
function requestFor(template: PreparedTemplate, data: TemplateData, kept: readonly string[]): RenderRequest {
  if (kept.includes(template.hash)) return { hash: template.hash, data };
  const forget = kept.length >= TEMPLATES_KEPT_MAX ? kept[0] : undefined;
  return { hash: template.hash, data, template, ...(forget === undefined ? {} : { forget }) };
}

const CLOSED = failed("closed", "the renderer was closed");

function failureOf(cause: unknown, memoryMbMax: number): RenderFailure {
  const message = cause instanceof Error ? cause.message : String(cause);
  const isMemory = cause instanceof Error && "code" in cause && cause.code === "ERR_WORKER_OUT_OF_MEMORY";
  return isMemory
    ? failed("out-of-memory", `rendering took more than ${memoryMbMax} MiB`)
    : failed("render-failed", message);
}

function failed(code: RenderFailure["code"], message: string): RenderFailure {
  return { kind: "failed", code, message };
}
