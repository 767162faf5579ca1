import { eastAsianWidth } from "get-east-asian-width";

/** Width of a text in columns: a CJK sign has two, a mark over another none. */
export function columns(text: string): number {
  let width = 0;
  for (const sign of text) width += /\p{M}/u.test(sign) ? 0 : eastAsianWidth(sign.codePointAt(0)!);
  return width;
}

/** Breaks at blanks into lines of so many columns; a longer word has a line of its own. */
export function wrap(text: string, most: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && columns(longer) > most) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}
