import { randomUUID } from "node:crypto";
import { parseInSubject } from "../bus/subjects.ts";
import { problem } from "./problem.ts";
import { json, type Route, route } from "./route.ts";
import { messageBody, noQuery } from "./shapes.ts";

/** Headers of a message that the bus carries on. */
const CARRIED = ["Assent-Key", "Assent-Initiator", "Assent-Actor", "X-Gray-Tag", "traceparent"];

/** The way to the bus for whoever has no NATS client; with the in-process bus it is the only one from outside. */
export const busRoutes: readonly Route[] = [
  route({
    method: "post",
    path: "/v1/bus/{subject}",
    summary: "Puts a message into `assent.in.TENANT.FLOW.EVENT[.KEY]`",
    access: "admin",
    query: noQuery,
    body: messageBody,
    answers: { 202: "The bus has it. What becomes of it is seen in the instance, or in the dead letters" },
    handle: async ({ ports, caller, params, body, header }) => {
      const subject = params["subject"]!;
      const about = parseInSubject(subject);
      if (!about) return problem(422, "wrong-type", `\`${subject}\` is not \`assent.in.TENANT.FLOW.EVENT[.KEY]\``);
      if (about.tenant !== caller.tenant) return problem(403, "not-authorized", "the subject names another tenant");
      const carried = CARRIED.map((name) => [name, header(name)] as const).filter(([, value]) => value !== "");
      const id = header("Nats-Msg-Id") || header("Idempotency-Key") || randomUUID();
      await ports.bus.send({ subject, id, headers: Object.fromEntries(carried), body: JSON.stringify(body) });
      return json(202, { subject, id });
    },
  }),
];
