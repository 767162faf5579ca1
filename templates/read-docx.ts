import { XMLParser, XMLValidator } from "fast-xml-parser";
import JSZip from "jszip";

/** Reads what was rendered, for tests; by JSZip, so that our own zip files are opened by somebody else. */
export async function readDocx(bytes: Uint8Array): Promise<ReadonlyMap<string, string>> {
  const zip = await JSZip.loadAsync(bytes, { checkCRC32: true });
  const files = Object.values(zip.files).filter((file) => !file.dir);
  return new Map(await Promise.all(files.map(async (file) => [file.name, await file.async("text")] as const)));
}

/** The text of each paragraph of a part, tables cell by cell; breaks are `\n`. Throws if the part is not well-formed. */
export async function readParagraphs(bytes: Uint8Array, part = "word/document.xml"): Promise<readonly string[]> {
  const xml = (await readDocx(bytes)).get(part) ?? "";
  const valid = XMLValidator.validate(xml);
  if (valid !== true) throw new Error(`${part}: ${valid.err.msg}`);
  const paragraphs: string[] = [];
  collect(parser.parse(xml) as readonly Node[], paragraphs);
  return paragraphs;
}

type Node = Readonly<Record<string, unknown>>;

const parser = new XMLParser({ preserveOrder: true, trimValues: false, parseTagValue: false });
const BREAKS = new Map([
  ["w:br", "\n"],
  ["w:tab", "\t"],
]);

function collect(nodes: readonly Node[], paragraphs: string[]): void {
  for (const node of nodes) {
    const [name, children] = Object.entries(node).find(([key]) => key !== ":@") ?? ["", []];
    if (name === "w:p") paragraphs.push("");
    if (name === "w:t")
      append(paragraphs, (children as readonly Node[]).map((child) => String(child["#text"])).join(""));
    else if (BREAKS.has(name)) append(paragraphs, BREAKS.get(name)!);
    else if (name !== "w:pPr" && Array.isArray(children)) collect(children as readonly Node[], paragraphs);
  }
}

function append(paragraphs: string[], text: string): void {
  paragraphs.push((paragraphs.pop() ?? "") + text);
}
