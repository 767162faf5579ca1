import { decodeXml, type Element, encodeXml } from "./xml.ts";

/**
 * The text of a paragraph joined over its runs. Word splits what was typed in one go into several runs (spell check,
 * revision ids, fonts), so `$name` is found in the joined text and then written into the run that has the `$`.
 */
export interface JoinedText {
  readonly text: string;
  readonly pieces: readonly Piece[];
}

/** A `w:t` and where its text stands in the joined text. */
interface Piece {
  readonly node: Element;
  readonly start: number;
  readonly end: number;
}

export interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly by: string;
}

/** Not text of this paragraph: properties, deleted or moved-away text, field codes, and nested text boxes. */
const SKIPPED = new Set(["w:pPr", "w:rPr", "w:del", "w:moveFrom", "w:instrText", "w:txbxContent", "w:sdtPr", "w:rt"]);
/** What stands between two texts as a character of its own: a name does not run across it. */
const SEPARATORS = new Map([
  ["w:tab", "\t"],
  ["w:noBreakHyphen", "\u2011"],
  ["w:br", "\n"],
  ["w:cr", "\n"],
  ["w:ptab", "\t"],
  ["w:sym", "\uFFFC"],
  ["w:fldChar", "\uFFFC"],
  ["w:drawing", "\uFFFC"],
  ["w:pict", "\uFFFC"],
  ["w:object", "\uFFFC"],
  ["w:footnoteReference", "\uFFFC"],
  ["w:endnoteReference", "\uFFFC"],
  ["mc:AlternateContent", "\uFFFC"],
]);

/** Joins the texts of `paragraph`; paragraphs of text boxes inside it are paragraphs of their own. */
export function joinText(paragraph: Element): JoinedText {
  const pieces: Piece[] = [];
  let text = "";
  const visit = (element: Element): void => {
    for (const child of element.children) {
      if (typeof child === "string" || SKIPPED.has(child.name)) continue;
      if (child.name === "w:t") {
        const start = text.length;
        text += textOf(child);
        pieces.push({ node: child, start, end: text.length });
      } else {
        const separator = SEPARATORS.get(child.name);
        if (separator === undefined) visit(child);
        else text += separator;
      }
    }
  };
  visit(paragraph);
  return { text, pieces };
}

/**
 * Writes the replacements, which are in order and don't overlap: each into the run where it starts; the other runs lose
 * what was theirs of it. Runs keep their formatting.
 */
export function replaceText({ text, pieces }: JoinedText, replacements: readonly Replacement[]): void {
  if (replacements.length === 0) return;
  for (const piece of pieces) {
    let out = "";
    let at = piece.start;
    for (const { start, end, by } of replacements) {
      if (end <= piece.start || start >= piece.end) continue;
      if (start >= piece.start) out += text.slice(at, start) + by;
      at = Math.min(end, piece.end);
    }
    setText(piece.node, out + text.slice(at, piece.end));
  }
}

/** The text of a `w:t`. */
export function textOf(node: Element): string {
  return decodeXml(node.children.filter((child) => typeof child === "string").join(""));
}

export function setText(node: Element, text: string): void {
  node.children = [encodeXml(text)];
}
