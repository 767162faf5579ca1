import { joinText, type Replacement, replaceText, setText, textOf } from "./paragraph.ts";
import { describePosition, type Position, type Slot, type TemplateFault, type TemplateFaultCode } from "./template.ts";
import { descendants, type Element, elements, type XmlNode } from "./xml.ts";

/**
 * Delimiters of the commands for docx-templates: Unicode noncharacters (section 23.7), which no keyboard types and no
 * text may hold. They are taken out of the author's text first, so only this module writes commands.
 */
export const COMMAND_OPEN = "\uFDD0";
export const COMMAND_CLOSE = "\uFDD1";
const DELIMITERS = /[\uFDD0\uFDD1]/g;

/** The command that inserts nothing; docx-templates keeps a paragraph, cell or row into which something was inserted. */
export const KEEP = "keep";

/** What grows while the parts of one template are filled. */
export interface Work {
  readonly template: string;
  readonly slots: Slot[];
  readonly faults: TemplateFault[];
}

/** Replaces the placeholders and block lines of one part by commands, in place. */
export function fillCommands(path: string, root: Element, work: Work): { hasDollar: boolean; mayEmptyTable: boolean } {
  const all = [...descendants(root)];
  const texts = all.filter(({ name }) => name === "w:t");
  for (const text of texts) dropDelimiters(text);
  const numbers = new Map(all.filter(({ name }) => name === "w:p").map((paragraph, index) => [paragraph, index + 1]));
  const part: PartWork = { ...work, path, numbers, blocks: 0, mayEmptyTable: false };
  const hasDollar = texts.some((text) => textOf(text).includes("$"));
  if (hasDollar) fillContainer(root, { scope: undefined, inTextBox: false }, part);
  return { hasDollar, mayEmptyTable: part.mayEmptyTable };
}

/** One part while it is walked. */
interface PartWork extends Work {
  readonly path: string;
  readonly numbers: ReadonlyMap<Element, number>;
  /** Blocks begun so far. */
  blocks: number;
  mayEmptyTable: boolean;
}

interface Place {
  /** Slot of the innermost `$each`. */
  readonly scope: number | undefined;
  readonly inTextBox: boolean;
}

type Command = { readonly kind: "each" | "if"; readonly name: string } | { readonly kind: "end" };

interface OpenBlock {
  readonly kind: "each" | "if";
  readonly slot: number;
}

// ---------------------------------------------------------------------------------------------------------------- //
// Blocks: `$each`, `$if`, `$end`
// ---------------------------------------------------------------------------------------------------------------- //

/** Elements that are not valid without a paragraph in them. */
const NEEDS_PARAGRAPH = new Set(["w:tc", "w:hdr", "w:ftr", "w:footnote", "w:endnote"]);
/** Would be lost with the line of a command. */
const CONTENT = new Set([
  "w:drawing",
  "w:pict",
  "w:object",
  "w:sectPr",
  "w:br",
  "w:fldChar",
  "w:fldSimple",
  "w:footnoteReference",
  "w:endnoteReference",
  "w:commentReference",
]);
const BOOKMARKS = new Set(["w:bookmarkStart", "w:bookmarkEnd"]);

/** Fills what is in `container`. A block begins and ends among the children of one container. */
function fillContainer(container: Element, place: Place, work: PartWork): void {
  const blocksBefore = work.blocks;
  const open: OpenBlock[] = [];
  const filled: XmlNode[] = [];
  /** The last paragraph outside blocks, with nothing after it that docx-templates might drop. */
  let lastParagraph: Element | undefined;
  let hasPlainRow = false;
  const waiting = container.children.toReversed();
  for (let child = waiting.pop(); child !== undefined; child = waiting.pop()) {
    if (typeof child === "string") {
      filled.push(child);
      continue;
    }
    if (child.name === "w:sdt" && open.length > 0) {
      // A content control in a block would be left behind as an empty shell: only what it holds is kept.
      waiting.push(
        ...elements(child)
          .filter(({ name }) => name === "w:sdtContent")
          .flatMap((inner) => inner.children)
          .toReversed(),
      );
      continue;
    }
    const inner = { ...place, scope: open.findLast(({ kind }) => kind === "each")?.slot ?? place.scope };
    const command = commandOf(child, place, work);
    if (command !== undefined) {
      const text = runCommand(command, child, inner.scope, open, work);
      if (text !== undefined) filled.push(child.name === "w:tr" ? commandRow(text) : commandParagraph(text));
      continue;
    }
    const repeats = open.some(({ kind }) => kind === "each");
    if (repeats && BOOKMARKS.has(child.name)) continue;
    if (repeats) dropIds(child);
    if (child.name === "w:p") fillParagraph(child, inner, work);
    else fillContainer(child, inner, work);
    if (child.name === "w:p") lastParagraph = open.length === 0 ? child : lastParagraph;
    else if (child.name === "w:tbl" || child.name === "w:sdt") lastParagraph = undefined;
    hasPlainRow ||= child.name === "w:tr" && open.length === 0;
    filled.push(child);
  }
  for (const { slot } of open)
    report(work, "unclosed-block", work.slots[slot]!.at, "has no `$end` in the same cell, table or text");
  if (work.blocks > blocksBefore && NEEDS_PARAGRAPH.has(container.name)) keepParagraph(filled, lastParagraph);
  if (work.blocks > blocksBefore && container.name === "w:tbl" && !hasPlainRow) work.mayEmptyTable = true;
  container.children = filled;
}

/** The command that `element` stands for: a row if it is all the text of the row, a paragraph if it is all of that. */
function commandOf(element: Element, place: Place, work: PartWork): Command | undefined {
  if (element.name !== "w:p" && element.name !== "w:tr") return undefined;
  const at = commandLine(element);
  if (at === undefined) return undefined;
  const text = joinText(at).text.trim();
  const [, kind, argument] = /^\$(each|if|end)(?:\s+([\s\S]+))?$/.exec(text) ?? [];
  if (kind === undefined || (kind === "end" && argument !== undefined)) return undefined;
  if (place.inTextBox) {
    report(
      work,
      "command-in-text-box",
      positionOf(at, work),
      "can't work in a text box: put it into the text or a table",
    );
  }
  if (kind === "end") return { kind };
  const name =
    argument === undefined
      ? undefined
      : /^(?:\$\{([^{}$]+)\}|([^{}$]+))$/.exec(argument)?.slice(1).find(Boolean)?.trim();
  if (name === undefined) report(work, "bad-command", positionOf(at, work), `needs one name: \`$${kind} name\``);
  return { kind: kind === "each" ? "each" : "if", name: name ?? "" };
}

/** The one paragraph with text of a paragraph or row, if it may be a command. */
function commandLine(element: Element): Element | undefined {
  if (element.name === "w:p") return element;
  const below = [...descendants(element)];
  if (below.some(({ name }) => name === "w:tbl" || name === "w:txbxContent")) return undefined;
  const lines = below.filter((inner) => inner.name === "w:p" && joinText(inner).text.trim() !== "");
  return lines.length === 1 ? lines[0] : undefined;
}

/** Opens or closes a block; the text of the command for docx-templates, or nothing after a fault. */
function runCommand(
  command: Command,
  element: Element,
  scope: number | undefined,
  open: OpenBlock[],
  work: PartWork,
): string | undefined {
  const at = positionOf(commandLine(element) ?? element, work);
  const lost = [...descendants(element)].find(({ name }) => CONTENT.has(name));
  if (lost !== undefined) {
    report(
      work,
      "command-with-content",
      at,
      `shares its line with something (\`${lost.name}\`) that would be lost with it`,
    );
  }
  if (command.kind === "end") {
    const block = open.pop();
    if (block === undefined) {
      report(work, "unmatched-end", at, "closes nothing: no `$each` or `$if` is open in the same cell, table or text");
      return undefined;
    }
    return `END-FOR block${block.slot}`;
  }
  const slot = addSlot({ kind: command.kind === "each" ? "list" : "condition", name: command.name, at }, scope, work);
  open.push({ kind: command.kind, slot });
  work.blocks++;
  // A condition is a loop over nothing or one thing: docx-templates' own IF refuses a second one in the same row.
  return `FOR block${slot} IN ${slot}`;
}

/**
 * docx-templates drops a cell or row in which commands but no text were found, and looks at the innermost only. Inserting
 * nothing at the end says that this one stays; where all its paragraphs may go it gets one that takes no room.
 */
function keepParagraph(children: XmlNode[], last: Element | undefined): void {
  const keep = commandRun(KEEP);
  if (last !== undefined) last.children.push(keep);
  else children.push(element("w:p", {}, [element("w:pPr", {}, [element("w:spacing", NO_SPACE, [])]), keep]));
}

const NO_SPACE = { "w:before": "0", "w:after": "0", "w:line": "20", "w:lineRule": "exact" };

/** Ids that must be unique in a document and would be repeated with a loop. docx-templates renumbers drawings itself. */
function dropIds(top: Element): void {
  for (const inner of descendants(top)) {
    delete inner.attributes["w14:paraId"];
    delete inner.attributes["w14:textId"];
    inner.children = inner.children.filter((child) => typeof child === "string" || !BOOKMARKS.has(child.name));
  }
}

// ---------------------------------------------------------------------------------------------------------------- //
// Placeholders
// ---------------------------------------------------------------------------------------------------------------- //

/** `$$`, `${any name}`, a `${` that is not closed, `$name`. */
const TOKEN = /\$\$|\$\{([^{}]*)\}|\$\{|\$([A-Za-z_][A-Za-z0-9_]*)/g;
const COMMAND_WORDS = new Set(["each", "if", "end"]);

function fillParagraph(paragraph: Element, place: Place, work: PartWork): void {
  const joined = joinText(paragraph);
  const replacements: Replacement[] = [];
  for (const match of joined.text.matchAll(TOKEN)) {
    const by = commandFor(match, () => positionOf(paragraph, work), place.scope, work);
    if (by !== undefined) replacements.push({ start: match.index, end: match.index + match[0].length, by });
  }
  replaceText(joined, replacements);
  for (const box of textBoxes(paragraph)) fillContainer(box, { ...place, inTextBox: true }, work);
}

function commandFor(
  match: RegExpExecArray,
  at: () => Position,
  scope: number | undefined,
  work: PartWork,
): string | undefined {
  const [token, braced, bare] = match;
  if (token === "$$") return "$";
  if (bare !== undefined && COMMAND_WORDS.has(bare)) {
    report(
      work,
      "command-not-alone",
      at(),
      `has \`${token}\` beside other text: it must stand alone in its paragraph or table row`,
    );
    return undefined;
  }
  const name = bare ?? braced?.trim();
  if (name === undefined || name === "") {
    report(
      work,
      "bad-command",
      at(),
      "has `$` and `{` without a name and `}` in the same paragraph; write `$$` for a dollar sign",
    );
    return undefined;
  }
  return `${COMMAND_OPEN}INS ${addSlot({ kind: "text", name, at: at() }, scope, work)}${COMMAND_CLOSE}`;
}

/** The outermost text boxes in a paragraph; Word writes each twice, for new and old readers, and both are filled. */
function* textBoxes(top: Element): Generator<Element> {
  for (const child of elements(top)) {
    if (child.name === "w:txbxContent") yield child;
    else yield* textBoxes(child);
  }
}

function addSlot(slot: Omit<Slot, "scope">, scope: number | undefined, work: PartWork): number {
  return work.slots.push(scope === undefined ? slot : { ...slot, scope }) - 1;
}

// ---------------------------------------------------------------------------------------------------------------- //
// Elements and positions
// ---------------------------------------------------------------------------------------------------------------- //

function dropDelimiters(node: Element): void {
  const text = textOf(node);
  if (text.search(DELIMITERS) >= 0) setText(node, text.replace(DELIMITERS, ""));
}

function commandRow(text: string): Element {
  return element("w:tr", {}, [element("w:tc", {}, [commandParagraph(text)])]);
}

function commandParagraph(text: string): Element {
  return element("w:p", {}, [commandRun(text)]);
}

function commandRun(text: string): Element {
  return element("w:r", {}, [element("w:t", {}, [COMMAND_OPEN + text + COMMAND_CLOSE])]);
}

function element(name: string, attributes: Record<string, string>, children: XmlNode[]): Element {
  return { name, attributes, children };
}

function positionOf(paragraph: Element, work: PartWork): Position {
  const text = joinText(paragraph).text.trim();
  return { part: work.path, paragraph: work.numbers.get(paragraph) ?? 0, text: text.slice(0, 80) };
}

function report(work: Work, code: TemplateFaultCode, at: Position, what: string): void {
  work.faults.push({ code, message: `${describePosition(at)} ${what}`, template: work.template, at });
}
