import { problem } from "./problem.ts";
import { json, type PublicRequest, type PublicRoute, plain } from "./route.ts";

const PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8";
const HOOK_PATH = "/hooks/wecom/{app}";

/** What needs no identity: WeCom proves itself by its signature, the rest tells how the node is. */
export const publicRoutes: readonly PublicRoute[] = [
  {
    method: "post",
    path: HOOK_PATH,
    summary: "WeCom's callbacks",
    access: "public",
    answers: { 200: "Taken, or authentic but not ours" },
    handle: (request) => hook(request, "POST"),
  },
  {
    method: "get",
    path: HOOK_PATH,
    summary: "WeCom's check of the URL",
    access: "public",
    answers: { 200: "The decrypted echo" },
    handle: (request) => hook(request, "GET"),
  },
  {
    method: "get",
    path: "/healthz",
    summary: "The node lives",
    access: "public",
    answers: { 200: "It does" },
    handle: async ({ ports: { bus } }) =>
      json(200, { status: "ok", bus: { kind: bus.kind, connected: bus.connected } }),
  },
  {
    method: "get",
    path: "/readyz",
    summary: "The node can take work",
    access: "public",
    answers: { 200: "It can" },
    handle: async ({ ports }) => {
      const missing = ports.readiness();
      return missing === undefined ? json(200, { status: "ready" }) : problem(503, "not-ready", missing);
    },
  },
  {
    method: "get",
    path: "/metrics",
    summary: "Figures for Prometheus",
    access: "public",
    answers: { 200: "Text exposition format" },
    handle: async ({ ports }) => plain(200, await ports.metrics(), PROMETHEUS_TEXT),
  },
];

async function hook({ ports, params, query, readBody }: PublicRequest, method: "GET" | "POST") {
  const body = method === "GET" ? Buffer.alloc(0) : await readBody();
  if (!Buffer.isBuffer(body)) return body;
  const { status, body: text, reason } = await ports.wecom(params["app"]!, { method, query, body });
  if (status < 400) return plain(status, text);
  const headers = status === 503 ? { "Retry-After": "1" } : {};
  return problem(status, "hook-refused", reason ?? "the callback can't be taken", { headers });
}
