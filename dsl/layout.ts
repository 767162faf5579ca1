import type { IToken, TokenType } from "chevrotain";
import type { SyntaxCode } from "./codes.ts";
import type { Diagnostic, Span, TextEdit } from "./diagnostic.ts";
import * as t from "./tokens.ts";

/** How deep brackets, `if` and the like may nest: half of what the grammar's recursion has room for on the stack. */
export const maxDepth = 100;

/** Makes diagnostics of one file. */
export class Reporter {
  readonly diagnostics: Diagnostic[] = [];
  /** Where the lexer found something that may spoil the item around it: the parser is silent there. */
  readonly damage: number[] = [];
  readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  error(code: SyntaxCode, message: string, span: Span, more: { hint?: string; fix?: readonly TextEdit[] } = {}): void {
    this.diagnostics.push({ code, severity: "error", message, file: this.file, span, ...more });
  }
}

/** The lexer tracks beginnings only. */
export function endOf(token: IToken): number {
  return token.startOffset + token.image.length;
}

export function spanOf(token: IToken): Span {
  return { start: token.startOffset, end: endOf(token) };
}

function retype(token: IToken, type: TokenType): void {
  token.tokenType = type;
  token.tokenTypeIdx = type.tokenTypeIdx!;
}

/**
 * Makes the lexer's tokens fit for the grammar: keywords told from names, look-alikes replaced by what they stand for,
 * newlines kept only where they end an item, braces in balance (one is added or left out where it is missing or too
 * much). After it every `{` has its `}`, so the parser can always find the end of an item.
 */
export function arrange(lexed: readonly IToken[], text: string, report: Reporter): IToken[] {
  const tokens = lexed.filter((token, index) => settle(token, lexed[index - 1], text, report));
  const brackets = matchBrackets(tokens, report);
  return brackets ? layOut(tokens, brackets, text.length, report) : [];
}

/** Gives the token its type; false: the grammar shall not see it. */
function settle(token: IToken, before: IToken | undefined, text: string, report: Reporter): boolean {
  switch (token.tokenType) {
    case t.Identifier: {
      const keyword = t.keywordOf(token.image);
      if (keyword) retype(token, keyword);
      return true;
    }
    case t.LookAlike:
      replaceLookAlike(token, text, report);
      return true;
    case t.OtherString:
      retype(token, t.StringLiteral);
      report.error("FLOW004", "Strings stand in straight double quotes.", spanOf(token), {
        fix: [{ span: spanOf(token), text: JSON.stringify(token.image.slice(1, -1)) }],
      });
      return true;
    case t.UnclosedString:
      report.damage.push(token.startOffset);
      report.error("FLOW002", "This string is not closed before the line ends.", spanOf(token), {
        hint: 'Close it with `"`.',
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
  const image = run ? run[0] : token.image;
  report.error("FLOW001", `\`${image}\` means nothing here.`, {
    start: token.startOffset,
    end: token.startOffset + image.length,
  });
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
  for (const token of tokens) {
    switch (token.tokenType) {
      case t.LParen:
      case t.LSquare:
      case t.LCurly:
        if (open.push(token) > maxDepth) {
          report.error("FLOW005", `Brackets nest more than ${maxDepth} deep here.`, spanOf(token));
          return undefined;
        }
        break;
      case t.RParen:
      case t.RSquare:
        if (open.length > 0 && open.at(-1)!.tokenType !== t.LCurly) open.pop();
        break;
      case t.RCurly:
        while (open.length > 0 && open.at(-1)!.tokenType !== t.LCurly) unclosed.add(open.pop()!);
        if (!open.pop()) bracesBalance = false;
        break;
    }
  }
  for (const token of open) {
    if (token.tokenType === t.LCurly) bracesBalance = false;
    else unclosed.add(token);
  }
  return { unclosed, bracesBalance };
}

function layOut(tokens: readonly IToken[], brackets: Brackets, length: number, report: Reporter): IToken[] {
  const output: IToken[] = [];
  /** Open brackets; newlines count only where the innermost is a brace. */
  const open: IToken[] = [];
  let newLine: IToken | undefined;
  for (const [index, token] of tokens.entries()) {
    if (token.tokenType === t.NewLine) {
      newLine ??= token;
      continue;
    }
    if (!brackets.bracesBalance && (newLine || output.length === 0)) mendBraces(tokens, index, output, open, report);
    const inBraces = open.length === 0 || open.at(-1)!.tokenType === t.LCurly;
    if (newLine && inBraces && endsItem(output.at(-1), tokens, index, brackets)) output.push(newLine);
    newLine = undefined;
    switch (token.tokenType) {
      case t.LParen:
      case t.LSquare:
        if (!brackets.unclosed.has(token)) open.push(token);
        break;
      case t.LCurly:
        open.push(token);
        break;
      case t.RParen:
      case t.RSquare:
        if (!inBraces) open.pop();
        break;
      case t.RCurly:
        if (open.pop()) break;
        report.error("FLOW012", "This `}` closes nothing.", spanOf(token), {
          fix: [{ span: spanOf(token), text: "" }],
        });
        continue;
    }
    output.push(token);
  }
  closeUntil(0, length, output, open, report);
  return output;
}

/** Whether the newline between `before` and the token at `next` ends the item. */
function endsItem(before: IToken | undefined, tokens: readonly IToken[], next: number, brackets: Brackets): boolean {
  if (!before) return false;
  switch (tokens[next]!.tokenType) {
    case t.Arrow:
    case t.LCurly:
    case t.RCurly:
      return false;
    case t.K.then:
    case t.K.and:
    case t.K.or: {
      const after = tokens[next + 1]?.tokenType;
      if (after !== t.Colon && after !== t.Equal) return false;
    }
  }
  return !goesOn(before, brackets) || (before.tokenType !== t.Comma && beginsTransition(tokens, next));
}

/** `A → B on`: what an operator that lost its right side can't go on with. */
function beginsTransition(tokens: readonly IToken[], at: number): boolean {
  const trigger = tokens[at + 3]?.tokenType;
  return tokens[at + 1]?.tokenType === t.Arrow && (trigger === t.K.on || trigger === t.K.after || trigger === t.K.at);
}

const operators = new Set<TokenType>([
  ...[t.Comma, t.Arrow, t.K.then, t.K.and, t.K.or, t.K.not, t.K.in, t.Plus, t.Minus, t.Star, t.Slash],
  ...[t.EqualEqual, t.NotEqual, t.Less, t.LessEqual, t.Greater, t.GreaterEqual, t.LCurly, t.Semicolon],
]);

/** Whether a line that ends so is not finished. */
function goesOn(token: IToken, brackets: Brackets): boolean {
  if (token.tokenType === t.LParen || token.tokenType === t.LSquare) return !brackets.unclosed.has(token);
  return operators.has(token.tokenType);
}

/** At the beginning of a line, in a file whose braces do not balance: adds or drops `}` where what follows shows it. */
function mendBraces(
  tokens: readonly IToken[],
  index: number,
  output: IToken[],
  open: IToken[],
  report: Reporter,
): void {
  const [first, second, third] = [tokens[index], tokens[index + 1], tokens[index + 2]];
  const at = output.length > 0 ? endOf(output.at(-1)!) : 0;
  if (beginsDeclaration(first, second, third)) closeUntil(0, at, output, open, report);
  else if (!beginsSection(first, second, third)) return;
  else if (open.length > 1) closeUntil(1, at, output, open, report);
  else if (open.length === 0 && output.at(-1)?.tokenType === t.RCurly) {
    const extra = output.pop()!;
    open.push({ ...extra, tokenType: t.LCurly });
    report.error("FLOW012", "This `}` closes the machine, but its parts go on.", spanOf(extra), {
      fix: [{ span: spanOf(extra), text: "" }],
    });
  }
}

function closeUntil(depth: number, at: number, output: IToken[], open: IToken[], report: Reporter): void {
  const innermost = open.length > depth ? open.findLast((token) => token.tokenType === t.LCurly) : undefined;
  if (innermost) {
    report.error("FLOW011", "This `{` is not closed.", spanOf(innermost), { hint: "Add the `}` it lacks." });
  }
  while (open.length > depth) {
    if (open.pop()!.tokenType !== t.LCurly) continue;
    output.push({
      image: "",
      startOffset: at,
      tokenType: t.RCurly,
      tokenTypeIdx: t.RCurly.tokenTypeIdx!,
    });
  }
}

function beginsDeclaration(first?: IToken, second?: IToken, third?: IToken): boolean {
  switch (first?.tokenType) {
    case t.K.state:
      return second?.tokenType === t.K.machine && third?.tokenType === t.StringLiteral;
    case t.K.document:
    case t.K.test:
    case t.K.saga:
    case t.K.calendar:
    case t.K.rollout:
    case t.K.use:
      return second?.tokenType === t.StringLiteral;
    case t.K.source:
      return third?.tokenType === t.StringLiteral;
    case t.K.matrix:
      return third?.tokenType === t.LParen;
    default:
      return false;
  }
}

function beginsSection(first?: IToken, second?: IToken, third?: IToken): boolean {
  switch (first?.tokenType) {
    case t.K.data:
    case t.K.events:
    case t.K.people:
    case t.K.transitions:
    case t.K.routes:
    case t.K.ensure:
      return second?.tokenType === t.LCurly;
    case t.K.state:
      return third?.tokenType === t.LCurly;
    case t.K.states:
    case t.K.final:
      return second?.tokenType === t.Colon && third?.tokenType === t.LSquare;
    default:
      return false;
  }
}
