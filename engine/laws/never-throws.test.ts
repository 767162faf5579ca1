/** `decide` answers every command on every instance that can be reached, also what no caller of ours would send. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { REFUSAL_CODES } from "../../dsl/index.ts";
import type { Answer, Command, Decision } from "../types.ts";
import { PEOPLE } from "./random-flows.ts";
import { type Life, live, lives } from "./random-lives.ts";

const RUNS = { numRuns: Number(process.env["LAW_RUNS"] ?? 150) };

/** A command of every kind, with everything it may carry. */
const base = { id: "x", source: "s", digest: "d", actor: "ann", reason: "r", in: "x", task: "i-1", onBehalfOf: "bob" };
const start = { tenant: "t", instance: "i", key: "k", initiator: { id: "alice" }, data: { amount: 1 }, tag: "t" };
const report = { kind: "rendered", document: "d", template: "t", templateHash: "h", sha256: "s", bytes: 1 };
const kinds: readonly object[] = [
  { kind: "start", ...start, event: "submit", payload: {} },
  { kind: "event", event: "submit", payload: { amount: 1 } },
  ...["approve", "reject", "abstain", "handle"].map((decision) => ({
    ...{ kind: "decide", decision, signature: "s", payload: { amount: 2 }, choose: { amount: 3 } },
  })),
  { kind: "return", to: { kind: "initiator" }, signature: "s" },
  { kind: "return", to: { kind: "state", state: "FIRST" } },
  { kind: "return", to: { kind: "stage", stage: 1 } },
  ...["transfer", "delegate"].map((kind) => ({ kind, to: "bob" })),
  ...["before", "after", "beside"].map((where) => ({
    ...{ kind: "add", where, people: ["bob"], all: true, advisory: false, signature: "s" },
  })),
  { kind: "remove", person: "bob", admin: true },
  ...["claim", "release", "take-back", "withdraw", "urge", "suspend", "resume", "void"].map((kind) => ({ kind })),
  { kind: "comment", text: "t" },
  { kind: "ask", to: "bob", text: "t" },
  { kind: "cc", people: ["bob"] },
  { kind: "jump", branch: "x", state: "FIRST" },
  { kind: "override", decision: "approve" },
  { kind: "set-saga", step: "book", arguments: { amount: "9", 1: "9" } },
  { kind: "hand-over", from: "ann", to: "bob" },
  { kind: "migrate", label: "2" },
  { kind: "timer", timer: "t1" },
  { kind: "report", effect: "i:1:0", report },
  { kind: "report", effect: "i:1:0", report: { kind: "step", ok: false, reason: "r", timedOut: true } },
  { kind: "report", effect: "i:1:0", report: { kind: "failed", what: "w", reason: "r" } },
  { kind: "signal", status: "6", withdraw: true },
];

/** What nobody should send. */
const names = fc.constantFrom(...PEOPLE, "", "nobody", "__proto__", "constructor", "toString", "x.y", "X0", "系统");
const odd = fc.constantFrom<unknown>(
  null,
  true,
  -1,
  1e308,
  Number.NaN,
  "x".repeat(3_000),
  "\ud800",
  [],
  {},
  [[]],
  [{}],
);
const records = fc.dictionary(fc.constantFrom("amount", "note", "card", "__proto__", "kind", "0"), fc.jsonValue());
const junk: fc.Arbitrary<unknown> = fc.oneof(names, odd, fc.array(names, { maxLength: 3 }), records, fc.jsonValue());

/** A sound command of which some parts were put in place of others, or taken away. */
const commands = fc
  .tuple(fc.constantFrom(...kinds), fc.array(fc.tuple(fc.nat(), fc.option(junk, { nil: undefined })), { maxLength: 4 }))
  .map(([sound, swaps]): Command => {
    const command: Record<string, unknown> = { ...base, ...sound };
    for (const [at, value] of swaps) {
      const parts = Object.keys(command).filter((part) => part !== "kind");
      const part = parts[at % parts.length]!;
      if (value === undefined) delete command[part];
      else command[part] = value;
    }
    return command as unknown as Command;
  });

/** Answers to other questions than those that were asked. */
const answers = fc.constantFrom<Answer | undefined>(
  undefined,
  { people: ["nobody", "", "__proto__"] },
  { ok: true },
  { value: "x" },
  { value: null },
  { value: [1] },
  { absences: { ann: { left: {} }, bob: { away: [{ from: "", to: "x" }] } } },
  { definition: "none" },
  { failed: "f", retryable: true },
);

const codes = new Set<string>(REFUSAL_CODES);

function assertAnswer(decision: Decision): void {
  assert.match(decision.kind, /^(accepted|needs|duplicate|refused)$/);
  if (decision.kind !== "refused") return;
  assert.ok(codes.has(decision.code), decision.code);
  assert.ok(decision.message.length > 0);
}

test("decide answers every command on every instance that can be reached, whatever the world says", () => {
  const asks = fc.array(fc.tuple(commands, fc.option(answers)), { maxLength: 8 });
  const property = fc.property(lives, fc.array(asks, { maxLength: 41 }), (random, list) => {
    const pending = [...list];
    live(random, (life) => {
      for (const [command, answer] of pending.pop() ?? []) assertAnswer(asked(life, command, answer));
    });
  });
  fc.assert(property, RUNS);
});

/** @param answer to everything; `null`: as the life's world says. */
function asked(life: Life, command: Command, answer: Answer | undefined | null): Decision {
  try {
    return life.ask(command, answer === null ? undefined : () => answer);
  } catch (cause) {
    throw new Error(`${JSON.stringify([command, answer])}: ${(cause as Error).stack}`, { cause });
  }
}
