import type { Json, Needs, Refusal, RefusalCode } from "./types.ts";

/** Why a command does not go on: the engine says no, or has to know more first. */
export type Stop = Refusal | Needs;

/** @param message what, why, what to do; user input in backticks. */
export function refuse(
  code: RefusalCode,
  message: string,
  details?: { readonly [name: string]: Json },
  more?: Pick<Refusal, "fields" | "retryable" | "retryAfterMs">,
): Refusal {
  const refusal: Refusal = { kind: "refused", code, message, ...more };
  return details ? { ...refusal, details } : refusal;
}

export type Fault = NonNullable<Refusal["fields"]>[number];

/** One refusal for all faults of a payload; its code is that of the first. */
export function refusePayload(faults: readonly Fault[]): Refusal {
  const message = faults.map((fault) => fault.message).join(" ");
  return refuse(faults[0]!.code, message, undefined, { fields: faults });
}
