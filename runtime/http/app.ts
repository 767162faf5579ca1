import { randomUUID } from "node:crypto";
import Router, { type RouterContext } from "@koa/router";
import Koa, { type Context, type Next } from "koa";
import { readBody, readJson } from "./body.ts";
import { busRoutes } from "./bus-routes.ts";
import { commandRoutes } from "./command-routes.ts";
import { effectRoutes } from "./effect-routes.ts";
import { lookRoutes } from "./look-routes.ts";
import { openApi } from "./openapi.ts";
import type { HttpPorts } from "./ports.ts";
import { type Problem, problem, problemOf, problemText } from "./problem.ts";
import { publicRoutes } from "./public-routes.ts";
import { type Answer, type CallerRoute, type PublicRoute, plain, type Route } from "./route.ts";
import { noQuery, readShape } from "./shapes.ts";

/** W3C Trace Context: version, trace id, parent id, flags. */
const TRACEPARENT = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/;
/** A client that went away while it was answered. */
const GONE = new Set(["ERR_STREAM_PREMATURE_CLOSE", "ECONNRESET", "EPIPE"]);

/** The HTTP interface of a node. Requests are read, decided by `ports` and answered; nothing is kept here. */
export function createHttpApp(ports: HttpPorts): Koa {
  const others: Route[] = [...busRoutes, ...effectRoutes, ...lookRoutes, ...publicRoutes];
  const description = JSON.stringify(openApi([...commandRoutes, ...others]));
  const routers = [commandRoutes, [...others, descriptionRoute(description)]].map((rows) => routerOf(rows, ports));
  const app = new Koa();
  app.on("error", (error: NodeJS.ErrnoException) => {
    if (!GONE.has(error.code ?? "")) ports.log.warn({ err: error }, "an answer could not be sent");
  });
  app.use((ctx, next) => answerAlways(ctx, next, ports));
  for (const router of routers) app.use(router.routes());
  app.use(routers.at(-1)!.allowedMethods());
  return app;
}

/** A router tries all of its rows for every request; so commands, of which there are most, have one of their own. */
function routerOf(rows: readonly Route[], ports: HttpPorts): Router {
  const router = new Router();
  for (const route of rows) {
    router[route.method](routerPath(route.path), (ctx: RouterContext) => serve(route, ports, ctx));
  }
  return router;
}

const routerPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ":$1");

const descriptionRoute = (text: string): PublicRoute => ({
  method: "get",
  path: "/openapi.json",
  summary: "This description",
  access: "public",
  answers: { 200: "OpenAPI 3.1" },
  handle: async () => plain(200, text, "application/json; charset=utf-8"),
});

/** Whatever happens, the request has a trace id and an answer, and errors are problems. */
async function answerAlways(ctx: Context, next: Next, ports: HttpPorts): Promise<void> {
  const traceId = traceIdOf(ctx.req.headers["traceparent"]) ?? randomUUID().replaceAll("-", "");
  ctx.res.setHeader("x-trace-id", traceId);
  try {
    await next();
    if (ctx.body === undefined && ctx.status >= 400) sendProblem(ctx, unrouted(ctx), traceId);
  } catch (error) {
    const expected = problemOf(error);
    if (!expected) ports.log.error({ err: error, traceId, method: ctx.method, path: ctx.path }, "a request failed");
    sendProblem(ctx, expected ?? INTERNAL, traceId);
  }
}

function traceIdOf(traceparent: string | string[] | undefined): string | undefined {
  return typeof traceparent === "string" ? TRACEPARENT.exec(traceparent)?.[1] : undefined;
}

const INTERNAL = problem(500, "internal", "something went wrong here; the log has more under this trace id");

function unrouted(ctx: Context): Problem {
  if (ctx.status === 404) return problem(404, "not-found", `there is nothing at \`${ctx.path}\``);
  return problem(405, "method-not-allowed", `\`${ctx.path}\` can't be asked with ${ctx.method}`);
}

async function serve(route: Route, ports: HttpPorts, ctx: RouterContext): Promise<void> {
  const answer =
    route.access === "public" ? await servePublic(route, ports, ctx) : await serveCaller(route, ports, ctx);
  if (answer.kind === "problem") sendProblem(ctx, answer, ctx.response.get("x-trace-id"));
  else send(ctx, answer);
}

function servePublic(route: PublicRoute, ports: HttpPorts, ctx: RouterContext): Promise<Answer | Problem> {
  const { params } = ctx;
  return route.handle({
    ports,
    params,
    query: new URLSearchParams(ctx.querystring),
    readBody: () => readBody(ctx.req),
  });
}

async function serveCaller(route: CallerRoute, ports: HttpPorts, ctx: RouterContext): Promise<Answer | Problem> {
  const authorization = ctx.req.headers.authorization;
  const caller = await ports.identify(authorization);
  if (!caller) return unauthenticated(authorization);
  if (route.access === "admin" && !ports.isAdmin(caller)) {
    return problem(403, "not-authorized", "this is for administrators");
  }
  const query = readQuery(route, ctx);
  if ("kind" in query) return query;
  const body = await readRouteBody(route, ctx);
  if ("kind" in body) return body;
  return route.handle({
    ports,
    caller,
    params: ctx.params,
    query: query.value,
    body: body.value,
    header: (name) => ctx.get(name),
  });
}

const NOTHING_ASKED = { value: {} };

/** Commands have no query, which is seen without reading it as a shape. */
function readQuery({ query }: CallerRoute, ctx: RouterContext): { readonly value: unknown } | Problem {
  if (query === noQuery && !ctx.req.url!.includes("?")) return NOTHING_ASKED;
  return readShape(query, ctx.query, 400);
}

async function readRouteBody(
  { body }: CallerRoute,
  ctx: RouterContext,
): Promise<{ readonly value: unknown } | Problem> {
  if (!body) return { value: undefined };
  const read = await readJson(ctx.req);
  return "kind" in read ? read : readShape(body, read.json, 422);
}

function unauthenticated(authorization: string | undefined): Problem {
  const challenge = authorization === undefined ? "Bearer" : 'Bearer error="invalid_token"';
  return problem(401, "unauthenticated", "send a valid token: `Authorization: Bearer …`", {
    headers: { "WWW-Authenticate": challenge },
  });
}

function send(ctx: RouterContext, { status, type, body, headers }: Answer): void {
  ctx.status = status;
  for (const name in headers) ctx.res.setHeader(name, headers[name]!);
  ctx.res.setHeader("Content-Type", type);
  ctx.body = body;
  if (ctx.method === "GET" && headers?.["ETag"] !== undefined && ctx.fresh) ctx.status = 304;
}

function sendProblem(ctx: Context | RouterContext, problem: Problem, traceId: string): void {
  ctx.status = problem.status;
  if (problem.headers) ctx.set(problem.headers);
  ctx.set("Content-Type", "application/problem+json; charset=utf-8");
  ctx.body = problemText(problem, traceId);
}
