import type { z } from "zod";
import { instanceId } from "../../engine/index.ts";
import { batchRoute } from "./batch.ts";
import { handOverRoute } from "./hand-over.ts";
import { instanceRoutes } from "./instance-routes.ts";
import type { Caller, HttpPorts } from "./ports.ts";
import { notFound, type Problem, problem } from "./problem.ts";
import { type Answer, type Call, type Route, route } from "./route.ts";
import { decisionBody, eventBody, noQuery, startBody } from "./shapes.ts";
import { commandId, given, instanceCommand, submit, taskCommand } from "./submitting.ts";
import { decisionOf, taskRoutes } from "./task-routes.ts";

/** What changes instances: each is one command, and is answered when the decision is durable. The most frequent come first. */
export const commandRoutes: readonly Route[] = [
  route({
    method: "post",
    path: "/v1/instances/{id}/events",
    summary: "Sends an event to an instance",
    access: "caller",
    query: noQuery,
    body: eventBody,
    answers: { 200: "The instance after it" },
    handle: (call) => {
      const { event, data = {} } = call.body;
      return instanceCommand(call, { kind: "event", event, payload: data });
    },
  }),
  route({
    method: "post",
    path: "/v1/tasks/{id}/decision",
    summary: "Decides a task",
    access: "caller",
    query: noQuery,
    body: decisionBody,
    answers: { 200: "The instance after it" },
    handle: (call) => taskCommand(call, decisionOf(call.body)),
  }),
  route({
    method: "post",
    path: "/v1/flows/{flow}/instances",
    summary: "Starts an instance",
    access: "caller",
    query: noQuery,
    body: startBody,
    answers: { 200: "The instance that has this key already", 201: "The new instance" },
    handle: start,
  }),
  ...taskRoutes,
  ...instanceRoutes,
  batchRoute,
  handOverRoute,
];

async function start(call: Call<z.infer<typeof startBody>>): Promise<Answer | Problem> {
  const { caller, ports, params, body } = call;
  const flow = params["flow"]!;
  if (!ports.activeDefinition(flow)) return notFound("flow", flow);
  const initiator = initiatorOf(body.initiator, caller, ports);
  if (!initiator) {
    return problem(403, "not-authorized", "only an administrator may start on behalf of somebody else");
  }
  const id = commandId(call);
  if (typeof id !== "string") return id;
  const { tenant } = caller;
  const { key = id, data = {}, event, payload } = body;
  const instance = instanceId(tenant, flow, key);
  const wish = { kind: "start", tenant, instance, key, initiator, data, ...given({ event, payload }) } as const;
  return submit(call, instance, id, wish, flow);
}

function initiatorOf(user: string | undefined, caller: Caller, ports: HttpPorts) {
  if (user === undefined || user === caller.user) return caller.person;
  return ports.isAdmin(caller) ? ports.person(caller.tenant, user) : undefined;
}
