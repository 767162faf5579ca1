import type { Claim, ClusterView, Member } from "../ports.ts";
import type { ClaimDocument, Collections } from "./mongo-documents.ts";
import { duplicatesOf, upserted } from "./mongo-errors.ts";

/**
 * Nodes and their claims. A claim is inserted under (partition, epoch): of those who want one epoch one gets it. Older ones
 * are removed, so whoever inserted one looks whether a newer one was there.
 */
export class MongoCluster {
  readonly #collections: Pick<Collections, "claims" | "members">;
  readonly #limit: { readonly maxTimeMS: number };

  constructor(collections: Pick<Collections, "claims" | "members">, limit: { readonly maxTimeMS: number }) {
    this.#collections = collections;
    this.#limit = limit;
  }

  async claim({ partition, epoch, node }: Claim): Promise<boolean> {
    const { claims } = this.#collections;
    const claim: ClaimDocument = {
      _id: `${partition}:${epoch}`,
      partition,
      epoch,
      ...(node !== undefined && { node }),
    };
    try {
      await claims.insertMany([claim], this.#limit);
    } catch (error) {
      if (duplicatesOf(error)) return false;
      throw error;
    }
    const others = await claims.find({ partition }, this.#limit).toArray();
    const newest = Math.max(...others.map((other) => other.epoch));
    const older = others.filter((other) => other.epoch < newest).map(({ _id }) => _id);
    if (older.length > 0) await claims.deleteMany({ _id: { $in: older } }, this.#limit);
    return newest === epoch;
  }

  /** Only the node itself writes there. */
  async beat({ node, ...member }: Member): Promise<void> {
    const { members } = this.#collections;
    await upserted(() => members.replaceOne({ _id: node }, member, { upsert: true, ...this.#limit }));
  }

  async view(): Promise<ClusterView> {
    const { claims, members } = this.#collections;
    const [found, everybody] = await Promise.all([
      claims.find({}, this.#limit).toArray(),
      members.find({}, this.#limit).toArray(),
    ]);
    return { members: everybody.map(({ _id, ...member }) => ({ node: _id, ...member })), claims: newestOf(found) };
  }

  async forget(node: string): Promise<void> {
    await this.#collections.members.deleteOne({ _id: node }, this.#limit);
  }
}

function newestOf(found: readonly ClaimDocument[]): readonly Claim[] {
  const newest = new Map<number, Claim>();
  for (const { partition, epoch, node } of found) {
    if (epoch <= (newest.get(partition)?.epoch ?? 0)) continue;
    newest.set(partition, { partition, epoch, ...(node !== undefined && { node }) });
  }
  return [...newest.values()];
}
