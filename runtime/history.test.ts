import assert from "node:assert/strict";
import { test } from "node:test";
import { type Entry, encode } from "./entry.ts";
import { readHistory } from "./history.ts";

test("an item says who, what, when and why, and on the strength of what", () => {
  const entry: Entry = {
    definition: "d1",
    at: 7,
    decisions: [
      {
        command: { kind: "decide", id: "c", source: "http", digest: "", actor: "bob", decision: "approve" },
        answers: {
          'guard:rich("a(b")': { ok: true, by: "functions.ts 1a2b" },
          'people:group("f")': { people: ["bob"] },
        },
        story: [{ kind: "decided", task: "i-1", by: "bob", decision: "approved", onBehalfOf: "ann", reason: "fine" }],
        version: 3,
        dataDigest: "d2",
      },
    ],
  };
  const stored = { sequence: 2, hash: "h", body: encode(entry, undefined) };
  const [item] = readHistory([stored as Parameters<typeof readHistory>[0][number]], undefined);
  assert.deepEqual(item, {
    ...{ sequence: 2, version: 3, at: 7, definition: "d1", hash: "h", dataDigest: "d2" },
    command: { kind: "decide", id: "c", source: "http", actor: "bob" },
    functions: { rich: "functions.ts 1a2b" },
    lines: [{ ...entry.decisions[0]!.story[0]!, text: 'bob approved the task i-1 on behalf of ann because "fine".' }],
  });
});
