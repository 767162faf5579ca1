import {
  type IRecognitionException,
  type IToken,
  isRecognitionException,
  type TokenType,
  tokenMatcher,
} from "chevrotain";
import type { Diagnostic } from "./diagnostic.ts";
import { Abandon, firstAtLeast, ParserBase } from "./parser-base.ts";
import { found, hintFor } from "./parser-messages.ts";
import { carryOut, isQuotedName, keywordsFor, type Repair, wordOf } from "./repairs.ts";
import type { Reporter } from "./reporter.ts";
import { isNear } from "./spelling.ts";
import { endOf, retype, spanOf } from "./token.ts";
import * as t from "./tokens.ts";

/** What the items of a block are, for messages and for guessing what a misspelt word meant. */
export interface Items {
  readonly expected: string;
  readonly heads: readonly TokenType[];
  /** In a block with commas: an item may be a name and no more, so that a name alone shows a comma that lacks. */
  readonly bare?: boolean;
}

/** Why an item did not parse; without a token: it has been said. */
interface Failure {
  readonly message: string;
  readonly hint?: string | undefined;
  readonly token?: IToken;
}

interface Trial {
  readonly repair: Repair;
  readonly failure: Failure | undefined;
  /** What was reported within the item. */
  readonly heard: readonly Diagnostic[];
}

/** What Chevrotain has for its own backtracking, and does not declare. */
interface Seekable {
  exportLexerState(): number;
  importLexerState(index: number): void;
}

/** How many mistakes in one item are mended, how far into it, and how often in one file something is tried. */
const repairsMax = 3;
const repairedTokensMax = 2_000;
const trialsMax = 10_000;

/**
 * How mistakes are handled, apart from the grammar. Every block is a list of items; an item that does not parse is
 * tried again with what a misspelt word may have meant; if that fails too it is reported once and skipped to its end,
 * which is sure because braces balance (see `arrange`). Valid text pays nothing.
 */
export abstract class ItemParser extends ParserBase {
  /** Whether a comma may lack in the item at hand; it is reported. */
  private lenient = false;
  /** Whether that comma may lack before the next item too: what the items are. */
  private endsBefore: Items | undefined;
  private trials = 0;

  override load(tokens: IToken[], text: string, report: Reporter, docs: ReadonlyMap<number, string>): void {
    super.load(tokens, text, report, docs);
    this.trials = 0;
  }

  /** `{ … }` of items separated by newlines or `;`. At most once per rule. */
  protected block(items: Items, item: () => void): void {
    const choices = this.itemChoices(items, item);
    this.CONSUME(t.LCurly);
    this.skipSeparators();
    this.MANY(() => {
      this.OR(choices);
      this.skipSeparators();
    });
    this.CONSUME(t.RCurly);
  }

  /** What the grammar would take one by one. `commas`: they separate too. */
  private skipSeparators(commas = false): void {
    if (this.RECORDING_PHASE) return;
    for (;;) {
      const type = this.LA(1).tokenType;
      if (type !== t.NewLine && type !== t.Semicolon && !(commas && type === t.Comma)) return;
      this.SKIP_TOKEN();
    }
  }

  protected itemChoices(items: Items, item: () => void): { ALT: () => void; IGNORE_AMBIGUITIES?: boolean }[] {
    return [
      { ALT: () => void this.CONSUME(t.Separator), IGNORE_AMBIGUITIES: true },
      { ALT: () => this.item(item), IGNORE_AMBIGUITIES: true },
      { ALT: () => this.strayItem(items, item) },
    ];
  }

  /** A block whose items end at commas too. At most once per rule, and not beside `block`. */
  protected commaBlock<T>(items: Items, list: T[], parse: () => T): void {
    const item = this.collect(list, parse);
    const choices = [
      { ALT: () => void this.CONSUME8(t.Separator), IGNORE_AMBIGUITIES: true },
      { ALT: () => void this.CONSUME8(t.Comma), IGNORE_AMBIGUITIES: true },
      { ALT: () => this.item(item, items), IGNORE_AMBIGUITIES: true },
      { ALT: () => this.strayItem(items, item, true) },
    ];
    this.CONSUME8(t.LCurly);
    this.skipSeparators(true);
    this.MANY8(() => {
      this.OR8(choices);
      this.skipSeparators(true);
    });
    this.CONSUME8(t.RCurly);
  }

  /** After an element of a list: a comma, unless `close` follows. */
  protected comma(close: TokenType): void {
    if (this.RECORDING_PHASE) {
      this.OPTION9(() => this.CONSUME9(t.Comma));
      return;
    }
    const next = this.LA(1);
    if (next.tokenType === t.Comma) this.SKIP_TOKEN();
    else if (next.tokenType === close) return;
    else if (this.lenient && beginsElement(next)) this.commaLacks();
    else this.CONSUME(close);
  }

  private commaLacks(): void {
    const at = endOf(this.LA(0));
    const span = { start: at, end: at };
    this.report.error("FLOW019", "A `,` lacks here.", span, { fix: [{ span, text: "," }] });
  }

  // -------------------------------------------------------------------------------------------------------------- //
  // Items and what is wrong with them
  // -------------------------------------------------------------------------------------------------------------- //

  /** Parses one item; where that fails, reports it and goes to its end. `atComma`: what the items are, if they end there too. */
  protected item(parse: () => void, atComma?: Items): void {
    if (this.RECORDING_PHASE) {
      parse();
      return;
    }
    const start = this.LA(1);
    const said = this.report.diagnostics.length;
    if (this.report.isFull) {
      this.skipItem(start, atComma !== undefined);
      return;
    }
    const failure = this.attempt(parse);
    if (failure) this.mend(start, said, failure, parse, atComma);
  }

  /** Parses an item; what came of it, unless it is sound. */
  private attempt(parse: () => void, lenient = false, atComma?: Items): Failure | undefined {
    const { depth, lenient: lenientBefore, endsBefore, ruleState } = this;
    this.lenient = lenient;
    this.endsBefore = lenient ? atComma : undefined;
    try {
      parse();
      if (this.atItemEnd()) return undefined;
      return { token: this.LA(1), message: `Expected the end of the line, found ${found(this.LA(1))}.` };
    } catch (problem) {
      if (problem instanceof Abandon) return { message: "" };
      if (!isMismatch(problem)) throw problem;
      return { token: problem.token, message: problem.message, hint: hintFor(this.ruleName) };
    } finally {
      this.depth = depth;
      this.ruleState = ruleState;
      this.lenient = lenientBefore;
      this.endsBefore = endsBefore;
    }
  }

  /** Tries the item again with what may have been meant; where nothing helps, reports the failure and skips the item. */
  private mend(start: IToken, said: number, failure: Failure, parse: () => void, atComma: Items | undefined): void {
    const repairs: Repair[] = [];
    const again = (repair: Repair): Trial => {
      this.rewind(start);
      this.report.diagnostics.length = said;
      const lenient = !repair.token || repairs.some(({ token }) => !token);
      const failed = this.attempt(parse, lenient, atComma);
      return { repair, failure: failed, heard: this.report.diagnostics.slice(said) };
    };
    let last: Failure | undefined = failure;
    let heard: readonly Diagnostic[] = this.report.diagnostics.slice(said);
    while (last?.token && repairs.length < repairsMax && this.isWorthRepair(start, last.token)) {
      const better = this.firstThatHelps(this.repairsOf(start, last.token), last.token, again);
      if (!better) break;
      ({ failure: last, heard } = better);
      repairs.push(better.repair);
    }
    this.report.diagnostics.length = said;
    this.report.diagnostics.push(...heard);
    for (const repair of repairs) this.reportRepair(repair);
    if (!last) {
      if (!this.atItemEnd()) this.commaLacks();
      return;
    }
    if (last.token) this.mismatch(start, last, last.token);
    this.rewind(start);
    this.skipItem(start, atComma !== undefined);
  }

  /** The repair that makes the item sound, else the one after which the parser gets furthest; it is carried out. */
  private firstThatHelps(
    repairs: readonly Repair[],
    failed: IToken,
    again: (repair: Repair) => Trial,
  ): Trial | undefined {
    let best: Trial | undefined;
    let furthest = placeOf(failed);
    for (const repair of repairs) {
      const undo = carryOut(repair);
      const trial = again(repair);
      if (!trial.failure) return trial;
      const { token } = trial.failure;
      if (token && !repair.whole && placeOf(token) > furthest) [best, furthest] = [trial, placeOf(token)];
      undo();
    }
    if (best) carryOut(best.repair);
    return best;
  }

  private isWorthRepair(start: IToken, failed: IToken): boolean {
    if (this.isSpoilt(start, failed)) return false;
    return this.indexOf(failed) - this.indexOf(start) <= repairedTokensMax;
  }

  private repairsOf(start: IToken, failed: IToken): Repair[] {
    const before = this.tokens[this.indexOf(failed) - 1];
    const repairs = keywordsFor(failed, false);
    // A word that is none of the language's is more likely the wrong one than a keyword behind it.
    if (before?.tokenType === t.Identifier) {
      const others = keywordsFor(before, false);
      if (failed.tokenType === t.Identifier) repairs.push(...others);
      else repairs.unshift(...others);
    }
    if (start !== failed && start !== before) repairs.push(...keywordsFor(start, true));
    // Behind a `}` the item may be over.
    if (tokenMatcher(failed, t.Name) && before?.tokenType !== t.RCurly)
      repairs.push({ token: failed, type: t.StringLiteral, whole: true });
    else if (isQuotedName(failed)) repairs.push({ token: failed, type: t.Identifier, whole: true });
    repairs.push({ whole: true });
    this.trials += repairs.length;
    return this.trials > trialsMax ? [] : repairs;
  }

  private reportRepair({ token, type }: Repair): void {
    if (!token || !type) return;
    const span = spanOf(token);
    if (type === t.StringLiteral) {
      const text = JSON.stringify(token.image);
      this.report.error("FLOW020", `\`${token.image}\` stands in quotes here.`, span, { fix: [{ span, text }] });
    } else if (type === t.Identifier) {
      const text = this.textOf(token);
      this.report.error("FLOW020", `\`${text}\` stands without quotes here.`, span, { fix: [{ span, text }] });
    } else this.misspelt(token, wordOf(type));
  }

  private misspelt(token: IToken, word: string): void {
    const message = `\`${token.image}\` is not a word of the language here; did you mean \`${word}\`?`;
    this.report.error("FLOW013", message, spanOf(token), { fix: [{ span: spanOf(token), text: word }] });
  }

  /** The list `item` would fill, filled only if the whole item is sound. */
  protected collect<T>(list: T[], parse: () => T | undefined): () => void {
    return () => {
      const value = parse();
      if (value !== undefined && !this.RECORDING_PHASE && this.atItemEnd()) list.push(value);
    };
  }

  private strayItem(items: Items, item: () => void, atComma = false): void {
    const token = this.LA(1);
    if (!this.RECORDING_PHASE && !this.report.isFull && this.respell(items.heads)) {
      this.item(item, atComma ? items : undefined);
      return;
    }
    this.CONSUME(t.Inside);
    this.ACTION(() => {
      if (token.tokenType === t.Comma) {
        this.commaEndsNoItem(token);
        return;
      }
      this.mismatch(token, { message: `Expected ${items.expected}, found ${found(token)}.` }, token);
      this.skipItem(token, atComma);
    });
  }

  /** Items of a block end at the line or at `;`: a comma between them is taken for that. */
  private commaEndsNoItem(token: IToken): void {
    const span = spanOf(token);
    const next = this.LA(1);
    const endsHere = [t.NewLine, t.Semicolon, t.RCurly].includes(next.tokenType) || this.atEnd();
    const isLast = endsHere || this.text.slice(span.end, next.startOffset).includes("\n");
    const message = isLast
      ? `Leave out the \`${token.image}\`: an item of a block ends with its line.`
      : `Write \`;\` for \`${token.image}\`: it stands between items of a block.`;
    const fix = [{ span, text: isLast ? "" : ";" }];
    // One that is full-width has been reported as such.
    if (token.image === ",") this.report.error("FLOW004", message, span, { fix });
    else this.report.restate(span, message, fix);
  }

  /** If the next word is nearly one of `heads`, takes it for that and says so. */
  private respell(heads: readonly TokenType[]): boolean {
    const token = this.LA(1);
    if (!tokenMatcher(token, t.Name)) return false;
    const meant = heads.find((head) => isNear(token.image, wordOf(head)));
    if (!meant) return false;
    this.misspelt(token, wordOf(meant));
    retype(token, meant);
    return true;
  }

  protected atItemEnd(): boolean {
    const next = this.LA(1).tokenType;
    if (next === t.NewLine || next === t.RCurly || next === t.Comma || next === t.Semicolon) return true;
    return this.LA(0).tokenType === t.RCurly || this.atEnd() || this.atNextItem();
  }

  /** Whether only a comma lacks before the next item. */
  private atNextItem(): boolean {
    if (!this.endsBefore) return false;
    const next = this.LA(2).tokenType;
    if (!beginsElement(this.LA(1))) return false;
    return this.endsBefore.bare || next === t.Colon || next === t.Equal;
  }

  /** Reports a mistake in the item that begins at `start`, unless the lexer already did. */
  private mismatch(start: IToken, { message, hint }: Failure, token: IToken): void {
    if (this.isSpoilt(start, token)) return;
    this.report.error("FLOW010", message, this.place(token), hint === undefined ? {} : { hint });
  }

  /** Whether the lexer has said what is wrong with the item; within a block it is not the head's mistake. */
  private isSpoilt(start: IToken, token: IToken): boolean {
    const { damage } = this.report;
    if (damage.length === 0) return false;
    const { end } = this.place(token);
    const head = this.endOfHead(start);
    const to = end <= head ? head : Math.max(end, this.endOfItem(start));
    const first = firstAtLeast(damage.length, (index) => damage[index]!, start.startOffset);
    return first < damage.length && damage[first]! <= to;
  }

  /** Where the item's first block begins, or it ends. */
  private endOfHead(start: IToken): number {
    for (let index = this.indexOf(start); index < this.tokenCount; index++) {
      const { tokenType, startOffset } = this.tokens[index]!;
      if (tokenType === t.LCurly || tokenType === t.NewLine || tokenType === t.Semicolon) return startOffset;
    }
    return this.endOfItem(start);
  }

  private rewind(start: IToken): void {
    (this as unknown as Seekable).importLexerState(this.indexOf(start) - 1);
  }

  /** The index of the first token after the item. */
  private indexAfterItem(start: IToken, atComma = false): number {
    let braces = 0;
    let brackets = 0;
    let index = this.indexOf(start);
    for (; index < this.tokenCount; index++) {
      const type = this.tokens[index]!.tokenType;
      if (type === t.LCurly) braces++;
      else if (type === t.RCurly && --braces < 0) return index;
      if (braces > 0) continue;
      if (type === t.NewLine || type === t.Semicolon) return index;
      if (type === t.LParen || type === t.LSquare) brackets++;
      else if (type === t.RParen || type === t.RSquare) brackets--;
      else if (atComma && type === t.Comma && (brackets <= 0 || this.beginsField(index + 1))) return index;
    }
    return index;
  }

  /** Whether `NAME:` stands there, which is in no bracket. */
  private beginsField(index: number): boolean {
    return this.tokens[index + 1]?.tokenType === t.Colon;
  }

  private endOfItem(start: IToken): number {
    const last = this.tokens[this.indexAfterItem(start) - 1];
    return last ? endOf(last) : start.startOffset;
  }

  protected skipItem(start: IToken, atComma = false): void {
    const end = this.tokens[this.indexAfterItem(start, atComma)];
    while (!this.atEnd() && this.LA(1) !== end) this.SKIP_TOKEN();
    this.report.lost.push(this.from(start.startOffset));
  }
}

function placeOf(token: IToken): number {
  return token.tokenType.name === "EOF" ? Number.POSITIVE_INFINITY : token.startOffset;
}

function isMismatch(problem: unknown): problem is IRecognitionException {
  return problem instanceof Error && isRecognitionException(problem);
}

/** What can stand in a list without more before it than a comma. */
function beginsElement(token: IToken): boolean {
  return tokenMatcher(token, t.Name) || elements.has(token.tokenType);
}

const elements = new Set<TokenType>([
  ...[t.StringLiteral, t.NumberLiteral, t.Percent, t.DateOnly, t.DateTime, t.Time, t.Duration],
]);
