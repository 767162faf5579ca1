import { type IToken, type TokenType, tokenMatcher } from "chevrotain";
import { isNear } from "./spelling.ts";
import { retype } from "./token.ts";
import * as t from "./tokens.ts";

/** What may have been meant. */
export interface Repair {
  /** The token that is taken for another; without: commas that lack are taken for there. */
  readonly token?: IToken;
  readonly type?: TokenType;
  /** Whether it is believed only if it makes the item sound, and not if the parser gets further. */
  readonly whole: boolean;
}

/** Takes the token for what it may mean; the answer takes that back. */
export function carryOut({ token, type }: Repair): () => void {
  if (!token || !type) return () => {};
  const before = token.tokenType;
  retype(token, type);
  return () => retype(token, before);
}

/** The keywords that a word may have been meant for. */
export function keywordsFor(token: IToken, whole: boolean): Repair[] {
  if (!tokenMatcher(token, t.Name)) return [];
  const words = t.keywordTexts.filter((word) => word !== token.image && isNear(token.image, word));
  return words.map((word) => ({ token, type: t.keywordOf(word)!, whole }));
}

/** Whether without its quotes it would be a name. */
export function isQuotedName(token: IToken): boolean {
  return token.tokenType === t.StringLiteral && /^"[\p{L}_][\p{L}\p{M}\p{N}_]*"$/u.test(token.image);
}

/** A keyword's text. */
export function wordOf(type: TokenType): string {
  return type.name.startsWith("keyword ") ? type.name.slice(8) : type.name;
}
