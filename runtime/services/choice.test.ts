import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Endpoint, inOrderOfChoice, type Load } from "./choice.ts";

const endpoint = (address: string, sticky = false): Endpoint => ({ address, service: "s", sticky });
const addresses = (endpoints: readonly Endpoint[]): readonly string[] => endpoints.map(({ address }) => address);
const load = (inFlight: number, latencyMs = 0, calls = 0): Load => ({ inFlight, latencyMs, calls });

describe("least loaded", () => {
  const RULES: readonly [what: string, loads: Readonly<Record<string, Load>>, expected: readonly string[]][] = [
    ["who has fewer requests under way", { a: load(2), b: load(0), c: load(1) }, ["b", "c", "a"]],
    ["who answers sooner", { a: load(0, 100), b: load(0, 10) }, ["b", "a"]],
    ["who is slow, once the quick one has enough to do", { a: load(0, 16), b: load(3, 8) }, ["a", "b"]],
    ["who was asked less, where both do alike", { a: load(0, 10, 5), b: load(0, 11, 4) }, ["b", "a"]],
    ["in the order given, where nothing tells them apart", { a: load(0), b: load(0) }, ["a", "b"]],
  ];
  for (const [what, loads, expected] of RULES) {
    test(`first ${what}`, () => {
      const order = inOrderOfChoice(
        Object.keys(loads).map((name) => endpoint(name)),
        "i",
        ({ address }) => loads[address]!,
      );
      assert.deepEqual(addresses(order), expected);
    });
  }
});

describe("sticky", () => {
  const all = ["a", "b", "c", "d"].map((name) => endpoint(name, true));
  const instances = Array.from({ length: 400 }, (_, n) => `instance-${n}`);
  const first = (among: readonly Endpoint[], instance: string, inFlight = 0): string =>
    inOrderOfChoice(among, instance, () => load(inFlight))[0]!.address;

  test("requests about one instance go to the same one, however busy it is", () => {
    for (const instance of instances) {
      assert.equal(first(all, instance), first(all.toReversed(), instance, 50));
    }
  });

  test("instances are spread", () => {
    const counts = Map.groupBy(instances, (instance) => first(all, instance));
    for (const { length } of counts.values()) assert.ok(length > 60 && length < 140, `${length} of 400`);
  });

  test("when one goes only its own requests move", () => {
    const left = all.filter(({ address }) => address !== "c");
    for (const instance of instances) {
      const before = first(all, instance);
      if (before !== "c") assert.equal(first(left, instance), before);
    }
  });
});
