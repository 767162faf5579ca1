import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Claim, ClusterView, Member } from "../ports.ts";
import { deadIn, feel, type Plan, type Pulse, plan, type Situation } from "./assignment.ts";

/** `"aab-"`: who holds partition 0, 1, 2, 3 in the first epoch; `-` was let go, `.` never claimed. */
const claimsOf = (held: string): readonly Claim[] =>
  [...held].flatMap((node, partition) => (node === "." ? [] : { partition, epoch: 1, ...(node !== "-" && { node }) }));

/** @param members in capitals: the bus is away from it. */
const situation = (me: string, held: string, members: string, dead = ""): Situation => ({
  ...{ me, partitions: held.length, dead: new Map([...dead].map((node) => [node, "still"])) },
  view: { claims: claimsOf(held), members: [...members].map(memberOf) },
});

const memberOf = (name: string): Member => {
  const node = name.toLowerCase();
  return { node, beats: 1, ...(name !== node && { isAway: true as const }) };
};

const numbers = (held: readonly { readonly partition: number }[]): string =>
  held
    .map(({ partition }) => partition)
    .toSorted()
    .join(",");

type Row = [what: string, me: string, held: string, members: string, dead: string, plan: Record<string, string>];
const ROWS: readonly Row[] = [
  ["the first node takes all", "a", "....", "", "", { mine: "", claim: "0,1,2,3", release: "" }],
  ["a node that has its share is content", "a", "aabb", "ab", "", { mine: "0,1", claim: "", release: "" }],
  ["a newcomer waits for what others let go", "b", "aaaa", "ab", "", { mine: "", claim: "", release: "" }],
  ["with a newcomer the surplus is let go", "a", "aaaa", "ab", "", { mine: "0,1,2,3", claim: "", release: "2,3" }],
  ["and the newcomer takes it", "b", "aa--", "ab", "", { claim: "2,3", release: "" }],
  ["what does not divide stays where it is", "a", "aaab", "ab", "", { mine: "0,1,2", claim: "", release: "2" }],
  ["the one more is for who has most", "a", "aaabb", "ab", "", { mine: "0,1,2", claim: "", release: "" }],
  ["a dead node's are taken", "b", "aabb", "ab", "a", { mine: "2,3", claim: "0,1", release: "" }],
  ["those of somebody who is no member any more, too", "b", "aabb", "b", "", { claim: "0,1" }],
  ["survivors share", "b", "aaabbcc", "abc", "a", { claim: "0,1", release: "" }],
  ["each begins at another place", "c", "aaaabc", "abc", "a", { claim: "2,3", release: "" }],
  ["who thinks others dead but is alone takes all", "a", "bbbb", "b", "b", { claim: "0,1,2,3" }],
  ["there may be more nodes than partitions", "c", "ab", "abc", "", { mine: "", claim: "", release: "" }],
  ["whom the bus does not reach lets go of all", "a", "aabb", "Ab", "", { mine: "0,1", claim: "", release: "0,1" }],
  ["which stay its own until it has", "b", "aabb", "Ab", "", { claim: "", release: "" }],
  ["and are taken then", "b", "--bb", "Ab", "", { claim: "0,1" }],
  ["and it claims nothing", "a", "--bb", "Ab", "", { claim: "", release: "" }],
  ["when the bus reaches nobody all go on", "a", "aabb", "AB", "", { mine: "0,1", claim: "", release: "" }],
  ["the dead are buried by who has the first partition", "b", "baab", "abcd", "cd", { bury: "c,d" }],
  ["and by nobody else", "a", "baab", "abcd", "cd", { bury: "" }],
];

describe("who carries out what", () => {
  for (const [what, me, held, members, dead, expected] of ROWS) {
    test(what, () => {
      const { mine, claim, release, bury } = plan(situation(me, held, members, dead));
      const got: Record<string, string> = {
        ...{ mine: numbers(mine), claim: numbers(claim), release: numbers(release), bury: bury.join() },
      };
      for (const [name, value] of Object.entries(expected)) assert.equal(got[name], value, name);
    });
  }

  test("a node takes what was its predecessor's at its place at once, and buries it itself", () => {
    const { claim, bury } = plan({ ...situation("c", "aabb", "abc"), dead: new Map([["a", "replaced"]]) });
    assert.deepEqual([numbers(claim), bury], ["0,1", ["a"]]);
  });

  test("a claim is for the epoch after the newest", () => {
    const claims = [
      { partition: 0, epoch: 7, node: "gone" },
      { partition: 1, epoch: 3 },
    ];
    const { claim } = plan({ me: "a", partitions: 3, dead: new Map(), view: { claims, members: [] } });
    assert.deepEqual(claim, [
      { partition: 0, epoch: 8 },
      { partition: 1, epoch: 4 },
      { partition: 2, epoch: 1 },
    ]);
  });

  /** Every living node does as it plans, one after the other, again and again. */
  function settle(held: string, nodes: readonly string[]): { held: string; rounds: number } {
    let [now, rounds] = [held, 0];
    for (let before = ""; before !== now; rounds++) {
      before = now;
      for (const me of nodes) now = carriedOut(now, me, plan(situation(me, now, nodes.join(""))));
    }
    return { held: now, rounds };
  }

  function carriedOut(held: string, me: string, { claim, release }: Plan): string {
    const next = [...held];
    for (const { partition } of claim) next[partition] = me;
    for (const { partition } of release) next[partition] = "-";
    return next.join("");
  }

  test("wherever it begins, all partitions are shared evenly in a few looks, and then nothing moves any more", () => {
    const nodes = fc.subarray(["a", "b", "c", "d", "e"], { minLength: 1 });
    const held = fc.string({
      unit: fc.constantFrom("a", "b", "c", "d", "e", "x", "-", "."),
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(nodes, held, (living, before) => {
        const { held: after, rounds } = settle(before, living);
        const counts = living.map((node) => after.split(node).length - 1);
        assert.equal(
          counts.reduce((sum, count) => sum + count, 0),
          before.length,
          "none is nobody's",
        );
        assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, `${before} became ${after}`);
        assert.ok(rounds <= 5, `${rounds} rounds`);
      }),
    );
  });

  test("a newcomer moves no more than its share", () => {
    const { held } = settle("aaaaaaaabbbbbbbb", ["a", "b", "c"]);
    const moved = [...held].filter((node) => node === "c").length;
    assert.equal(moved, 5);
    assert.equal([...held].filter((node, n) => node !== "c" && node !== "aaaaaaaabbbbbbbb"[n]).length, 0);
  });
});

describe("hearts", () => {
  const viewOf = (beats: Record<string, number>): ClusterView => ({
    claims: [],
    members: Object.entries(beats).map(([node, n]) => ({ node, beats: n, place: `at ${node}` })),
  });

  /** Who is dead after looks that saw these beats, the last of them now. */
  function deadAfter(looks: number, seen: readonly Record<string, number>[], place?: string, counts = true) {
    let pulse: Pulse = new Map();
    for (const beats of seen) pulse = feel(pulse, viewOf(beats), counts);
    return Object.fromEntries(deadIn(pulse, viewOf(seen.at(-1)!), { me: "me", place, looks }));
  }

  test("who stands still for so many looks is dead; a beat brings it back", () => {
    const still = [5, 5, 5].map((a) => ({ a, me: 1 }));
    assert.deepEqual(deadAfter(2, still), { a: "still" });
    assert.deepEqual(deadAfter(3, still), {});
    assert.deepEqual(deadAfter(2, [...still, { a: 6, me: 1 }]), {});
    assert.deepEqual(deadAfter(2, [...still, { me: 1 }]), {}, "who is gone is no member");
  });

  test("looks in between kill nobody", () => {
    const seen = Array.from({ length: 9 }, () => ({ a: 5 }));
    assert.deepEqual(deadAfter(1, seen, undefined, false), {});
  });

  test("nobody finds itself dead, nor somebody whom it sees for the first time", () => {
    assert.deepEqual(deadAfter(1, [{ me: 1 }, { me: 1, late: 1 }]), {});
  });

  test("who was where this node is now is dead, however lately it beat", () => {
    assert.deepEqual(deadAfter(3, [{ a: 1, b: 1 }], "at a"), { a: "replaced" });
    assert.deepEqual(deadAfter(3, [{ a: 1, me: 1 }], "at me"), {});
  });
});
