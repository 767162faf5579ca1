import assert from "node:assert/strict";
import { test } from "node:test";
import { compile, type Definition } from "../index.ts";
import { flow, wrongs } from "./flow-fixture.ts";

/** A flow that runs a saga. */
const withSaga = (saga: string, run = `run saga "pay"`) =>
  flow({ blocks: `state B { ${run} }`, lines: "B → C on done\n B → D on compensated", after: saga });
const saga = (steps: string) => `saga "pay" {\n ${steps}\n}`;

function definitionOf(text: string): Definition {
  const { definitions, diagnostics } = compile(text, "a.flow");
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === "error"),
    [],
  );
  return definitions[0]!;
}

test("steps, their undoing and their tries", () => {
  const { sagas, states, functions } = definitionOf(
    withSaga(
      saga(`step reserve(amount) undo release(amount)
      step transfer(card, amount) undo refund(amount) retry 5 backoff 200ms .. 30s jitter 25% timeout 10s and log()
      step archive() backoff 1s
      onStuck: assign group("ops")`),
    ),
  );
  assert.deepEqual(states[1]?.run, { kind: "saga", saga: "pay" });
  const shown = sagas["pay"]?.steps.map((side) =>
    side.map(({ arguments: args, undo, ...rest }) => ({ ...rest, args: args.length, undo: undo?.name })),
  );
  assert.deepEqual(shown, [
    [{ name: "reserve", args: 1, undo: "release", retries: 0 }],
    [
      {
        name: "transfer",
        args: 2,
        undo: "refund",
        retries: 5,
        backoff: { fromMs: 200, toMs: 30_000 },
        jitter: 0.25,
        timeoutMs: 10_000,
      },
      { name: "log", args: 0, undo: undefined, retries: 0 },
    ],
    [{ name: "archive", args: 0, undo: undefined, retries: 0, backoff: { fromMs: 1000, toMs: 1000 } }],
  ]);
  assert.equal(sagas["pay"]?.onStuck?.kind, "group");
  assert.deepEqual(
    functions.map(({ name, kind }) => `${kind} ${name}`),
    ["action reserve", "action release", "action transfer", "action refund", "action log", "action archive"],
  );
});

test("what is wrong with a saga, and where", () => {
  const rows: readonly (readonly [text: string, code: string, at: string])[] = [
    [withSaga("", `run saga "pay"`), "FLOW114", `"pay"`],
    [withSaga(saga("step a()"), `run saga "pai"`), "FLOW114", `"pai"`],
    [withSaga(`${saga("step a()")}\n${saga("step a()")}`), "FLOW109", `"pay"`],
    [withSaga(saga("step a(amont)")), "FLOW101", "amont"],
    [withSaga(saga("step a() undo b(amont)")), "FLOW101", "amont"],
    [withSaga(saga("step a(days)")), "FLOW122", "days"],
    [withSaga(saga("step render(amount)")), "FLOW128", "render"],
    [withSaga(saga("step a() onStuck: assign bos")), "FLOW010", "onStuck"],
    [withSaga(saga("step a()\n onStuck: assign bos")), "FLOW105", "bos"],
    [withSaga(saga("step a() backoff 30s .. 1s")), "FLOW219", "30s .. 1s"],
    [withSaga(saga("step a() jitter 101%")), "FLOW219", "jitter 101%"],
    [withSaga(saga("step a() timeout 0s")), "FLOW125", "0s"],
    [withSaga(saga("step a() timeout 2 workhours")), "FLOW125", "2 workhours"],
    [withSaga(saga("")), "FLOW273", `"pay"`],
    [flow({ after: saga("") }), "FLOW273", `"pay"`],
  ];
  for (const [text, code, at] of rows) assert.deepEqual(wrongs(text), [[code, at]], text);
});

test("a declared function must be an action", () => {
  const environment = { functions: [{ name: "isOk", kind: "guard" }] } as const;
  assert.deepEqual(wrongs(withSaga(saga("step isOk(amount)")), environment), [["FLOW128", "isOk"]]);
});

test("fields of a saga are those of the flow that runs it; where none does, only built-in names are looked at", () => {
  assert.deepEqual(wrongs(flow({ after: saga("step a(whatever, managed)\n onStuck: assign somebody") })), []);
  assert.deepEqual(wrongs(flow({ after: saga("step a(rmbUpper(1, 2))") })), [["FLOW108", "rmbUpper(1, 2)"]]);
});
