import type { IToken } from "chevrotain";
import type { FileAst, FlowAst } from "./ast.ts";
import type { Diagnostic, Span } from "./diagnostic.ts";
import { arrange, Reporter, spanOf } from "./layout.ts";
import { parser } from "./parser.ts";
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
}

/**
 * Reads a `.flow` text. Never fails: what is damaged is reported once and left out of the tree, what is sound around
 * it is there. Stages: lex, arrange (every brace has its partner), parse.
 * `file` is the path that the diagnostics name.
 */
export function parse(text: string, file: string): Parsed {
  const { ast, diagnostics, comments } = read(text, file);
  return { ast, diagnostics, comments };
}

/** {@link parse}, with the tokens that the grammar saw. */
export function read(text: string, file: string): Parsed & { readonly tokens: readonly IToken[] } {
  const report = new Reporter(file);
  if (text.length > maxFileLength) {
    report.error("FLOW006", "A file holds at most 5 MiB.", { start: 0, end: 0 });
    return { ast: emptyFile(text), diagnostics: report.diagnostics, comments: [], tokens: [] };
  }
  const { tokens, groups } = t.lexer.tokenize(text);
  const comments = (groups["comments"] ?? []).map(commentOf);
  const arranged = arrange(tokens, text, report);
  parser.load(arranged, text, report);
  const ast = withDocs(parser.file(), comments, text);
  const diagnostics = report.diagnostics.toSorted((a, b) => a.span.start - b.span.start);
  return { ast, diagnostics, comments, tokens: arranged };
}

function emptyFile(text: string): FileAst {
  return { flows: [], documents: [], sources: [], tests: [], span: { start: 0, end: text.length } };
}

function commentOf(token: IToken): Comment {
  const kind = token.tokenType === t.DocComment ? "doc" : token.tokenType === t.LineComment ? "line" : "block";
  return { kind, text: token.image, span: spanOf(token) };
}

function withDocs(ast: FileAst, comments: readonly Comment[], text: string): FileAst {
  if (!comments.some((comment) => comment.kind === "doc")) return ast;
  return { ...ast, flows: ast.flows.map((flow) => withDoc(flow, comments, text)) };
}

/** The `///` lines right above a flow are its documentation. */
function withDoc(flow: FlowAst, comments: readonly Comment[], text: string): FlowAst {
  const lines: string[] = [];
  let below = flow.span.start;
  for (const comment of comments.filter((one) => one.span.end <= flow.span.start).toReversed()) {
    if (comment.kind !== "doc" || !/^\s*$/.test(text.slice(comment.span.end, below))) break;
    lines.unshift(comment.text.slice(3).trim());
    below = comment.span.start;
  }
  return lines.length > 0 ? { ...flow, doc: lines.join("\n") } : flow;
}
