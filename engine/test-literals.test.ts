import assert from "node:assert/strict";
import { test } from "node:test";
import type { Literal } from "../dsl/index.ts";
import { literalEquals, literalToJson } from "./test-literals.ts";
import type { Json } from "./types.ts";

const number = (text: string, percent = false): Literal => ({ kind: "number", text, percent });
const HOUR = 3_600_000;

test("literals become what a sender would send", () => {
  const rows: readonly (readonly [Literal, Json])[] = [
    [number("80000"), 80_000],
    [number("128406.07"), 128_406.07],
    [number("90071992547409.91"), "90071992547409.91"],
    [number("60", true), "0.6"],
    [{ kind: "bool", value: true }, true],
    [{ kind: "text", value: "展会" }, "展会"],
    [{ kind: "name", name: "travel" }, "travel"],
    [{ kind: "name", name: "null" }, null],
    [{ kind: "date", text: "2026-10-01" }, "2026-10-01"],
    [{ kind: "datetime", text: "2026-10-01T09:00" }, "2026-10-01T09:00:00+08:00"],
    [{ kind: "datetime", text: "2026-10-01T09:00:30Z" }, "2026-10-01T09:00:30Z"],
    [{ kind: "datetime", text: "2026-10-01T09:00-05:00" }, "2026-10-01T09:00:00-05:00"],
    [{ kind: "duration", ms: 90 * 60_000 }, "90m"],
    [{ kind: "list", items: [number("1"), { kind: "name", name: "a" }] }, [1, "a"]],
    [{ kind: "record", fields: [{ name: "price", value: number("1.5") }] }, { price: 1.5 }],
  ];
  for (const [literal, json] of rows) {
    assert.deepEqual(literalToJson(literal), json);
    assert.equal(literalEquals(literal, json), true, JSON.stringify(json));
    assert.equal(literalEquals(literal, undefined), false);
    assert.equal(literalEquals(literal, "something else"), false);
  }
});

test("a literal is the value that the engine shows", () => {
  const rows: readonly (readonly [Literal, Json, boolean])[] = [
    [number("80000"), "80000.00 CNY", true],
    [number("80000"), "80000.01 CNY", false],
    [number("60", true), "0.6", true],
    [{ kind: "datetime", text: "2026-10-01T01:00Z" }, "2026-10-01T09:00:00+08:00", true],
    [{ kind: "duration", ms: 48 * HOUR }, "2d", true],
    [{ kind: "list", items: [number("1")] }, [1, 2], false],
    [{ kind: "record", fields: [{ name: "price", value: number("1.5") }] }, { price: "1.50 CNY" }, true],
    [{ kind: "record", fields: [{ name: "price", value: number("1.5") }] }, { price: "1.50 CNY", name: "x" }, false],
    [{ kind: "record", fields: [{ name: "constructor", value: number("1") }] }, { price: 1 }, false],
  ];
  for (const [literal, json, same] of rows) assert.equal(literalEquals(literal, json), same, JSON.stringify(json));
});
