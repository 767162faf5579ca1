import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { FlowAst } from "./ast.ts";
import { bareTree } from "./bare-tree.ts";
import { parse } from "./parse.ts";

function sound(text: string) {
  const { ast, diagnostics } = parse(text, "x.flow");
  assert.deepEqual(diagnostics, []);
  return ast;
}

function flowOf(items: string): FlowAst {
  return sound(`state machine "x" {\n${items}\n}`).flows[0]!;
}

function stateOf(items: string) {
  return flowOf(`state S {\n${items}\n}`).stateBlocks[0]!;
}

const name = (text: string) => ({ kind: "name", name: text });
const number = (text: string) => ({ kind: "number", text });
const duration = (amount: string, unit: string) => ({ amount, unit });

describe("what a file declares", () => {
  it("reads use", () => {
    assert.deepEqual(bareTree(sound('use "./a.flow"\nuse "./b.flow"').uses), [
      { path: "./a.flow" },
      { path: "./b.flow" },
    ]);
  });

  it("reads a calendar", () => {
    const { calendars } = sound(`calendar "cn" {
      timezone: "Asia/Shanghai"; hours: [09:00 .. 12:00, 13:00..24:00]; weekend: [sat, sun]
      holidays: [2026-10-01..2026-10-07, 2027-01-01]; workdays: []
    }
    calendar "short" { hours: 09:00 .. 18:00 }`);
    const range = (from: string, to: string) => ({ from: { text: from }, to: { text: to } });
    assert.deepEqual(bareTree(calendars), [
      {
        name: "cn",
        timezone: "Asia/Shanghai",
        hours: [range("09:00", "12:00"), range("13:00", "24:00")],
        weekend: ["sat", "sun"],
        holidays: [range("2026-10-01", "2026-10-07"), { from: { text: "2027-01-01" } }],
        workdays: [],
      },
      { name: "short", hours: [range("09:00", "18:00")] },
    ]);
  });

  it("reads a matrix: cells stand apart without a comma, values within a cell with one", () => {
    const [matrix] = sound(`/// Who signs.
    matrix signOff(amount: money, kind: Kind) {
      kind  amount → approvers
      any, a  (0, 5_000] → manager
      "x"  -1 → auto reject if amount > 5 else approve
      a,
      b  [1, 2], any → m then n
        and o all
      and  b → p
    }`).matrices;
    assert.equal(matrix!.doc, "Who signs.");
    assert.deepEqual(bareTree(matrix!.header), { columns: ["kind", "amount"], result: "approvers" });
    assert.deepEqual(bareTree(matrix!.rows.map((row) => row.cells)), [
      [
        { kind: "values", values: [name("any"), name("a")] },
        {
          kind: "values",
          values: [
            { kind: "interval", low: number("0"), high: number("5000"), lowIncluded: false, highIncluded: true },
          ],
        },
      ],
      [
        { kind: "values", values: [{ kind: "text", value: "x" }] },
        { kind: "values", values: [{ kind: "negate", of: number("1") }] },
      ],
      [
        { kind: "values", values: [name("a"), name("b")] },
        { kind: "values", values: [{ kind: "list", items: [number("1"), number("2")] }, name("any")] },
      ],
      [
        { kind: "values", values: [name("and")] },
        { kind: "values", values: [name("b")] },
      ],
    ]);
    assert.deepEqual(
      matrix!.rows.map((row) =>
        row.stages.map((stage) => (stage.kind === "people" ? stage.groups.length : stage.then)),
      ),
      [[1], ["reject"], [1, 2], [1]],
    );
  });

  it("takes the first line of a matrix for a row where it names no parameter", () => {
    const [matrix] = sound("matrix m(open: bool) {\n true → a\n false → b\n}").matrices;
    assert.equal(matrix!.header, undefined);
    assert.equal(matrix!.rows.length, 2);
  });

  it("reads a saga", () => {
    const [saga] = sound(`saga "pay-out" {
      step a(x) undo b(x) retry 5 backoff 200ms .. 30s jitter 25% timeout 10s
      step c() retry 1 backoff 1s
        and d() undo e()
      onStuck: assign group("ops")
    }`).sagas;
    const call = (text: string, ...values: string[]) => ({ name: text, arguments: values.map(name) });
    assert.deepEqual(bareTree(saga), {
      name: "pay-out",
      steps: [
        [
          {
            call: call("a", "x"),
            undo: call("b", "x"),
            retry: 5,
            backoff: { from: duration("200", "ms"), to: duration("30", "s") },
            jitter: { percent: "25" },
            timeout: duration("10", "s"),
          },
        ],
        [
          { call: call("c"), retry: 1, backoff: { from: duration("1", "s") } },
          { call: call("d"), undo: call("e") },
        ],
      ],
      onStuck: {
        what: "assign",
        to: { kind: "call", name: "group", arguments: [{ kind: "expression", value: { kind: "text", value: "ops" } }] },
      },
    });
  });

  it("reads a rollout", () => {
    const [rollout] = sound('rollout "r" of "f" to label "3" { tags: ["x"]; amount: [1, 5); percent: 12.5 }').rollouts;
    assert.deepEqual(bareTree(rollout), {
      name: "r",
      flow: "f",
      label: "3",
      items: [
        { name: "tags", value: { kind: "list", items: [{ kind: "text", value: "x" }] } },
        {
          name: "amount",
          value: { kind: "interval", low: number("1"), high: number("5"), lowIncluded: true, highIncluded: false },
        },
        { name: "percent", value: number("12.5") },
      ],
    });
  });

  it("reads nested tables of a source", () => {
    const [source] = sound(
      'source wecom "T" starts "f" on "e" { a = table("1") { b = table("2") { c = X.Y } } }',
    ).sources;
    assert.deepEqual(bareTree(source!.fields), [
      {
        name: "a",
        value: {
          kind: "table",
          id: "1",
          columns: [
            {
              name: "b",
              value: {
                kind: "table",
                id: "2",
                columns: [{ name: "c", value: { kind: "property", path: ["X", "Y"] } }],
              },
            },
          ],
        },
      },
    ]);
  });
});

describe("what a machine declares", () => {
  it("reads payload fields with their marks", () => {
    const [event] = flowOf('events { "e" { amount, days?, note: text? secret, pin: int secret } }').events;
    assert.deepEqual(bareTree(event!.payload), [
      { name: "amount", optional: false, secret: false },
      { name: "days", optional: true, secret: false },
      { name: "note", type: { kind: "name", name: "text", signed: false }, optional: true, secret: true },
      { name: "pin", type: { kind: "name", name: "int", signed: false }, optional: false, secret: true },
    ]);
  });

  it("reads docs of states and blocks, not comments behind something", () => {
    const flow = flowOf(
      "states: [\n/// First.\n/// Really.\nA, /// behind\nB]\n/// Block.\nstate A { revocable for 1d }",
    );
    assert.deepEqual(flow.stateDocs, { A: "First.\nReally." });
    assert.equal(flow.stateBlocks[0]!.doc, "Block.");
  });

  it("reads properties", () => {
    const { ensure } = flowOf(`ensure {
      never A without b.B if x > 1
      never A without approval by finance
      never approval without approval
      never never approves; initiator never approves
      different people in [A, b.B,]
      reaches final within 3 workdays; reaches never approves
    }`);
    assert.deepEqual(
      ensure.map(({ kind }) => kind),
      [
        ...["never-without", "never-without", "never-without", "never-approves", "never-approves"],
        ...["different-people", "reaches-final", "never-approves"],
      ],
    );
    assert.deepEqual(bareTree(ensure[0]), {
      kind: "never-without",
      state: { name: "A" },
      without: { kind: "state", state: { branch: "b", name: "B" } },
      condition: { kind: "binary", operator: ">", left: name("x"), right: number("1") },
    });
    assert.deepEqual(bareTree(ensure[1]), {
      kind: "never-without",
      state: { name: "A" },
      without: { kind: "approval", by: name("finance") },
    });
  });

  it("reads migrations", () => {
    assert.deepEqual(bareTree(flowOf('migrate from label "2.0" { OLD → NEW; legal.A -> legal.B }').migrations), [
      {
        label: "2.0",
        lines: [
          { from: { name: "OLD" }, to: { name: "NEW" } },
          { from: { branch: "legal", name: "A" }, to: { branch: "legal", name: "B" } },
        ],
      },
    ]);
  });

  it("reads people as arguments of actions", () => {
    const [line] = flowOf(
      'transitions { A → B on "e" → notify(managerOf(initiator, level 2), managerOf(boss)) }',
    ).transitions;
    const [action] = line!.actions;
    assert.ok(action?.kind === "call");
    assert.deepEqual(
      action.arguments.map((value) => (value.kind === "people" ? bareTree(value.people) : value.kind)),
      [
        {
          kind: "call",
          name: "managerOf",
          arguments: [
            { kind: "expression", value: name("initiator") },
            { kind: "level", level: 2 },
          ],
        },
        "call",
      ],
    );
  });
});

describe("what a state holds", () => {
  const auto = (then: string, otherwise: string) => ({ kind: "auto", condition: name("x"), then, else: otherwise });
  const people = (text: string, mode?: unknown) => ({ people: name(text), ...(mode ? { mode } : {}), pick: false });

  for (const [text, stages] of [
    ["a", [{ kind: "people", groups: [people("a")] }]],
    [
      "a all and b quorum 60% weight w veto c then one of d",
      [
        {
          kind: "people",
          groups: [
            people("a", { kind: "all" }),
            people("b", { kind: "percent", percent: "60", strict: false, weight: "w" }),
          ],
          veto: name("c"),
        },
        { kind: "people", groups: [{ people: name("d"), pick: true }] },
      ],
    ],
    [
      "auto approve if x else reject then auto",
      [auto("approve", "reject"), { kind: "people", groups: [people("auto")] }],
    ],
  ] as const) {
    it(`reads the stages ${text}`, () => {
      const { approval } = stateOf(`approval by ${text}`);
      assert.deepEqual(bareTree(approval), { handle: false, stages, options: [] });
    });
  }

  it("reads handle, and auto without `approval by`", () => {
    assert.equal(stateOf("handle by a { due: 1d }").approval!.handle, true);
    const { approval } = stateOf("auto reject if x else approve\n then a { due: 1d }");
    assert.deepEqual([approval!.stages.length, approval!.options.length, approval!.handle], [2, 1, false]);
  });

  for (const [text, option] of [
    ["due: 2 workdays per stage", { kind: "due", duration: duration("2", "workdays"), perStage: true }],
    ["onSelf: manager", { kind: "onSelf", what: "manager" }],
    ["repeated: skip any", { kind: "repeated", what: "skip", qualifier: "any" }],
    ["repeated: ask", { kind: "repeated", what: "ask" }],
    ["onReturn: resume", { kind: "onReturn", what: "resume" }],
    ["maxReturns: 3", { kind: "maxReturns", count: 3 }],
    ["edit: [a, b] reopens", { kind: "edit", fields: ["a", "b"], reopens: true }],
    ["edit: []", { kind: "edit", fields: [], reopens: false }],
    ["hide: [a]", { kind: "hide", fields: ["a"] }],
    ["abstain: no", { kind: "abstain", what: "no" }],
    ["collect: all", { kind: "collect", what: "all" }],
    ["sign: required", { kind: "sign", what: "required" }],
    [
      "allow: [claim, addBefore advisory, takeBack]",
      {
        kind: "allow",
        operations: [{ name: "claim" }, { name: "addBefore", qualifier: "advisory" }, { name: "takeBack" }],
      },
    ],
  ] as const) {
    it(`reads the option ${text}`, () => {
      const [key] = text.split(":");
      assert.deepEqual(bareTree(stateOf(`approval by a { ${text} }`).approval!.options), [{ key, ...option }]);
    });
  }

  it("reads sagas, sub-flows and revocations", () => {
    assert.deepEqual(bareTree(stateOf('run saga "s"')), { name: "S", run: { kind: "saga", saga: "s" } });
    assert.deepEqual(bareTree(stateOf('run flow "f"').run), { kind: "flow", flow: "f", fields: [] });
    assert.deepEqual(bareTree(stateOf('run flow "f" on "e" with { a: 1\n b: x }').run), {
      kind: "flow",
      flow: "f",
      event: "e",
      fields: [
        { name: "a", value: number("1") },
        { name: "b", value: name("x") },
      ],
    });
    assert.deepEqual(bareTree(stateOf("revocable for 7d").revocable), { duration: duration("7", "d") });
  });

  it("reads parallel branches, also within branches", () => {
    const { parallel } = stateOf(`parallel {
      branch legal { initial: A; states: [A, B]; final: [B]; state A { approval by x }; transitions { A → B on approved } }
      branch tax if amount > 5 { states: [A]; state A { parallel { branch in { states: [C] } } } }
      branch rest else { states: [A] }
      join 2; reject: one
    }`);
    assert.deepEqual(
      parallel!.branches.map((branch) => [branch.name.text, branch.condition !== undefined, branch.else]),
      [
        ["legal", false, false],
        ["tax", true, false],
        ["rest", false, true],
      ],
    );
    const [legal, tax] = parallel!.branches;
    assert.deepEqual([legal!.transitions.length, legal!.final?.length, legal!.stateBlocks.length], [1, 1, 1]);
    assert.equal(tax!.stateBlocks[0]!.parallel!.branches[0]!.name.text, "in");
    assert.deepEqual([parallel!.join!.rule, parallel!.reject!.text], [2, "one"]);
    assert.equal(stateOf("parallel { join any }").parallel!.join!.rule, "any");
  });
});

describe("what a test says", () => {
  const text = (value: string) => ({ kind: "text", value });
  const decide = (decision: string, more: object = {}) => ({
    kind: "decide",
    user: "u",
    decision,
    signing: false,
    ...more,
  });

  for (const [line, statement] of [
    ['given users "a", "b"', { kind: "given", fact: { kind: "users", people: ["a", "b"] } }],
    ['given users ["a"]', { kind: "given", fact: { kind: "users", people: ["a"] } }],
    [
      'given users("x") = ["a"]',
      { kind: "given", fact: { kind: "people", name: "users", argument: "x", people: ["a"] } },
    ],
    [
      'given away "b" from 2026-01-05 to 2026-01-09 deputy "d"',
      { kind: "given", fact: { kind: "away", user: "b", from: "2026-01-05", to: "2026-01-09", deputy: "d" } },
    ],
    ['given left "e" handover "f"', { kind: "given", fact: { kind: "left", user: "e", successor: "f" } }],
    ['given left "e"', { kind: "given", fact: { kind: "left", user: "e" } }],
    ["given left fails", { kind: "given", fact: { kind: "fails", name: "left" } }],
    [
      'given "ledger-service" takes 30s',
      { kind: "given", fact: { kind: "takes", name: "ledger-service", ms: 30_000 } },
    ],
    [
      'as "a" with users "x", "y", left "z", rate = 0.5',
      {
        kind: "as",
        user: "a",
        facts: [
          { kind: "users", people: ["x", "y"] },
          { kind: "left", user: "z" },
          { kind: "answer", name: "rate", answer: { value: { kind: "number", text: "0.5" } } },
        ],
      },
    ],
    [
      'send "e" { a: "x" } by "v" because "y" with id "c"',
      {
        kind: "send",
        event: "e",
        payload: [{ name: "a", value: text("x") }],
        by: "v",
        because: "y",
        id: "c",
      },
    ],
    ['"u" approves', decide("approve")],
    ['"u" rejects in legal because "no" signing', decide("reject", { in: "legal", because: "no", signing: true })],
    [
      '"u" approves on behalf of "v" setting { a: "x" } with id "c"',
      decide("approve", { onBehalfOf: "v", setting: [{ name: "a", value: text("x") }], id: "c" }),
    ],
    ['"u" abstains', decide("abstain")],
    ['"u" claims', decide("claim")],
    ['"u" releases', decide("release")],
    ['"u" withdraws', decide("withdraw")],
    ['"u" takes back', decide("takeBack")],
    ['"u" handles', decide("handle")],
    ['"u" returns to stage 2 in legal', { kind: "return", user: "u", to: { kind: "stage", stage: 2 }, in: "legal" }],
    ['"u" returns to stage', { kind: "return", user: "u", to: { kind: "state", state: "stage" } }],
    ['"u" delegates to "v" because "x"', { kind: "delegate", user: "u", to: "v", because: "x" }],
    [
      '"u" adds before "v", "w" all advisory',
      { kind: "add", user: "u", where: "before", people: ["v", "w"], all: true, advisory: true },
    ],
    ['"u" adds after "v"', { kind: "add", user: "u", where: "after", people: ["v"], all: false, advisory: false }],
    [
      '"u" adds beside "v" in b',
      { kind: "add", user: "u", where: "beside", people: ["v"], all: false, advisory: false, in: "b" },
    ],
    ['"u" removes "v"', { kind: "remove", user: "u", person: "v" }],
    ['"u" urges', { kind: "urge", user: "u" }],
    ['"u" comments "x"', { kind: "comment", user: "u", message: "x" }],
    ['"u" asks "v" "why?"', { kind: "ask", user: "u", to: "v", message: "why?" }],
    ['admin suspends because "x"', { kind: "admin", operation: { kind: "suspend" }, because: "x" }],
    ["admin resumes", { kind: "admin", operation: { kind: "resume" } }],
    ["admin voids", { kind: "admin", operation: { kind: "void" } }],
    ["admin jumps to A", { kind: "admin", operation: { kind: "jump", state: "A" } }],
    ["admin jumps to b.A", { kind: "admin", operation: { kind: "jump", branch: "b", state: "A" } }],
    ["admin overrides reject in b", { kind: "admin", operation: { kind: "override", decision: "reject" }, in: "b" }],
    ['admin removes "v"', { kind: "admin", operation: { kind: "remove", person: "v" } }],
    [
      'admin sets saga pay { a: "x" } because "y"',
      {
        kind: "admin",
        operation: { kind: "set-saga", step: "pay", arguments: [{ name: "a", value: text("x") }] },
        because: "y",
      },
    ],
    ['admin hands over "a" to "b"', { kind: "admin", operation: { kind: "hand-over", from: "a", to: "b" } }],
    ['migrate to label "3" with id "c"', { kind: "migrate", label: "3", id: "c" }],
    ["advance 3 workdays", { kind: "advance", term: { kind: "workdays", days: 3 } }],
    ["advance 1.5 workhours", { kind: "advance", term: { kind: "workhours", ms: 5_400_000 } }],
    ["advance 48h", { kind: "advance", term: { kind: "natural", ms: 172_800_000 } }],
    ["advance to 2026-10-08", { kind: "advance-to", to: "2026-10-08" }],
  ] as const) {
    it(`reads ${line}`, () => {
      const [test] = sound(`test "t" of "f" { ${line} }`).tests;
      assert.deepEqual(bareTree(test!.statements.map(({ body }) => body)), [{ kind: "complete", statement }]);
    });
  }

  for (const [line, expectation] of [
    ["A", { kind: "state", state: "A" }],
    ["legal.A", { kind: "state", branch: "legal", state: "A" }],
    ['legal.A waiting for "b"', { kind: "state", branch: "legal", state: "A", waiting: [{ kind: "user", id: "b" }] }],
    ["escalated", { kind: "escalated", not: false }],
    ["escalated in legal", { kind: "escalated", not: false, in: "legal" }],
    ["not reminded 2 times in legal", { kind: "reminded", times: 2, not: true, in: "legal" }],
    ["round 2 in legal", { kind: "round", round: 2, in: "legal" }],
    ['seat "u" superseded in legal', { kind: "seat", user: "u", status: "superseded", in: "legal" }],
    [
      "undone pay(5) 1 times",
      { kind: "undone", name: "pay", arguments: [{ kind: "number", text: "5" }], times: 1, not: false },
    ],
    ["not called pay", { kind: "called", name: "pay", not: true }],
    ['not emitted "e"', { kind: "emitted", event: "e", not: true }],
    [
      'rendered "d" containing "壹" 2 times',
      { kind: "rendered", document: "d", containing: "壹", times: 2, not: false },
    ],
    ['not history containing "auto"', { kind: "history", containing: "auto", not: true }],
  ] as const) {
    it(`reads expect ${line}`, () => {
      const [test] = sound(`test "t" of "f" { expect ${line} }`).tests;
      assert.deepEqual(bareTree(test!.statements.map(({ body }) => body)), [
        { kind: "complete", statement: { kind: "expect", expectation } },
      ]);
    });
  }

  for (const line of ["kind in [a, b]", "escalated in [a]", "not flag", "data.flag", "legal.A == x", "round == 2"]) {
    it(`reads expect ${line} as a condition`, () => {
      const [test] = sound(`test "t" of "f" { expect ${line} }`).tests;
      assert.equal(test!.statements[0]!.body.kind, "condition");
    });
  }

  for (const line of [
    ...["start {} setting { a: 1 }", 'send "e" in legal', '"u" transfers to "v" signing', 'migrate to label "3" in b'],
    ...[
      '"u" approves because "a" because "b"',
      "expect not round 2",
      'expect not refused "x"',
      "given archive takes 2 workdays",
    ],
  ]) {
    it(`refuses ${line}`, () => {
      const { diagnostics, ast } = parse(`test "t" of "f" { ${line}\n expect A }`, "x.flow");
      assert.equal(diagnostics.length, 1);
      assert.ok(ast.tests[0]!.statements.some(({ text: written }) => written === "expect A"));
    });
  }
});
