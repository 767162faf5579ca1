/** What tests came by, as people, programs and other tools read it. */
import type { Definition } from "../../dsl/index.ts";
import type { Coverage, CoverageKind, Covered } from "../../engine/index.ts";
import { linesOf, placeText, type TextLine } from "./flow-lines.ts";
import { columns, type Io, paint } from "./io.ts";
import type { CheckedFile } from "./sources.ts";
import { type Words, wordsIn } from "./words.ts";

/** The coverage of one flow. */
export interface FlowReport {
  /** With its label where it is an earlier version. */
  readonly flow: string;
  readonly items: readonly LocatedItem[];
}

interface LocatedItem extends Covered {
  readonly line?: TextLine;
}

const KINDS: readonly CoverageKind[] = ["states", "transitions", "conditions", "rows", "boundaries"];

/** One report for every flow of the files, in their order. */
export function flowReports(coverage: Coverage, files: readonly CheckedFile[]): readonly FlowReport[] {
  return files.flatMap((file) => {
    const { definitions } = file.compiled;
    return definitions.map((definition): FlowReport => {
      const lineOf = linesOf(definition, file, files);
      const items = coverage.of(definition).map((covered) => {
        const line = lineOf(covered.item.at);
        return { ...covered, ...(line && { line }) };
      });
      return { flow: nameOf(definition, definitions), items };
    });
  });
}

function nameOf(definition: Definition, all: readonly Definition[]): string {
  const current = all.findLast(({ flow }) => flow === definition.flow);
  return current === definition ? definition.flow : `${definition.flow} ${definition.label ?? ""}`.trim();
}

type Count = readonly [hit: number, all: number];

function count(items: readonly LocatedItem[], kind: CoverageKind): Count {
  const own = items.filter(({ item }) => item.kind === kind);
  return [own.filter(({ hits }) => hits > 0).length, own.length];
}

/** Share of everything that tests came by, in percent; 100 where there is nothing. */
export function percentOf(reports: readonly FlowReport[]): number {
  const items = reports.flatMap((report) => report.items);
  return items.length === 0 ? 100 : (items.filter(({ hits }) => hits > 0).length / items.length) * 100;
}

/** By flow: `[hit, all]` of each kind, and what is missing. */
export function coverageJson(reports: readonly FlowReport[]): unknown {
  return Object.fromEntries(
    reports.map(({ flow, items }) => {
      const counts = KINDS.map((kind) => [kind, count(items, kind)] as const);
      return [flow, { ...Object.fromEntries(counts), missing: missing(items).map(missingText) }];
    }),
  );
}

const missing = (items: readonly LocatedItem[]): readonly LocatedItem[] => items.filter(({ hits }) => hits === 0);

const missingText = ({ item, line }: LocatedItem): string =>
  `${wordsIn("en").uncovered[item.kind]}${item.text}${line ? ` (line ${line.line})` : ""}`;

/** A table, and below it what is missing, with the lines of the text. */
export function coverageText(reports: readonly FlowReport[], words: Words, io: Io): string {
  const rows = reports.map(({ flow, items }) => [flow, ...KINDS.map((kind) => count(items, kind).join("/"))]);
  const gaps = reports.flatMap(({ flow, items }) => {
    const left = missing(items);
    return left.length === 0 ? [] : [`\n${words.notCovered(flow)}`, ...gapLines(left, words, io)];
  });
  return [columns([["flow" as const, ...KINDS].map((kind) => words.coverage[kind]), ...rows]), ...gaps].join("\n");
}

function gapLines(items: readonly LocatedItem[], words: Words, io: Io): readonly string[] {
  const rows = items.map(({ item, line }) => [
    "",
    line ? placeText(line) : "",
    `${words.uncovered[item.kind]}${item.text}`,
  ]);
  return columns(rows)
    .split("\n")
    .map((row) => paint(io, "yellow", row));
}

/** In lcov's tracefile form (geninfo(1)): lines are transitions and matrix rows, branches are conditions. */
export function lcovReport(reports: readonly FlowReport[]): string {
  const files = new Set(reports.flatMap(({ items }) => items.flatMap(({ line }) => line?.file ?? [])));
  return [...files]
    .flatMap((file) => fileRecord(file, itemsIn(file, reports)))
    .join("\n")
    .concat("\n");
}

function itemsIn(file: string, reports: readonly FlowReport[]): readonly (Covered & { readonly at: number })[] {
  return reports.flatMap(({ items }) =>
    items.flatMap(({ item, hits, line }) => (line?.file === file ? [{ item, hits, at: line.line }] : [])),
  );
}

function fileRecord(file: string, items: ReturnType<typeof itemsIn>): readonly string[] {
  const lines = new Map<number, number>();
  const branches = new Map<number, number[]>();
  for (const { item, hits, at } of items) {
    if (item.kind === "transitions" || item.kind === "rows") lines.set(at, (lines.get(at) ?? 0) + hits);
    if (item.kind === "conditions") branches.set(at, [...(branches.get(at) ?? []), hits]);
  }
  const taken = [...branches.values()].flat();
  return [
    "TN:",
    `SF:${file}`,
    ...inOrder(branches).flatMap(([line, hits]) =>
      hits.map((number, branch) => `BRDA:${line},0,${branch},${hits.some((one) => one > 0) ? number : "-"}`),
    ),
    `BRF:${taken.length}`,
    `BRH:${taken.filter((hits) => hits > 0).length}`,
    ...inOrder(lines).map(([line, hits]) => `DA:${line},${hits}`),
    `LF:${lines.size}`,
    `LH:${[...lines.values()].filter((hits) => hits > 0).length}`,
    "end_of_record",
  ];
}

const inOrder = <Item>(byLine: ReadonlyMap<number, Item>): readonly (readonly [number, Item])[] =>
  [...byLine].sort(([one], [other]) => one - other);
