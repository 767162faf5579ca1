import { XMLParser, XMLValidator } from "fast-xml-parser";

/**
 * The XML of a part as a tree whose text and attributes stay as they were written (entities undecoded), so that what is
 * not touched is written back unchanged. Comments and processing instructions are dropped.
 */
export interface Element {
  readonly name: string;
  readonly attributes: Record<string, string>;
  children: XmlNode[];
}

/** A string is text as it stands in the file: `&lt;`, not `<`. */
export type XmlNode = Element | string;

/** Deeper than Word nests tables, text boxes and content controls; keeps recursion away from the stack's end. */
const DEPTH_MAX = 200;

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: "",
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  processEntities: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  cdataPropName: "#cdata",
  maxNestedTags: DEPTH_MAX,
});

/** Characters that XML 1.0 (section 2.2) can't hold; with the `u` flag lone surrogates are among them. */
const ILLEGAL = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;
const ILLEGAL_ALL = new RegExp(ILLEGAL, "gu");
const UNKNOWN_ENTITY = /&(?!(?:lt|gt|amp|quot|apos|#\d{1,7}|#x[0-9A-Fa-f]{1,6});)/;

/** Parses one part, or says in a few words what is wrong with it. Never throws. */
export function parseXml(text: string): Element | { readonly problem: string } {
  if (/<!DOCTYPE|<!ENTITY/i.test(text)) return { problem: "it has a DOCTYPE" };
  if (ILLEGAL.test(text)) return { problem: "it has a character that XML does not allow" };
  const valid = XMLValidator.validate(text);
  if (valid !== true) return { problem: `line ${valid.err.line}: ${valid.err.msg}` };
  try {
    const nodes = (parser.parse(text) as readonly RawNode[]).map(toNode).filter((node) => typeof node !== "string");
    const [root, second] = nodes;
    if (root === undefined || second !== undefined) return { problem: "it does not have exactly one root element" };
    const entity = firstText(root, (raw) => UNKNOWN_ENTITY.test(raw));
    return entity === undefined ? root : { problem: `it has an unknown entity in \`${entity.slice(0, 40)}\`` };
  } catch (cause) {
    return { problem: cause instanceof Error ? cause.message : String(cause) };
  }
}

/** The document text of a tree, with an XML declaration. */
export function serializeXml(root: Element): string {
  const out: string[] = ['<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'];
  write(root, out);
  return out.join("");
}

/** Text as people read it. */
export function decodeXml(raw: string): string {
  if (!raw.includes("&")) return raw;
  return raw.replace(/&(?:#x([0-9A-Fa-f]+)|#(\d+)|(\w+));/g, (whole, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return NAMED.get(name) ?? whole;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return code <= 0x10ffff ? withoutIllegal(String.fromCodePoint(code)) : "";
  });
}

/** Text as it is written in a file. */
export function encodeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** The text without what XML 1.0 can't hold (control characters, lone surrogates). */
export function withoutIllegal(text: string): string {
  return text.replace(ILLEGAL_ALL, "");
}

/** An attribute as people read it. */
export function attribute(element: Element, name: string): string | undefined {
  const raw = Object.hasOwn(element.attributes, name) ? element.attributes[name] : undefined;
  return raw === undefined ? undefined : decodeXml(raw);
}

/** The child elements, text left out. */
export function elements(element: Element): readonly Element[] {
  return element.children.filter((child) => typeof child !== "string");
}

/** Every element below `element`, itself included, in document order. */
export function* descendants(element: Element): Generator<Element> {
  yield element;
  for (const child of element.children) if (typeof child !== "string") yield* descendants(child);
}

/** The name without its prefix. */
export function localName(element: Element): string {
  return element.name.slice(element.name.indexOf(":") + 1);
}

const NAMED = new Map([
  ["lt", "<"],
  ["gt", ">"],
  ["amp", "&"],
  ["quot", '"'],
  ["apos", "'"],
]);

/** The parser's shape: one key for the name, `:@` for the attributes. */
type RawNode = Readonly<Record<string, unknown>>;

function toNode(raw: RawNode): XmlNode {
  const name = Object.keys(raw).find((key) => key !== ":@") ?? "";
  if (name === "#text") return String(raw["#text"]);
  const children = raw[name] as readonly RawNode[];
  if (name === "#cdata") return encodeXml(children.map((child) => String(child["#text"])).join(""));
  return { name, attributes: (raw[":@"] ?? {}) as Record<string, string>, children: children.map(toNode) };
}

function firstText(element: Element, test: (raw: string) => boolean): string | undefined {
  for (const value of Object.values(element.attributes)) if (test(value)) return value;
  for (const child of element.children) {
    const found = typeof child === "string" ? (test(child) ? child : undefined) : firstText(child, test);
    if (found !== undefined) return found;
  }
  return undefined;
}

function write(node: XmlNode, out: string[]): void {
  if (typeof node === "string") {
    out.push(node.replaceAll("]]>", "]]&gt;"));
    return;
  }
  out.push("<", node.name);
  for (const [name, value] of Object.entries(node.attributes)) out.push(" ", name, '="', quotable(value), '"');
  if (node.children.length === 0) {
    out.push("/>");
    return;
  }
  out.push(">");
  for (const child of node.children) write(child, out);
  out.push("</", node.name, ">");
}

function quotable(raw: string): string {
  return raw.replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
