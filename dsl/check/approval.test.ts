import assert from "node:assert/strict";
import { test } from "node:test";
import { describer } from "../describe.ts";
import { type Approval, compile } from "../index.ts";
import { flow, wrongs } from "./flow-fixture.ts";

const LINES = "B → C on approved\n B → D on rejected";

function asking(approval: string, more: Parameters<typeof flow>[0] = {}): string {
  return flow({ blocks: `state B { ${approval} }`, lines: LINES, ...more });
}

function approvalOf(text: string): Approval {
  const { definitions, diagnostics } = compile(text, "a.flow");
  assert.deepEqual(
    diagnostics.filter(({ severity }) => severity === "error"),
    [],
  );
  return definitions[0]!.states[1]!.approval!;
}

test("the options block may be left out, and every default is filled in", () => {
  const { chain, ...options } = approvalOf(asking("approval by boss"));
  assert.deepEqual(options, {
    overdue: [],
    overdueRepeat: 0,
    onEmpty: { kind: "hold" },
    onSelf: "ask",
    repeated: "ask",
    allow: [],
    onReturn: "restart",
    edit: [],
    editReopens: false,
    hide: [],
    abstain: "leaves",
    collectAll: false,
    reasonRequiredOn: [],
    signatureRequired: false,
  });
  const boss = { kind: "named", name: "boss" };
  assert.deepEqual(chain, [
    { kind: "vote", groups: [{ people: boss, mode: { kind: "any" }, reject: "one", pick: false }] },
  ]);
});

test("every option has its place in the definition", () => {
  const written = `approval by boss {
    allow: [transfer, delegate, addBefore advisory, addAfter, addBeside, remove, withdraw untouched, takeBack, abstain, claim]
    onSelf: skip
    repeated: skip consecutive
    onReturn: resume
    maxReturns: 3
    edit: [yes, kind] reopens
    hide: [card]
    abstain: no
    collect: all
    reason: required on [approve, reject, delegate, addBeside, takeBack]
    sign: required
  }`;
  const { chain: _, overdue: __, overdueRepeat: ___, onEmpty: ____, ...options } = approvalOf(asking(written));
  assert.deepEqual(options, {
    onSelf: "skip",
    repeated: "consecutive",
    allow: [
      "transfer",
      "delegate",
      "addBefore advisory",
      "addAfter",
      "addBeside",
      "remove",
      "withdraw untouched",
      "takeBack",
      "abstain",
      "claim",
    ],
    onReturn: "resume",
    maxReturns: 3,
    edit: ["yes", "kind"],
    editReopens: true,
    hide: ["card"],
    abstain: "no",
    collectAll: true,
    reasonRequiredOn: ["approve", "reject", "delegate", "addBeside", "takeBack"],
    signatureRequired: true,
  });
  assert.equal(approvalOf(asking("approval by boss { repeated: skip any }")).repeated, "any");
  assert.equal(approvalOf(asking("approval by boss { repeated: ask }")).repeated, "ask");
});

test("where the initiator never approves, the superior does, unless it is said otherwise", () => {
  const ensuring = (property: string, options = "") =>
    approvalOf(asking(`approval by boss ${options}`, { routes: `} ensure { ${property}` })).onSelf;
  assert.equal(ensuring("initiator never approves"), "manager");
  assert.equal(ensuring("initiator never approves", "{ onSelf: skip }"), "skip");
  assert.equal(ensuring("board never approves"), "ask");
});

test("stages", () => {
  const shown = (approval: string) =>
    approvalOf(asking(approval)).chain.map((stage) => {
      if (stage.kind === "matrix") return stage.matrix;
      if (stage.kind === "auto") return ["auto", stage.condition.kind];
      const groups = stage.groups.map(({ mode, reject, pick }) => [mode.kind, reject, ...(pick ? ["pick"] : [])]);
      return [stage.kind, ...groups, ...(stage.veto ? ["veto"] : [])];
    });
  assert.deepEqual(shown("approval by boss all and board quorum 2 veto boss then one of board"), [
    ["vote", ["all", "one"], ["quorum", "rest"], "veto"],
    ["vote", ["any", "one", "pick"]],
  ]);
  assert.deepEqual(shown("approval by boss then auto approve if amount < 5 else reject then board { reject: rest }"), [
    ["vote", ["any", "rest"]],
    ["auto", "binary"],
    ["vote", ["any", "rest"]],
  ]);
  assert.deepEqual(shown("approval by auto reject if amount < 5 else approve then boss"), [
    ["auto", "not"],
    ["vote", ["any", "one"]],
  ]);
});

test("more than a share, and more than a number", () => {
  const modes = ["> 50%", "> 33.3%", "> 2/3", "> 1", "66.7%"].map((threshold) => {
    const { definitions } = compile(asking(`approval by boss quorum ${threshold}`), "a.flow");
    const [stage] = definitions[0]?.states[1]?.approval?.chain ?? [];
    return stage?.kind === "vote" ? [stage.groups[0]?.mode, describer({ currencyDecimals: 2 }).stage(stage)] : [];
  });
  const share = (part: number, of: number, strict = true) => ({
    kind: "quorum",
    threshold: { kind: "share", part, of, strict },
  });
  assert.deepEqual(modes, [
    [share(50, 100), "boss quorum > 50%"],
    [share(333, 1000), "boss quorum > 33.3%"],
    [share(2, 3), "boss quorum > 2/3"],
    [{ kind: "quorum", threshold: { kind: "count", count: 2 } }, "boss quorum 2"],
    [share(667, 1000, false), "boss quorum 66.7%"],
  ]);
});

test("a weight is a value function", () => {
  const { definitions } = compile(asking("approval by boss quorum 60% weight shareOf"), "a.flow");
  const [stage] = definitions[0]?.states[1]?.approval?.chain ?? [];
  assert.deepEqual(stage?.kind === "vote" && stage.groups[0]?.mode, {
    kind: "quorum",
    threshold: { kind: "share", part: 60, of: 100, strict: false },
    weight: "shareOf",
  });
  assert.deepEqual(definitions[0]?.functions, [{ name: "shareOf", kind: "value" }]);
  const guard = { functions: [{ name: "shareOf", kind: "guard" }] } as const;
  assert.deepEqual(wrongs(asking("approval by boss quorum 60% weight shareOf"), guard), [["FLOW128", "shareOf"]]);
});

test("what is handled", () => {
  const handled = (stages: string) =>
    flow({ blocks: `state B { handle by ${stages} }`, lines: "B → C on done\n B → D after 3d" });
  assert.deepEqual(
    approvalOf(handled("boss then board all")).chain.map(({ kind }) => kind),
    ["handle", "handle"],
  );
  assert.deepEqual(wrongs(handled("boss veto boss")), [["FLOW228", "boss"]]);
  assert.deepEqual(wrongs(handled("boss then auto approve if yes else reject")), [
    ["FLOW228", "auto approve if yes else reject"],
  ]);
});

test("what is wrong with an approval, and where", () => {
  const options = (text: string) => asking(`approval by boss { ${text} }`);
  const rows: readonly (readonly [text: string, code: string, at: string])[] = [
    [options("onSelf: hold"), "FLOW221", "hold"],
    [options("repeated: skip"), "FLOW221", "repeated: skip"],
    [options("repeated: skip some"), "FLOW221", "some"],
    [options("onReturn: back"), "FLOW221", "back"],
    [options("maxReturns: 0"), "FLOW219", "maxReturns: 0"],
    [options("abstain: yes"), "FLOW221", "yes"],
    [options("collect: some"), "FLOW221", "some"],
    [options("sign: maybe"), "FLOW221", "maybe"],
    [options("edit: [amont]"), "FLOW103", "amont"],
    [options("hide: [amont]"), "FLOW103", "amont"],
    [options("allow: [addAfter advisory]"), "FLOW221", "advisory"],
    [options("allow: [withdraw advisory]"), "FLOW221", "advisory"],
    [options("reason: required on [claim]"), "FLOW221", "claim"],
    [options("sign: required; sign: required"), "FLOW109", "sign"],
    [options("overdue: [remind after 1d]"), "FLOW216", "overdue: [remind after 1d]"],
    // Stages.
    [asking("approval by auto approve if yes else approve"), "FLOW221", "auto approve if yes else approve"],
    [asking("approval by auto approve if days > 3 else reject"), "FLOW122", "days"],
    [asking("approval by board quorum 4"), "FLOW218", "board quorum 4"],
    [asking("approval by board quorum 3 and board quorum 4"), "FLOW218", "board quorum 3 and board quorum 4"],
    [asking("approval by board quorum > 3"), "FLOW218", "board quorum > 3"],
    [asking("approval by board quorum > 3/3"), "FLOW219", "quorum > 3/3"],
    [asking("approval by one of board quorum 2"), "FLOW218", "one of board quorum 2"],
    [asking("approval by board veto bos"), "FLOW105", "bos"],
    [asking(`approval by board veto users("u1", "u9")`), "FLOW229", `users("u1", "u9")`],
  ];
  for (const [text, code, at] of rows) assert.deepEqual(wrongs(text), [[code, at]], text);
});

test("a veto of people who may have a seat is not looked into", () => {
  for (const stage of ["board veto boss", "boss veto board", "one of board veto board", 'board veto users("u1")']) {
    assert.deepEqual(wrongs(asking(`approval by ${stage}`)), [], stage);
  }
});

test("an approval in the initial state sees fields that may be missing", () => {
  const text = flow({
    blocks: "state A { approval by auto approve if amount < 5 else reject then boss }",
    lines: "A → C on approved\n A → D on rejected\n B → D after 3d",
  });
  assert.deepEqual(wrongs(text), [["FLOW122", "amount"]]);
});

test("people that stand for a value are told from unknown names", () => {
  const { diagnostics } = compile(asking("approval by boss then auto approve if boss else reject"), "a.flow");
  const told = diagnostics.find(({ code }) => code === "FLOW101");
  assert.equal(told?.message, "`boss` names people, and here a value is expected.");
});
