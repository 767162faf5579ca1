import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compile, type Diagnostic } from "../index.ts";
import { translate } from "../messages/localize.ts";

interface Parts {
  readonly states?: string;
  readonly blocks?: string;
  readonly lines: string;
  readonly ensure: string;
  readonly before?: string;
  readonly after?: string;
}

function flow({ states, blocks, lines, ensure, before, after }: Parts): string {
  return `${before ?? ""}
state machine "f" {
  data { amount: money; kind: Kind = one of [a, b]; days: int? }
  events { "submit" { amount, kind, days } "amend" { amount } }
  people { boss = managerOf(initiator); finance = group("finance"); board = users("u1", "u2", "u3") }
  ${states ?? "initial: D; states: [D, R, OK, NO]; final: [OK, NO]"}
  ${blocks ?? "state R { approval by boss }"}
  transitions {
    D → R on "submit"
    ${lines}
  }
  ensure {
    ${ensure}
  }
}
${after ?? ""}`;
}

const DECIDED = "R → OK on approved\n R → NO on rejected";
const SIGN_OFF = "matrix m(x: money) { x → approvers\n [0, 5_000) → boss\n [5_000, ..) → boss then finance }";
const AMENDED = `R → F on approved if amount >= 5_000\n R → W on approved else\n R → NO on rejected\n W → OK on "go"\n F → W on approved\n F → NO on rejected`;
const SIX_STATES = "initial: D; states: [D, R, W, F, OK, NO]; final: [OK, NO]";
const TWO_STAGES = "initial: D; states: [D, R, S, OK, NO]; final: [OK, NO]";
const parallel = (options: string, legal = "", fin = "") => `state R { parallel {
  branch legal { initial: A; states: [A, X, Z]; state A { approval by boss ${legal} }; transitions { A → X on approved; A → Z on rejected } }
  branch fin if amount > 5_000 { initial: A; states: [A, X]; state A { approval by finance ${fin} }; transitions { A → X on approved; A → NO on rejected } }
  ${options} } }`;
const JOINED = "R → OK on joined if legal.state == X\n R → NO on joined else";

/** What is found, as `CODE path {example}`; a property that holds finds nothing. */
type Row = readonly [what: string, parts: Parts, ...found: readonly string[]];

function check(title: string, rows: readonly Row[]): void {
  test(title, () => {
    for (const [what, parts, ...expected] of rows) {
      const text = flow(parts);
      const { diagnostics } = compile(text, "a.flow");
      assert.deepEqual(diagnostics.filter(isOfProperty).map(shown), expected, what);
      for (const { span } of diagnostics.filter(isOfProperty)) {
        assert.ok(parts.ensure.includes(text.slice(span.start, span.end)), "a property's line");
      }
    }
  });
}

/** Beside them there may be warnings of what nobody has declared. */
function isOfProperty({ code, severity }: Diagnostic): boolean {
  return severity === "error" || code.startsWith("FLOW25");
}

function shown({ code, path, counterExample }: Diagnostic): string {
  return [code, ...(path ?? []), ...(counterExample ? [JSON.stringify(counterExample)] : [])].join(" ");
}

check("never X without Y", [
  ["every way passes it", { lines: DECIDED, ensure: "never OK without R" }],
  [
    "the shortest way that doesn't",
    { lines: `${DECIDED}\n D → OK on "fast"`, ensure: "never OK without R" },
    "FLOW250 D OK",
  ],
  ["Y that can't be reached", { lines: DECIDED, ensure: "never OK without NO" }, "FLOW250 D R OK"],
  ["Y is X", { lines: DECIDED, ensure: "never R without R" }],
  [
    "data changes on the way",
    {
      states: SIX_STATES,
      blocks: "state R { approval by boss }\n state F { approval by finance }",
      lines: `${AMENDED}\n W → W on "amend"`,
      ensure: "never OK without F if amount >= 5_000",
    },
    'FLOW250 D R W W OK {"amount":"5000"}',
  ],
  [
    "data changes and is looked at again",
    {
      states: SIX_STATES,
      blocks: "state R { approval by boss }\n state F { approval by finance }",
      lines: `${AMENDED}\n W → R on "amend"`,
      ensure: "never OK without F if amount >= 5_000",
    },
  ],
  [
    "conditions on other fields are remembered",
    {
      states: SIX_STATES,
      blocks: "state R { approval by boss }",
      lines: `R → F on approved if kind == a\n R → W on approved else\n R → NO on rejected\n F → W on "x"\n W → OK on "y" if kind == a\n W → NO on "y" else`,
      ensure: "never OK without F",
    },
  ],
  [
    "a function may say anything",
    { lines: `${DECIDED}\n D → OK on "fast" if isVip()`, ensure: "never OK without R" },
    "FLOW250 D OK",
  ],
  [
    "time passes",
    { lines: `${DECIDED}\n R → OK after 3d`, ensure: "never OK without approval by boss" },
    "FLOW250 D R OK",
  ],
  [
    "X in a branch",
    { blocks: parallel("join all"), lines: JOINED, ensure: "never fin.X without legal.X" },
    'FLOW250 D R legal.A fin.A fin.X {"amount":"5000.01"}',
  ],
  [
    "X is where a branch begins",
    {
      blocks: parallel("join all").replace("if amount > 5_000", ""),
      lines: JOINED,
      ensure: "never legal.A without NO",
    },
    "FLOW250 D R legal.A",
  ],
  [
    "a branch that is not entered",
    { blocks: parallel("join all"), lines: JOINED, ensure: "never OK without fin.X" },
    'FLOW250 D R legal.A legal.X OK {"amount":"5000"}',
  ],
  [
    "the join waits",
    {
      blocks: parallel("join all"),
      lines: JOINED,
      ensure: "never OK without fin.X if amount > 5_000\n never OK without legal.X",
    },
  ],
  [
    "the join doesn't wait",
    { blocks: parallel("join any"), lines: "R → OK on joined", ensure: "never OK without fin.X if amount > 6_000" },
    'FLOW250 D R legal.A fin.A legal.X OK {"amount":"6000.01"}',
  ],
]);

check("never X without approval by P", [
  [
    "by the name, or by what it stands for",
    { lines: DECIDED, ensure: "never OK without approval by boss\n never OK without approval by managerOf(initiator)" },
  ],
  ["others", { lines: DECIDED, ensure: "never OK without approval by finance" }, "FLOW250 D R OK"],
  [
    "both groups",
    {
      blocks: "state R { approval by boss and finance }",
      lines: DECIDED,
      ensure: "never OK without approval by boss\n never OK without approval by finance",
    },
  ],
  [
    "one of all, one of any",
    { blocks: "state R { approval by board all }", lines: DECIDED, ensure: `never OK without approval by users("u1")` },
  ],
  [
    "one of any may be another",
    { blocks: "state R { approval by board }", lines: DECIDED, ensure: `never OK without approval by users("u1")` },
    "FLOW250 D R OK",
  ],
  [
    "handled is not approved",
    { blocks: "state R { handle by boss }", lines: "R → OK on done", ensure: "never OK without approval by boss" },
    "FLOW250 D R OK",
  ],
  [
    "nobody, and skipped",
    {
      blocks: "state R { approval by boss then finance { onEmpty: skip } }",
      lines: DECIDED,
      ensure: "never OK without approval by finance",
    },
    "FLOW250 D R OK",
  ],
  [
    "the initiator's seat",
    {
      blocks: "state R { approval by boss { onSelf: skip } }",
      lines: DECIDED,
      ensure: "never OK without approval by boss",
    },
    "FLOW250 D R OK",
  ],
  [
    "nobody acts",
    {
      blocks: "state R { approval by boss { due: 1d; overdue: [approve after 1d] } }",
      lines: DECIDED,
      ensure: "never OK without approval by boss",
    },
    "FLOW250 D R OK",
  ],
  [
    "others in their place",
    {
      blocks: `state R { approval by boss { due: 1d; repeated: skip any; onEmpty: assign finance; overdue: [escalate to finance after 1d]; allow: [transfer, delegate] } }`,
      lines: DECIDED,
      ensure: "never OK without approval by boss",
    },
  ],
  [
    "the row of a matrix",
    {
      before: SIGN_OFF,
      blocks: "state R { approval by m(amount) }",
      lines: DECIDED,
      ensure: "never OK without approval by finance if amount >= 5_000\n never OK without approval by boss",
    },
  ],
  [
    "another row of it",
    {
      before: SIGN_OFF,
      blocks: "state R { approval by m(amount) }",
      lines: DECIDED,
      ensure: "never OK without approval by finance if amount >= 4_000",
    },
    'FLOW250 D R OK {"amount":"4000"}',
  ],
  [
    "an approver changes the field",
    {
      before: SIGN_OFF,
      blocks: "state R { approval by m(amount) { edit: [amount] } }",
      lines: DECIDED,
      ensure: "never OK without approval by finance if amount >= 5_000",
    },
    'FLOW250 D R OK {"amount":"5000"}',
  ],
  [
    "an action sets the field",
    {
      before: SIGN_OFF,
      blocks: "state R { approval by m(amount) }",
      lines: "R → OK on approved → set(amount = amount * 2)\n R → NO on rejected",
      ensure: "never OK without approval by finance if amount >= 5_000",
    },
    'FLOW250 D R OK {"amount":"5000"}',
  ],
  [
    "rules decide",
    {
      blocks: "state R { approval by auto approve if amount < 100 else reject then boss }",
      lines: DECIDED,
      ensure: "never OK without approval by boss\n never OK without NO if amount >= 100",
    },
    "FLOW251",
  ],
  [
    "what is returned is decided again",
    {
      states: TWO_STAGES,
      blocks: "state R { approval by boss }\n state S { approval by finance { allow: [returnTo] } }",
      lines: `R → S on approved\n R → NO on rejected\n S → OK on approved\n S → NO on rejected\n S → R on returned`,
      ensure: "never OK without approval by boss\n never S without approval by finance",
    },
    "FLOW250 D R S",
  ],
  [
    "a sub-flow asks them",
    {
      blocks: `state R { run flow "g" on "go" }`,
      lines: "R → OK on done",
      ensure: "never OK without approval by finance",
      after: `state machine "g" { initial: N; states: [N, A, Y]; final: [Y]; state A { approval by group("finance") }; transitions { N → A on "go"; A → Y on approved; A → N on rejected } }`,
    },
  ],
]);

check("what a sub-flow does, by how it ends", [
  [
    "only one end of it is approved",
    {
      blocks: `state R { run flow "g" on "go" }`,
      lines: "R → OK on done if outcome == Y\n R → NO on done else",
      ensure: "never OK without approval by finance\n never NO without approval by finance",
      after: `state machine "g" { initial: N; states: [N, A, Y, Z]; final: [Y, Z]; state A { approval by group("finance") }; transitions { N → A on "go"; A → Y on approved; A → Z on rejected } }`,
    },
    "FLOW250 D R NO",
  ],
  [
    "nobody knows the flow",
    {
      blocks: `state R { run flow "g" on "go" }`,
      lines: "R → OK on done",
      ensure: "never OK without approval by finance",
    },
    "FLOW250 D R OK",
  ],
]);

check("what is not proved is said", [
  [
    "whether a text made of a date is another text is not looked into",
    { lines: `${DECIDED}\n D → OK on "fast" if formatDate(now, "yyyy") == "2026"`, ensure: "never OK without R" },
    "FLOW252",
  ],
]);

const TOTAL = "days is set and amount * days >= 1_000";

check("conditions on the product of two fields", [
  [
    "the other people",
    {
      states: TWO_STAGES,
      blocks: "state R { approval by boss }\n state S { approval by finance }",
      lines: `R → S on approved if ${TOTAL}\n R → OK on approved else\n R → NO on rejected\n S → OK on approved\n S → NO on rejected`,
      ensure: `never OK without approval by finance if ${TOTAL}\n never OK without approval by board if ${TOTAL}`,
    },
    `FLOW250 D R S OK {"amount":"1000","days":1}`,
  ],
  [
    "a factor is set on the way",
    {
      states: TWO_STAGES,
      blocks: "state R { approval by boss }\n state S { approval by finance }",
      lines: `R → S on approved → set(days = 2)\n R → NO on rejected\n S → OK on approved if ${TOTAL}\n S → NO on approved else\n S → NO on rejected`,
      ensure: "never OK without approval by board",
    },
    `FLOW250 D R S OK {"amount":"500","days":2}`,
  ],
]);

test("lists and the initiator's tags are part of the example and the story", () => {
  const parts = (condition: string) => ({
    lines: DECIDED,
    ensure: `never OK without approval by finance if ${condition}`,
  });
  const broken = (condition: string) =>
    compile(
      flow(parts(condition)).replace("days: int? }", "days: int?; items: list of money }"),
      "a.flow",
    ).diagnostics.find(({ code }) => code === "FLOW250");
  assert.deepEqual(broken("sum(items) > 100")?.counterExample, { items: ["100.01"] });
  const tagged = broken(`"vip" in initiator.tags`);
  assert.deepEqual(tagged?.counterExample, { "initiator.tags": ["vip"] });
  assert.match(tagged?.hint ?? "", /started with `initiator.tags = \["vip"\]` →/);
});

test("the story says how a stage is passed without its people", () => {
  const story = (blocks: string, ensure: string) =>
    compile(flow({ blocks, lines: DECIDED, ensure }), "a.flow").diagnostics.find(({ code }) => code === "FLOW250")
      ?.hint ?? "";
  const by = "never OK without approval by finance";
  const rows = [
    ["finance { onEmpty: skip }", by, "nobody is found for `R`, which is skipped"],
    ["finance { due: 1d; overdue: [approve after 1d] }", by, "time approves `R`"],
    ["finance { onSelf: skip }", by, "the seat of the initiator in `R` is skipped"],
    ["boss", by, "`R` is approved"],
    [`users("u", "w") all { allow: [abstain] }`, BY_U, "the others approve in `R`, where the seat of `u` falls away"],
  ] as const;
  for (const [stage, ensure, sentence] of rows) {
    const told = story(`state R { approval by ${stage} }`, ensure);
    assert.ok(told.includes(`${sentence} → \`OK\``), told);
    assert.doesNotMatch(translate(told) ?? told, /[a-z]{3,} [a-z]{3,}/);
  }
  const late = compile(flow({ lines: DECIDED, ensure: "reaches final within 9d" }), "a.flow").diagnostics;
  const [related] = late.find(({ code }) => code === "FLOW250")?.related ?? [];
  assert.match(related?.message ?? "", /^It is started.* → `D`; `submit` is sent → `R`\.$/);
});

check("properties that hold for nothing", [
  [
    "X can't be reached",
    {
      states: "initial: D; states: [D, R, OK, NO, U]; final: [OK, NO, U]",
      lines: DECIDED,
      ensure: "never U without R",
    },
    "FLOW251",
  ],
  [
    "COND never holds there",
    {
      lines: "R → OK on approved if amount < 100\n R → NO on approved else\n R → NO on rejected",
      ensure: "never OK without R if amount > 200",
    },
    "FLOW251",
  ],
]);

const EVERYBODY = `state R { approval by users("u", "w") all`;
const BY_U = `never OK without approval by users("u")`;

check("a seat may fall away, and the others approve", [
  ["everybody must approve", { blocks: `${EVERYBODY} }`, lines: DECIDED, ensure: BY_U }],
  [
    "by an abstention",
    { blocks: `${EVERYBODY} { allow: [abstain] } }`, lines: DECIDED, ensure: BY_U },
    "FLOW250 D R OK",
  ],
  [
    "an abstention counts as a no",
    { blocks: `${EVERYBODY} { allow: [abstain]; abstain: no } }`, lines: DECIDED, ensure: BY_U },
  ],
  [
    "a number of approvals stays as it is",
    { blocks: `state R { approval by users("u", "w") quorum 2 { allow: [abstain] } }`, lines: DECIDED, ensure: BY_U },
  ],
  [
    "but not where others may be added beside",
    { blocks: `state R { approval by users("u", "w") quorum 2 { allow: [addBeside] } }`, lines: DECIDED, ensure: BY_U },
    "FLOW250 D R OK",
  ],
  [
    "others are added beside, and all must approve",
    { blocks: `${EVERYBODY} { allow: [addBeside] } }`, lines: DECIDED, ensure: BY_U },
  ],
  [
    "more than half of two are both",
    { blocks: `state R { approval by users("u", "w") quorum > 50% }`, lines: DECIDED, ensure: BY_U },
  ],
  [
    "half of two is one",
    { blocks: `state R { approval by users("u", "w") quorum 50% }`, lines: DECIDED, ensure: BY_U },
    "FLOW250 D R OK",
  ],
  [
    "two thirds of three are two",
    { blocks: `state R { approval by users("u", "w", "x") quorum 2/3 }`, lines: DECIDED, ensure: BY_U },
    "FLOW250 D R OK",
  ],
  [
    "more than two thirds of three are all, of two too",
    { blocks: `state R { approval by users("u", "w", "x") quorum > 2/3 }`, lines: DECIDED, ensure: BY_U },
  ],
  [
    "one may weigh as much as two",
    { blocks: `state R { approval by users("u", "w") quorum > 50% weight scoreOf }`, lines: DECIDED, ensure: BY_U },
    "FLOW250 D R OK",
  ],
  [
    "all of a ratio shrinks",
    {
      blocks: `state R { approval by users("u", "w") quorum 100% { allow: [abstain] } }`,
      lines: DECIDED,
      ensure: BY_U,
    },
    "FLOW250 D R OK",
  ],
  [
    "nobody else is left",
    { blocks: `state R { approval by users("u") all { allow: [abstain] } }`, lines: DECIDED, ensure: BY_U },
  ],
  [
    "of the initiator",
    { blocks: `${EVERYBODY} }`, lines: DECIDED, ensure: `${BY_U}\n initiator never approves` },
    "FLOW250 D R OK",
  ],
  [
    "of one who never approves",
    { blocks: `${EVERYBODY} }`, lines: DECIDED, ensure: `${BY_U}\n users("u") never approves` },
    "FLOW250 D R OK",
  ],
  [
    "another one never approves",
    { blocks: `${EVERYBODY} }`, lines: DECIDED, ensure: `${BY_U}\n users("x") never approves` },
  ],
  [
    "of one who decided before",
    {
      states: TWO_STAGES,
      blocks: `${EVERYBODY} }\n state S { handle by users("u", "v") }`,
      lines: `${DECIDED}\n D → S on "other"\n S → NO on done`,
      ensure: `${BY_U}\n different people in [R, S]`,
    },
    "FLOW250 D R OK",
  ],
  [
    "who can't have decided before",
    {
      states: TWO_STAGES,
      blocks: `${EVERYBODY} }\n state S { handle by users("v") }`,
      lines: `${DECIDED}\n D → S on "other"\n S → NO on done`,
      ensure: `${BY_U}\n different people in [R, S]`,
    },
  ],
  [
    "one of them is picked",
    { blocks: `state R { approval by one of users("u", "w") all }`, lines: DECIDED, ensure: BY_U },
    "FLOW250 D R OK",
  ],
]);

check("who never approves, and different people", [
  [
    "enforced by the engine",
    {
      states: TWO_STAGES,
      blocks: "state R { approval by boss }\n state S { approval by finance }",
      lines: "R → S on approved\n R → NO on rejected\n S → OK on approved\n S → NO on rejected",
      ensure: "initiator never approves\n different people in [R, S]",
    },
  ],
  [
    "the text says otherwise",
    { blocks: "state R { approval by boss { onSelf: ask } }", lines: DECIDED, ensure: "initiator never approves" },
    "FLOW253 D R",
  ],
  [
    "nobody else is left",
    { blocks: "state R { approval by finance then initiator }", lines: DECIDED, ensure: "initiator never approves" },
    "FLOW253 D R",
  ],
  [
    "static people",
    { blocks: `state R { approval by users("x") }`, lines: DECIDED, ensure: `users("x", "y") never approves` },
    "FLOW253 D R",
  ],
  [
    "one person for two states",
    {
      states: TWO_STAGES,
      blocks: `state R { approval by users("x") }\n state S { approval by users("x") }`,
      lines: "R → S on approved\n R → NO on rejected\n S → OK on approved\n S → NO on rejected",
      ensure: "different people in [R, S]",
    },
    "FLOW253 D R S",
  ],
  [
    "two people for two states",
    {
      states: TWO_STAGES,
      blocks: `state R { approval by users("x") }\n state S { approval by users("x", "y") }`,
      lines: "R → S on approved\n R → NO on rejected\n S → OK on approved\n S → NO on rejected",
      ensure: "different people in [R, S]",
    },
  ],
  [
    "somebody of a second state has decided the first, and another is left",
    {
      states: TWO_STAGES,
      blocks: `state R { approval by users("x") all }\n state S { approval by users("x", "y") all }`,
      lines: "R → S on approved\n R → NO on rejected\n S → OK on approved\n S → NO on rejected",
      ensure: "different people in [R, S]",
    },
  ],
  [
    "everybody who is left, after somebody has decided",
    {
      states: TWO_STAGES,
      blocks: `state R { approval by users("x") }\n state S { approval by users("x", "y") all }`,
      lines: "R → S on approved\n R → NO on rejected\n S → OK on approved\n S → NO on rejected",
      ensure: "different people in [R, S]",
    },
  ],
  [
    "a share of those who are left",
    {
      states: TWO_STAGES,
      blocks: `state R { approval by board quorum 2 }\n state S { approval by board quorum 60% }`,
      lines: "R → S on approved\n R → NO on rejected\n S → OK on approved\n S → NO on rejected",
      ensure: "different people in [R, S]",
    },
  ],
  [
    "the same people in two stages of one state",
    {
      states: TWO_STAGES,
      blocks: `state R { approval by board }\n state S { approval by board quorum 2 then board quorum 2 }`,
      lines: "R → S on approved\n R → NO on rejected\n S → OK on approved\n S → NO on rejected",
      ensure: "different people in [R, S]",
    },
  ],
  ["one state", { lines: DECIDED, ensure: "different people in [R, R]" }, "FLOW251"],
  [
    "states in which nobody decides",
    {
      states: TWO_STAGES,
      blocks: `${parallel("join all")}\n state S { handle by finance }`,
      lines: "R → S on joined\n S → OK on done",
      ensure: "different people in [D, R, S, legal.A]",
    },
    "FLOW251",
    "FLOW251",
  ],
  [
    "all of them twice",
    {
      states: TWO_STAGES,
      blocks: `state R { approval by users("x", "y") all }\n state S { approval by users("x", "y") }`,
      lines: "R → S on approved\n R → NO on rejected\n S → OK on approved\n S → NO on rejected",
      ensure: "different people in [R, S]",
    },
    "FLOW253 D R S",
  ],
]);

const RETURNING =
  "R → S on approved\n R → NO on rejected\n R → NO after 3d\n S → OK on approved\n S → NO on rejected\n S → NO after 3d\n S → D on returned";
const returning = (options: string) => ({
  states: TWO_STAGES,
  blocks: `state R { approval by boss }\n state S { approval by finance { allow: [returnTo] ${options} } }`,
  lines: RETURNING,
});

check("reaches final within D", [
  ["an after in every state", { lines: `${DECIDED}\n R → NO after 14d`, ensure: "reaches final within 14d" }],
  ["too long", { lines: `${DECIDED}\n R → NO after 14d`, ensure: "reaches final within 13d" }, "FLOW250 D R OK"],
  ["nothing ends the wait", { lines: DECIDED, ensure: "reaches final within 99d" }, "FLOW250 D R"],
  [
    "an overdue step that decides",
    {
      blocks: "state R { approval by boss then finance { due: 1d; overdue: [remind after 0h, reject after 1d] } }",
      lines: DECIDED,
      ensure: "reaches final within 4d",
    },
  ],
  [
    "two stages, one after the other",
    {
      blocks: "state R { approval by boss then finance { due: 1d; overdue: [reject after 1d] } }",
      lines: DECIDED,
      ensure: "reaches final within 3d",
    },
    "FLOW250 D R OK",
  ],
  ["the initial state counts as no time", { lines: `${DECIDED}\n R → D after 2d`, ensure: "reaches final within 2d" }],
  ["round and round", { ...returning(""), ensure: "reaches final within 99d" }, "FLOW250 D R S R"],
  ["so many returns", { ...returning("; maxReturns: 2"), ensure: "reaches final within 18d" }],
  [
    "too many returns",
    { ...returning("; maxReturns: 2"), ensure: "reaches final within 17d" },
    "FLOW250 D R S R S R S OK",
  ],
  [
    "branches side by side",
    {
      blocks: parallel(
        "join all",
        "{ due: 1d; overdue: [reject after 0h] }",
        "{ due: 2d; overdue: [reject after 0h] }",
      ),
      lines: JOINED,
      ensure: "reaches final within 2d",
    },
  ],
  [
    "a branch without an end",
    { blocks: parallel("join all"), lines: JOINED, ensure: "reaches final within 2d" },
    "FLOW250 D R legal.A",
  ],
  [
    "the longest of two",
    {
      blocks: parallel(
        "join all",
        "{ due: 1d; overdue: [reject after 0h] }",
        "{ due: 2d; overdue: [reject after 0h] }",
      ),
      lines: JOINED,
      ensure: "reaches final within 1d",
    },
    "FLOW250 D R OK",
  ],
]);

test("a contradiction is told as a story, with a test", () => {
  const text = flow({
    states: TWO_STAGES,
    blocks: `state R { approval by boss then users("u") }\n state S { approval by users("u") }`,
    lines: "R → S on approved\n R → NO on rejected\n S → OK on approved\n S → NO on rejected",
    ensure: "different people in [R, S]",
  });
  const found = compile(text, "a.flow").diagnostics.find(({ code }) => code === "FLOW253");
  assert.deepEqual(
    found?.related?.map(({ message }) => message),
    ["This is the state.", "It is started → `D`; `submit` is sent → `R`; `R` is approved → `S`."],
  );
  assert.equal(
    found.test,
    `test "S is held" of "f" {
  as "alice" with managerOf("alice") = "alice-manager"
  start { amount: 0, kind: a }
  send "submit"
  "alice-manager" approves
  "u" approves
  expect not history containing "is held"
}
`,
  );
});

test("a broken property is told as a story and as a test, with the option that lets it", () => {
  const text = flow({
    blocks: "state R { approval by boss then finance { onEmpty: skip } }",
    lines: DECIDED,
    ensure: "never OK without approval by finance",
  });
  const [diagnostic] = compile(text, "a.flow").diagnostics;
  assert.equal(diagnostic?.message, "`OK` can be reached without an approval by `finance`.");
  assert.match(diagnostic?.hint ?? "", /`submit` is sent → `R`; nobody is found for `R`, which is skipped → `OK`/);
  const [cause] = diagnostic?.related ?? [];
  assert.equal(cause && text.slice(cause.span.start, cause.span.end), "onEmpty: skip");
  assert.equal(
    diagnostic?.test,
    `test "never OK without approval by finance" of "f" {
  as "alice" with managerOf("alice") = "alice-manager"
  start { amount: 0, kind: a }
  send "submit"
  "alice-manager" approves
  expect state != OK
}
`,
  );
  const bare = text.replace(/ensure \{[^}]*\}/, "");
  assert.deepEqual(compile(`${bare}${diagnostic?.test}`, "a.flow").diagnostics, []);
});

// ------------------------------------------------------------------------------------------------------------------ //
// Against a walk over everything
// ------------------------------------------------------------------------------------------------------------------ //

const STATES = ["S0", "S1", "S2", "S3", "S4"] as const;
const KINDS = ["a", "b"] as const;

interface RandomLine {
  readonly from: number;
  readonly to: number;
  /** Which kinds it lets pass; absent: all. */
  readonly kind: (typeof KINDS)[number] | undefined;
  /** Does it change the kind before it is looked at? */
  readonly changes: boolean;
}

/** The fewest lines to the last state without the watched one, by trying every situation. */
function shortest(lines: readonly RandomLine[], watched: number, wanted: string | undefined): number | undefined {
  const seen = new Map<string, number>(KINDS.map((kind) => [`0 ${kind}`, 0]));
  for (const [key, steps] of seen) {
    const [state, kind] = key.split(" ") as [string, string];
    for (const line of lines) {
      if (line.from !== Number(state) || line.to === watched) continue;
      for (const now of line.changes ? KINDS : [kind]) {
        if (line.kind !== undefined && line.kind !== now) continue;
        if (line.to === STATES.length - 1 && (wanted === undefined || wanted === now)) return steps + 1;
        const next = `${line.to} ${now}`;
        if (!seen.has(next)) seen.set(next, steps + 1);
      }
    }
  }
  return undefined;
}

test("a property is broken exactly where a walk finds a way, and the way is the shortest", () => {
  const state = fc.integer({ min: 0, max: STATES.length - 1 });
  const line = fc.record({
    from: fc.integer({ min: 0, max: STATES.length - 2 }),
    to: state,
    kind: fc.constantFrom(undefined, ...KINDS),
    changes: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(line, { minLength: 1, maxLength: 9 }),
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom(undefined, ...KINDS),
      (lines, watched, wanted) => {
        const written = lines.map(({ from, to, kind, changes }, index) => {
          const event = changes ? `"change${index}"` : `"e${index}"`;
          return `${STATES[from]} → ${STATES[to]} on ${event}${kind === undefined ? "" : ` if kind == ${kind}`}`;
        });
        const text = `state machine "f" {
        data { kind: Kind = one of [a, b] = a }
        events { ${lines.map((_, index) => `"change${index}" { kind }`).join("\n")} }
        initial: S0
        states: [${STATES.join(", ")}]
        final: [S4]
        transitions { ${written.join("\n")}\n S0, S1, S2, S3 → S4 on "end" if kind == a and kind == b }
        ensure { never S4 without S${watched}${wanted === undefined ? "" : ` if kind == ${wanted}`} }
      }`;
        const steps = shortest(lines, watched, wanted);
        const broken = compile(text, "a.flow").diagnostics.find(({ code }) => code === "FLOW250");
        assert.equal(broken?.path ? broken.path.length - 1 : undefined, steps, text);
      },
    ),
    { numRuns: 200 },
  );
});
