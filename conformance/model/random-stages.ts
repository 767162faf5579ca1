import fc from "fast-check";
import { type Round, turns } from "./round.ts";
import type { Happening } from "./round-model.ts";
import type { Mode, Stage } from "./stage.ts";

/** Everybody there is; the first five may sit in a stage from the beginning. */
export const PEOPLE = ["ann", "bob", "cid", "dan", "eve", "fay", "gus", "hal"];

export const people = fc.shuffledSubarray(PEOPLE.slice(0, 5), { minLength: 1, maxLength: 5 });
export const plain = fc.constantFrom<Mode>({ kind: "any" }, { kind: "all" });
export const share = fc.constantFrom<Mode>(
  { kind: "share", part: 2, of: 3, strict: false },
  { kind: "share", part: 60, of: 100, strict: false },
  { kind: "share", part: 50, of: 100, strict: true },
);

export function group(modes: fc.Arbitrary<Mode>): fc.Arbitrary<Stage["groups"][number]> {
  return people.chain((members) => {
    const count = fc.integer({ min: 1, max: members.length }).map((count): Mode => ({ kind: "count", count }));
    return fc.oneof(modes, count).map((mode) => ({ people: members, mode }));
  });
}

const rules = fc.record({
  reject: fc.constantFrom<Stage["reject"]>("one", "rest"),
  abstain: fc.constantFrom<Stage["abstain"]>("leaves", "no"),
  onEmpty: fc.constantFrom<Stage["onEmpty"]>("hold", "skip", "reject"),
});
const none = { veto: [], collect: false };

/** Stages of every mode, in groups, by weight, with veto, collected. */
export const stages: fc.Arbitrary<Stage> = fc.oneof(
  fc
    .record({ one: group(fc.oneof(plain, share, fc.constant<Mode>({ kind: "sequence" }))), rules })
    .map(({ one, rules }) => {
      return { groups: [one], ...rules, ...none };
    }),
  fc.record({ one: group(fc.oneof(plain, share)), rules }).map(({ one, rules }) => {
    return { groups: [one], ...rules, ...none, collect: true };
  }),
  fc.record({ one: group(plain), two: group(share), rules }).map(({ one, two, rules }) => {
    return { groups: [one, two], ...rules, ...none };
  }),
  fc.record({ one: group(share), rules, vetoes: fc.integer({ min: 1, max: 2 }) }).map(({ one, rules, vetoes }) => {
    return { groups: [one], ...rules, ...none, reject: "rest" as const, veto: one.people.slice(0, vetoes) };
  }),
  fc
    .record({ members: people, mode: share, rules, heavy: fc.integer({ min: 1, max: 9 }) })
    .map(({ members, mode, rules, heavy }) => {
      const weights = Object.fromEntries(PEOPLE.map((person, index) => [person, ((index * heavy) % 7) + 1]));
      return { groups: [{ people: members, mode }], ...rules, ...none, weights };
    }),
);

const byte = fc.nat({ max: 255 });
/** What a command is made of; what it means depends on who has a task. */
export const seed = fc.record({ what: byte, who: byte, whom: byte, more: byte });
export type Seed = typeof seed extends fc.Arbitrary<infer Value> ? Value : never;

/** `undefined`: nothing; what commands shrink to that don't matter. After the end few are given. */
export function happeningOf(round: Round, { what, who, whom, more }: Seed): Happening | undefined {
  if (what === 0) return undefined;
  const holders = turns(round).map(({ holder }) => holder);
  // Mostly somebody whose turn it is.
  const actor = who % 8 > 0 && holders.length > 0 ? pick(holders, who >> 3) : pick(PEOPLE, who >> 3);
  const to = pick(PEOPLE, whom);
  if (round.result && more % 8 > 0) return undefined;
  switch (what % 16) {
    case 0:
    case 1:
    case 2:
      return { kind: "decide", actor, opinion: "approved" };
    case 3:
      return { kind: "decide", actor, opinion: "rejected" };
    case 4:
      return { kind: "decide", actor, opinion: "abstained" };
    case 5:
    case 6:
      return { kind: "transfer", actor, to };
    case 7:
    case 8:
      return { kind: "delegate", actor, to };
    case 9:
    case 10:
    case 11: {
      const where = pick(["before", "after", "beside"] as const, more >> 2);
      const second = pick(PEOPLE, whom + 1 + (more >> 4));
      const both = more % 2 === 0 && second !== to;
      const rule = where !== "beside" && (more >> 1) % 2 === 0;
      const advisory = where === "before" && more % 3 === 0;
      return { kind: "add", actor, where, people: both ? [to, second] : [to], all: rule, advisory };
    }
    case 12:
      return { kind: "remove", actor: pick(PEOPLE, who), person: to };
    case 13:
      return { kind: "take-back", actor: pick(PEOPLE, who) };
    case 14:
      return { kind: "hand-over", from: actor, to };
    default:
      if (more % 8 === 0) return { kind: "override", result: whom % 2 === 0 ? "approved" : "rejected" };
      return { kind: "admin-remove", person: to };
  }
}

function pick<Item>(items: readonly Item[], index: number): Item {
  return items[index % items.length]!;
}
