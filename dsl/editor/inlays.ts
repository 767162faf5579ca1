import type { FlowAst, RegionAst } from "../ast.ts";
import type { Definition, Region } from "../definition.ts";
import { describer } from "../describe.ts";

/** A note that an editor shows in the line. */
export interface Inlay {
  readonly offset: number;
  readonly text: string;
  /** In full, as Markdown. */
  readonly tip?: string;
}

const ROWS_SHOWN = 3;

/** Who approves, where the text only names a matrix: at which amounts whom. */
export function inlaysOf(flow: FlowAst, definition: Definition): Inlay[] {
  return regionInlays(flow, definition, definition);
}

function regionInlays(ast: RegionAst, region: Region, definition: Definition): Inlay[] {
  return ast.stateBlocks.flatMap((block) => {
    const state = region.states.find(({ name }) => name === block.name.text);
    const branches = (block.parallel?.branches ?? []).flatMap((branch) => {
      const inner = state?.parallel?.branches.find(({ name }) => name === branch.name.text);
      return inner ? regionInlays(branch, inner, definition) : [];
    });
    const notes = (block.approval?.stages ?? []).flatMap((stage, index): Inlay[] => {
      const use = state?.approval?.chain[index];
      if (use?.kind !== "matrix") return [];
      const rows = rowsOf(use.matrix, definition);
      const shown = rows.slice(0, ROWS_SHOWN).join(" · ");
      const text = ` ${shown}${rows.length > ROWS_SHOWN ? ` · … ${rows.length} rows` : ""}`;
      return [{ offset: stage.span.end, text, tip: rows.map((row) => `- ${row}`).join("\n") }];
    });
    return [...notes, ...branches];
  });
}

function rowsOf(name: string, definition: Definition): string[] {
  const describe = describer(definition);
  const matrix = definition.matrices[name]!;
  return matrix.rows.map(({ cells, stages }) => {
    const columns = cells.flatMap((cell, index) =>
      cell.kind === "any" ? [] : [describe.cell(cell, matrix.parameters[index]!.type)],
    );
    return `${columns.join(", ") || "any"}: ${stages.map(describe.stage).join(" then ")}`;
  });
}
