import assert from "node:assert/strict";
import { test } from "node:test";
import { Draft } from "./draft.ts";
import { prepare } from "./prepare.ts";
import { approval, Driver, START, simple, stage, users } from "./testing.ts";
import type { Instance } from "./types.ts";

type Optional = {
  [Part in keyof Instance]-?: undefined extends Instance[Part] ? Part : never;
}[keyof Instance];

test("a part that is taken away leaves no key, and takes no other with it", () => {
  const definition = simple(approval([stage(users("ann"))]));
  const driver = new Driver(definition);
  driver.start({ event: "submit" });
  const instance = driver.instance!;
  const place = { state: "A", enteredAt: START, path: ["A"], irrevocable: [] };
  const memory = { rounds: 1, approvals: [], deciders: {}, passed: {} };
  const optional: Required<Pick<Instance, Optional>> = {
    ...{ label: "1.0", tag: "beta", outcome: "OK", memory, round: instance.round!, returns: 1, urgedAt: START },
    ...{
      remembered: { round: 1, before: 0, passed: 0 },
      passed: [],
      branches: { legal: place },
      sagas: [],
      undoing: [],
    },
    saga: { saga: "pay", phase: "running", items: [] },
    child: { ...place, id: "x/1", flow: "x", definition: "y", data: {}, touched: 0 },
    suspended: { at: START, timers: [] },
  };
  for (const part of Object.keys(optional) as Optional[]) {
    const command = { kind: "urge", id: "1", source: "test", digest: "d", actor: "alice" } as const;
    const world = { answers: () => undefined, definitions: () => undefined };
    const draft = new Draft({ prepared: prepare(definition), instance, command, at: START, ...world });
    Object.assign(draft.instance, optional, { [part]: undefined });
    const { [part]: _, ...expected } = { ...instance, ...optional };
    assert.deepEqual(draft.place.finish(), expected, part);
  }
});
