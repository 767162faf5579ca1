import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { codes, compile, type Diagnostic } from "../index.ts";
import { flow, LINES, type Parts } from "./flow-fixture.ts";

const approval = (text: string, lines = "B → C on approved\n B → D on rejected") => ({
  blocks: `state B { approval by ${text} }`,
  lines,
});
const document = (fields: string) => ({
  lines: `${LINES}\n A → D on "x" → render("d")`,
  after: `document "d" { template: "t"\n ${fields} }`,
});
const source = (fields: string, head = `wecom "T" starts "f" on "go"`) => ({
  after: `source ${head} {\n ${fields}\n}`,
});
const MAPPED = `key = SpNo\n initiator = Applyer\n amount = control("1") in yuan\n kind = control("2") one of { "A": a, else: b }\n card = control("3")\n yes = control("4")\n reviewer = control("5")`;
const block = (statements: string, head = `test "t" of "f"`) => ({ after: `${head} {\n ${statements}\n}` });

type Row = readonly [code: keyof typeof codes, parts: Parts, at: string];

const NAMES: readonly Row[] = [
  ["FLOW101", { lines: `${LINES}\n A → A on "x" if amont is set` }, "amont"],
  ["FLOW102", { states: "initial: Q; states: [A, B, C, D]; final: [C, D]" }, "Q"],
  ["FLOW102", { states: "initial: A; states: [A, B, C, D]; final: [C, D, E]" }, "E"],
  ["FLOW102", { lines: `${LINES}\n A → Q on "x"` }, "Q"],
  ["FLOW102", { lines: `${LINES}\n A, Q → B on "x"` }, "Q"],
  ["FLOW102", { blocks: "state Q { approval by boss }", lines: `B → C on "x"\n B → D on "y"` }, "Q"],
  ["FLOW103", { events: `"x" { amont }` }, "amont"],
  ["FLOW103", { lines: `${LINES}\n A → A on "x" → set(amont = 5)` }, "amont"],
  ["FLOW103", approval("chosen(whom)"), "whom"],
  ["FLOW104", { data: "x: number" }, "number"],
  ["FLOW104", { data: "x: list { y: texte }" }, "texte"],
  ["FLOW105", approval("bos"), "bos"],
  ["FLOW105", { lines: `${LINES}\n A → A on "x" by bos` }, "bos"],
  ["FLOW105", { people: "; x = managerOf(bos)" }, "bos"],
  ["FLOW106", { lines: `${LINES}\n A → A on "x" → render("nothing")` }, `"nothing"`],
  ["FLOW107", { data: "x: one of [p, q] = r" }, "r"],
  ["FLOW107", source(MAPPED.replace("else: b", "else: c")), "c"],
  ["FLOW108", { lines: `${LINES}\n A → A on "x" → emit()` }, "emit()"],
  ["FLOW108", { lines: `${LINES}\n A → A on "x" → notify(boss, board)` }, "notify(boss, board)"],
  ["FLOW108", approval("managersOf(initiator)"), "managersOf(initiator)"],
  ["FLOW108", approval("managerOf(initiator, up to 3)"), "managerOf(initiator, up to 3)"],
  ["FLOW108", approval("group()"), "group()"],
  ["FLOW109", { data: "amount: int" }, "amount"],
  ["FLOW109", { data: "x: Kind = one of [a, c]" }, "Kind"],
  ["FLOW109", { data: "x: one of [p, p]" }, "p"],
  ["FLOW109", { data: "x: list { y: int, y: int }" }, "y"],
  ["FLOW109", { events: `; "go" { }` }, `"go"`],
  ["FLOW109", { events: `; "x" { amount, amount }` }, "amount"],
  ["FLOW109", { events: `; "x" { amount: int }` }, "amount"],
  ["FLOW109", { people: "; boss = initiator" }, "boss"],
  ["FLOW109", { states: "initial: A; states: [A, B, C, D, B]; final: [C, D]" }, "B"],
  ["FLOW109", { routes: `"go" → "s"; "go" → "s"` }, `"go"`],
  ["FLOW109", { after: flow({}) }, `"f"`],
  ["FLOW109", { after: `document "d" { template: "t" }\n document "d" { template: "t" }` }, `"d"`],
  ["FLOW109", { after: `test "t" of "f" { start { } }\n test "t" of "f" { start { } }` }, `"t"`],
  ["FLOW109", document("x = amount\n x = amount"), "x"],
  ["FLOW109", source(`${MAPPED}\n amount = control("9") in yuan`), "amount"],
  ["FLOW110", block("start { }", `test "t" of "g"`), `"g"`],
  ["FLOW111", { people: "; x = managerOf(x)" }, "x"],
  ["FLOW111", { people: "; x = managerOf(y); y = managerOf(z); z = x; w = x" }, "x"],
  ["FLOW112", source(MAPPED, `wecom "T" starts "f" on "went"`), `"went"`],
  ["FLOW112", block(`start { }\n send "went"`), `"went"`],
  ["FLOW102", block("start { }\n expect Q"), "Q"],
  ["FLOW101", block("start { }\n expect amont == 5"), "amont"],
  ["FLOW120", block("start { }\n expect amount == kind"), "amount == kind"],
];

const TYPES: readonly Row[] = [
  ["FLOW120", { data: "x: int = true" }, "true"],
  ["FLOW120", { data: "x: int = 0.5" }, "0.5"],
  ["FLOW120", { lines: `${LINES}\n B → D on "x" → set(amount = kind)` }, "kind"],
  ["FLOW120", { lines: `${LINES}\n A → A on "x" → notify("u1")` }, `"u1"`],
  ["FLOW120", approval("kind"), "kind"],
  ["FLOW120", approval("group(amount)"), "amount"],
  ["FLOW120", approval("chosen(kind)"), "kind"],
  ["FLOW120", { lines: `${LINES}\n B → D at 3d` }, "3d"],
  ["FLOW120", { lines: `${LINES}\n A → A on "x" → start("f", 5, { })` }, "5"],
  ["FLOW120", { lines: `${LINES}\n A → A on "x" → start("f", key, { yes: 5 })` }, "5"],
  ["FLOW103", { lines: `${LINES}\n A → A on "x" → start("f", key, { nope: 5 })` }, "nope"],
  ["FLOW122", { lines: `${LINES}\n B → D on "x" → set(yes = days > 3)` }, "days"],
  ["FLOW122", { lines: `${LINES}\n A → D on "x" if amount > 3` }, "amount"],
  ["FLOW122", { lines: `${LINES}\n A → A on "x" if amount > 3` }, "amount"],
  ["FLOW122", { lines: `${LINES}\n any → D on "x" if amount > 3` }, "amount"],
  ["FLOW122", { data: "until: datetime", lines: `${LINES}\n A → B at until` }, "until"],
  ["FLOW122", { lines: `${LINES}\n B → D on "x" → set(amount = if yes then days * amount else 5)` }, "days"],
  ["FLOW122", approval("who"), "who"],
  ["FLOW122", approval("managerOf(who)"), "who"],
  ["FLOW122", { data: "team: text?", ...approval("group(team)") }, "team"],
  ["FLOW122", { people: "; helper = who" }, "who"],
  ["FLOW122", { lines: `${LINES}\n B → D on "x" → notify(who)` }, "who"],
  ["FLOW122", { lines: `${LINES}\n B → D on "x" by who` }, "who"],
  ["FLOW122", { lines: `${LINES}\n B → D after 3d → notify(actor)` }, "actor"],
  ["FLOW123", document("x = card"), "card"],
  ["FLOW123", document(`x = if yes then card else "x"`), `if yes then card else "x"`],
  ["FLOW123", { data: "open: text", lines: `${LINES}\n B → D on "x" → set(open = card)` }, "card"],
  ["FLOW123", { lines: `${LINES}\n B → D on "x" → start("f", key, { yes: card })` }, "card"],
  ["FLOW124", { data: "x: money = 0.001" }, "0.001"],
  ["FLOW125", { data: "x: money = -1" }, "-1"],
  ["FLOW125", { lines: `${LINES}\n B → D on "x" → set(amount = -1)` }, "-1"],
  ["FLOW125", approval("boss { due: 0h }"), "0h"],
  ["FLOW128", { lines: `${LINES}\n B → D on "x" → isOk()` }, "isOk"],
  ["FLOW128", approval("isOk()"), "isOk"],
  ["FLOW130", { data: "x: datetime = now" }, "now"],
  ["FLOW130", { lines: `${LINES}\n B → D on "x" → emit(kind)` }, "kind"],
  ["FLOW130", approval("users(kind)"), "kind"],
  [
    "FLOW131",
    { lines: "B → C on approved → notify(event.reviewer)\n B → D on rejected\n B → A on returned" },
    "event.reviewer",
  ],
  ["FLOW134", { head: `currency: "XXY"` }, `"XXY"`],
  ["FLOW140", { data: "state: text" }, "state"],
  ["FLOW140", { data: "data: text" }, "data"],
  ["FLOW140", { data: "machine: text" }, "machine"],
  ["FLOW141", { lines: `${LINES}\n B → D on "x" if yes or amount in (5, 5]` }, "(5, 5]"],
];

const GRAPH: readonly Row[] = [
  ["FLOW201", { states: "states: [A, B, C, D]; final: [C, D]" }, `"f"`],
  ["FLOW201", { states: "initial: A", blocks: "", lines: "" }, `"f"`],
  ["FLOW202", { lines: `${LINES}\n C → D on "x"` }, "C"],
  ["FLOW203", { states: "initial: A; states: [A, B, C, D, E]; final: [C, D]", lines: `${LINES}\n B → E on "x"` }, "E"],
  ["FLOW204", { states: "initial: A; states: [A, B, C, D, E]; final: [C, D, E]" }, "E"],
  [
    "FLOW205",
    {
      states: "initial: A; states: [A, B, C, D, E, F]; final: [C, D]",
      lines: `${LINES}\n B → E on "x"\n E → F on "x"\n F → E on "x"`,
    },
    "E",
  ],
  ["FLOW205", { states: "initial: A; states: [A, B]", blocks: "", lines: `B → A on "x"` }, "A"],
  ["FLOW206", { lines: `${LINES}\n A → D on rejected` }, "on rejected"],
  ["FLOW206", { blocks: "", lines: `B → C on "x"\n B → D on "y"\n any → D on rejected` }, "on rejected"],
  [
    "FLOW206",
    {
      states: "initial: A; states: [A, B, E, C, D]; final: [C, D]",
      lines: `${LINES}\n A → E on rejected\n E → D on "x"`,
    },
    "on rejected",
  ],
  [
    "FLOW206",
    {
      blocks: `state B { parallel { branch x { initial: S; states: [S, T]; transitions { S → T on "q" } } reject: one } }`,
      lines: "B → C on joined\n B → D on rejected",
    },
    "on rejected",
  ],
  ["FLOW207", { lines: "B → C on approved\n B → D on rejected" }, "B"],
  ["FLOW207", { lines: "B → C on approved\n B → A on returned\n B → D after 3d" }, "B"],
  ["FLOW208", approval("boss", LINES), "on returned"],
  [
    "FLOW208",
    {
      states: "initial: A; states: [A, B, E, F, C, D]; final: [C, D]",
      blocks:
        "state B { approval by boss { allow: [returnTo] } }\n state F { approval by boss { allow: [returnTo] } }\n state E { approval by boss }",
      lines:
        "B → E on approved\n E → F on approved\n F → C on approved\n any → D on rejected\n B, E, F → A on returned",
    },
    "E",
  ],
  ["FLOW209", { lines: `${LINES}\n B → D on submit` }, "submit"],
  ["FLOW210", { lines: `${LINES}\n A → D on "go"` }, `A → D on "go"`],
  ["FLOW210", { lines: `${LINES}\n A → D on "go" if yes is set` }, `A → D on "go" if yes is set`],
  [
    "FLOW210",
    { lines: `${LINES}\n B → D on "x" if amount > 3\n B → A on "x" if amount < 5` },
    `B → A on "x" if amount < 5`,
  ],
  [
    "FLOW211",
    { lines: `${LINES}\n B → D on "x" if isOk()\n B → A on "x" if amount < 5` },
    `B → A on "x" if amount < 5`,
  ],
  [
    "FLOW212",
    { lines: "B → C on approved if amount > 5\n B → D on rejected\n B → A on returned" },
    "B → C on approved if amount > 5",
  ],
  [
    "FLOW213",
    { lines: "B → C on approved if isOk()\n B → D on rejected\n B → A on returned" },
    "B → C on approved if isOk()",
  ],
  ["FLOW214", { lines: `${LINES}\n A → D on "go" else` }, `A → D on "go" else`],
  ["FLOW215", { lines: `${LINES}\n A → D on "x" else` }, `A → D on "x" else`],
  ["FLOW216", approval("boss { overdue: [remind after 0h] }"), "overdue: [remind after 0h]"],
  ["FLOW218", approval("board quorum 4"), "board quorum 4"],
  ["FLOW218", approval(`users("x", "x") quorum 2`), `users("x", "x") quorum 2`],
  ["FLOW219", approval("board quorum 0"), "quorum 0"],
  ["FLOW219", approval("board quorum 3/2"), "quorum 3/2"],
  ["FLOW219", approval("board quorum 101%"), "quorum 101%"],
  ["FLOW219", approval("board quorum > 100%"), "quorum > 100%"],
  ["FLOW219", approval("managerOf(initiator, level 0)"), "level 0"],
  ["FLOW220", { blocks: "state B { approval by boss { allow: [returnTo] } }\n state C { approval by boss }" }, "C"],
  ["FLOW221", approval("boss { allow: [fly] }"), "fly"],
  ["FLOW221", approval("boss { reason: required on [fly] }"), "fly"],
  ["FLOW221", source(MAPPED, `lark "T" starts "f" on "go"`), "lark"],
  ["FLOW222", source(MAPPED.replace("key = SpNo\n", "")), `source wecom "T" starts "f" on "go"`],
  ["FLOW222", source(MAPPED.replace("initiator = Applyer\n", "")), `source wecom "T" starts "f" on "go"`],
  ["FLOW222", source(MAPPED.replace('yes = control("4")\n', "")), `source wecom "T" starts "f" on "go"`],
  ["FLOW103", source(`${MAPPED}\n days = control("9")`), "days"],
  ["FLOW223", source(MAPPED.replace(" in yuan", "")), `control("1")`],
  ["FLOW223", source(MAPPED.replace(` one of { "A": a, else: b }`, "")), `control("2")`],
  [
    "FLOW223",
    source(MAPPED.replace(`control("3")`, `table("3") { x = control("1") }`)),
    `table("3") { x = control("1") }`,
  ],
  ["FLOW224", approval("actor"), "actor"],
  ["FLOW224", approval("managerOf(assignee)"), "assignee"],
  ["FLOW224", { lines: `${LINES}\n A → D after 2d by initiator` }, "initiator"],
];

const ENVIRONMENT: readonly Row[] = [
  ["FLOW301", { lines: `${LINES}\n B → D on "x" if nobodyServes()` }, "nobodyServes"],
  ["FLOW230", { events: `"cancel" { days }`, lines: `${LINES}\n B → D on "cancle"` }, `"cancel"`],
  ["FLOW278", { ...document("x = amount"), after: `document "d" { x = amount }` }, `"d"`],
  ["FLOW302", { routes: `"go" → "t"` }, "t"],
  ["FLOW302", { routes: `"go" → service(role = "audit")` }, `service(role = "audit")`],
  ["FLOW302", { routes: `"go" → service(role = "ledger", zone = "cn")` }, `service(role = "ledger", zone = "cn")`],
  ["FLOW303", { lines: `${LINES}\n B → D on "x" → start("g", key, { })` }, `"g"`],
  ["FLOW303", source(MAPPED, `wecom "T" starts "g" on "go"`), `"g"`],
  ["FLOW304", { ...document("x = amount"), after: `document "d" { template: "gone" }` }, `"gone"`],
  ["FLOW305", { routes: `"gone" → "s"` }, `"gone"`],
];

const environment = {
  functions: [{ name: "isOk", kind: "guard" }],
  services: ["s"],
  labels: [{ role: "ledger", zone: "eu" }, { zone: "cn" }],
  templates: ["t"],
} as const;

function found(text: string): readonly Diagnostic[] {
  return compile(text, "a.flow", environment).diagnostics;
}

for (const [title, rows] of Object.entries({ NAMES, TYPES, GRAPH, ENVIRONMENT })) {
  test(`what is wrong, and where: ${title.toLowerCase()}`, () => {
    for (const [code, parts, at] of rows) {
      const text = flow(parts);
      const actual = found(text).map(({ code: other, span }) => [other, text.slice(span.start, span.end)]);
      assert.deepEqual(actual, [[code, at]], text);
    }
  });
}

test("the flow that the rows change is sound", () => {
  assert.deepEqual(found(flow({})), []);
  assert.deepEqual(found(flow(document("x = amount\n y = days\n z = masked(card)"))), []);
  assert.deepEqual(found(flow(source(MAPPED))), []);
});

test("every code of the checker is tried by a test beside it", () => {
  const folders = [import.meta.dirname, join(import.meta.dirname, "../proofs"), join(import.meta.dirname, "..")];
  const files = folders.flatMap((folder) =>
    readdirSync(folder).flatMap((file) => (file.endsWith(".test.ts") ? [join(folder, file)] : [])),
  );
  const text = files.map((file) => readFileSync(file, "utf8")).join("\n");
  const missing = Object.keys(codes).filter((code) => /^FLOW[123]/.test(code) && !text.includes(`"${code}"`));
  assert.deepEqual(missing, []);
});

test("a declaration that is there twice shows the first", () => {
  const text = flow({ data: "amount: int" });
  const [diagnostic] = found(text);
  const [first] = diagnostic?.related ?? [];
  assert.equal(first && text.slice(first.span.start, first.span.end), "amount");
  assert.ok(first && diagnostic && first.span.start < diagnostic.span.start);
});

test("people that are there", () => {
  const rows: readonly Parts[] = [
    approval("chosen(who)"),
    { lines: `${LINES}\n B → D on "x" if who is set → notify(who) → cc(managerOf(who))` },
    { lines: `${LINES}\n B → D after 3d if actor is set → notify(actor)` },
    { lines: `${LINES}\n B → D on "go" by event.reviewer → notify(event.reviewer)` },
  ];
  for (const parts of rows) assert.deepEqual(found(flow(parts)), [], JSON.stringify(parts));
});

test("what is spelt in one way only, or not nearly alike, is not misspelt", () => {
  const rows: readonly Parts[] = [
    { events: `"cancel" { days }` },
    { events: `"cancel" { days }`, lines: `${LINES}\n B → D on "recall"` },
    { events: `"cancel" { days } "cancels" { days }`, lines: `${LINES}\n B → D on "cancels"` },
    { routes: `"go" → service(zone = "eu", role = "ledger")` },
  ];
  for (const parts of rows) assert.deepEqual(found(flow(parts)), [], JSON.stringify(parts));
});

test("what is meant to be refused may be anything", () => {
  assert.deepEqual(found(flow(block(`start { }\n send "went"\n expect refused "unknown-event"`))), []);
});

test("a test with a label is one of that version", () => {
  const old = flow({ head: `label: "1"` });
  const text = `${old}${flow({ head: `label: "2"`, data: "fresh: bool" })}`;
  const asking = (label: string) =>
    found(`${text}test "t" of "f" label "${label}" { start { }\n expect fresh == true }`);
  assert.deepEqual(
    asking("1").map(({ code }) => code),
    ["FLOW101"],
  );
  assert.deepEqual(asking("2"), []);
});

test("what is damaged leaves what uses it without a definition", () => {
  const whole = flow(document("x = amount"));
  const sound = flow({}).replace(`"f"`, `"g"`);
  for (const [find, put] of [
    ["x = amount", "x = = amount"],
    [`document "d" {`, `document "d" of {`],
    ["boss = ", "boss = = "],
  ] as const) {
    const text = `${sound}${whole.replace(find, put)}`;
    const { definitions, diagnostics } = compile(text, "a.flow", environment);
    assert.deepEqual(
      definitions.map(({ flow: name }) => name),
      ["g"],
      put,
    );
    assert.deepEqual(
      diagnostics.filter(({ code }) => !code.startsWith("FLOW0")),
      [],
      put,
    );
  }
});

test("versions of one flow are no duplicates", () => {
  const text = `${flow({ head: `label: "1"` })}${flow({ head: `label: "2"` })}`;
  assert.deepEqual(found(text), []);
  assert.deepEqual(
    compile(text, "a.flow", environment).definitions.map(({ label }) => label),
    ["1", "2"],
  );
});

test("stuck states show the way there", () => {
  const dead = flow({ states: "initial: A; states: [A, B, C, D, E]; final: [C, D]", lines: `${LINES}\n B → E on "x"` });
  assert.deepEqual(found(dead)[0]?.path, ["A", "B", "E"]);
  const circle = flow({
    states: "initial: A; states: [A, B, C, D, E, F]; final: [C, D]",
    lines: `${LINES}\n B → E on "x"\n E → F on "x"\n F → E on "x"`,
  });
  assert.deepEqual(found(circle)[0]?.path, ["A", "B", "E"]);
});

test("a flow with an error has no definition, its neighbours have", () => {
  const text = `${flow({ lines: `${LINES}\n A → Q on "x"` })}${flow({}).replace(`"f"`, `"g"`)}`;
  assert.deepEqual(
    compile(text, "a.flow", environment).definitions.map(({ flow: name }) => name),
    ["g"],
  );
});

// ------------------------------------------------------------------------------------------------------------------ //
// Overlaps and gaps
// ------------------------------------------------------------------------------------------------------------------ //

test("lines that exclude each other don't overlap", () => {
  const pairs = [
    ["amount < 5", "amount >= 5"],
    ["amount in [0, 5)", "amount in [5, ..)"],
    ["kind == a", "kind == b"],
    ["kind in [a]", "kind != a"],
    ["yes", "not yes"],
    ["isOk(amount)", "not isOk(amount)"],
    ["days is set and days > 3", "not (days is set)"],
    ["days is set and days <= 3", "days is set and days > 3"],
    ["amount > 5 and kind == a", "amount > 5 and kind == b"],
    ["amount * 2 > 5", "not (amount * 2 > 5)"],
    ["who is set and who == initiator", "who is set and who != initiator"],
  ] as const;
  for (const [one, other] of pairs) {
    const text = flow({ lines: `${LINES}\n B → D on "x" if ${one}\n B → A on "x" if ${other}` });
    assert.deepEqual(
      found(text).map(({ code, message }) => [code, message]),
      [],
      text,
    );
  }
});

test("what isn't proved is not reported", () => {
  const text = flow({ lines: `${LINES}\n B → D on "x" if amount * 2 > 5\n B → A on "x" if amount * 3 < 5` });
  assert.deepEqual(found(text), []);
});

test("an overlap shows data for which both lines apply", () => {
  const rows = [
    ["amount > 3", "amount < 5", { amount: "3.01" }],
    ["amount >= 5_000", "kind == a", { amount: "5000", kind: "a" }],
    ["yes", "days is set and days > 3", { yes: true, days: 4 }],
    ["not (days is set)", "yes", { days: null, yes: true }],
    ["not (days is set)", "kind != a or kind == a", { days: null }],
  ] as const;
  for (const [one, other, example] of rows) {
    const text = flow({ lines: `${LINES}\n B → D on "x" if ${one}\n B → A on "x" if ${other}` });
    const [diagnostic] = found(text);
    assert.deepEqual([diagnostic?.code, diagnostic?.counterExample], ["FLOW210", example], text);
    const [earlier] = diagnostic?.related ?? [];
    assert.equal(earlier && text.slice(earlier.span.start, earlier.span.end), `B → D on "x" if ${one}`);
  }
});

test("conditions of an outcome that cover everything leave no gap", () => {
  const covering = [
    "B → C on approved if amount > 5\n B → D on approved if amount <= 5",
    "B → C on approved if kind == a\n B → D on approved else if kind == b",
    "B → C on approved if isOk()\n B → D on approved if not isOk()",
    "B → C on approved if amount > 5\n any → D on approved else",
  ];
  for (const lines of covering) {
    assert.deepEqual(found(flow({ lines: `${lines}\n B → D on rejected\n B → A on returned` })), [], lines);
  }
});

test("a gap of an outcome shows data that no line covers", () => {
  const rows = [
    ["B → C on approved if amount <= 4_999\n B → D on approved if amount >= 5_000", { amount: "4999.01" }],
    ["B → C on approved if kind == a", { kind: "b" }],
    ["B → C on approved if amount > 5 and kind == a\n B → D on approved if amount > 5 and kind == b", { amount: "5" }],
  ] as const;
  for (const [lines, example] of rows) {
    const [diagnostic] = found(flow({ lines: `${lines}\n B → D on rejected\n B → A on returned` }));
    assert.deepEqual([diagnostic?.code, diagnostic?.counterExample], ["FLOW212", example], lines);
  }
});

test("a line that names the state does not overlap with one of `any`", () => {
  assert.deepEqual(found(flow({ lines: `${LINES}\n any → D on "x"\n B → C on "x"` })), []);
});
