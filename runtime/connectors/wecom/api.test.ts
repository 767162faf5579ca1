import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { classifyErrcode, wecomApi } from "./api.ts";
import type { WecomApp } from "./app.ts";
import { vectors } from "./fixtures/vectors.ts";

const APP: WecomApp = {
  app: "contracts",
  tenant: "default",
  corpId: "ww0000000000000001",
  token: "callback-token",
  aesKey: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
  secret: "top/secret+1",
  api: "https://wecom.example/",
};

type Reply = object | string | number | Error;
type LateReply = Reply | Promise<Reply>;

/** A WeCom that gives tokens T1, T2, … and answers the other calls from a list. */
function wecom(replies: readonly LateReply[], tokenReplies: readonly Reply[] = []) {
  const calls: string[] = [];
  const [waiting, waitingTokens] = [[...replies], [...tokenReplies]];
  let tokens = 0;
  const answer = (reply: Reply): Response => {
    if (reply instanceof Error) throw reply;
    if (typeof reply === "number") return new Response("", { status: reply });
    return new Response(typeof reply === "string" ? reply : JSON.stringify(reply));
  };
  const fetch = async (url: string | URL | Request, init?: RequestInit): Promise<Response> => {
    assert.equal(init?.redirect, "error"); // It would carry the token to somewhere else.
    const { pathname, searchParams } = new URL(String(url));
    calls.push(
      `${pathname.replace("/cgi-bin/", "")} ${searchParams.get("access_token") ?? searchParams.get("corpsecret")}`,
    );
    if (!pathname.endsWith("/gettoken")) return answer(await waiting.shift()!);
    return answer(
      waitingTokens.shift() ?? { errcode: 0, errmsg: "ok", access_token: `T${++tokens}`, expires_in: 7200 },
    );
  };
  const clock = { at: 0, now: () => clock.at };
  return { api: wecomApi({ clock, fetch }), calls, clock };
}

const DETAIL = vectors.approval_detail.response as object;
const DETAIL_CALL = "oa/getapprovaldetail";

describe("errcodes", () => {
  for (const { code, handling } of vectors.errors) {
    test(`${code}: ${handling}`, () => {
      const handled = classifyErrcode(code).kind;
      if (handling === "ok") assert.equal(handled, "ok");
      else if (handling.startsWith("token: drop")) assert.equal(handled, "token");
      else
        assert.equal(handled, /^(retry|rate|concurrency)|internal error: retry$/.test(handling) ? "retry" : "refused");
    });
  }
});

describe("a call", () => {
  test("answers the form, with one token for all calls until its last minutes", async () => {
    const { api, calls, clock } = wecom([DETAIL, DETAIL, DETAIL]);
    const first = await api.approvalDetail(APP, "202412240001");
    assert.ok(first.ok);
    assert.equal(first.value.spNo, "202412240001");
    clock.at = (7200 - 301) * 1000;
    await api.approvalDetail(APP, "202412240001");
    clock.at = (7200 - 300) * 1000;
    await api.approvalDetail(APP, "202412240001");
    const detail = (token: string) => `${DETAIL_CALL} ${token}`;
    assert.deepEqual(calls, [
      `gettoken ${APP.secret}`,
      detail("T1"),
      detail("T1"),
      `gettoken ${APP.secret}`,
      detail("T2"),
    ]);
  });

  test("shares the fetching of a token with the calls beside it, but not with another secret", async () => {
    const { api, calls } = wecom([DETAIL, DETAIL, DETAIL]);
    const other = { ...APP, secret: "other" };
    const outcomes = await Promise.all([APP, APP, other].map((app) => api.approvalDetail(app, "1")));
    assert.ok(outcomes.every(({ ok }) => ok));
    assert.deepEqual(
      calls.filter((call) => call.startsWith("gettoken")),
      [`gettoken ${APP.secret}`, "gettoken other"],
    );
  });

  for (const errcode of [40014, 42001]) {
    test(`drops a token on ${errcode} and repeats once`, async () => {
      const { api, calls } = wecom([{ errcode, errmsg: "expired" }, DETAIL]);
      assert.ok((await api.approvalDetail(APP, "1")).ok);
      assert.deepEqual(
        calls.filter((call) => call.startsWith(DETAIL_CALL)),
        [`${DETAIL_CALL} T1`, `${DETAIL_CALL} T2`],
      );
    });
  }

  test("a late refusal of an old token does not cost the new one", async () => {
    const late = Promise.withResolvers<Reply>();
    const { api, calls } = wecom([{ errcode: 42001 }, late.promise, DETAIL, DETAIL]);
    const [first, second] = [api.approvalDetail(APP, "1"), api.approvalDetail(APP, "2")];
    assert.ok((await first).ok);
    late.resolve({ errcode: 42001 });
    assert.ok((await second).ok);
    assert.equal(calls.filter((call) => call.startsWith("gettoken")).length, 2);
  });

  test("does not repeat for ever where fresh tokens are refused too", async () => {
    const { api, calls } = wecom([{ errcode: 42001 }, { errcode: 42001 }]);
    const outcome = await api.approvalDetail(APP, "1");
    assert.ok(!outcome.ok && outcome.retry);
    assert.equal(calls.length, 4);
  });

  test("a wrong secret is not tried again at once, since that blocks the address; a failure on the way is", async () => {
    const wrong = { errcode: 40001, errmsg: "invalid credential" };
    const { api, calls, clock } = wecom([DETAIL, DETAIL], [503, wrong]);
    const outcomes = [];
    for (const at of [0, 0, 59_999, 60_000]) {
      clock.at = at;
      outcomes.push(await api.approvalDetail(APP, "1"));
    }
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.ok ? "ok" : outcome.retry)),
      [true, false, false, "ok"],
    );
    assert.equal(calls.filter((call) => call.startsWith("gettoken")).length, 3);
  });

  const rows: readonly [string, Reply, boolean, number | undefined, RegExp][] = [
    ["busy", { errcode: -1, errmsg: "system busy" }, true, 1000, /errcode -1/],
    ["over the limit per minute", { errcode: 45009, errmsg: "freq" }, true, 60_000, /errcode 45009/],
    ["an unknown number", { errcode: 301025, errmsg: "param" }, false, undefined, /approval number/],
    [
      "an address that is not trusted",
      { errcode: 60020, errmsg: "from ip: 1.2.3.4" },
      false,
      undefined,
      /trusted.*1\.2\.3\.4/,
    ],
    ["HTTP 502", 502, true, 1000, /HTTP 502/],
    ["HTTP 404", 404, false, undefined, /HTTP 404/],
    ["HTTP 429", 429, true, 60_000, /HTTP 429/],
    ["a page of a proxy", "<html>", true, 1000, /not WeCom's JSON/],
    ["JSON that is no object", "7", true, 1000, /not WeCom's JSON/],
    ["no connection", new TypeError("fetch failed", { cause: { code: "ECONNREFUSED" } }), true, 1000, /ECONNREFUSED/],
    ["no answer in time", new DOMException("x", "TimeoutError"), true, 1000, /in time/],
    ["a stop", new DOMException("x", "AbortError"), true, 1000, /stopped/],
    ["a detail of another shape", { errcode: 0, info: { sp_no: "1" } }, false, undefined, /not as documented/],
  ];
  for (const [what, reply, again, afterMs, reason] of rows) {
    test(what, async () => {
      const outcome = await wecom([reply]).api.approvalDetail(APP, "1");
      assert.ok(!outcome.ok);
      assert.equal(outcome.retry, again);
      assert.equal(outcome.retry ? outcome.afterMs : undefined, afterMs);
      assert.match(outcome.reason, reason);
    });
  }

  test("no reason holds a secret or a token, whatever the other side says", async () => {
    const echo = `${APP.secret} ${encodeURIComponent(APP.secret)} T1`;
    const failures: readonly [readonly Reply[], readonly Reply[]][] = [
      [[{ errcode: 40001, errmsg: echo }], []],
      [[{ errcode: -1, errmsg: echo }], []],
      [[new TypeError(echo)], []],
      [[echo], []],
      [[], [{ errcode: 40001, errmsg: echo.replace("T1", "") }]],
      [[], [new TypeError(echo)]],
    ];
    for (const [replies, tokenReplies] of failures) {
      const outcome = await wecom(replies, tokenReplies).api.approvalDetail(APP, "1");
      assert.ok(!outcome.ok);
      assert.doesNotMatch(outcome.reason, /top|secret\+|T1/);
    }
    const unusable = wecomApi({ clock: { now: () => 0 } });
    const outcome = await unusable.approvalDetail({ ...APP, api: "not a url" }, "1");
    assert.ok(!outcome.ok);
    assert.doesNotMatch(outcome.reason, /top/);
  });
});
