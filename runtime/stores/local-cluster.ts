import type { Claim, ClusterView, Member } from "../ports.ts";

/** Claims and members of a store that one process has: kept in memory, since they end with it. */
export class LocalCluster {
  readonly #members = new Map<string, Member>();
  readonly #newest = new Map<number, Claim>();

  claim(claim: Claim): boolean {
    if (claim.epoch <= (this.#newest.get(claim.partition)?.epoch ?? 0)) return false;
    this.#newest.set(claim.partition, claim);
    return true;
  }

  beat(member: Member): void {
    this.#members.set(member.node, member);
  }

  view(): ClusterView {
    return { members: [...this.#members.values()], claims: [...this.#newest.values()] };
  }

  bury(node: string): void {
    this.#members.delete(node);
  }
}
