import { type IToken, type TokenType, tokenMatcher } from "chevrotain";
import type { Diagnostic } from "./diagnostic.ts";
import { columnsOfMatrix } from "./format-matrix.ts";
import { type Comment, read } from "./parse.ts";
import * as t from "./tokens.ts";

const { K } = t;

export type Formatted = { readonly text: string } | { readonly diagnostics: readonly Diagnostic[] };

/**
 * The one layout: two spaces per level, `→`, one item per line, matrices in columns. Comments and single blank lines
 * stay, and so does a line break inside an item. A text with syntax errors is not touched.
 */
export function format(text: string): Formatted {
  const { diagnostics, tokens, comments } = read(text, "");
  const wrong = diagnostics.filter((one) => one.severity === "error");
  if (wrong.length > 0) return { diagnostics: wrong };
  return { text: new Printer(elementsOf(text, tokens, comments)).print() };
}

/** A token or comment on its way to the paper. */
export interface Element {
  readonly text: string;
  readonly token?: IToken;
  readonly comment?: Comment["kind"];
  /** Line breaks between it and what stands before it in the source. */
  readonly breaks: number;
  /** An item ended before it. */
  readonly startsItem: boolean;
}

type Piece = { readonly start: number; readonly end: number } & ({ token: IToken } | { comment: Comment });

function elementsOf(text: string, tokens: readonly IToken[], comments: readonly Comment[]): Element[] {
  const pieces: Piece[] = [
    ...tokens.map((token) => ({ start: token.startOffset, end: token.startOffset + token.image.length, token })),
    ...comments.map((comment) => ({ ...comment.span, comment })),
  ].sort((a, b) => a.start - b.start);
  const elements: Element[] = [];
  let startsItem = true;
  let end = 0;
  for (const [index, piece] of pieces.entries()) {
    if ("token" in piece && (piece.token.tokenType === t.NewLine || piece.token.tokenType === t.Semicolon)) {
      startsItem = true;
      if (piece.token.tokenType === t.Semicolon) end = piece.end;
      continue;
    }
    const breaks = text.slice(end, piece.start).match(/\r\n?|\n/g)?.length ?? 0;
    if ("token" in piece) {
      const { token } = piece;
      elements.push({ text: token.tokenType === t.Arrow ? "→" : token.image, token, breaks, startsItem });
      startsItem = false;
    } else {
      const { kind, text: written } = piece.comment;
      startsItem ||= endsBlock(pieces, index);
      elements.push({ text: written.replace(/\r\n?/g, "\n").trimEnd(), comment: kind, breaks, startsItem });
    }
    end = piece.end;
  }
  return elements.filter((element, index) => !isIdleComma(element, elements[index + 1]));
}

/** A comma behind the last element of a list on one line. */
function isIdleComma(element: Element, next: Element | undefined): boolean {
  return element.token?.tokenType === t.Comma && next?.breaks === 0 && closing.has(next.token?.tokenType);
}

/** Whether only comments follow `index` before a block or the file ends, where no newline is kept. */
function endsBlock(pieces: readonly Piece[], index: number): boolean {
  let next = index + 1;
  while (next < pieces.length && "comment" in pieces[next]!) next++;
  const piece = pieces[next];
  return !piece || ("token" in piece && piece.token.tokenType === t.RCurly);
}

/** What a block of items belongs to, as far as its own blocks depend on it. */
type Block = "machine" | "state" | "parallel" | "matrix" | "items";

/** An open bracket. `list`: `{ a, b }` with commas. It and the blocks take several lines unless inline. */
interface Bracket {
  readonly kind: "round" | "list" | Block;
  readonly inline: boolean;
  /** Whether a line was broken since it was opened, which indents what it holds. */
  indents: boolean;
  /** The first word of the item around it. */
  readonly head: IToken | undefined;
}

class Printer {
  private readonly elements: readonly Element[];
  private readonly open: Bracket[] = [];
  private readonly out: string[] = [];
  private atItemStart = true;
  /** The first words of the current item, to tell a block's brace from a list's. */
  private head: IToken | undefined;
  private closedBlock = false;
  /** Of the token printed last. */
  private last: TokenType | undefined;
  /** Spaces before an element in a row of a matrix. */
  private columns: ReadonlyMap<number, number> = new Map();

  constructor(elements: readonly Element[]) {
    this.elements = elements;
  }

  print(): string {
    for (const [index, element] of this.elements.entries()) {
      const before = this.elements[index - 1];
      this.separate(before, element, index);
      this.out.push(element.text);
      this.closedBlock = false;
      if (element.token) this.track(element.token, index);
    }
    return this.out.length > 0 ? `${this.out.join("")}\n` : "";
  }

  private get innermost(): Bracket | undefined {
    return this.open.at(-1);
  }

  private separate(before: Element | undefined, element: Element, index: number): void {
    if (!before) return;
    const closes = element.token?.tokenType === t.RCurly;
    if (this.breaksBefore(before, element)) {
      if (this.isBehindElement()) this.atItemStart = true;
      this.breakLine(this.opensBlock(index - 1), element, closes);
    } else this.out.push(this.spaces(before, element, index));
  }

  private spaces(before: Element, element: Element, index: number): string {
    const column = this.columns.get(index);
    if (column !== undefined) return " ".repeat(column);
    return this.spaced(before, element, index) ? " " : "";
  }

  private breaksBefore(before: Element, element: Element): boolean {
    if (before.comment === "line" || before.comment === "doc") return true;
    if (element.comment) return element.breaks > 0;
    if (before.comment && element.startsItem && element.breaks === 0) return this.trailing(before);
    const type = element.token!.tokenType;
    const within = this.innermost;
    if (type === t.RCurly) return !within?.inline && before.token?.tokenType !== t.LCurly;
    if (before.token?.tokenType === t.LCurly) return !within?.inline;
    if (this.closedBlock) {
      this.atItemStart = true;
      return true;
    }
    if (element.startsItem) return true;
    if (before.token && this.isBehindElement()) return true;
    return element.breaks > 0 && type !== t.LCurly && type !== t.Comma && !within?.inline;
  }

  /** Whether the last token is the comma behind an element of a list that takes several lines. */
  private isBehindElement(): boolean {
    const within = this.innermost;
    return this.last === t.Comma && within?.kind === "list" && !within.inline;
  }

  /** Whether a comment stands behind something on its line. */
  private trailing(comment: Element): boolean {
    return comment.breaks === 0 && comment !== this.elements[0];
  }

  private breakLine(first: boolean, element: Element, closes: boolean): void {
    if (element.startsItem) this.atItemStart = true;
    for (const bracket of this.open) bracket.indents = true;
    const type = element.token?.tokenType;
    const closesRound = (type === t.RParen || type === t.RSquare) && this.innermost?.kind === "round";
    const depth = this.depth() - (closes || closesRound ? 1 : 0);
    const goesOn = !this.atItemStart && !closes && this.innermost?.kind !== "round" ? 1 : 0;
    const blank = this.atItemStart && element.breaks > 1 && !closes && !first;
    this.out.push(blank ? "\n\n" : "\n", "  ".repeat(Math.max(0, depth) + goesOn));
  }

  /** Whether the element is a `{`, or a comment behind one. */
  private opensBlock(index: number): boolean {
    const element = this.elements[index];
    if (element?.comment && element.breaks === 0) return this.opensBlock(index - 1);
    return element?.token?.tokenType === t.LCurly;
  }

  private depth(): number {
    return this.open.filter((bracket) => bracket.indents).length;
  }

  private track(token: IToken, index: number): void {
    if (this.atItemStart) this.head = token;
    this.last = token.tokenType;
    this.atItemStart = false;
    switch (token.tokenType) {
      case t.LParen:
      case t.LSquare:
        this.open.push({ kind: "round", inline: false, indents: false, head: this.head });
        break;
      case t.RParen:
      case t.RSquare:
        this.open.pop();
        break;
      case t.LCurly: {
        const kind = this.blockAt() ?? "list";
        this.open.push({ kind, inline: kind === "list" && this.onOneLine(index), indents: false, head: this.head });
        if (kind === "matrix") this.columns = columnsOfMatrix(this.elements, index, this.spaced.bind(this));
        this.atItemStart = true;
        break;
      }
      case t.RCurly: {
        const closed = this.open.pop();
        this.closedBlock = closed !== undefined && closed.kind !== "round" && closed.kind !== "list";
        this.head = closed?.head;
        break;
      }
    }
  }

  /** What the brace of the item at hand begins; undefined: a list. */
  private blockAt(): Block | undefined {
    const head = this.head?.tokenType;
    switch (this.innermost?.kind) {
      case undefined:
        return head === K.state ? "machine" : head === K.matrix ? "matrix" : "items";
      case "machine":
        return head === K.state ? "state" : sections.has(head) ? "items" : undefined;
      case "state":
        return head === K.parallel ? "parallel" : approvals.has(head) ? "items" : undefined;
      case "parallel":
        return "machine";
      default:
        return undefined;
    }
  }

  /** Whether the source has no newline, `;` or line comment between the brace and its partner. */
  private onOneLine(index: number): boolean {
    let depth = 0;
    for (let at = index; at < this.elements.length; at++) {
      const { token, breaks, startsItem, comment } = this.elements[at]!;
      if (at > index && (breaks > 0 || (startsItem && token) || comment === "line" || comment === "doc")) return false;
      if (token?.tokenType === t.LCurly) depth++;
      else if (token?.tokenType === t.RCurly && --depth === 0) return true;
    }
    return false;
  }

  private spaced(before: Element, element: Element, index: number): boolean {
    if (!before.token) return !element.token || !tightBefore.has(element.token.tokenType);
    if (!element.token) return !tightAfter.has(before.token.tokenType);
    const [left, right] = [before.token.tokenType, element.token.tokenType];
    if (left === t.LCurly && right === t.RCurly) return false;
    if (tightAfter.has(left) || tightBefore.has(right)) return false;
    if (right === t.LParen) return !isName(before.token) || spacedWords.has(left);
    if (left === t.Minus) return !this.isPrefix(index - 1);
    if (left === t.Slash) return !this.isRatio(index - 1);
    if (right === t.Slash) return !this.isRatio(index);
    return true;
  }

  /** Whether the `-` at `index` negates what follows. */
  private isPrefix(index: number): boolean {
    const left = this.elements[index - 1]?.token;
    if (!left) return true;
    if (isName(left)) return spacedWords.has(left.tokenType);
    return !values.has(left.tokenType);
  }

  private isRatio(index: number): boolean {
    const [left, right] = [this.elements[index - 1]?.token, this.elements[index + 1]?.token];
    return left?.tokenType === t.NumberLiteral && right?.tokenType === t.NumberLiteral;
  }
}

const sections = new Set<TokenType | undefined>([
  ...[K.data, K.events, K.people, K.transitions, K.routes, K.ensure, K.migrate],
]);
const approvals = new Set<TokenType | undefined>([K.approval, K.handle, K.auto]);
const closing = new Set<TokenType | undefined>([t.RParen, t.RSquare, t.RCurly, t.Arrow]);
const tightAfter = new Set([t.LParen, t.LSquare, t.Dot]);
const tightBefore = new Set([t.RParen, t.RSquare, t.Comma, t.Colon, t.Question, t.Dot]);
const values = new Set([
  ...[t.NumberLiteral, t.Percent, t.StringLiteral, t.DateOnly, t.DateTime, t.Time, t.Duration],
  ...[t.RParen, t.RSquare, t.RCurly],
]);
/** Words before a value in brackets, which are no functions. */
const spacedWords = new Set([...[K.if, K.in, K.and, K.or, K.not, K.then, K.else, K.where, K.at, K.any, K.all, K.is]]);

function isName(token: IToken): boolean {
  return tokenMatcher(token, t.Name);
}
