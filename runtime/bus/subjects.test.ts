import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  decodeToken,
  encodeToken,
  inSubject,
  isPublishable,
  orderOf,
  outSubject,
  parseInSubject,
  parseOutSubject,
  subjectMatcher,
} from "./subjects.ts";

const name = fc.string({
  minLength: 1,
  unit: fc.oneof(
    fc.constantFrom(".", "*", ">", " ", "%", "\t", "\r", "\n"),
    fc.string({ minLength: 1, maxLength: 1, unit: "grapheme" }),
  ),
});

describe("subjects", () => {
  test("what is built is parsed back, whatever the names hold", () => {
    fc.assert(
      fc.property(name, name, name, fc.option(name, { nil: undefined }), (tenant, flow, event, key) => {
        const about = { tenant, flow, event, ...(key === undefined ? {} : { key }) };
        const subject = inSubject(about);
        assert.deepEqual(parseInSubject(subject), about);
        assert.equal(isPublishable(subject), true);
        assert.equal(subject.split(".").length, key === undefined ? 5 : 6);
      }),
    );
  });

  test("a token survives encoding", () => {
    fc.assert(fc.property(name, (text) => decodeToken(encodeToken(text)) === text));
  });

  for (const [text, token] of [
    ["PO-2026/7", "PO-2026/7"],
    ["合同", "合同"],
    ["v1.2", "v1%2E2"],
    ["a b", "a%20b"],
    ["*", "%2A"],
    ["100%", "100%25"],
    ["a\u00a0b", "a%C2%A0b"],
  ] as const) {
    test(`\`${text}\` is written \`${token}\``, () => assert.equal(encodeToken(text), token));
  }

  for (const subject of [
    "assent.in.default.leave-approval",
    "assent.in.default..submit",
    "assent.in.default.leave.submit.K1.more",
    "assent.in.default.leave.submit.%ZZ",
    "assent.in.default.leave.submit.%FF",
    "assent.out.default.leave.submit",
    "other.in.default.leave.submit",
  ]) {
    test(`\`${subject}\` is no subject of ours`, () => assert.equal(parseInSubject(subject), undefined));
  }

  test("the platform's own events keep their dot", () => {
    const subject = outSubject({ tenant: "default", flow: "a.b", event: "task.opened" });
    assert.equal(subject, "assent.out.default.a%2Eb.task.opened");
    assert.deepEqual(parseOutSubject(subject), { tenant: "default", flow: "a.b", event: "task.opened" });
    assert.equal(parseOutSubject("assent.out.default.leave"), undefined);
  });

  for (const [pattern, subject, matches] of [
    ["assent.out.>", "assent.out.a.b.c", true],
    ["assent.out.>", "assent.out", false],
    ["assent.out.*.b.*", "assent.out.a.b.c", true],
    ["assent.out.*.b.*", "assent.out.a.b.c.d", false],
    ["assent.out.*.b.*", "assent.out.a.x.c", false],
    ["assent.out.a", "assent.out.a", true],
    [">", "a", true],
    ["*", "a.b", false],
  ] as const) {
    test(`\`${pattern}\` ${matches ? "matches" : "doesn't match"} \`${subject}\``, () =>
      assert.equal(subjectMatcher(pattern)(subject), matches));
  }

  for (const subject of ["", "a..b", "a.*", "a.>", "a b", "a.b\r\nPUB x 0", ".a"]) {
    test(`nothing can be sent to \`${JSON.stringify(subject)}\``, () => assert.equal(isPublishable(subject), false));
  }
});

test("messages of one instance share an order, whatever the event", () => {
  assert.equal(orderOf("assent.in.t.f.submit.K"), orderOf("assent.in.t.f.approve.K"));
  assert.notEqual(orderOf("assent.in.t.f.submit.K"), orderOf("assent.in.t.f.submit.L"));
  assert.notEqual(orderOf("assent.in.t.f.submit.K"), orderOf("assent.in.u.f.submit.K"));
  assert.notEqual(orderOf("assent.in.t.f.submit"), orderOf("assent.in.t.f.approve"));
});
