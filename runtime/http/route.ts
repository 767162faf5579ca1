import type { z } from "zod";
import type { Caller, HttpPorts } from "./ports.ts";
import type { Problem } from "./problem.ts";

/** A row of the route table: what the router, the reading of requests and `/openapi.json` are made from. */
export type Route = PublicRoute | CallerRoute;

interface RouteBase {
  readonly method: "get" | "post";
  /** As OpenAPI writes it: `/v1/instances/{id}`. */
  readonly path: string;
  readonly summary: string;
  /** What comes back when all is well, by status. */
  readonly answers: Readonly<Record<number, string>>;
}

/** For anybody; reads the request by itself. */
export interface PublicRoute extends RouteBase {
  readonly access: "public";
  handle(request: PublicRequest): Promise<Answer | Problem>;
}

/** For people and machines with an identity; `admin`: with the right to see everything of the tenant. */
export interface CallerRoute extends RouteBase {
  readonly access: "caller" | "admin";
  readonly body?: z.ZodType;
  readonly query: z.ZodType;
  handle(call: Call): Promise<Answer | Problem>;
}

export interface PublicRequest {
  readonly ports: HttpPorts;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readBody(): Promise<Buffer | Problem>;
}

export interface Call<Body = unknown, Query = unknown> {
  readonly ports: HttpPorts;
  readonly caller: Caller;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: Body;
  /** The empty text if the request has no such header. */
  header(name: string): string;
}

export interface Answer {
  readonly kind: "answer";
  readonly status: number;
  readonly type: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

export function json(status: number, value: unknown, headers?: Readonly<Record<string, string>>): Answer {
  const answer = {
    kind: "answer",
    status,
    type: "application/json; charset=utf-8",
    body: JSON.stringify(value),
  } as const;
  return headers ? { ...answer, headers } : answer;
}

export function plain(status: number, body: string, type = "text/plain; charset=utf-8"): Answer {
  return { kind: "answer", status, type, body };
}

type Handle<Body, Query> = (call: Call<Body, Query>) => Promise<Answer | Problem>;

/** A row whose handler gets body and query as their shapes say. */
export function route<Query extends z.ZodType, Body extends z.ZodType = z.ZodUndefined>(
  row: Omit<CallerRoute, "handle" | "body" | "query"> & {
    readonly query: Query;
    readonly body?: Body;
    readonly handle: Handle<z.infer<Body>, z.infer<Query>>;
  },
): CallerRoute {
  // What `handle` gets has been read by these very shapes.
  return row as unknown as CallerRoute;
}
