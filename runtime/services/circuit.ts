/**
 * Whether a service that keeps failing is asked at all. Closed: asked. Open: not asked for a while, longer each time. Half
 * open: one call tries it; its end closes or opens the circuit.
 */
export type Circuit =
  | { readonly kind: "closed"; readonly failures: number }
  | { readonly kind: "open"; readonly untilMs: number; readonly openings: number }
  | { readonly kind: "half-open"; readonly untilMs: number; readonly openings: number };

/** Failures one after the other that open a circuit. */
export const FAILURES_MAX = 5;
export const OPEN_BASE_MS = 1_000;
export const OPEN_MAX_MS = 30_000;
/** A try that has not ended after this counts as lost: the next one may begin. */
const TRIAL_MAX_MS = 60_000;

export const CLOSED: Circuit = { kind: "closed", failures: 0 };

/** @returns 0 if a call may be made now, else after how many milliseconds. */
export const waitMs = (circuit: Circuit, nowMs: number): number =>
  circuit.kind === "closed" ? 0 : Math.max(circuit.untilMs - nowMs, 0);

/** A call that may be made begins. */
export function begun(circuit: Circuit, nowMs: number): Circuit {
  if (circuit.kind === "closed") return circuit;
  return { kind: "half-open", openings: circuit.openings, untilMs: nowMs + TRIAL_MAX_MS };
}

/** The service answered, be it with a no. */
export const succeeded = (circuit: Circuit): Circuit =>
  circuit.kind === "closed" && circuit.failures === 0 ? circuit : CLOSED;

/** It did not answer in time, or said that it could not. */
export function failed(circuit: Circuit, nowMs: number): Circuit {
  if (circuit.kind === "closed") {
    const failures = circuit.failures + 1;
    return failures < FAILURES_MAX ? { kind: "closed", failures } : opened(1, nowMs);
  }
  // One of the calls that were under way when it opened.
  if (circuit.kind === "open") return circuit;
  return opened(circuit.openings + 1, nowMs);
}

/** Nobody was there, or the request was not sent: says nothing of the service. The next call may try it. */
export const notReached = (circuit: Circuit, nowMs: number): Circuit =>
  circuit.kind === "half-open" ? { kind: "open", openings: circuit.openings, untilMs: nowMs } : circuit;

const opened = (openings: number, nowMs: number): Circuit => ({
  kind: "open",
  openings,
  untilMs: nowMs + Math.min(OPEN_BASE_MS * 2 ** (openings - 1), OPEN_MAX_MS),
});
