import type { Claim, ClusterView, Held } from "../ports.ts";

/**
 * Who carries out which partition, decided from what the store says of nodes and claims. Every node decides for itself, from
 * the same facts, so that all come to the same in the end; what they do meanwhile is made harmless by the claims, of which one
 * epoch has one holder.
 */

export interface Situation {
  /** This node's name. */
  readonly me: string;
  /** How many partitions there are. */
  readonly partitions: number;
  readonly view: ClusterView;
  /** Members that live no more: their hearts stood still for a lease time, or this node is where they were. */
  readonly dead: ReadonlyMap<string, "still" | "replaced">;
}

export interface Plan {
  /** Partitions that are this node's by the newest claims. */
  readonly mine: readonly Held[];
  /** To be claimed: nobody has them, or somebody who is dead or gone. */
  readonly claim: readonly Held[];
  /** To be let go: others have less. */
  readonly release: readonly Held[];
  /** Members to be buried: by whoever has partition 0, or is where they were, so that it is one. */
  readonly bury: readonly string[];
}

/** Pure. Surplus is let go before others claim it, so a partition is nobody's for a moment and never two nodes'. */
export function plan(situation: Situation): Plan {
  const { me, partitions, view, dead } = situation;
  const alive = living(situation);
  const able = ableOf(alive, view);
  const newest = new Map(view.claims.map((claim) => [claim.partition, claim]));
  const holders = new Map<string, Claim[]>(alive.map((node) => [node, []]));
  const free: Held[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    const claim = newest.get(partition);
    const held = claim?.node === undefined ? undefined : holders.get(claim.node);
    if (claim && held) held.push(claim);
    else free.push({ partition, epoch: (claim?.epoch ?? 0) + 1 });
  }
  const mine = holders.get(me)!.map(({ partition, epoch }) => ({ partition, epoch }));
  const share = able.includes(me) ? shareOf(me, able, holders, partitions) : 0;
  const hasFirst = mine.some(({ partition }) => partition === 0);
  return {
    mine,
    claim: fromOwnPlace(free, Math.max(0, able.indexOf(me)) / able.length).slice(0, Math.max(0, share - mine.length)),
    release: mine.slice(share),
    bury: [...dead].flatMap(([node, how]) => (hasFirst || how === "replaced" ? node : [])).toSorted(),
  };
}

/** Members that live, this node among them whatever the store says of it. */
function living({ me, view, dead }: Situation): readonly string[] {
  const names = new Set(view.members.map(({ node }) => node).filter((node) => !dead.has(node)));
  return [...names.add(me)].toSorted();
}

/** Those whom the bus reaches. When it reaches nobody, all: there is other work, too. */
function ableOf(alive: readonly string[], { members }: ClusterView): readonly string[] {
  const away = new Set(members.filter(({ isAway }) => isAway).map(({ node }) => node));
  const able = alive.filter((node) => !away.has(node));
  return able.length > 0 ? able : alive;
}

/** As many as everybody; what does not divide goes to those who have most, so that nothing moves for its sake. */
function shareOf(
  me: string,
  able: readonly string[],
  holders: ReadonlyMap<string, readonly Claim[]>,
  partitions: number,
): number {
  const count = (node: string): number => holders.get(node)!.length;
  const ranked = able.toSorted((a, b) => count(b) - count(a) || (a < b ? -1 : 1));
  const each = Math.floor(partitions / able.length);
  return each + (ranked.indexOf(me) < partitions % able.length ? 1 : 0);
}

/** Each begins at another place, so that they seldom want the same one at once. */
const fromOwnPlace = (free: readonly Held[], place: number): readonly Held[] => {
  const start = Math.floor(free.length * place);
  return [...free.slice(start), ...free.slice(0, start)];
};

/** What is remembered of the members between looks. */
export type Pulse = ReadonlyMap<string, { readonly beats: number; readonly still: number }>;

/**
 * Hearts as felt by this node's own looks: how many looks in a row each stood still. A node that was suspended finds no
 * rival dead when it wakes, for it did not look meanwhile.
 * @param counts a time has passed since the last look that counted, in which every heart must have beaten.
 */
export function feel(pulse: Pulse, { members }: ClusterView, counts: boolean): Pulse {
  return new Map(
    members.map(({ node, beats }) => {
      const before = pulse.get(node);
      const still = before?.beats === beats ? before.still + (counts ? 1 : 0) : 0;
      return [node, { beats, still }];
    }),
  );
}

/**
 * Those whose heart stood still for so many looks, and whoever was at this node's place before it.
 * @param place of this node, if it has one.
 */
export function deadIn(
  pulse: Pulse,
  { members }: ClusterView,
  { me, place, looks }: { readonly me: string; readonly place: string | undefined; readonly looks: number },
): Situation["dead"] {
  const dead = new Map<string, "still" | "replaced">();
  for (const other of members) {
    if (other.node === me) continue;
    if (place !== undefined && other.place === place) dead.set(other.node, "replaced");
    else if ((pulse.get(other.node)?.still ?? 0) >= looks) dead.set(other.node, "still");
  }
  return dead;
}
