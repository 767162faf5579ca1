/** What is proved of a flow before it loads. */
import type { FlowAst } from "../ast.ts";
import { checkCircles } from "../check/circles.ts";
import { checkGraph, machinesOf } from "../check/graph.ts";
import { checkOverlaps } from "../check/overlaps.ts";
import type { Report } from "../check/report.ts";
import type { Definition } from "../definition.ts";
import { proveProperties } from "./properties.ts";

export { examplesOf } from "./examples.ts";
export { proveMatrix } from "./matrix.ts";

/** Boxes that are looked at for the circles of one flow. */
const CIRCLES_MAX = 20_000;

/**
 * Reports what is wrong with the ways through a flow: outcomes without a line, states that can't be reached or left,
 * conditions that overlap or leave a gap, circles without a wait, and what `ensure` asks for and paths break. Each is looked at only if what
 * comes before it is sound. The lists of the definition and of the tree must be parallel: lines, branches, properties.
 * @param flows other flows that are known, by name: what their sub-flows end in.
 */
export function proveFlow(
  definition: Omit<Definition, "hash">,
  ast: FlowAst,
  report: Report,
  flows: ReadonlyMap<string, Definition> = new Map(),
): void {
  checkGraph(definition, ast, report);
  checkOverlaps(definition, ast, report);
  if (report.isClean) checkCircles(machinesOf(definition, ast), definition, { left: CIRCLES_MAX }, report);
  if (report.isClean) proveProperties(definition, ast, report, flows);
}
