import { hash } from "node:crypto";
import type { Definition } from "./definition.ts";

/** The name of a version: SHA-256, in hex, of the definition's canonical JSON (keys sorted, no spaces). */
export function hashOf(definition: Omit<Definition, "hash">): string {
  return hash("sha256", canonicalJson(definition));
}

function canonicalJson(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  let text = "";
  if (Array.isArray(value)) {
    for (const item of value) text += `${text === "" ? "" : ","}${canonicalJson(item)}`;
    return `[${text}]`;
  }
  const record = value as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(record).sort()) {
    if (record[key] === undefined) continue;
    text += `${text === "" ? "" : ","}${JSON.stringify(key)}:${canonicalJson(record[key])}`;
  }
  return `{${text}}`;
}
