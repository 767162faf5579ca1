import type { Answer, FunctionQuestion, Json } from "../ports.ts";
import { ServiceCallFailed } from "./service-call-failed.ts";

/** What a service says: `{ value }`, `{ ok: true }`, `{ ok: false, reason }`, or an error. No body at all is a yes to an action. */
export interface ServiceReply {
  readonly value?: Json;
  readonly ok?: boolean;
  readonly reason?: string;
  readonly error?: string;
  readonly retryable?: boolean;
}

/** @throws {ServiceCallFailed} for an error, and for what is no JSON. */
export function parseReply(service: string, text: string): ServiceReply {
  const reply = text === "" ? {} : parseJson(service, text);
  if (reply.error !== undefined) throw new ServiceCallFailed(reply.error, reply.retryable ? "failed" : "refused");
  return reply;
}

function parseJson(service: string, text: string): ServiceReply {
  try {
    return JSON.parse(text) as ServiceReply;
  } catch {
    throw new ServiceCallFailed(`the service \`${service}\` answered something that is not JSON`, "refused");
  }
}

export function toAnswer({ kind, name }: FunctionQuestion, reply: ServiceReply): Answer {
  if (kind === "people" && Array.isArray(reply.value)) return { people: reply.value.map(String) };
  if (kind === "value" && reply.value !== undefined) return { value: reply.value };
  if (kind === "guard" && typeof reply.value === "boolean") return { ok: reply.value };
  if (reply.ok !== undefined) return { ok: reply.ok, ...(reply.reason !== undefined && { reason: reply.reason }) };
  return { failed: `\`${name}\` answered in a form that a ${kind} does not have`, retryable: false };
}
