import { existsSync, readFileSync } from "node:fs";
import { messageOf, UsageError } from "./io.ts";

const FILE = "assent.config.json";

/** `assent.config.json` of the working directory, parsed; `undefined` where there is none. @throws {UsageError} */
export function readConfigFile(): unknown {
  if (!existsSync(FILE)) return undefined;
  try {
    return JSON.parse(readFileSync(FILE, "utf8"));
  } catch (error) {
    throw new UsageError(`\`${FILE}\` is not JSON: ${messageOf(error)}`);
  }
}

/** Services that the file names; what is wrong with the file is told where the settings are read. */
export function serviceNames(file: unknown): readonly string[] {
  const services = typeof file === "object" && file !== null && "services" in file ? file.services : undefined;
  return typeof services === "object" && services !== null ? Object.keys(services) : [];
}
