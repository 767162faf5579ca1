import { createHash } from "node:crypto";
import { fillCommands, type Work } from "./commands.ts";
import { type DocxPart, openDocx } from "./docx-package.ts";
import type { FilledFile, PreparedTemplate, TemplateFault } from "./template.ts";
import { serializeXml } from "./xml.ts";
import { packEntry, writeZip } from "./zip.ts";

/** Where the filled parts stand in {@link PreparedTemplate.commands}; docx-templates looks into `word/` only. */
const MAIN_PATH = "word/document.xml";

/**
 * Opens a .docx and turns its `$` placeholders into commands that refer to {@link PreparedTemplate.slots} by number: the
 * author's text is never code. Faults are all that was found, in the order of the parts. Never throws.
 *
 * `$name` ends at the first character outside `[A-Za-z0-9_]`; `${any name}`; `$$` is a dollar sign; `$5` is text.
 * `$each list` … `$end` repeats, `$if name` … `$end` keeps or drops what lies between: table rows where each is all the
 * text of its row, else paragraphs. Within `$each`, names are fields of the item.
 */
export function prepareTemplate(
  bytes: Uint8Array,
  name: string,
): { readonly template: PreparedTemplate } | { readonly faults: readonly TemplateFault[] } {
  const opened = openDocx(bytes);
  if ("faults" in opened) return { faults: opened.faults.map((fault) => ({ ...fault, template: name })) };
  const work: Work = { template: name, slots: [], faults: [] };
  const filled = opened.parts.map((part, index) => fillPart(part, index, work)).filter((part) => part !== undefined);
  if (work.faults.length > 0) return { faults: work.faults };
  const byPath = new Map(filled.map(({ file }) => [file.path, file]));
  return {
    template: {
      name,
      hash: createHash("sha256").update(bytes).digest("hex"),
      slots: work.slots,
      commands: commandFile(filled),
      files: opened.files.map((file) => byPath.get(file.path) ?? file),
    },
  };
}

interface FilledPart {
  readonly file: FilledFile;
  readonly xml: string;
}

/** The main part is always filled, since docx-templates wants one; the others only if there is a `$` in them. */
function fillPart({ path, root }: DocxPart, index: number, work: Work): FilledPart | undefined {
  const { hasDollar, mayEmptyTable } = fillCommands(path, root, work);
  const isMain = index === 0;
  if (!isMain && !hasDollar) return undefined;
  return {
    file: { path, filledFrom: isMain ? MAIN_PATH : `word/part${index}.xml`, mayEmptyTable },
    xml: serializeXml(root),
  };
}

/** The least that docx-templates needs beside the parts: it finds the main one by its content type. */
function commandFile(parts: readonly FilledPart[]): Uint8Array {
  const types = `<?xml version="1.0" encoding="UTF-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/${MAIN_PATH}" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`;
  const entries = parts.map(({ file, xml }) => packEntry(file.filledFrom, Buffer.from(xml), 0));
  return writeZip([packEntry("[Content_Types].xml", Buffer.from(types), 0), ...entries]);
}
