export type * from "./ast.ts";
export { type Code, type CodeEntry, codes } from "./codes.ts";
export { type Compiled, type CompileEnvironment, compile, unread } from "./compile.ts";
export { type Decoded, decode } from "./decode.ts";
export type * from "./definition.ts";
export { type Describer, describer, durationText, termText } from "./describe.ts";
export type * from "./diagnostic.ts";
export type { Change } from "./diff/changes.ts";
export { diff } from "./diff/diff.ts";
export type { Examples } from "./diff/lines.ts";
export type { Completion, EditorWorld } from "./editor/complete.ts";
export type { Inlay } from "./editor/inlays.ts";
export type { Occurrence } from "./editor/occurrences.ts";
export type { OutlineItem } from "./editor/outline.ts";
export { type Location, type Rename, Workspace } from "./editor/workspace.ts";
export { applyFixes, type Mended, mend } from "./fixes.ts";
export { type Formatted, format } from "./format.ts";
export { type Graph, type GraphEdge, type GraphState, graphOf } from "./graph/graph.ts";
export { mermaid } from "./graph/mermaid.ts";
export { type SvgOptions, svg } from "./graph/svg.ts";
export { hashOf } from "./hash.ts";
export { type Language, localize, localizeText, translate } from "./messages/localize.ts";
export { type Comment, maxFileLength, type Parsed, parse } from "./parse.ts";
export { examplesOf } from "./proofs/prove.ts";
export { plainValueOf, storedValue, wholeOf } from "./proofs/values.ts";
export { rangeOf as wholeRangeOf } from "./proofs/variables.ts";
export { REFUSAL_CODES, type RefusalCode } from "./refusal-codes.ts";
export {
  type DiagnosticJson,
  diagnosticToJson,
  type Position,
  positionOf,
  type RenderOptions,
  renderDiagnostic,
  type TextOf,
} from "./render.ts";
export type * from "./test-block.ts";
