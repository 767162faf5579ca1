import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  type Code,
  type CompileEnvironment,
  codes,
  compile,
  type Diagnostic,
  decode,
  renderDiagnostic,
} from "../dsl/index.ts";

/**
 * The pages of `docs/diagnostics`. People write them; what the checker says about the wrong example and the index are
 * written by this script, for `npm run diagnostics`, and compared by its test.
 */

const FOLDER = resolve(import.meta.dirname, "../docs/diagnostics");
export const INDEX = join(FOLDER, "README.md");

/** A page as it is, and as it should be. */
export interface Page {
  readonly code: Code;
  readonly path: string;
  readonly text: string;
  readonly examples: readonly Example[];
}

/**
 * A block `flow right`, or `flow wrong [also CODE…] [times N] [in latin1]`: other codes that it can't do without, how often it
 * is repeated, and the encoding in which it is written instead of UTF-8.
 */
export interface Example {
  readonly kind: "right" | "wrong";
  readonly text: string;
  readonly also: readonly string[];
  readonly times: number;
  readonly inLatin1: boolean;
}

/** Codes that only loading files finds; `runtime/diagnostic-pages.test.ts` runs their examples. */
export const isOfLoading = (code: string): boolean => code.startsWith("FLOW4");

/** What the examples find around them. */
const SURROUNDINGS: CompileEnvironment = {
  file: (path) => (path === "shared.flow" ? 'calendar "cn" { hours: 09:00 .. 18:00 }' : undefined),
  functions: [
    { name: "isUrgent", kind: "guard" },
    { name: "pay", kind: "action" },
    { name: "refund", kind: "action" },
    { name: "reserve", kind: "action" },
    { name: "release", kind: "action" },
  ],
  services: ["ledger"],
  templates: ["voucher"],
  groups: ["audit", "board", "finance", "hr"],
};

/** Pages of the codes of the catalogue, in its order; those that are missing are left out. */
export function pages(): readonly Page[] {
  const files = new Set(pageFiles());
  return (Object.keys(codes) as Code[])
    .filter((code) => files.has(`${code}.md`))
    .map((code) => {
      const path = join(FOLDER, `${code}.md`);
      const text = readFileSync(path, "utf8");
      return { code, path, text, examples: examplesIn(text) };
    });
}

export function pageFiles(): readonly string[] {
  return readdirSync(FOLDER).filter((name) => name.startsWith("FLOW"));
}

const FENCE =
  /^```flow (?<kind>right|wrong)(?<also> also(?: FLOW\d{3})+)?(?: times (?<times>\d+))?(?<latin1> in latin1)?\n(?<text>.*?)^```\n/gms;

function examplesIn(page: string): readonly Example[] {
  return [...page.matchAll(FENCE)].map(({ groups = {} }) => ({
    kind: groups["kind"] === "right" ? "right" : "wrong",
    text: groups["text"]!,
    also: groups["also"]?.match(/FLOW\d{3}/g) ?? [],
    times: Number(groups["times"] ?? 1),
    inLatin1: groups["latin1"] !== undefined,
  }));
}

/** What is wrong with an example, in its own text. */
export function diagnosticsOf({ text, times, inLatin1 }: Example): readonly Diagnostic[] {
  const fault = inLatin1 ? decode(Buffer.from(text, "latin1"), "example.flow").fault : undefined;
  if (fault) return [fault];
  return compile(text.repeat(times), "example.flow", SURROUNDINGS).diagnostics;
}

/** The page with what the checker says after every wrong example. */
export function withMessages({ code, text }: Page): string {
  return text.replace(new RegExp(`${FENCE.source}(?:\n\`\`\`text\n.*?^\`\`\`\n)?`, "gms"), (whole) => {
    const [example] = examplesIn(whole);
    if (example?.kind !== "wrong") return whole;
    const [fence] = whole.match(FENCE) ?? [];
    return `${fence}\n\`\`\`text\n${messages(example, code)}\n\`\`\`\n`;
  });
}

function messages(example: Example, code: Code): string {
  const diagnostic = diagnosticsOf(example).find((found) => found.code === code);
  if (!diagnostic) return `(the checker says nothing of ${code})`;
  const text = example.text.repeat(example.times);
  return (["en", "zh"] as const)
    .map((language) => renderDiagnostic(diagnostic, text, { color: false, language }))
    .join("\n\n");
}

// ------------------------------------------------------------------------------------------------------------------ //
// Index
// ------------------------------------------------------------------------------------------------------------------ //

const GROUPS: readonly (readonly [title: string, from: number, to: number])[] = [
  ["How the text is written", 0, 99],
  ["Names and types", 100, 199],
  ["How a flow runs", 200, 249],
  ["Properties", 250, 259],
  ["Matrices and working time", 260, 269],
  ["Branches, sub-flows, sagas, rollouts", 270, 299],
  ["What is outside the file", 300, 399],
  ["Where flows are loaded to be run", 400, 499],
];

export function readIndex(): string {
  return readFileSync(INDEX, "utf8");
}

/** The index with a table of each group below its introduction. */
export function withTables(index: string): string {
  const introduction = index.slice(0, index.indexOf("\n## "));
  const tables = GROUPS.map(([title, from, to]) => {
    const rows = Object.entries(codes)
      .filter(([code]) => Number(code.slice(4)) >= from && Number(code.slice(4)) <= to)
      .map(([code, { severity, title: what }]) => `| [${code}](${code}.md) | ${severity} | ${what} |`);
    return `\n## ${title}\n\n| code | | |\n| --- | --- | --- |\n${rows.join("\n")}\n`;
  });
  return `${introduction}${tables.join("")}`;
}

if (import.meta.main) {
  for (const page of pages()) writeFileSync(page.path, withMessages(page));
  writeFileSync(INDEX, withTables(readIndex()));
}
