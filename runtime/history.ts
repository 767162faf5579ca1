import { tell } from "../engine/index.ts";
import { decode, type Entry } from "./entry.ts";
import type { HistoryItem } from "./http/ports.ts";
import type { StoredEntry } from "./ports.ts";

/** The entries of an instance as people and programs read them, oldest first. */
export function readHistory(entries: readonly StoredEntry[], dataKey: Buffer | undefined): readonly HistoryItem[] {
  return entries.flatMap(({ sequence, hash, body }) => {
    const { definition, at, decisions } = decode<Entry>(body, dataKey);
    return decisions.map(({ command, story, version }) => ({
      sequence,
      version,
      at,
      definition,
      hash,
      command: {
        kind: command.kind,
        id: command.id,
        source: command.source,
        ...(command.actor !== undefined && { actor: command.actor }),
      },
      lines: story.map((line) => ({ ...line, text: tell(line) })),
    }));
  });
}
