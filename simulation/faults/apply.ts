import { registerHooks } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Fault } from "./faults.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/**
 * From now on whoever loads the fault's file in this process gets it with the fault in it.
 * @throws Error if what it replaces is not there once: the code has changed, and the fault has to change with it.
 */
export function applyFault({ name, file, find, replace }: Fault): void {
  const target = pathToFileURL(resolve(ROOT, file)).href;
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (url !== target) return loaded;
      const source = textOf(loaded.source);
      const found = source.split(find).length - 1;
      if (found !== 1)
        throw new Error(`the fault \`${name}\` finds \`${find}\` ${found} times in ${file}: it has to be adapted`);
      // A function, so that `$` means nothing.
      return { ...loaded, source: source.replace(find, () => replace) };
    },
  });
}

const textOf = (source: unknown): string =>
  typeof source === "string" ? source : new TextDecoder().decode(source as Uint8Array);
