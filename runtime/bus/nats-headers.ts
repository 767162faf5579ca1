import type { MsgHdrs } from "nats";
import type { Headers } from "../ports.ts";

/** Of several values under one name the first counts. */
export function toHeaders(received: MsgHdrs | undefined): Headers {
  const built: Record<string, string> = {};
  if (received !== undefined) for (const [name, values] of received) built[name] = values[0] ?? "";
  return built;
}
