/** The pages of diagnostics that come only where files are loaded: their examples are several files. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { codes, type Diagnostic, type Language, localize, renderDiagnostic } from "../dsl/index.ts";
import { docxFile, paragraph } from "../templates/index.ts";
import { clashOf, loadUnit, type Unit } from "./deployment.ts";

const PAGES = join(import.meta.dirname, "../docs/diagnostics");
const FENCE = /^```(?:flow|ts|docx) (?<kind>right|wrong) (?<name>\S+)\n(?<text>.*?)^```\n/gms;

interface ExampleFile {
  readonly name: string;
  /** Of a template its paragraphs. */
  readonly text: string;
}

function filesOf(page: string, kind: "right" | "wrong"): readonly ExampleFile[] {
  return [...page.matchAll(FENCE)].flatMap(({ groups }) =>
    groups?.["kind"] === kind ? [{ name: groups["name"]!, text: groups["text"]! }] : [],
  );
}

/** What is wrong with the files, as if they stood in the working folder. */
async function loaded(files: readonly ExampleFile[]): Promise<readonly Diagnostic[]> {
  const folder = mkdtempSync(join(tmpdir(), "assent-pages-"));
  try {
    for (const { name, text } of files) {
      const body = text
        .trimEnd()
        .split("\n")
        .map((line) => paragraph(line))
        .join("");
      writeFileSync(join(folder, name), name.endsWith(".docx") ? docxFile({ body }) : text);
    }
    const units: Unit[] = [];
    const found: Diagnostic[] = [];
    for (const { name } of files.filter((file) => file.name.endsWith(".flow"))) {
      const result = await loadUnit(join(folder, name), { names: [], labels: [] });
      const clash = result.kind === "loaded" ? clashOf(result.unit, units) : undefined;
      if (result.kind === "refused") found.push(...result.diagnostics);
      else units.push(result.unit);
      if (clash) found.push(clash.diagnostic);
    }
    return JSON.parse(JSON.stringify(found).replaceAll(`${folder}/`, "")) as readonly Diagnostic[];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function shown(found: readonly Diagnostic[], files: readonly ExampleFile[], language: Language): string {
  const textOf = (file: string) => files.find(({ name }) => name === file && name.endsWith(".flow"))?.text;
  return found
    .map((one) => renderDiagnostic(one, textOf(one.file) ?? "", { color: false, language, textOf }))
    .join("\n\n");
}

for (const [code, { title }] of Object.entries(codes).filter(([name]) => name.startsWith("FLOW4"))) {
  const page = readFileSync(join(PAGES, `${code}.md`), "utf8");

  test(`the page of ${code} says what is found in its files, and how it is mended`, async () => {
    assert.ok(page.startsWith(`# ${code}: ${title}\n\nAn error. `));
    const [wrong, right] = [filesOf(page, "wrong"), filesOf(page, "right")];
    assert.ok(wrong.length > 1 && right.length > 1, "there are examples");
    const found = await loaded(wrong);
    assert.deepEqual(
      found.map((one) => one.code),
      [code],
    );
    assert.deepEqual(await loaded(right), []);
    const messages = (["en", "zh"] as const).map((language) => shown(found, wrong, language)).join("\n\n");
    assert.ok(page.includes(`\`\`\`text\n${messages}\n\`\`\`\n`), messages);
  });

  test(`${code} is said in Chinese, too`, async () => {
    for (const one of await loaded(filesOf(page, "wrong"))) assert.notEqual(localize(one, "zh").message, one.message);
  });
}
