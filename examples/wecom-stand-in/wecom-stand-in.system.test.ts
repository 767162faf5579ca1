import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { SourceDefinition, Type } from "../../dsl/index.ts";
import { ingestWecom, receiveWecom, type WecomApp, wecomApi } from "../../runtime/index.ts";
import { approvalChangeXml, callback } from "./callback.ts";
import { PURCHASE_CONTRACT_TEMPLATE, purchaseContractForm } from "./purchase-contract-form.ts";
import { startWecomStandIn, type WecomStandIn } from "./server.ts";

/** The connector against the stand-in: real HTTP on loopback, each side written from WeCom's pages. */

const NOW = Date.UTC(2026, 0, 5, 1);
const clock = { now: () => NOW };
const SP_NO = "202601050001";

let standIn: WecomStandIn;
let app: WecomApp;
/** Where nobody listens any more. */
let deserted: string;

before(async () => {
  const gone = await startWecomStandIn({ corpId: "ww0", secret: "" });
  deserted = gone.url;
  await gone.close();
  standIn = await startWecomStandIn({
    corpId: "ww0000000000000001",
    secret: "s3cret",
    forms: [purchaseContractForm(SP_NO)],
  });
  app = {
    app: "contracts",
    tenant: "default",
    corpId: "ww0000000000000001",
    token: "OwnTestToken0001",
    aesKey: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    secret: "s3cret",
    api: standIn.url,
  };
});
after(() => standIn.close());

const TEXT: Type = { kind: "text" };
const MONEY: Type = { kind: "money", signed: false };
const natural = (id: string, type: Type) => ({ kind: "control", id, type, convert: { kind: "natural" } }) as const;
const yuan = (id: string) => ({ kind: "control", id, type: MONEY, convert: { kind: "yuan" } }) as const;
const oneOf = (id: string, type: Type, options: Readonly<Record<string, string>>) =>
  ({ kind: "control", id, type, convert: { kind: "options", options } }) as const;
const KIND: Type = { kind: "enum", members: ["purchase", "service", "lease"] };
const required = (name: string, value: SourceDefinition["fields"][number]["value"]) => ({
  name,
  optional: false,
  value,
});

const SOURCE: SourceDefinition = {
  connector: "wecom",
  template: PURCHASE_CONTRACT_TEMPLATE,
  when: "submitted",
  flow: "contract-approval",
  event: "submit",
  key: { kind: "property", path: ["SpNoStr"] },
  initiator: { kind: "property", path: ["Applyer", "UserId"] },
  fields: [
    required("title", natural("Text-1", TEXT)),
    required("partyB", natural("Text-2", TEXT)),
    required("kind", oneOf("Selector-1", KIND, { 采购: "purchase", 服务: "service", 租赁: "lease" })),
    required("total", yuan("Money-1")),
    required("deliverOn", natural("Date-1", { kind: "date" })),
    required("remark", natural("Textarea-1", TEXT)),
    required("urgent", natural("Selector-2", { kind: "bool" })),
    required("items", {
      kind: "table",
      id: "Table-1",
      type: { kind: "list", of: { kind: "record", fields: [] } },
      columns: [
        { name: "name", value: natural("Text-5", TEXT) },
        { name: "quantity", value: natural("Number-1", { kind: "int" }) },
        { name: "price", value: yuan("Money-2") },
        { name: "amount", value: yuan("Money-3") },
      ],
    }),
    { name: "files", optional: true, value: natural("File-1", { kind: "list", of: { kind: "file" } }) },
  ],
};

describe("from the callback to the flow", () => {
  test("three deliveries of a submission are one event, and the event is a start with typed data", async () => {
    const change = {
      spNo: SP_NO,
      template: PURCHASE_CONTRACT_TEMPLATE,
      status: 1,
      change: 1,
      applicant: "alice",
      atMs: NOW,
    };
    const xml = approvalChangeXml(app, change);
    const received = [0, 6000, 12_000].map((laterMs) => {
      const { search, body } = callback(app, xml, NOW + laterMs);
      const query = Object.fromEntries(new URLSearchParams(search));
      const answer = receiveWecom(app, { query, body: Buffer.from(body), now: NOW + laterMs });
      assert.ok(answer.kind === "event");
      return answer.raw;
    });
    assert.equal(new Set(received.map(({ sha256 }) => sha256)).size, 1);
    const plan = await ingestWecom(received[0]!.plaintext, app, { sources: [SOURCE], api: wecomApi({ clock }) });
    assert.deepEqual(plan, {
      kind: "start",
      flow: "contract-approval",
      key: SP_NO,
      initiator: "alice",
      event: "submit",
      commandId: `start:${SP_NO}:pending`,
      data: {
        title: "2026年度服务器采购合同",
        partyB: "杭州云栈信息技术有限公司",
        kind: "purchase",
        total: "128500.50",
        deliverOn: "2026-03-31",
        remark: "含上门安装与调试，质保三年。\n请法务核对违约条款。",
        urgent: true,
        items: [
          { name: "机架式服务器（双路）", quantity: 2, price: "48000.00", amount: "96000.00" },
          { name: "万兆交换机", quantity: 3, price: "9500.50", amount: "28501.50" },
          { name: "安装调试服务", quantity: 1, price: "3999.00", amount: "3999.00" },
        ],
        files: ["WWCISP_EXAMPLE_QUOTATION"],
      },
    });
  });
});

describe("the API over HTTP", () => {
  test("calls at the same time share one token, and one that was taken back is replaced", async () => {
    const api = wecomApi({ clock });
    const before = standIn.calls("gettoken");
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => api.approvalDetail(app, SP_NO)));
    assert.ok(outcomes.every(({ ok }) => ok));
    assert.equal(standIn.calls("gettoken"), before + 1);
    standIn.expireTokens();
    assert.ok((await api.approvalDetail(app, SP_NO)).ok);
    assert.equal(standIn.calls("gettoken"), before + 2);
  });

  const failures: readonly [string, () => Partial<WecomApp>, string, boolean, RegExp][] = [
    ["a wrong secret", () => ({ secret: "wr0ng" }), SP_NO, false, /40001, the app's secret is wrong/],
    ["a wrong corp", () => ({ corpId: "ww2" }), SP_NO, false, /40013/],
    ["an unknown number", () => ({}), "404", false, /301025/],
    ["nobody there", () => ({ api: deserted }), SP_NO, true, /ECONNREFUSED/],
  ];
  for (const [what, change, spNo, again, reason] of failures) {
    test(what, async () => {
      const outcome = await wecomApi({ clock }).approvalDetail({ ...app, ...change() }, spNo);
      assert.ok(!outcome.ok);
      assert.equal(outcome.retry, again);
      assert.match(outcome.reason, reason);
      assert.doesNotMatch(outcome.reason, /s3cret|wr0ng/);
    });
  }

  test("a message is taken with a token, and only with one", async () => {
    const token = async () => {
      const response = await fetch(`${standIn.url}/cgi-bin/gettoken?corpid=${app.corpId}&corpsecret=${app.secret}`);
      return ((await response.json()) as { access_token: string }).access_token;
    };
    const send = async (accessToken: string) => {
      const message = { touser: "alice", msgtype: "text", agentid: 1000002, text: { content: "合同已生成" } };
      const address = `${standIn.url}/cgi-bin/message/send?access_token=${accessToken}`;
      const response = await fetch(address, { method: "POST", body: JSON.stringify(message) });
      return ((await response.json()) as { errcode: number }).errcode;
    };
    assert.equal(await send("forged"), 40014);
    assert.equal(standIn.messages.length, 0);
    assert.equal(await send(await token()), 0);
    assert.equal(standIn.messages.length, 1);
  });
});
