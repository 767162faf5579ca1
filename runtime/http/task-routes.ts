import type { z } from "zod";
import { instanceOfTask } from "../../engine/index.ts";
import { notFound, type Problem, problem } from "./problem.ts";
import { type Answer, type Call, type Route, route } from "./route.ts";
import {
  addBody,
  askBody,
  commentBody,
  copyBody,
  type decisionBody,
  noQuery,
  nothingBody,
  reasonBody,
  removeBody,
  transferBody,
} from "./shapes.ts";
import { command, given, type TaskWish, taskCommand, type Wish } from "./submitting.ts";

const COMMON = { method: "post", access: "caller", query: noQuery, answers: { 200: "The instance after it" } } as const;

/** What people may do with a task beside deciding it (approval-semantics.md 2.3). */
export const taskRoutes: readonly Route[] = [
  route({
    ...COMMON,
    path: "/v1/tasks/{id}/transfer",
    summary: "Hands a task over for good (转办)",
    body: transferBody,
    handle: (call) => taskCommand(call, { kind: "transfer", ...given(call.body) }),
  }),
  route({
    ...COMMON,
    path: "/v1/tasks/{id}/delegate",
    summary: "Asks somebody else for an opinion, then it comes back (委派)",
    body: transferBody,
    handle: (call) => taskCommand(call, { kind: "delegate", ...given(call.body) }),
  }),
  route({
    ...COMMON,
    path: "/v1/tasks/{id}/add",
    summary: "Adds people before, after or beside oneself (加签); after oneself is one's approval",
    body: addBody,
    handle: (call) => taskCommand(call, { kind: "add", ...given(call.body) }),
  }),
  route({
    ...COMMON,
    path: "/v1/tasks/{id}/remove",
    summary: "Takes out somebody whom one added (减签)",
    body: removeBody,
    handle: remove,
  }),
  route({
    ...COMMON,
    path: "/v1/tasks/{id}/claim",
    summary: "Takes a shared task (认领)",
    body: nothingBody,
    handle: (call) => taskCommand(call, { kind: "claim" }),
  }),
  route({
    ...COMMON,
    path: "/v1/tasks/{id}/release",
    summary: "Gives a claimed task back to its group",
    body: nothingBody,
    handle: (call) => taskCommand(call, { kind: "release" }),
  }),
  route({
    ...COMMON,
    path: "/v1/tasks/{id}/take-back",
    summary: "Takes one's own approval or delegation back (拿回)",
    body: reasonBody,
    handle: (call) => taskCommand(call, { kind: "take-back", ...given(call.body) }),
  }),
  route({
    ...COMMON,
    path: "/v1/tasks/{id}/urge",
    summary: "Reminds those who are waited for (催办), once an hour",
    body: nothingBody,
    handle: (call) => onInstance(call, { kind: "urge" }),
  }),
  route({
    ...COMMON,
    path: "/v1/tasks/{id}/comments",
    summary: "Says something to those who take part (评论)",
    body: commentBody,
    handle: (call) => onInstance(call, { kind: "comment", ...call.body }),
  }),
  route({
    ...COMMON,
    path: "/v1/tasks/{id}/ask",
    summary: "Asks somebody something; the task stays open (征询)",
    body: askBody,
    handle: (call) => onInstance(call, { kind: "ask", ...call.body }),
  }),
  route({
    ...COMMON,
    path: "/v1/tasks/{id}/cc",
    summary: "Gives people a copy (抄送); nobody gets a second one",
    body: copyBody,
    handle: (call) => onInstance(call, { kind: "cc", ...call.body }),
  }),
];

/** What a decision's body asks for. */
export function decisionOf(body: z.infer<typeof decisionBody>): Extract<TaskWish, { kind: "decide" | "return" }> {
  if (body.decision !== "return") {
    const { decision, data: payload, ...rest } = body;
    return { kind: "decide", decision, ...given({ payload, ...rest }) };
  }
  const { to = "initiator", reason, signature, onBehalfOf } = body;
  return { kind: "return", to: returnTarget(to), ...given({ reason, signature, onBehalfOf }) };
}

function returnTarget(to: string | number): Extract<Wish, { kind: "return" }>["to"] {
  if (typeof to === "number") return { kind: "stage", stage: to };
  return to === "initiator" ? { kind: "initiator" } : { kind: "state", state: to };
}

async function remove(call: Call<z.infer<typeof removeBody>>): Promise<Answer | Problem> {
  const { asAdmin, ...removed } = call.body;
  if (asAdmin && !call.ports.isAdmin(call.caller)) {
    return problem(403, "not-authorized", "only an administrator may take out whom somebody else added");
  }
  return onInstance(call, { kind: "remove", ...given(removed), ...(asAdmin && { admin: true }) });
}

/** The task only says which instance is meant: it need not be open, nor one's own. */
async function onInstance(call: Call, wish: Wish): Promise<Answer | Problem> {
  const task = call.params["id"]!;
  const instance = instanceOfTask(task);
  return instance === undefined ? notFound("task", task) : command(call, instance, wish);
}
