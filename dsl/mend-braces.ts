import { type IToken, type TokenType, tokenMatcher } from "chevrotain";
import type { Reporter } from "./reporter.ts";
import { isNear } from "./spelling.ts";
import { endOf, spanOf } from "./token.ts";
import * as t from "./tokens.ts";

const { K } = t;

export interface OpenBracket {
  readonly token: IToken;
  /** Where the item it belongs to begins. */
  readonly itemAt: number;
  /** Of a brace: the first word of the item it belongs to, and what it says: `machine` for `state machine`. */
  readonly head: IToken | undefined;
  readonly kind: TokenType | undefined;
}

/** At the beginning of a line or behind a `;`, in a file whose braces do not balance: adds or drops `}` where what follows shows it. */
export function mendBraces(
  tokens: readonly IToken[],
  index: number,
  output: IToken[],
  open: OpenBracket[],
  text: string,
  report: Reporter,
): void {
  const [first, second, third] = [tokens[index], tokens[index + 1], tokens[index + 2]];
  const at = output.length > 0 ? endOf(output.at(-1)!) : 0;
  if (beginsDeclaration(first, second, third)) closeUntil(0, at, output, open, report);
  else if (endsList(open, first, second)) closeUntil(open.length - 1, at, output, open, report);
  else if (!beginsSection(first, second, third)) return;
  else if (open.length > 0) closeUntil(depthFor(first!, open, text), at, output, open, report);
  else if (lastBefore(output)?.tokenType === t.RCurly) reopen(output, open, report);
}

/** Whether these words can stand in no list of an event's fields, or of what a test starts with or sends, that is open. */
function endsList(open: readonly OpenBracket[], first: IToken | undefined, second: IToken | undefined): boolean {
  const [around, list] = [open.at(-2), open.at(-1)];
  if (list?.head?.tokenType === t.StringLiteral) return first?.tokenType === t.StringLiteral;
  if (around?.kind !== K.test || first?.tokenType === t.RCurly) return false;
  const isRecord = list?.head?.tokenType === K.start || list?.head?.tokenType === K.send;
  return isRecord && second?.tokenType !== t.Colon;
}

/** How many brackets stay open for a section: down to the innermost block that can hold it and is less indented. */
function depthFor(section: IToken, open: readonly OpenBracket[], text: string): number {
  const holders = holdersOf(section.tokenType);
  const indent = indentOf(section, text);
  const fitting = open.findLastIndex(
    ({ head, kind }) => head && holders.has(kind) && (indentOf(head, text) < indent || indent === 0),
  );
  return (fitting >= 0 ? fitting : open.findIndex(({ kind }) => holders.has(kind))) + 1 || 1;
}

/** Further to the right it makes no difference, so that a very long line takes no longer. */
const indentMax = 2_000;

function indentOf({ startOffset }: IToken, text: string): number {
  const before = text.slice(Math.max(0, startOffset - indentMax), startOffset);
  return before.length - (before.lastIndexOf("\n") + 1);
}

const machines: ReadonlySet<TokenType | undefined> = new Set([K.machine, K.branch]);
const parallels: ReadonlySet<TokenType | undefined> = new Set([K.parallel]);

/** The words that begin the blocks in which a section stands. */
function holdersOf(section: TokenType): ReadonlySet<TokenType | undefined> {
  return section === K.branch ? parallels : machines;
}

/** The last token but for `;`. */
function lastBefore(output: readonly IToken[]): IToken | undefined {
  return output.findLast(({ tokenType }) => tokenType !== t.Semicolon);
}

function reopen(output: IToken[], open: OpenBracket[], report: Reporter): void {
  const extra = lastBefore(output)!;
  output.length = output.lastIndexOf(extra);
  open.push({ token: { ...extra, tokenType: t.LCurly }, itemAt: -1, head: undefined, kind: K.machine });
  report.error("FLOW012", "This `}` closes the machine, but its parts go on.", spanOf(extra), {
    fix: [{ span: spanOf(extra), text: "" }],
  });
}

/** Closes what is open beyond `depth`, and reports the innermost brace. */
export function closeUntil(depth: number, at: number, output: IToken[], open: OpenBracket[], report: Reporter): void {
  const left = open.splice(depth).map(({ token }) => token);
  const braces = left.filter((token) => token.tokenType === t.LCurly);
  if (braces.length === 0) return;
  const last = output.findLast(({ image, tokenType }) => image !== "" && tokenType !== t.NewLine);
  const end = last === undefined ? at : spanOf(last).end;
  report.error("FLOW011", "This `{` is not closed.", spanOf(braces.at(-1)!), {
    hint: "Add the `}` it lacks.",
    fix: [{ span: { start: end, end }, text: "\n}".repeat(braces.length) }],
  });
  for (const _ of braces) {
    output.push({ image: "", startOffset: at, tokenType: t.RCurly, tokenTypeIdx: t.RCurly.tokenTypeIdx! });
  }
}

/**
 * Before a `}` that ends an event's fields whose `{` lacks, and would close the block of events.
 * @param item where it begins in the output; -1: the `}` ends no item.
 */
export function openPayload(item: number, output: IToken[], open: OpenBracket[], report: Reporter): void {
  const [head, second] = item < 0 ? [] : [output[item], output[item + 1]];
  const { kind } = open.at(-1) ?? {};
  // The word may be misspelt.
  if ((kind !== K.events && kind !== t.Identifier) || head?.tokenType !== t.StringLiteral) return;
  if (!second || !tokenMatcher(second, t.Name)) return;
  const { startOffset: start } = second;
  report.error("FLOW010", `Expected \`{\`, found \`${second.image}\`.`, spanOf(second), {
    fix: [{ span: { start, end: start }, text: "{ " }],
  });
  const token = { image: "", startOffset: start, tokenType: t.LCurly, tokenTypeIdx: t.LCurly.tokenTypeIdx! };
  open.push({ token, itemAt: item, head, kind: head.tokenType });
  output.splice(item + 1, 0, token);
}

/** Whether these words can only begin a declaration of the file. */
export function beginsDeclaration(first?: IToken, second?: IToken, third?: IToken): boolean {
  switch (first?.tokenType) {
    case K.state:
      return second?.tokenType === K.machine && third?.tokenType === t.StringLiteral;
    case K.document:
    case K.test:
    case K.saga:
    case K.calendar:
    case K.rollout:
    case K.use:
      return second?.tokenType === t.StringLiteral;
    case K.source:
      return third?.tokenType === t.StringLiteral;
    case K.matrix:
      return third?.tokenType === t.LParen;
    default:
      return false;
  }
}

/** Blocks of a machine, whose words may be misspelt. */
const SECTIONS = ["data", "events", "people", "transitions", "routes", "ensure"];

/** Whether these words can only begin a section of a machine, a branch or a parallel state. */
export function beginsSection(first?: IToken, second?: IToken, third?: IToken): boolean {
  switch (first?.tokenType) {
    case K.data:
    case K.events:
    case K.people:
    case K.transitions:
    case K.routes:
    case K.ensure:
      return second?.tokenType === t.LCurly;
    case K.migrate:
      return second?.tokenType === K.from;
    case K.state:
      return third?.tokenType === t.LCurly;
    case K.branch:
      return second !== undefined && tokenMatcher(second, t.Name) && goesOnAsBranch(third?.tokenType);
    case K.states:
    case K.final:
      return second?.tokenType === t.Colon && third?.tokenType === t.LSquare;
    case t.Identifier:
      return second?.tokenType === t.LCurly && SECTIONS.some((word) => isNear(first.image, word));
    default:
      return false;
  }
}

function goesOnAsBranch(third: TokenType | undefined): boolean {
  return third === t.LCurly || third === K.if || third === K.else;
}
