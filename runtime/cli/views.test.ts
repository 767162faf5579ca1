import assert from "node:assert/strict";
import { test } from "node:test";
import { historyText } from "./views.ts";

test("behind what a command did stands by what; the version where it is another", () => {
  const item = { definition: "f".repeat(64), dataDigest: "a".repeat(64) };
  const rendered = { text: "Rendered `d`.", templateHash: "c".repeat(64) };
  const text = historyText([
    { ...item, at: "1", functions: { rich: "functions.ts 1a2b" }, lines: [{ text: "Began." }, { text: "Moved." }] },
    { ...item, at: "2", dataDigest: "b".repeat(64), lines: [rendered] },
  ]);
  assert.deepEqual(text.split("\n"), [
    "1  Began.",
    "1  Moved. [flow ffffffffffff, data aaaaaaaaaaaa, rich of functions.ts 1a2b]",
    "2  Rendered `d`. [template cccccccccccc, data bbbbbbbbbbbb]",
  ]);
});
