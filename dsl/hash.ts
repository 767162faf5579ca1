import { hash } from "node:crypto";
import type { Definition } from "./definition.ts";

/** The name of a version: SHA-256, in hex, of the definition's canonical JSON (keys sorted, no spaces). */
export function hashOf(definition: Omit<Definition, "hash">): string {
  return hash("sha256", new CanonicalJson().of(definition));
}

/** Remembers the texts of what a definition has many times: its keys, and types, of which expressions share few. */
class CanonicalJson {
  private readonly keys = new Map<string, string>();
  private readonly types = new Map<unknown, string>();

  of(value: unknown): string {
    if (typeof value !== "object" || value === null) return JSON.stringify(value);
    return Array.isArray(value) ? this.array(value) : this.object(value as Readonly<Record<string, unknown>>);
  }

  private array(values: readonly unknown[]): string {
    let text = "[";
    for (let index = 0; index < values.length; index++) text += (index === 0 ? "" : ",") + this.of(values[index]);
    return `${text}]`;
  }

  private object(record: Readonly<Record<string, unknown>>): string {
    let text = "{";
    for (const key of sorted(Object.keys(record))) {
      const part = record[key];
      if (part === undefined) continue;
      const json = key === "type" ? this.type(part) : this.of(part);
      text += (text === "{" ? "" : ",") + this.key(key) + json;
    }
    return `${text}}`;
  }

  private key(key: string): string {
    const known = this.keys.get(key);
    if (known !== undefined) return known;
    const text = `${JSON.stringify(key)}:`;
    this.keys.set(key, text);
    return text;
  }

  private type(type: unknown): string {
    const known = this.types.get(type);
    if (known !== undefined) return known;
    const json = this.of(type);
    this.types.set(type, json);
    return json;
  }
}

/** In place, by code units as `sort` does; for a handful, which objects have, this is several times faster. */
function sorted(keys: string[]): readonly string[] {
  if (keys.length > 32) return keys.sort();
  for (let index = 1; index < keys.length; index++) {
    const key = keys[index]!;
    let at = index;
    for (; at > 0 && keys[at - 1]! > key; at--) keys[at] = keys[at - 1]!;
    keys[at] = key;
  }
  return keys;
}
