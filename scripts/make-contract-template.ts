import { mkdirSync, writeFileSync } from "node:fs";
import { type DocxContent, docxFile, field, paragraph, run, splitRun, table, tableRow } from "../templates/index.ts";

/**
 * Makes the Word templates of `examples/contract-approval`: `node scripts/make-contract-template.ts`. They are kept as
 * files, since a template is what a person edits in Word; this makes the first ones.
 */

/** Of the table of items, in twentieths of a point; together the width of the text, 8,732. */
const COLUMNS = [3532, 1400, 1900, 1900];

const LINE = 'w:val="single" w:sz="4" w:space="0" w:color="808080"';
const SHADED = '<w:tcPr><w:shd w:val="clear" w:color="auto" w:fill="EDEDED"/></w:tcPr>';
const BORDERS = `<w:tblBorders>${["top", "left", "bottom", "right", "insideH", "insideV"].map((side) => `<w:${side} ${LINE}/>`).join("")}</w:tblBorders>`;

const folder = new URL("../examples/contract-approval/", import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, content] of [
  ["purchase-contract", contract()],
  ["plain-contract", plain()],
] as const) {
  const bytes = docxFile(content);
  writeFileSync(new URL(`${name}.docx`, folder), bytes);
  console.log(`${name}.docx ${bytes.length} bytes`);
}

function contract(): DocxContent {
  return {
    title: "采购合同",
    styles: styles(),
    header: paragraph(
      [run("采购合同"), "<w:r><w:tab/></w:r>", run("合同编号：$contractNo")],
      '<w:pStyle w:val="Header"/>',
    ),
    footer: paragraph(
      [run("第 "), field("PAGE", "1"), run(" 页 共 "), field("NUMPAGES", "2"), run(" 页")],
      '<w:pStyle w:val="Footer"/>',
    ),
    body: [
      styled("Title", "采购合同"),
      styled("Subtitle", "$title"),
      facts([
        ["合同编号", run("$contractNo")],
        // In pieces, as Word leaves what was typed in one go once the spelling was checked and the line edited.
        ["甲方（采购方）", splitRun(["$", "party", "A"])],
        ["乙方（供应方）", run("$partyB")],
        ["签订日期", run("$signedOn")],
      ]),
      body(
        "甲乙双方根据《中华人民共和国民法典》及有关法律法规，在平等、自愿、诚实信用的基础上，就甲方向乙方采购下列货物事宜协商一致，订立本合同，共同遵守。",
      ),
      heading("第一条　采购清单及价款"),
      items(),
      body([
        run("合同总价（含税）：人民币 "),
        run("$total", "<w:b/>"),
        run(" 元（大写：人民币"),
        splitRun(["$total", "Upper"], "<w:b/>"),
        run("）。上述价款已包含货物、包装、运输、装卸、保险、安装调试及税费，除本合同另有约定外不再调整。"),
      ]),
      heading("第二条　交付"),
      body([
        run("乙方应于 "),
        run("$deliverOn", "<w:b/>"),
        run(" 前将全部货物运至甲方指定地点，并随货提交装箱单、合格证及使用说明。"),
      ]),
      body(
        "货物毁损、灭失的风险自甲方签收之时起由甲方承担。乙方逾期交付的，每逾期一日按逾期货物价款的千分之一支付违约金，累计不超过合同总价的百分之十。",
      ),
      paragraph("$if urgent"),
      body([
        run("加急条款：", "<w:b/>"),
        run(
          "本合同为加急采购。乙方须在合同生效后两个工作日内安排发货，并每日向甲方通报进度；逾期违约金按千分之三计算。",
        ),
      ]),
      paragraph("$end"),
      heading("第三条　验收"),
      body(
        "甲方应自收到货物之日起七个工作日内，按双方确认的规格型号及国家标准、行业标准进行验收。数量不足或者质量不符的，甲方应在验收期内书面通知乙方，乙方应在接到通知后五个工作日内补足、更换或者退货，由此发生的费用由乙方承担。",
      ),
      heading("第四条　付款"),
      body(
        "货物验收合格且甲方收到乙方开具的合法有效的增值税专用发票后，甲方于三十日内以银行转账方式一次性支付合同总价。乙方未按约定开具发票的，甲方有权顺延付款且不承担违约责任。",
      ),
      heading("第五条　质量保证"),
      body(
        "货物质量保证期为十二个月，自验收合格之日起计算。质量保证期内非因甲方使用不当造成的故障，乙方应在接到通知后二十四小时内响应，并免费修理或者更换。",
      ),
      heading("第六条　保密"),
      body(
        "双方对在订立和履行本合同过程中知悉的对方商业秘密负有保密义务，未经对方书面同意，不得向第三方披露或者用于本合同以外的目的。本条在合同终止后三年内继续有效。",
      ),
      heading("第七条　违约与解除"),
      body(
        "任何一方不履行或者不完全履行本合同义务的，应当赔偿对方因此受到的损失。乙方逾期交付超过三十日，或者货物经两次更换仍不合格的，甲方有权解除合同，乙方应退还已收价款。",
      ),
      heading("第八条　不可抗力"),
      body(
        "因不可抗力不能履行合同的，根据不可抗力的影响部分或者全部免除责任。遭受不可抗力的一方应当及时通知对方，并在十五日内提供证明。",
      ),
      heading("第九条　争议解决"),
      body("因本合同引起的争议，双方应协商解决；协商不成的，任何一方均可向甲方住所地有管辖权的人民法院提起诉讼。"),
      heading("第十条　其他"),
      // Set flush left: a line that a break ends would be stretched over the whole width.
      paragraph("备注：$remark", '<w:pStyle w:val="BodyText"/><w:jc w:val="left"/>'),
      body(
        "本合同自双方盖章之日起生效，一式四份，双方各执两份，具有同等法律效力。本合同的附件及经双方书面确认的补充协议与本合同具有同等效力。",
      ),
      signatures(),
      paragraph(""),
    ].join(""),
  };
}

/** Rendered when the other can't be: the same names, no layout that could go wrong. */
function plain(): DocxContent {
  return {
    title: "采购合同",
    body: [
      paragraph("采购合同"),
      paragraph("$title"),
      paragraph("合同编号：$contractNo"),
      paragraph("甲方：$partyA"),
      paragraph("乙方：$partyB"),
      paragraph("签订日期：$signedOn"),
      paragraph("交付日期：$deliverOn"),
      paragraph("$each items"),
      paragraph("$name　数量 $quantity　单价 $price 元　金额 $amount 元"),
      paragraph("$end"),
      paragraph("合同总价：人民币 $total 元（大写：人民币$totalUpper）"),
      paragraph("$if urgent"),
      paragraph("本合同为加急采购。"),
      paragraph("$end"),
      paragraph("备注：$remark"),
      paragraph("甲方（盖章）：　　　　　　　　　　乙方（盖章）："),
    ].join(""),
  };
}

function styled(style: string, content: string | readonly string[]): string {
  return paragraph(content, `<w:pStyle w:val="${style}"/>`);
}

function heading(text: string): string {
  return styled("Heading1", text);
}

function body(content: string | readonly string[]): string {
  return styled("BodyText", content);
}

/** Names and values without lines around them. */
function facts(rows: readonly (readonly [string, string])[]): string {
  const made = rows.map(([name, value]) =>
    tableRow([styled("CellLeft", [run(`${name}：`, "<w:b/>")]), styled("CellLeft", [value])]),
  );
  return table([2132, 6600], made, '<w:tblW w:w="8732" w:type="dxa"/><w:tblLayout w:type="fixed"/>');
}

function items(): string {
  const heads = ["名称", "数量", "单价（元）", "金额（元）"].map((head) => SHADED + styled("CellHead", head));
  const values = ["$quantity", "$price", "$amount"].map((value) => styled("CellRight", value));
  const rows = [
    tableRow(heads, "<w:cantSplit/><w:tblHeader/>"),
    tableRow(["$each items", "", "", ""]),
    tableRow([styled("CellLeft", "$name"), ...values], "<w:cantSplit/>"),
    tableRow(["$end", "", "", ""]),
  ];
  return table(COLUMNS, rows, `<w:tblW w:w="8732" w:type="dxa"/>${BORDERS}<w:tblLayout w:type="fixed"/>`);
}

function signatures(): string {
  const side = (title: string, party: string) =>
    [[`${title}（盖章）：`], [party], ["授权代表（签字）："], ["日期：　　　年　　月　　日"]]
      .map((line) =>
        styled(
          "CellSignature",
          line.map((text) => run(text)),
        ),
      )
      .join("");
  const row = tableRow([side("甲方", "$partyA"), side("乙方", "$partyB")], "<w:cantSplit/>");
  return table([4366, 4366], [row], '<w:tblW w:w="8732" w:type="dxa"/><w:tblLayout w:type="fixed"/>');
}

function styles(): string {
  const fonts = (eastAsia: string) =>
    `<w:rFonts w:ascii="Times New Roman" w:hAnsi="Times New Roman" w:cs="Times New Roman" w:eastAsia="${eastAsia}"/>`;
  const size = (points: number) => `<w:sz w:val="${points * 2}"/><w:szCs w:val="${points * 2}"/>`;
  const style = (id: string, name: string, paragraphProperties: string, runProperties = "") =>
    `<w:style w:type="paragraph" w:styleId="${id}"><w:name w:val="${name}"/><w:basedOn w:val="Normal"/><w:qFormat/><w:pPr>${paragraphProperties}</w:pPr><w:rPr>${runProperties}</w:rPr></w:style>`;
  const spacing = (before: number, after: number, line: number) =>
    `<w:spacing w:before="${before}" w:after="${after}" w:line="${line}" w:lineRule="auto"/>`;
  return [
    `<w:docDefaults><w:rPrDefault><w:rPr>${fonts("宋体")}${size(11)}<w:lang w:val="en-US" w:eastAsia="zh-CN"/></w:rPr></w:rPrDefault></w:docDefaults>`,
    '<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/><w:qFormat/></w:style>',
    style(
      "Title",
      "Title",
      `${spacing(240, 60, 300)}<w:jc w:val="center"/>`,
      `${fonts("黑体")}<w:b/><w:spacing w:val="60"/>${size(22)}`,
    ),
    style(
      "Subtitle",
      "Subtitle",
      `${spacing(0, 300, 300)}<w:jc w:val="center"/>`,
      `<w:color w:val="404040"/>${size(13)}`,
    ),
    style(
      "Heading1",
      "heading 1",
      `<w:keepNext/>${spacing(140, 40, 288)}<w:outlineLvl w:val="0"/>`,
      `${fonts("黑体")}<w:b/>${size(12)}`,
    ),
    style(
      "BodyText",
      "Body Text",
      `${spacing(60, 40, 288)}<w:ind w:firstLine="440" w:firstLineChars="200"/><w:jc w:val="both"/>`,
    ),
    style("CellLeft", "Cell Left", spacing(50, 50, 260)),
    style("CellRight", "Cell Right", `${spacing(50, 50, 260)}<w:jc w:val="right"/>`),
    style("CellHead", "Cell Head", `${spacing(50, 50, 260)}<w:jc w:val="center"/>`, `${fonts("黑体")}<w:b/>`),
    style("CellSignature", "Cell Signature", `<w:keepNext/>${spacing(60, 60, 288)}`),
    style(
      "Header",
      "header",
      `<w:pBdr><w:bottom ${LINE}/></w:pBdr><w:tabs><w:tab w:val="right" w:pos="8732"/></w:tabs>`,
      size(9),
    ),
    style("Footer", "footer", '<w:jc w:val="center"/>', size(9)),
  ].join("");
}
