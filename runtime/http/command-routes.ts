import { randomUUID } from "node:crypto";
import type { z } from "zod";
import { type Command, instanceId, instanceOfTask, type Refusal } from "../../engine/index.ts";
import type { CommandDraft, Reply } from "../turn.ts";
import type { Caller, HttpPorts } from "./ports.ts";
import { notFound, type Problem, problem, refusalProblem } from "./problem.ts";
import { type Answer, type Call, json, type Route, route } from "./route.ts";
import { decisionBody, eventBody, noQuery, startBody, transferBody, withdrawBody } from "./shapes.ts";
import { instanceView, receiptView, takesPart } from "./views.ts";

const COMMAND_ID_LENGTH_MAX = 256;

/** What changes an instance: each is one command, and is answered when the decision is durable. */
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
      return command(call, call.params["id"]!, { kind: "event", event, payload: data });
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
  route({
    method: "post",
    path: "/v1/tasks/{id}/transfer",
    summary: "Hands a task over for good",
    access: "caller",
    query: noQuery,
    body: transferBody,
    answers: { 200: "The instance after it" },
    handle: (call) => taskCommand(call, { kind: "transfer", ...given(call.body) }),
  }),
  route({
    method: "post",
    path: "/v1/instances/{id}/withdraw",
    summary: "Takes the form back",
    access: "caller",
    query: noQuery,
    body: withdrawBody,
    answers: { 200: "The instance after it" },
    handle: (call) => command(call, call.params["id"]!, { kind: "withdraw", ...given(call.body) }),
  }),
];

type WithoutOrigin<C> = C extends Command ? Omit<C, "digest" | "id" | "source" | "actor"> : never;
/** What is asked for, without who asks. */
type Wish = WithoutOrigin<Command>;

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

function decisionOf(body: z.infer<typeof decisionBody>): Extract<Wish, { kind: "decide" | "return" }> {
  if (body.decision !== "return") {
    const { decision, reason, data: payload, choose } = body;
    return { kind: "decide", decision, ...given({ reason, payload, choose }) };
  }
  const { to = "initiator", reason } = body;
  return { kind: "return", to: returnTarget(to), ...given({ reason }) };
}

function returnTarget(to: string | number): Extract<Wish, { kind: "return" }>["to"] {
  if (typeof to === "number") return { kind: "stage", stage: to };
  return to === "initiator" ? { kind: "initiator" } : { kind: "state", state: to };
}

async function taskCommand(
  call: Call,
  wish: Extract<Wish, { kind: "decide" | "return" | "transfer" }>,
): Promise<Answer | Problem> {
  const task = call.params["id"]!;
  const instance = instanceOfTask(task);
  return instance === undefined ? notFound("task", task) : command(call, instance, { ...wish, task });
}

async function command(call: Call, instance: string, wish: Wish): Promise<Answer | Problem> {
  const id = commandId(call);
  return typeof id === "string" ? submit(call, instance, id, wish) : id;
}

async function submit(call: Call, instance: string, id: string, wish: Wish, flow?: string): Promise<Answer | Problem> {
  const { ports, caller } = call;
  const expectedVersion = versionOf(call.header("If-Match"));
  if (typeof expectedVersion === "object") return expectedVersion;
  const reply = await ports.submit({
    tenant: caller.tenant,
    instance,
    ...given({ flow, expectedVersion, traceparent: traceparentOf(call.header("traceparent")) }),
    command: { ...wish, id, source: `http/${caller.user}`, actor: caller.user } as CommandDraft,
  });
  return answer(reply, call, instance, wish);
}

function answer(reply: Reply, { ports, caller, params }: Call, id: string, wish: Wish): Answer | Problem {
  if (reply.kind === "not-found") return "task" in wish ? notFound("task", params["id"]!) : notFound("instance", id);
  const { instance } = reply;
  const sees = instance !== undefined && (takesPart(instance, caller.user) || ports.isAdmin(caller));
  if (reply.kind === "refused") return refusalFor(reply.refusal, instance && { id, sees });
  if (wish.kind === "start" && !sees) {
    return problem(403, "not-authorized", `the key \`${wish.key}\` is not yours to use`);
  }
  const headers = { ETag: `"${reply.instance.version}"`, ...(reply.created && { Location: `/v1/instances/${id}` }) };
  const view = sees ? instanceView(reply.instance, reply.definition) : receiptView(reply.instance);
  return json(reply.created ? 201 : 200, view, headers);
}

/** Who may not see the instance learns why it can't be done, but nothing of how it stands. */
function refusalFor(refusal: Refusal, instance: { readonly id: string; readonly sees: boolean } | undefined): Problem {
  if (!instance) return refusalProblem(refusal);
  if (instance.sees) return refusalProblem(refusal, instance.id);
  if (refusal.code === "not-authorized") return notFound("instance", instance.id);
  const { details: _state, ...spare } = refusal;
  return refusalProblem(spare, instance.id);
}

/** The caller's, so that a repetition is recognized; else a fresh one. */
function commandId(call: Call): string | Problem {
  const key = call.header("Idempotency-Key");
  if (key === "") return randomUUID();
  if (key.length <= COMMAND_ID_LENGTH_MAX) return key;
  return problem(400, "malformed-header", `Idempotency-Key is longer than ${COMMAND_ID_LENGTH_MAX} characters`);
}

/** `"7"` → 7; nothing and `*` → any version. */
function versionOf(ifMatch: string): number | undefined | Problem {
  if (ifMatch === "" || ifMatch === "*") return undefined;
  const version = /^"(\d{1,15})"$/.exec(ifMatch)?.[1];
  if (version !== undefined) return Number(version);
  return problem(400, "malformed-header", `If-Match is a version in quotes, like "7", not \`${ifMatch}\``);
}

/** W3C Trace Context. What is none is not carried on. */
const traceparentOf = (header: string): string | undefined =>
  /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(header) ? header : undefined;

type Given<Fields> = {
  [Name in keyof Fields as undefined extends Fields[Name] ? never : Name]: Fields[Name];
} & { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

/** The fields without those that are not there: a command's digest does not depend on how absence was written. */
function given<Fields extends object>(fields: Fields): Given<Fields> {
  const kept: Partial<Fields> = {};
  for (const name in fields) if (fields[name] !== undefined) kept[name] = fields[name];
  return kept as Given<Fields>;
}
