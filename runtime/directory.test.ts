import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Answer, Question } from "../engine/index.ts";
import { directoryShape, embeddedDirectory } from "./directory.ts";
import type { FunctionQuestion } from "./ports.ts";
import { askers } from "./questions.ts";
import { flow } from "./testing.ts";
import { trustedFunctions } from "./trusted-functions.ts";

const FILE = directoryShape.parse({
  people: [
    {
      id: "bob",
      away: [
        { from: "2026-01-05", to: "2026-01-09", deputy: "dan" },
        { from: "2026-03-01", to: "2026-03-02" },
      ],
    },
    { id: "carol", manager: "eve" },
    { id: "eve", left: { successor: "finn" }, groups: ["finance"] },
    { id: "gus", left: {} },
  ],
});

const asked = (kind: Question["kind"], name: string, ...args: readonly string[]): Question => ({
  ...{ key: `${kind}:${name}`, kind, name, arguments: args },
  context: { flow: "expense", services: [] } as unknown as Question["context"],
});

describe("absences in a directory.json", () => {
  const directory = embeddedDirectory(FILE);

  test("of those who are asked for, and are not always there", () => {
    assert.deepEqual(directory.answer(asked("absences", "absences", "bob", "carol", "eve", "gus", "nobody")), {
      absences: {
        bob: {
          away: [
            { from: "2026-01-05", to: "2026-01-09", deputy: "dan" },
            { from: "2026-03-01", to: "2026-03-02" },
          ],
        },
        eve: { left: { successor: "finn" } },
        gus: { left: {} },
      },
    });
  });

  test("who left is still found, so that the successor gets what would be theirs", () => {
    assert.deepEqual(directory.answer(asked("people", "group", "finance")), { people: ["eve"] });
    assert.deepEqual(directory.answer(asked("people", "managerOf", "carol")), { people: ["eve"] });
    assert.deepEqual(directory.answer(asked("people", "user", "eve")), { people: ["eve"] });
  });

  const WRONG: readonly [what: string, person: object][] = [
    ["a day that does not exist", { away: [{ from: "2026-02-30", to: "2026-03-01" }] }],
    ["an end before the beginning", { away: [{ from: "2026-03-02", to: "2026-03-01" }] }],
    ["no end", { away: [{ from: "2026-03-02" }] }],
    ["a name that is not known", { left: { to: "bob" } }],
  ];
  for (const [what, person] of WRONG) {
    test(`${what} is refused`, () => {
      assert.equal(directoryShape.safeParse({ people: [{ id: "a", ...person }] }).success, false);
    });
  }
});

describe("who is asked", () => {
  const definition = flow();
  const seen: string[] = [];
  const serve = (question: FunctionQuestion): Promise<Answer> => {
    seen.push(question.key);
    return Promise.resolve({ ok: true });
  };
  const ask = askers({
    directory: embeddedDirectory(FILE),
    // Functions may be called like a flow, or `absences`.
    functions: trustedFunctions((name) => (name === "mine" ? { kind: "guard", run: () => true } : undefined)),
    services: { answer: serve },
    version: (name, label) => (name === "mine" && label !== "9" ? definition : undefined),
  });

  test("the registry for versions, at once", () => {
    assert.deepEqual(ask(asked("flow", "mine"), {}), { definition: definition.hash });
    assert.deepEqual(ask(asked("flow", "mine", "1"), {}), { definition: definition.hash });
    for (const question of [asked("flow", "mine", "9"), asked("flow", "other")]) {
      const answer = ask(question, {});
      assert.ok(!(answer instanceof Promise) && "failed" in answer && !answer.retryable);
    }
  });

  test("the directory for absences and people, trusted functions, then services", async () => {
    assert.deepEqual(ask(asked("absences", "absences", "bob"), {}) as object, {
      absences: { bob: { away: FILE.people[0]!.away } },
    });
    assert.deepEqual(ask(asked("guard", "mine"), {}), { ok: true });
    assert.deepEqual(await ask(asked("guard", "theirs"), {}), { ok: true });
    assert.deepEqual(seen, ["guard:theirs"]);
  });

  test("a directory that knows nothing of absences has nobody absent", () => {
    const bare = askers({
      directory: { answer: () => undefined, person: () => undefined },
      functions: trustedFunctions(() => undefined),
      services: { answer: serve },
      version: () => undefined,
    });
    assert.deepEqual(bare(asked("absences", "absences", "bob"), {}), { absences: {} });
  });
});
