import { randomUUID } from "node:crypto";
import type { RequestListener } from "node:http";
import { Overloaded } from "../turn.ts";
import { problemOf, problemText } from "./problem.ts";

/** Turned away before anything of them is read: what asks for work of the journal. Reading, health and WeCom's hook go on. */
const SHED = /^\/v1\//;

/**
 * Answers requests that would wait too long with 503 and `Retry-After` before they cost anything.
 * @param turnedAwayForMs `undefined`: a command may come now.
 */
export function shedding(turnedAwayForMs: () => number | undefined, handler: RequestListener): RequestListener {
  return (request, response) => {
    const retryAfterMs = request.method === "POST" && SHED.test(request.url!) ? turnedAwayForMs() : undefined;
    if (retryAfterMs === undefined) return handler(request, response);
    const away = problemOf(new Overloaded("too many commands are waiting", retryAfterMs))!;
    const traceId = randomUUID().replaceAll("-", "");
    response.writeHead(away.status, {
      ...away.headers,
      "Content-Type": "application/problem+json; charset=utf-8",
      "x-trace-id": traceId,
    });
    response.end(problemText(away, traceId));
  };
}
