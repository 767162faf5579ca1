import type { Responder } from "../cluster/bus-server.ts";
import type { Receivers } from "../cluster/receivers.ts";

/** The services behind `assent.svc.>`: one that says whether there is money, one that takes events. */
export function answerService(receivers: Receivers): Responder {
  return (subject, body, headers) => {
    const [, , service, name] = subject.split(".");
    const asked = JSON.parse(body) as {
      readonly instance: string;
      readonly arguments?: readonly unknown[];
      readonly event?: string;
    };
    const isKnown = (service === "budget" && name === "solvent") || name === "event";
    if (!isKnown) return { kind: "failed", why: "nobody" };
    const what = JSON.stringify(asked.arguments ?? asked.event);
    const end = receivers.take({ key: headers["Nats-Msg-Id"]!, name: `${service}.${name}`, tenant: "", by: "", what });
    if (end.kind !== "done" || name === "event") return { ...end, reply: "{}" };
    // Of the amount alone, so that it is the same each time.
    const isSolvent = Number(asked.arguments?.[0]) % 7 !== 6;
    return { ...end, reply: JSON.stringify(isSolvent ? { ok: true } : { ok: false, reason: "no money" }) };
  };
}
