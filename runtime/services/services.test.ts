import assert from "node:assert/strict";
import { test } from "node:test";
import { BusUnavailable, NoResponders, NotSendable, RequestTimedOut, ServiceFailed } from "../bus/bus-errors.ts";
import { InProcessBus } from "../bus/in-process-bus.ts";
import type { FunctionQuestion, Headers } from "../ports.ts";
import { SetClock } from "../testing.ts";
import { ServiceCallFailed } from "./service-call-failed.ts";
import { Services } from "./services.ts";

type Reply = Record<string, unknown>;
/** What each service answers; those that are not here are not registered. */
type Answers = Readonly<Record<string, Reply>>;

const NOT_SERVED = { error: "no such function", retryable: false };
const AWAY = { error: "come again", retryable: true };

const asked = (kind: FunctionQuestion["kind"], services: readonly string[]): FunctionQuestion => ({
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
  return new Services({ bus, clock: new SetClock(), urls: {} });
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
  await two.perform("solvent", [], asked("check", ["a", "b"]).context, { key: "key" });
});

test("an action that no named service serves has failed for good", async () => {
  const none = await services({ a: NOT_SERVED, b: NOT_SERVED });
  await assert.rejects(
    none.perform("solvent", [], asked("check", ["a", "b"]).context, { key: "key" }),
    (error) => error instanceof ServiceCallFailed && error.how === "refused",
  );
});

test("a service that is not there may come", async () => {
  const none = await services({ a: NOT_SERVED });
  const answer = await none.answer(asked("check", ["a", "b"]));
  assert.deepEqual(answer, { failed: "no service `b` is there", retryable: true });
});

const BUS_ERRORS: readonly [error: Error, how: ServiceCallFailed["how"]][] = [
  [new NoResponders("s"), "away"],
  [new RequestTimedOut("s", 5), "away"],
  [new BusUnavailable("closed"), "away"],
  [new NotSendable("too big"), "refused"],
  [new ServiceFailed("500", "broken", ""), "failed"],
  [new ServiceFailed("404", "no such function", ""), "refused"],
  [new ServiceFailed("429", "too often", ""), "failed"],
  [new ServiceFailed("400", "closed", '{"retryable":true}'), "failed"],
  [new ServiceFailed("500", "never", '{"retryable":false}'), "refused"],
];

for (const [error, how] of BUS_ERRORS) {
  test(`${error.name} ${error.message}: ${how}`, async () => {
    const bus = Object.assign(new InProcessBus(), { request: () => Promise.reject(error) });
    const asking = new Services({ bus, clock: new SetClock(), urls: {} });
    await assert.rejects(
      asking.perform("solvent", [], asked("check", ["a"]).context, { key: "key" }),
      (failed) => failed instanceof ServiceCallFailed && failed.how === how,
    );
  });
}

test("a request carries its deadline, its key, the instance's tag and the trace", async () => {
  const bus = new InProcessBus();
  const seen: [Record<string, unknown>, Headers][] = [];
  await bus.serve("assent.svc.a.solvent", (body, headers) => {
    seen.push([JSON.parse(body) as Record<string, unknown>, headers]);
    return '{"ok":true}';
  });
  const carried = { tag: "v3", traceparent: "00-1-2-01" };
  await new Services({ bus, clock: new SetClock(), urls: {} }).answer(asked("check", ["a"]), carried);
  const [[body, headers]] = seen as [[Record<string, unknown>, Headers]];
  assert.deepEqual(
    [body["instance"], body["arguments"], body["idempotencyKey"], body["deadline"], body["tag"]],
    ["i", [], "check:solvent()", "2026-01-05T04:00:05.000Z", "v3"],
  );
  assert.deepEqual([headers["traceparent"], headers["X-Gray-Tag"]], ["00-1-2-01", "v3"]);
});

test("an event that its receiver refuses was not delivered", async () => {
  const bus = new InProcessBus();
  await bus.serve("assent.svc.a.event", () => '{"ok":false,"reason":"unknown customer"}');
  const delivery = { id: "i:1:0", kind: "deliver", event: "e", data: {}, functions: [] } as const;
  await assert.rejects(
    new Services({ bus, clock: new SetClock(), urls: {} }).deliver(
      { ...delivery, target: { kind: "service", name: "a" } },
      "i",
    ),
    /unknown customer/,
  );
});
