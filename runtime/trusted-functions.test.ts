import assert from "node:assert/strict";
import { test } from "node:test";
import { guard } from "../plugins/index.ts";
import type { FunctionQuestion, Question } from "./ports.ts";
import { functionsOf, trustedFunctions } from "./trusted-functions.ts";

const context = { flow: "expense" } as Question["context"];

test("an action that never ends is given up at its limit", async () => {
  const never = trustedFunctions(() => ({ kind: "action", run: () => new Promise(() => undefined) }));
  const limit = new AbortController();
  const performed = never.perform("book", [], { key: "k", context, signal: limit.signal });
  limit.abort("30 s");
  await assert.rejects(performed, /did not end in time: 30 s/);
});

test("a function is looked for beside the flow that asks", () => {
  const asked: string[] = [];
  const none = trustedFunctions((name, flow) => {
    asked.push(`${flow}/${name}`);
    return undefined;
  });
  assert.equal(none.has("book", "expense"), false);
  const question: FunctionQuestion = { key: "guard:rich()", kind: "guard", name: "rich", arguments: [], context };
  assert.equal(none.answer(question), undefined);
  assert.deepEqual(asked, ["expense/book", "expense/rich"]);
});

test("an answer says in which version it was given, at once or later", async () => {
  const found = functionsOf({ rich: guard(() => true), slow: guard(async () => false), other: 3 }, "functions.ts 1a2b");
  const functions = trustedFunctions((name) => found.get(name));
  const question = (name: string): FunctionQuestion => ({
    key: `guard:${name}()`,
    kind: "guard",
    name,
    arguments: [],
    context,
  });
  assert.deepEqual(functions.answer(question("rich")), { ok: true, by: "functions.ts 1a2b" });
  assert.deepEqual(await functions.answer(question("slow")), { ok: false, by: "functions.ts 1a2b" });
  assert.equal(found.has("other"), false);
});
