import type { FlowAst, TestStatementAst } from "../ast.ts";
import type { Occurrence, SymbolKind } from "./occurrences.ts";

/**
 * Names of the flow in a test statement. The tree keeps a statement's parts without their places, so they are looked for
 * in its text: each pattern's first group is the name.
 */
const PATTERNS: readonly (readonly [kind: SymbolKind, pattern: RegExp])[] = [
  ["event", /\b(?:send|emitted)\s+("(?:[^"\\]|\\.)*")/dg],
  ["state", /(?:\bexpect|\bto)\s+(?:[\p{L}_][\p{L}\p{N}_-]*\.)?([\p{L}_][\p{L}\p{N}_-]*)/dgu],
  ["field", /[{,]\s*([\p{L}_][\p{L}\p{N}_-]*)\s*:/dgu],
  ["document", /\brendered\s+("(?:[^"\\]|\\.)*")/dg],
];

export function occurrencesInTest({ text, span }: TestStatementAst, flow: FlowAst, scope: string): Occurrence[] {
  const known: Partial<Record<SymbolKind, ReadonlySet<string>>> = {
    event: new Set(flow.events.map(({ name }) => name.text)),
    state: new Set(flow.states.map(({ text: state }) => state)),
    field: new Set(flow.fields.map(({ name }) => name.text)),
  };
  return PATTERNS.flatMap(([kind, pattern]) =>
    [...text.matchAll(pattern)].flatMap((match): Occurrence[] => {
      const [start, end] = match.indices![1]!;
      const written = match[1]!;
      const name = written.startsWith('"') ? (JSON.parse(written) as string) : written;
      if (known[kind] && !known[kind].has(name)) return [];
      const place = { start: span.start + start, end: span.start + end };
      return [{ kind, name, span: place, declares: false, scope: kind === "document" ? "" : scope }];
    }),
  );
}
