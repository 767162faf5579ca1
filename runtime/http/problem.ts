import type { Refusal, RefusalCode } from "../../engine/index.ts";
import { DeadlinePassed } from "../commands.ts";
import { IdentityUnavailable } from "../identity.ts";
import { MissingKey } from "../key-ring.ts";
import { StoreUnavailable, UnknownCursor } from "../ports.ts";
import { TooOften } from "../tenants/quotas.ts";
import { Overloaded } from "../turn.ts";

/** A fault of one field of a body or a query. */
export interface FieldError {
  readonly field: string;
  readonly code: string;
  readonly message: string;
}

/** Why a request has no answer, as RFC 9457 (`application/problem+json`) tells it. */
export interface Problem {
  readonly kind: "problem";
  readonly status: number;
  /** Stable, for programs: a refusal's code or one of the codes below. */
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly FieldError[];
  /** What a program may want to know of a refusal. */
  readonly details?: Refusal["details"];
  /** Id of the instance that it is about. */
  readonly instance?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type ProblemCode =
  | "malformed-body"
  | "malformed-header"
  | "unknown-cursor"
  | "unauthenticated"
  | "not-authorized"
  | "not-found"
  | "pruned"
  | "method-not-allowed"
  | "body-too-large"
  | "unsupported-media-type"
  | "internal"
  | "not-ready"
  | "overloaded"
  | "deadline-passed"
  | "too-often"
  | "identity-unavailable"
  | "key-missing"
  | "store-unavailable"
  | "no-such-target"
  | "hook-refused"
  | "not-accepted"
  | "unknown-field"
  | "missing-field"
  | "wrong-type";

const RETRY_AFTER_SECONDS = "1";
const TOO_OFTEN_RETRY_AFTER_SECONDS = "60";

export function problem(
  status: number,
  code: ProblemCode,
  detail: string,
  more?: Pick<Problem, "errors" | "headers">,
): Problem {
  return { kind: "problem", status, code, detail, ...more };
}

/** The same whether the thing does not exist or the caller may not see it. */
export function notFound(what: string, id: string): Problem {
  return problem(404, "not-found", `there is no ${what} \`${id}\` that you may see`);
}

/** Statuses of refusals that are not 409. */
const REFUSAL_STATUS: Partial<Record<RefusalCode, number>> = {
  "not-authorized": 403,
  "tenant-mismatch": 403,
  "version-conflict": 412,
  "unknown-field": 422,
  "wrong-type": 422,
  "missing-field": 422,
  "id-reused": 422,
  "too-often": 429,
};

export function refusalProblem(refusal: Refusal, instance?: string): Problem {
  const { code, message, details, fields, retryable, retryAfterMs } = refusal;
  const away = code === "function-failed" && retryable === true;
  const status = away ? 503 : (REFUSAL_STATUS[code] ?? 409);
  const headers = away ? retryAfter(retryAfterMs) : status === 429 ? RETRY_LATER : undefined;
  return {
    kind: "problem",
    status,
    code,
    detail: message,
    ...(fields && { errors: fields }),
    ...(details && { details }),
    ...(instance !== undefined && { instance }),
    ...(headers && { headers }),
  };
}

const RETRY_SOON = { "Retry-After": RETRY_AFTER_SECONDS };
const RETRY_LATER = { "Retry-After": TOO_OFTEN_RETRY_AFTER_SECONDS };

/** In whole seconds, at least one. */
const retryAfter = (ms = 0) => ({ "Retry-After": String(Math.max(Math.ceil(ms / 1_000), 1)) });

/** The problem that an expected error stands for; `undefined`: the error is a bug. */
export function problemOf(error: unknown): Problem | undefined {
  if (error instanceof StoreUnavailable) {
    const detail = "the store can't take it now, nothing was changed; send it again in a moment";
    return problem(503, "store-unavailable", detail, { headers: RETRY_SOON });
  }
  if (error instanceof TooOften) {
    return problem(429, "too-often", error.message, { headers: retryAfter(error.retryAfterMs) });
  }
  if (error instanceof IdentityUnavailable) {
    const detail = "the identity provider can't be asked now; send it again in a moment";
    return problem(503, "identity-unavailable", detail, { headers: RETRY_SOON });
  }
  if (error instanceof Overloaded) {
    const detail = "too many commands are waiting, nothing was changed; send it again in a moment";
    return problem(503, "overloaded", detail, { headers: retryAfter(error.retryAfterMs) });
  }
  if (error instanceof DeadlinePassed) return problem(504, "deadline-passed", error.message);
  if (error instanceof MissingKey) return problem(503, "key-missing", error.message, { headers: RETRY_SOON });
  return error instanceof UnknownCursor ? problem(400, "unknown-cursor", error.message) : undefined;
}

/** The problem as its JSON text. */
export function problemText({ code, status, detail, errors, details, instance }: Problem, traceId: string): string {
  return JSON.stringify({
    type: `urn:assent:problem:${code}`,
    title: titleOf(code),
    status,
    detail,
    code,
    instance: instance === undefined ? undefined : `/v1/instances/${encodeURIComponent(instance)}`,
    errors,
    details,
    traceId,
  });
}

/** `not-your-task` → `Not your task`. */
function titleOf(code: string): string {
  const words = code.replaceAll("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
