import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { WecomApp } from "./app.ts";
import { encrypt, sign } from "./crypto.ts";
import { type PositiveVector, vectors } from "./fixtures/vectors.ts";
import { CALLBACK_BYTES_MAX, checkUrl, receive } from "./hook.ts";

function appOf(row: Pick<PositiveVector, "token" | "encodingAESKey" | "receiveid">): WecomApp {
  const { token, encodingAESKey: aesKey, receiveid: corpId } = row;
  return { app: "contracts", tenant: "default", corpId, token, aesKey, secret: "s", api: "http://127.0.0.1:9" };
}

function queryOf(row: PositiveVector) {
  return { msg_signature: row.msg_signature, timestamp: row.timestamp, nonce: row.nonce };
}

const positive = [...vectors.crypto.official, ...vectors.crypto.own];
const own = (name: string) => vectors.crypto.own.find((row) => row.name === name)!;
const approved = own("own-approved");
const now = Number(approved.timestamp) * 1000;

/** A callback of our own making, signed as WeCom would. */
function callback(message: string | Buffer, receiveId = approved.receiveid) {
  const sealed = encrypt(approved.encodingAESKey, Buffer.from(message), receiveId);
  assert.ok(sealed.ok);
  const { timestamp, nonce, token } = approved;
  const query = { msg_signature: sign(token, timestamp, nonce, sealed.encrypt), timestamp, nonce };
  return { query, body: Buffer.from(`<xml><Encrypt><![CDATA[${sealed.encrypt}]]></Encrypt></xml>`), now };
}

describe("the check of the URL", () => {
  for (const row of positive.filter(({ kind }) => kind === "verify_url")) {
    test(`${row.name}: the plain text comes back, also where blanks stand for +`, () => {
      for (const echostr of [row.encrypt, row.encrypt.replaceAll("+", " ")]) {
        const request = { query: { ...queryOf(row), echostr }, now: Number(row.timestamp) * 1000 };
        const expected = { kind: "echo", status: 200, body: row.msg ?? row.expect.msg };
        assert.deepEqual(checkUrl(appOf(row), request), expected);
      }
    });
  }

  test("a wrong signature, an old timestamp and no echostr are refused", () => {
    const row = own("own-verify-url");
    const query = { ...queryOf(row), echostr: row.encrypt };
    const status = (change: object, at = now) =>
      checkUrl(appOf(row), { query: { ...query, ...change }, now: at }).status;
    assert.equal(status({}), 200);
    assert.equal(status({ msg_signature: "0".repeat(40) }), 401);
    assert.equal(status({}, now + 10 * 60_000 + 1), 401);
    assert.equal(status({ echostr: undefined }), 400);
  });
});

describe("a callback", () => {
  for (const row of positive.filter(({ kind }) => kind === "post")) {
    test(`${row.name} is received`, () => {
      const request = {
        query: queryOf(row),
        body: Buffer.from(row.post_body ?? ""),
        now: Number(row.timestamp) * 1000,
      };
      const answer = receive(appOf(row), request);
      assert.ok(answer.kind === "event");
      assert.equal(answer.raw.plaintext, row.msg ?? row.expect.msg ?? answer.raw.plaintext);
      if (row.expect.msg_sha256) assert.equal(answer.raw.sha256, row.expect.msg_sha256);
    });
  }

  test("a second delivery under another nonce has the same hash, another form in the same second has not", () => {
    const hash = (name: string) => {
      const row = own(name);
      const answer = receive(appOf(row), { query: queryOf(row), body: Buffer.from(row.post_body ?? ""), now });
      return answer.kind === "event" ? answer.raw.sha256 : answer.kind;
    };
    assert.equal(hash("own-approved"), hash("own-approved-retry"));
    assert.notEqual(hash("own-approved"), hash("own-approved-batch-other"));
  });

  for (const row of vectors.crypto.negative) {
    test(`${row.name} is refused`, () => {
      const { msg_signature, timestamp, nonce } = row;
      const body = row.post_body ?? `<xml><Encrypt><![CDATA[${row.encrypt}]]></Encrypt></xml>`;
      const answer = receive(appOf(row), { query: { msg_signature, timestamp, nonce }, body: Buffer.from(body), now });
      assert.equal(answer.kind, "refused");
      assert.equal(answer.status, row.expect_code === -40001 || row.expect_code === -40005 ? 401 : 400);
    });
  }

  const event = "<xml><Event>sys_approval_change</Event><ApprovalInfo><SpNo>1</SpNo></ApprovalInfo></xml>";
  const good = callback(event);
  const rows: readonly [string, number, Parameters<typeof receive>[1]][] = [
    ["a sound one", 200, good],
    ["ten minutes old", 200, { ...good, now: now + 10 * 60_000 }],
    ["older than ten minutes", 401, { ...good, now: now + 10 * 60_000 + 1 }],
    ["without a signature", 401, { ...good, query: { ...good.query, msg_signature: undefined } }],
    ["with two nonces", 401, { ...good, query: { ...good.query, nonce: [good.query.nonce, "1"] } }],
    ["with an empty body", 400, { ...good, body: Buffer.alloc(0) }],
    ["with a body over the limit", 413, { ...good, body: Buffer.alloc(CALLBACK_BYTES_MAX + 1, "x") }],
    ["of another corp", 401, callback(event, "ww0000000000000002")],
    ["with a DOCTYPE inside", 400, callback("<!DOCTYPE xml><xml><Event>a</Event></xml>")],
    ["with text inside that is no XML", 400, callback("hello")],
    ["with bytes inside that are no UTF-8", 400, callback(Buffer.from([0x3c, 0xff, 0xfe]))],
    [
      "with a message to the app: authentic, what it means is seen later",
      200,
      callback("<xml><MsgType>text</MsgType></xml>"),
    ],
  ];
  for (const [what, status, request] of rows) {
    test(`${what}: ${status}`, () => {
      assert.equal(receive(appOf(approved), request).status, status);
    });
  }

  test("refusals tell no secret", () => {
    for (const [, , request] of rows) {
      const told = JSON.stringify(receive(appOf(approved), { ...request, now: now + 1e9 }));
      assert.ok(!told.includes(approved.token) && !told.includes(approved.encodingAESKey));
    }
  });
});
