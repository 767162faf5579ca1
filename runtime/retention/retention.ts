import type { Instance } from "../../engine/index.ts";
import { encode } from "../entry.ts";
import type { KeyRing } from "../key-ring.ts";
import { restore } from "../live-instances.ts";
import type { ArchiveRow, DefinitionSource, EndedQuery, EpochMs, InstanceKey, PruneRow, Store } from "../ports.ts";
import type { TenantSettings } from "../tenants/tenant-settings.ts";
import { chainProblem, readChain } from "./chain.ts";
import { newCheckpoint } from "./checkpoint.ts";
import type { Signer } from "./signing.ts";

export interface RetentionPorts {
  readonly store: Store;
  readonly keys: KeyRing;
  readonly definitions: DefinitionSource;
  readonly settings: (tenant: string) => TenantSettings;
  /** Absent: nothing is pruned. */
  readonly signer?: Signer;
}

export interface Retained {
  /** Instances whose entries were moved to the history. */
  readonly archived: number;
  /** Instances whose entries were removed from there. */
  readonly pruned: number;
  /** Instances that were left as they are, because something is wrong with them. */
  readonly problems: readonly (InstanceKey & { readonly problem: string })[];
}

export const ARCHIVE_AFTER_DAYS = 30;
const DAY_MS = 86_400_000;
const PAGE = 64;

/**
 * Moves the entries of instances that ended long ago out of the journal, and removes those that nobody has to keep any more.
 * Harmless while nodes work, and when several do it at once.
 */
export async function retain(ports: RetentionPorts, now: EpochMs): Promise<Retained> {
  const problems: (InstanceKey & { problem: string })[] = [];
  const count = { archived: 0, pruned: 0 };
  const attempt = async <Row>(key: InstanceKey, make: () => Promise<Row | undefined>): Promise<readonly Row[]> => {
    try {
      const row = await make();
      return row === undefined ? [] : [row];
    } catch (error) {
      problems.push({ ...key, problem: error instanceof Error ? error.message : String(error) });
      return [];
    }
  };
  for (const tenant of await ports.store.tenants()) {
    const { archiveAfterDays = ARCHIVE_AFTER_DAYS, keepDays } = ports.settings(tenant);
    const archiveDays = Math.min(archiveAfterDays, keepDays ?? archiveAfterDays);
    for await (const keys of endedPages(ports.store, tenant, now - archiveDays * DAY_MS, "journal")) {
      const rows = await Promise.all(keys.map((key) => attempt(key, () => archiveRow(key, ports))));
      await ports.store.archive(rows.flat());
      count.archived += rows.flat().length;
    }
    const { signer } = ports;
    if (keepDays === undefined || !signer) continue;
    for await (const keys of endedPages(ports.store, tenant, now - keepDays * DAY_MS, "history")) {
      const rows = await Promise.all(keys.map((key) => attempt(key, () => pruneRow(key, ports.store, now, signer))));
      await ports.store.prune(rows.flat());
      count.pruned += rows.flat().length;
    }
  }
  return { ...count, problems };
}

/** What is listed and dealt with leaves the list; what comes after it is found from the cursor on all the same. */
async function* endedPages(
  store: Store,
  tenant: string,
  before: EpochMs,
  where: EndedQuery["where"],
): AsyncIterable<readonly InstanceKey[]> {
  let cursor: string | undefined;
  do {
    const page = await store.ended({ tenant, before, where }, { limit: PAGE, ...(cursor !== undefined && { cursor }) });
    if (page.items.length > 0) yield page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** With the instance as it is after its newest entry. @throws Error if it can't be restored. */
async function archiveRow(key: InstanceKey, ports: RetentionPorts): Promise<ArchiveRow | undefined> {
  const [stored] = await ports.store.load([key]);
  if (!stored) return undefined;
  const { snapshot, tail } = stored;
  if (snapshot && tail.length === 0) return { ...key, snapshot };
  const { instance, dataKey, sequence, hash } = await restore(stored, ports);
  return { ...key, snapshot: { sequence, hash, body: encode(instance satisfies Instance | undefined, dataKey) } };
}

/** @throws Error if the chain is broken: what proves that is not thrown away. */
async function pruneRow(key: InstanceKey, store: Store, at: EpochMs, signer: Signer): Promise<PruneRow | undefined> {
  const chain = await readChain(store, key);
  const problem = chainProblem(chain);
  if (problem !== undefined) throw new Error(problem);
  const [stored] = await store.load([key]);
  const newest = chain.entries.at(-1);
  const { snapshot } = stored ?? {};
  // Something has happened to it since it was listed.
  if (!newest || snapshot?.sequence !== newest.sequence || stored!.tail.length > 0) return undefined;
  if (snapshot.hash !== newest.hash) throw new Error("its snapshot is not of its newest entry");
  return { ...key, checkpoint: newCheckpoint(key, snapshot, at, signer) };
}
