/** Where an offset lies, found in the text alone, so that it works in a line that is not finished. */
export interface Place {
  /** Heads of the blocks around, outermost first: `state machine "leave"`, `transitions`, `approval by manager`. */
  readonly blocks: readonly string[];
  /** What stands before the offset in its item. */
  readonly before: string;
  /** The word that ends at the offset: what is being typed. */
  readonly word: string;
  /** Inside a string or a comment. */
  readonly inside: "string" | "comment" | undefined;
}

export function placeAt(text: string, offset: number): Place {
  const blocks: string[] = [];
  let inside: Place["inside"];
  let itemStart = 0;
  let lists = 0;
  for (let at = 0; at < offset; at++) {
    const sign = text[at]!;
    if (sign === '"') {
      const end = endOfString(text, at);
      if (end >= offset) {
        inside = "string";
        break;
      }
      at = end;
    } else if (sign === "/" && (text[at + 1] === "/" || text[at + 1] === "*")) {
      const end = endOfComment(text, at);
      if (end >= offset) {
        inside = "comment";
        break;
      }
      at = end;
    } else if (sign === "{") {
      blocks.push(text.slice(itemStart, at).trim());
      itemStart = at + 1;
      lists = 0;
    } else if (sign === "}") {
      blocks.pop();
      itemStart = at + 1;
      lists = 0;
    } else if (sign === "[" || sign === "(") lists++;
    else if (sign === "]" || sign === ")") lists = Math.max(0, lists - 1);
    else if (lists === 0 && (sign === "\n" || sign === ";")) itemStart = at + 1;
  }
  const before = text.slice(itemStart, offset).trimStart();
  return { blocks, before, word: /[\p{L}\p{N}_-]*$/u.exec(before)![0], inside };
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === '"' || text[at] === "\n") return at;
  }
  return text.length;
}

function endOfComment(text: string, start: number): number {
  const isLine = text[start + 1] === "/";
  const end = isLine ? text.indexOf("\n", start) : text.indexOf("*/", start + 2);
  if (end === -1) return text.length;
  // The newline still ends the item.
  return isLine ? end - 1 : end + 1;
}
