import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Type } from "../dsl/index.ts";
import { checkTemplate, type TemplateField } from "./check.ts";
import { prepareTemplate } from "./prepare.ts";
import { readDocx, readParagraphs } from "./read-docx.ts";
import { renderTemplate, type TemplateData } from "./render.ts";
import type { PreparedTemplate } from "./template.ts";

/**
 * The templates of `examples/contract-approval`, rendered and opened by a reader that is not ours: LibreOffice where it
 * is installed, else fast-xml-parser over JSZip, which checks the archive and the XML. The test says which it was.
 */

const text: Type = { kind: "text" };
const ITEM_FIELDS = ["name", "quantity", "price", "amount"];
const FIELDS: readonly TemplateField[] = [
  ...["contractNo", "title", "partyA", "partyB", "signedOn", "deliverOn", "total", "totalUpper", "remark"].map(
    (name) => ({ name, type: text }),
  ),
  { name: "urgent", type: { kind: "bool" } },
  {
    name: "items",
    type: {
      kind: "list",
      of: { kind: "record", fields: ITEM_FIELDS.map((name) => ({ name, type: text, optional: false })) },
    },
  },
];

const DATA: TemplateData = {
  contractNo: "HT-2026-0042",
  title: "2026年度网络设备采购",
  partyA: "示例科技有限公司",
  partyB: "样本 <电子> & 设备有限公司",
  signedOn: "2026年10月01日",
  deliverOn: "2026年11月15日",
  total: "128,406.07",
  totalUpper: "壹拾贰万捌仟肆佰零陆元零柒分",
  remark: "送货前请电话联系。\n仓库周日不收货，$partyA 不另行通知。",
  urgent: true,
  items: [
    { name: "工业交换机", quantity: "20", price: "5,420.30", amount: "108,406.00" },
    { name: "光模块", quantity: "100", price: "200.00", amount: "20,000.07" },
  ],
};

const PURCHASE_SHOWN = [
  "采购合同\n2026年度网络设备采购\n合同编号：\nHT-2026-0042\n甲方（采购方）：\n示例科技有限公司\n乙方（供应方）：\n样本 <电子> & 设备有限公司\n签订日期：\n2026年10月01日",
  "名称\n数量\n单价（元）\n金额（元）\n工业交换机\n20\n5,420.30\n108,406.00\n光模块\n100\n200.00\n20,000.07\n合同总价（含税）：人民币 128,406.07 元（大写：人民币壹拾贰万捌仟肆佰零陆元零柒分）",
  "乙方应于 2026年11月15日 前将全部货物运至甲方指定地点",
  "备注：送货前请电话联系。\n仓库周日不收货，$partyA 不另行通知。\n本合同自双方盖章之日起生效",
  "甲方（盖章）：\n示例科技有限公司\n",
];
const PLAIN_SHOWN = [
  "采购合同\n2026年度网络设备采购\n合同编号：HT-2026-0042\n甲方：示例科技有限公司",
  "工业交换机　数量 20　单价 5,420.30 元　金额 108,406.00 元\n光模块　数量 100　单价 200.00 元　金额 20,000.07 元\n合同总价",
];

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "assent-contract-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const hasOffice = spawnSync("soffice", ["--version"]).status === 0;
const reader = hasOffice ? "LibreOffice" : "fast-xml-parser over JSZip, since `soffice` is not on the PATH";

function templateOf(name: string): PreparedTemplate {
  const file = new URL(`../examples/contract-approval/${name}.docx`, import.meta.url);
  const prepared = prepareTemplate(readFileSync(file), name);
  assert.ok("template" in prepared, JSON.stringify(prepared));
  return prepared.template;
}

async function bytesOf(template: PreparedTemplate, data: TemplateData): Promise<Uint8Array> {
  const rendering = await renderTemplate(template, data);
  assert.ok(rendering.kind === "rendered", JSON.stringify(rendering));
  return rendering.bytes;
}

/** The text of the document's body, a line per paragraph or break. */
async function readByAnother(bytes: Uint8Array): Promise<string> {
  if (!hasOffice) return `${(await readParagraphs(bytes)).join("\n")}\n`;
  writeFileSync(join(folder, "contract.docx"), bytes);
  // A profile of its own: LibreOffice refuses a second instance on the user's.
  const profile = `-env:UserInstallation=${pathToFileURL(join(folder, "profile")).href}`;
  const args = [
    profile,
    "--headless",
    "--convert-to",
    "txt:Text (encoded):UTF8",
    "--outdir",
    folder,
    join(folder, "contract.docx"),
  ];
  const converted = spawnSync("soffice", args, { timeout: 120_000, encoding: "utf8" });
  assert.equal(converted.status, 0, converted.stderr);
  return readFileSync(join(folder, "contract.txt"), "utf8")
    .replace(/^\uFEFF/, "")
    .replaceAll("\r\n", "\n");
}

for (const [name, shown] of [
  ["purchase-contract", PURCHASE_SHOWN],
  ["plain-contract", PLAIN_SHOWN],
] as const) {
  test(`${name} fits the fields of the contract and asks for all of them`, () => {
    const template = templateOf(name);
    assert.deepEqual(checkTemplate(template, FIELDS), []);
    const asked = new Set(template.slots.map((slot) => slot.name));
    assert.deepEqual(
      [...FIELDS.map((field) => field.name), ...ITEM_FIELDS].filter((field) => !asked.has(field)),
      [],
    );
  });

  test(`${name} is opened by ${reader}`, async () => {
    const template = templateOf(name);
    const urgent = await readByAnother(await bytesOf(template, DATA));
    for (const part of shown) assert.ok(urgent.includes(part), `${part}\n--- is not in ---\n${urgent}`);
    assert.match(urgent, /加急/);
    assert.doesNotMatch(urgent.replace("$partyA 不另行通知", ""), /\$|\uFDD0|\uFDD1/);
    const calm = await readByAnother(await bytesOf(template, { ...DATA, urgent: false, items: [] }));
    assert.doesNotMatch(calm, /加急|光模块/);
    assert.match(calm, /2026年度网络设备采购/);
  });
}

test("header and footer of the contract are filled, the page fields are kept", async () => {
  const bytes = await bytesOf(templateOf("purchase-contract"), DATA);
  assert.deepEqual(await readParagraphs(bytes, "word/header.xml"), ["采购合同\t合同编号：HT-2026-0042"]);
  assert.deepEqual(await readParagraphs(bytes, "word/footer.xml"), ["第 1 页 共 2 页"]);
});

test("the contract has a placeholder in pieces, as Word leaves it", async () => {
  const file = readFileSync(new URL("../examples/contract-approval/purchase-contract.docx", import.meta.url));
  const xml = (await readDocx(file)).get("word/document.xml") ?? "";
  assert.match(xml, />\$<\/w:t><\/w:r><w:proofErr [^>]+><w:r w:rsidR="[^"]+"><w:t xml:space="preserve">party<\/w:t>/);
});
