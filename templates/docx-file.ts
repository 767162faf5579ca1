import { encodeXml } from "./xml.ts";
import { packEntry, writeZip } from "./zip.ts";

/**
 * Builds .docx files from WordprocessingML (ECMA-376 part 1), for the bundled templates and for tests. Everything that
 * Word and LibreOffice expect is there; the same input gives the same bytes.
 */
export interface DocxContent {
  /** The body's paragraphs and tables; the section's properties follow by themselves. */
  readonly body: string;
  /** Paragraphs of the default header and footer. */
  readonly header?: string;
  readonly footer?: string;
  /** The elements of `w:styles`. */
  readonly styles?: string;
  /** The text of footnote 1, 2, … */
  readonly footnotes?: readonly string[];
  /** Core properties. */
  readonly title?: string;
  /** Further files by path, or other texts for those that are made: a text or bytes. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Further `Override` and `Default` elements of the content types. */
  readonly contentTypes?: string;
  /** Further `Relationship` elements of the main document. */
  readonly relationships?: string;
}

const WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"';
const NAMESPACES = `${WORD} xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml" mc:Ignorable="w14"`;
const OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE = "http://schemas.openxmlformats.org/package/2006";
const WORDPROCESSING = "application/vnd.openxmlformats-officedocument.wordprocessingml";
const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
/** A4, margins of 2.5 cm at the top and bottom and 2.8 cm at the sides, in twentieths of a point. */
const PAGE =
  '<w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1417" w:right="1587" w:bottom="1417" w:left="1587" w:header="794" w:footer="794" w:gutter="0"/>';

/** The bytes of the .docx. */
export function docxFile(content: DocxContent): Uint8Array {
  const parts = partsOf(content);
  const overrides = parts
    .map(({ path, type }) => `<Override PartName="/word/${path}" ContentType="${type}"/>`)
    .join("");
  const links = parts
    .slice(1)
    .map(({ path, kind }, index) => relationship(index + 1, kind, path))
    .join("");
  const files: Record<string, string | Uint8Array> = {
    "[Content_Types].xml": `${XML}<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>${overrides}<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>${content.contentTypes ?? ""}</Types>`,
    "_rels/.rels": `${XML}<Relationships xmlns="${PACKAGE}/relationships">${relationship(1, "officeDocument", "word/document.xml")}<Relationship Id="rId2" Type="${PACKAGE}/relationships/metadata/core-properties" Target="docProps/core.xml"/></Relationships>`,
    "docProps/core.xml": `${XML}<cp:coreProperties xmlns:cp="${PACKAGE}/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>${encodeXml(content.title ?? "")}</dc:title></cp:coreProperties>`,
    "word/_rels/document.xml.rels": `${XML}<Relationships xmlns="${PACKAGE}/relationships">${links}${content.relationships ?? ""}</Relationships>`,
  };
  for (const { path, xml } of parts) files[`word/${path}`] = XML + xml;
  return writeZip(
    Object.entries({ ...files, ...content.files }).map(([path, file]) => packEntry(path, Buffer.from(file))),
  );
}

interface PartSource {
  readonly path: string;
  /** Last word of the relationship's type. */
  readonly kind: string;
  readonly type: string;
  readonly xml: string;
}

/** The main document first. */
function partsOf({ body, header, footer, styles, footnotes }: DocxContent): readonly PartSource[] {
  const others: PartSource[] = [part("styles", `<w:styles ${WORD}>${styles ?? ""}</w:styles>`)];
  if (header !== undefined) others.push(part("header", `<w:hdr ${NAMESPACES}>${header}</w:hdr>`));
  if (footer !== undefined) others.push(part("footer", `<w:ftr ${NAMESPACES}>${footer}</w:ftr>`));
  if (footnotes !== undefined) others.push(part("footnotes", footnotesXml(footnotes)));
  const references = others.flatMap(({ kind }, index) =>
    kind === "header" || kind === "footer" ? [`<w:${kind}Reference w:type="default" r:id="rId${index + 1}"/>`] : [],
  );
  const section = `<w:sectPr>${references.join("")}${PAGE}</w:sectPr>`;
  const document = `<w:document ${NAMESPACES}><w:body>${body}${section}</w:body></w:document>`;
  return [
    { path: "document.xml", kind: "officeDocument", type: `${WORDPROCESSING}.document.main+xml`, xml: document },
    ...others,
  ];
}

function part(kind: string, xml: string): PartSource {
  return { path: `${kind}.xml`, kind, type: `${WORDPROCESSING}.${kind}+xml`, xml };
}

/** Word wants the two separators with the ids -1 and 0 before the notes. */
function footnotesXml(texts: readonly string[]): string {
  const separators = ["separator", "continuationSeparator"].map(
    (type, index) => `<w:footnote w:type="${type}" w:id="${index - 1}"><w:p><w:r><w:${type}/></w:r></w:p></w:footnote>`,
  );
  const notes = texts.map((text, index) => `<w:footnote w:id="${index + 1}">${paragraph(text)}</w:footnote>`);
  return `<w:footnotes ${NAMESPACES}>${separators.join("")}${notes.join("")}</w:footnotes>`;
}

function relationship(id: number, kind: string, target: string): string {
  return `<Relationship Id="rId${id}" Type="${OFFICE}/${kind}" Target="${target}"/>`;
}

// ---------------------------------------------------------------------------------------------------------------- //
// Pieces of WordprocessingML
// ---------------------------------------------------------------------------------------------------------------- //

/** A paragraph of one run for a text, or of the given runs. `properties`: the elements of `w:pPr`. */
export function paragraph(content: string | readonly string[], properties = ""): string {
  const runs = typeof content === "string" ? (content === "" ? "" : run(content)) : content.join("");
  return `<w:p>${properties === "" ? "" : `<w:pPr>${properties}</w:pPr>`}${runs}</w:p>`;
}

/** A run with a text. `properties`: the elements of `w:rPr`; `attributes`: of the run, such as revision ids. */
export function run(text: string, properties = "", attributes = ""): string {
  const formatting = properties === "" ? "" : `<w:rPr>${properties}</w:rPr>`;
  return `<w:r${attributes === "" ? "" : ` ${attributes}`}>${formatting}<w:t xml:space="preserve">${encodeXml(text)}</w:t></w:r>`;
}

/** A text in several runs the way Word leaves it after edits and spell checks: revision ids, `w:proofErr` between. */
export function splitRun(pieces: readonly string[], properties = ""): string {
  const mark = (index: number) => `<w:proofErr w:type="${index % 2 === 1 ? "spellStart" : "spellEnd"}"/>`;
  const runs = pieces.map((piece, index) => {
    const revision = `w:rsidR="00A7${(0x1c3e + index).toString(16).toUpperCase()}"`;
    return (index > 0 ? mark(index) : "") + run(piece, properties, revision);
  });
  return runs.join("") + (pieces.length % 2 === 0 ? mark(0) : "");
}

/** A field such as `PAGE` with the text it showed last. */
export function field(code: string, shown: string): string {
  const mark = (type: string) => `<w:r><w:fldChar w:fldCharType="${type}"/></w:r>`;
  return `${mark("begin")}<w:r><w:instrText xml:space="preserve"> ${code} </w:instrText></w:r>${mark("separate")}${run(shown)}${mark("end")}`;
}

/** A table of rows from {@link tableRow}; `widths` of its columns in twentieths of a point. */
export function table(widths: readonly number[], rows: readonly string[], properties = ""): string {
  const grid = widths.map((width) => `<w:gridCol w:w="${width}"/>`).join("");
  return `<w:tbl><w:tblPr>${properties}</w:tblPr><w:tblGrid>${grid}</w:tblGrid>${rows.join("")}</w:tbl>`;
}

/** A row of cells, each a text or the paragraphs it holds. `properties`: the elements of `w:trPr`. */
export function tableRow(cells: readonly string[], properties = ""): string {
  const inner = cells.map((cell) => `<w:tc>${cell.startsWith("<w:") ? cell : paragraph(cell)}</w:tc>`).join("");
  return `<w:tr>${properties === "" ? "" : `<w:trPr>${properties}</w:trPr>`}${inner}</w:tr>`;
}
