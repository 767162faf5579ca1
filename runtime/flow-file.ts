import { existsSync, readFileSync } from "node:fs";
import { type Decoded, decode } from "../dsl/index.ts";

/** Reads a `.flow` file. @throws if it does not exist. */
export function readFlow(file: string): Decoded {
  return decode(readFileSync(file), file);
}

/** A file named by `use`; `undefined` if it is not there or no UTF-8. */
export function readUsed(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  const { text, fault } = readFlow(path);
  return fault ? undefined : text;
}
