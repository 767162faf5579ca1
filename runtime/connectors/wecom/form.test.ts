import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { yuanToFen } from "./amount.ts";
import { vectors } from "./fixtures/vectors.ts";
import { type FormControls, type FormValue, localDate, localDateTime, readDetail } from "./form.ts";

const published = readDetail(vectors.approval_detail.response);
assert.ok(published.ok);
const { detail } = published;

function controlOf(content: object): FormValue {
  const info = { sp_no: "1", sp_status: 1, template_id: "T", apply_time: 0, apply_data: { contents: [content] } };
  const read = readDetail({ info });
  assert.ok(read.ok);
  return [...read.detail.controls.values()][0]!;
}

function fenOf(value: FormValue): { fen: string } | null {
  const fen = yuanToFen(value.number ?? "");
  assert.ok(fen.ok);
  return fen.value === undefined ? null : { fen: fen.value };
}

function rowOf(row: FormControls): Record<string, unknown> {
  return Object.fromEntries(
    [...row.values()].map((value) => [value.id, value.control === "Money" ? fenOf(value) : value.text]),
  );
}

/** What a control stands for, in the words of the vectors. */
const AS_IN_VECTORS: Readonly<Record<string, (value: FormValue) => unknown>> = {
  Text: (value) => (value.hidden ? { hidden: true } : value.text),
  Textarea: (value) => value.text,
  Number: (value) => value.number,
  Formula: (value) => value.number,
  Money: fenOf,
  Selector: (value) => value.options?.map(({ key, names }) => ({ key, text: names[0] })),
  Tips: (value) => value.text || null,
  File: (value) => value.files,
  Table: (value) => value.rows?.map(rowOf),
  Contact: (value) => [...(value.users ?? []), ...(value.orgs ?? [])],
  Location: (value) => value.text,
  BankAccount: (value) => value.text,
  RelatedApproval: (value) => value.options?.map(({ key }) => key),
  SomethingNew: (value) => ({ unsupported: value.control, reason: value.unreadable }),
};

/** Where a control stands for less than the vectors name, or is written in another way. */
const EXPECTED: Readonly<Record<string, unknown>> = {
  "Contact-1": ["u_applicant_1"],
  "Contact-2": ["12"],
  "Location-1": "示例大厦 示例市示例路1号",
  "Bank-1": "示例科技有限公司 621200000000000111 示例银行示例支行",
  "Related-1": ["202412200009"],
  "New-1": { unsupported: "SomethingNew", reason: "controls of the kind `SomethingNew` are not known" },
};

describe("the form of the published detail", () => {
  test("its own properties", () => {
    const { controls: _, ...properties } = detail;
    assert.deepEqual(properties, {
      spNo: "202412240001",
      name: "合同审批",
      status: "approved",
      template: "C4TplContract0001",
      applicant: "u_applicant_1",
      department: "12",
      appliedAt: 1734990000,
    });
  });

  for (const [id, expected] of Object.entries(vectors.approval_detail.expect_values)) {
    const value = detail.controls.get(id);
    if (value?.dates !== undefined) continue;
    test(`${id}`, () => {
      assert.ok(value);
      assert.deepEqual(AS_IN_VECTORS[value.control]?.(value), EXPECTED[id] ?? expected);
    });
  }

  const dates: readonly [string, (value: FormValue) => unknown, unknown][] = [
    ["Date-1", (value) => value.dates?.map(localDate), ["2024-12-25"]],
    ["Date-2", (value) => value.dates?.map(localDateTime), ["2025-03-01T09:30:00+08:00"]],
    ["Date-3", (value) => value.dates?.map(localDate), ["2023-12-10"]],
    [
      "DateRange-1",
      (value) => value.dates?.map(localDateTime),
      ["2025-01-01T00:00:00+08:00", "2025-12-31T12:00:00+08:00"],
    ],
    ["Attendance-1", (value) => value.dates?.map(localDate), ["2020-09-08", "2020-09-09"]],
    [
      "Vacation-1",
      (value) => [value.options?.[0]?.names[0], value.dates?.map(localDate)],
      ["病假", ["2019-09-10", "2019-09-13"]],
    ],
    ["Punch-1", (value) => value.dates?.map(localDateTime), ["2023-11-05T09:00:00+08:00"]],
  ];
  for (const [id, read, expected] of dates) {
    test(`${id}`, () => assert.deepEqual(read(detail.controls.get(id)!), expected));
  }
});

describe("dates", () => {
  for (const row of vectors.date_control) {
    test(`${row.s_timestamp} is ${row.expect}`, () => {
      const { expect, ...date } = row;
      const [read] = controlOf({ control: "Date", id: "Date-1", value: { date } }).dates ?? [];
      assert.ok(read);
      assert.equal(row.type === "day" ? localDate(read) : localDateTime(read), expect);
    });
  }

  const zones: readonly [unknown, string][] = [
    [{ zone_offset: "-9" }, "2025-03-01T10:30:00+09:00"],
    [{ zone_offset: "5" }, "2025-02-28T20:30:00-05:00"],
    [{ zone_offset: "-5.5" }, "2025-03-01T07:00:00+05:30"],
    [{ zone_offset: 0 }, "2025-03-01T01:30:00+00:00"],
    [{ zone_offset: "" }, "2025-03-01T09:30:00+08:00"],
    [undefined, "2025-03-01T09:30:00+08:00"],
  ];
  for (const [timezone_info, expected] of zones) {
    test(`zone ${JSON.stringify(timezone_info)} gives ${expected}`, () => {
      const value = { date: { type: "hour", s_timestamp: 1740792600, timezone_info } };
      assert.deepEqual(controlOf({ control: "Date", id: "Date-1", value }).dates?.map(localDateTime), [expected]);
    });
  }

  test("a date that was not entered is none", () => {
    for (const s_timestamp of ["", "0", 0, null]) {
      assert.deepEqual(controlOf({ control: "Date", id: "d", value: { date: { s_timestamp } } }).dates, []);
    }
  });
});

describe("drift and oddities", () => {
  test("the batch applicant stands in for the applicant, numbers for texts", () => {
    const read = readDetail({
      info: {
        sp_no: 202412240001,
        sp_status: "2",
        template_id: "T",
        apply_time: "1734990000",
        batch_applyer: [{ userid: "u_batch", partyid: 12 }],
        apply_data: { contents: null },
      },
    });
    assert.ok(read.ok);
    assert.equal(read.detail.spNo, "202412240001");
    assert.equal(read.detail.applicant, "u_batch");
    assert.equal(read.detail.department, "12");
    assert.equal(read.detail.status, "approved");
  });

  test("a row in which nothing was entered is no row", () => {
    const row = (text: string) => ({ list: [{ control: "Text", id: "Text-5", value: { text } }] });
    const table = controlOf({ control: "Table", id: "t", value: { children: [row("服务器"), row("")] } });
    assert.equal(table.rows?.length, 1);
  });

  test("a value is read by the control's kind, whatever else stands in it", () => {
    const value = { new_money: "7", text: "other", files: [{ file_id: "f" }] };
    assert.deepEqual(controlOf({ control: "Money", id: "m", value }), {
      control: "Money",
      id: "m",
      number: "7",
      text: "7",
    });
  });

  test("a number too long to have come through JSON unharmed is not read", () => {
    const value = JSON.parse('{"new_money": 90071992547409.93}') as object;
    assert.match(controlOf({ control: "Money", id: "m", value }).unreadable ?? "", /not as documented/);
  });

  for (const control of ["Date", "Selector", "Table", "constructor", "__proto__"]) {
    test(`a ${control} without its value can't be read, and says so`, () => {
      assert.ok(controlOf({ control, id: "x", value: { children: 7 } }).unreadable);
    });
  }

  test("an answer of another shape names the place", () => {
    const read = readDetail({ info: { sp_no: "1", sp_status: 1, apply_data: { contents: [] } } });
    assert.ok(!read.ok);
    assert.match(read.reason, /info\.template_id/);
  });
});
