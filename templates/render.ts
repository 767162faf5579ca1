import { createHash, randomUUID } from "node:crypto";
import { createReport } from "docx-templates";
import { COMMAND_CLOSE, COMMAND_OPEN, KEEP } from "./commands.ts";
import { describePosition, type PreparedTemplate, type Slot } from "./template.ts";
import { withoutIllegal } from "./xml.ts";
import { packEntry, readZip, unpackEntry, writeZip, type ZipEntry } from "./zip.ts";

/** What fills a template, by name: texts as they are to be read, booleans for `$if`, lists of records for `$each`. */
export interface TemplateData {
  readonly [name: string]: string | boolean | readonly TemplateData[];
}

export type Rendering = RenderedDocument | RenderFailure;

export interface RenderedDocument {
  readonly kind: "rendered";
  /** The .docx; the same template and data give the same bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Of `bytes`, in hex. */
  readonly sha256: string;
  /** Of the main part's XML, in hex: what was agreed on, whatever the container. */
  readonly contentSha256: string;
}

export interface RenderFailure {
  readonly kind: "failed";
  /** `wrong-data`: a value is missing or of the wrong kind. The others come from the renderer that runs it. */
  readonly code: "wrong-data" | "render-failed" | "too-slow" | "out-of-memory" | "busy" | "closed";
  readonly message: string;
}

/** Steps of docx-templates through one part; a contract of 20 rows takes some 5,000. */
const STEPS_MAX = 2_000_000;
const RENDERED_LIMITS = { entriesMax: 1000, entryBytesMax: 256 * 2 ** 20, totalBytesMax: 512 * 2 ** 20 };
/**
 * Between two of these docx-templates writes raw XML, which is how breaks get into a text. Random, so that no value can
 * hold it; it never reaches the document.
 */
export const LITERAL_XML = `[xml-${randomUUID()}]`;

/** Fills `template` with `data`. Values are text: nothing in them is a command, a placeholder or XML. */
export async function renderTemplate(template: PreparedTemplate, data: TemplateData): Promise<Rendering> {
  try {
    const filled = await createReport({
      template: template.commands,
      data: {}, // Values are found by slot, below: spread into the sandbox a name could shadow docx-templates' own.
      cmdDelimiter: [COMMAND_OPEN, COMMAND_CLOSE],
      literalXmlDelimiter: LITERAL_XML,
      runJs: ({ sandbox, ctx }) => ({
        modifiedSandbox: NO_SANDBOX,
        result: evaluate(String(sandbox.__code__), template, data, ctx.vars),
      }),
      rejectNullish: true,
      failFast: false,
      indentXml: false,
      processLineBreaksAsNewText: true,
      maximumWalkingDepth: STEPS_MAX,
      compressionLevel: 0,
    });
    return assemble(template, filled);
  } catch (cause) {
    return failureOf(cause);
  }
}

const NO_SANDBOX = { __code__: undefined, __result__: undefined };

/** Evaluates a command, which is {@link KEEP} or the number of a slot: there is no code to run. */
function evaluate(
  code: string,
  template: PreparedTemplate,
  data: TemplateData,
  items: Readonly<Record<string, unknown>>,
): unknown {
  if (code === KEEP) return "";
  const slot = template.slots[Number(code)]!;
  const owner = slot.scope === undefined ? data : (items[`block${slot.scope}`] as TemplateData);
  const value = Object.hasOwn(owner, slot.name) ? owner[slot.name] : undefined;
  if (value === undefined) throw wrong(slot, "has no value");
  switch (slot.kind) {
    case "text":
      return textOf(value, slot);
    case "list":
      if (!Array.isArray(value)) throw wrong(slot, "is no list");
      return value;
    case "condition":
      if (typeof value !== "boolean") throw wrong(slot, "is neither true nor false");
      return value ? [true] : [];
  }
}

function textOf(value: TemplateData[string], slot: Slot): string {
  if (typeof value === "boolean") return value ? "是" : "否";
  if (typeof value !== "string") throw wrong(slot, "is a list, not a text");
  return withoutIllegal(value.replaceAll(/\r\n?/g, "\n")).replaceAll(LITERAL_XML, "").replaceAll("\t", TAB);
}

const TAB = ["</w:t>", "<w:tab/>", '<w:t xml:space="preserve">'].map((xml) => LITERAL_XML + xml + LITERAL_XML).join("");

class WrongData extends Error {}

function wrong(slot: Slot, what: string): WrongData {
  return new WrongData(`\`${slot.name}\` in ${describePosition(slot.at)} ${what}`);
}

/** docx-templates throws an array of its own errors, each with ours as `err`. */
function failureOf(cause: unknown): RenderFailure {
  const causes = (Array.isArray(cause) ? cause : [cause]).map((one) => (hasInner(one) ? one.err : one));
  const wrongs = causes.filter((one) => one instanceof WrongData);
  const messages = (wrongs.length > 0 ? wrongs : causes).map((one) =>
    one instanceof Error ? one.message : String(one),
  );
  return {
    kind: "failed",
    code: wrongs.length > 0 ? "wrong-data" : "render-failed",
    message: [...new Set(messages)].join("; "),
  };
}

function hasInner(value: unknown): value is { readonly err: unknown } {
  return typeof value === "object" && value !== null && "err" in value;
}

/** Puts the filled parts back among the files that are not touched. */
function assemble(template: PreparedTemplate, filled: Uint8Array): Rendering {
  const parts = readZip(filled, RENDERED_LIMITS);
  if ("kind" in parts) return { kind: "failed", code: "render-failed", message: parts.message };
  const byPath = new Map(parts.map((part) => [part.path, part]));
  let contentSha256 = "";
  const entries = template.files.map((file): ZipEntry => {
    if ("packed" in file) return file;
    const xml = unpackEntry(byPath.get(file.filledFrom)!);
    const bytes = file.mayEmptyTable ? withoutEmptyTables(xml) : xml;
    if (file.filledFrom === "word/document.xml") contentSha256 = sha256(bytes);
    return packEntry(file.path, bytes);
  });
  const bytes = writeZip(entries);
  return { kind: "rendered", bytes, sha256: sha256(bytes), contentSha256 };
}

/** Tables from which every row has gone; they hold nothing else but properties. */
function withoutEmptyTables(xml: Uint8Array): Uint8Array {
  const text = Buffer.from(xml.buffer, xml.byteOffset, xml.byteLength).toString("utf8");
  return Buffer.from(text.replaceAll(/<w:tbl>(?:(?!<w:tr[ >/]|<w:tbl>|<\/w:tbl>)[\s\S])*<\/w:tbl>/g, ""));
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
