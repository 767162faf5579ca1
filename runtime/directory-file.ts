import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { type DirectoryFile, directoryShape, embeddedDirectory, SEEDED_PEOPLE } from "./directory.ts";
import type { Clock, Directory } from "./ports.ts";

/** What became of the file when it was looked at again. */
export type DirectoryChange =
  | { readonly kind: "read"; readonly file: string; readonly people: number }
  /** Who was known before stays known. */
  | { readonly kind: "refused"; readonly file: string; readonly why: string };

export interface WatchedDirectory extends Directory {
  /** Looks now, as it does by itself while it is watched; `undefined`: nothing has changed. */
  look(): DirectoryChange | undefined;
  /** Looks at the file every second, and tells of changes. @returns the function that ends it. */
  watch(tell: (change: DirectoryChange) => void, clock: Pick<Clock, "after">): () => void;
}

const LOOK_EVERY_MS = 1_000;
const NAME = "directory.json";

/**
 * The people in `directory.json` beside the flows, as the file is now; the seeded people of `--dev` as well.
 * @throws Error for the operator where the file can't be read at the start.
 */
export function directoryFile(paths: readonly string[], dev: boolean): WatchedDirectory {
  const folders = paths.map((path) => (statSync(path).isDirectory() ? path : dirname(path)));
  const files = folders.map((folder) => join(folder, NAME));
  const file = files.find(existsSync) ?? files[0] ?? NAME;
  const seeds: DirectoryFile = dev ? SEEDED_PEOPLE : { people: [] };
  let print = printOf(file);
  let text = textOf(file);
  let current = embeddedDirectory(text === undefined ? seeds : parse(file, text, dev));

  const look = (): DirectoryChange | undefined => {
    const seen = printOf(file);
    if (seen === print) return undefined;
    print = seen;
    const found = textOf(file);
    if (found === text) return undefined;
    text = found;
    if (found === undefined) return { kind: "refused", file, why: "the file is gone" };
    try {
      const read = parse(file, found, dev);
      current = embeddedDirectory(read);
      return { kind: "read", file, people: read.people.length };
    } catch (error) {
      return { kind: "refused", file, why: (error as Error).message };
    }
  };
  return {
    answer: (question) => current.answer(question),
    person: (tenant, id) => current.person(tenant, id),
    look,
    watch(tell, clock) {
      let callOff = (): void => {};
      const later = (): void => {
        callOff = clock.after(LOOK_EVERY_MS, () => {
          const change = look();
          if (change) tell(change);
          later();
        });
      };
      later();
      return () => callOff();
    },
  };
}

/** Changes when the file was written or put in place of another. */
function printOf(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  return found ? `${found.ino}:${found.size}:${found.mtimeMs}` : "none";
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** @throws Error that says what is wrong. */
function parse(file: string, text: string, dev: boolean): DirectoryFile {
  try {
    const read = directoryShape.parse(JSON.parse(text));
    return dev ? withSeeds(read) : read;
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new Error(`\`${file}\` is not a directory of people: ${why}`);
  }
}

/** What the file says of a seeded person wins. */
function withSeeds(file: DirectoryFile): DirectoryFile {
  const known = new Set(file.people.map((person) => person.id));
  const seeds = SEEDED_PEOPLE.people.filter((person) => !known.has(person.id));
  return { people: [...file.people, ...seeds], heads: { ...SEEDED_PEOPLE.heads, ...file.heads } };
}
