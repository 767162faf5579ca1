import { createToken, type ITokenConfig, Lexer, type TokenType } from "chevrotain";

/** The words and signs of the language. What each means where is the parser's business; here they are only told apart. */

function category(name: string, ...categories: TokenType[]): TokenType {
  return createToken({ name, label: name, pattern: Lexer.NA, categories });
}

/** Every token; all but `}`. */
export const Anything = category("anything");
export const Inside = category("anything inside the braces", Anything);

/** What ends an item: a newline that counts, or `;`. */
export const Separator = category("the end of the line", Inside);
/** A bare name. Keywords are names too: only the place makes them keywords. */
export const Name = category("a name", Inside);
export const BinaryOperator = category("an operator", Inside);
export const PrefixOperator = category("`not` or `-`", Inside);
export const Open = category("`(` or `[`", Inside);
export const Close = category("`)` or `]`", Inside);
export const Quantifier = category("`any` or `all`", Name);
export const WorkUnit = category("`workhours` or `workdays`", Name);

const signs: TokenType[] = [];

function sign(pattern: string, ...categories: TokenType[]): TokenType {
  const type = createToken({
    name: pattern,
    label: `\`${pattern}\``,
    pattern,
    categories: categories.length ? categories : [Inside],
  });
  signs.push(type);
  return type;
}

export const Arrow = createToken({ name: "→", label: "`→`", pattern: /→|->/, categories: [Inside] });
export const EqualEqual = sign("==", BinaryOperator);
export const NotEqual = sign("!=", BinaryOperator);
export const LessEqual = sign("<=", BinaryOperator);
export const GreaterEqual = sign(">=", BinaryOperator);
export const Less = sign("<", BinaryOperator);
export const Greater = sign(">", BinaryOperator);
/** Not an operator of the language, but often written for `==`. */
export const Equal = sign("=", BinaryOperator);
export const Plus = sign("+", BinaryOperator);
export const Minus = sign("-", BinaryOperator, PrefixOperator);
export const Star = sign("*", BinaryOperator);
export const Slash = sign("/", BinaryOperator);
export const DotDot = sign("..");
export const Dot = sign(".");
export const Comma = sign(",");
export const Colon = sign(":");
export const Question = sign("?");
export const LParen = sign("(", Open);
export const RParen = sign(")", Close);
export const LSquare = sign("[", Open);
export const RSquare = sign("]", Close);
export const LCurly = sign("{");
export const RCurly = sign("}", Anything);
export const Semicolon = sign(";", Separator);

function literal(name: string, pattern: RegExp, more: Partial<ITokenConfig> = {}): TokenType {
  return createToken({ name, label: name, pattern, categories: [Inside], line_breaks: false, ...more });
}

export const DateTime = literal(
  "a datetime",
  /\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?(?![A-Za-z0-9_])/,
);
export const DateOnly = literal("a date", /\d{4}-\d\d-\d\d(?![A-Za-z0-9_-])/);
export const Time = literal("a time", /\d\d:\d\d(?::\d\d)?(?![A-Za-z0-9_])/);
export const Duration = literal("a duration", /\d[\d_]*(?:\.\d+)?(?:ms|[smhdw])(?![A-Za-z0-9_])/);
export const Percent = literal("a percentage", /\d[\d_]*(?:\.\d+)?%/);
export const NumberLiteral = literal("a number", /\d[\d_]*(?:\.\d[\d_]*)?/);
export const StringLiteral = literal("a string", /"(?:[^"\\\r\n]|\\[^\r\n])*"/);

/** A string that the line's end cuts off. Reported when lexed; no rule takes it. */
export const UnclosedString = literal("a string that is not closed", /"(?:[^"\\\r\n]|\\[^\r\n])*\\?/);
/** A string in other quotes. */
export const OtherString = literal("a string in other quotes", /[“”„][^“”„"\r\n]*[“”"]|[‘’'][^‘’'\r\n]*[‘’']/);
/** Signs of other languages and of Chinese input methods; {@link twinOf} says what is meant. */
export const LookAlike = literal(
  "a look-alike",
  /[=＝－—–][>＞]|-＞|[⇒➔⟶]|&&|＆＆|\|\||｜｜|[=＝]＝|＝=|[!！]＝|！=|[>＞]＝|＞=|[<＜]＝|＜=|[，、：；（）［］【】｛｝＝＞＜！？＋－＊／≤≥≠]|!(?!=)/,
);
export const NewLine = createToken({
  name: "newline",
  label: "the end of the line",
  pattern: /[\r\n]\s*/,
  line_breaks: true,
  categories: [Separator],
});
const Space = createToken({ name: "space", pattern: /[ \t\f\v]+/, group: Lexer.SKIPPED, line_breaks: false });
/** Apart, because blanks of ASCII alone are skipped much faster. */
const WideSpace = createToken({
  name: "a blank of other scripts",
  pattern: /[\u00a0\u3000\ufeff]+/,
  group: Lexer.SKIPPED,
  line_breaks: false,
});
export const DocComment = literal("a comment", /\/\/\/[^\r\n]*/, { group: "comments" });
export const LineComment = literal("a comment", /\/\/[^\r\n]*/, { group: "comments" });
export const BlockComment = literal("a comment", /\/\*[\s\S]*?\*\//, { group: "comments", line_breaks: true });
export const UnclosedComment = literal("a comment that is not closed", /\/\*[\s\S]*/, { line_breaks: true });

/**
 * Character codes from `from` on that stand for all: the lexer's table of first characters has one place for each of the
 * first 256, and one for every 64 of the others.
 */
function codesFrom(from: number): number[] {
  const single = Array.from({ length: 256 - from }, (_, index) => from + index);
  return [...single, ...Array.from({ length: 65_280 / 64 }, (_, index) => 256 + index * 64)];
}

const letter = /^\p{L}$/u;
const letterOrMark = /^[\p{L}\p{M}\p{N}]$/u;

const letterCode = 1;
const digitCode = 2;
/** What the signs of ASCII are in a name: letters, digits, or 0. */
const asciiParts = Uint8Array.from({ length: 128 }, (_, code) => {
  if ((code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95) return letterCode;
  return code >= 48 && code <= 57 ? digitCode : 0;
});

/** The length of the letter or digit at `at`, 0 if there is none. */
function partOfName(text: string, at: number, first: boolean): number {
  const code = text.charCodeAt(at);
  if (code < 128) return asciiParts[code] === letterCode || (!first && asciiParts[code] === digitCode) ? 1 : 0;
  if (Number.isNaN(code)) return 0;
  const character = String.fromCodePoint(text.codePointAt(at)!);
  return (first ? letter : letterOrMark).test(character) ? character.length : 0;
}

/** The lexer takes what is in it at once. */
const matched: [string] = [""];

/** Letters of any script; `-` only between letters or digits. */
function matchName(text: string, offset: number): [string] | null {
  let end = offset + partOfName(text, offset, true);
  if (end === offset) return null;
  for (;;) {
    const code = text.charCodeAt(end);
    if (code < 128 && asciiParts[code] !== 0) {
      end++;
      continue;
    }
    let length = code < 128 ? 0 : partOfName(text, end, false);
    if (code === 45 && text.charCodeAt(end - 1) !== 95 && text.charCodeAt(end + 1) !== 95) {
      length = partOfName(text, end + 1, false);
      if (length > 0) length += 1;
    }
    if (length === 0) {
      matched[0] = text.slice(offset, end);
      return matched;
    }
    end += length;
  }
}

export const Identifier = createToken({
  name: "a name as such",
  label: "a name",
  pattern: matchName,
  start_chars_hint: [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_", ...codesFrom(128)],
  line_breaks: false,
  categories: [Name],
});

/** The sign at `offset`, as often as it stands there. */
function matchSign(text: string, offset: number): [string] {
  const code = text.charCodeAt(offset);
  let end = offset + 1;
  while (text.charCodeAt(end) === code) end++;
  return [text.slice(offset, end)];
}

/** Whatever else stands there. */
export const Unknown = createToken({
  name: "an unexpected character",
  pattern: matchSign,
  start_chars_hint: codesFrom(0),
  line_breaks: false,
  categories: [Inside],
});

const keywordTypes = new Map<string, TokenType>();

function keywords<const Word extends string>(words: readonly Word[], ...categories: TokenType[]) {
  const types = words.map((word) => {
    const type = createToken({ name: `keyword ${word}`, label: `\`${word}\``, pattern: Lexer.NA, categories });
    keywordTypes.set(word, type);
    return [word, type] as const;
  });
  return Object.fromEntries(types) as Record<Word, TokenType>;
}

/** Keywords by their text. */
export const K = {
  ...keywords(["and", "or", "in"], Name, BinaryOperator),
  ...keywords(["not"], Name, PrefixOperator),
  ...keywords(["any", "all"], Quantifier),
  ...keywords(["workhours", "workdays"], WorkUnit),
  ...keywords(
    // biome-ignore format: a table of words
    [
      "use", "state", "machine", "document", "source", "test", "of", "title", "label", "currency", "data", "events",
      "people", "initial", "states", "final", "transitions", "routes", "ensure", "migrate", "from", "by", "then", "else",
      "if", "on", "after", "at", "secret", "signed", "one", "list", "true", "false", "is", "set", "where", "level", "up",
      "to", "top", "top-down", "service", "start", "template", "fallback", "when", "starts", "control", "table",
      "calendar", "timezone", "hours", "weekend", "holidays", "matrix", "saga", "step", "undo", "retry", "backoff",
      "jitter", "timeout", "onStuck", "rollout", "parallel", "branch", "join", "run", "flow", "with", "revocable", "for",
      "never", "without", "different", "reaches", "within",
      "approval", "handle", "auto", "sequence", "quorum", "weight", "veto", "reject", "rest", "due", "per", "stage",
      "remind", "every", "most", "times", "overdue", "repeat", "onEmpty", "hold", "skip", "assign", "onSelf", "repeated",
      "allow", "onReturn", "maxReturns", "edit", "reopens", "hide", "abstain", "collect", "reason", "required", "sign",
      "approve", "escalate", "transfer",
      "as", "org", "tags", "given", "users", "away", "deputy", "left", "handover", "yes", "no", "fails", "takes", "key",
      "send", "approves", "rejects", "abstains", "claims", "releases", "withdraws", "back", "handles", "returns",
      "transfers", "delegates", "adds", "before", "beside", "advisory", "removes", "urges", "comments", "asks", "because",
      "setting", "signing", "behalf", "id", "initiator", "admin", "suspends", "resumes", "voids", "jumps", "overrides",
      "sets", "hands", "over", "advance", "expect", "waiting", "nobody", "group", "emitted", "called", "undone",
      "notified", "rendered", "containing", "refused", "escalated", "reminded", "round", "seat", "history", "nothing",
      "open",
    ],
    Name,
  ),
};

/** The keywords, for guessing which of them a misspelt word meant. */
export const keywordTexts: readonly string[] = [...keywordTypes.keys()];

/** The same by length and first letter: to compare a name with a few words takes less than to hash it. */
const keywordsAlike: (readonly [word: string, type: TokenType])[][] = [];
for (const keyword of keywordTypes) {
  const place = likenessOf(keyword[0]);
  keywordsAlike[place] = [...(keywordsAlike[place] ?? []), keyword];
}
for (let place = 0; place < keywordsAlike.length; place++) keywordsAlike[place] ??= [];

function likenessOf(word: string): number {
  return word.length * 32 + (word.charCodeAt(0) & 31);
}

/** The keyword's type for a name's text. */
export function keywordOf(text: string): TokenType | undefined {
  const place = likenessOf(text);
  if (place >= keywordsAlike.length) return undefined;
  const alike = keywordsAlike[place]!;
  for (let index = 0; index < alike.length; index++) if (alike[index]![0] === text) return alike[index]![1];
  return undefined;
}

const asciiOf = new Map(
  [..."，、：；（）［］【】｛｝＝＞＜！？＋－＊／＆｜—–"].map((wide, index) => [
    wide,
    ",,:;()[][]{}=><!?+-*/&|--"[index]!,
  ]),
);
const foreign = new Map([
  ["=>", "→"],
  ["->", "→"],
  ["⇒", "→"],
  ["➔", "→"],
  ["⟶", "→"],
  ["≤", "<="],
  ["≥", ">="],
  ["≠", "!="],
  ["&&", "and"],
  ["||", "or"],
  ["!", "not"],
]);

/** What a look-alike stands for: its text in the language, and the type. */
export function twinOf(image: string): { readonly text: string; readonly type: TokenType } {
  const ascii = Array.from(image, (character) => asciiOf.get(character) ?? character).join("");
  const text = foreign.get(ascii) ?? ascii;
  const type = text === "→" ? Arrow : (keywordTypes.get(text) ?? signs.find((one) => one.PATTERN === text));
  if (!type) throw new Error(`no twin for ${image}`);
  return { text, type };
}

/** In the order in which the lexer tries them: the first that matches wins. */
const lexed = [
  NewLine, Space, WideSpace, DocComment, LineComment, BlockComment, UnclosedComment, DateTime, DateOnly, Time, Duration, Percent,
  NumberLiteral, StringLiteral, UnclosedString, OtherString, LookAlike, Arrow, ...signs, Identifier, Unknown,
]; // biome-ignore format: a table

export const lexer = new Lexer(lexed, { ensureOptimizations: true, positionTracking: "onlyOffset" });

/** Every type the grammar may name. */
export const vocabulary: TokenType[] = [
  ...[Anything, Inside, Separator, Name, BinaryOperator, PrefixOperator, Open, Close],
  ...[Quantifier, WorkUnit],
  ...lexed,
  ...keywordTypes.values(),
];
