import type { z } from "zod";
import { instanceOfTask } from "../../engine/index.ts";
import { notFound, type Problem, problemOf } from "./problem.ts";
import { type Answer, type Call, json, route } from "./route.ts";
import { batchBody, batchItem, noQuery, readShape } from "./shapes.ts";
import { commandId, submit, withoutVersion } from "./submitting.ts";
import { decisionOf } from "./task-routes.ts";

/** Many decisions (批量), each of them its own command: what is wrong with one says nothing of the others. */
export const batchRoute = route({
  method: "post",
  path: "/v1/batch",
  summary: "Many decisions, each with its own result, in their order",
  access: "caller",
  query: noQuery,
  body: batchBody,
  answers: {
    200: "`items`: `{ task, status }` with the `instance` after it, or with `code` and `detail` of the problem",
  },
  handle: batch,
});

async function batch(call: Call<z.infer<typeof batchBody>>): Promise<Answer | Problem> {
  const id = commandId(call);
  if (typeof id !== "string") return id;
  const each = withoutVersion(call);
  const items = call.body.decisions.map((item) => decideOne(each, id, item));
  return json(200, { items: await Promise.all(items) });
}

async function decideOne(call: Call<unknown, unknown>, batchId: string, item: unknown): Promise<object> {
  const read = readShape(batchItem, item, 422);
  if ("kind" in read) return itemView(taskNamed(item), read);
  const { task, ...decision } = read.value;
  const instance = instanceOfTask(task);
  if (instance === undefined) return itemView(task, notFound("task", task));
  // Two tasks of one instance are two commands of it.
  const wish = { ...decisionOf(decision), task };
  return itemView(task, await submit(call, instance, `${batchId}:${task}`, wish).catch(problemFrom));
}

/** Why one of them came to nothing. @throws what is a bug. */
function problemFrom(error: unknown): Problem {
  const expected = problemOf(error);
  if (!expected) throw error;
  return expected;
}

function taskNamed(item: unknown): string | undefined {
  const task = typeof item === "object" && item !== null && "task" in item ? item.task : undefined;
  return typeof task === "string" ? task : undefined;
}

function itemView(task: string | undefined, result: Answer | Problem): object {
  const { status } = result;
  if (result.kind === "answer") return { task, status, instance: JSON.parse(String(result.body)) };
  const { code, detail, errors, details } = result;
  return { task, status, code, detail, errors, details };
}
