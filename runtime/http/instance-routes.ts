import type { z } from "zod";
import { dryRunMigration, type MigrationForecast } from "../../engine/index.ts";
import { notFound, type Problem, problem } from "./problem.ts";
import { type Answer, type Call, json, type Route, route } from "./route.ts";
import { jumpBody, migrateBody, noQuery, overrideBody, reasonBody, sagaBody } from "./shapes.ts";
import { given, instanceCommand } from "./submitting.ts";

const COMMON = { method: "post", access: "admin", query: noQuery, answers: { 200: "The instance after it" } } as const;

/** What the initiator may do with an instance, and administrators. */
export const instanceRoutes: readonly Route[] = [
  route({
    ...COMMON,
    path: "/v1/instances/{id}/withdraw",
    summary: "Takes the form back (撤回): for who started it",
    access: "caller",
    body: reasonBody,
    handle: (call) => instanceCommand(call, { kind: "withdraw", ...given(call.body) }),
  }),
  route({
    ...COMMON,
    path: "/v1/instances/{id}/suspend",
    summary: "Lets nothing go on, timers neither (挂起); needs a reason",
    body: reasonBody,
    handle: (call) => instanceCommand(call, { kind: "suspend", ...given(call.body) }),
  }),
  route({
    ...COMMON,
    path: "/v1/instances/{id}/resume",
    summary: "Lets it go on (恢复); needs a reason",
    body: reasonBody,
    handle: (call) => instanceCommand(call, { kind: "resume", ...given(call.body) }),
  }),
  route({
    ...COMMON,
    path: "/v1/instances/{id}/void",
    summary: "Ends it where it stands (作废); needs a reason",
    body: reasonBody,
    handle: (call) => instanceCommand(call, { kind: "void", ...given(call.body) }),
  }),
  route({
    ...COMMON,
    path: "/v1/instances/{id}/jump",
    summary: "Enters a state as a transition would, without undoing effects (跳转); needs a reason",
    body: jumpBody,
    handle: (call) =>
      instanceCommand(call, { kind: "jump", ...targetOf(call.body.to), ...given({ reason: call.body.reason }) }),
  }),
  route({
    ...COMMON,
    path: "/v1/instances/{id}/override",
    summary: "Gives the open round this result (强制通过, 强制拒绝); needs a reason",
    body: overrideBody,
    handle: (call) => instanceCommand(call, { kind: "override", ...given(call.body) }),
  }),
  route({
    ...COMMON,
    path: "/v1/instances/{id}/saga",
    summary: "Changes arguments of a step of the running saga that is not done; needs a reason",
    body: sagaBody,
    handle: (call) => instanceCommand(call, { kind: "set-saga", ...given(call.body) }),
  }),
  route({
    ...COMMON,
    path: "/v1/instances/{id}/migrate",
    summary: "Goes on with the version of this label; with `dryRun`, tells what that would do",
    body: migrateBody,
    answers: { 200: "The instance after it, or what would happen to it" },
    handle: migrate,
  }),
];

/** `BRANCH.STATE`; of a branch in a branch `OUTER.INNER.STATE`. */
function targetOf(to: string): { readonly state: string; readonly branch?: string } {
  const dot = to.lastIndexOf(".");
  return dot < 0 ? { state: to } : { branch: to.slice(0, dot), state: to.slice(dot + 1) };
}

async function migrate(call: Call<z.infer<typeof migrateBody>>): Promise<Answer | Problem> {
  const { label, dryRun, reason } = call.body;
  if (!dryRun) return instanceCommand(call, { kind: "migrate", label, ...given({ reason }) });
  const { ports, caller, params } = call;
  const id = params["id"]!;
  const found = await ports.read({ tenant: caller.tenant, instance: id });
  if (!found) return notFound("instance", id);
  const { flow } = found.instance;
  const to = ports.activeDefinition(flow, label);
  if (!to) return problem(409, "no-such-target", `there is no version of \`${flow}\` with the label \`${label}\``);
  return json(200, forecastView(id, dryRunMigration(found.definition, found.instance, to)));
}

function forecastView(instance: string, forecast: MigrationForecast) {
  if (forecast.kind === "stays") {
    const { code, message, details } = forecast.why;
    return { instance, moves: false, code, detail: message, details };
  }
  const { places, drops, fills } = forecast.plan;
  const states = places.map(({ place, ...rest }) => ({ ...(place !== "" && { in: place }), ...rest }));
  return { instance, moves: true, states, drops, fills };
}
