import assert from "node:assert/strict";
import { test } from "node:test";
import { InProcessBus } from "./bus/in-process-bus.ts";
import type { Question } from "./ports.ts";
import { ServiceCallFailed, Services } from "./services.ts";

type Reply = Record<string, unknown>;
/** What each service answers; those that are not here are not registered. */
type Answers = Readonly<Record<string, Reply>>;

const NOT_SERVED = { error: "no such function", retryable: false };
const AWAY = { error: "come again", retryable: true };

const asked = (kind: Question["kind"], services: readonly string[]): Question => ({
  key: `${kind}:solvent()`,
  kind,
  name: "solvent",
  arguments: [],
  context: {
    tenant: "t",
    flow: "expense",
    instance: "i",
    key: "k",
    state: "DRAFT",
    initiator: { id: "alice" },
    data: {},
    services,
    at: 0,
  },
});

async function services(answers: Answers): Promise<Services> {
  const bus = new InProcessBus({ onProblem: () => undefined });
  for (const [service, reply] of Object.entries(answers)) {
    await bus.serve(`assent.svc.${service}.solvent`, () => JSON.stringify(reply));
  }
  return new Services(bus, {});
}

const ANSWERS: readonly [what: string, answers: Answers, expected: Reply][] = [
  ["the first that serves it answers", { a: { ok: true }, b: { ok: false } }, { ok: true }],
  ["one that does not serve it is passed over", { a: NOT_SERVED, b: { ok: false } }, { ok: false }],
  ["one that is not registered is passed over", { b: { ok: true } }, { ok: true }],
  ["one that is away may answer later", { a: AWAY, b: NOT_SERVED }, { failed: "come again", retryable: true }],
  ["nobody serves it", { a: NOT_SERVED, b: NOT_SERVED }, { failed: "no such function", retryable: false }],
];

for (const [what, answers, expected] of ANSWERS) {
  test(`a question to two services: ${what}`, async () => {
    const answer = await (await services(answers)).answer(asked("check", ["a", "b"]));
    assert.deepEqual(answer, expected);
  });
}

test("an action is done by the service that serves it, whichever is named first", async () => {
  const two = await services({ a: NOT_SERVED, b: { ok: true } });
  await two.perform("solvent", [], asked("check", ["a", "b"]).context, "key");
});

test("an action that no named service serves has failed for good", async () => {
  const none = await services({ a: NOT_SERVED });
  await assert.rejects(
    none.perform("solvent", [], asked("check", ["a", "b"]).context, "key"),
    (error) => error instanceof ServiceCallFailed && !error.retryable,
  );
});
