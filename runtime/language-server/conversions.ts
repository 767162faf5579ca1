import {
  type CodeAction,
  CodeActionKind,
  type CompletionItem,
  CompletionItemKind,
  DiagnosticSeverity,
  type DocumentSymbol,
  type InlayHint,
  InsertTextFormat,
  type Diagnostic as LspDiagnostic,
  type TextEdit as LspTextEdit,
  type Range,
  type SemanticTokens,
  SemanticTokensBuilder,
  SymbolKind,
} from "vscode-languageserver/node";
import {
  type Completion,
  type Diagnostic,
  type Inlay,
  type Language,
  localizeText,
  type Occurrence,
  type OutlineItem,
  positionOf,
  type Span,
  type TextEdit,
} from "../../dsl/index.ts";

/** Our values as the protocol's. Lines and characters count from 0 there, from 1 with us; both in UTF-16 units. */

export function rangeOf(text: string, { start, end }: Span): Range {
  return { start: lspPosition(text, start), end: lspPosition(text, end) };
}

function lspPosition(text: string, offset: number): { line: number; character: number } {
  const { line, column } = positionOf(text, offset);
  return { line: line - 1, character: column - 1 };
}

export const edit = (text: string, { span, text: newText }: TextEdit): LspTextEdit => ({
  range: rangeOf(text, span),
  newText,
});

const SEVERITY = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  hint: DiagnosticSeverity.Hint,
} as const;

/** @param other address and text of another file. */
export function diagnosticOf(
  text: string,
  diagnostic: Diagnostic,
  other: (file: string) => readonly [uri: string, text: string],
): LspDiagnostic {
  const { code, severity, message, span, hint, related = [] } = diagnostic;
  return {
    range: rangeOf(text, span),
    severity: SEVERITY[severity],
    code,
    source: "assent",
    message: hint === undefined ? message : `${message}\n${hint}`,
    relatedInformation: related.map((one) => {
      const [uri, relatedText] = other(one.file);
      return { message: one.message, location: { uri, range: rangeOf(relatedText, one.span) } };
    }),
  };
}

/** The fixes of what is wrong in this range. */
export function codeActions(
  uri: string,
  text: string,
  { start, end }: Range,
  diagnostics: readonly Diagnostic[],
): CodeAction[] {
  return diagnostics.flatMap((diagnostic): CodeAction[] => {
    const { fix, hint, message } = diagnostic;
    const range = rangeOf(text, diagnostic.span);
    const touches = !isBefore(range.end, start) && !isBefore(end, range.start);
    if (!fix || !touches) return [];
    return [
      {
        title: hint ?? message,
        kind: CodeActionKind.QuickFix,
        isPreferred: true,
        diagnostics: [diagnosticOf(text, { ...diagnostic, related: [] }, () => [uri, text])],
        edit: { changes: { [uri]: fix.map((one) => edit(text, one)) } },
      },
    ];
  });
}

const isBefore = (one: Range["start"], other: Range["start"]): boolean =>
  one.line < other.line || (one.line === other.line && one.character < other.character);

const COMPLETION_KINDS = {
  keyword: CompletionItemKind.Keyword,
  state: CompletionItemKind.EnumMember,
  field: CompletionItemKind.Field,
  event: CompletionItemKind.Event,
  people: CompletionItemKind.Variable,
  function: CompletionItemKind.Function,
  type: CompletionItemKind.TypeParameter,
  name: CompletionItemKind.Value,
} as const;

export const completionItem = ({ text, kind, about, snippet }: Completion, language: Language): CompletionItem => ({
  label: text,
  kind: COMPLETION_KINDS[kind],
  ...(about !== undefined && { documentation: localizeText(about, language) }),
  ...(snippet !== undefined && { insertText: snippet, insertTextFormat: InsertTextFormat.Snippet }),
});

const SYMBOL_KINDS: Readonly<Record<Occurrence["kind"], SymbolKind>> = {
  flow: SymbolKind.Class,
  state: SymbolKind.EnumMember,
  branch: SymbolKind.Namespace,
  field: SymbolKind.Field,
  payload: SymbolKind.Field,
  event: SymbolKind.Event,
  people: SymbolKind.Variable,
  function: SymbolKind.Function,
  document: SymbolKind.File,
  matrix: SymbolKind.Array,
  parameter: SymbolKind.Variable,
  saga: SymbolKind.Interface,
  calendar: SymbolKind.Constant,
  type: SymbolKind.Enum,
  member: SymbolKind.EnumMember,
  rollout: SymbolKind.Object,
  test: SymbolKind.Method,
};

export function documentSymbol(text: string, { kind, name, span, nameSpan, children }: OutlineItem): DocumentSymbol {
  return {
    name: name === "" ? kind : name,
    kind: SYMBOL_KINDS[kind],
    range: rangeOf(text, span),
    selectionRange: rangeOf(text, nameSpan),
    children: children.map((child) => documentSymbol(text, child)),
  };
}

export const inlayHint = (text: string, { offset, text: label, tip }: Inlay): InlayHint => ({
  position: lspPosition(text, offset),
  label,
  paddingLeft: true,
  ...(tip !== undefined && { tooltip: { kind: "markdown", value: tip } }),
});

/** Token types of the protocol; keywords and literals are the grammar's to colour. */
const TOKEN_TYPES: Readonly<Record<Occurrence["kind"], string>> = {
  flow: "class",
  state: "enumMember",
  branch: "namespace",
  field: "property",
  payload: "property",
  event: "event",
  people: "variable",
  function: "function",
  document: "class",
  matrix: "function",
  parameter: "parameter",
  saga: "class",
  calendar: "class",
  type: "type",
  member: "enumMember",
  rollout: "class",
  test: "class",
};

const TYPE_NAMES = [...new Set(Object.values(TOKEN_TYPES))];

export const SEMANTIC_TOKENS = { tokenTypes: TYPE_NAMES, tokenModifiers: ["declaration"] };

export function semanticTokens(text: string, occurrences: readonly Occurrence[]): SemanticTokens {
  const builder = new SemanticTokensBuilder();
  const ordered = [...occurrences].sort((one, other) => one.span.start - other.span.start);
  let end = -1;
  for (const { kind, span, declares } of ordered) {
    if (span.start < end) continue;
    end = span.end;
    const { line, character } = lspPosition(text, span.start);
    builder.push(line, character, span.end - span.start, TYPE_NAMES.indexOf(TOKEN_TYPES[kind]), declares ? 1 : 0);
  }
  return builder.build();
}
