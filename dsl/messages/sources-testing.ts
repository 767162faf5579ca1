/** Reads the literals of our own sources, to find messages without a translation. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What stands where a literal has `${…}`. */
export const HOLE = "x";

/** The texts of the files of `dsl/` that make diagnostics. */
export function messageSources(...patterns: readonly string[]): readonly string[] {
  const folder = join(import.meta.dirname, "..");
  const files = patterns.flatMap((pattern) => globSync(pattern, { cwd: folder }));
  return files
    .filter((file) => !/(\.test|-testing|-fixtures?|-samples|codes|describe)\.ts$/.test(file))
    .sort()
    .map((file) => readFileSync(join(folder, file), "utf8"));
}

/** The string and template literals of a TypeScript source, with {@link HOLE} for every `${…}`. */
export function literalsOf(source: string): readonly string[] {
  const reader = new LiteralReader(source);
  reader.code("");
  return reader.found;
}

/** A reader of just so much TypeScript that literals are told from comments and regular expressions. */
class LiteralReader {
  readonly found: string[] = [];
  private readonly source: string;
  private at = 0;
  /** The last sign of the code before: a `/` after a value divides, after an operator it begins an expression. */
  private last = "";

  constructor(source: string) {
    this.source = source;
  }

  /** Up to and with `end`, or to the end of the source. */
  code(end: string): void {
    while (this.at < this.source.length) {
      const sign = this.source[this.at]!;
      if (sign === end) {
        this.at += 1;
        return;
      }
      if (this.source.startsWith("//", this.at)) this.skipTo("\n");
      else if (this.source.startsWith("/*", this.at)) this.skipTo("*/");
      else if (sign === '"' || sign === "'" || sign === "`") this.literal(sign);
      else if (sign === "/" && this.beginsExpression()) this.regularExpression();
      else if (sign === "{") {
        this.at += 1;
        this.code("}");
        this.last = ";";
      } else {
        if (sign.trim() !== "") this.last = sign;
        this.at += 1;
      }
    }
  }

  /** After `x! ` comes a division, after `!` at once a regular expression. */
  private beginsExpression(): boolean {
    const isDivided = this.last === "!" && this.source[this.at - 1] !== "!";
    return !isDivided && "(,=:[!&|?{};>".includes(this.last);
  }

  private skipTo(end: string): void {
    const found = this.source.indexOf(end, this.at);
    this.at = found < 0 ? this.source.length : found + end.length;
  }

  private literal(quote: string): void {
    let text = "";
    for (this.at += 1; this.source[this.at] !== quote; ) {
      if (this.source[this.at] === "\\") {
        text += this.source[this.at + 1];
        this.at += 2;
      } else if (quote === "`" && this.source.startsWith("${", this.at)) {
        this.at += 2;
        this.last = "{";
        this.code("}");
        text += HOLE;
      } else {
        text += this.source[this.at];
        this.at += 1;
      }
    }
    this.at += 1;
    this.last = quote;
    this.found.push(text);
  }

  private regularExpression(): void {
    let inClass = false;
    for (this.at += 1; this.source[this.at] !== "/" || inClass; this.at += 1) {
      const sign = this.source[this.at];
      if (sign === "\\") this.at += 1;
      else if (sign === "[") inClass = true;
      else if (sign === "]") inClass = false;
    }
    this.at += 1;
    this.last = "/";
  }
}
