import assert from "node:assert/strict";
import { test } from "node:test";
import { begunSince, dominates, goBack, PATH_LENGTH_MAX, walk } from "./path.ts";

const way = (...path: string[]) => ({ path, irrevocable: [] });

const rows: readonly [path: string, state: string, dominates: boolean][] = [
  ["A B C", "A", true],
  ["A B C", "B", true],
  ["A B C", "C", false],
  ["A B C", "D", false],
  ["A B C A C", "B", false],
  ["A B C A C", "A", true],
  ["A B C B D", "C", false],
  ["A B C B D", "B", true],
  ["A B A C", "B", false],
  ["A", "A", false],
];
for (const [path, state, expected] of rows) {
  test(`after ${path}, ${state} ${expected ? "dominates" : "does not dominate"}`, () => {
    assert.equal(dominates(path.split(" "), state), expected);
  });
}

test("going back cuts the way behind the state, its newest passing first", () => {
  assert.deepEqual(goBack(way("A", "B", "A", "C"), "A").path, ["A", "B", "A"]);
  assert.deepEqual(goBack(way("A"), "A").path, ["A"]);
  assert.deepEqual(goBack(way("A", "B"), "C").path, ["A", "B", "C"], "not passed: a step forward");
});

test("entering the same state again adds nothing", () => {
  assert.deepEqual(walk(way("A", "B"), "B").path, ["A", "B"]);
});

test("the way has a limit, and effects move along with it", () => {
  let long: ReturnType<typeof walk> = { path: ["S"], irrevocable: [{ what: "x", at: 0 }] };
  for (let step = 0; step < PATH_LENGTH_MAX + 9; step++) {
    long = walk(long, step % 2 === 0 ? "A" : "B");
    if (step === 99) long = { ...long, irrevocable: [...long.irrevocable, { what: "y", at: long.path.length - 1 }] };
  }
  assert.equal(long.path.length, PATH_LENGTH_MAX);
  assert.deepEqual(
    long.irrevocable.map(({ what, at }) => [what, at]),
    [
      ["x", 0],
      ["y", 90],
    ],
  );
});

test("effects count from the last time the state was left", () => {
  const effects = {
    path: ["A", "B", "A", "C"],
    irrevocable: [
      { what: "x", at: 1 },
      { what: "y", at: 3 },
    ],
  };
  assert.deepEqual(begunSince(effects, "A"), ["y"]);
  assert.deepEqual(begunSince(effects, "B"), ["y"]);
  assert.deepEqual(begunSince(effects, "D"), []);
});
