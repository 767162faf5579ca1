import assert from "node:assert/strict";
import { test } from "node:test";
import JSZip from "jszip";
import { type DocxContent, docxFile, paragraph } from "./docx-file.ts";
import { prepareTemplate } from "./prepare.ts";
import { packEntry, writeZip } from "./zip.ts";

const BODY: DocxContent = { body: paragraph("$name") };
const OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const external = (kind: string, mode = "External") =>
  `<Relationship Id="rId9" Type="${OFFICE}/${kind}" Target="http://example.com/x" TargetMode="${mode}"/>`;
const document = (xml: string | Uint8Array): DocxContent => ({ ...BODY, files: { "word/document.xml": xml } });
const settings = (xml: string | Uint8Array): DocxContent => ({ ...BODY, files: { "word/settings.xml": xml } });

function faultsOf(content: DocxContent | Uint8Array): readonly (readonly [string, string])[] {
  const prepared = prepareTemplate(content instanceof Uint8Array ? content : docxFile(content), "t");
  return "faults" in prepared ? prepared.faults.map(({ code, message }) => [code, message] as const) : [];
}

const refused: readonly (readonly [string, DocxContent | Uint8Array, string, RegExp])[] = [
  ["a text file", Buffer.from("not a zip"), "not-a-docx", /no \.docx/],
  ["a zip of something else", writeZip([packEntry("a.txt", Buffer.from("a"))]), "not-a-docx", /Content_Types/],
  ["a zip bomb", { ...BODY, files: { "word/media/a.bin": new Uint8Array(40e6) } }, "too-large", /media/],
  ["a huge part", document(`<a>${" ".repeat(9e6)}</a>`), "too-large", /document/],
  ["a VBA project", { ...BODY, files: { "word/vbaProject.bin": "x" } }, "macros", /vbaProject/],
  ["an ActiveX control", { ...BODY, files: { "word/activeX/activeX1.xml": "<a/>" } }, "macros", /activeX/],
  [
    "macros by their content type",
    { ...BODY, contentTypes: '<Override PartName="/word/x.bin" ContentType="application/vnd.ms-office.vbaProject"/>' },
    "macros",
    /word\/x\.bin/,
  ],
  [
    "macros by the extension's content type",
    { ...BODY, contentTypes: '<Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/>' },
    "macros",
    /\.bin/,
  ],
  [
    "macros by their relationship",
    {
      ...BODY,
      relationships: `<Relationship Id="rId9" Type="http://schemas.microsoft.com/office/2006/relationships/vbaProject" Target="x.bin"/>`,
    },
    "macros",
    /x\.bin/,
  ],
  [
    "a template loaded from outside",
    { ...BODY, relationships: external("attachedTemplate") },
    "external-content",
    /attachedTemplate/,
  ],
  ["a picture loaded from outside", { ...BODY, relationships: external("image") }, "external-content", /example\.com/],
  [
    "the same, written with an entity",
    { ...BODY, relationships: external("image", "&#69;xternal") },
    "external-content",
    /image/,
  ],
  [
    "altChunk",
    { ...BODY, relationships: `<Relationship Id="rId9" Type="${OFFICE}/aFChunk" Target="a.html"/>` },
    "embedded-document",
    /altChunk/,
  ],
  ["altChunk in the text", { body: '<w:altChunk r:id="rId9"/>' }, "embedded-document", /altChunk/],
  [
    "a DOCTYPE in the document",
    document('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'),
    "damaged-part",
    /DOCTYPE/,
  ],
  ["a DOCTYPE elsewhere", settings('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), "damaged-part", /settings.*DOCTYPE/],
  ["a DOCTYPE in UTF-16", settings(Buffer.from("<!DOCTYPE a><a/>", "utf16le")), "damaged-part", /UTF-8/],
  ["a part in GB18030", settings('<?xml version="1.0" encoding="GB18030"?><a/>'), "damaged-part", /GB18030/],
  ["a part that is no UTF-8", document(Buffer.from([0x3c, 0xff, 0xfe])), "damaged-part", /UTF-8/],
  ["a document that is not well-formed", document("<w:document><w:body></w:document>"), "damaged-part", /line 1/],
  ["another prefix", document('<w:document xmlns:w="urn:other"/>'), "damaged-part", /prefix/],
  ["no prefix", document("<document/>"), "damaged-part", /prefix/],
  [
    "two main documents",
    {
      ...BODY,
      contentTypes:
        '<Override PartName="/word/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>',
      files: { "word/settings.xml": "<a/>" },
    },
    "not-a-docx",
    /main document/,
  ],
];
for (const [what, content, code, message] of refused) {
  test(`refused: ${what}`, () => {
    const [first] = faultsOf(content);
    assert.equal(first?.[0], code);
    assert.match(first?.[1] ?? "", message);
  });
}

const taken: readonly (readonly [string, DocxContent])[] = [
  ["hyperlinks that lead out", { ...BODY, relationships: external("hyperlink") }],
  ["pictures inside", { ...BODY, files: { "word/media/a.png": new Uint8Array(1e6) } }],
  ["an encoding that is said", settings('<?xml version="1.0" encoding="utf-8"?><a/>')],
];
for (const [what, content] of taken) test(`taken: ${what}`, () => assert.deepEqual(faultsOf(content), []));

test("every fault of a file is told", () => {
  const content = {
    ...BODY,
    relationships: external("image") + external("oleObject"),
    files: { "word/vbaData.xml": "<a/>" },
  };
  assert.deepEqual(
    faultsOf(content).map(([code]) => code),
    ["macros", "external-content", "external-content"],
  );
});

test("a .docx of another zip writer is taken, wherever its main document lies", async () => {
  const zip = await JSZip.loadAsync(docxFile(BODY));
  const types = await zip.file("[Content_Types].xml")!.async("text");
  zip.file("[Content_Types].xml", types.replace("/word/document.xml", "/word/document2.xml"));
  zip.file("word/document2.xml", await zip.file("word/document.xml")!.async("text")).remove("word/document.xml");
  const bytes = await zip.generateAsync({ type: "uint8array", compression: "DEFLATE" });
  const prepared = prepareTemplate(bytes, "t");
  assert.ok("template" in prepared);
  assert.equal(prepared.template.slots[0]?.at.part, "word/document2.xml");
});
