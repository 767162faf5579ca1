import { parentPort } from "node:worker_threads";
import { renderTemplate, type TemplateData } from "./render.ts";
import type { PreparedTemplate } from "./template.ts";

/** What a rendering thread is asked, one at a time; it answers with a `Rendering`. */
export interface RenderRequest {
  readonly hash: string;
  readonly data: TemplateData;
  /** With the first request for this hash. */
  readonly template?: PreparedTemplate;
  /** Hash of a template that is no longer needed. */
  readonly forget?: string;
}

const templates = new Map<string, PreparedTemplate>();

parentPort?.on("message", async ({ hash, data, template, forget }: RenderRequest) => {
  if (forget !== undefined) templates.delete(forget);
  if (template !== undefined) templates.set(hash, template);
  const rendering = await renderTemplate(templates.get(hash)!, data);
  parentPort?.postMessage(rendering, rendering.kind === "rendered" ? [rendering.bytes.buffer] : []);
});
