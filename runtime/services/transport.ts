import { serviceSubject } from "../bus/subjects.ts";
import { signalled } from "../clock.ts";
import type { Bus, Carried, Clock, Headers } from "../ports.ts";
import type { Endpoint } from "./choice.ts";
import { ServiceCallFailed } from "./service-call-failed.ts";

/** How a request reaches a service, and what its answer means for another try. */

export interface Outgoing extends Pick<Carried, "traceparent" | "tag"> {
  readonly function: string;
  /** Becomes `Idempotency-Key` or `Nats-Msg-Id`. */
  readonly key: string;
  readonly body: string;
  readonly timeoutMs: number;
}

export interface Ways {
  readonly bus: Pick<Bus, "request">;
  readonly clock: Clock;
}

/** @returns the body of the answer. @throws {ServiceCallFailed} */
export function send({ service, url, instance }: Endpoint, request: Outgoing, { bus, clock }: Ways): Promise<string> {
  if (url !== undefined) return overHttp(url, request, clock);
  return overBus(bus, service, subjectOf(service, request.function, instance), request);
}

async function overHttp(url: string, request: Outgoing, clock: Clock): Promise<string> {
  const { function: name, key, body, timeoutMs } = request;
  try {
    return await signalled(clock, timeoutMs, async (signal) => {
      const response = await fetch(`${url}/${encodeURIComponent(name)}`, {
        method: "POST",
        headers: { "content-type": "application/json", "Idempotency-Key": key, ...headersOf(request) },
        body,
        signal,
      });
      const text = await response.text();
      if (response.ok) return text;
      throw statusFailure(response);
    });
  } catch (error) {
    throw error instanceof ServiceCallFailed ? error : fetchFailure(error);
  }
}

function statusFailure({ status, headers }: Response): ServiceCallFailed {
  const how = isFinal(status) ? "refused" : GATEWAY.has(status) ? "away" : "failed";
  const retryAfterMs = millisecondsOf(headers.get("Retry-After"));
  return new ServiceCallFailed(`the service answered ${status}`, how, { retryAfterMs });
}

/** Errors of a connection that was never made. */
const NOT_CONNECTED = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);

/** `fetch failed` alone tells nobody why. */
function fetchFailure(error: unknown): ServiceCallFailed {
  const { cause = error } = error as { readonly cause?: unknown };
  const { code = "" } = cause as { readonly code?: string };
  return new ServiceCallFailed(messageOf(cause), "away", NOT_CONNECTED.has(code) ? {} : { missed: "no-answer" });
}

async function overBus(bus: Ways["bus"], service: string, subject: string, request: Outgoing): Promise<string> {
  const headers = { "Nats-Msg-Id": request.key, ...headersOf(request) };
  try {
    return await bus.request(subject, request.body, { headers, timeoutMs: request.timeoutMs });
  } catch (error) {
    throw busFailure(error, service);
  }
}

function subjectOf(service: string, name: string, instance: string | undefined): string {
  try {
    return serviceSubject({ service, function: name, ...(instance !== undefined && { instance }) });
  } catch (error) {
    throw new ServiceCallFailed(messageOf(error), "refused");
  }
}

function headersOf({ traceparent, tag }: Pick<Carried, "traceparent" | "tag">): Headers {
  return { ...(traceparent !== undefined && { traceparent }), ...(tag !== undefined && { "X-Gray-Tag": tag }) };
}

/** Nobody there, no reply in time, no connection: it may be there later. An error of the service's own says so itself. */
function busFailure(error: unknown, service: string): ServiceCallFailed {
  if (!(error instanceof Error)) return new ServiceCallFailed(String(error), "away");
  switch (error.name) {
    case "NoResponders":
      return new ServiceCallFailed(`no service \`${service}\` is there`, "away");
    case "NotSendable":
      return new ServiceCallFailed(error.message, "refused");
    case "ServiceFailed": {
      const retryAfterMs = millisecondsOf((error as { readonly headers?: Headers }).headers?.["Retry-After"]);
      return new ServiceCallFailed(error.message, saysFinal(error) ? "refused" : "failed", { retryAfterMs });
    }
    case "RequestTimedOut":
      return new ServiceCallFailed(error.message, "away", { missed: "no-answer" });
    case "BusUnavailable":
      return new ServiceCallFailed(error.message, "away", { missed: "not-sent" });
    default:
      return new ServiceCallFailed(error.message, "away");
  }
}

/** NATS' micro services answer errors with a code like HTTP's, and perhaps `retryable` in the body. */
function saysFinal(error: Error): boolean {
  const { code = "", body = "" } = error as { readonly code?: string; readonly body?: string };
  try {
    const { retryable } = JSON.parse(body) as { readonly retryable?: boolean };
    if (retryable !== undefined) return !retryable;
  } catch {
    // No JSON: the code alone tells.
  }
  return isFinal(Number(code));
}

/** Too early, too many, or in time: those of the 4xx that pass. */
const PASSING = new Set([408, 425, 429]);
const isFinal = (status: number): boolean => status >= 400 && status < 500 && !PASSING.has(status);
/** Something between us and the service says that it is not there. */
const GATEWAY = new Set([502, 503, 504]);

/** Of `Retry-After` in seconds; as a date it is not read. */
function millisecondsOf(retryAfter: string | null | undefined): number | undefined {
  return retryAfter && /^\d{1,5}$/.test(retryAfter) ? Number(retryAfter) * 1_000 : undefined;
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
