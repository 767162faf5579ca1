import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decode } from "./decode.ts";

const bytes = (...parts: readonly (string | number)[]) =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === "number" ? [part] : [...new TextEncoder().encode(part)])));

describe("decode", () => {
  for (const [what, written, offset, start] of [
    ["a byte of another encoding", bytes("// D", 0xe9, "penses"), 4, 4],
    ["a byte behind letters of several", bytes("费用🎉", 0xff), 10, 4],
    ["a sign that the end cuts off", bytes("a费", 0xe8, 0xb4), 4, 2],
    ["half of a pair", bytes("x", 0xed, 0xa0, 0x80), 1, 1],
    ["a byte behind a byte order mark", bytes("\ufeff", 0xc0), 3, 1],
    ["a byte behind a U+FFFD that is written", bytes("\ufffd\ufffd a", 0x80), 8, 4],
  ] as const) {
    it(`says where ${what} stands`, () => {
      const { text, fault } = decode(written, "x.flow");
      assert.equal(fault?.code, "FLOW008");
      assert.equal(fault.file, "x.flow");
      assert.match(
        fault.message,
        new RegExp(` byte offset ${offset} stands \`0x${written[offset]!.toString(16)}\``, "i"),
      );
      assert.deepEqual(fault.span, { start, end: start + 1 });
      assert.equal(text[start], "\ufffd");
    });
  }

  it("reads every text back as it was written", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        assert.deepEqual(decode(bytes(text), "x"), { text });
      }),
    );
    assert.deepEqual(decode(bytes("\ufeffuse"), "x"), { text: "\ufeffuse" });
  });

  it("finds the place in any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (some) => {
        const { text, fault } = decode(some, "x");
        if (fault) assert.equal(text[fault.span.start], "\ufffd");
        else assert.deepEqual(bytes(text), some);
      }),
    );
  });
});
