import type { TemplateFault } from "./template.ts";
import { attribute, descendants, type Element, localName, parseXml } from "./xml.ts";
import { readZip, unpackEntry, type ZipEntry, type ZipLimits } from "./zip.ts";

/** A .docx that was found harmless: its files, and the parsed parts that may hold placeholders. */
export interface DocxPackage {
  readonly files: readonly ZipEntry[];
  /** The main document first, then headers, footers, footnotes and endnotes by path. */
  readonly parts: readonly DocxPart[];
}

export interface DocxPart {
  readonly path: string;
  readonly root: Element;
}

type FileFault = Omit<TemplateFault, "template" | "at">;

/** Templates with a few pictures are far below these; what is above is a mistake or a zip bomb. */
const LIMITS: ZipLimits = { entriesMax: 1000, entryBytesMax: 32 * 2 ** 20, totalBytesMax: 64 * 2 ** 20 };
/** Of the parts that are parsed. */
const PART_BYTES_MAX = 8 * 2 ** 20;

const CONTENT_TYPES = "[Content_Types].xml";
const WORDPROCESSING = "application/vnd.openxmlformats-officedocument.wordprocessingml.";
const MAIN = `${WORDPROCESSING}document.main+xml`;
const FILLABLE = new Set([
  MAIN,
  ...["header", "footer", "footnotes", "endnotes"].map((kind) => `${WORDPROCESSING}${kind}+xml`),
]);
/** VBA projects, and ActiveX controls, which run code as well. */
const ACTIVE = /vbaProject|vbaData|macroEnabled|activeX/i;
/** The transitional and the strict namespace (ECMA-376 part 4 and part 1). */
const WORD_NAMESPACE =
  /^http:\/\/(schemas\.openxmlformats\.org\/wordprocessingml\/2006|purl\.oclc\.org\/ooxml\/wordprocessingml)\/main$/;

/** Opens a .docx, or says everything that keeps it from being taken. */
export function openDocx(bytes: Uint8Array): DocxPackage | { readonly faults: readonly FileFault[] } {
  const files = readZip(bytes, LIMITS);
  if ("kind" in files) {
    return { faults: [{ code: files.kind === "too-large" ? "too-large" : "not-a-docx", message: files.message }] };
  }
  const types = contentTypes(files);
  if ("code" in types) return { faults: [types] };
  const faults = [...activeContent(files, types), ...files.filter(isXml).flatMap(faultsOfXml)];
  if (faults.length > 0) return { faults };
  return readParts(files, types);
}

/** Content type by path, in lower case and without the leading slash. */
function contentTypes(files: readonly ZipEntry[]): ReadonlyMap<string, string> | FileFault {
  const file = files.find(({ path }) => path === CONTENT_TYPES);
  if (file === undefined)
    return { code: "not-a-docx", message: `the file is no .docx: it has no \`${CONTENT_TYPES}\`` };
  const root = parsePart(file);
  if ("code" in root) return root;
  const types = new Map<string, string>();
  for (const element of descendants(root)) {
    const path = attribute(element, "PartName");
    const type = attribute(element, "ContentType");
    if (path !== undefined && type !== undefined) types.set(path.replace(/^\//, "").toLowerCase(), type);
    else if (type !== undefined && ACTIVE.test(type)) types.set(`.${attribute(element, "Extension")}`, type);
  }
  return types;
}

function activeContent(files: readonly ZipEntry[], types: ReadonlyMap<string, string>): readonly FileFault[] {
  const path = files.find((file) => ACTIVE.test(file.path))?.path;
  const type = [...types].find(([, value]) => ACTIVE.test(value))?.[0];
  const found = path ?? type;
  if (found === undefined) return [];
  return [
    { code: "macros", message: `the file holds macros or active controls (\`${found}\`): save it as a plain .docx` },
  ];
}

function isXml({ path }: ZipEntry): boolean {
  return /\.(xml|rels)$/i.test(path);
}

/** Every XML file is read as text for a DOCTYPE; relationships are read in full. */
function faultsOfXml(file: ZipEntry): readonly FileFault[] {
  if (/\.rels$/i.test(file.path)) return faultsOfRelationships(file);
  const text = textOf(file);
  if (typeof text !== "string") return [text];
  if (text.includes("\0")) return [damaged(file.path, "it is not in UTF-8")];
  return /<!DOCTYPE|<!ENTITY/i.test(text) ? [damaged(file.path, "it has a DOCTYPE")] : [];
}

function faultsOfRelationships(file: ZipEntry): readonly FileFault[] {
  const root = parsePart(file);
  if ("code" in root) return [root];
  return [...descendants(root)]
    .filter((element) => localName(element) === "Relationship")
    .flatMap((element) => {
      const type = attribute(element, "Type") ?? "";
      const target = attribute(element, "Target") ?? "";
      if (/\/aFChunk$/i.test(type)) return [embedded(file.path)];
      if (/\/vbaProject$/i.test(type))
        return [{ code: "macros", message: `\`${file.path}\` names macros (\`${target}\`)` } as const];
      if (attribute(element, "TargetMode")?.toLowerCase() !== "external" || /\/hyperlink$/.test(type)) return [];
      const what = type.slice(type.lastIndexOf("/") + 1);
      const message = `\`${file.path}\` loads \`${target}\` from outside (${what}): put it into the file; only hyperlinks may lead out`;
      return [{ code: "external-content", message } as const];
    });
}

function readParts(
  files: readonly ZipEntry[],
  types: ReadonlyMap<string, string>,
): DocxPackage | { readonly faults: readonly FileFault[] } {
  const typeOf = ({ path }: ZipEntry) => types.get(path.toLowerCase()) ?? "";
  const fillable = files.filter((file) => FILLABLE.has(typeOf(file)));
  const mains = fillable.filter((file) => typeOf(file) === MAIN);
  if (mains.length !== 1) {
    const message = "the file is no .docx: it has no main document (a .dotx or .docm must be saved as .docx)";
    return { faults: [{ code: "not-a-docx", message }] };
  }
  const others = fillable.filter((file) => !mains.includes(file)).sort((a, b) => (a.path < b.path ? -1 : 1));
  const parts: DocxPart[] = [];
  const faults: FileFault[] = [];
  for (const file of [...mains, ...others]) {
    const root = parsePart(file);
    if ("code" in root) faults.push(root);
    else if (!WORD_NAMESPACE.test(attribute(root, "xmlns:w") ?? ""))
      faults.push(damaged(file.path, "its prefix `w` is not WordprocessingML"));
    else if ([...descendants(root)].some(({ name }) => name === "w:altChunk")) faults.push(embedded(file.path));
    else parts.push({ path: file.path, root });
  }
  return faults.length > 0 ? { faults } : { files, parts };
}

function parsePart(file: ZipEntry): Element | FileFault {
  if (file.bytes > PART_BYTES_MAX)
    return { code: "too-large", message: `\`${file.path}\` is larger than ${PART_BYTES_MAX} bytes` };
  const text = textOf(file);
  if (typeof text !== "string") return text;
  const root = parseXml(text);
  return "problem" in root ? damaged(file.path, root.problem) : root;
}

/** Word writes UTF-8. Another encoding would let the text checks pass what a reader then understands differently. */
function textOf(file: ZipEntry): string | FileFault {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(unpackEntry(file));
    const encoding = /^\s*<\?xml[^>]*\bencoding\s*=\s*["']([^"']*)/i.exec(text)?.[1] ?? "utf-8";
    return /^(utf-?8|us-ascii)$/i.test(encoding) ? text : damaged(file.path, `it is in ${encoding}, not in UTF-8`);
  } catch {
    return damaged(file.path, "it is not in UTF-8");
  }
}

function damaged(path: string, why: string): FileFault {
  return { code: "damaged-part", message: `\`${path}\` can't be read: ${why}` };
}

function embedded(path: string): FileFault {
  return {
    code: "embedded-document",
    message: `\`${path}\` embeds another document (altChunk), which would not be checked`,
  };
}
