export type * from "./ast.ts";
export { type Code, type CodeEntry, codes } from "./codes.ts";
export { type Compiled, type CompileEnvironment, compile } from "./compile.ts";
export type * from "./definition.ts";
export type * from "./diagnostic.ts";
export { type Formatted, format } from "./format.ts";
export { hashOf } from "./hash.ts";
export { type Comment, maxFileLength, type Parsed, parse } from "./parse.ts";
export {
  type DiagnosticJson,
  diagnosticToJson,
  type Position,
  positionOf,
  type RenderOptions,
  renderDiagnostic,
} from "./render.ts";
export type * from "./test-block.ts";
