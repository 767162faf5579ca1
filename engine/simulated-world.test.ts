import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fact } from "../dsl/index.ts";
import { SimulatedWorld, TestFault } from "./simulated-world.ts";
import type { Answer, Json, Question } from "./types.ts";

const context = { initiator: { id: "alice" } } as Question["context"];

function ask(facts: readonly Fact[], kind: Question["kind"], name: string, ...args: Json[]): Answer {
  const world = new SimulatedWorld();
  for (const fact of facts) world.give(fact);
  return world.answer({ key: name, kind, name, arguments: args, context });
}

const people = (name: string, argument: string, ...found: string[]): Fact => ({
  kind: "people",
  name,
  argument,
  people: found,
});
const manager = (of: string, who: string): Fact => people("managerOf", of, who);
const answer = (value: number, ...args: number[]): Fact => ({
  kind: "answer",
  name: "scoreOf",
  answer: { value: { kind: "number", text: String(value) } },
  ...(args.length > 0 && { arguments: args.map((one) => ({ kind: "number" as const, text: String(one) })) }),
});

test("the directory answers what is given, and with nobody otherwise", () => {
  const rows: readonly (readonly [readonly Fact[], string, string, readonly string[]])[] = [
    [[people("group", "finance", "f1", "f2")], "group", "finance", ["f1", "f2"]],
    [[people("group", "finance", "f1")], "group", "hr", []],
    [[people("group", "x", "f1"), people("group", "x", "f2")], "group", "x", ["f2"]],
    [[], "headOf", "org-1", []],
    [[manager("bob", "carol")], "managerOf", "bob", ["carol"]],
    [[manager("bob", "carol"), manager("carol", "dan")], "managersOf", "bob", ["carol", "dan"]],
    [[manager("bob", "alice"), manager("alice", "dan")], "managersOf", "bob", ["dan"]],
    [[manager("bob", "carol"), manager("carol", "bob")], "managersOf", "bob", ["carol"]],
    [[manager("bob", "carol"), manager("carol", "carol")], "managersOf", "bob", ["carol"]],
    [[people("managersOf", "bob", "m1"), manager("bob", "carol")], "managersOf", "bob", ["m1"]],
    [[], "user", "anybody", ["anybody"]],
    [[{ kind: "users", people: ["dan"] }], "user", "dan", ["dan"]],
    [[{ kind: "users", people: ["dan"] }], "user", "erin", []],
  ];
  for (const [facts, name, argument, found] of rows) {
    assert.deepEqual(ask(facts, "people", name, argument), { people: found }, `${name}(${argument})`);
  }
});

test("functions answer what is given, first for just these arguments, then for all, the newest winning", () => {
  assert.deepEqual(ask([answer(1, 7), answer(2)], "value", "scoreOf", 7), { value: 1 });
  assert.deepEqual(ask([answer(1, 7), answer(2)], "value", "scoreOf", 8), { value: 2 });
  assert.deepEqual(ask([answer(1), answer(2)], "value", "scoreOf"), { value: 2 });
  assert.deepEqual(ask([], "check", "checkBudget"), { ok: true });
  assert.deepEqual(ask([people("auditorsOf", "cn", "a1")], "people", "auditorsOf", "cn"), { people: ["a1"] });
  const named: Fact = { kind: "answer", name: "auditors", answer: { value: { kind: "text", value: "a1" } } };
  assert.deepEqual(ask([named], "people", "auditors"), { people: ["a1"] });
});

test("what only the test could say is a fault of the test", () => {
  assert.throws(() => ask([], "guard", "hasQuorum"), TestFault);
  assert.throws(() => ask([], "value", "scoreOf"), TestFault);
  assert.throws(() => ask([answer(1, 7)], "value", "scoreOf", 8), TestFault);
  assert.throws(() => ask([], "people", "auditors"), TestFault);
  assert.throws(() => ask([answer(1)], "people", "scoreOf"), TestFault);
  assert.throws(() => ask([answer(1)], "guard", "scoreOf"), TestFault);
});

test("what fails N times fails N times", () => {
  const world = new SimulatedWorld();
  world.give({ kind: "fails", name: "archive", times: 2 });
  assert.deepEqual(
    [1, 2, 3].map(() => world.fails("archive")),
    [true, true, false],
  );
  world.give({ kind: "fails", name: "archive" });
  assert.ok(Array.from({ length: 50 }, () => world.fails("archive")).every(Boolean));
});
