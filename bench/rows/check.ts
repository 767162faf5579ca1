import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { compile, Workspace } from "../../dsl/index.ts";
import type { FilesReport } from "../files-child.ts";
import { withFolder } from "../folder.ts";
import { generatedFlow, SHARED_FILE, sharedText } from "../generated-flows.ts";
import { type Benchmark, median, type Size } from "../harness.ts";

/** Checking whole: very many files, a file while somebody types, a large matrix, branches side by side. */

const CHILD = resolve(import.meta.dirname, "../files-child.ts");
const FILES: Record<Size, number> = { quick: 300, full: 10_000 };
const FILES_LIMIT_SECONDS = 10;
const FILES_LIMIT_MIB = 700;
const MIB = 2 ** 20;

const KEYSTROKES: Record<Size, number> = { quick: 40, full: 300 };
const OPEN_FILES: Record<Size, number> = { quick: 100, full: 1_000 };
const TYPED_LINES = 500;
const KEYSTROKE_LIMIT_MS = 50;

const CHECKS: Record<Size, number> = { quick: 5, full: 25 };
const MATRIX_LIMIT_MS = 20;
const PARALLEL_LIMIT_MS = 500;

export const checking: readonly Benchmark[] = [
  {
    id: "files-10000",
    what: "10,000 files read, parsed, linked and proved: one thread's processor time",
    unit: "s",
    better: "lower",
    referenceName: "the limit",
    goal: 1,
    ours: async (size) => (await reportFor(size)).seconds,
    reference: async () => FILES_LIMIT_SECONDS,
  },
  {
    id: "files-memory",
    what: "the same: resident memory at its height",
    unit: "MiB",
    better: "lower",
    referenceName: "the limit",
    goal: 1,
    ours: async (size) => (await reportFor(size)).rssBytes / MIB,
    reference: async () => FILES_LIMIT_MIB,
  },
  {
    id: "keystroke",
    what: "from a change in 500 lines to diagnostics, 1,000 files open, p95 of processor time",
    unit: "ms",
    better: "lower",
    referenceName: "the limit",
    goal: 1,
    ours: async (size) => keystrokes(size),
    reference: async () => KEYSTROKE_LIMIT_MS,
  },
  {
    id: "matrix-144",
    what: "a flow and its matrix of 144 rows and 4 columns checked",
    unit: "ms",
    better: "lower",
    referenceName: "the limit",
    goal: 1,
    ours: async (size) => millisecondsToCheck(size, matrixText()),
    reference: async () => MATRIX_LIMIT_MS,
  },
  {
    id: "parallel-proof",
    what: "4 branches of 6 states each and 6 properties proved",
    unit: "ms",
    better: "lower",
    referenceName: "the limit",
    goal: 1,
    ours: async (size) => millisecondsToCheck(size, parallelText()),
    reference: async () => PARALLEL_LIMIT_MS,
  },
];

// ------------------------------------------------------------------------------------------------------------------ //
// Files
// ------------------------------------------------------------------------------------------------------------------ //

const reports = new Map<Size, Promise<FilesReport>>();

/** Time and memory are measured together, once: it takes long. */
function reportFor(size: Size): Promise<FilesReport> {
  const report = reports.get(size) ?? measureChild(FILES[size]);
  reports.set(size, report);
  return report;
}

function measureChild(files: number): Promise<FilesReport> {
  return withFolder(async (folder) => {
    writeFileSync(join(folder, SHARED_FILE), sharedText);
    for (let number = 0; number < files; number++)
      writeFileSync(join(folder, `flow-${number}.flow`), generatedFlow(number));
    const { stdout } = await promisify(execFile)(process.execPath, [CHILD, "--folder", folder]);
    const report = JSON.parse(stdout) as FilesReport;
    if (report.files !== files + 1) throw new Error(`${report.files} files were checked, expected ${files + 1}`);
    return report;
  });
}

// ------------------------------------------------------------------------------------------------------------------ //
// Keystrokes
// ------------------------------------------------------------------------------------------------------------------ //

/**
 * Types into the middle of a file, a word a letter at a time, and takes it back: sound texts and broken ones. Nothing waits on
 * the way, so the thread's processor time is what a clock would show on a machine without neighbours.
 */
function keystrokes(size: Size): number {
  const workspace = openWorkspace(OPEN_FILES[size]);
  const path = "typed.flow";
  const text = typedText();
  const word = "\n    if amount > 5_000 ";
  const times: number[] = [];
  const others = ["flow-0.flow", "flow-7.flow"].map((other) => workspace.compiled(other));
  for (let stroke = 0; stroke < KEYSTROKES[size] + word.length; stroke++) {
    const at = text.indexOf("\n", Math.floor((text.length * (1 + Math.floor(stroke / word.length))) / 40));
    const typed = text.slice(0, at) + word.slice(0, stroke % word.length) + text.slice(at);
    const started = process.threadCpuUsage();
    const outdated = workspace.set(path, typed);
    const found = workspace.compiled(path)!.diagnostics;
    const { user, system } = process.threadCpuUsage(started);
    // What came first warms up.
    if (stroke >= word.length) times.push((user + system) / 1_000);
    if (outdated.length > 1) throw new Error(`${outdated.length} files are checked again`);
    if (stroke % word.length > 4 && found.length === 0) throw new Error("a half word was taken for sound");
  }
  const same = others.every((before, index) => workspace.compiled(["flow-0.flow", "flow-7.flow"][index]!) === before);
  if (!same) throw new Error("a file that did not change was checked again");
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.95)]!;
}

function openWorkspace(files: number): Workspace {
  const workspace = new Workspace();
  workspace.set(SHARED_FILE, sharedText);
  for (let number = 0; number < files; number++) workspace.set(`flow-${number}.flow`, generatedFlow(number));
  return workspace;
}

/** Flows of all kinds, one after the other. */
function typedText(): string {
  let text = `use "./${SHARED_FILE}"\n`;
  for (let number = 20_000; text.split("\n").length < TYPED_LINES; number++)
    text += generatedFlow(number).replace(/^use .*\n/, "");
  return text;
}

// ------------------------------------------------------------------------------------------------------------------ //
// Proofs
// ------------------------------------------------------------------------------------------------------------------ //

/** The median; the first few are not counted. */
function millisecondsToCheck(size: Size, text: string): number {
  const times: number[] = [];
  for (let round = 0; round < CHECKS[size] + 3; round++) {
    const started = performance.now();
    const { definitions, diagnostics } = compile(text, "x.flow");
    if (round >= 3) times.push(performance.now() - started);
    if (definitions.length !== 1) throw new Error(`refused: ${diagnostics.map(({ message }) => message).join(" ")}`);
  }
  return median(times);
}

/** Twelve ranges of amounts, three kinds, two flags, two ranges of days. */
export function matrixText(): string {
  const bounds = Array.from({ length: 12 }, (_, index) => index * 10_000);
  const amounts = bounds.map((low, index) => `[${low}, ${bounds[index + 1] ?? ".."})`);
  const rows = amounts.flatMap((amount) =>
    ["travel", "equipment", "other"].flatMap((kind) =>
      ["true", "false"].flatMap((urgent) =>
        ["(.., 10]", "[11, ..)"].map((days) => `  ${amount} ${kind} ${urgent} ${days} → manager then finance`),
      ),
    ),
  );
  return `matrix signOff(amount: money, kind: Kind, urgent: bool, days: int) {
  amount kind urgent days → approvers
${rows.join("\n")}
}

state machine "large" {
  data {
    amount: money
    kind: Kind = one of [travel, equipment, other]
    urgent: bool
    days: int
  }
  events { "submit" { amount, kind, urgent, days } }
  people {
    manager = managerOf(initiator)
    finance = group("finance")
  }
  initial: DRAFT
  states: [DRAFT, REVIEW, APPROVED, REJECTED]
  final: [APPROVED, REJECTED]
  state REVIEW { approval by signOff(amount, kind, urgent, days) }
  transitions {
    DRAFT → REVIEW on "submit" by initiator
    REVIEW → APPROVED on approved
    REVIEW → REJECTED on rejected
  }
}
`;
}

/** Four departments, each with five signatures one after the other. */
export function parallelText(): string {
  const steps = [0, 1, 2, 3, 4];
  const branch = (name: string) => `
      branch ${name} {
        initial: S0
        states: [${steps.map((step) => `S${step}`).join(", ")}, FINE]
        final: [FINE]
        ${steps.map((step) => `state S${step} { approval by group("${name}-${step}") }`).join("\n        ")}
        transitions {
          ${steps.map((step) => `S${step} → ${steps[step + 1] === undefined ? "FINE" : `S${step + 1}`} on approved`).join("\n          ")}
          ${steps.map((step) => `S${step} → FINE after 2d`).join("\n          ")}
        }
      }`;
  return `state machine "departments" {
  data { amount: money }
  events { "submit" { amount } }
  people { board = group("board") }
  initial: DRAFT
  states: [DRAFT, REVIEW, SIGNING, SIGNED, REJECTED]
  final: [SIGNED, REJECTED]
  state REVIEW {
    parallel {${["legal", "finance", "tax", "safety"].map(branch).join("")}
      join all
      reject: one
    }
  }
  state SIGNING { approval by board }
  transitions {
    DRAFT → REVIEW on "submit" by initiator
    REVIEW → SIGNING on joined if amount >= 50_000
    REVIEW → SIGNED on joined else
    REVIEW → REJECTED on rejected
    SIGNING → SIGNED on approved
    SIGNING → REJECTED on rejected
    SIGNING → REJECTED after 20d
  }
  ensure {
    never SIGNED without REVIEW
    never SIGNED without legal.FINE
    never SIGNED without safety.S0
    never SIGNED without approval by board if amount >= 50_000
    initiator never approves
    reaches final within 60d
  }
}
`;
}
