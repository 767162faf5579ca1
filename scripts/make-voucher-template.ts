import { writeFileSync } from "node:fs";
import { docxFile, paragraph, run, table, tableRow } from "../templates/index.ts";

/** Makes the Word template of `examples/expense`: `node scripts/make-voucher-template.ts`. */

const BORDERS = `<w:tblBorders>${["top", "left", "bottom", "right", "insideH", "insideV"].map((side) => `<w:${side} w:val="single" w:sz="4" w:space="0" w:color="808080"/>`).join("")}</w:tblBorders>`;
const WIDTH = '<w:tblW w:w="8732" w:type="dxa"/>';
/** Of the table of items, in twentieths of a point. */
const COLUMNS = [6232, 2500];

const bytes = docxFile({
  title: "费用报销单",
  body: [
    paragraph([run("费用报销单", "<w:b/>")], '<w:jc w:val="center"/>'),
    paragraph("事由：$reason"),
    items(),
    paragraph("合计：人民币 $total 元（大写：人民币$totalUpper）"),
    paragraph("收款账号：$bankCard"),
    paragraph("付款日期：$paidOn"),
    paragraph(""),
  ].join(""),
});
writeFileSync(new URL("../examples/expense/expense-voucher.docx", import.meta.url), bytes);
console.log(`expense-voucher.docx ${bytes.length} bytes`);

function items(): string {
  const cells = (name: string, price: string) => [paragraph(name), paragraph(price, '<w:jc w:val="right"/>')];
  const rows = [
    tableRow(cells("项目", "金额（元）")),
    tableRow(["$each items", ""]),
    tableRow(cells("$name", "$price")),
    tableRow(["$end", ""]),
  ];
  return table(COLUMNS, rows, `${WIDTH}${BORDERS}<w:tblLayout w:type="fixed"/>`);
}
