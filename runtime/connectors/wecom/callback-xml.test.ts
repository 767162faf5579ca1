import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { readEnvelope, readEvent, readXml, textAt, type XmlElement, type XmlValue } from "./callback-xml.ts";
import { vectors } from "./fixtures/vectors.ts";

function rootOf(xml: string): XmlElement {
  const read = readXml(xml);
  assert.ok(read.ok);
  return read.root;
}

function at(value: XmlValue | undefined, ...path: readonly (string | number)[]): XmlValue | undefined {
  return path.reduce<unknown>(
    (inner, name) => (inner as Record<string, unknown> | undefined)?.[name],
    value,
  ) as XmlValue;
}

describe("events", () => {
  for (const row of vectors.events.filter(({ expect }) => expect["event"] !== "template_card_event")) {
    test(row.name, () => {
      const read = readEvent(row.xml);
      assert.ok(read.ok && read.event.kind === "approval");
      const { event } = read;
      const { expect } = row;
      assert.equal(event.event, expect["event"]);
      assert.equal(event.corpId, expect["tenant"]);
      assert.equal(event.agentId, expect["agentId"] ?? "1000002");
      assert.equal(event.spNo, expect["instanceId"]);
      assert.equal(event.status, expect["status"]);
      assert.equal(event.createdAt, Number(expect["createTime"]) * 1000);
      if (expect["action"]) assert.equal(event.action, expect["action"]);
      if (expect["templateId"]) assert.equal(event.template, expect["templateId"]);
      if (expect["applicant"]) assert.equal(event.applicant, expect["applicant"]);
      if (expect["plaintext_sha256"]) {
        assert.equal(createHash("sha256").update(row.xml).digest("hex"), expect["plaintext_sha256"]);
      }
    });
  }

  for (const row of vectors.events) {
    test(`${row.name}: everything else the row names can be read`, () => {
      const { expect } = row;
      const root = rootOf(row.xml);
      const info = at(root, "ApprovalInfo");
      const list = (...path: readonly string[]) => (at(info, ...path) ?? []) as readonly XmlValue[];
      if (expect["nodes"]) assert.equal(list("SpRecord").length, expect["nodes"]);
      if (expect["notify"])
        assert.deepEqual(
          list("Notifyer").map((one) => at(one, "UserId")),
          expect["notify"],
        );
      if (expect["speech"]) assert.equal(at(info, "SpRecord", 0, "Details", 0, "Speech"), expect["speech"]);
      if (expect["approvers"]) {
        assert.deepEqual([at(info, "SpRecord", 0, "Details", 0, "Approver", "UserId")], expect["approvers"]);
      }
      if (expect["comments"]) {
        const comments = list("Comments").map((comment) => ({
          userId: at(comment, "CommentUserInfo", "UserId"),
          text: at(comment, "CommentContent"),
          id: at(comment, "CommentId"),
        }));
        assert.deepEqual(comments, expect["comments"]);
      }
      if (expect["eventKey"]) assert.equal(textAt(root, "EventKey"), expect["eventKey"]);
      if (expect["taskId"]) assert.equal(textAt(root, "TaskId"), expect["taskId"]);
      if (expect["userId"]) assert.equal(textAt(root, "FromUserName"), expect["userId"]);
      if (expect["selected"]) {
        const item = at(root, "SelectedItems", "SelectedItem", 0);
        assert.deepEqual({ [String(at(item, "QuestionKey"))]: at(item, "OptionIds", "OptionId") }, expect["selected"]);
      }
    });
  }

  test("an event about something else is known by its name", () => {
    const card = vectors.events.find(({ expect }) => expect["event"] === "template_card_event")!;
    assert.deepEqual(readEvent(card.xml), { ok: true, event: { kind: "other", name: "template_card_event" } });
    const message = "<xml><MsgType>text</MsgType><Content>hello</Content></xml>";
    assert.deepEqual(readEvent(message), { ok: true, event: { kind: "other", name: "text" } });
  });

  test("SpNo stands in where SpNoStr is absent, leading zeros and all; neither is a fault", () => {
    const xml = (number: string) =>
      `<xml><Event>sys_approval_change</Event><ApprovalInfo>${number}<SpStatus>5</SpStatus></ApprovalInfo></xml>`;
    const read = readEvent(xml("<SpNo>0042</SpNo>"));
    assert.ok(read.ok && read.event.kind === "approval");
    assert.equal(read.event.spNo, "0042");
    assert.equal(read.event.status, "status-5");
    assert.equal(readEvent(xml("")).ok, false);
  });
});

describe("XML that is refused", () => {
  const refused: readonly [string, string, RegExp][] = [
    ["a DOCTYPE", "<!DOCTYPE xml [<!ENTITY e 'x'>]><xml><Encrypt>&e;</Encrypt></xml>", /DOCTYPE/],
    ["a DOCTYPE after a declaration", "<?xml version='1.0'?><!doctype x><xml><Encrypt>a</Encrypt></xml>", /DOCTYPE/],
    ["a DOCTYPE behind a false CDATA", '<xml a="<![CDATA["><!DOCTYPE x><y b="]]>"/></xml>', /offset 0/],
    ["a comment", "<xml><!-- <![CDATA[ --><Encrypt>a</Encrypt></xml>", /offset 5/],
    ["a processing instruction", "<xml><?php x?><Encrypt>a</Encrypt></xml>", /offset 5/],
    ["an attribute", "<xml><Encrypt x='1'>a</Encrypt></xml>", /offset 5/],
    ["an unclosed element", "<xml><Encrypt>a</xml>", /well-formed/],
    ["an unclosed CDATA", "<xml><Encrypt><![CDATA[a</Encrypt></xml>", /offset 14/],
    ["two roots", "<xml><Encrypt>a</Encrypt></xml><xml/>", /no `xml`/],
    ["another root", "<html><Encrypt>a</Encrypt></html>", /no `xml`/],
    ["a reserved name", "<xml><constructor>1</constructor></xml>", /well-formed/],
    ["JSON", '{"Encrypt":"a"}', /well-formed/],
    ["nothing", "", /well-formed/],
    ["no Encrypt", "<xml><ToUserName>a</ToUserName></xml>", /no `Encrypt`/],
    ["an Encrypt with children", "<xml><Encrypt><a>1</a></Encrypt></xml>", /no `Encrypt`/],
    ["two of them", "<xml><Encrypt>a</Encrypt><Encrypt>b</Encrypt></xml>", /no `Encrypt`/],
  ];
  for (const [what, xml, reason] of refused) {
    test(what, () => {
      const read = readEnvelope(xml);
      assert.ok(!read.ok && read.code === -40002);
      assert.match(read.reason, reason);
    });
  }

  test("the same words within CDATA are somebody's text", () => {
    const root = rootOf("<xml><Speech><![CDATA[see <!DOCTYPE html> & <!-- x -->]]></Speech><n>1 &lt; 2</n></xml>");
    assert.deepEqual(root, { Speech: "see <!DOCTYPE html> & <!-- x -->", n: "1 < 2" });
  });

  test("a thousand nested elements are a fault, not a crash", () => {
    assert.equal(readXml(`<xml>${"<a>".repeat(1000)}x${"</a>".repeat(1000)}</xml>`).ok, false);
  });
});
