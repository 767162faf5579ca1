import { type IToken, type TokenType, tokenMatcher } from "chevrotain";
import { beginsDeclaration, beginsSection } from "./mend-braces.ts";
import * as t from "./tokens.ts";

const { K } = t;

/**
 * Whether a newline between the end of `output` and the token at `next` ends the item. A line goes on after an operator,
 * `,`, `→`, an open bracket, and before `→`, `then`, `and`, `or`; but what can only begin an item ends the one before,
 * so that an unfinished line does not swallow the next. `block`: the first word of the block around.
 */
export function endsItem(
  output: readonly IToken[],
  tokens: readonly IToken[],
  next: number,
  unclosed: ReadonlySet<IToken>,
  block: TokenType | undefined,
): boolean {
  const before = output[output.length - 1];
  if (!before) return false;
  switch (tokens[next]!.tokenType) {
    case t.Arrow:
    case t.LCurly:
    case t.RCurly:
      return false;
    case K.then:
    case K.and:
    case K.or:
      if (!isNameAt(tokens, next, block)) return false;
  }
  return !goesOn(before, output[output.length - 2], unclosed) || beginsItem(tokens, next, before, block);
}

/** Whether a word such as `and` at the beginning of a line is a name. */
function isNameAt(tokens: readonly IToken[], at: number, block: TokenType | undefined): boolean {
  const next = tokens[at + 1]?.tokenType;
  if (afterName.has(next)) return true;
  if (block === K.ensure) return next === K.never && tokens[at + 2]?.tokenType === K.approves;
  return block === K.matrix && hasArrow(tokens, at);
}

/** What follows a name at the beginning of an item, and never a word such as `and` at the beginning of a line. */
const afterName = new Set<TokenType | undefined>([t.Colon, t.Equal, t.Arrow, t.Comma, t.RCurly, t.Question]);

const operators = new Set<TokenType>([
  ...[t.Comma, t.Arrow, t.Plus, t.Minus, t.Star, t.Slash, t.LCurly, t.Semicolon],
  ...[t.EqualEqual, t.NotEqual, t.Less, t.LessEqual, t.Greater, t.GreaterEqual],
]);
const words = new Set<TokenType>([K.then, K.and, K.or, K.not, K.in]);
/** After these a word such as `and` is a name. */
const beforeName = new Set<TokenType | undefined>([
  ...[undefined, t.NewLine, t.Semicolon, t.LCurly, t.Colon, t.Arrow, t.Comma, t.Dot, K.expect],
]);

/** Whether a line that ends with `last` is not finished. */
function goesOn(last: IToken, before: IToken | undefined, unclosed: ReadonlySet<IToken>): boolean {
  const type = last.tokenType;
  if (operators.has(type)) return true;
  if (words.has(type)) return !beforeName.has(before?.tokenType);
  return (type === t.LParen || type === t.LSquare) && !unclosed.has(last);
}

/** Whether the line that begins at `at` can only be an item of its own, however the line before it ends. */
function beginsItem(tokens: readonly IToken[], at: number, before: IToken, block: TokenType | undefined): boolean {
  const [first, second, third] = [tokens[at], tokens[at + 1], tokens[at + 2]];
  if (beginsSection(first, second, third) || beginsDeclaration(first, second, third)) return true;
  if (second?.tokenType === t.Colon) return isNameOrText(first!);
  if (first?.tokenType === K.on && third?.tokenType === t.Colon) return true;
  if (before.tokenType === t.Comma) return false;
  if (second?.tokenType === t.Equal) return tokenMatcher(first!, t.Name);
  if (block === K.matrix) return hasArrow(tokens, at);
  if (block === K.ensure && hasNeverApproves(tokens, at)) return true;
  return beginsTransition(tokens, at) || beginsWithText(first!, second) || beginsStatement(first!, second);
}

function isNameOrText(token: IToken): boolean {
  return tokenMatcher(token, t.Name) || token.tokenType === t.StringLiteral;
}

/** `A → B on`, `A, B → C on`. */
function beginsTransition(tokens: readonly IToken[], at: number): boolean {
  let from = at;
  while (tokens[from + 1]?.tokenType === t.Comma && tokenMatcher(tokens[from]!, t.Name)) from += 2;
  const trigger = tokens[from + 3]?.tokenType;
  return tokens[from + 1]?.tokenType === t.Arrow && (trigger === K.on || trigger === K.after || trigger === K.at);
}

/** `PEOPLE never approves`. */
function hasNeverApproves(tokens: readonly IToken[], from: number): boolean {
  let never = from + 1;
  while (never < tokens.length && tokens[never]!.tokenType !== K.never && !endsLine(tokens[never]!.tokenType)) never++;
  return tokens[never]?.tokenType === K.never && tokens[never + 1]?.tokenType === K.approves;
}

function endsLine(type: TokenType): boolean {
  return type === t.NewLine || type === t.Semicolon || type === t.RCurly;
}

/** A route, an event, or what a person does in a test. */
function beginsWithText(first: IToken, second: IToken | undefined): boolean {
  if (first.tokenType !== t.StringLiteral || !second) return false;
  if (second.tokenType === t.Arrow || second.tokenType === t.LCurly) return true;
  return isWordAfterNothing(second);
}

const beginners = new Set<TokenType>([
  ...[K.as, K.given, K.start, K.send, K.advance, K.expect, K.admin, K.migrate],
  ...[K.never, K.different, K.reaches, K.step, K.join],
]);

/** A word that begins an item, before what can't stand behind a name. */
function beginsStatement(first: IToken, second: IToken | undefined): boolean {
  if (!beginners.has(first.tokenType) || !second) return false;
  return second.tokenType === t.StringLiteral || second.tokenType === t.LCurly || isWordAfterNothing(second);
}

/** A name where an expression goes on with an operator or ends. */
function isWordAfterNothing(token: IToken): boolean {
  const type = token.tokenType;
  if (!tokenMatcher(token, t.Name) || tokenMatcher(token, t.BinaryOperator)) return false;
  return type !== K.is && type !== K.where && type !== K.then && type !== K.else;
}

/** Whether a `→` stands in the line. */
function hasArrow(tokens: readonly IToken[], from: number): boolean {
  for (let index = from; index < tokens.length; index++) {
    const type = tokens[index]!.tokenType;
    if (type === t.Arrow) return true;
    if (endsLine(type)) return false;
  }
  return false;
}
