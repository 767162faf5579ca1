/** Finds parts of a definition in the text that they were written in. */
import type { Definition, FlowAst, RegionAst, Span } from "../../dsl/index.ts";
import type { FlowPosition, RegionPath } from "../../engine/index.ts";
import type { CheckedFile } from "./sources.ts";

export interface TextLine {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** The line of a part of the flow; `undefined` where it was written in a file that was not read. */
export type LineOf = (position: FlowPosition) => TextLine | undefined;

/** @param all files in which matrices may be written that the flow uses. */
export function linesOf(definition: Definition, own: CheckedFile, all: readonly CheckedFile[]): LineOf {
  const flow = own.ast.flows.findLast((one) => one.name.text === definition.flow && labelOf(one) === definition.label);
  return (position) => {
    if (position.kind === "row") return rowLine(position, [own, ...all.filter((file) => file !== own)]);
    const span = flow && spanIn(flow, position);
    return span && lineAt(own, span);
  };
}

/** `expense.flow:34`. */
export const placeText = ({ file, line }: TextLine): string => `${file}:${line}`;

const labelOf = ({ settings }: FlowAst): string | undefined =>
  settings.find(({ key }) => key.text === "label")?.value.text;

function lineAt({ file, text }: CheckedFile, { start }: Span): TextLine {
  return { file, line: text.slice(0, start).split("\n").length };
}

function rowLine(
  { matrix, row }: Extract<FlowPosition, { kind: "row" }>,
  files: readonly CheckedFile[],
): TextLine | undefined {
  for (const file of files) {
    const found = file.ast.matrices.find(({ name }) => name.text === matrix)?.rows[row];
    if (found) return lineAt(file, found.span);
  }
  return undefined;
}

function spanIn(flow: FlowAst, position: Exclude<FlowPosition, { kind: "row" }>): Span | undefined {
  const region = regionAt(flow, position.region);
  const block = (name: string) => region?.stateBlocks.find((one) => one.name.text === name);
  switch (position.kind) {
    case "state":
      return region?.states.find(({ text }) => text === position.state)?.span;
    case "line":
      return region?.transitions[position.line]?.span;
    case "branch":
      return block(position.state)?.parallel?.branches.find(({ name }) => name.text === position.branch)?.span;
    case "stage":
      return block(position.state)?.approval?.stages[position.stage]?.span;
  }
}

function regionAt(flow: RegionAst, path: RegionPath): RegionAst | undefined {
  return path.reduce<RegionAst | undefined>((region, { state, branch }) => {
    const block = region?.stateBlocks.find(({ name }) => name.text === state);
    return block?.parallel?.branches.find(({ name }) => name.text === branch);
  }, flow);
}
