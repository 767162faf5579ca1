import { buffer } from "node:stream/consumers";
import { styleText } from "node:util";

/** What a command sees of the process that it runs in. */
export interface Io {
  /** Answers: standard output. */
  out(text: string): void;
  /** Progress, problems, logs: standard error. */
  err(text: string): void;
  /** Replaces the last line of a terminal at standard error; empty: takes it away. Absent: there is no terminal. */
  readonly status?: (line: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Colours and marks for people at a terminal; plain text when piped. */
  readonly color: boolean;
  readStdin(): Promise<Uint8Array>;
  /** What the process ends with; a command sets it. */
  exitCode: number;
}

/** Exit codes of all commands. 130 (interrupted) comes from the signal. */
export const EXIT = { ok: 0, no: 1, usage: 2, unreachable: 3, interrupted: 130 } as const;

/** The arguments or settings are wrong: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export function processIo(): Io {
  const { env, stdout, stderr, stdin } = process;
  // A reader that has seen enough (`assent ls | head`) is no error.
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  return {
    out: (line) => void stdout.write(`${line}\n`),
    err: (line) => void stderr.write(`${line}\n`),
    ...(stderr.isTTY && { status: (line: string) => void stderr.write(`\r\u001b[K${line}`) }),
    env,
    color: stdout.isTTY === true && (env["NO_COLOR"] ?? "") === "",
    readStdin: () => buffer(stdin),
    exitCode: EXIT.ok,
  };
}

export const printJson = (io: Io, value: unknown): void => io.out(JSON.stringify(value, undefined, 2));

export const paint = (io: Io, style: Parameters<typeof styleText>[0], line: string): string =>
  io.color ? styleText(style, line, { validateStream: false }) : line;

/** `1 file`, `2 files`. */
export const counted = (count: number, noun: string, several = `${noun}s`): string =>
  `${count} ${count === 1 ? noun : several}`;

/** Rows in columns, each as wide as its widest cell; the last one is not padded. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => widthOf(row[column] ?? ""))));
  const padded = (cell: string, column: number): string => cell + " ".repeat(widths[column]! - widthOf(cell));
  return rows.map((row) => row.map(padded).join("  ").trimEnd()).join("\n");
}

/** Signs that terminals show two columns wide (Unicode's East Asian Width, the common blocks). */
const WIDE = /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6]/g;
const widthOf = (text: string): number => text.length + (text.match(WIDE)?.length ?? 0);

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
