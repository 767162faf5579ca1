import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import type { DocumentStore } from "./ports.ts";

/**
 * Documents as files: `FOLDER/documents/TENANT/INSTANCE/NAME.docx`. A file is written aside, synced and renamed, so that a
 * reader sees all of it or the one before.
 */
export function documentFiles(folder: string): DocumentStore {
  const pathOf = (tenant: string, instance: string, name: string): string =>
    join(folder, "documents", token(tenant), token(instance), `${token(name)}.docx`);
  return {
    async put(tenant, instance, name, bytes) {
      const path = pathOf(tenant, instance, name);
      await mkdir(join(path, ".."), { recursive: true });
      const aside = `${path}.${randomUUID()}`;
      const file = await open(aside, "wx", 0o600);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(aside, path);
      return { sha256: createHash("sha256").update(bytes).digest("hex"), path };
    },
    async get(tenant, instance, name) {
      try {
        return await readFile(pathOf(tenant, instance, name));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      }
    },
  };
}

/** A name as one harmless part of a path: nothing in it can lead elsewhere. */
const token = (name: string): string => encodeURIComponent(name).replaceAll(".", "%2E");
