import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Group, Mode } from "../dsl/index.ts";
import { type Count, canPass, isFixed, type Votes, verdict, votesOf } from "./tally.ts";
import { quorum, share } from "./testing.ts";
import type { Seat, SeatStatus } from "./types.ts";

const STATUSES: Readonly<Record<string, SeatStatus>> = {
  a: "approved",
  r: "rejected",
  o: "open",
  w: "waiting",
  x: "abstained",
  c: "cancelled",
};

/** `aro`: one approved, one rejected, one open. */
const seats = (letters: string): Seat[] =>
  [...letters].map((letter) => ({ person: "p", status: STATUSES[letter]!, reminders: 0 }));

const tally = (list: readonly Seat[]): Votes => votesOf(list, 0);
const count = (mode: Mode, reject: Group["reject"] = "rest", abstain: Count["abstain"] = "leaves"): Count => ({
  mode,
  reject,
  abstain,
});

const any: Mode = { kind: "any" };
const all: Mode = { kind: "all" };
const sequence: Mode = { kind: "sequence" };

const rows: readonly [Mode, Group["reject"], votes: string, verdict: string][] = [
  [any, "one", "ooo", "undecided"],
  [any, "one", "aoo", "approved"],
  [any, "one", "roo", "rejected"],
  [any, "one", "xoo", "undecided"],
  [any, "rest", "roo", "undecided"],
  [any, "rest", "rro", "undecided"],
  [any, "rest", "rrr", "rejected"],
  [any, "rest", "rrx", "rejected"],
  [any, "rest", "rra", "approved"],
  [all, "one", "aao", "undecided"],
  [all, "one", "aaa", "approved"],
  [all, "one", "aax", "approved"],
  [all, "one", "aac", "approved"],
  [all, "one", "aro", "rejected"],
  [all, "rest", "aro", "rejected"],
  [sequence, "one", "aow", "undecided"],
  [sequence, "one", "aaa", "approved"],
  [sequence, "one", "arw", "rejected"],
  [quorum(2), "rest", "aoo", "undecided"],
  [quorum(2), "rest", "aao", "approved"],
  [quorum(2), "rest", "roo", "undecided"],
  [quorum(2), "rest", "rro", "rejected"],
  [quorum(2), "one", "roo", "rejected"],
  [quorum(2), "rest", "axx", "rejected"],
  [quorum(2), "rest", "xxx", "empty"],
  [share(2, 3), "rest", "aao", "approved"],
  [share(2, 3), "rest", "aoo", "undecided"],
  [share(2, 3), "rest", "rro", "rejected"],
  [share(2, 3), "rest", "axo", "undecided"],
  [share(50, 100), "rest", "aor", "undecided"],
  [share(50, 100), "rest", "aoor", "undecided"],
  [share(50, 100), "rest", "aarr", "approved"],
  [share(50, 100, true), "rest", "aarr", "rejected"],
  [share(50, 100, true), "rest", "aarro", "undecided"],
  [share(1, 3), "rest", "aoo", "approved"],
  [all, "one", "xxc", "empty"],
];

for (const [mode, reject, votes, expected] of rows) {
  test(`${JSON.stringify(mode)} reject ${reject}: ${votes} is ${expected}`, () => {
    assert.equal(verdict(count(mode, reject), tally(seats(votes))), expected);
  });
}

test("a mode that all its seats can't satisfy is known at the opening", () => {
  const pass = (mode: Mode, open: number): boolean => canPass(count(mode), tally(seats("o".repeat(open))));
  assert.equal(pass(any, 0), false);
  assert.equal(pass(quorum(3), 2), false);
  assert.equal(pass(quorum(3), 3), true);
  assert.equal(pass(share(1, 1, true), 5), false);
  assert.equal(pass(share(2, 3), 1), true);
});

test("only a fixed number can fall below its threshold", () => {
  assert.equal(isFixed(count(quorum(3))), true);
  assert.equal(isFixed(count(any)), true);
  assert.equal(isFixed(count(share(9, 10))), false);
  assert.equal(isFixed(count(all)), false);
});

test("an abstention that counts as a no stays in the total, but is never the first decision of any", () => {
  const rows: readonly [Mode, Group["reject"], votes: string, verdict: string][] = [
    [any, "one", "xoo", "undecided"],
    [all, "one", "xoo", "rejected"],
    [quorum(2), "rest", "xoo", "undecided"],
    [quorum(2), "rest", "xxo", "rejected"],
    [share(2, 3), "rest", "aax", "approved"],
    [share(1, 2, true), "rest", "ax", "rejected"],
    [all, "one", "xx", "empty"],
  ];
  for (const [mode, reject, votes, expected] of rows) {
    assert.equal(verdict(count(mode, reject, "no"), tally(seats(votes))), expected, votes);
  }
});

test("weights are compared exactly, in the groups where a seat counts", () => {
  const weighted = (letters: string, ...weights: string[]): Votes =>
    votesOf(
      seats(letters).map((seat, index) => ({ ...seat, counts: [{ group: 1, weight: weights[index]! }] })),
      1,
    );
  const rows: readonly [Mode, Votes, verdict: string][] = [
    [share(60, 100), weighted("aoo", "0.6", "0.3", "0.1"), "approved"],
    [share(60, 100, true), weighted("aoo", "0.6", "0.3", "0.1"), "undecided"],
    [share(60, 100), weighted("roo", "0.41", "0.3", "0.29"), "rejected"],
    [share(60, 100), weighted("roo", "0.4", "0.3", "0.3"), "undecided"],
    [quorum(5), weighted("aoo", "4.999999999999", "0.000000000001", "9"), "undecided"],
    [quorum(5), weighted("aao", "4.999999999999", "0.000000000001", "9"), "approved"],
    [share(2, 3), weighted("aaxo", "1", "1", "7", "1"), "approved"],
  ];
  for (const [mode, votes, expected] of rows) assert.equal(verdict(count(mode), votes), expected);
  assert.equal(verdict(count(any), votesOf(seats("aoo"), 1)), "empty", "they sit in group 0");
});

const mode = fc.oneof(
  fc.constantFrom(any, all, sequence),
  fc.integer({ min: 1, max: 4 }).map(quorum),
  fc.tuple(fc.integer({ min: 1, max: 9 }), fc.boolean()).map(([part, strict]) => share(part, 10, strict)),
);
const reject = fc.constantFrom("one" as const, "rest" as const);
const decisions = fc.array(fc.constantFrom("a", "r", "x"), { minLength: 1, maxLength: 7 });

test("a certain result is never changed by what the others decide", () => {
  fc.assert(
    fc.property(mode, reject, decisions, (mode, reject, decided) => {
      let result: string | undefined;
      for (let done = 0; done <= decided.length; done++) {
        const votes = decided.slice(0, done).join("").padEnd(decided.length, "o");
        const now = verdict(count(mode, reject), tally(seats(votes)));
        // `reject: one` ends by the order of decisions; only what counts alone says is certain in every order.
        // Whoever abstains after that leaves a closed round; "empty" is only asked of an open one.
        if (reject === "rest" && result !== undefined && now !== "empty") assert.equal(now, result);
        if (now === "approved" || now === "rejected") result = now;
      }
    }),
  );
});

test("the result does not depend on the order for all and for quorums with reject: rest", () => {
  const laws = fc.oneof(
    fc.constant(all),
    mode.filter((one) => one.kind === "quorum"),
  );
  const shuffled = decisions.chain((one) =>
    fc.tuple(fc.constant(one), fc.shuffledSubarray(one, { minLength: one.length })),
  );
  const finish = (mode: Mode, decided: readonly string[]): string => {
    for (let done = 1; done <= decided.length; done++) {
      const votes = decided.slice(0, done).join("").padEnd(decided.length, "o");
      const result = verdict(count(mode), tally(seats(votes)));
      if (result !== "undecided") return result;
    }
    return "undecided";
  };
  fc.assert(
    fc.property(laws, shuffled, (mode, [one, other]) => {
      assert.equal(finish(mode, one), finish(mode, other));
    }),
  );
});

test("any is a quorum of 1 while nobody rejects, all is a quorum of N while nobody abstains", () => {
  const votes = fc.array(fc.constantFrom("a", "o"), { minLength: 1, maxLength: 6 }).map((list) => list.join(""));
  fc.assert(
    fc.property(votes, reject, (list, reject) => {
      const counted = tally(seats(list));
      assert.equal(verdict(count(any, reject), counted), verdict(count(quorum(1)), counted));
      assert.equal(verdict(count(all, reject), counted), verdict(count(quorum(list.length)), counted));
    }),
  );
});
