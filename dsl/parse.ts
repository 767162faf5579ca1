import type { IToken } from "chevrotain";
import type { FileAst } from "./ast.ts";
import type { Diagnostic, Span } from "./diagnostic.ts";
import { arrange } from "./layout.ts";
import { parser } from "./parser.ts";
import { Reporter } from "./reporter.ts";
import { spanOf } from "./token.ts";
import * as t from "./tokens.ts";

/** Larger files are refused, in UTF-16 units. */
export const maxFileLength = 5 * 1024 * 1024;

export interface Comment {
  readonly kind: "line" | "block" | "doc";
  /** As written, with its marks. */
  readonly text: string;
  readonly span: Span;
}

export interface Parsed {
  readonly ast: FileAst;
  /** In the order of the text. */
  readonly diagnostics: readonly Diagnostic[];
  readonly comments: readonly Comment[];
  /** Items that are not in the tree, because of mistakes in them. */
  readonly lost: readonly Span[];
}

/**
 * Reads a `.flow` text. Never fails: what is damaged is reported once and left out of the tree, what is sound around
 * it is there. Stages: lex, arrange (every brace has its partner), parse.
 * `file` is the path that the diagnostics name.
 */
export function parse(text: string, file: string): Parsed {
  const { ast, diagnostics, comments, lost } = read(text, file);
  return { ast, diagnostics, comments, lost };
}

/** {@link parse}, with the tokens that the grammar saw. */
export function read(text: string, file: string): Parsed & { readonly tokens: readonly IToken[] } {
  const report = new Reporter(file);
  if (text.length > maxFileLength) {
    report.error("FLOW006", "A file holds at most 5 MiB.", { start: 0, end: 0 });
    return { ast: emptyFile(text), diagnostics: report.diagnostics, comments: [], lost: [], tokens: [] };
  }
  const { tokens, groups } = t.lexer.tokenize(text);
  const comments = (groups["comments"] ?? []).map(commentOf);
  const arranged = arrange(tokens, text, report);
  parser.load(arranged, text, report, docsOf(comments, text));
  const ast = parser.file();
  // Of what was not looked at nothing is known, so nothing else shall be said.
  const { lost, isFull } = report;
  return { ast: isFull ? emptyFile(text) : ast, diagnostics: report.inOrder(), comments, lost, tokens: arranged };
}

function emptyFile(text: string): FileAst {
  return {
    uses: [],
    calendars: [],
    matrices: [],
    sagas: [],
    rollouts: [],
    flows: [],
    documents: [],
    sources: [],
    tests: [],
    span: { start: 0, end: text.length },
  };
}

function commentOf(token: IToken): Comment {
  const kind = token.tokenType === t.DocComment ? "doc" : token.tokenType === t.LineComment ? "line" : "block";
  return { kind, text: token.image, span: spanOf(token) };
}

/** What `///` lines say, by the beginning of what stands right below them. */
function docsOf(comments: readonly Comment[], text: string): ReadonlyMap<number, string> {
  const docs = new Map<number, string>();
  let lines: string[] = [];
  for (const [index, { kind, text: written, span }] of comments.entries()) {
    if (kind !== "doc" || !beginsLine(span.start, text)) continue;
    lines.push(written.slice(3).trim());
    const below = firstBelow(span.end, text);
    if (comments[index + 1]?.span.start === below && comments[index + 1]?.kind === "doc") continue;
    docs.set(below, lines.join("\n"));
    lines = [];
  }
  return docs;
}

function beginsLine(at: number, text: string): boolean {
  let before = at - 1;
  while (before >= 0 && (text[before] === " " || text[before] === "\t")) before--;
  return before < 0 || text[before] === "\n" || text[before] === "\r";
}

const blanks = /\s*/y;

/** The next place that is no blank. */
function firstBelow(from: number, text: string): number {
  blanks.lastIndex = from;
  blanks.test(text);
  return blanks.lastIndex;
}
