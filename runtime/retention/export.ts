import { createHash } from "node:crypto";
import type { EpochMs, InstanceKey, Page, Store } from "../ports.ts";
import { readChain } from "./chain.ts";
import type { Signer } from "./signing.ts";

/**
 * The history as JSON lines: a head, of each instance its checkpoint if older entries were pruned and then its entries in
 * their order, and an end, signed over all lines before it. Entries are as they were stored, sealed ones too, so that the chain
 * of hashes can be checked by who has no key.
 */
export type ExportLine =
  | { readonly kind: "assent-export"; readonly format: 1; readonly at: EpochMs; readonly publicKey?: string }
  | { readonly kind: "checkpoint"; readonly checkpoint: unknown }
  | ({
      readonly kind: "entry";
      readonly sequence: number;
      readonly at: EpochMs;
      readonly hash: string;
      readonly body: string;
    } & InstanceKey)
  | ({ readonly kind: "end"; readonly sha256: string; readonly signature?: string } & ExportCount);

export interface ExportCount {
  readonly instances: number;
  readonly entries: number;
  readonly checkpoints: number;
}

export interface ExportOptions {
  readonly at: EpochMs;
  /** Absent: of all tenants. */
  readonly tenant?: string;
  readonly signer?: Signer;
}

const PAGE = 256;

/** @returns lines without their line breaks. */
export async function* exportLines(store: Store, { at, tenant, signer }: ExportOptions): AsyncIterable<string> {
  const sum = createHash("sha256");
  const written = (line: ExportLine): string => {
    const text = JSON.stringify(line);
    sum.update(`${text}\n`);
    return text;
  };
  const count = { instances: 0, entries: 0, checkpoints: 0 };
  yield written({ kind: "assent-export", format: 1, at, ...(signer && { publicKey: signer.publicKey }) });
  for await (const key of journaled(store)) {
    if (tenant !== undefined && key.tenant !== tenant) continue;
    count.instances += 1;
    const { checkpoint, entries } = await readChain(store, key);
    if (checkpoint) {
      count.checkpoints += 1;
      yield written({ kind: "checkpoint", checkpoint: JSON.parse(checkpoint.body) });
    }
    count.entries += entries.length;
    for (const { sequence, at: writtenAt, hash, body } of entries)
      yield written({ kind: "entry", tenant: key.tenant, instance: key.instance, sequence, at: writtenAt, hash, body });
  }
  const end = { ...count, sha256: sum.digest("hex") };
  const signature = signer?.sign(endText(end));
  yield JSON.stringify({ kind: "end", ...end, ...(signature !== undefined && { signature }) } satisfies ExportLine);
}

/** What the signature of an export is over. */
export const endText = ({
  instances,
  entries,
  checkpoints,
  sha256,
}: ExportCount & { readonly sha256: string }): string =>
  JSON.stringify(["assent/export/1", instances, entries, checkpoints, sha256]);

async function* journaled(store: Store): AsyncIterable<InstanceKey> {
  let cursor: string | undefined;
  do {
    const page: Page<InstanceKey> = await store.journaled({ limit: PAGE, ...(cursor !== undefined && { cursor }) });
    yield* page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}
