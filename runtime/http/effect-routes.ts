import type { z } from "zod";
import type { SentAgain } from "../dead-letters.ts";
import { notFound, type Problem, problem, refusalProblem } from "./problem.ts";
import { type Answer, type Call, json, type Route, route } from "./route.ts";
import { effectsQuery, noQuery, pageOf, pageQuery } from "./shapes.ts";
import { deadLetterView, effectView, letterAsEffectView, openedView } from "./views.ts";

/** What did not get through, for administrators: effects on their way out, and messages on their way in. */
export const effectRoutes: readonly Route[] = [
  route({
    method: "get",
    path: "/v1/effects",
    summary: "Effects that do not get through; with `state=dead` the dead letters, too",
    access: "admin",
    query: effectsQuery,
    answers: { 200: "Without what they carry" },
    handle: listEffects,
  }),
  route({
    method: "get",
    path: "/v1/effects/{id}",
    summary: "One of them with what it carries; secrets of the flow's fields are masked",
    access: "admin",
    query: noQuery,
    answers: { 200: "The effect or the message" },
    handle: async ({ ports, caller, params }) => {
      const opened = await ports.deadLetters.read(caller.tenant, params["id"]!);
      return opened ? json(200, openedView(opened)) : notFound("effect", params["id"]!);
    },
  }),
  route({
    method: "post",
    path: "/v1/effects/{id}/retry",
    summary: "Sends one again. A message stays a dead letter until it is accepted",
    access: "admin",
    query: noQuery,
    answers: { 200: "The message was accepted", 202: "The effect is tried again at once" },
    handle: retry,
  }),
  route({
    method: "post",
    path: "/v1/effects/{id}/discard",
    summary: "Gives one up for good",
    access: "admin",
    query: noQuery,
    answers: { 200: "It is gone" },
    handle: async ({ ports, caller, params }) => {
      const id = params["id"]!;
      if (!(await ports.deadLetters.discard(caller.tenant, id, caller.user))) return notFound("effect", id);
      ports.log.info({ tenant: caller.tenant, by: caller.user, id }, "discarded");
      return json(200, { id, discarded: true });
    },
  }),
  route({
    method: "get",
    path: "/v1/dead-letters",
    summary: "Messages that could not be processed, with the reason",
    access: "admin",
    query: pageQuery,
    answers: { 200: "Dead letters, without what they carry" },
    handle: async ({ ports, caller, query }) => {
      const { items, cursor } = await ports.store.deadLetters(caller.tenant, pageOf(query));
      return json(200, { items: items.map(deadLetterView), cursor });
    },
  }),
];

/** Before a cursor that belongs to the dead letters, which come behind the effects. */
const LETTERS = "letters.";

async function listEffects(call: Call<unknown, z.infer<typeof effectsQuery>>): Promise<Answer> {
  const { ports, caller, query } = call;
  const { state, limit, cursor } = query;
  if (cursor?.startsWith(LETTERS)) return listLetters(call, cursor.slice(LETTERS.length), limit, []);
  const page = await ports.store.effects(caller.tenant, state, pageOf({ limit, cursor }));
  const items = page.items.map(effectView);
  if (state === "dead" && page.cursor === undefined && items.length < limit) {
    return listLetters(call, undefined, limit - items.length, items);
  }
  const lettersNext = state === "dead" && page.cursor === undefined;
  return json(200, { items, cursor: lettersNext ? LETTERS : page.cursor });
}

async function listLetters(
  { ports, caller }: Call<unknown, unknown>,
  cursor: string | undefined,
  limit: number,
  before: readonly object[],
): Promise<Answer> {
  const request = pageOf({ limit, cursor: cursor === "" ? undefined : cursor });
  const page = await ports.store.deadLetters(caller.tenant, request);
  const next = page.cursor === undefined ? undefined : LETTERS + page.cursor;
  return json(200, { items: [...before, ...page.items.map(letterAsEffectView)], cursor: next });
}

async function retry({ ports, caller, params, header }: Call): Promise<Answer | Problem> {
  const id = params["id"]!;
  const sent = await ports.deadLetters.sendAgain(caller.tenant, id);
  if (!sent) return notFound("effect", id);
  const traceparent = header("traceparent") || undefined;
  ports.log.info({ tenant: caller.tenant, by: caller.user, id, result: sent.kind, traceparent }, "sent again");
  return answerTo(sent, id);
}

function answerTo(sent: SentAgain, id: string): Answer | Problem {
  switch (sent.kind) {
    case "renewed":
      return json(202, { id, state: "pending" });
    case "accepted":
      return json(200, { id, accepted: true });
    case "refused":
      return refusalProblem(sent.refusal);
    case "not-accepted":
      return problem(409, "not-accepted", `it was not accepted and stays: ${sent.reason}`);
  }
}
