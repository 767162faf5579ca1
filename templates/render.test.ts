// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of templates are written like this
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { checkTemplate } from "./check.ts";
import { COMMAND_CLOSE, COMMAND_OPEN } from "./commands.ts";
import { type DocxContent, docxFile, field, paragraph, run, splitRun, table, tableRow } from "./docx-file.ts";
import { prepareTemplate } from "./prepare.ts";
import { readDocx, readParagraphs } from "./read-docx.ts";
import { LITERAL_XML, type RenderedDocument, type Rendering, renderTemplate, type TemplateData } from "./render.ts";
import type { PreparedTemplate } from "./template.ts";

const p = paragraph;
const lines = (...texts: readonly string[]) => texts.map((text) => p(text)).join("");
const tableOf = (...rows: readonly (readonly string[])[]) =>
  table(
    [1, 1],
    rows.map((cells) => tableRow(cells)),
  );

function prepared(content: string | DocxContent): PreparedTemplate {
  const result = prepareTemplate(docxFile(typeof content === "string" ? { body: content } : content), "t");
  assert.ok("template" in result, JSON.stringify(result));
  return result.template;
}

function succeeded(rendering: Rendering): RenderedDocument {
  assert.ok(rendering.kind === "rendered", rendering.kind === "failed" ? rendering.message : "");
  return rendering;
}

async function rendered(content: string | DocxContent, data: TemplateData): Promise<RenderedDocument> {
  return succeeded(await renderTemplate(prepared(content), data));
}

async function paragraphsOf(
  content: string | DocxContent,
  data: TemplateData,
  part?: string,
): Promise<readonly string[]> {
  return readParagraphs((await rendered(content, data)).bytes, part);
}

async function xmlOf(content: string | DocxContent, data: TemplateData): Promise<string> {
  return (await readDocx((await rendered(content, data)).bytes)).get("word/document.xml") ?? "";
}

// ---------------------------------------------------------------------------------------------------------------- //
// Placeholders
// ---------------------------------------------------------------------------------------------------------------- //

interface Vector {
  readonly runs: readonly string[];
  readonly data: Readonly<Record<string, string>>;
  readonly text: string;
  readonly missing: readonly string[];
}
const vectors = JSON.parse(
  readFileSync(new URL("./fixtures/docx-placeholders.json", import.meta.url), "utf8"),
) as readonly Vector[];

for (const { runs, data, text, missing } of vectors) {
  test(`vector: ${runs.join("|")}`, async () => {
    const template = prepared(p(runs.map((piece) => run(piece))));
    const faults = checkTemplate(
      template,
      Object.keys(data).map((name) => ({ name, type: { kind: "text" } })),
    );
    assert.deepEqual(
      faults.map(({ message }) => /^`([^`]+)`/.exec(message)?.[1]),
      missing,
    );
    // What is missing is refused; with its own name for a value, the text is that of the vector.
    const whole = { ...data, ...Object.fromEntries(missing.map((name) => [name, `$${name}`])) };
    const refusal = await renderTemplate(template, data);
    assert.equal(refusal.kind, missing.length > 0 ? "failed" : "rendered");
    assert.deepEqual(await readParagraphs(succeeded(await renderTemplate(template, whole)).bytes), [text]);
  });
}

test("a value takes the formatting of the run that has the dollar, and the other runs keep theirs", async () => {
  const body = p([run("a "), run("$na", "<w:b/>"), run("me", "<w:i/>"), run(" z", "<w:u/>")]);
  const xml = await xmlOf(body, { name: "VALUE" });
  assert.match(xml, /<w:r><w:rPr><w:b\/><\/w:rPr><w:t xml:space="preserve">VALUE<\/w:t><\/w:r>/);
  assert.match(xml, /<w:r><w:rPr><w:u\/><\/w:rPr><w:t xml:space="preserve"> z<\/w:t><\/w:r>/);
});

test("header, footer, footnotes, text boxes and hyperlinks are filled, fields are left alone", async () => {
  const box = `<w:r><w:pict><w:txbxContent>${p("box $no")}</w:txbxContent></w:pict></w:r>`;
  const content: DocxContent = {
    body: p([run("see "), `<w:hyperlink w:anchor="x">${run("$no")}</w:hyperlink>`]) + p([run("around "), box]),
    header: p([splitRun(["编号 $", "no"])]),
    footer: p([run("第 "), field("PAGE", "7"), run(" 页 $$no")]),
    footnotes: ["note $no"],
  };
  const { bytes } = await rendered(content, { no: "HT-1" });
  assert.deepEqual(await readParagraphs(bytes), ["see HT-1", "around ", "box HT-1"]);
  assert.deepEqual(await readParagraphs(bytes, "word/header.xml"), ["编号 HT-1"]);
  assert.deepEqual(await readParagraphs(bytes, "word/footer.xml"), ["第 7 页 $no"]);
  assert.deepEqual(await readParagraphs(bytes, "word/footnotes.xml"), ["", "", "note HT-1"]);
  assert.match(
    (await readDocx(bytes)).get("word/footer.xml") ?? "",
    /<w:instrText xml:space="preserve"> PAGE <\/w:instrText>/,
  );
});

test("a bool is shown as 是 or 否, an empty text leaves its paragraph", async () => {
  assert.deepEqual(await paragraphsOf(lines("$a$b", "$c"), { a: true, b: false, c: "" }), ["是否", ""]);
});

// ---------------------------------------------------------------------------------------------------------------- //
// Blocks
// ---------------------------------------------------------------------------------------------------------------- //

const ITEMS =
  p("before") + tableOf(["名称", "价"], ["$each items", ""], ["$name", "$price"], ["$end", ""]) + p("after");
const itemsOf = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ name: `n${index}`, price: `${index}.00` }));

for (const count of [0, 1, 50]) {
  test(`a table loop over ${count} items`, async () => {
    const items = itemsOf(count);
    const cells = items.flatMap(({ name, price }) => [name, price]);
    assert.deepEqual(await paragraphsOf(ITEMS, { items }), ["before", "名称", "价", ...cells, "after"]);
  });
  test(`a paragraph loop over ${count} items`, async () => {
    const items = itemsOf(count);
    const body = lines("before", "$each items", "$name", "— $price", "$end", "after");
    const shown = items.flatMap(({ name, price }) => [name, `— ${price}`]);
    assert.deepEqual(await paragraphsOf(body, { items }), ["before", ...shown, "after"]);
  });
}

const NESTED = lines("$if a", "A", "$if b", "AB", "$end", "$end", "$if b", "B", "$end", "z");
const conditions: readonly (readonly [boolean, boolean, readonly string[]])[] = [
  [false, false, ["z"]],
  [false, true, ["B", "z"]],
  [true, false, ["A", "z"]],
  [true, true, ["A", "AB", "B", "z"]],
];
for (const [a, b, shown] of conditions) {
  test(`nested conditions, ${a} and ${b}, in the text`, async () =>
    assert.deepEqual(await paragraphsOf(NESTED, { a, b }), shown));
  test(`nested conditions, ${a} and ${b}, in a cell`, async () => {
    assert.deepEqual(await paragraphsOf(tableOf([NESTED, "x"]), { a, b }), [...shown, "x"]);
  });
  test(`nested conditions, ${a} and ${b}, over rows`, async () => {
    const body = tableOf(["$if a", ""], ["A", "1"], ["$if b", ""], ["AB", "2"], ["$end", ""], ["$end", ""], ["z", "3"]);
    const wanted = [...(a ? ["A", "1"] : []), ...(a && b ? ["AB", "2"] : []), "z", "3"];
    assert.deepEqual(await paragraphsOf(body, { a, b }), wanted);
  });
}

test("loops in loops see the fields of their own item, also where the names are the same", async () => {
  const body = lines(
    "$name",
    "$each a",
    "$name",
    "$each a",
    "$name",
    "$end",
    "$if last",
    "last",
    "$end",
    "$end",
    "$name",
  );
  const data = {
    name: "top",
    a: [
      { name: "1", a: [{ name: "1.1" }, { name: "1.2" }], last: false },
      { name: "2", a: [], last: true },
    ],
  };
  assert.deepEqual(await paragraphsOf(body, data), ["top", "1", "1.1", "1.2", "2", "last", "top"]);
});

test("within a loop a missing field of the item is not taken from outside", async () => {
  const rendering = await renderTemplate(prepared(lines("$each a", "$name", "$end")), { name: "top", a: [{}] });
  assert.equal(rendering.kind === "failed" && rendering.code, "wrong-data");
});

// docx-templates drops a cell or row of which it saw only commands, and looks at the innermost one only.
const cellCount = async (body: string, data: TemplateData) => (await xmlOf(body, data)).split("<w:tc>").length - 1;

test("a cell stays when its block goes", async () => {
  for (const urgent of [true, false]) {
    assert.equal(await cellCount(tableOf([lines("$if urgent", "加急", "$end"), "x"], ["y", "z"]), { urgent }), 4);
    assert.equal(
      await cellCount(tableOf([lines("$if urgent", "加急", "$end"), lines("$if urgent", "x", "$end")]), { urgent }),
      2,
    );
  }
});

test("a row stays when the last row of a table in it is a command", async () => {
  const inner = tableOf(["head", ""], ["$each items", ""], ["$name", "$price"], ["$end", ""]);
  const body = tableOf(["a", p("text") + inner + p("")], [inner + p(""), p("")]);
  assert.deepEqual(await paragraphsOf(body, { items: [] }), ["a", "text", "head", "", "", "head", "", "", ""]);
});

test("a table without a heading goes with its rows", async () => {
  const body = lines("a") + tableOf(["$each items", ""], ["$name", "$price"], ["$end", ""]) + lines("b");
  assert.doesNotMatch(await xmlOf(body, { items: [] }), /<w:tbl>/);
  assert.deepEqual(await paragraphsOf(body, { items: itemsOf(1) }), ["a", "n0", "0.00", "b"]);
});

test("a header keeps a paragraph when all its text goes", async () => {
  const content = { body: p("x"), header: lines("$if urgent", "加急", "$end") };
  assert.deepEqual(await paragraphsOf(content, { urgent: false }, "word/header.xml"), [""]);
});

test("what must be unique in a document is not repeated by a loop", async () => {
  const item = `<w:p w14:paraId="0A"><w:bookmarkStart w:id="1" w:name="m"/>${run("$name")}<w:bookmarkEnd w:id="1"/></w:p>`;
  const sdt = `<w:sdt><w:sdtPr><w:id w:val="5"/></w:sdtPr><w:sdtContent>${p("in $name")}</w:sdtContent></w:sdt>`;
  const xml = await xmlOf(p("$each items") + item + sdt + p("$end"), { items: itemsOf(2) });
  assert.doesNotMatch(xml, /bookmark|paraId|sdt/);
  assert.equal(xml.match(/>in <\/w:t>/g)?.length, 2);
});

// ---------------------------------------------------------------------------------------------------------------- //
// Values and authors that try to be more than text
// ---------------------------------------------------------------------------------------------------------------- //

const values: readonly (readonly [string, string, string])[] = [
  ["XML", "<w:p/>&amp;]]>", "&lt;w:p/&gt;&amp;amp;]]&gt;"],
  ["a placeholder", "$name ${name} $$", "$name ${name} $$"],
  ["commands of docx-templates", "+++INS name+++ {{INS name}} *name", "+++INS name+++ {{INS name}} *name"],
  ["its default for raw XML", "||<w:br/>||", "||&lt;w:br/&gt;||"],
  ["our delimiters", `${COMMAND_OPEN}INS 0${COMMAND_CLOSE}`, `${COMMAND_OPEN}INS 0${COMMAND_CLOSE}`],
  ["our delimiter for raw XML", `a${LITERAL_XML}<w:p/>${LITERAL_XML}b`, "a&lt;w:p/&gt;b"],
  ["control characters", "a\0\u0001\u0008\u001fb\uFFFE\uD800c", "abc"],
  ["breaks", "一\n二\r\n三\r四", ["一", "二", "三", "四"].join('</w:t><w:br/><w:t xml:space="preserve">')],
  ["a tab", "a\tb", 'a</w:t><w:tab/><w:t xml:space="preserve">b'],
  ["blanks and wide characters", "  a  𠮷😀 ", "  a  𠮷😀 "],
];
for (const [what, value, written] of values) {
  test(`a value is text: ${what}`, async () => {
    assert.ok((await xmlOf(p("$name"), { name: value })).includes(`<w:t xml:space="preserve">${written}</w:t>`));
  });
}

test("every value comes out as it went in, less what XML can't hold", async () => {
  const template = prepared(p("[$v]"));
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary" }), async (v) => {
      const [text] = await readParagraphs(succeeded(await renderTemplate(template, { v })).bytes);
      const expected = [...v.replaceAll(/\r\n?/g, "\n")].filter((c) =>
        /[\t\n\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u.test(c),
      );
      assert.equal(text, `[${expected.join("")}]`);
    }),
    { numRuns: 50 },
  );
});

const authors: readonly string[] = [
  "+++EXEC process.exit(1)+++ {{EXEC process.exit(1)}} +++INS 1+1+++",
  "+++FOR a IN b+++ {{IF x}} *alias || <w:p/> ||",
  "END-FOR block0 INS 0",
];
for (const text of authors) {
  test(`the author's text stays text: ${text}`, async () => assert.deepEqual(await paragraphsOf(p(text), {}), [text]));
}

test("our delimiters are taken out of the author's text, written plainly or as entities", async () => {
  const body = p([
    run(`a${COMMAND_OPEN}INS 0${COMMAND_CLOSE}b $x。`),
    "<w:r><w:t>&#xFDD0;INS keep&#xFDD1;</w:t></w:r>",
  ]);
  assert.deepEqual(await paragraphsOf(body, { x: "X" }), ["aINS 0b X。INS keep"]);
});

test("only a value's own name finds it", async () => {
  for (const name of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
    const rendering = await renderTemplate(prepared(p(`$${name}`)), {});
    assert.equal(rendering.kind === "failed" && rendering.code, "wrong-data", name);
  }
});

const wrongData: readonly (readonly [string, string, TemplateData, RegExp])[] = [
  [
    "a missing value",
    lines("$a", "$b", "$a"),
    { b: "" },
    /^`a` in .*paragraph 1.* has no value; `a` in .*paragraph 3.* has no value$/,
  ],
  ["a list for a text", p("$a"), { a: [] }, /`a` .*is a list/],
  ["a text for a list", lines("$each a", "$x", "$end"), { a: "x" }, /`a` .*is no list$/],
  ["a text for a condition", lines("$if a", "$end"), { a: "true" }, /`a` .*neither true nor false$/],
  ["a missing field", lines("$each a", "$x", "$end"), { a: [{ x: "" }, {}] }, /`x` .*has no value$/],
];
for (const [what, body, data, message] of wrongData) {
  test(`nothing is rendered with ${what}`, async () => {
    const rendering = await renderTemplate(prepared(body), data);
    assert.ok(rendering.kind === "failed" && rendering.code === "wrong-data");
    assert.match(rendering.message, message);
  });
}

// ---------------------------------------------------------------------------------------------------------------- //
// Files
// ---------------------------------------------------------------------------------------------------------------- //

test("the same template and data give the same bytes, other data another content", async () => {
  const [one, again, other] = [
    await rendered(ITEMS, { items: itemsOf(3) }),
    await rendered(ITEMS, { items: itemsOf(3) }),
    await rendered(ITEMS, { items: [] }),
  ];
  assert.deepEqual(one, again);
  assert.notEqual(one.contentSha256, other.contentSha256);
  assert.notEqual(one.sha256, other.sha256);
});

test("files that ask for nothing are copied as they are", async () => {
  const content = {
    body: p("$a"),
    header: p("kept   as  it is"),
    files: { "word/media/a.bin": new Uint8Array([1, 2, 3, 0]) },
  };
  const [before, after] = [
    await readDocx(docxFile(content)),
    await readDocx((await rendered(content, { a: "" })).bytes),
  ];
  assert.deepEqual([...after.keys()], [...before.keys()]);
  for (const [path, text] of before) if (path !== "word/document.xml") assert.equal(after.get(path), text);
});
