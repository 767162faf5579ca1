import type { z } from "zod";
import type { HttpPorts } from "./ports.ts";
import type { Problem } from "./problem.ts";
import { type Answer, type Call, json, route } from "./route.ts";
import { handOverBody, noQuery } from "./shapes.ts";
import { commandId, given, submit, withoutVersion } from "./submitting.ts";

/** 离职转办. Seats that open later go to the successor whom the directory names. */
export const handOverRoute = route({
  method: "post",
  path: "/v1/people/{id}/hand-over",
  summary: "Gives all open tasks of one person, and those that wait, to another",
  access: "admin",
  query: noQuery,
  body: handOverBody,
  answers: { 200: "`items`: each instance with its `status`, and `code` and `detail` where it was refused" },
  handle: handOver,
});

const PAGE = 200;

async function handOver(call: Call<z.infer<typeof handOverBody>>): Promise<Answer | Problem> {
  const { ports, caller, params, body } = call;
  const id = commandId(call);
  if (typeof id !== "string") return id;
  const from = params["id"]!;
  const wish = { kind: "hand-over", from, ...given(body) } as const;
  const each = withoutVersion(call);
  const items: object[] = [];
  // Read to the end before anything is done: what is handed over leaves the list.
  const instances = await instancesOf(ports, caller.tenant, from);
  for (let at = 0; at < instances.length; at += PAGE) {
    const page = instances.slice(at, at + PAGE).map(async (instance) => {
      const result = await submit(each, instance, id, wish);
      const { status } = result;
      return result.kind === "problem"
        ? { instance, status, code: result.code, detail: result.detail }
        : { instance, status };
    });
    items.push(...(await Promise.all(page)));
  }
  return json(200, { items });
}

/** Where somebody has a task that is not closed. */
async function instancesOf({ store }: HttpPorts, tenant: string, assignee: string): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const status of ["open", "waiting"] as const) {
    let cursor: string | undefined;
    do {
      const page = await store.tasks({ tenant, assignee, status }, { limit: PAGE, ...(cursor && { cursor }) });
      for (const { task, instance } of page.items) if (task.assignee === assignee) found.add(instance);
      cursor = page.cursor;
    } while (cursor !== undefined);
  }
  return [...found];
}
