import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Definition, PayloadField, Type, Value } from "../dsl/index.ts";
import { type Currency, presentValue, readPayload, readValue, showData, showValue } from "./values.ts";

const CNY: Currency = { code: "CNY", decimals: 2 };
const JPY: Currency = { code: "JPY", decimals: 0 };
const money: Type = { kind: "money", signed: false };
const signed: Type = { kind: "money", signed: true };
const kind: Type = { kind: "enum", members: ["travel", "other"] };
const item: Type = {
  kind: "record",
  fields: [
    { name: "name", type: { kind: "text" }, optional: false },
    { name: "price", type: money, optional: true },
  ],
};
const items: Type = { kind: "list", of: item };

const accepted: readonly (readonly [Type, unknown, Value])[] = [
  [money, "128406.07", 12_840_607],
  [money, "128406.07 CNY", 12_840_607],
  [money, 128406.07, 12_840_607],
  [money, 80_000, 8_000_000],
  [money, "1.500", 150],
  [money, "90071992547409.91", 9_007_199_254_740_991],
  [money, "-0", 0],
  [signed, "-0.05", -5],
  [signed, -12.5, -1250],
  [{ kind: "int" }, -0, 0],
  [{ kind: "int" }, 9_007_199_254_740_991, 9_007_199_254_740_991],
  [{ kind: "decimal" }, "0.250", "0.25"],
  [{ kind: "decimal" }, 0.1, "0.1"],
  [{ kind: "decimal" }, 1e-7, "0.0000001"],
  [{ kind: "decimal" }, "-0.0", "0"],
  [{ kind: "bool" }, false, false],
  [{ kind: "text" }, "", ""],
  [{ kind: "date" }, "2028-02-29", "2028-02-29"],
  [{ kind: "datetime" }, "2026-01-05T09:00:00+08:00", Date.UTC(2026, 0, 5, 1)],
  [{ kind: "datetime" }, "2026-01-05T01:00:00.2509Z", Date.UTC(2026, 0, 5, 1, 0, 0, 250)],
  [{ kind: "duration" }, "48h", 172_800_000],
  [{ kind: "duration" }, "500ms", 500],
  [{ kind: "user" }, "bob", "bob"],
  [kind, "travel", "travel"],
  [
    items,
    [
      { name: "灯", price: "1.00" },
      { name: "椅", price: null },
    ],
    [{ name: "灯", price: 100 }, { name: "椅" }],
  ],
];

test("what fits is read into its stored form", () => {
  for (const [type, json, value] of accepted)
    assert.deepEqual(readValue(type, json, CNY), { value }, JSON.stringify(json));
  assert.deepEqual(readValue(money, "500 JPY", JPY), { value: 500 });
});

const refused: readonly (readonly [Type, unknown, RegExp])[] = [
  [money, "1.005", /at most 2 decimals.*`1\.005`/],
  [money, 1.005, /at most 2 decimals/],
  [money, -1, /0 or more/],
  [money, "5 USD", /in CNY/],
  [money, "5 CNY x", /in CNY/],
  [money, "5,000", /amount/],
  [money, "1e3", /amount/],
  [money, "90071992547409.92", /safe range/],
  [money, 90071992547409.91, /as text/],
  [money, Number.NaN, /amount/],
  [money, true, /amount/],
  [{ kind: "int" }, 1.5, /whole number/],
  [{ kind: "int" }, "1", /whole number/],
  [{ kind: "int" }, 2 ** 53, /whole number/],
  [{ kind: "decimal" }, "0.1234567890123", /12 decimals/],
  [{ kind: "decimal" }, 0.1 + 0.2, /as text/],
  [{ kind: "decimal" }, "1/3", /number/],
  [{ kind: "decimal" }, Number.POSITIVE_INFINITY, /number/],
  [{ kind: "bool" }, "true", /`true` or `false`/],
  [{ kind: "text" }, 7, /text/],
  [{ kind: "text" }, "x".repeat(100_001), /100000/],
  [{ kind: "text" }, "\ud800", /text/],
  [{ kind: "date" }, "2026-02-29", /existing date/],
  [{ kind: "date" }, "2026-2-1", /existing date/],
  [{ kind: "datetime" }, "2026-01-05T09:00:00", /offset/],
  [{ kind: "datetime" }, "2026-01-05T25:00:00Z", /offset/],
  [{ kind: "datetime" }, "2026-02-30T05:00:00Z", /offset/],
  [{ kind: "duration" }, 5000, /unit/],
  [{ kind: "duration" }, "P2D", /unit/],
  [{ kind: "user" }, "", /id of a user/],
  [{ kind: "org" }, 3, /id of an org/],
  [kind, "meal", /`travel`, `other`.*`meal`/],
  [items, { name: "灯" }, /a list/],
  [items, [{ name: "灯" }, { price: "1" }], /^item 2 lacks the field `name`/],
  [items, [{ name: "灯", price: "x" }], /^item 1 field `price` must be an amount/],
  [items, [JSON.parse('{"name": "灯", "__proto__": {"price": 1}}')], /no field `__proto__`/],
  [item, [], /a record/],
];

test("what does not fit is refused with what would", () => {
  for (const [type, json, fault] of refused) {
    const reading = readValue(type, json, CNY);
    assert.ok("fault" in reading, JSON.stringify(json));
    assert.match(reading.fault, fault);
  }
});

const field = (name: string, type: Type, more: Partial<PayloadField> = {}): PayloadField => ({
  name,
  type,
  optional: false,
  secret: false,
  data: true,
  ...more,
});

test("a payload is judged field by field", () => {
  const fields = [
    field("amount", money),
    field("days", { kind: "int" }, { optional: true }),
    field("reviewer", { kind: "user" }, { data: false }),
    field("card", { kind: "int" }, { secret: true }),
  ];
  assert.deepEqual(readPayload(fields, { reviewer: "bob", days: null }, CNY), {
    values: { reviewer: "bob" },
    cleared: ["days"],
  });
  const reading = readPayload(fields, { amount: null, card: "6222", constructor: 1 }, CNY);
  assert.ok("faults" in reading);
  assert.deepEqual(
    reading.faults.map(({ field: name, code }) => [name, code]),
    [
      ["constructor", "unknown-field"],
      ["amount", "missing-field"],
      ["reviewer", "missing-field"],
      ["card", "wrong-type"],
    ],
  );
  assert.doesNotMatch(reading.faults[3]?.message ?? "", /6222/, "a secret is not repeated");
});

test("a field may have the name of something that objects inherit", () => {
  const fields = [field("__proto__", { kind: "int" }), field("constructor", { kind: "int" }, { optional: true })];
  const reading = readPayload(fields, JSON.parse('{"__proto__": 7}'), CNY);
  assert.ok("values" in reading);
  assert.deepEqual(Object.entries(reading.values), [["__proto__", 7]]);
  assert.equal(Object.getPrototypeOf(reading.values), Object.prototype);
});

test("values are shown to programs and to people", () => {
  const at = Date.UTC(2026, 9, 1, 1);
  const rows: readonly (readonly [Type, Value, unknown, unknown])[] = [
    [money, 128_050, "1280.50 CNY", "1,280.50"],
    [signed, -5, "-0.05 CNY", "-0.05"],
    [signed, -123_456_789, "-1234567.89 CNY", "-1,234,567.89"],
    [{ kind: "decimal" }, "0.25", "0.25", "0.25"],
    [{ kind: "int" }, 1234, 1234, "1234"],
    [{ kind: "bool" }, true, true, true],
    [{ kind: "date" }, "2026-10-01", "2026-10-01", "2026年10月1日"],
    [{ kind: "datetime" }, at, "2026-10-01T09:00:00+08:00", "2026年10月1日 09:00 (+08:00)"],
    [{ kind: "duration" }, 129_600_000, "36h", "1天12小时"],
    [{ kind: "duration" }, 0, "0s", "0秒"],
    [{ kind: "list", of: { kind: "user" } }, ["a", "b"], ["a", "b"], "a、b"],
    [
      items,
      [{ name: "灯", price: 123_456 }, { name: "椅" }],
      [{ name: "灯", price: "1234.56 CNY" }, { name: "椅" }],
      [
        { name: "灯", price: "1,234.56" },
        { name: "椅", price: "" },
      ],
    ],
  ];
  for (const [type, value, shown, presented] of rows) {
    assert.deepEqual(showValue(type, value, CNY), shown);
    assert.deepEqual(presentValue(type, value, CNY), presented);
  }
});

test("shown data has no secret and nothing that is not set", () => {
  const definition = {
    currency: "CNY",
    currencyDecimals: 2,
    fields: [
      { name: "amount", type: money, optional: false, secret: false },
      { name: "card", type: { kind: "text" }, optional: false, secret: true },
      { name: "toString", type: { kind: "text" }, optional: true, secret: false },
    ],
  } as unknown as Definition;
  assert.deepEqual(showData(definition, { amount: 5, card: "6222" }), { amount: "0.05 CNY", card: "****" });
});

test("what is shown reads back as the same value", () => {
  const rows: readonly (readonly [Type, fc.Arbitrary<Value>])[] = [
    [{ kind: "money", signed: true }, fc.maxSafeInteger()],
    [{ kind: "duration" }, fc.maxSafeInteger()],
    [{ kind: "datetime" }, fc.integer({ min: Date.UTC(1, 0, 1), max: Date.UTC(9999, 0, 1) })],
    [{ kind: "int" }, fc.maxSafeInteger()],
    [{ kind: "text" }, fc.string({ unit: "grapheme" })],
    [
      items,
      fc.array(fc.record({ name: fc.string({ unit: "grapheme" }), price: fc.nat() }, { requiredKeys: ["name"] })),
    ],
  ];
  for (const [type, values] of rows) {
    fc.assert(
      fc.property(values, (value) => {
        const json = JSON.parse(JSON.stringify(showValue(type, value, CNY)));
        assert.equal(JSON.stringify(readValue(type, json, CNY)), JSON.stringify({ value }));
      }),
    );
  }
});

test("an amount that arrives as a number is the amount that was written", () => {
  fc.assert(
    fc.property(fc.nat(Number.MAX_SAFE_INTEGER), (minor) => {
      const json: unknown = JSON.parse(`${Math.floor(minor / 100)}.${String(minor % 100).padStart(2, "0")}`);
      const reading = readValue(money, json, CNY);
      if ("value" in reading) assert.equal(reading.value, minor);
      else assert.ok(minor >= 1e15);
    }),
  );
});
