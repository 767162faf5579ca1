import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SourceConversion, SourceDefinition, SourceValue, Type } from "../../../dsl/index.ts";
import { readEvent } from "./callback-xml.ts";
import { vectors } from "./fixtures/vectors.ts";
import { readDetail } from "./form.ts";
import { mapForm } from "./mapping.ts";

const NATURAL: SourceConversion = { kind: "natural" };
const TEXT: Type = { kind: "text" };
const MONEY: Type = { kind: "money", signed: false };
const listOf = (of: Type): Type => ({ kind: "list", of });
const enumOf = (...members: readonly string[]): Type => ({ kind: "enum", members });
const property = (...path: readonly string[]): SourceValue => ({ kind: "property", path });
const control = (id: string, type: Type, convert: SourceConversion = NATURAL): SourceValue => ({
  kind: "control",
  id,
  convert,
  type,
});

interface Field {
  readonly name: string;
  readonly optional?: boolean;
  readonly value: SourceValue;
}

function sourceOf(fields: readonly Field[], change: Partial<SourceDefinition> = {}): SourceDefinition {
  return {
    connector: "wecom",
    template: "C4TplContract0001",
    when: "submitted",
    flow: "contract",
    event: "submit",
    key: property("SpNoStr"),
    initiator: property("Applyer", "UserId"),
    fields: fields.map((field) => ({ optional: false, ...field })),
    ...change,
  };
}

const read = readEvent(vectors.events[0]!.xml);
assert.ok(read.ok && read.event.kind === "approval");
const event = read.event;

function mapContents(contents: readonly object[], source: SourceDefinition) {
  const info = { sp_no: "1", sp_status: 1, template_id: "T", apply_time: 0, apply_data: { contents } };
  const detail = readDetail({ info });
  assert.ok(detail.ok);
  return mapForm(source, detail.detail, event);
}

const published = readDetail(vectors.approval_detail.response);
assert.ok(published.ok);

/** The published form, mapped to one field. */
function mapPublished(value: SourceValue, optional = false) {
  assert.ok(published.ok);
  const mapped = mapForm(sourceOf([{ name: "f", optional, value }]), published.detail, event);
  return mapped.ok ? (mapped.form.data["f"] ?? "absent") : mapped.faults;
}

const KINDS: SourceConversion = { kind: "options", options: { 采购: "purchase", 服务: "service" } };
const ELSE: SourceConversion = { kind: "options", options: { 服务: "service" }, otherwise: "other" };
const ITEMS: Type = listOf({
  kind: "record",
  fields: [
    { name: "name", type: TEXT, optional: false },
    { name: "quantity", type: { kind: "int" }, optional: false },
    { name: "price", type: MONEY, optional: false },
    { name: "note", type: TEXT, optional: true },
  ],
});
const items = (change: Readonly<Record<string, SourceValue>> = {}): SourceValue => ({
  kind: "table",
  id: "Table-1",
  type: ITEMS,
  columns: Object.entries({
    name: control("Text-21", TEXT),
    quantity: control("Number-21", { kind: "int" }),
    price: control("Money-21", MONEY, { kind: "yuan" }),
    note: control("Text-22", TEXT),
    ...change,
  }).map(([name, value]) => ({ name, value })),
});

describe("what a control becomes", () => {
  const rows: readonly [string, SourceValue, unknown][] = [
    ["a text", control("Text-1", TEXT), "设备采购合同"],
    ["a text of several lines", control("Textarea-1", TEXT), "第一行\n第二行"],
    ["an int", control("Number-1", { kind: "int" }), 2],
    ["a decimal", control("Number-1", { kind: "decimal" }), "2"],
    ["a formula as decimal", control("Formula-1", { kind: "decimal" }), "128500.5"],
    ["money", control("Money-1", MONEY, { kind: "yuan" }), "128500.50"],
    ["a formula as money", control("Formula-1", MONEY, { kind: "yuan" }), "128500.50"],
    ["a date", control("Date-1", { kind: "date" }), "2024-12-25"],
    ["a date of another zone", control("Date-3", { kind: "date" }), "2023-12-10"],
    ["a time", control("Date-2", { kind: "datetime" }), "2025-03-01T09:30:00+08:00"],
    ["a time of another zone", control("Date-3", { kind: "datetime" }), "2023-12-10T00:00:00+09:00"],
    ["from and to", control("DateRange-1", listOf({ kind: "date" })), ["2025-01-01", "2025-12-31"]],
    ["an option by its name", control("Selector-1", enumOf("purchase", "service"), KINDS), "purchase"],
    ["an option by another language", control("Selector-1", enumOf("Purchase")), "Purchase"],
    [
      "an option by its key",
      control("Selector-1", enumOf("a"), { kind: "options", options: { "option-1": "a" } }),
      "a",
    ],
    ["an option by else", control("Selector-1", enumOf("service", "other"), ELSE), "other"],
    ["an option as text", control("Selector-1", TEXT), "采购"],
    ["several options as text", control("Selector-2", TEXT), "报价单、资质"],
    ["several options as texts", control("Selector-2", listOf(TEXT)), ["报价单", "资质"]],
    ["several options", control("Selector-2", listOf(enumOf("报价单", "资质"))), ["报价单", "资质"]],
    [
      "a choice of a bool",
      control("Selector-1", { kind: "bool" }, { kind: "options", options: { 采购: "true" }, otherwise: "false" }),
      true,
    ],
    ["a user", control("Contact-1", { kind: "user" }), "u_applicant_1"],
    ["users", control("Contact-1", listOf({ kind: "user" })), ["u_applicant_1"]],
    ["an org", control("Contact-2", { kind: "org" }), "12"],
    ["a file", control("File-1", { kind: "file" }), "WWCISP_EXAMPLE_FILE_ID_1"],
    ["files", control("File-1", listOf({ kind: "file" })), ["WWCISP_EXAMPLE_FILE_ID_1"]],
    ["related forms", control("Related-1", listOf(TEXT)), ["202412200009"]],
    ["a kind of leave", control("Vacation-1", enumOf("病假")), "病假"],
    [
      "a table",
      items(),
      [
        { name: "服务器", quantity: 3, price: "40000.00" },
        { name: "交换机", quantity: 1, price: "8500.50" },
      ],
    ],
    ["the form's name", property("SpName"), "合同审批"],
    ["the form's number", property("SpNo"), "202412240001"],
    ["the applicant's department", property("Applyer", "Party"), "12"],
    ["the time of the submission", property("ApplyTime"), "2024-12-24T05:40:00+08:00"],
  ];
  for (const [what, value, expected] of rows) {
    test(what, () => assert.deepEqual(mapPublished(value), expected));
  }

  for (const [what, value] of [
    ["a hidden control", control("Text-9", TEXT)],
    ["an empty amount", control("Money-9", MONEY, { kind: "yuan" })],
    ["a control that is not there", control("Text-404", TEXT)],
    ["a table that is not there", { ...items(), id: "Table-404" } as SourceValue],
    ["a hint", control("Tips-1", TEXT)],
  ] as const) {
    test(`${what} is absent where the field is optional`, () => assert.equal(mapPublished(value, true), "absent"));
  }

  test("是 and 否 are a bool", () => {
    const urgent = (text: string) => {
      const selector = { type: "single", options: [{ key: "option-9", value: [{ text, lang: "zh_CN" }] }] };
      const mapped = mapContents(
        [{ control: "Selector", id: "Selector-2", value: { selector } }],
        sourceOf([{ name: "urgent", value: control("Selector-2", { kind: "bool" }) }]),
      );
      return mapped.ok && mapped.form.data["urgent"];
    };
    assert.equal(urgent("是"), true);
    assert.equal(urgent("否"), false);
  });

  test("an empty list is a list for a field that needs one, and absent for one that doesn't", () => {
    const files = (optional: boolean) =>
      mapContents(
        [{ control: "File", id: "File-1", value: { files: [] } }],
        sourceOf([{ name: "files", optional, value: control("File-1", listOf({ kind: "file" })) }]),
      );
    const [needed, optional] = [files(false), files(true)];
    assert.deepEqual(needed.ok && needed.form.data, { files: [] });
    assert.deepEqual(optional.ok && optional.form.data, {});
  });
});

describe("what does not fit", () => {
  const amount = control("Money-1", MONEY, { kind: "yuan" });
  const moneyOf = (new_money: unknown, value = amount) =>
    mapContents([{ control: "Money", id: "Money-1", value: { new_money } }], sourceOf([{ name: "amount", value }]));

  const amounts: readonly [unknown, RegExp][] = [
    ["一万", /plain amount/],
    ["1,000.00", /plain amount/],
    ["12.345", /more than 2 decimals/],
    ["-1", /negative/],
    ["90071992547409.93", /too large/],
    ["", /left empty/],
    [null, /left empty/],
  ];
  for (const [entered, message] of amounts) {
    test(`${JSON.stringify(entered)} where money belongs`, () => {
      const mapped = moneyOf(entered);
      assert.ok(!mapped.ok);
      assert.deepEqual(
        mapped.faults.map(({ control, field }) => ({ control, field })),
        [{ control: "Money-1", field: "amount" }],
      );
      assert.match(mapped.faults[0]!.message, message);
      if (typeof entered === "string" && entered !== "")
        assert.ok(!mapped.faults[0]!.message.includes(`\`${entered}\``));
    });
  }

  test("an amount may be negative where the field says so", () => {
    const mapped = moneyOf("-12.30", control("Money-1", { kind: "money", signed: true }, { kind: "yuan" }));
    assert.deepEqual(mapped.ok && mapped.form.data, { amount: "-12.30" });
  });

  const rows: readonly [string, SourceValue, string, RegExp][] = [
    [
      "a text where money belongs",
      control("Text-1", MONEY, { kind: "yuan" }),
      "Text-1",
      /`Text` can't be read as money/,
    ],
    ["a text where a date belongs", control("Text-1", { kind: "date" }), "Text-1", /as date/],
    ["a control that is not there", control("Text-404", TEXT), "Text-404", /no control of this id/],
    ["a hidden control", control("Text-9", TEXT), "Text-9", /hidden/],
    ["an empty amount", control("Money-9", MONEY, { kind: "yuan" }), "Money-9", /left empty/],
    ["an unknown kind of control", control("New-1", TEXT), "New-1", /kind `SomethingNew`/],
    [
      "an option that is not listed",
      control("Selector-1", enumOf("service"), { kind: "options", options: { 服务: "service" } }),
      "Selector-1",
      /option `采购`/,
    ],
    ["several options for one", control("Selector-2", enumOf("报价单", "资质")), "Selector-2", /2 values/],
    [
      "a list with one that is not listed",
      control("Selector-2", listOf(enumOf("报价单"))),
      "Selector-2",
      /option `资质`/,
    ],
    ["from and to for one date", control("DateRange-1", { kind: "date" }), "DateRange-1", /2 values/],
    ["a fraction for an int", control("Formula-1", { kind: "int" }), "Formula-1", /whole number/],
    ["a department for a user", control("Contact-2", { kind: "user" }), "Contact-2", /left empty/],
    ["a range for a duration", control("DateRange-1", { kind: "duration" }), "DateRange-1", /as duration/],
    ["a text for a table", { ...items(), id: "Text-1" } as SourceValue, "Text-1", /not a table/],
    ["a table for a text", control("Table-1", TEXT), "Table-1", /as text/],
    ["a property that is none", property("SpRecord"), "SpRecord", /no property/],
  ];
  for (const [what, value, id, message] of rows) {
    test(what, () => {
      const faults = mapPublished(value);
      assert.ok(Array.isArray(faults) && faults.length === 1);
      assert.equal(faults[0].control, id);
      assert.equal(faults[0].field, "f");
      assert.match(faults[0].message, message);
    });
  }

  test("faults within a table name the row, counted from 1, and the column", () => {
    const faults = mapPublished(
      items({ price: control("Text-21", MONEY, { kind: "yuan" }), quantity: control("Number-99", { kind: "int" }) }),
    );
    assert.ok(Array.isArray(faults));
    assert.deepEqual(
      faults.map(({ control, field }) => `${control} ${field}`),
      ["Number-99 f[1].quantity", "Text-21 f[1].price", "Number-99 f[2].quantity", "Text-21 f[2].price"],
    );
  });

  test("all faults are told at once", () => {
    const source = sourceOf(
      [
        { name: "title", value: control("Text-404", TEXT) },
        { name: "amount", value: amount },
      ],
      { key: control("Text-405", TEXT), initiator: control("Contact-9", { kind: "user" }) },
    );
    const mapped = mapContents([], source);
    assert.ok(!mapped.ok);
    assert.deepEqual(
      mapped.faults.map(({ field }) => field),
      ["key", "initiator", "title", "amount"],
    );
  });
});

describe("who and which", () => {
  test("key, initiator and event stand beside the data", () => {
    const mapped = mapContents([], sourceOf([]));
    assert.deepEqual(mapped, {
      ok: true,
      form: { key: "202412240001", initiator: "u_applicant_1", event: "submit", data: {} },
    });
  });

  test("a control may give both, and a source may send no event", () => {
    const { event: _, ...source } = sourceOf([], {
      key: control("Text-1", TEXT),
      initiator: control("Contact-1", { kind: "user" }),
    });
    const contents = [
      { control: "Text", id: "Text-1", value: { text: "HT-2026-001" } },
      { control: "Contact", id: "Contact-1", value: { members: [{ userid: "u_2" }] } },
    ];
    const mapped = mapContents(contents, source);
    assert.deepEqual(mapped, { ok: true, form: { key: "HT-2026-001", initiator: "u_2", data: {} } });
  });
});
