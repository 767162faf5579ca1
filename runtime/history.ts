import { tell } from "../engine/index.ts";
import { decode, type Entry } from "./entry.ts";
import type { HistoryItem } from "./http/ports.ts";
import type { Answer, StoredEntry } from "./ports.ts";

/** The entries of an instance as people and programs read them, oldest first. */
export function readHistory(entries: readonly StoredEntry[], dataKey: Buffer | undefined): readonly HistoryItem[] {
  return entries.flatMap(({ sequence, hash, body }) => {
    const { definition, at, decisions } = decode<Entry>(body, dataKey);
    return decisions.map(({ command, story, version, answers, dataDigest }) => ({
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
      dataDigest,
      ...functionsIn(answers),
      lines: story.map((line) => ({ ...line, text: tell(line) })),
    }));
  });
}

/** Who answered for the functions that were asked, by name of the function. */
function functionsIn(answers: Readonly<Record<string, Answer>>): Pick<HistoryItem, "functions"> {
  const asked = Object.entries(answers).flatMap(([key, { by }]) => (by === undefined ? [] : [[nameIn(key), by]]));
  return asked.length === 0 ? {} : { functions: Object.fromEntries(asked) };
}

/** Keys of questions are `KIND:NAME(ARGUMENTS)`. */
const nameIn = (key: string): string => key.slice(key.indexOf(":") + 1, key.indexOf("("));
