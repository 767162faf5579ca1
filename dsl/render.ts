import type { Diagnostic, Severity, Span } from "./diagnostic.ts";
import { type Language, localize } from "./messages/localize.ts";

/** A place as people and editors count it: from 1, columns in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Where `offset` stands in `text`. Lines end at LF, CRLF or CR. */
export function positionOf(text: string, offset: number): Position {
  const starts = lineStartsOf(text);
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - starts[low]! + 1 };
}

let last: { readonly text: string; readonly starts: readonly number[] } = { text: "", starts: [0] };

/** Kept for the text asked about last: diagnostics come many at a time. */
function lineStartsOf(text: string): readonly number[] {
  if (last.text !== text) {
    const starts = [0];
    for (const match of text.matchAll(/\r\n?|\n/g)) starts.push(match.index + match[0].length);
    last = { text, starts };
  }
  return last.starts;
}

/** Another file's text, for related places; `undefined`: it can't be read. */
export type TextOf = (file: string) => string | undefined;

/**
 * A diagnostic as `check --json` prints it: positions instead of offsets. `text` is that of the diagnostic's file. A related
 * place in a file whose text is not at hand stands at its beginning.
 */
export function diagnosticToJson(diagnostic: Diagnostic, text: string, textOf: TextOf = noText): DiagnosticJson {
  const { code, severity, message, file, span, hint, fix, counterExample, path, test, related } = diagnostic;
  return {
    code,
    severity,
    message,
    file,
    span: spanToJson(span, text),
    ...(hint !== undefined && { hint }),
    ...(fix && { fix: fix.map((edit) => ({ span: spanToJson(edit.span, text), text: edit.text })) }),
    ...(counterExample && { counterExample }),
    ...(path && { path }),
    ...(test !== undefined && { test }),
    ...(related && { related: related.map((one) => relatedToJson(one, one.file === file ? text : textOf(one.file))) }),
  };
}

function relatedToJson({ message, file, span }: RelatedPlace, text: string | undefined): RelatedJson {
  return { message, file, span: text === undefined ? FIRST : spanToJson(span, text) };
}

const noText: TextOf = () => undefined;

interface SpanJson {
  readonly start: Position;
  readonly end: Position;
}

const FIRST: SpanJson = { start: { line: 1, column: 1 }, end: { line: 1, column: 1 } };

type RelatedPlace = NonNullable<Diagnostic["related"]>[number];

interface RelatedJson {
  readonly message: string;
  readonly file: string;
  readonly span: SpanJson;
}

export interface DiagnosticJson {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly file: string;
  readonly span: SpanJson;
  readonly hint?: string;
  readonly fix?: readonly { readonly span: SpanJson; readonly text: string }[];
  readonly counterExample?: Readonly<Record<string, unknown>>;
  readonly path?: readonly string[];
  readonly test?: string;
  readonly related?: readonly RelatedJson[];
}

function spanToJson(span: Span, text: string): SpanJson {
  return { start: positionOf(text, span.start), end: positionOf(text, span.end) };
}

export interface RenderOptions {
  /** ANSI colours. */
  readonly color: boolean;
  /** Of messages and headings; English if it isn't said. */
  readonly language?: Language;
  /** Without it, related places in other files are named without a position. */
  readonly textOf?: TextOf;
}

/** The renderer's own words. */
interface Headings {
  readonly severity: Readonly<Record<Severity, string>>;
  readonly example: string;
  readonly path: string;
  readonly hint: string;
  readonly test: string;
}

const headings: Readonly<Record<Language, Headings>> = {
  en: {
    severity: { error: "error", warning: "warning", hint: "hint" },
    example: "example: ",
    path: "path: ",
    hint: "hint: ",
    test: "a test that fails for as long as it is so:",
  },
  zh: {
    severity: { error: "错误", warning: "警告", hint: "提示" },
    example: "反例：",
    path: "路径：",
    hint: "提示：",
    test: "以下测试在此问题解决之前会失败：",
  },
};

/**
 * A diagnostic for people: what, where, the line with the place underlined, and what to do. `text` is that of the
 * diagnostic's file. Several lines, no newline at the end.
 */
export function renderDiagnostic(given: Diagnostic, text: string, options: RenderOptions): string {
  const { color, language = "en", textOf = noText } = options;
  const diagnostic = localize(given, language);
  const words = headings[language];
  const paint = color ? painted : plain;
  const tone = tones[diagnostic.severity];
  const { line, column } = positionOf(text, diagnostic.span.start);
  const margin = " ".repeat(String(line).length);
  return [
    `${paint(tone, `${words.severity[diagnostic.severity]}[${diagnostic.code}]`)}${paint("bold", `: ${diagnostic.message}`)}`,
    `${margin} ${paint("blue", "┌─")} ${diagnostic.file}:${line}:${column}`,
    ...excerpt(diagnostic.span, text, line, margin, paint, tone),
    ...notes(diagnostic, words, (name) => (name === given.file ? text : textOf(name))).map(
      (note) => `${margin} ${paint("blue", "=")} ${note}`,
    ),
    ...(diagnostic.test?.trimEnd().split("\n") ?? []).map((own) => `${margin}     ${own}`.trimEnd()),
  ].join("\n");
}

type Tone = "bold" | "red" | "yellow" | "cyan" | "blue";
type Paint = (tone: Tone, text: string) => string;

const tones: Readonly<Record<Severity, Tone>> = { error: "red", warning: "yellow", hint: "cyan" };
const ansi: Readonly<Record<Tone, number>> = { bold: 1, red: 31, yellow: 33, cyan: 36, blue: 34 };

function painted(tone: Tone, text: string): string {
  return `\u001b[${ansi[tone]}m${text}\u001b[0m`;
}

function plain(_: Tone, text: string): string {
  return text;
}

/** The span's first line, and the part of it that the span covers underlined. */
function excerpt(span: Span, text: string, line: number, margin: string, paint: Paint, tone: Tone): string[] {
  const lineStart = Math.max(text.lastIndexOf("\n", span.start - 1), text.lastIndexOf("\r", span.start - 1)) + 1;
  const length = text.slice(span.start).search(/[\r\n]/);
  const lineEnd = length < 0 ? text.length : span.start + length;
  const before = text.slice(lineStart, span.start);
  const covered = text.slice(span.start, Math.min(span.end, lineEnd));
  const underline = "^".repeat(Math.max(1, widthOf(covered)));
  const bar = paint("blue", "│");
  return [
    `${paint("blue", String(line))} ${bar} ${visible(text.slice(lineStart, lineEnd))}`.trimEnd(),
    `${margin} ${bar} ${" ".repeat(widthOf(before))}${paint(tone, underline)}`,
  ];
}

function notes(diagnostic: Diagnostic, words: Headings, textOf: TextOf): string[] {
  const { counterExample, path, hint, test, related } = diagnostic;
  const lines: string[] = [];
  if (counterExample && Object.keys(counterExample).length > 0)
    lines.push(`${words.example}${Object.entries(counterExample).map(showValue).join(", ")}`);
  if (path) lines.push(`${words.path}${path.join(" → ")}`);
  if (hint !== undefined) lines.push(`${words.hint}${hint}`);
  for (const other of related ?? []) {
    lines.push(`${other.message} (${placeOf(other, textOf(other.file))})`);
  }
  if (test !== undefined) lines.push(words.test);
  return lines;
}

function placeOf({ file, span }: RelatedPlace, text: string | undefined): string {
  if (text === undefined) return file;
  const { line, column } = positionOf(text, span.start);
  return `${file}:${line}:${column}`;
}

function showValue([name, value]: [string, unknown]): string {
  return `${name} = ${typeof value === "string" ? value : JSON.stringify(value)}`;
}

/** Tabs take two columns; control characters, which could move the cursor, are shown as `·`. */
function visible(text: string): string {
  return text.replaceAll("\t", "  ").replace(/\p{Cc}/gu, "·");
}

const zeroWidth = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
const doubleWidth =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]$/u;

/** Columns in a terminal: two for East Asian wide characters and emoji (Unicode UAX #11). */
function widthOf(text: string): number {
  let width = 0;
  for (const character of visible(text)) {
    if (!zeroWidth.test(character)) width += doubleWidth.test(character) ? 2 : 1;
  }
  return width;
}
