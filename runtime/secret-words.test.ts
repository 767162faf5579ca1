import assert from "node:assert/strict";
import { test } from "node:test";
import { whyNotJson } from "./json-error.ts";
import type { Answer, FunctionQuestion, Functions } from "./ports.ts";
import { discreetFunctions, discreetServices, type ServiceCalls, secretsIn, withoutWords } from "./secret-words.ts";
import { ServiceCallFailed } from "./services/service-call-failed.ts";
import { flow } from "./testing.ts";

const SECRET = flow(`
state machine "payout" {
  data { card: text? secret; note: text? }
  events { "pay" { card, note } }
  initial: A
  states: [A, B]
  final: [B]
  transitions { A → B on "pay" }
}
`);
const PLAIN = flow();
const definition = (name: string) => [SECRET, PLAIN].find((one) => one.flow === name);

test("what was handed out is masked in a text, the longer words first, and what is too short is not", () => {
  const words = ["4711", { deep: ["47110815", 82317] }, true, null, "x"];
  assert.equal(
    withoutWords("card 47110815 or 4711, pin 82317, x true null", words),
    "card **** or ****, pin ****, x true null",
  );
});

const asked = (key: string): FunctionQuestion =>
  ({
    key,
    kind: "check",
    name: "solvent",
    arguments: ["47110815"],
    context: { flow: "payout" },
  }) as unknown as FunctionQuestion;
const WITH_SECRET = asked('check:solvent("secret 1 of 2")');
const WITHOUT = asked('check:solvent("47110815")');

const ANSWERS: readonly (readonly [answer: Answer, masked: Answer])[] = [
  [
    { ok: false, reason: "47110815 is blocked" },
    { ok: false, reason: "**** is blocked" },
  ],
  [
    { failed: "no 47110815", retryable: true },
    { failed: "no ****", retryable: true },
  ],
  [{ value: "47110815" }, { value: "47110815" }],
  [{ ok: true }, { ok: true }],
];

test("reasons and failures of answers are masked where the question had secrets, at once and later", async () => {
  for (const [answer, masked] of ANSWERS) {
    for (const given of [answer, Promise.resolve(answer)]) {
      const functions = discreetFunctions({ answer: () => given } as unknown as Functions, definition);
      assert.deepEqual(await functions.answer(WITH_SECRET), masked);
      assert.deepEqual(await functions.answer(WITHOUT), answer);
    }
    const services = discreetServices({ answer: async () => answer } as unknown as ServiceCalls, definition, () => []);
    assert.deepEqual(await services.answer(WITH_SECRET), masked);
  }
  assert.equal(
    discreetFunctions({ answer: () => undefined } as unknown as Functions, definition).answer(WITH_SECRET),
    undefined,
  );
});

const failing = async (): Promise<never> => {
  throw new ServiceCallFailed("no card 47110815 for HT-1", "refused");
};
const messageOf = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ServiceCallFailed && error.how === "refused", "it stays what it is");
  assert.ok(!error.stack?.includes("47110815") || error.message.includes("47110815"));
  return error.message;
};

test("errors of actions and deliveries are masked in flows with secrets, and stay what they are", async () => {
  const functions = discreetFunctions({ perform: failing } as unknown as Functions, definition);
  const services = discreetServices(
    { perform: failing, deliver: failing } as unknown as ServiceCalls,
    definition,
    () => [SECRET, PLAIN],
  );
  const call = (name: string) => ({ key: "k", context: { flow: name }, signal: new AbortController().signal }) as never;
  const context = (name: string) => ({ flow: name }) as never;
  assert.equal(await messageOf(functions.perform("book", ["47110815"], call("payout"))), "no card **** for HT-1");
  assert.equal(await messageOf(functions.perform("book", ["47110815"], call("expense"))), "no card 47110815 for HT-1");
  assert.equal(
    await messageOf(services.perform("book", ["47110815"], context("payout"), {} as never)),
    "no card **** for HT-1",
  );
  assert.equal(
    await messageOf(services.perform("book", ["47110815"], context("expense"), {} as never)),
    "no card 47110815 for HT-1",
  );
  const delivery = { data: { card: "47110815", note: "HT-1" } } as never;
  assert.equal(await messageOf(services.deliver(delivery, "i")), "no card **** for HT-1");
});

test("secrets of a message are those under the names of secret fields", () => {
  assert.deepEqual(secretsIn({ card: "1", note: "2", list: [{ card: { deep: "3" } }] }, [SECRET]), [
    "1",
    { deep: "3" },
  ]);
  assert.deepEqual(secretsIn({ card: "1" }, [PLAIN]), []);
});

test("why a text is not JSON is told without a piece of it", () => {
  const texts = [
    "hush-hush",
    '{"card":hush}',
    '{"a":"x"',
    '{"card":"hush\n"}',
    "{'hush':1}",
    '{"card":"hush"}}',
    '{"hush"}',
    "[hush",
    '"hush',
    "",
    "undefined",
    '{"a":"\\xhush"}',
    '{"long":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx","card":hush}',
  ];
  for (const text of texts) {
    try {
      JSON.parse(text);
      assert.fail(text);
    } catch (error) {
      assert.ok(error instanceof SyntaxError);
      const told = whyNotJson(error);
      assert.ok(told.length > 5 && !told.includes("hush"), `${text}: ${told}`);
    }
  }
  assert.equal(whyNotJson(new Error("hush")), "it can't be read");
});
