import {
  EmbeddedActionsParser,
  type IOrAlt,
  type IParserErrorMessageProvider,
  type IRecognitionException,
  type IToken,
  isRecognitionException,
  type ParserMethod,
  type TokenType,
  tokenMatcher,
} from "chevrotain";
import type { Name } from "./ast.ts";
import type { Span } from "./diagnostic.ts";
import { endOf, maxDepth, Reporter, spanOf } from "./layout.ts";
import * as t from "./tokens.ts";

/** What the items of a block are, for messages and for guessing what a misspelt word meant. */
export interface Items {
  readonly expected: string;
  readonly heads: readonly TokenType[];
}

/** What stands where a choice failed, by rule. */
const expectations: Readonly<Record<string, string>> = {
  trigger: "`on`, `after` or `at`",
  primary: "a value",
  operation: "a value",
  bound: "a value or `..`",
  listType: "`of` and a type, or `{`",
  word: "a name or a string",
  transition: "a state",
  type: "a type",
  people: "people",
  mode: "`any`, `all`, `sequence` or `quorum`",
  threshold: "a number, a ratio or a percentage",
  overdueStep: "`remind`, `escalate to`, `transfer to`, `approve` or `reject`",
  onEmpty: "`hold`, `skip`, `reject` or `assign`",
  routeTarget: 'a service name such as `"audit-service"`, or `service(..)`',
  sourceValue: 'a property, `control("..")` or `table("..")`',
  verb: "what the person does, such as `approves`",
  literal: "a value",
  fact: "a fact, such as `=`, `fails` or `takes`",
  expectation: "what is expected",
  duration: "a duration, such as `48h`",
  statement: "a statement",
};

function found(token: IToken): string {
  if (token.image === "" || tokenMatcher(token, t.NewLine)) return "the end";
  return `\`${token.image.length > 30 ? `${token.image.slice(0, 30)}…` : token.image}\``;
}

const messages: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected, actual }) => `Expected ${expected.LABEL}, found ${found(actual)}.`,
  buildNotAllInputParsedMessage: ({ firstRedundant }) => `Expected the end, found ${found(firstRedundant)}.`,
  buildNoViableAltMessage: ({ actual, ruleName }) =>
    `Expected ${expectations[ruleName] ?? "something else"}, found ${found(actual[0]!)}.`,
  buildEarlyExitMessage: ({ actual, ruleName }) =>
    `Expected ${expectations[ruleName] ?? "something else"}, found ${found(actual[0]!)}.`,
};

interface Alternative<Result> {
  readonly ALT: () => Result;
  readonly GATE?: () => boolean;
  readonly IGNORE_AMBIGUITIES?: boolean;
}

/** For the recording of the grammar, when there are no tokens yet. */
const noName: Name = { text: "", quoted: false, span: { start: 0, end: 0 } };

/** Thrown to leave an item whose mistake is reported already. */
class Abandon extends Error {}

/**
 * How mistakes are handled, apart from the grammar. Every block is a list of items; an item that does not parse is
 * reported once and skipped to its end, which is sure because braces balance (see `arrange`). Valid text pays nothing.
 */
export abstract class ParserBase extends EmbeddedActionsParser {
  protected text = "";
  protected report = new Reporter("");
  protected depth = 0;

  /** `validate`: look for ambiguities while the grammar is built; they depend on nothing but the grammar. */
  constructor(validate: boolean) {
    super(t.vocabulary, {
      maxLookahead: 1,
      recoveryEnabled: false,
      nodeLocationTracking: "none",
      skipValidations: !validate,
      errorMessageProvider: messages,
    });
  }

  /** Puts the parser at the beginning of a text. */
  load(tokens: IToken[], text: string, report: Reporter): void {
    this.input = tokens;
    this.text = text;
    this.report = report;
    this.depth = 0;
  }

  /** A rule of the grammar; typed by what it is assigned to. */
  protected define<Arguments extends unknown[], Result>(
    name: string,
    implementation: (...values: Arguments) => Result,
  ): ParserMethod<Arguments, Result> {
    return this.RULE(name, implementation) as ParserMethod<Arguments, Result>;
  }

  /** `OR`, typed by its alternatives. At most once per rule. */
  protected choice<Result>(alternatives: readonly Alternative<Result>[]): Result {
    return this.OR(alternatives as IOrAlt<Result>[]);
  }

  /** `{ … }` of items separated by newlines or `;`. At most once per rule. */
  protected block(items: Items, item: () => void): void {
    this.CONSUME(t.LCurly);
    this.MANY(() => this.OR(this.itemChoices(items, item)));
    this.CONSUME(t.RCurly);
  }

  protected itemChoices(items: Items, item: () => void): { ALT: () => void; IGNORE_AMBIGUITIES?: boolean }[] {
    return [
      { ALT: () => void this.CONSUME(t.Separator), IGNORE_AMBIGUITIES: true },
      { ALT: () => this.item(item), IGNORE_AMBIGUITIES: true },
      { ALT: () => this.strayItem(items, item) },
    ];
  }

  /** Parses one item; where that fails, reports it and goes to its end, `atComma` too. */
  protected item(parse: () => void, atComma = false): void {
    const start = this.LA(1);
    const depth = this.depth;
    try {
      parse();
      if (this.RECORDING_PHASE || this.atItemEnd()) return;
      this.unexpected(start, "the end of the line");
    } catch (problem) {
      if (isMismatch(problem)) this.mismatch(start, problem.message, problem.token);
      else if (!(problem instanceof Abandon)) throw problem;
    }
    this.depth = depth;
    this.skipItem(start, atComma);
  }

  /** The list `item` would fill, filled only if the whole item is sound. */
  protected collect<T>(list: T[], parse: () => T | undefined): () => void {
    return () => {
      const value = parse();
      if (value !== undefined && !this.RECORDING_PHASE && this.atItemEnd()) list.push(value);
    };
  }

  protected strayItem(items: Items, item: () => void, atComma = false): void {
    const token = this.LA(1);
    if (!this.RECORDING_PHASE && this.respell(items.heads)) {
      this.item(item, atComma);
      return;
    }
    this.CONSUME(t.Inside);
    this.ACTION(() => {
      this.mismatch(token, `Expected ${items.expected}, found ${found(token)}.`, token);
      this.skipItem(token, atComma);
    });
  }

  /** If the next word is nearly one of `heads`, takes it for that and says so. */
  protected respell(heads: readonly TokenType[]): boolean {
    const token = this.LA(1);
    if (token.tokenType !== t.Identifier) return false;
    const meant = heads.find((head) => isNear(token.image, wordOf(head)));
    if (!meant) return false;
    const word = wordOf(meant);
    this.report.error(
      "FLOW013",
      `\`${token.image}\` is not a word of the language here; did you mean \`${word}\`?`,
      spanOf(token),
      {
        fix: [{ span: spanOf(token), text: word }],
      },
    );
    token.tokenType = meant;
    token.tokenTypeIdx = meant.tokenTypeIdx!;
    return true;
  }

  protected atItemEnd(): boolean {
    const next = this.LA(1);
    return (
      tokenMatcher(next, t.Separator) ||
      next.tokenType === t.Comma ||
      next.tokenType === t.RCurly ||
      this.atEnd() ||
      this.LA(0).tokenType === t.RCurly
    );
  }

  protected atEnd(): boolean {
    return this.LA(1).tokenType.name === "EOF";
  }

  private unexpected(start: IToken, expected: string): void {
    this.mismatch(start, `Expected ${expected}, found ${found(this.LA(1))}.`, this.LA(1));
  }

  /** Reports a mistake in the item that begins at `start`, unless the lexer already did. */
  private mismatch(start: IToken, message: string, token: IToken): void {
    const from = start.startOffset;
    const span = this.place(token);
    const to = Math.max(span.end, this.endOfItem(start));
    const damage = firstAtLeast(this.report.damage.length, (index) => this.report.damage[index]!, from);
    if (damage < this.report.damage.length && this.report.damage[damage]! <= to) return;
    this.report.error("FLOW010", message, span);
  }

  /** Where a token stands; the end of the one before for the end of a line, a block or the file. */
  private place(token: IToken): Span {
    if (token.image !== "" && token.tokenType !== t.NewLine) return spanOf(token);
    const before = this.LA(0);
    const at = before.tokenType.name === "EOF" ? 0 : endOf(before);
    return { start: at, end: at };
  }

  /** The index in `input` of the first token after the item. */
  private indexAfterItem(start: IToken, atComma = false): number {
    let depth = 0;
    let index = indexOf(this.input, start);
    for (; index < this.input.length; index++) {
      const type = this.input[index]!.tokenType;
      if (type === t.LCurly) depth++;
      else if (type === t.RCurly && --depth < 0) return index;
      else if (depth === 0 && (type === t.NewLine || type === t.Semicolon || (atComma && type === t.Comma)))
        return index;
    }
    return index;
  }

  private endOfItem(start: IToken): number {
    const last = this.input[this.indexAfterItem(start) - 1];
    return last ? endOf(last) : start.startOffset;
  }

  protected skipItem(start: IToken, atComma = false): void {
    const end = this.input[this.indexAfterItem(start, atComma)];
    while (!this.atEnd() && this.LA(1) !== end) this.SKIP_TOKEN();
  }

  /** Reports a construct that the language has and this version refuses. */
  protected leaveOut(what: string, span: Span): void {
    this.report.error("FLOW900", `${what} is part of the language, but this version does not run it yet.`, span);
  }

  /** Refuses the item that began with `start` and goes to its end. */
  protected leaveOutItem(what: string, start: IToken): void {
    if (this.RECORDING_PHASE) return;
    this.leaveOut(what, spanOf(start));
    this.skipItem(start);
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
    return { text: quoted ? this.textOf(token) : token.image, quoted, span: spanOf(token) };
  }

  /** What a string literal says. */
  protected textOf(token: IToken): string {
    if (this.RECORDING_PHASE) return "";
    const raw = token.image.slice(1, -1);
    if (!raw.includes("\\")) return raw;
    return raw.replace(
      /\\(?:u([0-9a-fA-F]{4})|([\s\S]))/g,
      (written, hex: string | undefined, sign: string | undefined) => {
        if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
        const plain = escapes.get(sign!);
        if (plain === undefined) {
          this.report.error(
            "FLOW003",
            `\`${written}\` is no escape; JSON's are \`\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX\`.`,
            spanOf(token),
          );
        }
        return plain ?? written;
      },
    );
  }
}

/** The first index whose value is at least `least`, among values that rise. */
function firstAtLeast(length: number, valueAt: (index: number) => number, least: number): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (valueAt(middle) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

function indexOf(tokens: readonly IToken[], token: IToken): number {
  let index = firstAtLeast(tokens.length, (at) => tokens[at]!.startOffset, token.startOffset);
  // A brace that was added where one lacked stands where its neighbour does.
  while (index < tokens.length && tokens[index] !== token) index++;
  return index;
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

function isMismatch(problem: unknown): problem is IRecognitionException {
  return problem instanceof Error && isRecognitionException(problem);
}

function wordOf(type: TokenType): string {
  return type.name.replace("keyword ", "");
}

/** One letter wrong, missing, too much, or two swapped; two such for long words. */
function isNear(written: string, meant: string): boolean {
  if (Math.abs(written.length - meant.length) > 2 || meant.length < 2 || written.length < 2) return false;
  return distance(written.toLowerCase(), meant.toLowerCase()) <= (meant.length > 6 ? 2 : 1);
}

function distance(a: string, b: string): number {
  let [before, row]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const plain = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
      next.push(swapped ? Math.min(plain, before[j - 2]! + 1) : plain);
    }
    [before, row] = [row, next];
  }
  return row[b.length]!;
}
