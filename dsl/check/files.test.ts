import assert from "node:assert/strict";
import { test } from "node:test";
import { type CompileEnvironment, compile } from "../index.ts";
import { flow, LINES } from "./flow-fixture.ts";

const RATES = `calendar "cn" { timezone: "Asia/Shanghai"; hours: 09:00 .. 18:00 }
matrix m(amount: money) {
  amount   → who
  [0, 5)   → boss
  [5, ..)  → board
}
saga "pay" { step transfer(card, amount) undo refund(card) }
document "voucher" { template: "t"; total = amount }
state machine "sub" {
  data { document: text }
  initial: S
  states: [S, DONE]
  transitions { S → DONE on "go" }
}
`;

const USER = `use "./rates.flow"\n${flow({
  head: `calendar: "cn"`,
  states: "initial: A; states: [A, B, P, R, C, D]; final: [C, D]",
  blocks: `state B { approval by m(amount) { due: 2 workdays; allow: [returnTo] } }
    state P { run saga "pay" }
    state R { run flow "sub" on "go" with { document: "x" } }`,
  lines: `${LINES.replace("B → C", "B → P")}\n P → R on done\n P → D on compensated\n R → C on done if outcome == DONE → render("voucher")`,
})}`;

/** An environment with these files. */
function withFiles(files: Readonly<Record<string, string>>): CompileEnvironment {
  return { file: (path) => files[path] };
}

/** Errors as code, file and text, under the names of their files. */
function errors(text: string, files: Readonly<Record<string, string>>, file = "flows/a.flow") {
  const { diagnostics } = compile(text, file, withFiles(files));
  return diagnostics.flatMap((diagnostic) => {
    const { code, severity, span } = diagnostic;
    const at = (diagnostic.file === file ? text : files[diagnostic.file])?.slice(span.start, span.end);
    return severity === "error" ? [[code, diagnostic.file, at]] : [];
  });
}

test("what another file declares can be used", () => {
  assert.deepEqual(errors(USER, { "flows/rates.flow": RATES }), []);
  const { definitions } = compile(USER, "flows/a.flow", withFiles({ "flows/rates.flow": RATES }));
  const [definition] = definitions;
  assert.deepEqual(
    definitions.map(({ flow: name }) => name),
    ["f"],
  );
  assert.equal(definition?.calendar?.name, "cn");
  assert.deepEqual(Object.keys(definition?.matrices ?? {}), ["m"]);
  assert.deepEqual(Object.keys(definition?.sagas ?? {}), ["pay"]);
  assert.deepEqual(Object.keys(definition?.documents ?? {}), ["voucher"]);
});

test("a path is relative to the file that says it", () => {
  const above = USER.replace("./rates.flow", "../shared/rates.flow");
  assert.deepEqual(errors(above, { "shared/rates.flow": RATES }), []);
});

test("what the other file uses itself is not usable here", () => {
  const files = { "flows/rates.flow": 'use "./more.flow"', "flows/more.flow": RATES };
  assert.deepEqual(
    errors(USER, files).map(([code]) => code),
    ["FLOW116", "FLOW114", "FLOW106"],
  );
});

test("a file that can't be read is one error, at the `use` line", () => {
  assert.deepEqual(errors(USER, {}), [["FLOW113", "flows/a.flow", '"./rates.flow"']]);
  assert.deepEqual(compile(USER, "flows/a.flow").definitions, []);
  for (const line of ["use ./rates.flow", "use from", "use"]) {
    const damaged = errors(USER.replace('use "./rates.flow"', line), { "flows/rates.flow": RATES });
    assert.ok(damaged.length > 0 && damaged.every(([code]) => code?.startsWith("FLOW0")), line);
  }
});

test("a circle is allowed", () => {
  const files = { "flows/rates.flow": `use "./a.flow"\n${RATES}`, "flows/a.flow": USER };
  assert.deepEqual(errors(USER, files), []);
  assert.deepEqual(errors(files["flows/rates.flow"], files, "flows/rates.flow"), []);
  assert.deepEqual(errors(`use "./a.flow"\n${flow({})}`, { "flows/a.flow": "" }), []);
});

test("a name that is declared in both is a duplicate, with the other as related", () => {
  const rows = [
    [`calendar "cn" { }`, `"cn"`],
    ["matrix m(amount: money) {\n amount → who\n any → initiator\n}", "m"],
    [`saga "pay" { step archive() }`, `"pay"`],
    [`document "voucher" { template: "t" }`, `"voucher"`],
    [flow({}).replace(`"f"`, `"sub"`), `"sub"`],
  ] as const;
  for (const [own, at] of rows) {
    const text = `use "./rates.flow"\n${own}`;
    const { diagnostics } = compile(text, "flows/a.flow", withFiles({ "flows/rates.flow": RATES }));
    const [diagnostic] = diagnostics.filter(({ severity }) => severity === "error");
    assert.deepEqual([diagnostic?.code, text.slice(diagnostic?.span.start, diagnostic?.span.end)], ["FLOW109", at]);
    const [there] = diagnostic?.related ?? [];
    assert.deepEqual([there?.file, RATES.slice(there?.span.start, there?.span.end)], ["flows/rates.flow", at]);
  }
  const two = `use "./rates.flow"\nuse "./more.flow"`;
  const files = { "flows/rates.flow": RATES, "flows/more.flow": `calendar "cn" { }` };
  assert.deepEqual(errors(two, files), [["FLOW109", "flows/a.flow", '"./more.flow"']]);
});

test("errors in a used file appear under that file, and keep what needs it from a definition", () => {
  const files = { "flows/rates.flow": RATES.replace("[5, ..)", "[6, ..)") };
  assert.deepEqual(errors(USER, files), [["FLOW265", "flows/rates.flow", "m"]]);
  assert.deepEqual(compile(USER, "flows/a.flow", withFiles(files)).definitions, []);
  const broken = { "flows/rates.flow": RATES.replace("transfer(card,", "transfer(card, ,") };
  assert.deepEqual(
    errors(USER, broken).map(([, file]) => file),
    ["flows/rates.flow"],
  );
});

test("people and fields of what another file shares are those of the flow, and reported where it needs them", () => {
  const rows = [
    ["→ board", "→ bord", "FLOW105", "m"],
    ["transfer(card, amount)", "transfer(cart, amount)", "FLOW101", `"pay"`],
    ["total = amount", "total = amuont", "FLOW101", `"voucher"`],
    ["total = amount", "total = card", "FLOW123", `"voucher"`],
  ] as const;
  for (const [find, put, code, at] of rows) {
    const files = { "flows/rates.flow": RATES.replace(find, put) };
    assert.deepEqual(errors(USER, files), [[code, "flows/a.flow", at]]);
    const { diagnostics } = compile(USER, "flows/a.flow", withFiles(files));
    const related = diagnostics.find(({ severity }) => severity === "error")?.related?.[0];
    assert.equal(related?.file, "flows/rates.flow");
  }
});

test("a shared file is looked at once for one environment, and again when its text changes", () => {
  let text = RATES;
  const read: string[] = [];
  const environment: CompileEnvironment = {
    file: (path) => {
      read.push(path);
      return text;
    },
  };
  const codesOf = () =>
    compile(USER, "flows/a.flow", environment).diagnostics.flatMap(({ code, severity }) =>
      severity === "error" ? [code] : [],
    );
  assert.deepEqual([codesOf(), codesOf()], [[], []]);
  text = RATES.replace("[5, ..)", "[6, ..)");
  assert.deepEqual([codesOf(), codesOf()], [["FLOW265"], ["FLOW265"]]);
  assert.equal(read.length, 4);
});
