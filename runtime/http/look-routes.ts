import { explainInstance, type Instance, instanceOfTask, type Task } from "../../engine/index.ts";
import { explanationView } from "./explanation-view.ts";
import { hiddenFrom } from "./instance-view.ts";
import type { Caller, HttpPorts } from "./ports.ts";
import { notFound, type Problem, problem } from "./problem.ts";
import { type Answer, type Call, json, type Route, route } from "./route.ts";
import { instanceQuery, instancesQuery, noQuery, pageOf, tasksQuery } from "./shapes.ts";
import { viewFor } from "./submitting.ts";
import { carriedTask, historyView, prunedView, summaryView, takesPart, taskView, time } from "./views.ts";

const DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
/** Tasks read at once when one is looked for that its instance no longer carries. */
const TASKS_PAGE = 200;

/** What only looks. */
export const lookRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/v1/instances/{id}",
    summary: "Shows an instance",
    access: "caller",
    query: instanceQuery,
    answers: { 200: "The instance", 304: "Not changed since the ETag", 410: "What it was then was pruned" },
    handle: showInstance,
  }),
  route({
    method: "get",
    path: "/v1/tasks",
    summary: "The inbox",
    access: "caller",
    query: tasksQuery,
    answers: { 200: "Tasks" },
    handle: async ({ ports, caller, query }) => {
      const assignee = query.assignee === "me" ? caller.user : query.assignee;
      if (assignee !== caller.user && !ports.isAdmin(caller)) return othersOnly("tasks");
      const { status } = query;
      const filter = { tenant: caller.tenant, assignee, ...(status && { status }) };
      const { items, cursor } = await ports.store.tasks(filter, pageOf(query));
      return json(200, { items: items.map(({ task, instance, flow }) => taskView(task, instance, flow)), cursor });
    },
  }),
  route({
    method: "get",
    path: "/v1/tasks/{id}",
    summary: "Shows a task",
    access: "caller",
    query: noQuery,
    answers: { 200: "The task" },
    handle: showTask,
  }),
  route({
    method: "get",
    path: "/v1/instances",
    summary: "Looks for instances, newest first",
    access: "caller",
    query: instancesQuery,
    answers: { 200: "Instances, without their data" },
    handle: async ({ ports, caller, query }) => {
      const initiator = initiatorWanted(query.initiator, caller, ports);
      if (initiator === undefined) return othersOnly("instances");
      const { flow, state, q } = query;
      const filter = {
        tenant: caller.tenant,
        ...initiator,
        ...(flow && { flow }),
        ...(state && { state }),
        ...(q && { q }),
      };
      const { items, cursor } = await ports.store.instances(filter, pageOf(query));
      return json(200, { items: items.map(summaryView), cursor });
    },
  }),
  route({
    method: "get",
    path: "/v1/instances/{id}/history",
    summary: "Everything that happened to an instance, oldest first",
    access: "caller",
    query: noQuery,
    answers: { 200: "The history; `pruned` says up to which entry it is gone" },
    handle: async (call) => {
      const seen = await see(call);
      if ("kind" in seen) return seen;
      const key = { tenant: call.caller.tenant, instance: call.params["id"]! };
      const [items, pruned] = await Promise.all([call.ports.history(key), call.ports.pruned(key)]);
      return json(200, { items: items.map(historyView), pruned: pruned && prunedView(pruned) });
    },
  }),
  route({
    method: "get",
    path: "/v1/instances/{id}/explain",
    summary: "Why an instance stands where it stands, whom it waits for, and what would move it",
    access: "caller",
    query: noQuery,
    answers: { 200: "The explanation, as data and as `text`" },
    handle: explain,
  }),
  route({
    method: "get",
    path: "/v1/instances/{id}/documents/{name}",
    summary: "A rendered document",
    access: "caller",
    query: noQuery,
    answers: { 200: "The Word file" },
    handle: showDocument,
  }),
];

async function showInstance(call: Call<unknown, { readonly at?: number | undefined }>): Promise<Answer | Problem> {
  const { ports, caller, params, query } = call;
  const id = params["id"]!;
  const seen = await see(call);
  if ("kind" in seen) return seen;
  const { at } = query;
  const found = at === undefined ? seen : await ports.read({ tenant: caller.tenant, instance: id }, at);
  // Versions ahead replay to the newest one, which is not what was asked for.
  if (!found || (at !== undefined && found.instance.version !== at)) return noVersion(call, at!);
  return json(200, viewFor(found, ports, caller), { ETag: `"${found.instance.version}"` });
}

async function noVersion({ ports, caller, params }: Call<unknown, unknown>, at: number): Promise<Problem> {
  const id = params["id"]!;
  const pruned = await ports.pruned({ tenant: caller.tenant, instance: id });
  if (!pruned) return notFound("version", `${at} of ${id}`);
  return problem(410, "pruned", `the entries up to ${pruned.through} were pruned on ${time(pruned.at)}`);
}

async function explain(call: Call): Promise<Answer | Problem> {
  const { ports, caller } = call;
  const seen = await see(call);
  if ("kind" in seen) return seen;
  const { instance, definition } = seen;
  const viewer = ports.isAdmin(caller) ? undefined : caller.user;
  const explanation = explainInstance(definition, instance, Date.now(), ports.definition, (flow, own) =>
    hiddenFrom(viewer, flow, instance, own),
  );
  const pruned = await ports.pruned({ tenant: instance.tenant, instance: instance.id });
  return json(200, { ...explanationView(explanation), pruned: pruned && prunedView(pruned) });
}

async function showTask(call: Call): Promise<Answer | Problem> {
  const task = call.params["id"]!;
  const id = instanceOfTask(task);
  const seen = id === undefined ? undefined : await see(call, id);
  if (!seen || "kind" in seen) return notFound("task", task);
  const { instance } = seen;
  const found = carriedTask(instance, task) ?? (await storedTask(call, instance, task));
  return found ? json(200, taskView(found, instance.id, instance.flow)) : notFound("task", task);
}

async function storedTask({ ports }: Call, { tenant, id }: Instance, task: string): Promise<Task | undefined> {
  let cursor: string | undefined;
  do {
    const page = await ports.store.tasks({ tenant, instance: id }, pageOf({ limit: TASKS_PAGE, cursor }));
    const found = page.items.find((item) => item.task.id === task);
    if (found) return found.task;
    cursor = page.cursor;
  } while (cursor !== undefined);
  return undefined;
}

async function showDocument(call: Call): Promise<Answer | Problem> {
  const { id, name } = call.params as { id: string; name: string };
  const seen = await see(call);
  if ("kind" in seen) return seen;
  const { tenant, documents } = seen.instance;
  const rendered = Object.hasOwn(documents, name) ? documents[name] : undefined;
  const bytes = rendered && (await call.ports.documents.get(tenant, id, name));
  if (!rendered || !bytes) return notFound("document", name);
  const headers = { "Content-Disposition": attachment(`${name}.docx`), ETag: `"${rendered.sha256}"` };
  return { kind: "answer", status: 200, type: DOCX, body: Buffer.from(bytes), headers };
}

/** RFC 6266, with the name in UTF-8 (RFC 8187) and in ASCII for old clients. */
function attachment(file: string): string {
  const encoded = encodeURIComponent(file).replace(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${file.replace(/[^\w. -]/g, "_")}"; filename*=UTF-8''${encoded}`;
}

/** The instance as it is now, if the caller may see it. */
async function see({ ports, caller, params }: Call<unknown, unknown>, id = params["id"]!) {
  const found = await ports.read({ tenant: caller.tenant, instance: id });
  if (found && (takesPart(found.instance, caller.user) || ports.isAdmin(caller))) return found;
  return notFound("instance", id);
}

/** Everybody looks for their own, an administrator for anybody's. */
function initiatorWanted(
  wanted: string | undefined,
  caller: Caller,
  ports: HttpPorts,
): { readonly initiator?: string } | undefined {
  const initiator = wanted === "me" ? caller.user : wanted;
  if (ports.isAdmin(caller)) return initiator === undefined ? {} : { initiator };
  return initiator === undefined || initiator === caller.user ? { initiator: caller.user } : undefined;
}

const othersOnly = (what: string): Problem =>
  problem(403, "not-authorized", `only an administrator may look for other people's ${what}`);
