import type { ZipEntry } from "./zip.ts";

/** A template as it is kept: what it asks for, and its parts ready to be filled. A plain value that threads can share. */
export interface PreparedTemplate {
  readonly name: string;
  /** SHA-256 of the .docx, in hex. */
  readonly hash: string;
  /** What the commands in the parts refer to, by their number. */
  readonly slots: readonly Slot[];
  /** A small uncompressed .docx of the parts with commands in them: what is given to docx-templates. */
  readonly commands: Uint8Array;
  /** All files of the .docx in their order; those that `commands` fills say under which path it has them. */
  readonly files: readonly (ZipEntry | FilledFile)[];
}

export interface FilledFile {
  readonly path: string;
  readonly filledFrom: string;
  /** It has a table whose rows may all go: a table without rows is no valid WordprocessingML. */
  readonly mayEmptyTable: boolean;
}

/** A place where something of the data is asked for. */
export interface Slot {
  readonly kind: "text" | "list" | "condition";
  readonly name: string;
  /** Number of the `$each` slot whose item has it; absent: the document's own data. */
  readonly scope?: number;
  readonly at: Position;
}

/** A place in a template. */
export interface Position {
  /** Path in the .docx: `word/document.xml`. */
  readonly part: string;
  /** From 1, in the order of the part, paragraphs in tables and text boxes counted too. */
  readonly paragraph: number;
  /** The paragraph's text, its first 80 characters. */
  readonly text: string;
}

export type TemplateFaultCode =
  /** The file can't be taken: what it is. */
  | "not-a-docx"
  | "too-large"
  | "damaged-part"
  /** The file can't be taken: what is in it. */
  | "macros"
  | "external-content"
  | "embedded-document"
  /** A `$each`, `$if` or `$end` is not where it can work. */
  | "unclosed-block"
  | "unmatched-end"
  | "block-crosses"
  | "command-not-alone"
  | "command-with-content"
  | "command-in-text-box"
  /** A command or `${…}` that is not complete. */
  | "bad-command"
  /** The template does not fit the document's fields. */
  | "unknown-placeholder"
  | "not-a-list"
  | "not-a-condition"
  | "not-a-text";

/** What is wrong in a template. A value, never thrown. */
export interface TemplateFault {
  readonly code: TemplateFaultCode;
  /** What, where, and what to do; names stand in backticks. */
  readonly message: string;
  readonly template: string;
  /** Absent where the whole file is meant. */
  readonly at?: Position;
}

export type TextPlaceholder = { readonly kind: "text" | "condition"; readonly name: string; readonly at: Position };
export type ListPlaceholder = {
  readonly kind: "list";
  readonly name: string;
  readonly at: Position;
  readonly fields: readonly Placeholder[];
};
export type Placeholder = TextPlaceholder | ListPlaceholder;

/**
 * What a template asks for, in the order of its parts: names with their positions, loops with the fields of their items.
 * A name that stands twice is there twice.
 */
export function placeholders(template: PreparedTemplate): readonly Placeholder[] {
  return placeholdersIn(template, undefined);
}

function placeholdersIn(template: PreparedTemplate, scope: number | undefined): Placeholder[] {
  const found: Placeholder[] = [];
  for (const [number, { kind, name, at, scope: within }] of template.slots.entries()) {
    if (within !== scope) continue;
    found.push(kind === "list" ? { kind, name, at, fields: placeholdersIn(template, number) } : { kind, name, at });
  }
  return found;
}

/** `word/document.xml, paragraph 3 ("合同编号：$contractNo")`, for messages. */
export function describePosition(at: Position): string {
  return `${at.part}, paragraph ${at.paragraph} ("${at.text}")`;
}
