import assert from "node:assert/strict";
import { test } from "node:test";
import type { Type } from "../dsl/index.ts";
import { checkTemplate, type TemplateField } from "./check.ts";
import { docxFile, paragraph } from "./docx-file.ts";
import { prepareTemplate } from "./prepare.ts";

const text: Type = { kind: "text" };
const item: Type = {
  kind: "record",
  fields: [
    { name: "name", type: text, optional: false },
    { name: "fragile", type: { kind: "bool" }, optional: true },
  ],
};
const FIELDS: readonly TemplateField[] = [
  { name: "contractNo", type: text },
  { name: "total", type: { kind: "money", signed: false } },
  { name: "urgent", type: { kind: "bool" } },
  { name: "items", type: { kind: "list", of: item } },
  { name: "tags", type: { kind: "list", of: text } },
  { name: "party", type: item },
];

function faultsOf(lines: readonly string[], fields = FIELDS) {
  const prepared = prepareTemplate(docxFile({ body: lines.map((line) => paragraph(line)).join("") }), "contract");
  assert.ok("template" in prepared, JSON.stringify(prepared));
  return checkTemplate(prepared.template, fields);
}

const fine: readonly (readonly [string, readonly string[]])[] = [
  ["texts, amounts, bools and lists of texts", ["$contractNo $total $urgent $tags"]],
  ["a condition", ["$if urgent", "$total", "$end"]],
  [
    "a loop with its fields and a condition on one",
    ["$each items", "$name", "$if fragile", "$fragile", "$end", "$end"],
  ],
  ["no placeholder at all", ["a"]],
];
for (const [what, lines] of fine) test(`fits: ${what}`, () => assert.deepEqual(faultsOf(lines), []));

const faulty: readonly (readonly [string, readonly string[], string, RegExp])[] = [
  [
    "an unknown name",
    ["$customer"],
    "unknown-placeholder",
    /^`customer` in .* is no field of the document; known are `contractNo`, /,
  ],
  ["another case", ["$ContractNO"], "unknown-placeholder", /did you mean `contractNo`\?/],
  ["underscores", ["$contract_no"], "unknown-placeholder", /did you mean `contractNo`\?/],
  ["a slip of the finger", ["$totla"], "unknown-placeholder", /did you mean `total`\?/],
  [
    "an unknown field of an item",
    ["$each items", "$nmae", "$end"],
    "unknown-placeholder",
    /an item of `items`; did you mean `name`\?/,
  ],
  [
    "a field of the document inside a loop",
    ["$each items", "$contractNo", "$end"],
    "unknown-placeholder",
    /an item of `items`/,
  ],
  ["a field of an item outside its loop", ["$name"], "unknown-placeholder", /the document/],
  ["a loop over a text", ["$each total", "$end"], "not-a-list", /is a money; `\$each` takes a list of records$/],
  ["a loop over texts", ["$each tags", "$end"], "not-a-list", /is a list of text/],
  ["a condition on a text", ["$if contractNo", "$end"], "not-a-condition", /is a text; `\$if` takes a bool$/],
  ["a condition on a list", ["$if items", "$end"], "not-a-condition", /is a list of record/],
  ["a list as a text", ["$items"], "not-a-text", /write `\$each items` … `\$end`/],
  ["a record as a text", ["$party"], "not-a-text", /is a record/],
];
for (const [what, lines, code, message] of faulty) {
  test(`does not fit: ${what}`, () => {
    const faults = faultsOf(lines);
    assert.deepEqual(
      faults.map((fault) => [fault.code, fault.template]),
      [[code, "contract"]],
    );
    assert.match(faults[0]?.message ?? "", message);
  });
}

test("every fault is told, each with its place", () => {
  const places = faultsOf(["$a", "$each items", "$b $name", "$end", "$a"]).map(({ at }) => at);
  assert.deepEqual(
    places.map((at) => [at?.paragraph, at?.text]),
    [
      [1, "$a"],
      [3, "$b $name"],
      [5, "$a"],
    ],
  );
});

test("where there are no fields it is said", () => {
  assert.match(faultsOf(["$a"], [])[0]?.message ?? "", /it has no fields$/);
});
