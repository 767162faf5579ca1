import type { IOrAlt, IToken, ParserMethod } from "chevrotain";
import type { Name } from "./ast.ts";
import type { Span } from "./diagnostic.ts";
import { GatedLookahead } from "./gated-lookahead.ts";
import { maxDepth } from "./layout.ts";
import { LeanParser } from "./lean-parser.ts";
import { messages } from "./parser-messages.ts";
import { wordOf } from "./repairs.ts";
import { Reporter } from "./reporter.ts";
import { endOf, spanOf } from "./token.ts";
import * as t from "./tokens.ts";

interface Alternative<Result> {
  readonly ALT: () => Result;
  readonly GATE?: () => boolean;
  readonly IGNORE_AMBIGUITIES?: boolean;
}

/** For the recording of the grammar, when there are no tokens yet. */
const noName: Name = { text: "", quoted: false, span: { start: 0, end: 0 } };

/** Thrown to leave an item whose mistake is reported already. */
export class Abandon extends Error {}

/** What every rule of the grammar may need: its text, names, strings and places. */
export abstract class ParserBase extends LeanParser {
  protected text = "";
  protected report = new Reporter("");
  protected depth = 0;
  private readonly choices = new Map<string, IOrAlt<unknown>[]>();
  private given: unknown;
  private docs: ReadonlyMap<number, string> = new Map();
  protected tokens: readonly IToken[] = [];
  /** Of `tokens`, to which Chevrotain appends ends of the file. */
  protected tokenCount = 0;

  /** `validate`: look for ambiguities while the grammar is built; they depend on nothing but the grammar. */
  constructor(validate: boolean) {
    super(t.vocabulary, {
      maxLookahead: 1,
      recoveryEnabled: false,
      nodeLocationTracking: "none",
      skipValidations: !validate,
      errorMessageProvider: messages,
      lookaheadStrategy: new GatedLookahead({ maxLookahead: 1 }),
    });
  }

  /** Puts the parser at the beginning of a text. `docs`: doc comments by the beginning of what stands below them. */
  load(tokens: IToken[], text: string, report: Reporter, docs: ReadonlyMap<number, string>): void {
    this.tokens = tokens;
    this.tokenCount = tokens.length;
    this.input = tokens;
    this.text = text;
    this.report = report;
    this.docs = docs;
    this.depth = 0;
  }

  /** A rule of the grammar; typed by what it is assigned to. */
  protected define<Arguments extends unknown[] & { readonly length: 0 | 1 | 2 }, Result>(
    name: string,
    implementation: (...values: Arguments) => Result,
  ): ParserMethod<Arguments, Result> {
    return this.RULE(name, implementation) as ParserMethod<Arguments, Result>;
  }

  /** `OR`, typed by its alternatives. At most once per rule. */
  protected choice<Result>(alternatives: readonly Alternative<Result>[]): Result {
    return this.OR(alternatives as IOrAlt<Result>[]);
  }

  /** {@link choice} for rules without variables, whose alternatives are made once: that is many times faster. */
  protected fixedChoice<Result>(rule: string, alternatives: () => readonly Alternative<Result>[]): Result {
    let made = this.choices.get(rule);
    if (!made) {
      made = alternatives() as IOrAlt<unknown>[];
      this.choices.set(rule, made);
    }
    return this.OR(made as IOrAlt<Result>[]);
  }

  /** {@link fixedChoice} for rules that are given something; alternatives ask for it before they do anything else. */
  protected choiceWith<Given, Result>(
    rule: string,
    given: Given,
    alternatives: (given: () => Given) => readonly Alternative<Result>[],
  ): Result {
    this.given = given;
    return this.fixedChoice(rule, () => alternatives(() => this.given as Given));
  }

  protected atEnd(): boolean {
    return this.LA(1).tokenType.name === "EOF";
  }

  /** Where a token stands; the end of the one before for the end of a line, a block or the file. */
  protected place(token: IToken): Span {
    const before = this.tokens[this.indexOf(token) - 1];
    const at = before ? endOf(before) : 0;
    const isEnd = token.image === "" || token.tokenType === t.NewLine;
    const closesBelow = token.tokenType === t.RCurly && this.text.slice(at, token.startOffset).includes("\n");
    return isEnd || closesBelow ? { start: at, end: at } : spanOf(token);
  }

  /** The number of tokens for the end of the file. */
  protected indexOf(token: IToken): number {
    if (token.tokenType.name === "EOF") return this.tokenCount;
    let index = firstAtLeast(this.tokenCount, (at) => this.tokens[at]!.startOffset, token.startOffset);
    // A brace that was added where one lacked stands where its neighbour does.
    while (index < this.tokenCount && this.tokens[index] !== token) index++;
    return index;
  }

  /** Leaves the item without a further diagnostic. */
  protected abandon(): never {
    throw new Abandon();
  }

  /** Before what may contain itself; afterwards `depth` goes down again. */
  protected descend(): void {
    if (this.RECORDING_PHASE || ++this.depth <= maxDepth) return;
    this.report.error("FLOW005", `This nests more than ${maxDepth} deep.`, this.place(this.LA(1)));
    this.abandon();
  }

  protected here(): number {
    return this.LA(1).startOffset;
  }

  /** From `start` to the end of the token consumed last. */
  protected from(start: number): Span {
    return { start, end: endOf(this.LA(0)) };
  }

  protected name(token: IToken): Name {
    if (this.RECORDING_PHASE) return noName;
    const quoted = token.tokenType === t.StringLiteral;
    return { text: isBare(token) ? token.image : this.textOf(token), quoted, span: spanOf(token) };
  }

  /** A keyword, as it should have been written. */
  protected keyword(token: IToken): Name {
    return this.RECORDING_PHASE ? noName : { text: wordOf(token.tokenType), quoted: false, span: spanOf(token) };
  }

  /** The doc comment above what begins at `start`. */
  protected docAt(start: number): { readonly doc?: string } {
    const doc = this.docs.size > 0 ? this.docs.get(start) : undefined;
    return doc === undefined ? {} : { doc };
  }

  /** What a string literal says. */
  protected textOf(token: IToken): string {
    if (this.RECORDING_PHASE) return "";
    // A name where a string belongs: that is reported.
    if (isBare(token)) return token.image;
    const { image } = token;
    // A string that is not closed but taken for one has no quotes at its end.
    const raw = isQuote(image.charCodeAt(image.length - 1)) ? image.slice(1, -1) : image.slice(1);
    if (!raw.includes("\\")) return raw;
    return raw.replace(
      /\\(?:u([0-9a-fA-F]{4})|([\s\S]))/g,
      (written, hex: string | undefined, sign: string | undefined, offset: number) => {
        if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
        const plain = escapes.get(sign!);
        if (plain === undefined) {
          const start = token.startOffset + 1 + offset;
          this.report.error(
            "FLOW003",
            `\`${written}\` is no escape; JSON's are \`\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX\`.`,
            { start, end: start + written.length },
            { fix: [{ span: { start, end: start }, text: "\\" }] },
          );
        }
        return plain ?? written;
      },
    );
  }
}

/** The first index whose value is at least `least`, among values that rise. */
export function firstAtLeast(length: number, valueAt: (index: number) => number, least: number): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (valueAt(middle) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

const escapes = new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);

/** Whether it is written without quotes, whatever it was taken for. */
function isBare(token: IToken): boolean {
  return !isQuote(token.image.charCodeAt(0));
}

function isQuote(code: number): boolean {
  return code < 128 ? code === 34 || code === 39 : wideQuotes.has(code);
}

const wideQuotes = new Set(Array.from("“”„‘’", (sign) => sign.charCodeAt(0)));
