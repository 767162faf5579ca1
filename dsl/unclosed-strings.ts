import type { IToken } from "chevrotain";
import type { TextEdit } from "./diagnostic.ts";
import { retype } from "./token.ts";
import * as t from "./tokens.ts";

/** What the rest of the line behind a string that is not closed was likely meant to be. */
export interface Mended {
  /** The tokens that the string had swallowed. */
  readonly swallowed: readonly IToken[];
  /** Closes the string, where it is plain what it says; then it is a string like others. */
  readonly fix?: readonly TextEdit[];
}

/** A name, which is what most strings are. */
const NAME = /^"[\p{L}\p{M}\p{N}_.-]+$/u;

/**
 * Cuts a string that is not closed before the first brace or `;`: these hold the text around it together, and seldom
 * stand in a string. Else a string that is not closed in `state machine "a {` takes the whole machine with it.
 */
export function cutUnclosed(token: IToken): Mended {
  const end = token.image.search(/[{};]/);
  // Behind an escape it is not plain where the string might have ended.
  const isPlain = end >= 0 && !token.image.includes("\\");
  const line = (isPlain ? token.image.slice(0, end) : token.image).trimEnd();
  const written = withoutBrackets(line);
  const isCut = isPlain || written !== line;
  const swallowed = isCut ? tokensOf(token.image.slice(written.length), token.startOffset + written.length) : [];
  const at = token.startOffset + written.length;
  token.image = written;
  if (!NAME.test(written)) return { swallowed };
  retype(token, t.StringLiteral);
  return { swallowed, fix: [{ span: { start: at, end: at }, text: '"' }] };
}

/** Behind a name, `)` and `]` close what was opened before the string. */
function withoutBrackets(written: string): string {
  const name = written.replace(/[)\]\s]+$/, "");
  return NAME.test(name) ? name : written;
}

function tokensOf(text: string, offset: number): readonly IToken[] {
  const { tokens } = t.lexer.tokenize(text);
  for (const token of tokens) token.startOffset += offset;
  return tokens;
}
