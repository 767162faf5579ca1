import assert from "node:assert/strict";
import { test } from "node:test";
import type { FlowFunction } from "../plugins/index.ts";
import { Deployment, type Unit } from "./deployment.ts";
import { flow } from "./testing.ts";

const solvent = (ok: boolean): FlowFunction => ({ kind: "check", run: () => ok });

function unit(file: string, text: string, ok: boolean): [string, Unit] {
  const functions = new Map([["solvent", solvent(ok)]]);
  const definitions = [flow(text, [{ name: "solvent", kind: "check" }])];
  const nothing = { uses: [], sources: [], rollouts: [], templates: new Map(), warnings: [] };
  return [file, { file, fingerprint: "", text, definitions, functions, ...nothing }];
}

const machine = (name: string): string => `
state machine "${name}" {
  events { "go" }
  initial: A
  states: [A, B]
  transitions { A → B on "go" → solvent() }
  routes { "go" → "bank" }
}`;

test("a flow is served by the functions beside it, not by those of another folder", () => {
  const two = new Deployment(new Map([unit("a/a.flow", machine("a"), true), unit("b/b.flow", machine("b"), false)]));
  const call = { arguments: [], context: {} } as never;
  assert.equal(two.function("solvent", "a")?.run(call), true);
  assert.equal(two.function("solvent", "b")?.run(call), false);
  assert.equal(two.function("solvent", "c"), undefined);
});
