import { randomUUID } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { z } from "zod";

const shape = z.object({ url: z.string(), tokens: z.record(z.string(), z.string()) });

/** Where the newest node with `--dev` listens, and a token for each of its seeded people. */
export type DevTokens = z.infer<typeof shape>;

const path = (): string => join(tmpdir(), `assent-dev-${userInfo().uid}.json`);

/** Written by `serve --dev`, for `--as` of commands by the same user of the machine. */
export function writeDevTokens(url: string, tokens: Readonly<Record<string, string>>): void {
  const aside = `${path()}.${randomUUID()}`;
  // `wx`: what another user of the machine may have put there is not written through.
  writeFileSync(aside, JSON.stringify({ url, tokens }), { mode: 0o600, flag: "wx" });
  renameSync(aside, path());
}

/** @returns `undefined` where no node with `--dev` has written any. */
export function readDevTokens(): DevTokens | undefined {
  try {
    return shape.parse(JSON.parse(readFileSync(path(), "utf8")));
  } catch {
    return undefined;
  }
}
