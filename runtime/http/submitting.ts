import { randomUUID } from "node:crypto";
import type { Definition } from "../../dsl/index.ts";
import { type Command, type Instance, instanceOfTask, type Refusal } from "../../engine/index.ts";
import type { CommandDraft, Reply } from "../turn.ts";
import { instanceView } from "./instance-view.ts";
import type { Caller, HttpPorts } from "./ports.ts";
import { notFound, type Problem, problem, refusalProblem } from "./problem.ts";
import { type Answer, type Call, json } from "./route.ts";
import { receiptView, takesPart } from "./views.ts";

/** How a wish becomes a command of the caller, and its reply an answer. */

const COMMAND_ID_LENGTH_MAX = 256;

type WithoutOrigin<C> = C extends Command ? Omit<C, "digest" | "id" | "source" | "actor"> : never;
/** What is asked for, without who asks. */
export type Wish = WithoutOrigin<Command>;
/** About a task. */
export type TaskWish = Wish extends infer Each ? (Each extends { readonly task?: string } ? Each : never) : never;

/** About the task that the path names. */
export async function taskCommand(call: Call, wish: TaskWish): Promise<Answer | Problem> {
  const task = call.params["id"]!;
  const instance = instanceOfTask(task);
  return instance === undefined ? notFound("task", task) : command(call, instance, { ...wish, task });
}

/** About the instance that the path names. */
export function instanceCommand(call: Call, wish: Wish): Promise<Answer | Problem> {
  return command(call, call.params["id"]!, wish);
}

export async function command(call: Call, instance: string, wish: Wish): Promise<Answer | Problem> {
  const id = commandId(call);
  return typeof id === "string" ? submit(call, instance, id, wish) : id;
}

/** @param flow of a start. */
export async function submit(
  call: Call<unknown, unknown>,
  instance: string,
  id: string,
  wish: Wish,
  flow?: string,
): Promise<Answer | Problem> {
  const { ports, caller } = call;
  const expectedVersion = versionOf(call.header("If-Match"));
  if (typeof expectedVersion === "object") return expectedVersion;
  const deadlineAt = deadlineOf(call.header("Assent-Deadline"));
  if (typeof deadlineAt === "object") return deadlineAt;
  const tag = call.header("X-Gray-Tag") || undefined;
  const reply = await ports.submit({
    tenant: caller.tenant,
    instance,
    ...given({ flow, expectedVersion, deadlineAt, tag, traceparent: traceparentOf(call.header("traceparent")) }),
    command: {
      ...wish,
      ...(wish.kind === "start" && given({ tag })),
      id,
      source: `http/${caller.user}`,
      actor: caller.user,
    } as CommandDraft,
  });
  return answer(reply, call, instance, wish);
}

function answer(reply: Reply, { ports, caller }: Call<unknown, unknown>, id: string, wish: Wish): Answer | Problem {
  if (reply.kind === "not-found") return "task" in wish ? notFound("task", wish.task!) : notFound("instance", id);
  const { instance } = reply;
  const sees = instance !== undefined && (ports.isAdmin(caller) || takesPart(instance, caller.user));
  if (reply.kind === "refused") return refusalFor(reply.refusal, instance && { id, sees });
  if (wish.kind === "start" && !sees) {
    return problem(403, "not-authorized", `the key \`${wish.key}\` is not yours to use`);
  }
  const headers = { ETag: `"${reply.instance.version}"`, ...(reply.created && { Location: `/v1/instances/${id}` }) };
  const view = sees ? viewFor(reply, ports, caller) : receiptView(reply.instance);
  return json(reply.created ? 201 : 200, view, headers);
}

/** As this caller may see it. */
export function viewFor(
  { instance, definition }: { readonly instance: Instance; readonly definition: Definition },
  ports: Pick<HttpPorts, "definition" | "isAdmin">,
  caller: Caller,
) {
  const viewing = { definition, definitions: ports.definition };
  return instanceView(instance, ports.isAdmin(caller) ? viewing : { ...viewing, viewer: caller.user });
}

/** Of these each says something of who sits there. */
const TELLING: ReadonlySet<string> = new Set(["not-authorized", "not-allowed", "no-such-target", "task-closed"]);

/** Who may not see the instance learns why it can't be done, but nothing of how it stands. */
function refusalFor(refusal: Refusal, instance: { readonly id: string; readonly sees: boolean } | undefined): Problem {
  if (!instance) return refusalProblem(refusal);
  if (instance.sees) return refusalProblem(refusal, instance.id);
  if (TELLING.has(refusal.code)) return notFound("instance", instance.id);
  const { details: _state, ...spare } = refusal;
  return refusalProblem(spare, instance.id);
}

/** The caller's, so that a repetition is recognized; else a fresh one. */
export function commandId(call: Pick<Call, "header">): string | Problem {
  const key = call.header("Idempotency-Key");
  if (key === "") return randomUUID();
  if (key.length <= COMMAND_ID_LENGTH_MAX) return key;
  return problem(400, "malformed-header", `Idempotency-Key is longer than ${COMMAND_ID_LENGTH_MAX} characters`);
}

/** For commands to several instances: a version is that of one. */
export const withoutVersion = (call: Call<unknown, unknown>): Call<unknown, unknown> => ({
  ...call,
  header: (name) => (name === "If-Match" ? "" : call.header(name)),
});

/** `"7"` → 7; nothing and `*` → any version. */
function versionOf(ifMatch: string): number | undefined | Problem {
  if (ifMatch === "" || ifMatch === "*") return undefined;
  const version = /^"(\d{1,15})"$/.exec(ifMatch)?.[1];
  if (version !== undefined) return Number(version);
  return problem(400, "malformed-header", `If-Match is a version in quotes, like "7", not \`${ifMatch}\``);
}

/** RFC 3339. After it the command is not begun, and no service is asked for it. */
export function deadlineOf(header: string): number | undefined | Problem {
  if (header === "") return undefined;
  const at = /^\d{4}-\d\d-\d\dT/.test(header) ? Date.parse(header) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  return problem(400, "malformed-header", `Assent-Deadline is an instant like 2026-10-01T08:00:00Z, not \`${header}\``);
}

/** W3C Trace Context. What is none is not carried on. */
const traceparentOf = (header: string): string | undefined =>
  /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(header) ? header : undefined;

type Given<Fields> = {
  [Name in keyof Fields as undefined extends Fields[Name] ? never : Name]: Fields[Name];
} & { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

/** The fields without those that are not there: a command's digest does not depend on how absence was written. */
export function given<Fields extends object>(fields: Fields): Given<Fields> {
  const kept: Partial<Fields> = {};
  for (const name in fields) if (fields[name] !== undefined) kept[name] = fields[name];
  return kept as Given<Fields>;
}
