import assert from "node:assert/strict";
import { test } from "node:test";
import { type CompileEnvironment, compile } from "../index.ts";
import { flow, LINES } from "./flow-fixture.ts";

function warnings(text: string, environment: CompileEnvironment = {}) {
  const { diagnostics } = compile(text, "a.flow", environment);
  return diagnostics.map(({ code, severity, span }) => [code, severity, text.slice(span.start, span.end)]);
}

test("a function nobody declares is a warning, once for each name", () => {
  const text = flow({
    lines: `${LINES}\n B → D on "x" if isFine() and yes\n B → C on "x" else if isFine() and isGood() → act() → act()`,
  });
  assert.deepEqual(warnings(text), [
    ["FLOW301", "warning", "isFine"],
    ["FLOW301", "warning", "isGood"],
    ["FLOW301", "warning", "act"],
  ]);
});

test("a value function nobody declares gives what its place asks for", () => {
  const rows = [
    ["amount > limitOf(kind)", { kind: "money", signed: false }],
    ["limitOf(kind) < amount", { kind: "money", signed: false }],
    ["scoreOf(amount) > 0.5", { kind: "decimal" }],
    ["scoreOf(amount) > 5", { kind: "decimal" }],
    ["amount * rateOf(kind) > 5", { kind: "decimal" }],
    [`cityOf(kind) == "x"`, { kind: "text" }],
    ["who is set and ownerOf(kind) == who", { kind: "user" }],
  ] as const;
  for (const [condition, type] of rows) {
    const text = flow({ lines: `${LINES}\n B → D on "x" if ${condition}` });
    assert.deepEqual(
      warnings(text).map(([code]) => code),
      ["FLOW301"],
      condition,
    );
    const found: unknown[] = [];
    JSON.stringify(compile(text, "a.flow").definitions[0]?.transitions, (_, part) => {
      if (part?.kind === "ask") found.push(part.type);
      return part;
    });
    assert.deepEqual(found, [type], condition);
  }
});

test("names of the directory are looked at where they are known", () => {
  const text = flow({
    blocks: `state B { approval by group("finance") then role("boss") then users("u1", "u8") then group("finance") { allow: [returnTo, withdraw] } }`,
  });
  assert.deepEqual(warnings(text), []);
  assert.deepEqual(warnings(text, { groups: ["finances"], roles: [], users: ["u1", "u2", "u3"] }), [
    ["FLOW306", "warning", `"finance"`],
    ["FLOW306", "warning", `"boss"`],
    ["FLOW306", "warning", `"u8"`],
  ]);
});

test("a secret of an event goes to functions and secret fields, and nowhere else", () => {
  const sending = (actions: string) =>
    flow({ events: `; "x" { pin: text secret }`, lines: `${LINES}\n B → D on "x" ${actions}` });
  const errors = (text: string) => warnings(text).filter(([, severity]) => severity === "error");
  assert.deepEqual(errors(sending("→ act(event.pin) → set(card = event.pin)")), []);
  assert.deepEqual(errors(sending("if event.pin is set")), []);
  assert.deepEqual(errors(sending(`if event.pin == "x"`)), [["FLOW123", "error", "event.pin"]]);
  assert.deepEqual(
    errors(
      flow({
        data: "note: text?",
        events: `; "x" { pin: text secret }`,
        lines: `${LINES}\n B → D on "x" → set(note = event.pin)`,
      }),
    ),
    [["FLOW123", "error", "event.pin"]],
  );
});

test("people with levels stand in actions, too", () => {
  const text = flow({
    lines: `${LINES}\n B → D on "x" → notify(managerOf(initiator, level 2)) → cc(managersOf(boss, to top, top-down))`,
  });
  assert.deepEqual(warnings(text), []);
  const [line] = compile(text, "a.flow").definitions[0]?.transitions.slice(-1) ?? [];
  assert.deepEqual(line?.actions, [
    { kind: "notify", to: { kind: "managerOf", of: { kind: "initiator" }, level: 2 } },
    { kind: "cc", to: { kind: "managersOf", of: { kind: "named", name: "boss" }, upTo: "top", topDown: true } },
  ]);
});

test("a flow whose proofs fail has no definition to run, but one to look at", () => {
  const { definitions, unsound } = compile(flow({ lines: "B → C on approved\n B → D on rejected" }), "a.flow");
  assert.deepEqual([definitions.length, unsound.map(({ flow: name }) => name)], [0, ["f"]]);
});
