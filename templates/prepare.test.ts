// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of templates are written like this
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { docxFile, paragraph, run, splitRun, table, tableRow } from "./docx-file.ts";
import { prepareTemplate } from "./prepare.ts";
import { type Placeholder, placeholders } from "./template.ts";

const p = paragraph;
const lines = (...texts: readonly string[]) => texts.map((text) => p(text)).join("");
const textBox = (inner: string) => `<w:r><w:pict><w:txbxContent>${inner}</w:txbxContent></w:pict></w:r>`;

/** `name`, `if name`, `each name[…]`, in order. */
function outline(found: readonly Placeholder[]): string {
  return found
    .map((one) => {
      if (one.kind === "list") return `each ${one.name}[${outline(one.fields)}]`;
      return one.kind === "condition" ? `if ${one.name}` : one.name;
    })
    .join(" ");
}

function prepared(body: string) {
  const result = prepareTemplate(docxFile({ body }), "t");
  assert.ok("template" in result, JSON.stringify(result));
  return result.template;
}

function faultsOf(body: string): readonly string[] {
  const result = prepareTemplate(docxFile({ body }), "t");
  return "faults" in result ? result.faults.map(({ code, at }) => `${code}@${at?.paragraph}`) : [];
}

const read: readonly (readonly [string, string, string])[] = [
  ["a name", p("甲方：$partyA。"), "partyA"],
  ["a name ends before Chinese", p("$name先生"), "name"],
  ["the longest name", p("$amount$amount_upper $a1"), "amount amount_upper a1"],
  ["any name in braces", p("${ 名称 }与${item.price}"), "名称 item.price"],
  ["dollars that are text", p("US$5 $ $$name $，$名称"), ""],
  ["a dollar before a name", p("$$$name"), "name"],
  ["a path is a name and a text", p("$items.constructor"), "items"],
  ["split runs", p([splitRun(["$", "par", "ty", "A"])]), "partyA"],
  ["split braces", p([splitRun(["$", "{", "甲", "方", "}"])]), "甲方"],
  ["two names that share a run", p([run("$a$"), run("b$"), run("c")]), "a b c"],
  ["a page break inside a name", p(["<w:r><w:t>$na</w:t><w:lastRenderedPageBreak/><w:t>me</w:t></w:r>"]), "name"],
  ["a tab ends a name", p([run("$na"), "<w:r><w:tab/></w:r>", run("me")]), "na"],
  ["in a hyperlink", p([run("$a "), `<w:hyperlink w:anchor="x">${run("$b")}</w:hyperlink>`]), "a b"],
  ["in a content control", p([`<w:sdt><w:sdtContent>${run("$a")}</w:sdtContent></w:sdt>`]), "a"],
  [
    "in an insertion, not in a deletion",
    p([`<w:ins w:id="1">${run("$a")}</w:ins>`, `<w:del w:id="2"><w:r><w:delText>$b</w:delText></w:r></w:del>`]),
    "a",
  ],
  ["not in what was moved away", p([`<w:moveFrom w:id="1">${run("$a")}</w:moveFrom>`]), ""],
  ["not in field codes", p(["<w:r><w:instrText> MERGEFIELD $a </w:instrText></w:r>", run("$b")]), "b"],
  ["in a text box, and around it", p([run("$a"), textBox(lines("$b $$c")), run("$d")]), "a d b"],
  [
    "a row loop",
    table(
      [1],
      ["$each items", "$name", "$end"].map((text) => tableRow([text, ""])),
    ),
    "each items[name]",
  ],
  ["a paragraph loop", lines("$each items", "$name $price", "$end", "$total"), "each items[name price] total"],
  [
    "a loop over any name",
    lines("$each ${明细}", "${名称}", "$end", "$each 明细", "$end"),
    "each 明细[名称] each 明细[]",
  ],
  ["a condition leaves the names alone", lines("$if urgent", "$fee", "$end"), "if urgent fee"],
  ["nesting", lines("$each a", "$if b", "$each c", "$d", "$end", "$end", "$e", "$end"), "each a[if b each c[d] e]"],
  ["a block in a cell", table([1], [tableRow([lines("$if a", "$b", "$end"), "$c"])]), "if a b c"],
  ["words that only begin like commands", p("$ending $iffy $eachOne"), "ending iffy eachOne"],
  ["command words in braces are names", p("的 ${end} ${if}"), "end if"],
  ["a command split over runs", p([splitRun(["$", "if ", "urgent"])]) + lines("$end"), "if urgent"],
];
for (const [what, body, found] of read)
  test(`reads ${what}`, () => assert.equal(outline(placeholders(prepared(body))), found));

const refused: readonly (readonly [string, string, readonly string[]])[] = [
  ["a block without end", lines("a", "$each items", "$name"), ["unclosed-block@2"]],
  ["an end without block", lines("a", "$end"), ["unmatched-end@2"]],
  [
    "a block that begins in a table and ends after it",
    table([1], [tableRow(["$each a"]), tableRow(["$b"])]) + lines("$end"),
    ["unclosed-block@1", "unmatched-end@3"],
  ],
  ["a block over two cells", table([1, 1], [tableRow(["$if a", "$end"])]), ["unclosed-block@1", "unmatched-end@2"]],
  ["commands beside text", lines("see $if a b $end"), ["command-not-alone@1", "command-not-alone@1"]],
  ["an end with a name", lines("$if a", "$end a"), ["command-not-alone@2", "unclosed-block@1"]],
  ["a loop without a name", lines("$each", "$end"), ["bad-command@1"]],
  ["a loop with a dollar", lines("$each $items", "$end"), ["bad-command@1"]],
  ["braces that stay open", lines("x", "${name"), ["bad-command@2"]],
  ["braces without a name", lines("${ }"), ["bad-command@1"]],
  ["a command that takes a section break along", p("$if a", "<w:sectPr/>") + lines("$end"), ["command-with-content@1"]],
  [
    "a command with a picture",
    p([run("$if a"), "<w:r><w:drawing/></w:r>"]) + lines("$end"),
    ["command-with-content@1"],
  ],
  ["a command in a text box", p([textBox(lines("$if a", "$end"))]), ["command-in-text-box@2", "command-in-text-box@3"]],
];
for (const [what, body, faults] of refused) test(`refuses ${what}`, () => assert.deepEqual(faultsOf(body), faults));

test("a fault says where and what", () => {
  const result = prepareTemplate(docxFile({ body: p(""), header: lines("x", "编号 $if a") }), "contract");
  assert.deepEqual("faults" in result && result.faults, [
    {
      code: "command-not-alone",
      message:
        'word/header.xml, paragraph 2 ("编号 $if a") has `$if` beside other text: it must stand alone in its paragraph or table row',
      template: "contract",
      at: { part: "word/header.xml", paragraph: 2, text: "编号 $if a" },
    },
  ]);
});

test("header, footer and footnotes are read after the text", () => {
  const content = { body: p("$a"), header: p("$b"), footer: p("$c"), footnotes: ["$d"] };
  const result = prepareTemplate(docxFile(content), "t");
  assert.ok("template" in result);
  assert.deepEqual(
    placeholders(result.template).map(({ name, at }) => `${name} ${at.part} ${at.paragraph}`),
    ["a word/document.xml 1", "c word/footer.xml 1", "d word/footnotes.xml 3", "b word/header.xml 1"],
  );
});

test("the hash is that of the file", () => {
  const [a, b] = [docxFile({ body: p("$a") }), docxFile({ body: p("$b") })].map((bytes) => prepareTemplate(bytes, "t"));
  assert.ok("template" in a! && "template" in b!);
  assert.match(a.template.hash, /^[0-9a-f]{64}$/);
  assert.notEqual(a.template.hash, b.template.hash);
});

test("whatever stands in a document, preparing it gives a template or faults", () => {
  const piece = fc.constantFrom("$", "{", "}", "a", "$each a", "$if b", "$end", " ", "$$", "名");
  const line = fc
    .array(
      fc.array(piece, { maxLength: 4 }).map((texts) => run(texts.join(""))),
      { maxLength: 3 },
    )
    .map((runs) => p(runs));
  const cell = fc.array(line, { minLength: 1, maxLength: 3 }).map((inner) => inner.join(""));
  const grid = fc
    .array(
      fc.array(cell, { minLength: 1, maxLength: 2 }).map((cells) => tableRow(cells)),
      { maxLength: 4 },
    )
    .map((rows) => table([1], rows));
  fc.assert(
    fc.property(fc.array(fc.oneof(line, grid), { maxLength: 5 }), (blocks) => {
      const result = prepareTemplate(docxFile({ body: blocks.join("") }), "t");
      assert.ok("template" in result || result.faults.length > 0);
    }),
  );
});
