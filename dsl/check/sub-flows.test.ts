import assert from "node:assert/strict";
import { test } from "node:test";
import { compile, type Definition } from "../index.ts";
import { flow, wrongs } from "./flow-fixture.ts";

const SEAL = `state machine "seal" {
  data { document: text; price: money; copies: int = 1; note: text?; pin: text secret }
  initial: S
  states: [S, SEALED, REFUSED]
  transitions {
    S → SEALED on "go"
    S → REFUSED on "no"
  }
}`;
const WITH = `document: "x", price: 5, pin: card`;

function running(run: string, sub = SEAL, lines = "B → C on done"): string {
  return flow({
    blocks: `state B { ${run} }`,
    states: "initial: A; states: [A, B, C, D]; final: [C, D]",
    lines: `${lines}\n B → D on "stop"`,
    after: sub,
  });
}

function definitionOf(text: string): Definition {
  const { definitions, diagnostics } = compile(text, "a.flow");
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === "error"),
    [],
  );
  return definitions[0]!;
}

test("a state runs another flow", () => {
  const run = definitionOf(running(`run flow "seal" on "go" with { ${WITH} }`)).states[1]?.run;
  assert.ok(run?.kind === "flow");
  assert.deepEqual([run.flow, run.event, Object.keys(run.fields)], ["seal", "go", ["document", "price", "pin"]]);
  assert.deepEqual(run.fields["price"], { kind: "literal", type: { kind: "money", signed: false }, value: 500 });
});

test("`outcome` is one of the final states of the flow that has ended", () => {
  const run = `run flow "seal" on "go" with { ${WITH} }`;
  const done = (condition: string) => running(run, SEAL, `B → C on done if ${condition}\n B → D on done else`);
  assert.deepEqual(wrongs(done("outcome == SEALED")), []);
  assert.deepEqual(wrongs(done("machine.outcome in [SEALED]")), []);
  assert.deepEqual(wrongs(done("outcome == APPROVED")), [["FLOW107", "APPROVED"]]);
  assert.deepEqual(wrongs(running(run, SEAL, `B → C on done\n B → D on "x" if outcome == SEALED`)), [
    ["FLOW101", "outcome"],
  ]);
  const unknown = running(`run flow "gone" on "go"`, "", "B → C on done if outcome == ANYTHING\n B → D on done else");
  assert.deepEqual(wrongs(unknown), []);
});

test("what is wrong with a sub-flow, and where", () => {
  const rows: readonly (readonly [text: string, code: string, at: string])[] = [
    [running(`run flow "seal" on "go" with { document: "x", price: 5 }`), "FLOW274", `run flow "seal" on "go"`],
    [running(`run flow "seal" on "go"`), "FLOW274", `run flow "seal" on "go"`],
    [running(`run flow "seal" on "go" with { ${WITH}, docs: "x" }`), "FLOW103", "docs"],
    [running(`run flow "seal" on "go" with { ${WITH}, pin: card }`), "FLOW109", "pin"],
    [running(`run flow "seal" on "go" with { ${WITH.replace("5", "kind")} }`), "FLOW120", "kind"],
    [running(`run flow "seal" on "go" with { ${WITH.replace("5", "-5")} }`), "FLOW125", "-5"],
    [running(`run flow "seal" on "go" with { ${WITH.replace("5", "0.001")} }`), "FLOW124", "0.001"],
    // Secrets go to secret fields only; what may be absent, to optional ones.
    [running(`run flow "seal" on "go" with { ${WITH.replace(`"x"`, "card")} }`), "FLOW123", "card"],
    [running(`run flow "seal" on "go" with { ${WITH}, copies: days }`), "FLOW122", "days"],
    // Its first event.
    [running(`run flow "seal" on "went" with { ${WITH} }`), "FLOW112", `"went"`],
    [running(`run flow "seal" with { ${WITH} }`), "FLOW275", `run flow "seal"`],
  ];
  for (const [text, code, at] of rows) assert.deepEqual(wrongs(text), [[code, at]], text);
});

test("what may be absent may be given to an optional field", () => {
  const text = flow({
    data: "remark: text?",
    blocks: `state B { run flow "seal" on "go" with { ${WITH}, note: remark } }`,
    lines: "B → C on done\n B → D after 3d",
    after: SEAL,
  });
  assert.deepEqual(wrongs(text), []);
});

test("a sub-flow that begins by itself needs no event", () => {
  const beginning = (block: string, lines: string) => `state machine "seal" {
    initial: S
    states: [S, SEALED, REFUSED]
    ${block}
    transitions { ${lines} }
  }`;
  const rows = [
    ["state S { approval by initiator }", "S → SEALED on approved\n S → REFUSED on rejected"],
    ["state S { handle by initiator }", "S → SEALED on done\n S → REFUSED after 3d"],
    ["", "S → SEALED after 3d\n S → REFUSED after 4d if 1 < 2"],
  ] as const;
  for (const [block, lines] of rows) {
    const found = wrongs(running(`run flow "seal"`, beginning(block, lines))).map(([code]) => code);
    assert.ok(!found.includes("FLOW275"), block);
  }
  const waiting = beginning("", `S → SEALED on "go"\n S → REFUSED on "no"`);
  assert.deepEqual(wrongs(running(`run flow "seal"`, waiting)), [["FLOW275", `run flow "seal"`]]);
});

test("a flow that is not known here is a warning, since it may be deployed apart", () => {
  const { diagnostics, definitions } = compile(running(`run flow "gone" on "go" with { anything: 5 }`, ""), "a.flow");
  assert.deepEqual(
    diagnostics.map(({ code, severity }) => [code, severity]),
    [["FLOW303", "warning"]],
  );
  assert.equal(definitions.length, 1);
});

test("a flow that runs itself before anybody can act would never stand still", () => {
  const self = `run flow "f" on "go" with { amount: 5, kind: a, card: card, yes: true }`;
  const again = running(self, "");
  assert.deepEqual(wrongs(again), [["FLOW277", `run flow "f" on "go"`]]);
  assert.deepEqual(wrongs(again.replace('A → B on "go"', 'A → B on "go" if amount > 5\n A → C on "go" else')), []);
  const other = `state machine "g" { initial: S; states: [S, E]; state S { run flow "f" on "go" with { amount: 5, kind: a, card: "x", yes: true } }
    transitions { S → E on done } }`;
  const both = running(`run flow "g"`, other).replace("text secret", "text");
  assert.deepEqual(
    wrongs(both).map(([code]) => code),
    ["FLOW277", "FLOW277"],
  );
});
