import assert from "node:assert/strict";
import { test } from "node:test";
import { compile } from "../index.ts";

/** A flow whose lines begin with `D → A on "go"`. */
function flow(lines: string, block = ""): string {
  return `state machine "f" {
  data { n: int; ok: bool }
  events { "go" { n, ok } }
  people { boss = managerOf(initiator) }
  initial: D
  states: [D, A, B, OK]
  final: [OK]
  ${block}
  transitions { D → A on "go"\n B → OK on "done"\n ${lines} }
}`;
}

function found(text: string) {
  return compile(text, "a.flow", { functions: [{ name: "isOk", kind: "guard" }] })
    .diagnostics.filter(({ code }) => code !== "FLOW204")
    .map(({ code, path, counterExample }) => [code, path?.join(" "), counterExample]);
}

const RULE = "state A { approval by auto approve if n > 5 else reject }";
const BRANCH = `state A { parallel { branch x if ok { initial: S; states: [S, T]; transitions { S → T on "q" } } join all } }`;

test("one goes round for ever", () => {
  const rows: readonly (readonly [lines: string, block: string, path: string, example?: unknown])[] = [
    ["A → B after 0s\n B → A after 0s", "", "A B A"],
    ["A → B after 0s\n B → B after 0s", "", "B B"],
    [`A → B after 0s if n > 3\n A → OK on "x"\n B → A after 0s if n > 5`, "", "A B A", { n: 6 }],
    ["A → OK on approved\n A → A on rejected", RULE, "A A", { n: 5 }],
    ["A → A on joined if not ok\n A → OK on joined else", BRANCH, "A A", { ok: false }],
  ];
  for (const [lines, block, path, example] of rows)
    assert.deepEqual(found(flow(lines, block)), [["FLOW231", path, example]], lines);
});

test("one may go round for ever", () => {
  const rows: readonly (readonly [lines: string, block: string, path: string, example?: unknown])[] = [
    [
      "A → A on approved if ok\n A → OK on approved else\n A → OK on rejected",
      "state A { approval by boss { onEmpty: skip } }",
      "A A",
      { ok: true },
    ],
    ["A → OK on approved\n A → A on rejected", "state A { approval by boss { onEmpty: reject } }", "A A"],
    [`A → B after 0s if isOk()\n A → OK on "x"\n B → A after 0s`, "", "A B A", {}],
  ];
  for (const [lines, block, path, example] of rows) {
    const shown = example && Object.keys(example).length > 0 ? example : undefined;
    assert.deepEqual(found(flow(lines, block)), [["FLOW232", path, shown]], lines);
  }
});

test("somebody acts, time passes, or something changes on the way", () => {
  const rows: readonly (readonly [lines: string, block?: string])[] = [
    ["A → B after 0s\n B → A after 1s"],
    ["A → B after 0s"],
    [`A → B after 0s if n > 3\n A → OK on "x"\n B → A after 0s if n < 3`],
    [`A → B after 0s if n > 3 → set(n = n - 1)\n A → OK on "x"\n B → A after 0s`],
    [`A → B after 0s if elapsed < 1d\n A → OK on "x"\n B → A after 0s`],
    ["A → OK on approved\n A → D on rejected", RULE],
    ["A → OK on approved\n A → A on rejected", "state A { approval by boss }"],
    ["A → A on joined if ok\n A → OK on joined else", BRANCH],
  ];
  for (const [lines, block] of rows) assert.deepEqual(found(flow(lines, block)), [], lines);
});

test("a state that only time leaves is left whatever the data", () => {
  const rows: readonly (readonly [lines: string, code?: string, example?: unknown])[] = [
    ["A → OK after 3d if n > 3", "FLOW212", { n: 3 }],
    ["A → OK after 3d if n > 3\n A → D after 5d if n < 3", "FLOW212", { n: 3 }],
    ["A → OK after 3d if isOk()", "FLOW213", {}],
    [`A → OK after 3d if formatDate(now, "yyyy") == "2026" or n > 3`],
    ["A → OK after 3d if n > 3\n A → D after 5d if n <= 3"],
    ["A → OK after 3d if n > 3\n A → D after 3d else"],
    [`A → OK after 3d if n > 3\n A → D on "back" if ok`],
  ];
  for (const [lines, code, example] of rows)
    assert.deepEqual(found(flow(lines)), code === undefined ? [] : [[code, undefined, example]], lines);
});
