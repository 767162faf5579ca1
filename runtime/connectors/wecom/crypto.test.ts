import assert from "node:assert/strict";
import { createCipheriv, createHash } from "node:crypto";
import { describe, test } from "node:test";
import fc from "fast-check";
import { readEnvelope, readXml, textAt } from "./callback-xml.ts";
import { decrypt, encrypt, open, sign } from "./crypto.ts";
import { type NegativeVector, type PositiveVector, vectors } from "./fixtures/vectors.ts";

const AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

function sealedOf(row: NegativeVector | PositiveVector, cipherText: string) {
  return { timestamp: row.timestamp, nonce: row.nonce, signature: row.msg_signature, encrypt: cipherText };
}

function keysOf(row: NegativeVector | PositiveVector) {
  return { token: row.token, aesKey: row.encodingAESKey, receiveId: row.receiveid };
}

describe("callback encryption", () => {
  for (const row of [...vectors.crypto.official, ...vectors.crypto.own]) {
    test(`${row.name} opens, and seals to the same bytes`, () => {
      assert.equal(sign(row.token, row.timestamp, row.nonce, row.encrypt), row.msg_signature);
      const opened = open(keysOf(row), sealedOf(row, row.encrypt));
      assert.ok(opened.ok);
      assert.equal(opened.message.length, row.expect.msg_len);
      const message = row.msg ?? row.expect.msg;
      if (message !== undefined) assert.equal(opened.message.toString(), message);
      if (row.expect.msg_sha256) {
        assert.equal(createHash("sha256").update(opened.message).digest("hex"), row.expect.msg_sha256);
      }
      const random = Buffer.from(row.random16 ?? row.expect.random16 ?? "");
      const sealed = encrypt(row.encodingAESKey, opened.message, row.receiveid, random);
      assert.deepEqual(sealed, { ok: true, encrypt: row.encrypt });
    });
  }

  for (const row of [...vectors.crypto.official, ...vectors.crypto.own].filter((row) => row.post_body)) {
    test(`${row.name} stands in its envelope`, () => {
      assert.deepEqual(readEnvelope(row.post_body ?? ""), { ok: true, encrypt: row.encrypt });
    });
  }

  test("official-b-message has the published fields", () => {
    const row = vectors.crypto.official.find((candidate) => candidate.expect.fields)!;
    const opened = open(keysOf(row), sealedOf(row, row.encrypt));
    assert.ok(opened.ok);
    const read = readXml(opened.message.toString());
    assert.ok(read.ok);
    for (const [name, value] of Object.entries(row.expect.fields ?? {})) assert.equal(textAt(read.root, name), value);
  });

  for (const row of vectors.crypto.negative) {
    test(`${row.name} is refused with ${row.expect_code}: ${row.why}`, () => {
      const envelope = row.encrypt ? { ok: true as const, encrypt: row.encrypt } : readEnvelope(row.post_body ?? "");
      const answer = envelope.ok ? open(keysOf(row), sealedOf(row, envelope.encrypt)) : envelope;
      assert.ok(!answer.ok);
      assert.equal(answer.code, row.expect_code);
    });
  }

  test("what is encrypted decrypts to itself, padded to 32", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), fc.string({ unit: "grapheme" }), (message, receiveId) => {
        const sealed = encrypt(AES_KEY, message, receiveId);
        assert.ok(sealed.ok);
        assert.equal(Buffer.from(sealed.encrypt, "base64").length % 32, 0);
        const opened = decrypt(AES_KEY, sealed.encrypt, receiveId);
        assert.ok(opened.ok);
        assert.deepEqual([...opened.message], [...message]);
      }),
    );
  });

  test("equal messages look different each time", () => {
    assert.notDeepEqual(encrypt(AES_KEY, Buffer.from("x"), "ww1"), encrypt(AES_KEY, Buffer.from("x"), "ww1"));
  });

  test("a change of any character of what was signed is refused as a wrong signature", () => {
    const row = vectors.crypto.own.find((candidate) => candidate.name === "own-verify-url")!;
    const sealed = sealedOf(row, row.encrypt);
    for (const part of ["timestamp", "nonce", "encrypt", "signature"] as const) {
      for (let at = 0; at < sealed[part].length; at++) {
        const changed = sealed[part].slice(0, at) + (sealed[part][at] === "1" ? "2" : "1") + sealed[part].slice(at + 1);
        const answer = open(keysOf(row), { ...sealed, [part]: changed });
        assert.ok(!answer.ok && answer.code === -40001, `${part} at ${at}`);
      }
    }
  });

  test("random bytes under a right signature give a fault, never a crash or a message", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const answer = decrypt(AES_KEY, Buffer.from(bytes).toString("base64"), "ww0000000000000001");
        assert.ok(!answer.ok);
      }),
    );
  });

  const forged: readonly [string, Buffer][] = [
    [
      "padding of unequal bytes",
      Buffer.concat([Buffer.alloc(16), Buffer.from([0, 0, 0, 0]), Buffer.alloc(11, 1), Buffer.of(12)]),
    ],
    ["one block of padding", Buffer.alloc(16, 16)],
    ["two blocks of padding", Buffer.alloc(32, 32)],
    ["no length", Buffer.concat([Buffer.alloc(16), Buffer.alloc(16, 16)])],
  ];
  for (const [what, plain] of forged) {
    test(`${what}: -40008`, () => {
      const key = Buffer.from(`${AES_KEY}=`, "base64");
      const cipher = createCipheriv("aes-256-cbc", key, key.subarray(0, 16)).setAutoPadding(false);
      const answer = decrypt(AES_KEY, cipher.update(plain).toString("base64"), "");
      assert.ok(!answer.ok && answer.code === -40008);
    });
  }

  test("an AES key of the wrong length can't encrypt", () => {
    const sealed = encrypt("short", Buffer.from("x"), "ww1");
    assert.ok(!sealed.ok && sealed.code === -40004);
  });
});
