import { type Logger, pino, stdTimeFunctions } from "pino";
import type { LogLevel } from "./settings.ts";

export type Log = Logger;

/** Never written, wherever a caller puts them: one level deep is as deep as our fields go. */
const HIDDEN = ["authorization", "cookie", "token", "tokens", "secret", "aesKey", "keys", "password", "devKey"];

export interface LogOptions {
  readonly level: LogLevel;
  /** For people at a terminal; else one JSON object per line. */
  readonly pretty: boolean;
  /** Standard error unless told. */
  readonly to?: { write(line: string): void };
}

/** Log lines of the node, on standard error: standard output belongs to answers. */
export async function createLog({ level, pretty, to }: LogOptions): Promise<Log> {
  const options = {
    level,
    base: { pid: process.pid },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: HIDDEN.flatMap((name) => [name, `*.${name}`]), censor: "***" },
  };
  if (to) return pino(options, to);
  if (!pretty) return pino(options, pino.destination({ dest: 2, sync: true }));
  const { default: prettyStream } = await import("pino-pretty");
  return pino(options, prettyStream({ destination: 2, sync: true, ignore: "pid", translateTime: "SYS:HH:MM:ss.l" }));
}
