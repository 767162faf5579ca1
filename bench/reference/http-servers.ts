import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import Router from "@koa/router";
import Koa from "koa";
import type { Answer, Approvals, Decide, Purchase, Start } from "./approvals.ts";

/**
 * The hand-written approvals behind HTTP: once on Koa and its router, once on bare `node:http`. Both check the bearer
 * token, the size of the body and its form, and answer with the purchase and its version as ETag.
 */

const BODY_BYTES_MAX = 1_048_576;
/** Signs the tokens; a token is `USER.HMAC`. */
const SECRET = "reference";
const verified = new Map<string, string>();

export function tokenOf(user: string): string {
  return `${user}.${createHmac("sha256", SECRET).update(user).digest("base64url")}`;
}

/** Verified tokens are remembered. */
function userOf(authorization: string | undefined): string | undefined {
  if (!authorization?.startsWith("Bearer ")) return undefined;
  const known = verified.get(authorization);
  if (known !== undefined) return known;
  const token = authorization.slice("Bearer ".length);
  const user = token.slice(0, token.lastIndexOf("."));
  const [given, right] = [Buffer.from(token), Buffer.from(tokenOf(user))];
  if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
  verified.set(authorization, user);
  return user;
}

interface Response {
  readonly status: number;
  readonly body: string;
  readonly etag?: string;
}

const problem = (status: number, code: string): Response => ({ status, body: JSON.stringify({ status, code }) });

async function readJson(request: IncomingMessage): Promise<Record<string, unknown> | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  try {
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
    return typeof body === "object" && body !== null ? (body as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

async function start(
  approvals: Approvals,
  user: string,
  commandId: string,
  body: Record<string, unknown>,
): Promise<Response> {
  const payload = body["payload"] as Record<string, unknown> | undefined;
  const { title, amount, urgent = false } = payload ?? {};
  const { key } = body;
  if (typeof key !== "string" || key.length > 256) return problem(422, "wrong-type");
  return respond(await approvals.start({ commandId, key, initiator: user, title, amount, urgent } satisfies Start));
}

async function decide(
  approvals: Approvals,
  user: string,
  commandId: string,
  taskId: string,
  body: Record<string, unknown>,
): Promise<Response> {
  const { decision } = body;
  if (decision !== "approve" && decision !== "reject") return problem(422, "wrong-type");
  return respond(await approvals.decide({ commandId, taskId, actor: user, decision } satisfies Decide));
}

function respond(answer: Answer): Response {
  if (answer.kind === "refused")
    return problem(answer.code === "not-found" ? 404 : answer.code === "wrong-type" ? 422 : 409, answer.code);
  return {
    status: answer.created ? 201 : 200,
    body: JSON.stringify(view(answer.purchase)),
    etag: `"${answer.purchase.version}"`,
  };
}

function view(purchase: Purchase): object {
  const { key, initiator, title, amount, urgent, state, version, task, startedAt, updatedAt } = purchase;
  const [started, updated] = [new Date(startedAt).toISOString(), new Date(updatedAt).toISOString()];
  const data = { title, amount: `${amount} CNY`, urgent };
  return {
    id: key,
    flow: "bench-purchase",
    key,
    initiator,
    state,
    version,
    data,
    tasks: [task],
    startedAt: started,
    updatedAt: updated,
  };
}

export function koaServer(approvals: Approvals): Server {
  const router = new Router({ prefix: "/v1" });
  const route = (
    path: string,
    handle: (user: string, id: string, parameter: string, body: Record<string, unknown>) => Promise<Response>,
  ) =>
    router.post(path, async (ctx) => {
      const user = userOf(ctx.get("authorization"));
      const body = user === undefined ? undefined : await readJson(ctx.req);
      const parameter = ctx.params["of"]!;
      const response =
        user === undefined
          ? problem(401, "unauthorized")
          : body === undefined
            ? problem(400, "unreadable")
            : await handle(user, ctx.get("idempotency-key"), parameter, body);
      ctx.status = response.status;
      ctx.type = "application/json";
      if (response.etag !== undefined) ctx.set("ETag", response.etag);
      ctx.body = response.body;
    });
  route("/flows/:of/instances", (user, id, _flow, body) => start(approvals, user, id, body));
  route("/tasks/:of/decision", (user, id, task, body) => decide(approvals, user, id, task, body));
  const app = new Koa();
  app.use(router.routes()).use(router.allowedMethods());
  return createServer(app.callback());
}

const START = /^\/v1\/flows\/([^/]+)\/instances$/;
const DECISION = /^\/v1\/tasks\/([^/]+)\/decision$/;

export function bareServer(approvals: Approvals): Server {
  return createServer(async (request, response) => {
    const answer = await handleBare(approvals, request);
    const headers = {
      "content-type": "application/json; charset=utf-8",
      "content-length": Buffer.byteLength(answer.body),
    };
    response.writeHead(answer.status, answer.etag === undefined ? headers : { ...headers, etag: answer.etag });
    response.end(answer.body);
  });
}

async function handleBare(approvals: Approvals, request: IncomingMessage): Promise<Response> {
  const user = userOf(request.headers.authorization);
  if (user === undefined) return problem(401, "unauthorized");
  const body = await readJson(request);
  if (body === undefined) return problem(400, "unreadable");
  const id = String(request.headers["idempotency-key"] ?? "");
  if (START.test(request.url!)) return start(approvals, user, id, body);
  const task = DECISION.exec(request.url!)?.[1];
  return task === undefined ? problem(404, "not-found") : decide(approvals, user, id, decodeURIComponent(task), body);
}
