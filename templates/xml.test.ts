import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeXml, type Element, encodeXml, parseXml, serializeXml, withoutIllegal } from "./xml.ts";

const DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';

function parsed(xml: string): Element {
  const root = parseXml(xml);
  assert.ok(!("problem" in root), "problem" in root ? root.problem : "");
  return root;
}

const kept: readonly string[] = [
  '<w:p a="x&amp;y" b="&quot;"><w:t xml:space="preserve"> </w:t>\n<w:t>&#x4E2D;&lt;  5 &gt; </w:t></w:p>',
  '<a xmlns:x="u"><x:b/>text<x:b c="1"/>text</a>',
  "<a>]]&gt;</a>",
];
for (const xml of kept)
  test(`written back as it was: ${JSON.stringify(xml)}`, () =>
    assert.equal(serializeXml(parsed(xml)), DECLARATION + xml));

const changed: readonly (readonly [string, string])[] = [
  ["<a><!-- note --><?pi x?>b</a>", "<a>b</a>"],
  ["<a><![CDATA[<b> & c]]></a>", "<a>&lt;b&gt; &amp; c</a>"],
  [`<a b='say "x"'></a>`, '<a b="say &quot;x&quot;"/>'],
];
for (const [xml, out] of changed)
  test(`${xml} becomes ${out}`, () => assert.equal(serializeXml(parsed(xml)), DECLARATION + out));

const refused: readonly (readonly [string, RegExp])[] = [
  ['<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', /DOCTYPE/],
  ["<!doctype a><a/>", /DOCTYPE/],
  ["<a>&b;</a>", /unknown entity/],
  ['<a b="&c;"/>', /unknown entity/],
  ["<a><b></a>", /line 1/],
  ["<a/><b/>", /one root/],
  ["<a>\u0001</a>", /does not allow/],
  ["<a>\0</a>", /does not allow/],
  ["", /./],
  ["text", /./],
  ["<a".repeat(10), /./],
  ["<a>".repeat(1000) + "</a>".repeat(1000), /./],
];
for (const [xml, problem] of refused) {
  test(`refused: ${JSON.stringify(xml.slice(0, 40))}`, () => {
    const root = parseXml(xml);
    assert.match("problem" in root ? root.problem : "taken", problem);
    assert.ok("problem" in root);
  });
}

test("encoding and decoding are each other's opposite", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (value) => assert.equal(decodeXml(encodeXml(value)), value)));
});

test("numeric entities are decoded, those of illegal characters to nothing", () => {
  assert.equal(decodeXml("&#20013;&#x1F600;&#1;&#xD800;&#x999999;&amp;lt;"), "中😀&lt;");
});

test("what XML can't hold is dropped and nothing else", () => {
  assert.equal(withoutIllegal("a\0\u0008b\t\n\r中😀\uD800c\uFFFF"), "ab\t\n\r中😀c");
});
