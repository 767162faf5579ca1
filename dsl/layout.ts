import type { IToken } from "chevrotain";
import { endsItem } from "./line-ends.ts";
import { closeUntil, mendBraces, type OpenBracket, openPayload } from "./mend-braces.ts";
import type { Reporter } from "./reporter.ts";
import { endOf, retype, spanOf } from "./token.ts";
import * as t from "./tokens.ts";
import { cutUnclosed } from "./unclosed-strings.ts";

/** How deep brackets, `if` and the like may nest: half of what the grammar's recursion has room for on the stack. */
export const maxDepth = 100;

/**
 * Makes the lexer's tokens fit for the grammar: keywords told from names, look-alikes replaced by what they stand for,
 * newlines kept only where they end an item, braces in balance (one is added or left out where it is missing or too
 * much). After it every `{` has its `}`, so the parser can always find the end of an item.
 */
export function arrange(lexed: readonly IToken[], text: string, report: Reporter): IToken[] {
  const tokens = settled(lexed, text, report);
  const brackets = matchBrackets(tokens, report);
  return brackets ? new Layout(tokens, brackets, text, report).output : [];
}

/** What has to be done about a token; 0: nothing. */
const name = 1;
const strange = 2;
const newLine = 3;
const semicolon = 4;
const opening = 5;
const closing = 6;
const openingBrace = 7;
const closingBrace = 8;

/** By the number of the token's type, which is much faster than to compare types one by one. */
const duties = new Uint8Array(1 + Math.max(...t.vocabulary.map((type) => type.tokenTypeIdx!)));
for (const [duty, types] of [
  [name, [t.Identifier]],
  [strange, [t.LookAlike, t.OtherString, t.UnclosedString, t.UnclosedComment, t.Unknown]],
  [newLine, [t.NewLine]],
  [semicolon, [t.Semicolon]],
  [opening, [t.LParen, t.LSquare]],
  [closing, [t.RParen, t.RSquare]],
  [openingBrace, [t.LCurly]],
  [closingBrace, [t.RCurly]],
] as const) {
  for (const type of types) duties[type.tokenTypeIdx!] = duty;
}

/** Every token with its type, without those that the grammar shall not see. */
function settled(lexed: readonly IToken[], text: string, report: Reporter): IToken[] {
  const tokens: IToken[] = [];
  for (let index = 0; index < lexed.length; index++) {
    const token = lexed[index]!;
    const duty = duties[token.tokenTypeIdx];
    if (duty === name) {
      const keyword = t.keywordOf(token.image);
      if (keyword) retype(token, keyword);
    } else if (duty === strange) {
      if (token.tokenType === t.UnclosedString) {
        tokens.push(token);
        for (const swallowed of settled(settleUnclosed(token, report), text, report)) tokens.push(swallowed);
        continue;
      }
      if (!settle(token, lexed[index - 1], text, report)) continue;
    }
    tokens.push(token);
  }
  return tokens;
}

/** Reports what is wrong with the token and says what is meant; false: the grammar shall not see it. */
function settle(token: IToken, before: IToken | undefined, text: string, report: Reporter): boolean {
  switch (token.tokenType) {
    case t.LookAlike:
      replaceLookAlike(token, text, report);
      return true;
    case t.OtherString:
      retype(token, t.StringLiteral);
      report.error("FLOW004", "Strings stand in straight double quotes.", spanOf(token), {
        fix: [{ span: spanOf(token), text: JSON.stringify(token.image.slice(1, -1)) }],
      });
      return true;
    case t.UnclosedComment:
      report.error(
        "FLOW007",
        "This comment is not closed.",
        { start: token.startOffset, end: token.startOffset + 2 },
        {
          hint: "Close it with `*/`; comments do not nest.",
        },
      );
      return false;
    case t.Unknown:
      report.damage.push(token.startOffset);
      if (before?.tokenType !== t.Unknown || endOf(before) !== token.startOffset) reportUnknown(token, text, report);
      return false;
    default:
      return true;
  }
}

/** Reports the string; what it had swallowed. */
function settleUnclosed(token: IToken, report: Reporter): readonly IToken[] {
  const { swallowed, fix } = cutUnclosed(token);
  report.damage.push(token.startOffset);
  report.error("FLOW002", "This string is not closed before the line ends.", spanOf(token), {
    hint: 'Close it with `"`.',
    ...(fix && { fix }),
  });
  return swallowed;
}

function replaceLookAlike(token: IToken, text: string, report: Reporter): void {
  const twin = t.twinOf(token.image);
  const word = /^[a-z]/.test(twin.text);
  const [start, end] = [token.startOffset, endOf(token)];
  const left = word && start > 0 && !/[\s(]/.test(text[start - 1]!) ? " " : "";
  const right = word && !/\s/.test(text[end] ?? " ") ? " " : "";
  retype(token, twin.type);
  report.error(
    "FLOW004",
    `Write \`${twin.text}\` for \`${token.image}\`.`,
    { start, end },
    {
      fix: [{ span: { start, end }, text: left + twin.text + right }],
    },
  );
}

function reportUnknown(token: IToken, text: string, report: Reporter): void {
  const run = /^[^\s\w"'(){}[\]→,;:=<>!+*/.-]+/u.exec(text.slice(token.startOffset, token.startOffset + 40));
  const image = run ? run[0] : token.image.slice(0, 40);
  report.error("FLOW001", `\`${visible(image)}\` means nothing here.`, {
    start: token.startOffset,
    end: token.startOffset + image.length,
  });
}

/** Control characters by their number. */
function visible(text: string): string {
  return text.replace(/[\p{C}]/gu, (sign) => `U+${sign.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`);
}

interface Brackets {
  /** Round and square ones that nothing closes. */
  readonly unclosed: ReadonlySet<IToken>;
  readonly bracesBalance: boolean;
}

/** Any of `)` `]` closes any of `(` `[`: intervals mix them. Undefined: too deep to go on. */
function matchBrackets(tokens: readonly IToken[], report: Reporter): Brackets | undefined {
  const open: IToken[] = [];
  const unclosed = new Set<IToken>();
  let bracesBalance = true;
  let payload: IToken | undefined;
  /** No round or square bracket goes on where an item ends. */
  const leaveOpen = () => {
    while (open.length > 0 && open.at(-1)!.tokenType !== t.LCurly) unclosed.add(open.pop()!);
  };
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index]!;
    switch (duties[token.tokenTypeIdx]) {
      case opening:
      case openingBrace:
        // INVARIANT: an event's fields hold no event; one `}` that lacks and one too much may make up for each other.
        if (isPayload(tokens, index)) {
          if (payload !== undefined && open.at(-1) === payload) bracesBalance = false;
          payload = token;
        }
        if (open.push(token) > maxDepth) {
          report.error("FLOW005", `Brackets nest more than ${maxDepth} deep here.`, spanOf(token));
          return undefined;
        }
        break;
      case closing:
        if (open.length > 0 && open.at(-1)!.tokenType !== t.LCurly) open.pop();
        break;
      case semicolon:
        leaveOpen();
        break;
      case closingBrace:
        leaveOpen();
        if (!open.pop()) bracesBalance = false;
    }
  }
  for (const token of open) {
    if (token.tokenType === t.LCurly) bracesBalance = false;
    else unclosed.add(token);
  }
  return { unclosed, bracesBalance };
}

/** Whether it is the `{` of `"event" { … }`, where an item begins with the string. */
function isPayload(tokens: readonly IToken[], index: number): boolean {
  if (tokens[index]!.tokenType !== t.LCurly || tokens[index - 1]?.tokenType !== t.StringLiteral) return false;
  const before = tokens[index - 2]?.tokenType;
  return before === t.NewLine || before === t.LCurly || before === t.Semicolon;
}

/** Goes once over the tokens and drops or keeps each newline, in balance with the braces. */
class Layout {
  readonly output: IToken[] = [];
  private readonly tokens: readonly IToken[];
  private readonly brackets: Brackets;
  private readonly text: string;
  private readonly report: Reporter;
  /** Open brackets; newlines count only where the innermost is a brace. */
  private readonly open: OpenBracket[] = [];
  /** Where in `output` the item begins; -1 before its first token. */
  private head = -1;

  constructor(tokens: readonly IToken[], brackets: Brackets, text: string, report: Reporter) {
    this.tokens = tokens;
    this.brackets = brackets;
    this.text = text;
    this.report = report;
    this.layOut();
  }

  private layOut(): void {
    const { tokens, output } = this;
    let ended: IToken | undefined;
    for (let index = 0; index < tokens.length; index++) {
      const token = tokens[index]!;
      const duty = duties[token.tokenTypeIdx]!;
      if (duty === newLine) {
        ended ??= token;
        continue;
      }
      if (ended || output.length === 0 || output[output.length - 1]!.tokenType === t.Semicolon) {
        if (!this.brackets.bracesBalance) this.mend(index);
        if (ended && this.inBraces && this.newLineCounts(index)) this.endItem(ended);
        ended = undefined;
      }
      if (duty > newLine) this.structure(token, duty);
      else this.put(token);
    }
    this.mendEnd();
  }

  private get inBraces(): boolean {
    const { length } = this.open;
    return length === 0 || this.open[length - 1]!.token.tokenType === t.LCurly;
  }

  private newLineCounts(next: number): boolean {
    return endsItem(this.output, this.tokens, next, this.brackets.unclosed, this.open.at(-1)?.kind);
  }

  private put(token: IToken): void {
    if (this.head < 0) this.head = this.output.length;
    this.output.push(token);
  }

  private endItem(token: IToken): void {
    this.output.push(token);
    this.head = -1;
  }

  /** What ends items, and brackets, whose count is kept. */
  private structure(token: IToken, duty: number): void {
    switch (duty) {
      case opening:
        if (!this.brackets.unclosed.has(token))
          this.open.push({ token, itemAt: this.head, head: undefined, kind: undefined });
        this.put(token);
        break;
      case closing:
        if (!this.inBraces) this.open.pop();
        this.put(token);
        break;
      case openingBrace:
        this.open.push(this.opened(token));
        this.endItem(token);
        break;
      case closingBrace:
        this.close(token);
        break;
      default:
        this.endItem(token);
    }
  }

  private close(token: IToken): void {
    if (!this.brackets.bracesBalance) openPayload(this.head, this.output, this.open, this.report);
    const opened = this.open.pop();
    if (!opened) {
      this.report.error("FLOW012", "This `}` closes nothing.", spanOf(token), {
        fix: [{ span: spanOf(token), text: "" }],
      });
      return;
    }
    this.endItem(token);
    // Within brackets the item goes on behind a record.
    if (!this.inBraces) this.head = opened.itemAt;
  }

  private opened(token: IToken): OpenBracket {
    const [head, second] = this.head < 0 ? [] : [this.output[this.head], this.output[this.head + 1]];
    return {
      token,
      itemAt: this.head,
      head,
      kind: second?.tokenType === t.K.machine ? second.tokenType : head?.tokenType,
    };
  }

  private mend(index: number): void {
    mendBraces(this.tokens, index, this.output, this.open, this.text, this.report);
  }

  private mendEnd(): void {
    closeUntil(0, this.text.length, this.output, this.open, this.report);
  }
}
