import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";

/** Who acts with an API key: the claims that a token would have. */
export interface ApiKeyClaims {
  readonly sub: string;
  readonly tenant?: string | undefined;
  readonly roles?: readonly string[] | undefined;
}

/** @returns the claims of a key, `undefined` for one that is not known. */
export type ApiKeys = (key: string) => ApiKeyClaims | undefined;

const shape = z.array(
  z.strictObject({
    user: z.string().min(1),
    tenant: z.string().min(1).optional(),
    roles: z.array(z.string()).optional(),
    sha256: z.string().regex(/^[0-9a-f]{64}$/, "must be the SHA-256 of the key in small hex digits"),
  }),
);

/**
 * Keys of machines, from a file: `[{ "user": "erp", "roles": ["admin"], "sha256": "…" }]`. The file holds their digests
 * only; a key is random and long, so that its plain digest tells nothing of it.
 * @throws Error with what is wrong with the file.
 */
export function readApiKeys(file: string): ApiKeys {
  let read: z.infer<typeof shape>;
  try {
    read = shape.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new Error(`\`${file}\` is not a file of API keys: ${why}`, { cause: error });
  }
  const known = new Map(read.map(({ sha256, user: sub, tenant, roles }) => [sha256, { sub, tenant, roles }]));
  return (key) => known.get(createHash("sha256").update(key).digest("hex"));
}
